"""Switches: where Linux was seen to depart from the standard by playing runs against it.

docs/linux.md has the runs.  Imported by `switches`, and only there: the order in which switches
are registered counts.
"""

from __future__ import annotations

from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import (
    count_fin,
    count_retransmission,
    count_text,
    count_text_with_fin,
    release,
    resend_text_with_fin,
    send_fin,
    send_reset,
    send_text,
    send_text_with_fin,
    tell_abort_ok,
)
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    SEQUENCE_STEP,
    TIME_WAIT,
    Event,
)
from tcpclose_model.protocol.words import (
    Predicate,
    all_text_is_read,
    fin_is_next_to_send,
    last_unit_and_fin_are_queued,
    seg_is_rst,
    seg_is_unacceptable,
    text_is_oldest,
    text_is_queued,
    text_is_unread,
    user_is_here,
)
from tcpclose_model.variants.stack_words import (
    fin_has_been_sent,
    fin_has_not_been_sent,
    fin_is_behind_the_oldest,
    fin_is_not_behind_the_oldest,
    seg_does_not_ack_an_orphan,
    seg_does_not_ack_our_fin,
    seg_is_elsewhere,
    seg_is_just_below_rcv_nxt,
)
from tcpclose_model.variants.switching import edited, switch


@switch("a RST just below RCV.NXT resets once the peer's FIN is taken", "Linux tcp_reset_check")
def reset_behind_fin(protocol: Protocol) -> Protocol:
    """Edit: some stacks number a reset after a FIN as if the FIN had none."""
    refused = rows(name="unacceptable_rst", at=(CLOSE_WAIT, CLOSING, LAST_ACK))
    when = protocol.rule("unacceptable_rst").when
    protocol = protocol.edit(refused, becomes(when=(*when, seg_is_elsewhere)), why="not just below")
    made = [
        Rule(
            name,
            at=at,
            on=SEQUENCE_STEP,
            when=(seg_is_unacceptable, seg_is_rst, seg_is_just_below_rcv_nxt),
            do=protocol.rule(like).do,
            to=CLOSED,
            cite="Linux tcp_reset_check",
        )
        for name, at, like in (
            ("reset_behind_fin", CLOSE_WAIT, "reset"),
            ("reset_behind_fin_when_closing", (CLOSING, LAST_ACK), "reset_when_closing"),
        )
    ]
    return protocol.add(*made, why="taken for one that is exact")


@switch("CLOSE in CLOSE-WAIT enters LAST-ACK at once, before the FIN is sent", "Linux tcp_close")
def last_ack_before_fin(protocol: Protocol) -> Protocol:
    """Edit: 3.10.4 stays in CLOSE-WAIT until the text before the FIN has been segmentized."""
    for name in ("close_after_peer_behind_text", "shutdown_after_peer_behind_text"):
        protocol = edited(protocol, name, to=LAST_ACK)
    transmit = [
        Rule(
            "transmit_text_in_last_ack",
            at=LAST_ACK,
            on=Event.TRANSMIT,
            when=text_is_queued,
            do=(send_text, count_text),
            cite="3.10.2; Linux tcp_close",
        ),
        Rule(
            "transmit_fin_in_last_ack",
            at=LAST_ACK,
            on=Event.TRANSMIT,
            when=fin_is_next_to_send,
            do=(send_fin, count_fin),
            cite="3.10.4; Linux tcp_close",
        ),
    ]
    if any(rule.on is Event.TRANSMIT_WITH_FIN for rule in protocol.rules):
        transmit.append(
            Rule(
                "transmit_text_with_fin_in_last_ack",
                at=LAST_ACK,
                on=Event.TRANSMIT_WITH_FIN,
                when=last_unit_and_fin_are_queued,
                do=(send_text_with_fin, count_text_with_fin),
                cite="3.10.4, 3.7; Linux tcp_close",
            )
        )
    return protocol.add(*transmit, why="what is queued is sent all the same")


@switch("ABORT in CLOSING or LAST-ACK resets while the FIN is unsent", "Linux tcp_disconnect")
def abort_resets_before_fin(protocol: Protocol) -> Protocol:
    """Edit: 3.10.5 sends nothing there."""
    when = protocol.rule("abort_quietly").when
    here = rows(name="abort_quietly", at=(CLOSING, LAST_ACK))
    protocol = protocol.edit(here, becomes(when=(*when, fin_has_been_sent)), why="the FIN is out")
    resets = Rule(
        "abort_before_fin",
        at=(CLOSING, LAST_ACK),
        on=Event.ABORT,
        when=(*when, fin_has_not_been_sent),
        do=(send_reset, tell_abort_ok),
        to=CLOSED,
        cite="Linux tcp_disconnect",
    )
    return protocol.add(resets, why="the peer does not know that there is no more")


