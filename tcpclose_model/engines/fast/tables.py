"""Both ends of a model as tables of numbers, filled by the plain engine as the kernel asks.

An entry is one step of one end apart from what it meets in the channels: an event or an arriving
segment in a TCB, with the TCB after it, the segment sent, and what it needs of the rest.  Which
entries there are is found while exploring: the kernel reports one that is missing, `fill` works
it out, the kernel tries the state again.  So exactly the rows that a run reaches are carried out,
as in the plain engine, and a mistake in one is raised where it is met.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tcpclose_model.engines.fast.packing import KEY_BITS_MAX, Packing, channel_of
from tcpclose_model.engines.guards import guard, of_peer
from tcpclose_model.engines.plain import Action, Channel, PlainEngine, ProductState
from tcpclose_model.model import Model, is_symmetric
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.space import Move

TCB_BITS, SEGMENT_BITS, GUARD_BITS, ENTRY_BITS = 20, 12, 6, 24
"""Fields of an entry's word, lowest first: TCB after, segment sent, guard, number of the entry."""

Array = np.ndarray[Any, np.dtype[Any]]

NO_NAME_LEFT = (1 << 62) - 1
"""What is missing where a channel's contents get no number."""

UNKNOWN = -1
"""Stands in a table where the plain engine has not been asked yet."""

NAME_BITS_MAX = 22
"""Bits of a channel's number: four million different contents, in 160 MiB."""

ORDERS = {"fifo": 0, "any": 1, "set": 2}


class TooWideError(Exception):
    """A table or a key has outgrown its bits."""


class Shape(NamedTuple):
    """The numbers that the kernel runs on besides the tables."""

    capacity: int
    slot_bits: int
    slot_inverse: int
    channel_bits: int
    named: int
    a_bits: int
    b_bits: int
    order: int
    loss: int
    duplication: int
    ordered: int


class Entry(NamedTuple):
    """One step of one end: what happens, the rows, what is sent, its TCB before and after."""

    event: Event
    segment: Segment | None
    rules: tuple[Rule, ...]
    sent: Segment | None
    before: int
    after: int


class End:
    """The tables of one end."""

    def __init__(self, tables: Tables, actor: int) -> None:
        self._tables = tables
        self._plain = tables.engine.ends[actor]
        self.numbers: dict[TCB, int] = {}
        self.tcbs: list[TCB] = []
        self.first = np.full(64, UNKNOWN, np.int64)
        self.of_peer = np.zeros(64, np.int64)
        self.arrivals = np.full((64, 32), UNKNOWN, np.int64)
        self.number(self._plain.initial)

    def number(self, tcb: TCB) -> int:
        """Return the number of a TCB; a new one gets the next."""
        known = self.numbers.get(tcb)
        if known is None:
            known = self.numbers[tcb] = len(self.tcbs)
            if known >> TCB_BITS:
                raise TooWideError(f"more than {1 << TCB_BITS:,} TCBs at one end")
            self.tcbs.append(tcb)
            if known == len(self.first):
                self.first = _grown(self.first, 0, UNKNOWN)
                self.of_peer = _grown(self.of_peer, 0, 0)
                self.arrivals = _grown(self.arrivals, 0, UNKNOWN)
            self.of_peer[known] = int(of_peer(tcb))
        return known

    def fill_local(self, own: int) -> None:
        """Work out the calls, the output and the timeouts of a TCB."""
        if self.first[own] != UNKNOWN:
            return
        tables = self._tables
        words = []
        for event, outcome in self._plain.local(self.tcbs[own]):
            needs = guard(tables.engine.model, event, sends=outcome.sent is not None)
            entry = Entry(event, None, outcome.rules, outcome.sent, own, self.number(outcome.tcb))
            words.append(tables.word(entry, int(needs)))
        self.first[own] = tables.pooled(words)

    def fill_arrival(self, own: int, segment: int) -> None:
        """Work out what the arrival of a segment does to a TCB."""
        if self.arrivals[own, segment] != UNKNOWN:
            return
        tables = self._tables
        arriving = tables.segments[segment]
        outcome = self._plain.arrival(self.tcbs[own], arriving)
        after = self.number(outcome.tcb)
        entry = Entry(Event.SEGMENT_ARRIVES, arriving, outcome.rules, outcome.sent, own, after)
        word = tables.word(entry, 0)
        self.arrivals[own, segment] = word


