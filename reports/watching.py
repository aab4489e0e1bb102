"""The closing phase of one captured connection: what each end may be, packet by packet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from reports.observer import Hypothesis, Seen, explained, sendable
from reports.situations import Pair, Situation, Start, States
from tcpclose_model.protocol.vocabulary import State

REMEMBERED_MAX = 256
"""Packets of a closing phase that are kept, to be judged again by other tables."""
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


@dataclass(frozen=True, slots=True)
class Deviation:
    """The first packet that no run explains, and what could have been sent instead."""

    given: Given
    before: States
    instead: tuple[Seen, ...]


class _Unseen(NamedTuple):
    """What the sender of a packet, and its peer, may have sent before it without being seen."""

    owns: tuple[Seen, ...]
    others: tuple[Seen, ...]

    def of(self, is_sender: bool) -> tuple[Seen, ...]:
        """Return what one of the two has sent."""
        return self.owns if is_sender else self.others


class Watch:
    """Both ends of a connection since its close began.

    now: what both ends may be.
    complete: the capture misses nothing, so that what is acknowledged must have been seen.
    keep_states: the possible states of both ends are kept after each packet, in `states`.
    brief: of a deviation only the packet is wanted.
    given: the first packets; forgotten: how many more there were.
    missed: the packet that deviates counts what an end must have sent before it was CLOSED.
    capped: there were more possibilities than are followed: a deviation may be none.
    """

    def __init__(
        self,
        pair: Pair,
        start: Start,
        complete: bool = False,
        keep_states: bool = False,
        brief: bool = False,
    ) -> None:
        self.pair = pair
        self.now = pair.begin(start)
        self.complete = complete
        self.keep_states = keep_states
        self.brief = brief
        self.given: list[Given] = []
        self.forgotten = 0
        self.missed = self.capped = False
        self.deviation: Deviation | None = None
        self.resets: list[Given] = []
        self.notes: list[str] = []
        self.states: list[tuple[Given, tuple[State, ...], tuple[State, ...]]] = []

    def observe(self, given: Given) -> None:
        """Take the next packet of the closing phase into account."""
        if len(self.given) < REMEMBERED_MAX:
            self.given.append(given)
        else:
            self.forgotten += 1
        if self.deviation is not None:
            return
        sender, seg = given.sender, given.seg
        after = self.pair.after(self.now, sender, seg, shut=given.shut) or self._after_more(given)
        if after is None:
            self._deviates(given)
            return
        self.now = after
        self.capped |= after.capped
        if seg.rst:
            self.resets.append(given)
            del self.resets[1:-1]
        if self.keep_states and len(self.states) < REMEMBERED_MAX:
            self.states.append((given, *self.possible()))

    def possible(self, *, later: bool = False) -> States:
        """Return the states that A and B may be in; `later`, also after their timers."""
        return self.pair.possible(self.now, later=later)

    def _after_more(self, given: Given) -> Situation | None:
        """Return what has become of both ends if more explains a packet than what was seen."""
        sender, seg = given.sender, given.seg
        if any(one[1:3] == given[1:3] for one in self.given if one is not given):
            held = self.now.held[sender]  # a second sight of it, as from another capture point
        else:
            held = self._with_unseen(given) or self._as_late(given)
        self.capped |= self.pair.was_cut()
        if not held:
            return None
        return self.now.after(sender, seg, held, loose=True, shut=given.shut)

    def _with_unseen(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender may be if segments before this one were not captured.

        Its own may have been lost before the capture point; those of its peer that it acknowledges
        have reached it, so the capture misses them.
        """
        sender, seg, peer = given.sender, given.seg, 1 - given.sender
        found: list[tuple[frozenset[Hypothesis], frozenset[Hypothesis], _Unseen]] = []
        peers: tuple[tuple[Seen, ...], ...] = ()
        after: frozenset[Hypothesis]
        if not self.complete:
            after = self._answering_a_forgotten_one(given)
            if after:
                return after
            peers = tuple(
                _answered(self.now.held[peer], seg.seq)
                if seg.rst
                else self._unseen_of(peer, seg.ack)
            )
        for owns in ((), *self._unseen_of(sender, seg.seq)):
            for others in ((), *peers) if owns else peers:
                way = self._supposed(self.now, peer, others)
                way = None if way is None else self._supposed(way, sender, owns)
                after = frozenset() if way is None else self.pair.sent(way, sender, seg)
                if way is not None and after:
                    found.append((after, way.held[peer], _Unseen(owns, others)))
        if not found:
            return self._answering_an_old_one(given) if peers and seg.rst else frozenset()
        held = frozenset[Hypothesis]().union(*(peer_held for _, peer_held, _ in found))
        self.now = self.now.may_be(peer, held)
        for end in (sender, peer):
            ways = dict.fromkeys(one.of(end == sender) for *_, one in found)
            self._tell_unseen(given, end, [one for one in ways if one])
        return frozenset[Hypothesis]().union(*(after for after, _, _ in found))

    def _unseen_of(self, end: int, upto: int) -> Iterator[tuple[Seen, ...]]:
        """Return the segments that an end may have sent unseen, if its numbers reach `upto`."""
        return _unseen(self.now.held[end], self.now.held[1 - end], upto)

    def _answering_an_old_one(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender of a reset may be if it answers an ACK unseen for a while."""
        sender, peer = given.sender, 1 - given.sender
        for earlier in reversed(self.now.before[peer]):
            for way in _answered(earlier.held, given.seg.seq):
                if explained(self.pair.tables[peer], earlier.held, earlier.pool, way[0]):
                    arrived = self.now.under_way(peer, way[0])
                    after = self.pair.sent(arrived, sender, given.seg)
                    if after:
                        self.now = arrived
                        self._tell_unseen(given, peer, [way])
                        return after
        return frozenset()

    def _answering_a_forgotten_one(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender of a reset may be if it answers an ACK that is not kept.

        Any number up to the highest that the peer has acknowledged may have been acknowledged
        before, by a segment that is under way for as long as it likes.
        """
        sender, seg = given.sender, given.seg
        if not self.may_answer(given) or seg.seq > self.now.acked[1 - sender]:
            return frozenset()
        pool = (*self.now.pools[sender], Seen(0, seg.seq))
        after = explained(self.pair.tables[sender], self.now.held[sender], pool, seg)
        told = f"{'AB'[sender]} answers ACKs that were under way when it was CLOSED"
        if after and told not in self.notes:
            self.notes.append(told)
        return after

    def may_answer(self, given: Given) -> bool:
        """Return whether a reset is what a host without the connection answers a segment with.

        It has no ACK bit then (3.10.7.1), but lwIP, in so many small devices, sets it all the same;
        that is believed of a host that has sent a reset before.
        """
        closed = any(one.sender == given.sender for one in self.resets)
        return bool(given.seg.rst) and (given.bare or closed)

    def _supposed(self, now: Situation, sender: int, segs: tuple[Seen, ...]) -> Situation | None:
        """Return what has become of both ends if one has sent these segments; None: it cannot."""
        for seg in segs:
            after = explained(self.pair.tables[sender], now.held[sender], now.pools[sender], seg)
            if not after:
                return None
            now = now.may_be(sender, after)
            if not self.complete:
                now = now.under_way(sender, seg)
        return now

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
                self.now = self.now.under_way(end, seg)
            if seg.fin:
                self.now = self.now.closed_at(end, seg.end)

    def _as_late(self, given: Given) -> frozenset[Hypothesis]:
        """Return what the sender may be if this packet was overtaken by its latest ones."""
        before = self.now.before[given.sender]
        for at in range(len(before) - 1, max(len(before) - LATE_MAX, 0) - 1, -1):
            held = self._replayed(given.sender, at, (given.seg,))
            if held:
                self.notes.append(f"packet {given.number} was overtaken before it was captured")
                return held
        return frozenset()

    def _replayed(self, sender: int, at: int, first: tuple[Seen, ...]) -> frozenset[Hypothesis]:
        """Return what the sender may be if it sent other segments before its packet number `at`."""
        before, tables = self.now.before[sender], self.pair.tables[sender]
        held, ack = before[at].held, self.now.begun.acks[sender]
        for seg in first:
            held = explained(tables, held, before[at].pool, seg)
        for number in range(at, len(before)):
            later = before[number]
            again = later.seg in (ack, *(earlier.seg for earlier in before[:number]))
            after = explained(tables, held, later.pool, later.seg) if held else held
            held = after | held if again else after
        return held

    def is_unsure(self) -> bool:
        """Return whether the packet that deviates may be one that was overtaken, for all we know.

        So it is where what overtook it was itself explained by more than was seen, or where others
        before it may be unseen too: not all such orders are tried.
        """
        assert self.deviation is not None
        given = self.deviation.given
        late = any(one.loose for one in self.now.before[given.sender][-LATE_MAX:])
        return late or self._overtaken_with_others(given) or self._overtaken_by_many(given)

    def _overtaken_with_others(self, given: Given) -> bool:
        """Return whether the packet may have been overtaken, others before it being unseen."""
        sender, seg = given.sender, given.seg
        before, peer = self.now.before[sender], self.now.held[1 - sender]
        found = False
        self.pair.expect_no_cut()
        for at in range(max(len(before) - LATE_MAX, 0), len(before)):
            ways = _unseen(before[at].held, peer, seg.seq)
            found |= any(self._replayed(sender, at, (*way, seg)) for way in ways)
        self.capped |= self.pair.was_cut()
        return found

    def _overtaken_by_many(self, given: Given) -> bool:
        """Return whether the packet could have been sent before more packets than are tried."""
        before, tables = self.now.before[given.sender][:-LATE_MAX], self.pair.tables[given.sender]
        return not given.seg.rst and any(
            explained(tables, earlier.held, earlier.pool, given.seg) for earlier in before
        )

    def _deviates(self, given: Given) -> None:
        held, pools, sender = self.now.held, self.now.pools, given.sender
        closed = all(one.tcb.state == State.CLOSED for one in held[1 - sender])
        known = max(one.end for one in pools[sender])
        self.missed = not self.complete and closed and given.seg.ack > known
        if self.brief:
            self.deviation = Deviation(given, ((), ()), ())
            return
        instead = sendable(self.pair.tables[sender], held[sender], pools[sender])
        self.deviation = Deviation(given, self.possible(), instead)


def _unseen(
    held: frozenset[Hypothesis], peer: frozenset[Hypothesis], upto: int
) -> Iterator[tuple[Seen, ...]]:
    """Yield the segments that an end may have sent unseen, if its numbers reach `upto`."""
    live = [one.tcb for one in held if one.tcb.state != State.CLOSED and not one.tcb.fin_sent]
    nxt = max((tcb.snd_nxt for tcb in live), default=upto)
    if upto <= nxt:
        return
    latest = max(one.tcb.snd_nxt for one in peer)
    for ack in sorted({tcb.rcv_nxt for tcb in live} | {latest}, reverse=True):
        yield (Seen(nxt, ack, text=upto - nxt),)
        if upto - nxt == 1:
            yield (Seen(nxt, ack, fin=1),)
        else:
            text = upto - nxt - 1
            yield (Seen(nxt, ack, text=text), Seen(upto - 1, ack, fin=1))


def _answered(held: frozenset[Hypothesis], number: int) -> Iterator[tuple[Seen, ...]]:
    """Yield the ACKs of a number that may have been sent unseen: a reset answers one."""
    for nxt in sorted({one.tcb.snd_nxt for one in held}):
        yield (Seen(nxt, number),)
