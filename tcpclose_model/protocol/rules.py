"""RFC 9293 as rows: what one end does from ESTABLISHED to CLOSED.

Clauses are sections of RFC 9293 (STD 7) unless another document is named; within 3.10.7.4 the
ordinal ("fifth") is the standard's own step.  Where the standard is silent, ambiguous or gives a
choice, the row says what the default model does and `variants.switches` holds the other reading.
"""

from __future__ import annotations

from tcpclose_model.protocol.effects import (
    count_fin,
    count_retransmission,
    count_text,
    forget_all,
    hold_fin,
    hold_text,
    queue_fin,
    queue_text,
    read_one,
    release,
    resend_fin,
    resend_text,
    send_ack,
    send_fin,
    send_reset,
    send_reset_for,
    send_text,
    start_2msl,
    take_ack,
    take_fin,
    take_held_text,
    take_text,
    tell_abort_ok,
    tell_reset,
    tell_user_timeout,
)
from tcpclose_model.protocol.notation import (
    AGAIN,
    DROP,
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
    HELD_TEXT_STEP,
    LAST_ACK,
    LISTEN_STEP,
    LOCAL_EVENTS,
    OPENING,
    RST_STEP,
    SEQUENCE_STEP,
    SYN_SENT_STEP,
    SYN_STEP,
    SYNCHRONIZED,
    TEXT_STEP,
    TIME_WAIT,
    Event,
    Step,
)
from tcpclose_model.protocol.words import (
    ack_is_beyond,
    ack_is_new,
    an_ack_is_due,
    fin_is_ahead,
    fin_is_next,
    fin_is_next_to_send,
    fin_is_oldest,
    held_text_is_next,
    no_text_is_queued,
    our_fin_is_acked,
    seg_has_fin,
    seg_has_no_fin,
    seg_is_not_rst,
    seg_is_rst,
    seg_is_unacceptable,
    something_is_unacknowledged,
    text_is_ahead,
    text_is_next,
    text_is_oldest,
    text_is_queued,
    text_is_unread,
    user_has_not_closed,
)

CLOSE, SHUTDOWN, SEND = Event.CLOSE, Event.SHUTDOWN, Event.SEND
RECEIVE, ABORT, CRASH = Event.RECEIVE, Event.ABORT, Event.CRASH
TRANSMIT = Event.TRANSMIT
RETRANSMISSION, USER_TIMEOUT = Event.RETRANSMISSION_TIMEOUT, Event.USER_TIMEOUT
TWO_MSL, DELAYED_ACK = Event.TIME_WAIT_TIMEOUT, Event.DELAYED_ACK_TIMEOUT

MAY_SEND = (ESTABLISHED, CLOSE_WAIT)
MAY_RECEIVE = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)
MAY_READ = (*MAY_RECEIVE, CLOSE_WAIT)
WITH_QUEUE = (ESTABLISHED, FIN_WAIT_1, CLOSING, CLOSE_WAIT)
WITH_UNACKED = (*WITH_QUEUE, LAST_ACK)
NOT_TIME_WAIT = tuple(state for state in SYNCHRONIZED if state is not TIME_WAIT)
TOLD_OF_RESET = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT)
FIN_TAKEN = (CLOSING, TIME_WAIT, CLOSE_WAIT, LAST_ACK)

