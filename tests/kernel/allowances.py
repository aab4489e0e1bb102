"""What Linux does that the profile does not have, and what the model would make of it.

Each has its reason (see `departures`): something that is no part of the model holds back a step, or
hastens it.  What the step comes to then is had from the same rows, run on a TCB that differs in
what the model does not remember.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpclose_model.engines.plain import End
from tcpclose_model.protocol.step import Outcome
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tests.kernel.departures import (
    ACK_RIDES,
    CONGESTION,
    FINAL_ACK,
    LAST_ACK_SENT,
    NOT_THE_OLDEST,
    REFUSED_BY_TIMESTAMP,
    RESET_BY_SACK,
    SENT_AGAIN,
    SENT_WITHIN,
)

SENDING = (Event.TRANSMIT, Event.TRANSMIT_WITH_FIN, Event.RETRANSMISSION_TIMEOUT)
AGAIN_MAX = 3
Allowed = tuple[str, list[Outcome]]
"""The reason, and what happens one after the other."""


def of_a_call(end: End, tcb: TCB, event: Event) -> Iterator[Allowed]:
    """Return how else a call may go: its FIN is queued, as if behind text."""
    if event not in (Event.CLOSE, Event.SHUTDOWN):
        return
    for enabled, outcome in end.local(tcb._replace(snd_end=tcb.snd_end + 1)):
        if enabled is event and outcome.sent is None and outcome.tcb.fin_queued > tcb.fin_queued:
            queued = outcome.tcb._replace(snd_end=tcb.snd_end)
            yield CONGESTION, [outcome._replace(tcb=queued)]


def of_an_arrival(end: End, tcb: TCB, seg: Segment) -> Iterator[Allowed]:
    """Return how else a segment may be taken.

    An old ACK is one of now while that of what came after it is delayed.  What an ACK lets be sent
    again is sent at once, and before the text of the same segment is taken; what it lets be sent
    at all carries the answer.
    """
    if seg.rst:
        return
    taken = end.arrival(tcb, seg)
    yield from _answered(end, taken)
    if tcb.ack_due and seg.seq < tcb.rcv_nxt and not (seg.text or seg.fin):
        then = end.arrival(tcb._replace(rcv_nxt=seg.seq), seg)
        yield LAST_ACK_SENT, [then._replace(tcb=then.tcb._replace(rcv_nxt=tcb.rcv_nxt))]
    for sent in _sent(end, taken, AGAIN_MAX) if taken.sent is None else ():
        yield NOT_THE_OLDEST, [taken, *sent]
    if seg.text or seg.fin:
        acked = end.arrival(tcb, Segment(seg.seq, seg.ack))
        for sent in _sent(end, acked, AGAIN_MAX) if acked.sent is None else ():
            yield SENT_WITHIN, [acked, *sent, end.arrival(sent[-1].tcb, seg)]


def _answered(end: End, taken: Outcome) -> Iterator[Allowed]:
    """Return how else a segment may be answered than by an ACK alone, or by another ACK."""
    ack, after = taken.sent, taken.tcb
    if ack is None or ack.text or ack.fin or ack.rst:
        return
    for event, outcome in end.local(after):
        if event in SENDING and outcome.sent is not None and outcome.sent.ack == ack.ack:
            yield ACK_RIDES, [taken._replace(sent=None), outcome]
    if ack.ack < after.rcv_nxt:
        final = after._replace(ack_due=0)
        yield FINAL_ACK, [Outcome(final, ack._replace(ack=after.rcv_nxt), taken.rules)]


def by_itself(end: End, tcb: TCB) -> Iterator[Allowed]:
    """Return what an end that has its defaults may send again by itself."""
    for outcome in (*_later_ones(end, tcb), *_text_alone(end, tcb)):
        yield SENT_AGAIN, [outcome]


def of_an_option(end: End, tcb: TCB, seg: Segment) -> Iterator[Allowed]:
    """Return how else an end that has its defaults may take a segment: by SACK, or a timestamp."""
    edges = [number + 1 for number in range(tcb.held.bit_length()) if tcb.held >> number & 1]
    if seg.rst:
        if seg.seq == max([*edges, tcb.held_fin + bool(tcb.held_fin)]) > tcb.rcv_nxt:
            yield RESET_BY_SACK, [end.arrival(tcb._replace(rcv_nxt=seg.seq), seg)]
    elif not (seg.text or seg.fin) and (seg.seq < tcb.rcv_nxt or seg.ack <= tcb.snd_una):
        ack = Segment(tcb.snd_nxt, tcb.rcv_nxt)
        yield REFUSED_BY_TIMESTAMP, [Outcome(tcb, None, ())]
        yield REFUSED_BY_TIMESTAMP, [Outcome(tcb._replace(ack_due=0), ack, ())]


def _text_alone(end: End, tcb: TCB) -> Iterator[Outcome]:
    """Return that the oldest text is sent again without the FIN behind it, as if none was sent."""
    if tcb.fin_sent:
        view = tcb._replace(fin_sent=0, snd_nxt=tcb.snd_nxt - 1)
        for event, outcome in end.local(view):
            if event is Event.RETRANSMISSION_TIMEOUT:
                yield outcome._replace(tcb=tcb._replace(ack_due=0))


def _later_ones(end: End, tcb: TCB) -> Iterator[Outcome]:
    """Return what may be sent again of what is not the oldest, as if it were."""
    for una in range(tcb.snd_una + 1, tcb.snd_nxt):
        for event, outcome in end.local(tcb._replace(snd_una=una)):
            if event is Event.RETRANSMISSION_TIMEOUT:
                yield outcome._replace(tcb=outcome.tcb._replace(snd_una=tcb.snd_una))


def _sent(end: End, before: Outcome, left: int) -> Iterator[list[Outcome]]:
    """Return what may be sent next, one segment or several."""
    ways = [outcome for event, outcome in end.local(before.tcb) if event in SENDING]
    for outcome in (*ways, *_later_ones(end, before.tcb)):
        if outcome.sent is not None:
            yield [outcome]
            if left > 1:
                yield from ([outcome, *more] for more in _sent(end, outcome, left - 1))
