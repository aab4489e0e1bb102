"""Tabulated steps: what the plain engine says, worked out once for each part of a state.

A step reads little of a product state: a call or a timeout its own TCB and what is in flight, an
arrival the TCB, the segment and the channel for the answer, a loss one channel.  So the plain
engine is asked once for each such part, on a state made up of it, and the steps of a product
state are a few look-ups.  TCBs and channel contents become small numbers; a state is one int.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from tcpclose_model.engines.plain import (
    Channel,
    PlainEngine,
    ProductState,
    Transition,
    conditions,
    guard,
    of_peer,
    pushed,
)
from tcpclose_model.protocol.vocabulary import LOCAL_EVENTS, TCB, Segment
from tcpclose_model.space import Move

BITS = 20
"""Bits for each of the four parts of a packed state: up to a million TCBs or channel contents."""

MASK = (1 << BITS) - 1
A_SHIFT, B_SHIFT, AB_SHIFT, BA_SHIFT = 3 * BITS, 2 * BITS, BITS, 0

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

    def pack(self, state: ProductState) -> int:
        """Return the state as one int."""
        return (
            self.tcbs[state.a] << A_SHIFT
            | self.tcbs[state.b] << B_SHIFT
            | self.channels[state.a_to_b] << AB_SHIFT
            | self.channels[state.b_to_a] << BA_SHIFT
        )

    def unpack(self, key: int) -> ProductState:
        """Return the state of a packed int."""
        return ProductState(
            self.tcbs.things[key >> A_SHIFT],
            self.tcbs.things[key >> B_SHIFT & MASK],
            self.channels.things[key >> AB_SHIFT & MASK],
            self.channels.things[key >> BA_SHIFT & MASK],
        )

    def steps(self, key: int) -> tuple[list[int], list[int]]:
        """Return the steps from a packed state, in canonical order: moves, next packed states."""
        moves: list[int] = []
        keys: list[int] = []
        self.actors[0].steps(key, moves, keys)
        self.actors[1].steps(key, moves, keys)
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
        self._peer_mask = MASK << self._peer_shift
        self._end_mask = MASK << self._own_shift | MASK << self._out_shift
        self._local: dict[int, Parts] = {}
        self._arrival: dict[int, Parts] = {}
        self._answer: dict[tuple[int, Segment], Transition] = {}
        self._network: dict[int, Parts] = {}
        self._heads: dict[int, list[tuple[int, Segment, int]]] = {}
        self._segments: Numbering[Segment] = Numbering()
        self._of_peer: dict[int, int] = {}
        model = tables.engine.model
        self._has_guards = not model.network.loss or any(
            guard(model, event, sends=True) for event in LOCAL_EVENTS
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
        keys += [parts | rest for parts in network.parts]

    def _guarded(self, key: int) -> int:
        """Return what else guards read: how much is in flight, and what the peer is."""
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
        return (int(conditions(len(inward), len(outward), capacity)) | known) << 4 * BITS

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
        channel, overflow = pushed(outward, step.sent, tables.engine.model.network)
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
            parts.append(self._tables.channels[inward] << self._in_shift)
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
