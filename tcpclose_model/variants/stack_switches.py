"""Switches, second part: what real stacks do about resets, orphans, idle peers and ACK storms.

Imported by `switches`, and only there: the order in which switches are registered counts.
"""

from __future__ import annotations

from dataclasses import replace

from tcpclose_model.protocol.edits import Change, becomes, rows
from tcpclose_model.protocol.effects import (
    count_retransmission,
    send_ack,
    send_reset,
    send_reset_for,
    take_ack,
    take_held_text,
    take_text,
    tell_abort_ok,
    tell_reset,
)
from tcpclose_model.protocol.notation import DROP, Protocol, Rule
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_ACKED_STEP,
    FIN_STEP,
    FIN_WAIT_1,
    FIN_WAIT_2,
    RST_STEP,
    SEQUENCE_STEP,
    SYNCHRONIZED,
    TEXT_STEP,
    TIME_WAIT,
    Event,
    State,
    Step,
)
from tcpclose_model.protocol.words import (
    Predicate,
    ack_is_the_last_one_again,
    ack_is_within,
    all_text_is_read,
    fin_is_ahead,
    nothing_is_unacknowledged,
    seg_is_not_at_rcv_nxt,
    seg_is_not_rst,
    seg_is_rst,
    seg_is_unacceptable,
    text_is_new,
    user_is_gone,
    user_is_here,
)
from tcpclose_model.variants.stack_words import (
    a_probe_is_out,
    a_receive_is_pending,
    acks_are_limited,
    acks_are_not_limited,
    close_returns,
    close_waits,
    complete_receive,
    end_receive,
    lift_ack_limit,
    limit_acks,
    no_receive_is_pending,
    note_answer,
    note_probe,
    seg_ends_at_rcv_nxt,
    seg_ends_elsewhere,
    seg_has_text_or_fin,
    seg_is_a_pure_ack,
    send_probe,
    wait_for_text,
)
from tcpclose_model.variants.switching import edited, switch

IDLE = (ESTABLISHED, FIN_WAIT_2, CLOSE_WAIT)
"""The states in which nothing may be left to send, and the peer may be gone without a trace."""


def _has(protocol: Protocol, name: str) -> bool:
    return any(rule.name == name for rule in protocol.rules)


def _held_only(protocol: Protocol, name: str, *at: State) -> Protocol:
    """Return the protocol with a row narrowed, at these states, to users who are still there."""
    for rule in protocol.rules:
        if rule.name == name or rule.name.startswith(f"{name}_in_"):
            here = tuple(state for state in rule.at if state in at)
            if here and user_is_here not in rule.when:
                protocol = protocol.edit(
                    rows(name=rule.name, at=here),
                    becomes(when=(*rule.when, user_is_here)),
                    why="only for a user who is there",
                )
    return protocol


# Idle peers -----------------------------------------------------------------------------------


@switch("an idle end probes its peer, and gives up with R2 if nothing answers", "3.8.4 MAY-5")
def keep_alive(protocol: Protocol) -> Protocol:
    """Edit: the probe's number must be refused, so a live peer answers; CLOSED answers with a RST.

    Whatever acknowledges SND.UNA counts as an answer.  `bounds` limits the probes as it limits
    retransmissions; with `timers.user_timeout` an end gives up once they are spent.
    """
    probe = Rule(
        "keep_alive_probe",
        at=IDLE,
        on=Event.KEEP_ALIVE_TIMEOUT,
        when=nothing_is_unacknowledged,
        do=(send_probe, note_probe, count_retransmission),
        cite="3.8.4 MUST-27",
    )
    answered = Rule(
        "keep_alive_answered",
        at=IDLE,
        on=ACK_STEP,
        when=(a_probe_is_out, ack_is_within, ack_is_the_last_one_again),
        do=note_answer,
        cite="3.8.4",
    )
    gives_up = Rule(
        "keep_alive_gives_up",
        at=IDLE,
        on=Event.USER_TIMEOUT,
        when=(a_probe_is_out, nothing_is_unacknowledged),
        do=protocol.rule("user_timeout").do,
        to=CLOSED,
        cite="3.8.4",
    )
    protocol = edited(protocol.with_field("probed", 1), "new_ack", do=(take_ack, note_answer))
    return protocol.add(probe, answered, gives_up, why="is the peer still there?")


# Resets of orphans ----------------------------------------------------------------------------


@switch("a FIN behind a hole after CLOSE is answered with a reset", "Linux tcp_rcv_state_process")
def reset_on_fin_ahead(protocol: Protocol) -> Protocol:
    """Edit: what is missing before the FIN is text that nobody would read."""
    refusal = Rule(
        "fin_ahead_after_close",
        at=(FIN_WAIT_1, FIN_WAIT_2),
        on=FIN_STEP,
        when=(fin_is_ahead, user_is_gone),
        do=send_reset_for,
        to=CLOSED,
        cite="3.6.1 SHLD-3; Linux tcp_rcv_state_process",
    )
    protocol = _held_only(protocol, "fin_ahead", FIN_WAIT_1, FIN_WAIT_2)
    return protocol.add(refusal, why="to show that data was lost")


