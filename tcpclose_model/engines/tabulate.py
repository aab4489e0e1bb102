"""Tabulated steps: what the plain engine says, worked out once for each part of a state.

A step reads little of a product state: a call or a timeout its own TCB and what is in flight, an
arrival the TCB, the segment and the channel for the answer, a loss one channel.  So the plain
engine is asked once for each such part, on a state made up of it, and the steps of a product
state are a few look-ups.  TCBs and channel contents become small numbers; a state is one int.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from tcpclose_model.engines.guards import conditions, guard, of_peer
from tcpclose_model.engines.plain import (
    TIME,
    Action,
    Channel,
    PlainEngine,
    ProductState,
    Transition,
)
from tcpclose_model.protocol.vocabulary import LOCAL_EVENTS, TCB, Event, Segment
from tcpclose_model.space import Move

BITS = 20
"""Bits for each of the four parts of a packed state: up to a million TCBs or channel contents."""

MASK = (1 << BITS) - 1
A_SHIFT, B_SHIFT, AB_SHIFT, BA_SHIFT = 3 * BITS, 2 * BITS, BITS, 0
LOSSES_SHIFT = 4 * BITS
"""Above the four parts: the losses so far, where a model counts them."""
LOSS_LEFT = 1 << LOSSES_SHIFT + 16
"""Stands above what guards read in the key of a look-up: another segment may be lost."""

T = TypeVar("T")


class Numbering(dict[T, int]):
    """Numbers for things, given out as they are first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.things: list[T] = []

    def __missing__(self, thing: T) -> int:
        if len(self.things) > MASK:
            raise MemoryError("more than a million different TCBs or channel contents")
        number = self[thing] = len(self.things)
        self.things.append(thing)
        return number


class Parts(NamedTuple):
    """Steps as a look-up gives them: their moves, and the packed parts that each determines."""

    moves: tuple[int, ...]
    parts: tuple[int, ...]


class Tables:
    """The steps of a model by parts of its states, filled on demand."""

    def __init__(self, engine: PlainEngine) -> None:
        self.engine = engine
        self.tcbs: Numbering[TCB] = Numbering()
        self.channels: Numbering[Channel] = Numbering()
        self.moves: Numbering[Move] = Numbering()
        self.channels[()]  # the empty channel is number 0
        self.actors = (Actor(self, 0), Actor(self, 1))
        self.ticks = Ticks(self) if engine.model.time.is_timed else None

    def pack(self, state: ProductState) -> int:
        """Return the state as one int."""
        return (
            state.losses << LOSSES_SHIFT
            | self.tcbs[state.a] << A_SHIFT
            | self.tcbs[state.b] << B_SHIFT
            | self.channels[state.a_to_b] << AB_SHIFT
            | self.channels[state.b_to_a] << BA_SHIFT
        )

    def unpack(self, key: int) -> ProductState:
        """Return the state of a packed int."""
        return ProductState(
            self.tcbs.things[key >> A_SHIFT & MASK],
            self.tcbs.things[key >> B_SHIFT & MASK],
            self.channels.things[key >> AB_SHIFT & MASK],
            self.channels.things[key >> BA_SHIFT & MASK],
            key >> LOSSES_SHIFT,
        )

    def steps(self, key: int) -> tuple[list[int], list[int]]:
        """Return the steps from a packed state, in canonical order: moves, next packed states."""
        moves: list[int] = []
        keys: list[int] = []
        self.actors[0].steps(key, moves, keys)
        self.actors[1].steps(key, moves, keys)
        if self.ticks is not None:
            self.ticks.steps(key, moves, keys)
        return moves, keys


