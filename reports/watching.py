"""The closing phase of one captured connection: what each end may be, packet by packet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from reports.observer import (
    LOW,
    Hypothesis,
    Seen,
    Tables,
    established,
    explained,
    possible,
    sendable,
)
from reports.pool import with_seen
from reports.queued import Queued
from tcpclose_model.protocol.vocabulary import State

REMEMBERED_MAX = 256
"""Packets of a closing phase that are kept, to be judged again by other tables."""
REPEATS_MAX = 32
LATE_MAX = 3
"""By how many packets of its own sender a packet may be overtaken before it is captured."""


class Given(NamedTuple):
    """A packet of the closing phase: its number in the file, who sends it, the segment.

    bare: a reset without the ACK bit, as the answer to a segment is.  shut: its window is zero.
    """

    number: int
    sender: int
    seg: Seen
    bare: bool = False
    shut: bool = False


class Start(NamedTuple):
    """What the established phase leaves, for each end.

    acknowledged: the last number acknowledged by it.  acks: its last ACK without text, if it was
    captured: that may be captured again.  shut: its window was zero.  Numbers are relative to the
    first one that each end has not sent yet.
    """

    acknowledged: tuple[int, int]
    acks: tuple[Seen | None, Seen | None] = (None, None)
    shut: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True)
class Deviation:
    """The first packet that no run explains, and what could have been sent instead."""

    given: Given
    before: tuple[tuple[State, ...], tuple[State, ...]]
    instead: tuple[Seen, ...]


class _Unseen(NamedTuple):
    """What the sender of a packet, and its peer, may have sent before it without being seen."""

    owns: tuple[Seen, ...]
    others: tuple[Seen, ...]

    def of(self, is_sender: bool) -> tuple[Seen, ...]:
        """Return what one of the two has sent."""
        return self.owns if is_sender else self.others


class _Earlier(NamedTuple):
    """A segment that was seen, and what its sender could be, and have received, just before.

    loose: it was explained only by segments that were not seen, or as one that was overtaken.
    """

    held: frozenset[Hypothesis]
    pool: tuple[Seen, ...]
    seg: Seen
    loose: bool


@dataclass(slots=True)
class Watch:
    """Both ends of a connection since its close began.

    complete: the capture misses nothing, so that what is acknowledged must have been seen.
    too_long: other tables explain all packets that are kept, and there are more.
    missed: the packet that deviates counts what an end must have sent before it was CLOSED.
    capped: there were more possibilities than are followed: a deviation may be none.
    unsure: the packet that deviates may be one that was overtaken, and what overtook it was itself
        explained by more than was seen; not all such orders are tried.
    states: after each packet, the possible states of both ends (kept only if `keep_states`).
    brief: of a deviation only the packet is wanted.
    """

    tables: tuple[Tables, Tables]
    start: Start
    complete: bool = False
    keep_states: bool = False
    brief: bool = False
    held: list[frozenset[Hypothesis]] = field(default_factory=list)
    pools: list[tuple[Seen, ...]] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    forgotten: int = 0
    too_long: bool = False
    missed: bool = False
    capped: bool = False
    unsure: bool = False
    deviation: Deviation | None = None
    fins: list[int | None] = field(default_factory=lambda: [None, None])
    acked: list[int] = field(default_factory=lambda: [0, 0])
    resets: list[Given] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    states: list[tuple[Given, tuple[State, ...], tuple[State, ...]]] = field(default_factory=list)
    queued: Queued = field(init=False)
    _before: list[list[_Earlier]] = field(default_factory=lambda: [[], []])

    def __post_init__(self) -> None:
        for end in (0, 1):
            received = self.start.acknowledged[end]
            self.held.append(established(self.tables[end], LOW, received))
            ack = self.start.acknowledged[1 - end]
            # What is still under way to the end may have been sent before its peer knew of `ack`.
            texts = [Seen(received, known, text=-received) for known in (LOW, ack)]
            self.pools.append((*(texts if received < 0 else ()), Seen(0, ack)))
        self.acked = list(self.start.acknowledged)
        self.queued = Queued(list(self.start.acknowledged), list(self.start.shut))

    def observe(self, given: Given) -> None:
        """Take the next packet of the closing phase into account."""
        self._remember(given)
        if self.deviation is not None:
            return
        sender, seg = given.sender, given.seg
        self.expect_no_cut()
        after = self._explained(sender, seg)
        loose = not after
        after = after or self._with_unseen(given) or self._as_late(given)
        self.capped |= self.was_cut()
        if not after:
            self._deviates(given)
            return
        before = self._before[sender]
        before.append(_Earlier(self.held[sender], self.pools[sender], seg, loose))
        del before[:-REPEATS_MAX]
        self.held[sender] = after
        self._send(sender, seg)
        self._count(given)
        if self.keep_states and len(self.states) < REMEMBERED_MAX:
            self.states.append((given, *self.possible()))

    def possible(self, *, later: bool = False) -> tuple[tuple[State, ...], tuple[State, ...]]:
        """Return the states that A and B may be in; `later`, also after their timers."""
        a, b = (
            possible(self.tables[end], self.held[end], self.pools[end], later=later)
            for end in (0, 1)
        )
        return self.queued.widened(0, a), self.queued.widened(1, b)

    def expect_no_cut(self) -> None:
        """Forget that a search was cut."""
        for tables in self.tables:
            tables.cut = False

    def was_cut(self) -> bool:
        """Return whether a search was cut since `expect_no_cut`."""
        return any(tables.cut for tables in self.tables)

    def _remember(self, given: Given) -> None:
        if len(self.given) < REMEMBERED_MAX:
            self.given.append(given)
        else:
            self.forgotten += 1

    def _count(self, given: Given) -> None:
        sender, seg = given.sender, given.seg
        self.queued.take(sender, seg, shut=given.shut)
        if seg.rst:
            self.resets.append(given)
            del self.resets[1:-1]
            return
        self.acked[sender] = max(self.acked[sender], seg.ack)
        if seg.fin:
            self._closed_at(sender, seg.end)

    def _closed_at(self, end: int, fin: int) -> None:
        """Note the number behind an end's FIN; one that was only supposed gives way to it."""
        known = self.fins[end]
        self.fins[end] = fin if known is None else max(known, fin)

    def _explained(self, sender: int, seg: Seen) -> frozenset[Hypothesis]:
        """Return what the sender may be after the segment, which may be a second sight of one."""
        held = self.held[sender]
        after = explained(self.tables[sender], held, self.pools[sender], seg)
        seen = (self.start.acks[sender], *(earlier.seg for earlier in self._before[sender]))
        if seg in seen:
            after |= held
        return after

    def _send(self, sender: int, seg: Seen) -> None:
        """Note that a segment may arrive at the other end from now on."""
        other = 1 - sender
        live = [one.tcb.rcv_nxt for one in self.held[other] if one.tcb.state != State.CLOSED]
        needed = min(live, default=LOW)
        self.pools[other], lost = with_seen(self.pools[other], seg, needed)
        self.capped |= lost

    def _with_unseen(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender may be if segments before this one were not captured.

        Its own may have been lost before the capture point; those of its peer that it acknowledges
        have reached it, so the capture misses them.
        """
        sender, seg = given.sender, given.seg
        held, pools, capped = list(self.held), list(self.pools), self.capped
        found: list[tuple[frozenset[Hypothesis], frozenset[Hypothesis], _Unseen]] = []
        peers: tuple[tuple[Seen, ...], ...] = ()
        if not self.complete:
            after = self._answering_a_forgotten_one(given)
            if after:
                return after
            peers = tuple(
                self._answered(self.held[1 - sender], seg.seq)
                if seg.rst
                else self._unseen_of(1 - sender, seg.ack)
            )
        for owns in ((), *self._unseen_of(sender, seg.seq)):
            for others in ((), *peers) if owns else peers:
                self.held, self.pools = list(held), list(pools)
                if self._supposed(1 - sender, others) and self._supposed(sender, owns):
                    after = self._explained(sender, seg)
                    if after:
                        found.append((after, self.held[1 - sender], _Unseen(owns, others)))
        self.held, self.pools, self.capped = held, pools, capped
        if not found:
            return self._answering_an_old_one(given) if peers and seg.rst else frozenset()
        self.held[1 - sender] = frozenset().union(*(peer for _, peer, _ in found))
        for end in (sender, 1 - sender):
            ways = dict.fromkeys(one.of(end == sender) for *_, one in found)
            self._tell_unseen(given, end, [way for way in ways if way])
        return frozenset().union(*(after for after, _, _ in found))

    def _unseen_of(self, end: int, upto: int) -> Iterator[tuple[Seen, ...]]:
        """Return the segments that an end may have sent unseen, if its numbers reach `upto`."""
        tcbs = [one.tcb for one in self.held[end]]
        live = [tcb for tcb in tcbs if tcb.state != State.CLOSED and not tcb.fin_sent]
        nxt = max((tcb.snd_nxt for tcb in live), default=upto)
        if upto <= nxt:
            return
        for ack in sorted({tcb.rcv_nxt for tcb in live} | {self._latest(1 - end)}, reverse=True):
            yield (Seen(nxt, ack, text=upto - nxt),)
            if upto - nxt == 1:
                yield (Seen(nxt, ack, fin=1),)
            else:
                text = upto - nxt - 1
                yield (Seen(nxt, ack, text=text), Seen(upto - 1, ack, fin=1))

    def _answered(self, held: frozenset[Hypothesis], number: int) -> Iterator[tuple[Seen, ...]]:
        """Return the ACKs of a number that may have been sent unseen: a reset answers one."""
        for nxt in sorted({one.tcb.snd_nxt for one in held}):
            yield (Seen(nxt, number),)

    def _answering_an_old_one(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender of a reset may be if it answers an ACK unseen for a while."""
        sender, peer = given.sender, 1 - given.sender
        pools = list(self.pools)
        for earlier in reversed(self._before[peer]):
            for way in self._answered(earlier.held, given.seg.seq):
                if explained(self.tables[peer], earlier.held, earlier.pool, way[0]):
                    self._send(peer, way[0])
                    after = self._explained(sender, given.seg)
                    if after:
                        self._tell_unseen(given, peer, [way])
                        return after
                    self.pools = list(pools)
        return frozenset()

    def _answering_a_forgotten_one(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender of a reset may be if it answers an ACK that is not kept.

        Any number up to the highest that the peer has acknowledged may have been acknowledged
        before, by a segment that is under way for as long as it likes.
        """
        sender, seg = given.sender, given.seg
        if not given.bare or seg.seq > self.acked[1 - sender]:
            return frozenset()
        pool = (*self.pools[sender], Seen(0, seg.seq))
        after = explained(self.tables[sender], self.held[sender], pool, seg)
        told = f"{'AB'[sender]} answers ACKs that were under way when it was CLOSED"
        if after and told not in self.notes:
            self.notes.append(told)
        return after

    def _latest(self, end: int) -> int:
        return max(one.tcb.snd_nxt for one in self.held[end])

    def _supposed(self, sender: int, segs: tuple[Seen, ...]) -> bool:
        """Return whether an end can have sent these segments; if so, it has."""
        for seg in segs:
            after = explained(self.tables[sender], self.held[sender], self.pools[sender], seg)
            if not after:
                return False
            self.held[sender] = after
            if not self.complete:
                self._send(sender, seg)
        return True

    def _tell_unseen(self, given: Given, end: int, ways: list[tuple[Seen, ...]]) -> None:
        """Note what an end must have sent unseen, in one of these ways."""
        if not ways:
            return
        told = " or ".join(
            dict.fromkeys(
                " and ".join(
                    "a FIN" if seg.fin else f"{seg.text:,} octets" if seg.text else "an ACK"
                    for seg in way
                )
                for way in ways
            )
        )
        self.notes.append(
            f"packet {given.number} shows that {'AB'[end]} has sent {told}, not captured"
        )
        for seg in {seg: None for way in ways for seg in way}:
            if not self.complete:
                self._send(end, seg)
            if seg.fin:
                self._closed_at(end, seg.end)

    def _as_late(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender may be if this packet was overtaken by its latest ones."""
        sender, seg = given.sender, given.seg
        before = self._before[sender]
        for at in range(len(before) - 1, max(len(before) - LATE_MAX, 0) - 1, -1):
            held = self._replayed(sender, at, (seg,))
            if held:
                self.notes.append(f"packet {given.number} was overtaken before it was captured")
                return held
        return frozenset()

    def _replayed(self, sender: int, at: int, first: tuple[Seen, ...]) -> frozenset[Hypothesis]:
        """Return what the sender may be if it sent other segments before its packet number `at`."""
        before, tables = self._before[sender], self.tables[sender]
        held = before[at].held
        for seg in first:
            held = explained(tables, held, before[at].pool, seg)
        for number in range(at, len(before)):
            later = before[number]
            again = any(later.seg == earlier.seg for earlier in before[:number])
            after = explained(tables, held, later.pool, later.seg) if held else held
            held = after | held if again else after
        return held

    def _overtaken_with_others(self, given: Given) -> bool:
        """Return whether the packet may have been overtaken, others before it being unseen."""
        sender, seg = given.sender, given.seg
        before, now = self._before[sender], self.held[sender]
        found = False
        for at in range(max(len(before) - LATE_MAX, 0), len(before)):
            self.held[sender] = before[at].held
            ways = list(self._unseen_of(sender, seg.seq))
            found |= any(self._replayed(sender, at, (*way, seg)) for way in ways)
        self.held[sender] = now
        return found

    def _overtaken_by_many(self, given: Given) -> bool:
        """Return whether the packet could have been sent before more packets than are tried."""
        before, tables = self._before[given.sender][:-LATE_MAX], self.tables[given.sender]
        return not given.seg.rst and any(
            explained(tables, earlier.held, earlier.pool, given.seg) for earlier in before
        )

    def _deviates(self, given: Given) -> None:
        closed = all(one.tcb.state == State.CLOSED for one in self.held[1 - given.sender])
        known = max(one.end for one in self.pools[given.sender])
        self.missed = not self.complete and closed and given.seg.ack > known
        if self.brief:
            self.deviation = Deviation(given, ((), ()), ())
            return
        late = any(one.loose for one in self._before[given.sender][-LATE_MAX:])
        self.unsure = late or self._overtaken_with_others(given) or self._overtaken_by_many(given)
        sender = given.sender
        instead = sendable(self.tables[sender], self.held[sender], self.pools[sender])
        self.deviation = Deviation(given, self.possible(), tuple(instead))