@switch("ABORT in TIME-WAIT leaves it to its timer", "Linux tcp_time_wait: a socket of its own")
def abort_leaves_time_wait(protocol: Protocol) -> Protocol:
    """Edit: what the user held was gone before; 3.10.5 deletes the TCB."""
    here = rows(name="abort_quietly", at=TIME_WAIT)
    change = becomes(when=user_is_here, do=(release, tell_abort_ok), stays=True)
    return protocol.edit(here, change, why="the minisocket stays")


@switch("CLOSE after a SHUTDOWN resets too if text is unread", "Linux tcp_close; RFC 2525 2.17")
def reset_on_unread_after_shutdown(protocol: Protocol) -> Protocol:
    """Edit: as `reset_on_unread`, in the states that follow on our FIN."""
    when = protocol.rule("close_again").when
    for rule in protocol.rules:
        if rule.name.startswith("close_again"):
            protocol = edited(protocol, rule.name, when=(*rule.when, all_text_is_read))
    resets = Rule(
        "close_again_with_text_unread",
        at=(FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK),
        on=Event.CLOSE,
        when=(*when, user_is_here, text_is_unread),
        do=send_reset,
        to=CLOSED,
        cite="3.6.1 SHLD-3; Linux tcp_close",
    )
    return protocol.add(resets, why="to show that data was lost")


@switch("ABORT in CLOSING or LAST-ACK resets if text is unread", "Linux tcp_close; RFC 2525 2.17")
def abort_resets_on_unread(protocol: Protocol) -> Protocol:
    """Edit: whether all is read is asked before how long to linger."""
    when: tuple[Predicate, ...] = ()
    for rule in protocol.rules:
        quiet = rule.on is Event.ABORT and send_reset not in rule.do
        if quiet and not {CLOSING, LAST_ACK}.isdisjoint(rule.at):
            when = rule.when
            here = rows(name=rule.name, at=(CLOSING, LAST_ACK))
            read = becomes(when=(*when, all_text_is_read))
            protocol = protocol.edit(here, read, why="only if all is read")
    resets = Rule(
        "abort_with_text_unread",
        at=(CLOSING, LAST_ACK),
        on=Event.ABORT,
        when=(*when, text_is_unread),
        do=(send_reset, tell_abort_ok),
        to=CLOSED,
        cite="Linux tcp_close",
    )
    return protocol.add(resets, why="to show that data was lost")


@switch(
    "a repeated segment that acknowledges our FIN is not answered where the state is left for good",
    "Linux tcp_rcv_state_process",
)
def no_answer_to_last_ack(protocol: Protocol) -> Protocol:
    """Edit: CLOSING, LAST-ACK, and the FIN-WAIT-1 of an orphan are left before an ACK is due."""
    rule = protocol.rule("unacceptable")
    for at, unless in (
        ((CLOSING, LAST_ACK), seg_does_not_ack_our_fin),
        ((FIN_WAIT_1,), seg_does_not_ack_an_orphan),
    ):
        here = rows(name="unacceptable", at=at)
        change = becomes(when=(*rule.when, unless))
        protocol = protocol.edit(here, change, why="an ACK comes too late")
    return protocol


@switch("text and FIN are retransmitted in one segment", "3.7.4; Linux tcp_retrans_try_collapse")
def merges_on_retransmission(protocol: Protocol) -> Protocol:
    """Edit: though they were sent one by one."""
    alone = (text_is_oldest, fin_is_not_behind_the_oldest)
    protocol = edited(protocol, "retransmit_text", when=alone)
    both = Rule(
        "retransmit_text_and_fin",
        at=protocol.rule("retransmit_text").at,
        on=Event.RETRANSMISSION_TIMEOUT,
        when=(text_is_oldest, fin_is_behind_the_oldest),
        do=(resend_text_with_fin, count_retransmission),
        cite="3.10.8; Linux tcp_retrans_try_collapse",
    )
    return protocol.add(both, why="one segment for both")
