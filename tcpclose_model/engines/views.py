"""Which segments may be in flight at which pair of TCBs, at any capacity: an over-approximation.

A view is a pair of TCBs with at most one segment on its way in each direction.  Where segments may
be lost anywhere, a state's views are reachable states themselves; taking any state whose views are
all known for reachable gives more than is reached, never less, and is finite.  Steps are taken in
that sense until no view is new (forward view abstraction with k = 1: Ganty, Raskin and Van Begin
2006; Abdulla, Haziza and Holik 2013, "All for the Price of Few").  The order of segments is lost
in views, so they are the same for every discipline, but that a set holds no segment twice.

The views of a pair are kept as rows of bits: bit x of row y says that segment x (0: none) may be on
its way to B while segment y is on its way to A.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set

from tcpclose_model.engines.guards import Guard
from tcpclose_model.engines.unbounded import NOTHING, Ban, Pair, Step, Unbounded, after
from tcpclose_model.limits import Limits

Rows = dict[int, int]
Exit = tuple[Pair, int, int]
"""A pair of TCBs, an end, and a segment whose arrival there leads out of the pairs looked at."""

LOOK_EVERY = 256


class Views:
    """The views that steps lead to, from the initial state, through the pairs in `inside`.

    inside: the pairs that steps are taken from; None is all.  exits: the arrivals that lead
    elsewhere, or at which the rows fail.  ban: steps that are left out.
    stopped: which limit was hit, or "".
    """

    def __init__(
        self,
        system: Unbounded,
        inside: Set[Pair] | None,
        limits: Limits,
        ban: Ban | None = None,
    ) -> None:
        self._system = system
        self._inside = inside
        self._ban = ban
        self._is_set = system.model.network.order == "set" and not system.model.network.duplication
        self.rows: dict[Pair, Rows] = {}
        self.exits: dict[Exit, None] = {}
        self.stopped = ""
        self._queue: deque[Pair] = deque()
        self._queued: set[Pair] = set()
        self._add(system.start, NOTHING, 1)
        self._close(limits)

    def __len__(self) -> int:
        return sum(mask.bit_count() for rows in self.rows.values() for mask in rows.values())

    def may_be(self, pair: Pair, to_b: int, to_a: tuple[int, ...]) -> bool:
        """Return whether a state is made of known views.

        to_b: the segments on their way to B as bits, to_a: those on their way to A.
        """
        rows = self.rows.get(pair)
        if rows is None:
            return False
        to_b |= 1
        return not to_b & ~rows[NOTHING] and not any(to_b & ~rows.get(seg, 0) for seg in to_a)

    def arrivals(self, pair: Pair) -> Iterator[tuple[int, int]]:
        """Return the arrivals that views allow at a pair: the end, the segment."""
        rows = self.rows[pair]
        yield from ((1, segment) for segment in bits(rows[NOTHING]))
        yield from ((0, segment) for segment in sorted(rows) if segment)

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
            pair = self._queue.popleft()
            self._queued.discard(pair)
            rows = dict(self.rows[pair])
            for end in (0, 1):
                for step in self._system.local(end, pair[end]):
                    if self._system.lets(pair, end, step):
                        self._take(pair, end, step, _where(rows, end, step.needs))
            for step, arriving in self._arriving(pair, 1, sorted(bits(rows[NOTHING]))):
                self._take(pair, 1, step, self._rest_to_b(rows, arriving))
            for step, arriving in self._arriving(pair, 0, sorted(y for y in rows if y)):
                self._take(pair, 0, step, self._rest_to_a(rows, arriving))

    def _arriving(self, pair: Pair, end: int, segments: list[int]) -> list[tuple[Step, list[int]]]:
        """Return the different arrivals at an end, each with the segments that make it.

        An arrival that changes nothing is left out.
        """
        alike: dict[tuple[int, int], tuple[Step, list[int]]] = {}
        own = pair[end]
        for segment in segments:
            step = self._system.arrival(end, own, segment)
            if step is None or (
                self._inside is not None and after(pair, end, step) not in self._inside
            ):
                if step is None or self._ban is None or not self._ban(pair, end, step):
                    self.exits[pair, end, segment] = None
            elif (step.after != own or step.sent) and not (
                self._ban is not None and self._ban(pair, end, step)
            ):
                alike.setdefault((step.after, step.sent), (step, []))[1].append(segment)
        return list(alike.values())

    def _rest_to_b(self, rows: Rows, arriving: list[int]) -> Rows:
        """Return what may remain when one of the segments has arrived at B."""
        wanted = sum(1 << segment for segment in arriving)
        rest = {}
        for y, mask in rows.items():
            found = mask & wanted
            if found:
                alone = self._is_set and found.bit_count() == 1
                rest[y] = mask & ~found if alone else mask
        return rest

    def _rest_to_a(self, rows: Rows, arriving: list[int]) -> Rows:
        """Return what may remain when one of the segments has arrived at A."""
        joint = 0
        for segment in arriving:
            joint |= rows[segment]
        rest = {}
        for y, mask in rows.items():
            with_y = joint
            if self._is_set and y in arriving:
                with_y = 0
                for segment in arriving:
                    with_y |= rows[segment] if segment != y else 0
            if with_y & mask:
                rest[y] = with_y & mask
        return rest

    def _take(self, pair: Pair, end: int, step: Step, rows: Rows) -> None:
        """Add what a step leads to from views, given as what the arriving segment leaves."""
        if step.segment == NOTHING and self._ban is not None and self._ban(pair, end, step):
            return
        target = after(pair, end, step)
        if end == 0:
            sent = 1 << step.sent if step.sent else 0
            for y, mask in rows.items():
                self._add(target, y, mask | sent)
            return
        union = 0
        for y, mask in rows.items():
            self._add(target, y, mask)
            union |= mask
        if step.sent:
            self._add(target, step.sent, union)

    def _add(self, pair: Pair, y: int, mask: int) -> None:
        rows = self.rows.get(pair)
        if rows is None:
            rows = self.rows[pair] = {NOTHING: 0}
        known = rows.get(y, 0)
        if mask & ~known:
            rows[y] = known | mask
            if pair not in self._queued:
                self._queued.add(pair)
                self._queue.append(pair)


def bits(mask: int) -> Iterator[int]:
    """Return the segments that bits stand for, no segment left out."""
    mask &= ~1
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _where(rows: Rows, end: int, needs: Guard) -> Rows:
    """Return the views in which channels are as empty as a step of `end` needs them."""
    inward, outward = needs & Guard.NOTHING_INBOUND, needs & Guard.NOTHING_OUTBOUND
    to_a_empty, to_b_empty = (outward, inward) if end else (inward, outward)
    if to_a_empty:
        rows = {NOTHING: rows[NOTHING]}
    if to_b_empty:
        rows = {y: mask & 1 for y, mask in rows.items() if mask & 1}
    return rows
