"""What both ends of a captured connection may be between two packets of its close."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, TypeVar

from reports.observer import (
    LOW,
    Hypothesis,
    Seen,
    Tables,
    established,
    explained,
    possible,
)
from reports.pool import with_seen
from reports.queued import Queued
from tcpclose_model.protocol.vocabulary import State

REPEATS_MAX = 32
SITUATIONS_MAX = 5_000
T = TypeVar("T")
States = tuple[tuple[State, ...], tuple[State, ...]]
"""The possible states of A and of B."""


class Start(NamedTuple):
    """What the established phase leaves, for each end.

    acknowledged: the last number acknowledged by it.  acks: its last ACK without text, if it was
    captured: that may be captured again.  shut: its window was zero.  lost: it has sent its last
    text again.  Numbers are relative to the first one that each end has not sent yet.
    """

    acknowledged: tuple[int, int]
    acks: tuple[Seen | None, Seen | None] = (None, None)
    shut: tuple[bool, bool] = (False, False)
    lost: tuple[bool, bool] = (False, False)


class Earlier(NamedTuple):
    """A segment that was seen, and what its sender could be, and have received, just before.

    loose: it was explained only by segments that were not seen, or as one that was overtaken.
    """

    held: frozenset[Hypothesis]
    pool: tuple[Seen, ...]
    seg: Seen
    loose: bool


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """What both ends may be, by their number.

    begun: how the close began.
    held: what the end may be; pools: what may arrive at it; before: its latest segments.
    acked: the last number it has acknowledged; fins: that behind its FIN, once it is known.
    queued: what it may still have to send.
    capped: what led here was more than is followed.
    """

    begun: Start
    held: tuple[frozenset[Hypothesis], frozenset[Hypothesis]]
    pools: tuple[tuple[Seen, ...], tuple[Seen, ...]]
    before: tuple[tuple[Earlier, ...], tuple[Earlier, ...]]
    acked: tuple[int, int]
    fins: tuple[int | None, int | None]
    queued: Queued
    capped: bool

    def may_be(self, end: int, held: frozenset[Hypothesis]) -> Situation:
        """Return the same but for what one end may be."""
        return replace(self, held=_with(self.held, end, held))

    def under_way(self, sender: int, seg: Seen) -> Situation:
        """Return the same but that a segment may arrive at the other end from now on."""
        other = 1 - sender
        live = [one.tcb.rcv_nxt for one in self.held[other] if one.tcb.state != State.CLOSED]
        needed = min(live, default=LOW)
        pool, lost = with_seen(self.pools[other], seg, needed)
        return replace(self, pools=_with(self.pools, other, pool), capped=self.capped or lost)

    def closed_at(self, end: int, fin: int) -> Situation:
        """Return the same with the number behind an end's FIN: one that was supposed gives way."""
        known = self.fins[end]
        return replace(self, fins=_with(self.fins, end, fin if known is None else max(known, fin)))

    def after(
        self, sender: int, seg: Seen, held: frozenset[Hypothesis], *, loose: bool, shut: bool
    ) -> Situation:
        """Return what has become of it when a segment was seen that leaves its sender so."""
        earlier = Earlier(self.held[sender], self.pools[sender], seg, loose)
        before = (*self.before[sender], earlier)[-REPEATS_MAX:]
        now = replace(
            self,
            held=_with(self.held, sender, held),
            before=_with(self.before, sender, before),
            queued=self.queued.after(sender, seg, shut=shut),
        ).under_way(sender, seg)
        if seg.rst:
            return now
        now = replace(now, acked=_with(now.acked, sender, max(now.acked[sender], seg.ack)))
        return now.closed_at(sender, seg.end) if seg.fin else now


def _with(pair: tuple[T, T], end: int, value: T) -> tuple[T, T]:
    return (value, pair[1]) if end == 0 else (pair[0], value)


class Pair:
    """The tables that A and B follow."""

    def __init__(self, a: Tables, b: Tables) -> None:
        self.tables = (a, b)

    def begin(self, start: Start) -> Situation:
        """Return the situation in which a close begins."""
        return _begun(self, start)

    def after(self, now: Situation, sender: int, seg: Seen, *, shut: bool) -> Situation | None:
        """Return what has become of it if what was seen explains a segment, else None.

        shut: the window that it offers is zero.
        """
        after, cut = _after(self, now, sender, seg, shut)
        if after is None:  # what is tried instead may be cut as well
            self.expect_no_cut()
            self.tables[sender].cut = cut
        return after

    def sent(self, now: Situation, sender: int, seg: Seen) -> frozenset[Hypothesis]:
        """Return what the sender may be after the segment, which may be a second sight of one."""
        held = now.held[sender]
        after = explained(self.tables[sender], held, now.pools[sender], seg)
        if seg == now.begun.acks[sender] or any(seg == one.seg for one in now.before[sender]):
            after |= held
        return after

    def possible(self, now: Situation, *, later: bool = False) -> States:
        """Return the states that A and B may be in; `later`, also after their timers."""
        was_cut = self.was_cut()  # which the search, if it is made, begins by forgetting
        states, cut = _possible(self, now, later)
        self.tables[0].cut = was_cut or cut
        return states

    def expect_no_cut(self) -> None:
        """Forget that a search was cut."""
        for tables in self.tables:
            tables.cut = False

    def was_cut(self) -> bool:
        """Return whether a search was cut since `expect_no_cut`."""
        return any(tables.cut for tables in self.tables)


@lru_cache(maxsize=SITUATIONS_MAX)
def _begun(pair: Pair, start: Start) -> Situation:
    held, pools = [], []
    for end, received in enumerate(start.acknowledged):
        held.append(established(pair.tables[end], LOW, received))
        ack = start.acknowledged[1 - end]
        # What is still under way to it may have been sent before its peer knew of `ack`.
        texts = [Seen(received, known, text=-received) for known in (LOW, ack)]
        pools.append((*(texts if received < 0 else ()), Seen(0, ack)))
    ends = (held[0], held[1]), (pools[0], pools[1])
    queued = Queued(list(start.acknowledged), list(start.shut), list(start.lost))
    return Situation(start, *ends, ((), ()), start.acknowledged, (None, None), queued, False)


@lru_cache(maxsize=SITUATIONS_MAX)
def _after(
    pair: Pair, now: Situation, sender: int, seg: Seen, shut: bool
) -> tuple[Situation | None, bool]:
    """Return what has become of a situation, and whether the search was cut."""
    pair.expect_no_cut()
    held = pair.sent(now, sender, seg)
    cut = pair.was_cut()
    after = now.after(sender, seg, held, loose=False, shut=shut) if held else None
    if after is not None and cut:
        after = replace(after, capped=True)
    return after, cut


@lru_cache(maxsize=SITUATIONS_MAX)
def _possible(pair: Pair, now: Situation, later: bool) -> tuple[States, bool]:
    """Return the states that A and B may be in, and whether the search was cut."""
    pair.expect_no_cut()
    found = []
    for end, tables in enumerate(pair.tables):
        states = possible(tables, now.held[end], now.pools[end], later=later)
        found.append(now.queued.widened(end, states))
    return (found[0], found[1]), pair.was_cut()
