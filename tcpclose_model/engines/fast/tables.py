"""Both ends of a model as tables of numbers, filled by the plain engine as the kernel asks.

An entry is one step of one end apart from what it meets in the channels: an event or an arriving
segment in a TCB, with the TCB after it, the segment sent, and what it needs of the rest.  Which
entries there are is found while exploring: the kernel reports one that is missing, `fill` works
it out, the kernel tries the state again.  So exactly the rows that a run reaches are carried out,
as in the plain engine, and a mistake in one is raised where it is met.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from tcpclose_model.engines.fast.layout import (
    BAG,
    ENTRY_BITS,
    FIFO,
    NO_NAME_LEFT,
    PLACES,
    SEGMENT_BITS,
    SET,
    TCB_BITS,
    UNROLLED,
    Array,
    Machine,
    Shape,
)
from tcpclose_model.engines.fast.packing import KEY_BITS_MAX, Packing, channel_of
from tcpclose_model.engines.guards import Guard, conditions, guard, of_peer
from tcpclose_model.engines.plain import Action, Channel, PlainEngine, ProductState
from tcpclose_model.model import Model, is_symmetric
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.space import Move

UNKNOWN = -1
"""Stands in a table where the plain engine has not been asked yet."""

AMPLE_BITS = 48
"""Bits of a key up to which it has room for several times as many TCBs as are known."""

NAME_BITS_MAX = 22
"""Bits of a channel's number: four million different contents, in 160 MiB."""

ORDERS = {"fifo": FIFO, "any": BAG, "set": SET}


