"""Switches: the readings and options of RFC 9293 and of real stacks, each a small edit of rows.

`SWITCHES[name].on(protocol)` gives the protocol with the switch on; all are off in `RFC9293`.
On the command line a switch is a parameter: `--set protocol.delayed_ack=on` for both ends,
`--set a.delayed_ack=on` for one.
"""

from __future__ import annotations

from tcpclose_model.protocol.edits import becomes, removed, rows
from tcpclose_model.protocol.effects import (
    count_fin,
    count_retransmission,
    count_text,
    count_text_with_fin,
    delay_ack,
    queue_fin,
    queue_text,
    release,
    resend_text_with_fin,
    send_ack,
    send_fin,
    send_reset,
    send_text,
    send_text_with_fin,
    start_2msl,
    take_fin,
    take_text,
    tell_user_timeout,
)
from tcpclose_model.protocol.notation import DROP, Protocol, Rule
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_ACKED_STEP,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    RST_STEP,
    SEQUENCE_STEP,
    SYNCHRONIZED,
    TEXT_STEP,
    TIME_WAIT,
    Event,
    State,
)
from tcpclose_model.protocol.words import (
    ack_is_new,
    ack_is_within,
    all_text_is_read,
    fin_is_next_to_send,
    last_unit_and_fin_are_queued,
    seg_is_acceptable,
    seg_is_at_rcv_nxt,
    seg_is_not_at_rcv_nxt,
    seg_is_not_rst,
    seg_is_rst,
    seg_starts_no_later_than_rcv_nxt,
    text_is_new,
    text_is_unread,
    text_with_fin_is_oldest,
    user_has_not_closed,
    user_is_gone,
    user_is_here,
)
from tcpclose_model.variants.switching import SWITCHES, Switch
from tcpclose_model.variants.switching import edited as _edit
from tcpclose_model.variants.switching import switch as _switch

__all__ = ["SWITCHES", "Switch"]


# Readings of the standard's ambiguities (A1 to A6) --------------------------------------------


@_switch("a reset in CLOSING or LAST-ACK is not told to the user (A1)", "3.10.7.4 second")
def silent_reset(protocol: Protocol) -> Protocol:
    """Edit: the text of 3.10.7.4 names no signal there; 3.5.3 and MUST-12 ask for one."""
    return _edit(protocol, "reset_when_closing", do=())


@_switch("the ACK field of an unacceptable or held segment is not processed (A2)", "3.10.7.4 first")
def literal_ack(protocol: Protocol) -> Protocol:
    """Edit: the first step drops the segment, as written; Appendix A.2 warns of it."""
    protocol = protocol.edit(
        rows(on=SEQUENCE_STEP, do=send_ack), becomes(then=DROP), count=3, why="drop it whole"
    )
    return _edit(protocol, "new_ack", when=(ack_is_new, seg_starts_no_later_than_rcv_nxt))


@_switch("a retransmitted FIN does not restart 2MSL (A3)", "3.10.7.4 first")
def literal_2msl(protocol: Protocol) -> Protocol:
    """Edit: the first step answers and drops it before the fifth could restart the timer.

    It makes a difference to timed models only.
    """
    return _edit(protocol, "fin_again_in_time_wait", do=send_ack)


@_switch(
    "every segment but a reset restarts 2MSL, not only a retransmitted FIN",
    "Linux tcp_timewait_state_process",
)
def any_segment_restarts_2msl(protocol: Protocol) -> Protocol:
    """Edit: whatever TIME-WAIT answers, and a pure ACK in the window, which it does not answer.

    It makes a difference to timed models only.
    """
    protocol = _edit(protocol, "fin_again_in_time_wait", do=(send_ack, start_2msl))
    protocol = _edit(protocol, "unacceptable_in_time_wait", do=(send_ack, start_2msl))
    in_window = Rule(
        "in_window_in_time_wait",
        at=TIME_WAIT,
        on=SEQUENCE_STEP,
        when=(seg_is_acceptable, seg_is_not_rst),
        do=start_2msl,
        cite="Linux tcp_timewait_state_process",
    )
    return protocol.add(in_window, why="restart whatever comes")


@_switch("a pure ACK in TIME-WAIT is answered and restarts 2MSL (A4)", "3.10.7.4 fifth")
def time_wait_answers_ack(protocol: Protocol) -> Protocol:
    """Edit: "acknowledge it, and restart the 2 MSL timeout", whatever it is."""
    answer = Rule(
        "answered_in_time_wait",
        at=TIME_WAIT,
        on=ACK_STEP,
        when=ack_is_within,
        do=(send_ack, start_2msl),
        then=DROP,
        cite="3.10.7.4 fifth",
    )
    here = rows(name="new_ack", at=TIME_WAIT)
    return protocol.edit(here, removed(), why="not here").add(answer, why="answer all")