@switch("an orphan in FIN-WAIT-2 is a minisocket", "Linux tcp_timewait_state_process")
def fin_wait_2_minisocket(protocol: Protocol) -> Protocol:
    """Edit: any RST in the window ends it, one outside is answered; new text or a hole resets."""
    protocol = _held_only(protocol, "unacceptable_rst", FIN_WAIT_2)
    made = [
        Rule(
            "unacceptable_rst_of_orphan",
            at=FIN_WAIT_2,
            on=SEQUENCE_STEP,
            when=(seg_is_unacceptable, seg_is_rst, user_is_gone),
            do=send_ack,
            then=DROP,
            cite="Linux tcp_timewait_state_process",
        )
    ]
    if _has(protocol, "challenge"):
        protocol = _held_only(protocol, "challenge", FIN_WAIT_2)
        made.append(
            Rule(
                "inexact_reset_of_orphan",
                at=FIN_WAIT_2,
                on=RST_STEP,
                when=(seg_is_rst, seg_is_not_at_rcv_nxt, user_is_gone),
                do=tell_reset,
                to=CLOSED,
                cite="Linux tcp_timewait_state_process",
            )
        )
    if not _has(protocol, "fin_ahead_after_close"):
        protocol = _held_only(protocol, "fin_ahead", FIN_WAIT_2)
        made.append(_refusal("fin_ahead_of_orphan", FIN_STEP, fin_is_ahead))
    if not _has(protocol, "text_after_close"):
        protocol = _held_only(protocol, "text", FIN_WAIT_2)
        protocol = _held_only(protocol, "text_ahead", FIN_WAIT_2)
        made.append(_refusal("text_of_orphan", TEXT_STEP, text_is_new))
    return protocol.add(*made, why="what is left of the socket")


def _refusal(name: str, on: Step, what: Predicate) -> Rule:
    return Rule(
        name,
        at=FIN_WAIT_2,
        on=on,
        when=(what, user_is_gone),
        do=send_reset_for,
        to=CLOSED,
        cite="Linux tcp_timewait_state_process",
    )


@switch("an orphan resets its peer instead of waiting in FIN-WAIT-2", "Linux TCP_LINGER2 < 0")
def linger_2(protocol: Protocol) -> Protocol:
    """Edit: the ACK of an orphan's FIN, or a CLOSE in FIN-WAIT-2, sends a reset."""
    if _has(protocol, "orphan_fin_acked"):
        protocol = edited(protocol, "orphan_fin_acked", do=send_reset_for)
    else:
        when = protocol.rule("fin_acked_in_fin_wait_1").when
        protocol = edited(protocol, "fin_acked_in_fin_wait_1", when=(*when, user_is_here))
        orphan = Rule(
            "orphan_fin_acked_resets",
            at=FIN_WAIT_1,
            on=FIN_ACKED_STEP,
            when=(*when, user_is_gone),
            do=send_reset_for,
            to=CLOSED,
            cite="Linux tcp(7) TCP_LINGER2",
        )
        protocol = protocol.add(orphan, why="nobody waits")
    close = rows(name="close_again", at=FIN_WAIT_2)
    return protocol.edit(close, becomes(do=send_reset, to=CLOSED), why="nobody waits")


@switch("FIN-WAIT-2 ends by a timeout though the user is there", "Windows: KB 813056, KB 923200")
def fin_wait_2_timeout_held(protocol: Protocol) -> Protocol:
    """Edit: a user who has only shut down sending is told of a reset that nobody sent."""
    timeout = Rule(
        "fin_wait_2_timeout_held",
        at=FIN_WAIT_2,
        on=Event.FIN_WAIT_2_TIMEOUT,
        when=user_is_here,
        do=tell_reset,
        to=CLOSED,
        cite="Windows Server 2003: KB 813056, KB 923200",
    )
    return protocol.add(timeout, why="not in RFC 9293")


@switch("CLOSE with a RECEIVE waiting sends a reset, not a FIN", "Windows 8: CAV 2016, section 4")
def reset_on_pending_receive(protocol: Protocol) -> Protocol:
    """Edit: a lazy user may wait in a RECEIVE; to close then aborts, though no text is unread."""
    protocol = protocol.with_field("receive_pending", 1)
    for rule in protocol.rules:
        do, when = rule.do, rule.when
        if take_text in do or take_held_text in do:
            protocol = edited(protocol, rule.name, do=(*do, complete_receive))
        elif rule.on is FIN_STEP and rule.to is not None and rule.to is not CLOSED:
            protocol = edited(protocol, rule.name, do=(*do, end_receive))
        elif rule.on is Event.CLOSE and CLOSE_WAIT not in rule.at:
            protocol = edited(protocol, rule.name, when=(*when, no_receive_is_pending))
    wait = Rule(
        "receive_waits",
        at=(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2),
        on=Event.RECEIVE,
        when=(all_text_is_read, no_receive_is_pending, user_is_here),
        do=wait_for_text,
        cite="3.10.3: queue the request",
    )
    abort = Rule(
        "close_with_receive_pending",
        at=(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2),
        on=Event.CLOSE,
        when=(all_text_is_read, a_receive_is_pending),
        do=send_reset,
        to=CLOSED,
        cite="Fiterau-Brostean, Janssen, Vaandrager, CAV 2016, section 4",
    )
    return protocol.add(wait, abort, why="the request is cancelled")


