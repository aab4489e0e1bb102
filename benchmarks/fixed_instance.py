"""The fixed instance: one small TCP whose graph SPIN, TLC and this project count alike.

It is RFC 9293's close without what makes models of it differ in details that no benchmark should
hang on.  Compared with `RFC9293`:

- there is no RST: CLOSED discards whatever arrives, an ACK is not checked against SND.NXT;
- SEND queues a unit and transmits it in the same step, so nothing is ever queued;
- text and FINs are taken in order or not at all; whatever is neither is answered with an ACK;
- a pure ACK has no sequence number of its own (it is 0): nobody reads it;
- an end retransmits R times in its life, text and FIN together, and then gives up;
- FIN-WAIT-2 has a timer, which goes off once the peer is CLOSED and nothing is on the way from it;
- TIME-WAIT ends once nothing is in flight;
- an answer that finds the channel full is lost; calls and retransmissions wait for room;
- CLOSED keeps SND.UNA, SND.NXT, RCV.NXT and the retransmissions spent, so that the graph has a
  state for each of them, as a model has that is written in another language by hand.

`tcp_close.pml` is the same instance in Promela.
"""

# ruff: noqa: E501 (a row is one line, as in tcpclose_model/protocol)

from __future__ import annotations

from collections.abc import Mapping

from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Bounds, Network, Timers
from tcpclose_model.protocol.effects import (
    count_retransmission,
    resend_fin,
    resend_text,
    send_fin,
    send_text,
)
from tcpclose_model.protocol.notation import (
    DROPS,
    IGNORES,
    PASSES_ON,
    UNREACHABLE,
    Otherwise,
    Protocol,
    Rule,
)
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSE_WAIT,
    CLOSED,
    CLOSED_STEP,
    CLOSING,
    ESTABLISHED,
    FIN_ACKED_STEP,
    FIN_STEP,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LOCAL_EVENTS,
    OPENING,
    SYNCHRONIZED,
    TCB,
    TEXT_STEP,
    TIME_WAIT,
    Event,
    Segment,
    Step,
)
from tcpclose_model.protocol.words import (
    negation,
    seg_has_fin,
    seg_is_at_rcv_nxt,
    seg_is_not_at_rcv_nxt,
    something_is_unacknowledged,
)


def ack_is_higher(tcb: TCB, seg: Segment) -> bool:
    """SND.UNA < SEG.ACK."""
    return tcb.snd_una < seg.ack


def all_is_acked(tcb: TCB, seg: Segment) -> bool:
    """Everything sent is acknowledged; in the states that ask, that includes our FIN."""
    return tcb.snd_una == tcb.snd_nxt


def one_is_unacked(tcb: TCB, seg: Segment) -> bool:
    """Of what was sent, only the last is unacknowledged."""
    return tcb.snd_una + 1 == tcb.snd_nxt


def several_are_unacked(tcb: TCB, seg: Segment) -> bool:
    """What is unacknowledged begins before the last that was sent."""
    return tcb.snd_una + 1 < tcb.snd_nxt


def seg_has_text(tcb: TCB, seg: Segment) -> bool:
    """The segment carries a unit of text."""
    return seg.text == 1


def answer_is_due(tcb: TCB, seg: Segment) -> bool:
    """The segment takes up sequence space."""
    return negation(seg.text + seg.fin == 0)


