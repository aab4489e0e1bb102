"""Opening a connection again, as rows that are added to a table: RFC 9293 from CLOSED on.

Clauses are as in `rules`.  Text and FINs do not ride on a SYN, and a user sends and closes only
once the connection is established; 3.10.4 queues a CLOSE in SYN-RECEIVED until then.
"""

from __future__ import annotations

from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import (
    count_retransmission,
    send_ack,
    send_reset,
    send_reset_for,
    take_ack,
    tell_abort_ok,
    tell_user_timeout,
)
from tcpclose_model.protocol.notation import (
    DROP,
    DROPS,
    IGNORES,
    PASSES_ON,
    UNREACHABLE,
    Otherwise,
    Protocol,
    Rule,
)
from tcpclose_model.protocol.opening_words import (
    ack_bit_is_off,
    ack_bit_is_on,
    ack_is_acceptable,
    ack_is_bad,
    ack_is_not_new,
    back_to_listen,
    came_from_listen,
    came_from_syn_sent,
    listen,
    seg_has_syn,
    seg_is_first_syn,
    select_iss,
    send_reset_for_syn,
    send_syn,
    send_syn_ack,
    start_afresh,
    take_syn,
    tell_refused,
)
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSED,
    CLOSED_STEP,
    ESTABLISHED,
    FIN_ACKED_STEP,
    FIN_STEP,
    HELD_TEXT_STEP,
    LISTEN,
    LISTEN_STEP,
    LOCAL_EVENTS,
    OPENING,
    RST_STEP,
    SEQUENCE_STEP,
    SYN_RECEIVED,
    SYN_SENT,
    SYN_SENT_STEP,
    SYN_STEP,
    SYNCHRONIZED,
    TEXT_STEP,
    Event,
)
from tcpclose_model.protocol.words import (
    ack_is_new,
    seg_is_at_rcv_nxt,
    seg_is_not_at_rcv_nxt,
    seg_is_not_rst,
    seg_is_rst,
    seg_is_unacceptable,
)

OPEN_ACTIVE, OPEN_PASSIVE = Event.OPEN_ACTIVE, Event.OPEN_PASSIVE
CLOSE, ABORT = Event.CLOSE, Event.ABORT
RETRANSMISSION, USER_TIMEOUT = Event.RETRANSMISSION_TIMEOUT, Event.USER_TIMEOUT

# fmt: off
USER_CALLS = (
    # OPEN, from CLOSED alone: "error: connection already exists" everywhere else.
    Rule("open_active",  at=CLOSED, on=OPEN_ACTIVE,  do=(start_afresh, select_iss, send_syn), to=SYN_SENT, cite="3.10.1"),
    Rule("open_passive", at=CLOSED, on=OPEN_PASSIVE, do=(start_afresh, listen),               to=LISTEN,   cite="3.10.1"),

    # CLOSE and ABORT before anything is agreed upon delete the TCB, and the peer is not told.
    Rule("close_when_opening",   at=(LISTEN, SYN_SENT), on=CLOSE,                                  to=CLOSED, cite="3.10.4"),
    Rule("abort_when_opening",   at=(LISTEN, SYN_SENT), on=ABORT, do=tell_abort_ok,                to=CLOSED, cite="3.10.5"),
    Rule("abort_in_syn_received", at=SYN_RECEIVED,      on=ABORT, do=(send_reset, tell_abort_ok),  to=CLOSED, cite="3.10.5"),
)