# fmt: off
USER_CALLS = (
    # SEND puts text behind the queue; it is segmentized by TRANSMIT, now or later.
    Rule("send", at=MAY_SEND, on=SEND, when=user_has_not_closed, do=queue_text, cite="3.10.2"),

    # RECEIVE hands over text that has been taken, in half-closed states too.
    Rule("receive", at=MAY_READ, on=RECEIVE, when=text_is_unread, do=read_one, cite="3.10.3"),

    # CLOSE from ESTABLISHED: "in any case, enter FIN-WAIT-1", even if the FIN waits behind text.
    Rule("close",               at=ESTABLISHED, on=CLOSE,    when=no_text_is_queued,                        do=(queue_fin, release, send_fin, count_fin), to=FIN_WAIT_1, cite="3.10.4"),
    Rule("close_behind_text",   at=ESTABLISHED, on=CLOSE,    when=text_is_queued,                           do=(queue_fin, release),                      to=FIN_WAIT_1, cite="3.10.4"),
    Rule("shutdown",            at=ESTABLISHED, on=SHUTDOWN, when=no_text_is_queued,                        do=(queue_fin, send_fin, count_fin),          to=FIN_WAIT_1, cite="3.10.4, 3.6.1"),
    Rule("shutdown_behind_text", at=ESTABLISHED, on=SHUTDOWN, when=text_is_queued,                          do=queue_fin,                                 to=FIN_WAIT_1, cite="3.10.4, 3.6.1"),

    # CLOSE from CLOSE-WAIT: "queue this request until all preceding SENDs have been segmentized;
    # then send a FIN segment, enter LAST-ACK": the state changes with the FIN, not before it.
    Rule("close_after_peer",             at=CLOSE_WAIT, on=CLOSE,    when=(user_has_not_closed, no_text_is_queued), do=(queue_fin, release, send_fin, count_fin), to=LAST_ACK, cite="3.10.4"),
    Rule("close_after_peer_behind_text", at=CLOSE_WAIT, on=CLOSE,    when=(user_has_not_closed, text_is_queued),    do=(queue_fin, release),                                   cite="3.10.4"),
    Rule("shutdown_after_peer",          at=CLOSE_WAIT, on=SHUTDOWN, when=(user_has_not_closed, no_text_is_queued), do=(queue_fin, send_fin, count_fin),          to=LAST_ACK, cite="3.10.4, 3.6.1"),
    Rule("shutdown_after_peer_behind_text", at=CLOSE_WAIT, on=SHUTDOWN, when=(user_has_not_closed, text_is_queued), do=queue_fin,                                              cite="3.10.4, 3.6.1"),

    # CLOSE again, after a SHUTDOWN: "ok", and no second FIN.
    Rule("close_again", at=(FIN_WAIT_1, FIN_WAIT_2), on=CLOSE, do=release, cite="3.10.4"),

    # ABORT: reset the peer, unless both FINs are out.
    Rule("abort",         at=TOLD_OF_RESET,                  on=ABORT, do=(send_reset, tell_abort_ok), to=CLOSED, cite="3.10.5"),
    Rule("abort_quietly", at=(CLOSING, TIME_WAIT, LAST_ACK), on=ABORT, do=tell_abort_ok,               to=CLOSED, cite="3.10.5"),
)

FAULTS = (
    # A host that crashes forgets the connection without a word; once it is up again it answers from
    # CLOSED, and its peer is half open until then.
    Rule("crash", at=SYNCHRONIZED, on=CRASH, do=forget_all, to=CLOSED, cite="3.5.1"),
)

OUTPUT = (
    # What is queued is segmentized and sent, text first, the FIN behind it in a segment of its own.
    Rule("transmit_text",  at=WITH_QUEUE, on=TRANSMIT, when=text_is_queued, do=(send_text, count_text), cite="3.10.2"),
    Rule("transmit_fin",   at=(FIN_WAIT_1, CLOSING), on=TRANSMIT, when=fin_is_next_to_send, do=(send_fin, count_fin),              cite="3.10.4"),
    Rule("transmit_last_fin", at=CLOSE_WAIT,         on=TRANSMIT, when=fin_is_next_to_send, do=(send_fin, count_fin), to=LAST_ACK, cite="3.10.4"),
)