class TooWideError(Exception):
    """A table or a key has outgrown its bits."""


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
        self._row = 0 if tables.symmetric else actor  # of the tables' arrays
        self._plain = tables.engine.ends[actor]
        self.numbers: dict[TCB, int] = {}
        self.tcbs: list[TCB] = []
        self.number(self._plain.initial)

    def number(self, tcb: TCB) -> int:
        """Return the number of a TCB; a new one gets the next."""
        known = self.numbers.get(tcb)
        if known is None:
            known = self.numbers[tcb] = len(self.tcbs)
            if known >> TCB_BITS:
                raise TooWideError(f"more than {1 << TCB_BITS:,} TCBs at one end")
            self.tcbs.append(tcb)
            tables = self._tables
            if known == tables.of_peer.shape[1]:
                tables.add_rows()
            tables.of_peer[self._row, known] = tables.guard_index(of_peer(tcb))
        return known

    def fill_local(self, own: int) -> None:
        """Work out the calls, the output and the timeouts of a TCB."""
        tables = self._tables
        if tables.enabled[self._row, own, 0] != UNKNOWN:
            return
        words: list[tuple[int, int]] = []
        for event, outcome in self._plain.local(self.tcbs[own]):
            needs = guard(tables.engine.model, event, sends=outcome.sent is not None)
            entry = Entry(event, None, outcome.rules, outcome.sent, own, self.number(outcome.tcb))
            words.append((tables.guard_index(needs), tables.word(entry)))
        asked = 0
        for index, _ in words:
            asked |= index
        all_so = range(1 << len(tables.guards))
        places = {
            so: tables.pooled([word for index, word in words if not index & ~so])
            for so in {so & asked for so in all_so}
        }
        tables.enabled[self._row, own] = [places[so & asked] for so in all_so]

    def fill_arrival(self, own: int, segment: int) -> None:
        """Work out what the arrival of a segment does to a TCB."""
        tables = self._tables
        if tables.arrivals[self._row, own, segment] != UNKNOWN:
            return
        arriving = tables.segments[segment]
        outcome = self._plain.arrival(self.tcbs[own], arriving)
        after = self.number(outcome.tcb)
        entry = Entry(Event.SEGMENT_ARRIVES, arriving, outcome.rules, outcome.sent, own, after)
        tables.arrivals[self._row, own, segment] = tables.word(entry)


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
        self.guards = guards_of(model)
        self._room = self._rooms(model.network.capacity)
        ends = 1 if self.symmetric else 2
        self.enabled = np.full((ends, 64, 1 << len(self.guards)), UNKNOWN, np.int32)
        self.of_peer = np.zeros((ends, 64), np.int64)
        self.arrivals = np.full((ends, 64, 32), UNKNOWN, np.int64)
        self.arrivals[:, :, 0] = 0  # no segment is no arrival
        a = End(self, 0)
        self.ends = (a, a if self.symmetric else End(self, 1))

    @property
    def tcbs(self) -> tuple[list[TCB], list[TCB]]:
        """What the numbers of A's TCBs and of B's stand for."""
        return self.ends[0].tcbs, self.ends[1].tcbs

    def guard_index(self, so: Guard) -> int:
        """Return guards as bits: one for each that the model asks for, others left out."""
        return sum(1 << bit for bit, guard in enumerate(self.guards) if guard & so)

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
            if known == self.arrivals.shape[2]:
                self.arrivals = _grown(self.arrivals, 2, UNKNOWN)
        return known

    def add_rows(self) -> None:
        """Make room for more TCBs."""
        self.enabled = _grown(self.enabled, 1, UNKNOWN)
        self.of_peer = _grown(self.of_peer, 1, 0)
        self.arrivals = _grown(self.arrivals, 1, UNKNOWN)
        self.arrivals[:, :, 0] = 0

    def word(self, entry: Entry) -> int:
        """Return a new entry as a word."""
        number = len(self.entries)
        if number >> ENTRY_BITS:
            raise TooWideError(f"more than {1 << ENTRY_BITS:,} steps of the ends")
        self.entries.append(entry)
        sent = self.segment(entry.sent)
        return (number << 2 << SEGMENT_BITS | sent) << TCB_BITS | entry.after

    def pooled(self, words: list[int]) -> int:
        """Put words into the pool; return where they stand and how many, as first << 8 | count."""
        first = self._pooled
        if first >> 23:
            raise TooWideError(f"more than {1 << 23:,} local steps of the ends")
        while first + len(words) + UNROLLED > len(self._pool):
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
        capacity = self.engine.model.network.capacity
        slot, a, b = ((count + count // 8).bit_length() for count in known)
        packing = Packing(capacity, slot, a, b)
        for more in (2, 1):  # so the search begins again less often
            a, b = (count.bit_length() + more for count in known[1:])
            ample = packing._replace(a_bits=a, b_bits=b)
            if ample.bits <= AMPLE_BITS:
                return ample
        if not packing.fits and packing.content_bits <= KEY_BITS_MAX:  # so channels get numbers
            name = (KEY_BITS_MAX - packing.a_bits - packing.b_bits) // 2
            packing = packing._replace(name_bits=max(min(name, NAME_BITS_MAX), 1))
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

    def machine(self, packing: Packing, *, ordered: bool, coded: bool = True) -> Machine:
        """Return what the kernel runs on.

        ordered: whether it keeps the canonical order of steps; coded: whether it writes the codes
        of the network's steps (it may write those of the others all the same).
        """
        network = self.engine.model.network
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
            self.arrivals.shape[2].bit_length() - 1,
            len(self.guards),
            0 if self.symmetric else self.of_peer.shape[1],
            ORDERS[network.order],
            int(network.loss),
            int(network.duplication),
            int(ordered),
            int(coded),
        )
        enabled, peer, arrivals = (
            array.reshape(-1) for array in (self.enabled, self.of_peer, self.arrivals)
        )
        return Machine(
            enabled, peer, self._room, arrivals, self._pool, rank, self._names_of(packing), shape
        )

    def _rooms(self, capacity: int) -> Array:
        """Return what is so of the channels, at segments inbound * PLACES + outbound."""
        found = np.zeros(PLACES * PLACES, np.int64)
        for inbound, outbound in product(range(min(capacity + 1, PLACES)), repeat=2):
            so = conditions(inbound, outbound, capacity)
            found[inbound * PLACES + outbound] = self.guard_index(so)
        return found

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


def guards_of(model: Model) -> tuple[Guard, ...]:
    """Return what the steps of a model may ask for."""
    asked = Guard(0)
    for event in Event:
        asked |= guard(model, event, sends=True) | guard(model, event, sends=False)
    return tuple(one for one in Guard if one & asked)


def _grown(array: Array, axis: int, value: int) -> Array:
    """Return the array with an axis doubled."""
    return np.concatenate([array, np.full_like(array, value)], axis=axis)