SEGMENT_ARRIVES = (
    # LISTEN: no reset could be meant for us, any acknowledgment is bad, a SYN is what we wait for.
    Rule("ack_in_listen", at=LISTEN, on=LISTEN_STEP, when=(seg_is_not_rst, ack_bit_is_on), do=send_reset_for,                       then=DROP, cite="3.10.7.2 second"),
    Rule("syn_in_listen", at=LISTEN, on=LISTEN_STEP, when=seg_is_first_syn,                do=(take_syn, select_iss, send_syn_ack), to=SYN_RECEIVED, then=DROP, cite="3.10.7.2 third"),

    # SYN-SENT: our SYN is out; only an answer to it, or the peer's own SYN, counts.
    Rule("bad_ack_in_syn_sent", at=SYN_SENT, on=SYN_SENT_STEP, when=(seg_is_not_rst, ack_is_bad),                     do=send_reset_for,                 then=DROP, cite="3.10.7.3 first"),
    Rule("refused_in_syn_sent", at=SYN_SENT, on=SYN_SENT_STEP, when=(seg_is_rst, ack_is_acceptable),                  do=tell_refused,                   to=CLOSED, then=DROP, cite="3.10.7.3 second"),
    Rule("syn_ack_in_syn_sent", at=SYN_SENT, on=SYN_SENT_STEP, when=(seg_is_not_rst, seg_has_syn, ack_is_acceptable), do=(take_syn, take_ack, send_ack), to=ESTABLISHED, then=DROP, cite="3.10.7.3 fourth"),
    Rule("syn_in_syn_sent",     at=SYN_SENT, on=SYN_SENT_STEP, when=seg_is_first_syn,                                 do=(take_syn, send_syn_ack),       to=SYN_RECEIVED, then=DROP, cite="3.10.7.3 fourth, 3.5 Figure 7"),

    # SYN-RECEIVED: both SYNs are out; ours is not yet acknowledged.
    Rule("unacceptable_in_syn_received",     at=SYN_RECEIVED, on=SEQUENCE_STEP, when=(seg_is_unacceptable, seg_is_not_rst), do=send_ack, then=DROP, cite="3.10.7.4 first"),
    Rule("unacceptable_rst_in_syn_received", at=SYN_RECEIVED, on=SEQUENCE_STEP, when=(seg_is_unacceptable, seg_is_rst),                  then=DROP, cite="3.10.7.4 first"),
    Rule("reset_to_listen",         at=SYN_RECEIVED, on=RST_STEP, when=(seg_is_rst, came_from_listen),    do=back_to_listen, to=LISTEN, then=DROP, cite="3.10.7.4 second"),
    Rule("refused_in_syn_received", at=SYN_RECEIVED, on=RST_STEP, when=(seg_is_rst, came_from_syn_sent),  do=tell_refused,   to=CLOSED,            cite="3.10.7.4 second"),
    Rule("syn_back_to_listen",      at=SYN_RECEIVED, on=SYN_STEP, when=(seg_has_syn, came_from_listen),   do=back_to_listen, to=LISTEN, then=DROP, cite="3.10.7.4 fourth"),
    Rule("syn_in_syn_received",     at=SYN_RECEIVED, on=SYN_STEP, when=(seg_has_syn, came_from_syn_sent), do=send_ack,                  then=DROP, cite="3.10.7.4 fourth"),
    Rule("syn_is_acked",            at=SYN_RECEIVED, on=ACK_STEP, when=ack_is_new,     do=take_ack, to=ESTABLISHED, cite="3.10.7.4 fifth"),
    Rule("bad_ack_in_syn_received", at=SYN_RECEIVED, on=ACK_STEP, when=ack_is_not_new, do=send_reset_for, then=DROP, cite="3.10.7.4 fifth"),

    # A SYN where the connection is synchronized is challenged, whatever its number (RFC 5961 4).
    Rule("syn_is_challenged", at=SYNCHRONIZED, on=SYN_STEP, when=seg_has_syn, do=send_ack, then=DROP, cite="3.10.7.4 fourth, RFC 5961 4.2"),
)

TIMEOUTS = (
    # The SYN is sent again like anything else; R2 gives up opening (MUST-23).
    Rule("retransmit_syn",     at=SYN_SENT,     on=RETRANSMISSION, do=(send_syn, count_retransmission),     cite="3.10.8"),
    Rule("retransmit_syn_ack", at=SYN_RECEIVED, on=RETRANSMISSION, do=(send_syn_ack, count_retransmission), cite="3.10.8"),
    Rule("user_timeout_when_opening", at=(SYN_SENT, SYN_RECEIVED), on=USER_TIMEOUT, do=tell_user_timeout, to=CLOSED, cite="3.10.8, 3.8.3 MUST-23"),
)