SEGMENT_ARRIVES = (
    # CLOSED: there is no TCB; anything but a reset is answered with one.
    Rule("reset_from_closed", at=CLOSED, on=CLOSED_STEP, when=seg_is_not_rst, do=send_reset_for, cite="3.10.7.1"),

    # First, the sequence number: what is not acceptable is answered with an ACK.  Its ACK field is
    # processed all the same (Appendix A.2); its text and FIN are old and fit no later row.
    Rule("unacceptable",     at=NOT_TIME_WAIT, on=SEQUENCE_STEP, when=(seg_is_unacceptable, seg_is_not_rst), do=send_ack, cite="3.10.7.4 first, A.2"),
    Rule("unacceptable_rst", at=SYNCHRONIZED,  on=SEQUENCE_STEP, when=(seg_is_unacceptable, seg_is_rst), then=DROP, cite="3.10.7.4 first"),
    # TIME-WAIT: a retransmission of the peer's FIN is what this state is for.
    Rule("fin_again_in_time_wait",    at=TIME_WAIT, on=SEQUENCE_STEP, when=(seg_is_unacceptable, seg_is_not_rst, seg_has_fin),    do=(send_ack, start_2msl), cite="3.10.7.4 fifth"),
    Rule("unacceptable_in_time_wait", at=TIME_WAIT, on=SEQUENCE_STEP, when=(seg_is_unacceptable, seg_is_not_rst, seg_has_no_fin), do=send_ack,               cite="3.10.7.4 first"),

    # Second, the RST bit.
    Rule("reset",              at=TOLD_OF_RESET,       on=RST_STEP, when=seg_is_rst, do=tell_reset, to=CLOSED, cite="3.10.7.4 second"),
    Rule("reset_when_closing", at=(CLOSING, LAST_ACK), on=RST_STEP, when=seg_is_rst, do=tell_reset, to=CLOSED, cite="3.10.7.4 second, 3.5.3, MUST-12"),
    Rule("reset_in_time_wait", at=TIME_WAIT,           on=RST_STEP, when=seg_is_rst,                to=CLOSED, cite="3.10.7.4 second"),

    # Fifth, the ACK field.
    Rule("ack_beyond", at=SYNCHRONIZED, on=ACK_STEP, when=ack_is_beyond, do=send_ack, then=DROP, cite="3.10.7.4 fifth"),
    Rule("new_ack",    at=SYNCHRONIZED, on=ACK_STEP, when=ack_is_new,    do=take_ack,            cite="3.10.7.4 fifth"),
    # FIN-WAIT-1: our FIN is out and not yet acknowledged.
    Rule("fin_acked_in_fin_wait_1", at=FIN_WAIT_1, on=FIN_ACKED_STEP, when=our_fin_is_acked,                to=FIN_WAIT_2, cite="3.10.7.4 fifth"),
    # CLOSING: both FINs are out; ours is not yet acknowledged.
    Rule("fin_acked_in_closing",    at=CLOSING,    on=FIN_ACKED_STEP, when=our_fin_is_acked, do=start_2msl, to=TIME_WAIT,  cite="3.10.7.4 fifth"),
    # LAST-ACK: the peer has closed and so have we; only the ACK of our FIN is missing.
    Rule("fin_acked_in_last_ack",   at=LAST_ACK,   on=FIN_ACKED_STEP, when=our_fin_is_acked,                to=CLOSED,     cite="3.10.7.4 fifth"),

    # Seventh, the text: taken in order, held out of order (SHLD-31) and acknowledged (MAY-13).
    Rule("text",       at=MAY_RECEIVE, on=TEXT_STEP, when=text_is_next,  do=(take_text, send_ack), cite="3.10.7.4 seventh"),
    Rule("text_ahead", at=MAY_RECEIVE, on=TEXT_STEP, when=text_is_ahead, do=(hold_text, send_ack), cite="3.10.7.4 first, SHLD-31, MAY-13"),
    Rule("held_text",  at=MAY_RECEIVE, on=HELD_TEXT_STEP, when=held_text_is_next, do=(take_held_text, send_ack), then=AGAIN, cite="3.10.7.4 seventh"),

    # Eighth, the FIN.
    Rule("fin_ahead",          at=MAY_RECEIVE, on=FIN_STEP, when=fin_is_ahead, do=(hold_fin, send_ack),                                cite="3.10.7.4 first, SHLD-31, MAY-13"),
    Rule("fin_in_established", at=ESTABLISHED, on=FIN_STEP, when=fin_is_next,  do=(take_fin, send_ack),             to=CLOSE_WAIT, cite="3.10.7.4 eighth"),
    Rule("fin_in_fin_wait_1",  at=FIN_WAIT_1,  on=FIN_STEP, when=fin_is_next,  do=(take_fin, send_ack),             to=CLOSING,    cite="3.10.7.4 eighth"),
    Rule("fin_in_fin_wait_2",  at=FIN_WAIT_2,  on=FIN_STEP, when=fin_is_next,  do=(take_fin, send_ack, start_2msl), to=TIME_WAIT,  cite="3.10.7.4 eighth"),
)