@_switch("the side that issues a reset enters TIME-WAIT (A5)", "3.5.2, Figure 5 note 3")
def reset_issuer_waits(protocol: Protocol) -> Protocol:
    """Edit: ABORT leads to TIME-WAIT, not to CLOSED."""
    return _edit(protocol, "abort", to=TIME_WAIT)


@_switch("CLOSE leaves ESTABLISHED only when the FIN is sent (A6)", "gVisor issue 13393")
def state_changes_with_fin(protocol: Protocol) -> Protocol:
    """Edit: a FIN that waits behind text keeps the end in ESTABLISHED."""
    for name in ("close_behind_text", "shutdown_behind_text"):
        do = (queue_fin, release) if name.startswith("close") else queue_fin
        protocol = protocol.edit(
            rows(name=name),
            becomes(when=(user_has_not_closed, *protocol.rule(name).when), do=do, stays=True),
            why="not yet",
        )
    for name in ("close", "shutdown"):
        when = (user_has_not_closed, *protocol.rule(name).when)
        protocol = _edit(protocol, name, when=when)
    fin = Rule(
        "transmit_first_fin",
        at=ESTABLISHED,
        on=Event.TRANSMIT,
        when=fin_is_next_to_send,
        do=(send_fin, count_fin),
        to=FIN_WAIT_1,
        cite="gVisor issue 13393",
    )
    return protocol.add(fin, why="now")


# Options of a sender and of a receiver --------------------------------------------------------


@_switch("SEND segmentizes and sends at once; nothing waits in a queue", "3.10.2")
def send_at_once(protocol: Protocol) -> Protocol:
    """Edit: no Nagle, no window: a FIN never waits behind text."""
    return _edit(protocol, "send", do=(queue_text, send_text, count_text))


@_switch("a FIN may ride on the segment of the last unit of text", "3.7; what stacks do")
def fin_with_text(protocol: Protocol) -> Protocol:
    """Edit: 3.10.4 forms a FIN segment once all text is segmentized; segmentation is free (3.7)."""
    leads_to: dict[tuple[State, ...], State | None] = {
        (FIN_WAIT_1, CLOSING): None,
        (CLOSE_WAIT,): LAST_ACK,
    }
    if any(rule.name == "transmit_first_fin" for rule in protocol.rules):
        leads_to[ESTABLISHED,] = FIN_WAIT_1
    transmit = [
        Rule(
            "_".join(["transmit_text_with_fin_in", *(state.name.lower() for state in at)]),
            at=at,
            on=Event.TRANSMIT_WITH_FIN,
            when=last_unit_and_fin_are_queued,
            do=(send_text_with_fin, count_text_with_fin),
            to=to,
            cite="3.10.4, 3.7",
        )
        for at, to in leads_to.items()
    ]
    again = Rule(
        "retransmit_text_with_fin",
        at=protocol.rule("retransmit_fin").at,
        on=Event.RETRANSMISSION_TIMEOUT,
        when=text_with_fin_is_oldest,
        do=(resend_text_with_fin, count_retransmission),
        cite="3.10.8",
    )
    return protocol.add(*transmit, again, why="one segment for both")


@_switch("ACKs of in-order text and of a FIN in ESTABLISHED may be delayed", "3.8.6.3, MUST-58")
def delayed_ack(protocol: Protocol) -> Protocol:
    """Edit: the ACK is owed; what is sent next carries it, or the delayed-ACK timer sends it."""
    protocol = _edit(protocol, "text", do=(take_text, delay_ack))
    return _edit(protocol, "fin_in_established", do=(take_fin, delay_ack))


@_switch("text and FINs behind a hole are dropped, not held", "3.10.7.4 first: SHLD-31 not done")
def drop_out_of_order(protocol: Protocol) -> Protocol:
    """Edit: what is ahead of RCV.NXT is answered and forgotten."""
    return _edit(_edit(protocol, "text_ahead", do=send_ack), "fin_ahead", do=send_ack)


@_switch("only a RST at RCV.NXT resets; any other in the window is challenged", "RFC 5961 3.2")
def challenge_ack(protocol: Protocol) -> Protocol:
    """Edit: the three checks of RFC 5961 for RST."""
    for name in ("reset", "reset_when_closing", "reset_in_time_wait"):
        protocol = _edit(protocol, name, when=(seg_is_rst, seg_is_at_rcv_nxt))
    challenge = Rule(
        "challenge",
        at=SYNCHRONIZED,
        on=RST_STEP,
        when=(seg_is_rst, seg_is_not_at_rcv_nxt),
        do=send_ack,
        then=DROP,
        cite="RFC 5961 3.2",
    )
    return protocol.add(challenge, why="challenge ACK")


# What real stacks do beyond the standard ------------------------------------------------------


@_switch("CLOSED answers nothing", "FreeBSD tcp(4) blackhole; Windows stealth mode")
def silent_closed(protocol: Protocol) -> Protocol:
    """Edit: no reset from CLOSED."""
    return _edit(protocol, "reset_from_closed", do=())