STEPS_FROM_SEQUENCE = (SEQUENCE_STEP, RST_STEP, SYN_STEP, ACK_STEP, FIN_ACKED_STEP, TEXT_STEP, HELD_TEXT_STEP, FIN_STEP)
STEPS_AFTER_ACK = (FIN_ACKED_STEP, TEXT_STEP, HELD_TEXT_STEP, FIN_STEP)
CELLS = (
    Otherwise(IGNORES,     at=OPENING,      on=LOCAL_EVENTS,        why="not enabled, or queued by the user until the connection is established", cite="3.10.1 to 3.10.5, 3.10.8"),
    Otherwise(PASSES_ON,   at=OPENING,      on=CLOSED_STEP,         why="there is a TCB",                                cite="3.10.7"),
    Otherwise(DROPS,       at=LISTEN,       on=LISTEN_STEP,         why="an incoming RST should be ignored; nothing else can arrive", cite="3.10.7.2 first, fourth"),
    Otherwise(UNREACHABLE, at=LISTEN,       on=(SYN_SENT_STEP, *STEPS_FROM_SEQUENCE), why="an arrival in LISTEN ends there", cite="3.10.7.2"),
    Otherwise(PASSES_ON,   at=(SYN_SENT, SYN_RECEIVED), on=LISTEN_STEP, why="another state",                              cite="3.10.7"),
    Otherwise(DROPS,       at=SYN_SENT,     on=SYN_SENT_STEP,       why="neither SYN nor RST, or a RST without an acceptable ACK", cite="3.10.7.3 first, second, fifth"),
    Otherwise(UNREACHABLE, at=SYN_SENT,     on=STEPS_FROM_SEQUENCE, why="an arrival in SYN-SENT ends there",             cite="3.10.7.3"),
    Otherwise(PASSES_ON,   at=SYN_RECEIVED, on=SYN_SENT_STEP,       why="another state",                                 cite="3.10.7"),
    Otherwise(PASSES_ON,   at=SYN_RECEIVED, on=(SEQUENCE_STEP, RST_STEP, SYN_STEP), why="acceptable, no RST, no SYN",    cite="3.10.7.4"),
    Otherwise(DROPS,       at=SYN_RECEIVED, on=ACK_STEP,            why="if the ACK bit is off drop the segment",        cite="3.10.7.4 fifth"),
    Otherwise(UNREACHABLE, at=SYN_RECEIVED, on=STEPS_AFTER_ACK,     why="the fifth step leaves SYN-RECEIVED or drops the segment", cite="3.10.7.4 fifth"),
)
# fmt: on

GHOST_INC_MAX = 3
"""The largest number of an incarnation that the TCB's field has room for; models bound it lower."""

ISS_MAX = 65_535


def with_opening(table: Protocol) -> Protocol:
    """Return the table with the rows, cells and fields of opening."""
    table = (
        table.with_field("inc", GHOST_INC_MAX, kept=True, stamped=True)
        .with_field("passive", 1)
        .with_field("iss", ISS_MAX, kept=True)
    )
    closed = table.rule("reset_from_closed")
    answer = (send_reset_for_syn,) if closed.do else ()
    table = table.edit(
        rows(name=closed.name),
        becomes(when=(*closed.when, ack_bit_is_on)),
        why="a segment without an ACK has no number to answer with",
    )
    syn = Rule(
        "reset_syn_from_closed",
        at=CLOSED,
        on=CLOSED_STEP,
        when=(*closed.when, ack_bit_is_off),
        do=answer,
        cite="3.10.7.1",
    )
    added = (*USER_CALLS, *SEGMENT_ARRIVES, *TIMEOUTS, syn)
    table = table.add(*added, why="opening").declare(*CELLS, why="opening")
    challenges = any(rule.name == "challenge" for rule in table.rules)
    return _with_challenge(table) if challenges else table


def _with_challenge(table: Protocol) -> Protocol:
    """Return the table in which SYN-RECEIVED, too, takes a RST at RCV.NXT alone (RFC 5961 3.2)."""
    for name in ("reset_to_listen", "refused_in_syn_received"):
        when = (*table.rule(name).when, seg_is_at_rcv_nxt)
        table = table.edit(rows(name=name), becomes(when=when), why="an exact RST only")
    challenge = Rule(
        "challenge_in_syn_received",
        at=SYN_RECEIVED,
        on=RST_STEP,
        when=(seg_is_rst, seg_is_not_at_rcv_nxt),
        do=send_ack,
        then=DROP,
        cite="RFC 5961 3.2",
    )
    return table.add(challenge, why="challenge ACK")