class Machine(NamedTuple):
    """What a kernel is given: the tables of both ends, and their shape.

    ends: six arrays, of A and of B in turn: of each TCB, where its local entries stand in `pool`
        and how many, as first << 8 | count; the bits of `plain.Guard` that it gives its peer; of
        each TCB and segment, the entry's word.
    rank: of each segment, its place in the canonical order.
    naming: four arrays that number packed channels, where keys hold numbers: the channels by
        number; a table of channels; the numbers of those in the table; how many there are.
    """

    ends: tuple[Array, ...]
    pool: Array
    rank: Array
    naming: tuple[Array, ...]
    shape: Shape


class Tables:
    """The tables of a model, and what their numbers stand for."""

    def __init__(self, model: Model) -> None:
        self.engine = PlainEngine(model)
        self.segments: list[Segment] = [Segment(-1)]  # number 0 is no segment
        self._numbers: dict[Segment, int] = {}
        self.entries: list[Entry] = []
        self._pool = np.zeros(64, np.int64)
        self._pooled = 0
        self._names: dict[Packing, tuple[Array, ...]] = {}
        self.symmetric = is_symmetric(model)
        a = End(self, 0)
        self.ends = (a, a if self.symmetric else End(self, 1))

    @property
    def tcbs(self) -> tuple[list[TCB], list[TCB]]:
        """What the numbers of A's TCBs and of B's stand for."""
        return self.ends[0].tcbs, self.ends[1].tcbs

    def segment(self, seg: Segment | None) -> int:
        """Return the number of a segment, 0 for none; a new one gets the next."""
        if seg is None:
            return 0
        known = self._numbers.get(seg)
        if known is None:
            known = self._numbers[seg] = len(self.segments)
            if known >> SEGMENT_BITS:
                raise TooWideError(f"more than {1 << SEGMENT_BITS:,} different segments")
            self.segments.append(seg)
            for end in set(self.ends):
                if known == end.arrivals.shape[1]:
                    end.arrivals = _grown(end.arrivals, 1, UNKNOWN)
        return known

    def word(self, entry: Entry, needs: int) -> int:
        """Return a new entry as a word."""
        number = len(self.entries)
        if number >> ENTRY_BITS:
            raise TooWideError(f"more than {1 << ENTRY_BITS:,} steps of the ends")
        self.entries.append(entry)
        sent = self.segment(entry.sent)
        return ((number << GUARD_BITS | needs) << SEGMENT_BITS | sent) << TCB_BITS | entry.after

    def pooled(self, words: list[int]) -> int:
        """Put words into the pool; return where they stand and how many they are."""
        first = self._pooled
        while first + len(words) > len(self._pool):
            self._pool = _grown(self._pool, 0, 0)
        self._pool[first : first + len(words)] = words
        self._pooled += len(words)
        return first << 8 | len(words)

    def fill(self, misses: set[int]) -> None:
        """Work out what a kernel has missed, in an order that does not depend on threads."""
        for miss in sorted(misses):
            if miss == NO_NAME_LEFT:
                raise TooWideError("the channels have more different contents than a key can name")
            actor, own, segment = miss >> 40, miss >> SEGMENT_BITS & (1 << 28) - 1, miss & 0xFFF
            end = self.ends[actor]
            if segment:
                end.fill_arrival(own, segment)
            else:
                end.fill_local(own)

    def packing(self) -> Packing:
        """Return a packing with room for what is known, and for a little more."""
        known = (len(self.segments), len(self.ends[0].tcbs), len(self.ends[1].tcbs))
        slot, a, b = ((count + count // 8).bit_length() for count in known)
        capacity = self.engine.model.network.capacity
        packing = Packing(capacity, slot, a, b)
        if not packing.fits and packing.content_bits <= KEY_BITS_MAX:  # so channels get numbers
            name = min((KEY_BITS_MAX - a - b) // 2, NAME_BITS_MAX)
            packing = Packing(capacity, slot, a, b, max(name, 1))
        if not packing.fits:
            raise TooWideError(
                f"a state takes {packing.bits} bits, and a channel {packing.content_bits}; a word "
                f"has room for {KEY_BITS_MAX}"
            )
        return packing

    def fits(self, packing: Packing) -> bool:
        """Return whether every number still fits its field of a key."""
        return (
            len(self.segments) <= 1 << packing.slot_bits
            and len(self.ends[0].tcbs) <= 1 << packing.a_bits
            and len(self.ends[1].tcbs) <= 1 << packing.b_bits
        )

    def machine(self, packing: Packing, *, ordered: bool) -> Machine:
        """Return what the kernel runs on; `ordered` makes it keep the canonical order of steps."""
        network = self.engine.model.network
        a, b = self.ends
        places = sorted(range(1, len(self.segments)), key=self.segments.__getitem__)
        rank = np.zeros(len(self.segments), np.int64)
        rank[places] = np.arange(1, len(self.segments))
        shape = Shape(
            network.capacity,
            packing.slot_bits,
            (1 << 16) // packing.slot_bits + 1,
            packing.channel_bits,
            int(packing.name_bits > 0),
            packing.a_bits,
            packing.b_bits,
            ORDERS[network.order],
            int(network.loss),
            int(network.duplication),
            int(ordered),
        )
        ends = (a.first, b.first, a.of_peer, b.of_peer, a.arrivals, b.arrivals)
        return Machine(ends, self._pool, rank, self._names_of(packing), shape)

    def _names_of(self, packing: Packing) -> tuple[Array, ...]:
        """Return the arrays that number the channels of a packing; the empty one is number 0."""
        if packing not in self._names:
            size = 1 << packing.name_bits
            self._names[packing] = (
                np.zeros(size, np.int64),
                np.zeros(2 * size, np.int64),
                np.zeros(2 * size, np.int64),
                np.ones(1, np.int64),
            )
        return self._names[packing]

    def key(self, packing: Packing, state: ProductState) -> int:
        """Return the key of a state whose parts are all known."""
        a, b = (end.numbers[tcb] for end, tcb in zip(self.ends, state[:2], strict=True))
        channels = []
        for channel in (state.a_to_b, state.b_to_a):
            numbers = [self._numbers[seg] for seg in channel]
            if self.engine.model.network.order != "fifo":
                numbers.sort()
            channels.append(sum(n << i * packing.slot_bits for i, n in enumerate(numbers)))
        if packing.name_bits:
            words = self._names_of(packing)[0]
            channels = [int(np.flatnonzero(words == word)[0]) if word else 0 for word in channels]
        return packing.pack(a, b, *channels)

    def channel(self, packing: Packing, stands: int) -> Channel:
        """Return what a channel holds, given what stands for it in a key."""
        word = int(self._names_of(packing)[0][stands]) if packing.name_bits else stands
        return channel_of(packing, word, self.segments, self.engine.model.network.order)

    def state(self, packing: Packing, key: int) -> ProductState:
        """Return the state of a key."""
        a, b, *channels = packing.unpack(key)
        a_to_b, b_to_a = (self.channel(packing, stands) for stands in channels)
        return ProductState(self.tcbs[0][a], self.tcbs[1][b], a_to_b, b_to_a)

    def move(self, code: int, offset: int) -> Move:
        """Return what a step's code stands for; B's TCBs are numbered from `offset` on."""
        if code < 0:
            return self._network_move(-1 - code)
        actor, overflow, entry = code & 1, bool(code >> 1 & 1), self.entries[code >> 2]
        shift = offset if actor else 0
        action = Action(actor, entry.event, entry.segment)
        head = entry.event is Event.SEGMENT_ARRIVES
        before, after = entry.before + shift, entry.after + shift
        return Move(action, entry.rules, entry.sent, overflow, head, before, after)

    def _network_move(self, code: int) -> Move:
        actor, duplicates, head = code & 1, code >> 1 & 1, bool(code >> 2 & 1)
        event = Event.SEGMENT_IS_DUPLICATED if duplicates else Event.SEGMENT_IS_LOST
        action = Action(actor, event, self.segments[code >> 3])
        return Move(action, (), None, False, head, -1, -1)


def _grown(array: Array, axis: int, value: int) -> Array:
    """Return the array with an axis doubled."""
    return np.concatenate([array, np.full_like(array, value)], axis=axis)
