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
    peer_is_done,
)
from tcpclose_model.protocol.vocabulary import TCB, Segment
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


class Part(NamedTuple):
    """A step as a look-up gives it: its move, and the packed parts that it determines."""

    move: int
    parts: int


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

    def steps(self, key: int) -> list[tuple[int, int]]:
        """Return the steps from a packed state as (move, next packed state), in canonical order."""
        found: list[tuple[int, int]] = []
        self.actors[0].steps(key, found)
        self.actors[1].steps(key, found)
        return found


class Actor:
    """The tables of one end and of the channel towards it."""

    def __init__(self, tables: Tables, actor: int) -> None:
        self._tables = tables
        self._actor = actor
        self._own_shift = B_SHIFT if actor else A_SHIFT
        self._peer_shift = A_SHIFT if actor else B_SHIFT
        self._in_shift = AB_SHIFT if actor else BA_SHIFT
        self._out_shift = BA_SHIFT if actor else AB_SHIFT
        self._local: dict[tuple[int, int, int, bool], list[Part]] = {}
        self._arrival: dict[tuple[int, Segment, int], Part] = {}
        self._network: dict[tuple[int, int], list[Part]] = {}
        self._heads: dict[int, list[tuple[Segment, int]]] = {}
        self._done: dict[int, bool] = {}
        model = tables.engine.model
        self._counts_in_flight = not model.network.loss or (
            model.timers.retransmission == "timely" or model.timers.time_wait == "drained"
        )
        self._watches_peer = model.timers.time_wait == "ideal"

    def steps(self, key: int, found: list[tuple[int, int]]) -> None:
        """Add this actor's steps from a packed state to `found`, in canonical order."""
        own = key >> self._own_shift & MASK
        inward = key >> self._in_shift & MASK
        outward = key >> self._out_shift & MASK
        peer = key & MASK << self._peer_shift
        in_part = inward << self._in_shift
        others = len(self._tables.channels.things[inward]) if self._counts_in_flight else 0
        done = self._watches_peer and self._peer_done(key)
        local = self._local.get((own, outward, others, done))
        if local is None:
            local = self._local[own, outward, others, done] = self._find_local(key)
        rest = peer | in_part
        found += [(move, parts | rest) for move, parts in local]
        if not inward:
            return
        for segment, remaining in self._heads.get(inward) or self._find_heads(inward):
            part = self._arrival.get((own, segment, outward))
            if part is None:
                part = self._arrival[own, segment, outward] = self._find_arrival(key, segment)
            found.append((part.move, part.parts | peer | remaining))
        others = len(self._tables.channels.things[outward]) if self._counts_in_flight else 0
        network = self._network.get((inward, others))
        if network is None:
            network = self._network[inward, others] = self._find_network(key)
        rest = key ^ in_part
        found += [(move, parts | rest) for move, parts in network]

    def _peer_done(self, key: int) -> bool:
        peer = key >> self._peer_shift & MASK
        known = self._done.get(peer)
        if known is None:
            known = self._done[peer] = peer_is_done(self._tables.tcbs.things[peer])
        return known

    def _find_local(self, key: int) -> list[Part]:
        state = self._tables.unpack(key)
        return self._end_parts(state, self._tables.engine.local_steps(self._actor, state))

    def _find_arrival(self, key: int, segment: Segment) -> Part:
        """Return what the arrival of one segment does; the inward channel is empty then."""
        state = self._tables.unpack(key)
        alone = (
            state._replace(a_to_b=(segment,)) if self._actor else state._replace(b_to_a=(segment,))
        )
        (part,) = self._end_parts(alone, self._tables.engine.arrivals(self._actor, alone))
        return part

    def _find_network(self, key: int) -> list[Part]:
        state = self._tables.unpack(key)
        parts = []
        for step in self._tables.engine.network_steps(self._actor, state):
            inward = step.target.a_to_b if self._actor else step.target.b_to_a
            move = self._tables.moves[Move.of(step, -1, -1)]
            parts.append(Part(move, self._tables.channels[inward] << self._in_shift))
        return parts

    def _find_heads(self, inward: int) -> list[tuple[Segment, int]]:
        """Return the segments that may arrive next, and what then remains, packed."""
        channels = self._tables.channels
        found = [
            (segment, channels[rest] << self._in_shift)
            for segment, rest in self._tables.engine.next_arrivals(channels.things[inward])
        ]
        self._heads[inward] = found
        return found

    def _end_parts(self, state: ProductState, steps: Iterable[Transition]) -> list[Part]:
        """Return steps from `state` that change this end and its outward channel."""
        tables = self._tables
        before = tables.tcbs[state.b if self._actor else state.a]
        parts = []
        for step in steps:
            target = step.target
            after = target.b if self._actor else target.a
            outward = target.b_to_a if self._actor else target.a_to_b
            number = tables.tcbs[after]
            move = tables.moves[Move.of(step, before, number)]
            packed = number << self._own_shift | tables.channels[outward] << self._out_shift
            parts.append(Part(move, packed))
        return parts