def raise_snd_una(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.UNA <- SEG.ACK; the retransmissions spent stay spent."""
    return {"snd_una": seg.ack}


def raise_rcv_nxt(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Take the unit of text, or the FIN."""
    return {"rcv_nxt": tcb.rcv_nxt + 1}


def count_unit(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user has sent one unit more, and SND.NXT moves over it."""
    return {"snd_end": tcb.snd_end + 1, "snd_nxt": tcb.snd_nxt + 1}


def count_last(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.NXT moves over the FIN."""
    return {"snd_nxt": tcb.snd_nxt + 1}


def answer(tcb: TCB, seg: Segment) -> Segment:
    """An ACK of everything taken so far."""
    return Segment(seq=0, ack=tcb.rcv_nxt)


MAY_SEND = (ESTABLISHED, CLOSE_WAIT)
FIN_IS_OUT = (FIN_WAIT_1, CLOSING, LAST_ACK)
MAY_RECEIVE = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)
RETRANSMISSION, USER_TIMEOUT = Event.RETRANSMISSION_TIMEOUT, Event.USER_TIMEOUT
TWO_MSL, NO_FIN_COMES = Event.TIME_WAIT_TIMEOUT, Event.FIN_WAIT_2_TIMEOUT
HERE = "the fixed instance"

# fmt: off
ROWS = (
    # The user: units of text as long as there is room, and a CLOSE at any time.
    Rule("send",             at=MAY_SEND,    on=Event.SEND,  do=(send_text, count_unit),                cite="3.10.2"),
    Rule("close",            at=ESTABLISHED, on=Event.CLOSE, do=(send_fin, count_last), to=FIN_WAIT_1,  cite="3.10.4"),
    Rule("close_after_peer", at=CLOSE_WAIT,  on=Event.CLOSE, do=(send_fin, count_last), to=LAST_ACK,    cite="3.10.4"),

    # The ACK field, and what it says of our FIN.
    Rule("new_ack",                 at=SYNCHRONIZED, on=ACK_STEP,       when=ack_is_higher, do=raise_snd_una,  cite="3.10.7.4 fifth"),
    Rule("fin_acked_in_fin_wait_1", at=FIN_WAIT_1,   on=FIN_ACKED_STEP, when=all_is_acked,  to=FIN_WAIT_2,     cite="3.10.7.4 fifth"),
    Rule("fin_acked_in_closing",    at=CLOSING,      on=FIN_ACKED_STEP, when=all_is_acked,  to=TIME_WAIT,      cite="3.10.7.4 fifth"),
    Rule("fin_acked_in_last_ack",   at=LAST_ACK,     on=FIN_ACKED_STEP, when=all_is_acked,  to=CLOSED,         cite="3.10.7.4 fifth"),

    # Text in order is taken; with or without it, a segment that has text or a FIN is answered.
    Rule("text",               at=MAY_RECEIVE, on=TEXT_STEP, when=(seg_has_text, seg_is_at_rcv_nxt),      do=(raise_rcv_nxt, answer),                cite="3.10.7.4 seventh"),
    Rule("fin_in_established", at=ESTABLISHED, on=FIN_STEP,  when=(seg_has_fin, seg_is_at_rcv_nxt),       do=(raise_rcv_nxt, answer), to=CLOSE_WAIT, cite="3.10.7.4 eighth"),
    Rule("fin_in_fin_wait_1",  at=FIN_WAIT_1,  on=FIN_STEP,  when=(seg_has_fin, seg_is_at_rcv_nxt),       do=(raise_rcv_nxt, answer), to=CLOSING,    cite="3.10.7.4 eighth"),
    Rule("fin_in_fin_wait_2",  at=FIN_WAIT_2,  on=FIN_STEP,  when=(seg_has_fin, seg_is_at_rcv_nxt),       do=(raise_rcv_nxt, answer), to=TIME_WAIT,  cite="3.10.7.4 eighth"),
    Rule("out_of_order",       at=SYNCHRONIZED, on=TEXT_STEP, when=(answer_is_due, seg_is_not_at_rcv_nxt), do=answer,                                cite="3.10.7.4 first"),

    # One budget of retransmissions for all that an end sends: first the oldest unit, last the FIN.
    Rule("retransmit_text",            at=MAY_SEND,   on=RETRANSMISSION, when=something_is_unacknowledged, do=(resend_text, count_retransmission), cite="3.10.8"),
    Rule("retransmit_text_before_fin", at=FIN_IS_OUT, on=RETRANSMISSION, when=several_are_unacked,         do=(resend_text, count_retransmission), cite="3.10.8"),
    Rule("retransmit_fin",             at=FIN_IS_OUT, on=RETRANSMISSION, when=one_is_unacked,              do=(resend_fin, count_retransmission),  cite="3.10.8"),

    # The ends of waiting.
    Rule("user_timeout",       at=(*MAY_SEND, *FIN_IS_OUT), on=USER_TIMEOUT, when=something_is_unacknowledged, to=CLOSED, cite="3.10.8"),
    Rule("time_wait_timeout",  at=TIME_WAIT,                on=TWO_MSL,                                        to=CLOSED, cite="3.10.8"),
    Rule("fin_wait_2_timeout", at=FIN_WAIT_2,               on=NO_FIN_COMES,                                   to=CLOSED, cite=HERE),
)

AFTER_CLOSED_STEP = tuple(step for step in Step if step is not CLOSED_STEP)
CELLS = (
    Otherwise(IGNORES,     at=(*SYNCHRONIZED, CLOSED), on=LOCAL_EVENTS,      why="not enabled",                               cite=HERE),
    Otherwise(DROPS,       at=CLOSED,                  on=CLOSED_STEP,       why="there is no RST to answer with",            cite=HERE),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED,            on=CLOSED_STEP,       why="there is a TCB",                            cite="3.10.7.4"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED,            on=AFTER_CLOSED_STEP, why="nothing of this kind is in the segment",    cite="3.10.7.4"),
    Otherwise(UNREACHABLE, at=CLOSED,                  on=AFTER_CLOSED_STEP, why="an arrival ends when the TCB is deleted",   cite="3.10.7.4"),
    Otherwise(UNREACHABLE, at=OPENING,                 on=(*LOCAL_EVENTS, *Step), why="no connection is opened",            cite=HERE),
)
# fmt: on

KEPT = ("snd_una", "snd_nxt", "rcv_nxt", "retransmitted")
FIXED = Protocol("fixed_instance", ROWS, CELLS, kept=KEPT)
"""The table of both ends."""


def instance(D: int, K: int, R: int, order: str = "fifo", *, duplication: bool = False) -> Model:
    """Return the fixed instance at one size.

    `D` units of text an end, `K` segments a channel, `R` retransmissions an end.  `order` is "fifo",
    or "any" for channels that are bags; `duplication` lets the network copy a segment while there
    is room.  Any segment in flight may be lost.
    """
    name = f"fixed D={D} K={K} R={R} {order}" + (" duplication" if duplication else "")
    return Model(
        a=FIXED,
        b=FIXED,
        network=Network(capacity=K, order=order, loss=True, duplication=duplication, full="waits"),
        timers=Timers(time_wait="drained", user_timeout=True, fin_wait_2="orphaned"),
        application=Application(data_units=(D, D)),
        bounds=Bounds(retransmissions_max=R),
        name=name,
        title="the instance that the benchmarks compare on",
    )
