"""What may be in flight at which pair of TCBs, at any capacity: an over-approximation.

A view is a pair of TCBs with at most two segments on their way, to either end.  Where any segment
may be lost, the views of a reached state are reached themselves.  Here every state whose views are
all known is taken for reached, which is more than is reached, never less, and steps are taken from
there until no view is new (forward view abstraction with k = 2: Ganty, Raskin and Van Begin 2006;
Abdulla, Haziza and Holik 2013, "All for the Price of Few").  Views of three segments are enough to
take a step from: one that arrives, and two that remain.

The views of a pair are kept as bits.  Bit x of `across[y]` says that segment x (0: none) may be on
its way to B while y (0: none) is on its way to A; bit x of `to_b[w]` that x may be behind w on the
way to B (or, where there is no order, beside it), and so for `to_a`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from heapq import heappop, heappush
from typing import NamedTuple

from tcpclose_model.engines.guards import Guard
from tcpclose_model.engines.unbounded import NOTHING, Ban, Pair, Step, Unbounded, after
from tcpclose_model.errors import DefectError
from tcpclose_model.limits import Limits

Rows = dict[int, int]
"""Of some segments, others as bits."""

Exit = tuple[Pair, int, int]
"""A pair of TCBs, an end, and a segment whose arrival there leads out of the pairs looked at."""

LOOK_EVERY = 256


class Known(NamedTuple):
    """The views of one pair."""

    across: Rows
    to_b: Rows
    to_a: Rows


class Views:
    """The views that steps lead to, from the initial state, through the pairs in `inside`.

    inside: the pairs that steps are taken from; None is all.  exits: the arrivals that lead
    elsewhere, or at which the rows fail.  ban: steps that are left out.
    stopped: which limit was hit, or "".
    """

    def __init__(
        self, system: Unbounded, inside: Set[Pair] | None, limits: Limits, ban: Ban | None = None
    ) -> None:
        self._system = system
        self._inside = inside
        self._ban = ban
        self._is_fifo = system.model.network.order == "fifo"
        self._is_set = system.model.network.order == "set"
        self._copies = system.model.network.duplication
        self.known: dict[Pair, Known] = {}
        self.exits: dict[Exit, None] = {}
        self.stopped = ""
        self._found: dict[Pair, int] = {}
        self._pairs: list[Pair] = []
        self._queue: list[int] = []
        self._queued: set[int] = set()
        self._add(system.start, Known({NOTHING: 1}, {}, {}))
        self._close(limits)

    def __len__(self) -> int:
        return sum(
            mask.bit_count()
            for known in self.known.values()
            for rows in known
            for mask in rows.values()
        )

    def may_be(self, pair: Pair, to_b: tuple[int, ...], to_a: tuple[int, ...]) -> bool:
        """Return whether a state with these segments in flight is made of known views."""
        known = self.known.get(pair)
        if known is None:
            return False
        mask = 1
        for place, segment in enumerate(to_b):
            mask |= 1 << segment
            if any(not known.to_b.get(segment, 0) >> other & 1 for other in to_b[place + 1 :]):
                return False
        for place, segment in enumerate(to_a):
            if mask & ~known.across.get(segment, 0):
                return False
            if any(not known.to_a.get(segment, 0) >> other & 1 for other in to_a[place + 1 :]):
                return False
        return not mask & ~known.across[NOTHING]

    def arrivals(self, pair: Pair) -> Iterator[tuple[int, int]]:
        """Return the arrivals that views allow at a pair: the end, the segment."""
        return _arrivals(self.known[pair])

    def _close(self, limits: Limits) -> None:
        looked = 0
        while self._queue:
            looked += 1
            if looked % LOOK_EVERY == 0:
                self.stopped = limits.hit(0) or (
                    limits.out_of_memory() if limits.room() < 0 else ""
                )
                if self.stopped:
                    return
            number = heappop(self._queue)  # what was found early leads to what was found late
            self._queued.discard(number)
            pair = self._pairs[number]
            known = Known(*(dict(rows) for rows in self.known[pair]))
            for end in (0, 1):
                for step in self._system.local(end, pair[end]):
                    if self._system.lets(pair, end, step) and not self._banned(pair, end, step):
                        self._check(after(pair, end, step))
                        self._take(pair, end, step, _where(known, end, step.needs))
            for end, segment in _arrivals(known):
                step_in = self._inward(pair, end, segment)
                if step_in is not None:
                    rest = _after_b(known, segment) if end else _after_a(known, segment)
                    self._take(pair, end, step_in, rest)

    def _inward(self, pair: Pair, end: int, segment: int) -> Step | None:
        """Return what an arrival does, if it stays within the pairs and changes anything."""
        step = self._system.arrival(end, pair[end], segment)
        if step is not None and self._banned(pair, end, step):
            return None
        if step is None or (
            self._inside is not None and after(pair, end, step) not in self._inside
        ):
            self.exits[pair, end, segment] = None
            return None
        return step if step.after != pair[end] or step.sent else None

    def _check(self, reached: Pair) -> None:
        """Raise DefectError if a call or a timeout leads out of the pairs looked at.

        It may happen when nothing is in flight, at any capacity.
        """
        if self._inside is not None and reached not in self._inside:
            raise DefectError("a step that needs no channel leads to a pair that was not reached")

    def _banned(self, pair: Pair, end: int, step: Step) -> bool:
        return self._ban is not None and self._ban(pair, end, step)

    def _take(self, pair: Pair, end: int, step: Step, rest: Known) -> None:
        """Add what a step leads to, given what is in flight once its segment has arrived."""
        self._add(after(pair, end, step), self._with_sent(rest, end, step.sent))

    def _with_sent(self, known: Known, end: int, sent: int) -> Known:
        """Return the views in which a segment may have been sent, too."""
        if not sent:
            return known
        across, to_b, to_a = known
        bit = 1 << sent
        if end:
            across = dict(across)
            across[sent] = across.get(sent, 0) | _union(across)
            return Known(across, to_b, self._behind(to_a, sent, sorted(known.across)))
        across = {y: mask | bit for y, mask in across.items()}
        return Known(across, self._behind(to_b, sent, bits(known.across[NOTHING])), to_a)

    def _behind(self, rows: Rows, sent: int, others: Iterator[int] | list[int]) -> Rows:
        """Return which segments may be behind which, one way, once one is sent."""
        rows = dict(rows)
        bit, beside = 1 << sent, 1 << sent if self._copies else 0
        for other in others:
            if other and not (self._is_set and other == sent):
                rows[other] = rows.get(other, 0) | bit
                if not self._is_fifo:
                    beside |= 1 << other
        if beside:
            rows[sent] = rows.get(sent, 0) | beside
        return rows

    def _add(self, pair: Pair, views: Known) -> None:
        known = self.known.get(pair)
        if known is None:
            known = self.known[pair] = Known({NOTHING: 0}, {}, {})
            self._found[pair] = len(self._pairs)
            self._pairs.append(pair)
        is_new = False
        for rows, more in zip(known, views, strict=True):
            for segment, mask in more.items():
                has = rows.get(segment, 0)
                if mask & ~has:
                    rows[segment] = has | mask
                    is_new = True
        number = self._found[pair]
        if is_new and number not in self._queued:
            self._queued.add(number)
            heappush(self._queue, number)


def bits(mask: int) -> Iterator[int]:
    """Return the segments that bits stand for, no segment left out."""
    mask &= ~1
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _arrivals(known: Known) -> Iterator[tuple[int, int]]:
    yield from ((1, segment) for segment in bits(known.across[NOTHING]))
    yield from ((0, segment) for segment in sorted(known.across) if segment)


def _union(rows: Rows) -> int:
    union = 0
    for mask in rows.values():
        union |= mask
    return union


def _after_b(known: Known, segment: int) -> Known:
    """Return what remains when a segment has arrived at B: what was behind it, and beside that."""
    across, to_b, to_a = known
    behind = to_b.get(segment, 0)
    with_it = {y: (mask & behind) | 1 for y, mask in across.items() if mask >> segment & 1}
    beside = 0
    for y in with_it:
        beside |= 1 << y
    return Known(
        with_it,
        {x: mask & behind for x, mask in to_b.items() if behind >> x & 1},
        {y: mask & beside for y, mask in to_a.items() if beside >> y & 1},
    )


def _after_a(known: Known, segment: int) -> Known:
    """Return what remains when a segment has arrived at A."""
    across, to_b, to_a = known
    behind = to_a.get(segment, 0)
    beside = across[segment]
    return Known(
        {y: mask & beside for y, mask in across.items() if not y or behind >> y & 1},
        {x: mask & beside for x, mask in to_b.items() if beside >> x & 1},
        {y: mask & behind for y, mask in to_a.items() if behind >> y & 1},
    )


def _where(known: Known, end: int, needs: Guard) -> Known:
    """Return the views in which channels are as empty as a step of `end` needs them."""
    inward, outward = needs & Guard.NOTHING_INBOUND, needs & Guard.NOTHING_OUTBOUND
    to_a_empty, to_b_empty = (outward, inward) if end else (inward, outward)
    across, to_b, to_a = known
    if to_a_empty:
        across, to_a = {NOTHING: across[NOTHING]}, {}
    if to_b_empty:
        across, to_b = {y: mask & 1 for y, mask in across.items() if mask & 1}, {}
    return Known(across, to_b, to_a)