@switch("CLOSE aborts: the user asked not to linger", "SO_LINGER with a time of 0")
def linger_0(protocol: Protocol) -> Protocol:
    """Edit: every CLOSE that would send or have sent a FIN resets the peer; the user knows."""
    return _close_resets(protocol, "linger_0", becomes(do=(send_reset, tell_abort_ok), to=CLOSED))


@switch("CLOSE resets: the stack keeps no orphans", "Linux tcp_max_orphans, tcp_check_oom")
def no_orphans(protocol: Protocol) -> Protocol:
    """Edit: as with `linger_0`, but the user believes that it has closed.

    Linux sends the FIN first, and the reset behind it at once; the reset alone says as much.
    """
    return _close_resets(protocol, "no_orphans", becomes(do=send_reset, to=CLOSED))


def _close_resets(protocol: Protocol, why: str, change: Change) -> Protocol:
    for rule in protocol.rules:
        if rule.on is Event.CLOSE and (rule.to is not CLOSED or rule.edit == "linger_0"):
            protocol = protocol.edit(rows(name=rule.name), change, why=why)
    return protocol


@switch("CLOSE waits until the connection is done", "SO_LINGER with a time above 0")
def lingering_close(protocol: Protocol) -> Protocol:
    """Edit: CLOSE returns in TIME-WAIT or CLOSED; the field says for how long it has not."""
    protocol = protocol.with_field("close_waits", 1, kept=True)
    for rule in protocol.rules:
        if rule.to in (TIME_WAIT, CLOSED):
            protocol = edited(protocol, rule.name, do=(*rule.do, close_returns))
        elif rule.on is Event.CLOSE:
            protocol = edited(protocol, rule.name, do=(*rule.do, close_waits))
    return protocol


# What is answered, and how often --------------------------------------------------------------


@switch("the ACK field of an old segment counts only if it ends at RCV.NXT", "Linux tcp_sequence")
def drop_old_segments(protocol: Protocol) -> Protocol:
    """Edit: between the standard's first step and Appendix A.2: a repeat of the last is processed."""
    rule = protocol.rule("unacceptable")
    protocol = edited(protocol, "unacceptable", when=(*rule.when, seg_ends_at_rcv_nxt))
    old = Rule(
        "old_segment",
        at=rule.at,
        on=SEQUENCE_STEP,
        when=(seg_is_unacceptable, seg_is_not_rst, seg_ends_elsewhere),
        do=send_ack,
        then=DROP,
        cite="3.10.7.4 first; Linux tcp_sequence",
    )
    return protocol.add(old, why="older than the last")


@switch("ACKs of refused pure ACKs and challenge ACKs are limited in rate", "RFC 5961 7; Linux")
def ack_rate_limit(protocol: Protocol) -> Protocol:
    """Edit: after one of them the next is withheld, until a timer lifts the limit.

    Text and FINs are always answered (Linux tcp_oow_rate_limited), or retransmission would stall.
    """
    protocol = protocol.with_field("ack_limited", 1)
    for rule in protocol.rules:
        if not _answers_only(rule) or seg_ends_at_rcv_nxt in rule.when:
            continue
        when, quiet = rule.when, tuple(effect for effect in rule.do if effect is not send_ack)
        sent: dict[str, object] = {
            "when": (*when, acks_are_not_limited),
            "do": (*rule.do, limit_acks),
        }
        if rule.on is SEQUENCE_STEP and seg_is_rst not in when:
            protocol = edited(protocol, rule.name, when=(*when, seg_has_text_or_fin))
            pure = replace(rule, name=f"{rule.name}_pure", when=(*when, seg_is_a_pure_ack))
            protocol, when = protocol.add(pure, why="an ACK alone"), pure.when
            rule, sent["when"] = pure, (*when, acks_are_not_limited)
        protocol = edited(protocol, rule.name, **sent)
        name = f"{rule.name}_withheld"
        withheld = replace(rule, name=name, when=(*when, acks_are_limited), do=quiet)
        protocol = protocol.add(withheld, why="too soon")
    lifted = Rule(
        "ack_limit_lifted",
        at=SYNCHRONIZED,
        on=Event.ACK_LIMIT_TIMEOUT,
        when=acks_are_limited,
        do=lift_ack_limit,
        cite="RFC 5961 7; Linux tcp_invalid_ratelimit",
    )
    return protocol.add(lifted, why="time has passed")


def _answers_only(rule: Rule) -> bool:
    """Return whether a row refuses a segment, and an ACK is all that it answers."""
    refuses = rule.on in (SEQUENCE_STEP, RST_STEP, ACK_STEP) and send_ack in rule.do
    return refuses and rule.name not in ("fin_again_in_time_wait", "ack_beyond")