class Actor:
    """The tables of one end and of the channel towards it."""

    def __init__(self, tables: Tables, actor: int) -> None:
        self._tables = tables
        self._actor = actor
        self._own_shift = B_SHIFT if actor else A_SHIFT
        self._peer_shift = A_SHIFT if actor else B_SHIFT
        self._in_shift = AB_SHIFT if actor else BA_SHIFT
        self._out_shift = BA_SHIFT if actor else AB_SHIFT
        self._in_mask = MASK << self._in_shift
        model = tables.engine.model
        self._losses_max = model.network.losses_max
        self._peer_mask = MASK << self._peer_shift
        if self._losses_max is not None:  # what this end does leaves the count alone as well
            self._peer_mask |= -1 << LOSSES_SHIFT
        self._end_mask = MASK << self._own_shift | MASK << self._out_shift
        self._local: dict[int, Parts] = {}
        self._arrival: dict[int, Parts] = {}
        self._answer: dict[tuple[int, Segment], Transition] = {}
        self._network: dict[int, Parts] = {}
        self._heads: dict[int, list[tuple[int, Segment, int]]] = {}
        self._segments: Numbering[Segment] = Numbering()
        self._of_peer: dict[int, int] = {}
        boxed = model.middlebox.at != "none"
        events = (*LOCAL_EVENTS, Event.MIDDLEBOX_TIMEOUT) if boxed else LOCAL_EVENTS
        self._has_guards = self._losses_max is not None or any(
            guard(model, event, sends=True) for event in events
        )

    def steps(self, key: int, moves: list[int], keys: list[int]) -> None:
        """Add this actor's steps from a packed state, in canonical order."""
        end_part = key & self._end_mask
        inward = key >> self._in_shift & MASK
        peer = key & self._peer_mask
        in_part = key & self._in_mask
        # Parts of the key are the keys of the look-ups; what else a guard reads stands above them.
        extra = self._guarded(key) if self._has_guards else 0
        local = self._local.get(end_part | extra)
        if local is None:
            local = self._local[end_part | extra] = self._find_local(key)
        rest = peer | in_part
        moves += local.moves
        keys += [parts | rest for parts in local.parts]
        if not inward:
            return
        for head, segment, remaining in self._heads.get(inward) or self._find_heads(inward):
            arrival = self._arrival.get(end_part | head)
            if arrival is None:
                arrival = self._arrival[end_part | head] = self._find_arrival(key, segment)
            moves += arrival.moves
            keys.append(arrival.parts[0] | peer | remaining)
        network = self._network.get(in_part | extra)
        if network is None:
            network = self._network[in_part | extra] = self._find_network(key)
        rest = key ^ in_part
        moves += network.moves
        keys += [parts + rest for parts in network.parts]

    def _guarded(self, key: int) -> int:
        """Return what else guards read: how much is in flight, what the peer is, losses left."""
        channels, capacity = (
            self._tables.channels.things,
            self._tables.engine.model.network.capacity,
        )
        inward = channels[key >> self._in_shift & MASK]
        outward = channels[key >> self._out_shift & MASK]
        peer = key >> self._peer_shift & MASK
        known = self._of_peer.get(peer)
        if known is None:
            known = self._of_peer[peer] = int(of_peer(self._tables.tcbs.things[peer]))
        found = (int(conditions(len(inward), len(outward), capacity)) | known) << LOSSES_SHIFT
        if self._losses_max is not None and key >> LOSSES_SHIFT < self._losses_max:
            found |= LOSS_LEFT
        return found

    def _find_local(self, key: int) -> Parts:
        state = self._tables.unpack(key)
        return self._end_parts(state, self._tables.engine.local_steps(self._actor, state))

    def _find_arrival(self, key: int, segment: Segment) -> Parts:
        """Return what the arrival of one segment does; the inward channel is empty then."""
        tables, own = self._tables, key >> self._own_shift & MASK
        if (own, segment) not in self._answer:
            state, alone = tables.unpack(key), (segment,)
            if self._actor:
                state = state._replace(a_to_b=alone, b_to_a=())
            else:
                state = state._replace(a_to_b=(), b_to_a=alone)
            (self._answer[own, segment],) = tables.engine.arrivals(self._actor, state)
        step = self._answer[own, segment]
        outward = tables.channels.things[key >> self._out_shift & MASK]
        channel, overflow = tables.engine.pushed(outward, step.sent)
        after = tables.tcbs[step.target.b if self._actor else step.target.a]
        move = tables.moves[Move.of(step, own, after)._replace(overflow=overflow)]
        parts = after << self._own_shift | tables.channels[channel] << self._out_shift
        return Parts((move,), (parts,))

    def _find_network(self, key: int) -> Parts:
        state = self._tables.unpack(key)
        moves, parts = [], []
        for step in self._tables.engine.network_steps(self._actor, state):
            inward = step.target.a_to_b if self._actor else step.target.b_to_a
            moves.append(self._tables.moves[Move.of(step, -1, -1)])
            lost = step.target.losses - state.losses
            parts.append(self._tables.channels[inward] << self._in_shift | lost << LOSSES_SHIFT)
        return Parts(tuple(moves), tuple(parts))

    def _find_heads(self, inward: int) -> list[tuple[int, Segment, int]]:
        """Return the segments that may arrive next: number and segment, and what then remains."""
        channels = self._tables.channels
        found = [
            (self._segments[segment] << self._in_shift, segment, channels[rest] << self._in_shift)
            for segment, rest in self._tables.engine.next_arrivals(channels.things[inward])
        ]
        self._heads[inward] = found
        return found

    def _end_parts(self, state: ProductState, steps: Iterable[Transition]) -> Parts:
        """Return steps from `state` that change this end and its outward channel."""
        tables = self._tables
        before = tables.tcbs[state.b if self._actor else state.a]
        moves, parts = [], []
        for step in steps:
            target = step.target
            after = target.b if self._actor else target.a
            outward = target.b_to_a if self._actor else target.a_to_b
            number = tables.tcbs[after]
            moves.append(tables.moves[Move.of(step, before, number)])
            packed = number << self._own_shift | tables.channels[outward] << self._out_shift
            parts.append(packed)
        return Parts(tuple(moves), tuple(parts))


