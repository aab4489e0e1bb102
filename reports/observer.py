"""The states that an end of a connection may be in, given what a capture shows of both.

An end is followed by running its own table: the observer holds a set of TCBs, and for each segment
that the end is seen to send asks from which of them the rows can send it.  In between, whatever was
seen of the peer may have arrived, in any order, once, twice or never, and the user and the timers
may have done anything that is not seen.

The rows count text in units; a capture counts octets.  Before a row runs, the few numbers that it
can see are replaced by their ranks, which keeps their order and every `+ 1` (a unit is what lies
between two of them); what it computes is translated back.  So a table is never written down again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from tcpclose_model.engines.plain import End
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Bounds, Timers
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    NOTHING,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
    State,
)

UNITS = 1_000
"""More units than any rank: a user always has text to send."""
LOW = -(1 << 40)
"""Stands for SND.UNA where all that is known is that it may be anywhere below SND.NXT."""
TCBS_MAX = 400
KNOWN_MAX = 20_000
"""Of what has been found is kept, for all tables together."""
ARRIVALS_MAX = 50_000
RETRANSMIT, CLOSE, SHUTDOWN = Event.RETRANSMISSION_TIMEOUT, Event.CLOSE, Event.SHUTDOWN
SILENT = (
    Event.TIME_WAIT_TIMEOUT,
    Event.FIN_WAIT_2_TIMEOUT,
    Event.USER_TIMEOUT,
    Event.ABORT,
    Event.CRASH,
    Event.ACK_LIMIT_TIMEOUT,
)
"""What ends, or happens to, an end without being seen; a reset that it sends may be lost."""
TIMED = (Event.TIME_WAIT_TIMEOUT, Event.FIN_WAIT_2_TIMEOUT, Event.USER_TIMEOUT)
RESETTING = (CLOSE, Event.ABORT, Event.USER_TIMEOUT, Event.FIN_WAIT_2_TIMEOUT)


class Seen(NamedTuple):
    """A segment in octets: numbers are relative to where the close began, in each direction."""

    seq: int
    ack: int
    text: int = 0
    fin: int = 0
    rst: int = 0

    @property
    def end(self) -> int:
        """The number behind the segment."""
        return self.seq + self.text + self.fin


class Tables:
    """Tables that an end may follow, ready to run; a hypothesis is a table's number and a TCB.

    cut: some search since this was last set to False found more than `TCBS_MAX` TCBs and gave up.
    """

    def __init__(self, protocols: Iterable[Protocol]) -> None:
        self.ends = [_end(protocol) for protocol in protocols]
        self.cut = False


class Hypothesis(NamedTuple):
    """An end that follows table number `table` may have this TCB; its numbers count octets."""

    table: int
    tcb: TCB


@cache
def _end(protocol: Protocol) -> End:
    """Return an end whose user may do anything at any time, and whose timers may go off."""
    user = Application(
        half_close=True, data_units=(UNITS, UNITS), aborts=(True, True), crashes=(True, True)
    )
    model = Model(
        protocol, protocol, application=user, timers=Timers(user_timeout=True), bounds=Bounds()
    )
    return End(model, 0)


def established(tables: Tables, snd_una: int, rcv_nxt: int) -> frozenset[Hypothesis]:
    """Return an end in ESTABLISHED that has sent all before the number 0."""
    return frozenset(
        Hypothesis(number, end.initial._replace(snd_una=snd_una, rcv_nxt=rcv_nxt))
        for number, end in enumerate(tables.ends)
    )


class _Ranks:
    """Numbers as ranks from 1 on, and back."""

    __slots__ = ("rank", "values")

    def __init__(self, values: set[int]) -> None:
        self.values = sorted(values)
        self.rank = {value: rank for rank, value in enumerate(self.values, start=1)}

    def back(self, rank: int) -> int | None:
        """Return the number of a rank, or None where it has none."""
        return self.values[rank - 1] if 1 <= rank <= len(self.values) else None


def _ranked(tcb: TCB, own: _Ranks, other: _Ranks) -> TCB:
    return tcb._replace(
        snd_una=own.rank[tcb.snd_una],
        snd_nxt=own.rank[tcb.snd_nxt],
        snd_end=own.rank[tcb.snd_end],
        rcv_nxt=other.rank[tcb.rcv_nxt],
    )


def _restored(tcb: TCB, own: _Ranks, other: _Ranks, initial: TCB) -> TCB | None:
    """Return a TCB in octets; what is held stays in the pool, and a user reads at once."""
    if tcb.state == CLOSED:
        return initial._replace(state=CLOSED)
    una, nxt, end = own.back(tcb.snd_una), own.back(tcb.snd_nxt), own.back(tcb.snd_end)
    received = other.back(tcb.rcv_nxt)
    if una is None or nxt is None or end is None or received is None:
        return None
    return tcb._replace(
        snd_una=una,
        snd_nxt=nxt,
        snd_end=end,
        rcv_nxt=received,
        rcv_text=0,
        read=0,
        held=0,
        held_fin=0,
        retransmitted=0,
        ack_due=0,
        told=NOTHING,
    )


@lru_cache(maxsize=ARRIVALS_MAX)
def arrived(end: End, tcb: TCB, seg: Seen) -> tuple[TCB | None, Seen | None]:
    """Return what an end becomes, and sends, when a segment arrives."""
    own = _Ranks({tcb.snd_una, tcb.snd_nxt, tcb.snd_end, seg.ack})
    other = _Ranks({tcb.rcv_nxt, seg.seq, seg.seq + seg.text, seg.end})
    start = other.rank[seg.seq]
    text = other.rank[seg.seq + seg.text] - start
    small = Segment(start, own.rank[seg.ack], text, seg.fin, seg.rst)
    outcome = end.arrival(_ranked(tcb, own, other) if tcb.state != CLOSED else tcb, small)
    sent = None
    if outcome.sent is not None:
        seq, ack = own.back(outcome.sent.seq), other.back(outcome.sent.ack)
        if seq is not None and (outcome.sent.rst or ack is not None):
            sent = Seen(seq, ack or 0, rst=outcome.sent.rst)
    return _restored(outcome.tcb, own, other, end.initial), sent


def _cut(seg: Seen, tcb: TCB, goal: int | None) -> Seen:
    """Return the part of a segment up to a number that was acknowledged, or the whole of it."""
    if goal is None or not seg.text or not seg.seq < goal < seg.seq + seg.text:
        return seg
    return seg._replace(text=goal - seg.seq, fin=0) if tcb.rcv_nxt < goal else seg


def reached(
    tables: Tables,
    held: frozenset[Hypothesis],
    pool: tuple[Seen, ...],
    goal: int | None,
    silent: tuple[Event, ...] = SILENT,
) -> tuple[frozenset[Hypothesis], bool]:
    """Return what the end may have become by itself and by what may have arrived.

    The second value says whether there was more than is followed.
    goal: the number that it acknowledges next, where that is known.
    """
    known, todo = set(held), list(held)
    while todo and len(known) < TCBS_MAX:
        table, tcb = todo.pop()
        end = tables.ends[table]
        for seg in pool if tcb.state != CLOSED else ():
            after, _ = arrived(end, tcb, _cut(seg, tcb, goal))
            _note(known, todo, table, after)
        for after in _quietly(end, tcb, silent):
            _note(known, todo, table, after)
    return frozenset(known), bool(todo)


def _note(known: set[Hypothesis], todo: list[Hypothesis], table: int, after: TCB | None) -> None:
    if after is not None and (one := Hypothesis(table, after)) not in known:
        known.add(one)
        todo.append(one)


def _quietly(end: End, tcb: TCB, events: tuple[Event, ...]) -> Iterator[TCB | None]:
    if tcb.state == CLOSED or not events:
        return
    own, other = _Ranks({tcb.snd_una, tcb.snd_nxt, tcb.snd_end}), _Ranks({tcb.rcv_nxt})
    for event, outcome in end.local(_ranked(tcb, own, other)):
        if event in events:
            yield _restored(outcome.tcb, own, other, end.initial)


def explained(
    tables: Tables, held: frozenset[Hypothesis], pool: tuple[Seen, ...], seg: Seen
) -> frozenset[Hypothesis]:
    """Return what the end may be once it has sent the segment; nothing if it cannot have."""
    after, cut = _explained(tables, held, pool, seg)
    tables.cut |= cut
    return after


@lru_cache(maxsize=KNOWN_MAX)
def _explained(
    tables: Tables, held: frozenset[Hypothesis], pool: tuple[Seen, ...], seg: Seen
) -> tuple[frozenset[Hypothesis], bool]:
    found, cut = reached(tables, held, pool, None if seg.rst else seg.ack)
    after = _without_weaker(
        Hypothesis(one.table, tcb)
        for one in found
        for tcb in _sending(tables.ends[one.table], one.tcb, pool, seg)
    )
    return after, cut


def _without_weaker(found: Iterable[Hypothesis]) -> frozenset[Hypothesis]:
    """Return the hypotheses without those that can do nothing that another one cannot.

    Of TCBs that differ in SND.UNA alone, and still miss an ACK, the one with the lowest may send
    again all that the others may, and the ACK that they miss is the same.
    """
    kept: set[Hypothesis] = set()
    lowest: dict[Hypothesis, int] = {}
    for one in found:
        una = one.tcb.snd_una
        if una < one.tcb.snd_nxt:
            key = Hypothesis(one.table, one.tcb._replace(snd_una=0))
            lowest[key] = min(una, lowest.get(key, una))
        else:
            kept.add(one)
    for key, una in lowest.items():
        kept.add(Hypothesis(key.table, key.tcb._replace(snd_una=una)))
    return frozenset(kept)


def _sending(end: End, tcb: TCB, pool: tuple[Seen, ...], seg: Seen) -> Iterator[TCB]:
    """Return what a TCB becomes in each way in which it can send the segment."""
    if not seg.text and not seg.fin:
        for one in pool:
            after, sent = arrived(end, tcb, _cut(one, tcb, None if seg.rst else seg.ack))
            if after is not None and sent is not None and _same(sent, seg):
                yield after
    if tcb.state != CLOSED and (seg.rst or tcb.rcv_nxt == seg.ack):
        yield from _calling(end, tcb, seg)


def _same(sent: Seen, seg: Seen) -> bool:
    if sent.rst or seg.rst:
        return (sent.rst, sent.seq) == (seg.rst, seg.seq)
    return sent == seg


def _calling(end: End, tcb: TCB, seg: Seen) -> Iterator[TCB]:
    """Return what a TCB becomes where a call or a timeout sends the segment."""
    nxt = tcb.snd_nxt
    if seg.rst:
        for view in (tcb, tcb._replace(rcv_text=1)):  # its user may not have read all
            for event in RESETTING:
                yield from _after(end, tcb, view, (event,), seg)
    elif not seg.text and not seg.fin:
        yield from _after(end, tcb, tcb._replace(ack_due=1), (Event.DELAYED_ACK_TIMEOUT,), seg)
        idle = tcb._replace(snd_una=nxt)
        yield from _after(end, tcb, idle, (Event.KEEP_ALIVE_TIMEOUT,), seg)
    elif seg.seq == nxt:
        for events in _NEW[bool(seg.text), bool(seg.fin)]:
            yield from _after(end, tcb, tcb, events, seg)
    elif tcb.snd_una <= seg.seq < nxt:
        yield from _again(end, tcb, seg)


_NEW: dict[tuple[bool, bool], tuple[tuple[Event, ...], ...]] = {
    (True, False): ((Event.SEND, Event.TRANSMIT),),
    (False, True): ((CLOSE,), (SHUTDOWN,)),
    (True, True): (
        (Event.SEND, CLOSE, Event.TRANSMIT_WITH_FIN),
        (Event.SEND, SHUTDOWN, Event.TRANSMIT_WITH_FIN),
    ),
}
"""By text and FIN: what leads to a segment with new numbers."""


def _again(end: End, tcb: TCB, seg: Seen) -> Iterator[TCB]:
    """Return what a TCB becomes when it sends again, from any number that may be missing.

    Real stacks repeat what SACK says is missing, or the last segment first (RFC 8985), and cut
    anew what they repeat; the row that repeats the front of the queue is run as if all before
    it had been acknowledged.
    """
    front = seg._replace(text=min(seg.text, tcb.snd_end - seg.seq))
    if seg.text and front.text < seg.text:  # the rest is new
        rest = seg._replace(seq=tcb.snd_nxt, text=seg.seq + seg.text - tcb.snd_nxt)
        if not tcb.fin_sent and rest.text > 0:
            yield from _calling(end, tcb, rest)
        return
    rides = int(bool(seg.text and seg.fin))
    if seg.text and seg.fin and not tcb.fin_sent:
        yield from _calling(end, tcb, Seen(tcb.snd_nxt, seg.ack, fin=1))
        return
    view = tcb._replace(snd_una=seg.seq, fin_with_text=rides)
    for _ in _after(end, tcb, view, (RETRANSMIT,), seg):
        yield tcb._replace(ack_due=0)
        return


def _after(end: End, tcb: TCB, view: TCB, events: tuple[Event, ...], seg: Seen) -> Iterator[TCB]:
    """Return what a TCB, viewed so, becomes by the events, if they send just this segment."""
    numbers = {view.snd_una, view.snd_nxt, view.snd_end, seg.seq, seg.seq + seg.text, seg.end}
    if view.snd_nxt - 1 == seg.seq and not seg.text and not seg.fin and not seg.rst:
        numbers.add(seg.seq + 1)
    own, other = _Ranks(numbers), _Ranks({tcb.rcv_nxt})
    now, sent = _ranked(view, own, other), None
    for event in events:
        for enabled, outcome in end.local(now):
            if enabled is event:
                now, sent = outcome.tcb, outcome.sent
                break
        else:
            return
    if sent is None or sent.rst != seg.rst or sent.seq != own.rank[seg.seq]:
        return
    text = own.rank[seg.seq + seg.text] - own.rank[seg.seq]
    if not seg.rst and (sent.text, sent.fin) != (text, seg.fin):
        return
    after = _restored(now, own, other, end.initial)
    if after is not None:
        yield after if after.state == CLOSED else after._replace(snd_una=tcb.snd_una)


def possible(
    tables: Tables, held: frozenset[Hypothesis], pool: tuple[Seen, ...], *, later: bool = False
) -> tuple[State, ...]:
    """Return the states that the end may be in now; `later`, after its timers too."""
    found, cut = reached(tables, held, pool, None, TIMED if later else ())
    tables.cut |= cut
    return tuple(sorted({one.tcb.state for one in found}))


@lru_cache(maxsize=KNOWN_MAX)
def sendable(
    tables: Tables, held: frozenset[Hypothesis], pool: tuple[Seen, ...]
) -> tuple[Seen, ...]:
    """Return what the end could have sent next: answers, its FIN, and a reset."""
    found: set[Seen] = set()
    for table, tcb in reached(tables, held, pool, None, ())[0]:
        end = tables.ends[table]
        for seg in pool:
            _, sent = arrived(end, tcb, seg)
            if sent is not None and sent.seq > LOW:
                found.add(sent)
        if tcb.state in (CLOSED, TIME_WAIT):
            continue
        number, received = tcb.snd_nxt - tcb.fin_sent, tcb.rcv_nxt
        for seg in (
            Seen(number, received, fin=1),
            Seen(tcb.snd_nxt, received, text=1),
            Seen(tcb.snd_nxt, received, rst=1),
        ):
            if any(True for _ in _calling(end, tcb, seg)):
                found.add(seg)
    return tuple(sorted(found))