@_switch("FIN-WAIT-2 ends by a timeout once the user is gone", "Linux tcp_fin_timeout; FreeBSD")
def fin_wait_2_timeout(protocol: Protocol) -> Protocol:
    """Edit: an orphan in FIN-WAIT-2 gives up waiting for the peer's FIN."""
    timeout = Rule(
        "fin_wait_2_timeout",
        at=FIN_WAIT_2,
        on=Event.FIN_WAIT_2_TIMEOUT,
        when=user_is_gone,
        to=CLOSED,
        cite="Linux ip-sysctl tcp_fin_timeout",
    )
    return protocol.add(timeout, why="not in RFC 9293")


@_switch("FIN-WAIT-2 is skipped once the user is gone", "Linux TCP_LINGER2 = -1")
def no_fin_wait_2(protocol: Protocol) -> Protocol:
    """Edit: the ACK of an orphan's FIN deletes the TCB."""
    when = protocol.rule("fin_acked_in_fin_wait_1").when
    protocol = _edit(protocol, "fin_acked_in_fin_wait_1", when=(*when, user_is_here))
    orphan = Rule(
        "orphan_fin_acked",
        at=FIN_WAIT_1,
        on=FIN_ACKED_STEP,
        when=(*when, user_is_gone),
        to=CLOSED,
        cite="Linux tcp(7) TCP_LINGER2",
    )
    return protocol.add(orphan, why="not in RFC 9293")


@_switch("giving up after R2 sends a reset", "Linux tcp_max_orphans, tcp_out_of_resources")
def user_timeout_resets(protocol: Protocol) -> Protocol:
    """Edit: 3.10.8 sends nothing; a stack short of memory resets its orphans."""
    return _edit(protocol, "user_timeout", do=(send_reset, tell_user_timeout))


@_switch("text that arrives after CLOSE is answered with a reset", "3.6.1 MAY-1, SHLD-3; Linux")
def half_duplex_close(protocol: Protocol) -> Protocol:
    """Edit: nobody would read it; a SHUTDOWN still lets it in."""
    for name in ("text", "text_ahead"):
        protocol = protocol.edit(
            rows(name=name, at=(FIN_WAIT_1, FIN_WAIT_2)),
            becomes(when=(*protocol.rule(name).when, user_is_here)),
            why="only for a user who is there",
        )
    refusal = Rule(
        "text_after_close",
        at=(FIN_WAIT_1, FIN_WAIT_2),
        on=TEXT_STEP,
        when=(text_is_new, user_is_gone),
        do=send_reset,
        to=CLOSED,
        cite="3.6.1 SHLD-3",
    )
    return protocol.add(refusal, why="to show that data was lost")


@_switch("CLOSE with text unread sends a reset, not a FIN", "3.6.1 SHLD-3; RFC 2525 2.17; Linux")
def reset_on_unread(protocol: Protocol) -> Protocol:
    """Edit: closing without having read everything aborts."""
    names = ("close", "close_behind_text", "close_after_peer", "close_after_peer_behind_text")
    for name in names:
        when = (*protocol.rule(name).when, all_text_is_read)
        protocol = _edit(protocol, name, when=when)
    abort = Rule(
        "close_with_text_unread",
        at=(ESTABLISHED, CLOSE_WAIT),
        on=Event.CLOSE,
        when=(user_has_not_closed, text_is_unread),
        do=send_reset,
        to=CLOSED,
        cite="3.6.1 SHLD-3",
    )
    return protocol.add(abort, why="to show that data was lost")


@_switch("a RST is ignored in TIME-WAIT (F1)", "RFC 1337 F1; Linux tcp_rfc1337=1")
def rfc1337(protocol: Protocol) -> Protocol:
    """Edit: TIME-WAIT cannot be assassinated."""
    return _edit(protocol, "reset_in_time_wait", stays=True, then=DROP)


@_switch("TIME-WAIT is skipped", "Linux tcp_max_tw_buckets=0; FreeBSD nolocaltimewait")
def no_time_wait(protocol: Protocol) -> Protocol:
    """Edit: where TIME-WAIT would begin, the TCB is deleted."""
    into = rows(to=TIME_WAIT)
    count = len(into.chosen(protocol.rules))
    return protocol.edit(into, becomes(to=CLOSED), count=count, why="skip 2MSL")


# Their order counts: those of the other parts are made after the ones above.
from tcpclose_model.variants import opening_switches as _o  # noqa: E402, F401  # registers them
from tcpclose_model.variants import stack_switches as _  # noqa: E402, F401  # registers them
from tcpclose_model.variants import windows as _w  # noqa: E402, F401  # registers them

# These are about rows that those of stacks have made.
# isort: split
from tcpclose_model.variants import linux_switches as _l  # noqa: E402, F401  # registers them

# These change every row of the first step, and then every row about a SYN.
# isort: split
from tcpclose_model.variants import timestamp_switches as _t  # noqa: E402, F401  # registers them

# isort: split
from tcpclose_model.variants import syn_switches as _s  # noqa: E402, F401  # registers them