class Ticks:
    """The tables of a tick: what it makes of two TCBs, and of each channel."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ends: dict[int, tuple[int, int]] = {}
        self._channels: dict[int, int] = {}

    def steps(self, key: int, moves: list[int], keys: list[int]) -> None:
        """Add the tick from a packed state, if it may pass and changes something."""
        ends = key >> B_SHIFT & (MASK << BITS | MASK)
        known = self._ends.get(ends)
        if known is None:
            known = self._ends[ends] = self._find_ends(key)
        move, after = known
        if move < 0:
            return
        a_to_b, b_to_a = self._later(key >> AB_SHIFT & MASK), self._later(key >> BA_SHIFT & MASK)
        if a_to_b < 0 or b_to_a < 0:
            return
        reached = key >> LOSSES_SHIFT << LOSSES_SHIFT | after | a_to_b << AB_SHIFT | b_to_a
        if reached != key:
            moves.append(move)
            keys.append(reached)

    def _find_ends(self, key: int) -> tuple[int, int]:
        """Return the move, and the parts of both ends after it; -1 where a timer is due."""
        tables = self._tables
        numbers, later = [], []
        for shift in (A_SHIFT, B_SHIFT):
            number = key >> shift & MASK
            tcb = tables.engine.clock.later(tables.tcbs.things[number])
            if tcb is None:
                return -1, 0
            numbers.append(number)
            later.append(tables.tcbs[tcb])
        action = Action(TIME, Event.TICK)
        ends = (numbers[0], later[0], numbers[1], later[1])
        move = tables.moves[Move(action, (), None, False, False, *ends)]
        return move, later[0] << A_SHIFT | later[1] << B_SHIFT

    def _later(self, channel: int) -> int:
        """Return the number of a channel's contents a tick later; -1 where none may pass."""
        if channel not in self._channels:
            tables = self._tables
            later = tables.engine.clock.later_channel(tables.channels.things[channel])
            self._channels[channel] = -1 if later is None else tables.channels[later]
        return self._channels[channel]