TIMEOUTS = (
    # The segment at the front of the retransmission queue is sent again, and only that one.
    Rule("retransmit_text",          at=WITH_UNACKED, on=RETRANSMISSION, when=text_is_oldest,          do=(resend_text, count_retransmission),          cite="3.10.8"),
    Rule("retransmit_fin",           at=WITH_UNACKED, on=RETRANSMISSION, when=fin_is_oldest,           do=(resend_fin, count_retransmission),           cite="3.10.8"),

    # R2: give up, tell the user, send nothing.
    Rule("user_timeout", at=WITH_UNACKED, on=USER_TIMEOUT, when=something_is_unacknowledged, do=tell_user_timeout, to=CLOSED, cite="3.10.8, 3.8.3"),

    # TIME-WAIT is over.
    Rule("time_wait_timeout", at=TIME_WAIT, on=TWO_MSL, to=CLOSED, cite="3.10.8, 3.6.1 MUST-13"),

    # A delayed ACK goes out by itself when nothing has carried it (only where a switch delays).
    Rule("delayed_ack", at=SYNCHRONIZED, on=DELAYED_ACK, when=an_ack_is_due, do=send_ack, cite="3.8.6.3"),
)

STEPS_AFTER_ACK = (TEXT_STEP, HELD_TEXT_STEP, FIN_STEP)
CELLS = (
    Otherwise(IGNORES,     at=CLOSED,       on=LOCAL_EVENTS,   why="the TCB is gone",                            cite="3.10.2 to 3.10.5"),
    Otherwise(IGNORES,     at=SYNCHRONIZED, on=LOCAL_EVENTS,   why="not enabled, or an error that changes nothing", cite="3.10.2 to 3.10.5, 3.10.8"),
    Otherwise(DROPS,       at=CLOSED,       on=CLOSED_STEP,    why="a segment containing a RST is discarded",    cite="3.10.7.1"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED, on=CLOSED_STEP,    why="there is a TCB",                             cite="3.10.7.4"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED, on=(LISTEN_STEP, SYN_SENT_STEP), why="the connection is synchronized", cite="3.10.7.4"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED, on=SEQUENCE_STEP,  why="acceptable",                                 cite="3.10.7.4 first"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED, on=RST_STEP,       why="no RST bit",                                 cite="3.10.7.4 second"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED, on=SYN_STEP,       why="no SYN bit",                                 cite="3.10.7.4 fourth"),
    Otherwise(PASSES_ON,   at=SYNCHRONIZED, on=ACK_STEP,       why="a duplicate ACK can be ignored",             cite="3.10.7.4 fifth"),
    Otherwise(PASSES_ON,   at=(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, LAST_ACK, TIME_WAIT), on=FIN_ACKED_STEP, why="no FIN of ours is newly acknowledged", cite="3.10.7.4 fifth"),
    Otherwise(DROPS,       at=CLOSING,      on=FIN_ACKED_STEP, why="otherwise, ignore the segment",              cite="3.10.7.4 fifth"),
    Otherwise(PASSES_ON,   at=MAY_RECEIVE,  on=STEPS_AFTER_ACK, why="no text or FIN that is new",                cite="3.10.7.4 seventh, eighth"),
    Otherwise(PASSES_ON,   at=FIN_TAKEN,    on=STEPS_AFTER_ACK, why="the peer's FIN has been taken: ignore text, remain in the state", cite="3.10.7.4 seventh, eighth"),
    Otherwise(UNREACHABLE, at=CLOSED,       on=(LISTEN_STEP, SYN_SENT_STEP, SEQUENCE_STEP, RST_STEP, SYN_STEP, ACK_STEP, FIN_ACKED_STEP, *STEPS_AFTER_ACK), why="an arrival ends when the TCB is deleted", cite="3.10.7.4"),
    Otherwise(UNREACHABLE, at=OPENING,      on=(*LOCAL_EVENTS, *Step), why="no connection is opened: a run starts ESTABLISHED", cite="3.3.2"),
)
# fmt: on

RFC9293 = Protocol("rfc9293", USER_CALLS + FAULTS + OUTPUT + SEGMENT_ARRIVES + TIMEOUTS, CELLS)
"""The default reading of RFC 9293; `variants.switches` holds the other readings."""
