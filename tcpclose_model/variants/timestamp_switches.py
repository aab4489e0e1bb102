"""Switches, the part about timestamps: PAWS, TIME-WAIT and newer SYNs, and active reuse.

Imported by `switches`, and only there: the order in which switches are registered counts.
"""

from __future__ import annotations

from dataclasses import replace

from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import Effect, send_ack, start_2msl
from tcpclose_model.protocol.notation import AGAIN, DROP, Protocol, Rule
from tcpclose_model.protocol.opening_words import (
    back_to_listen,
    clear_tcb,
    forget_time_wait,
    leave_time_wait,
    resume_time_wait,
    select_iss,
    send_syn,
    start_afresh,
    syn_is_after,
    syn_is_beyond,
    syn_is_not_beyond,
    take_syn,
)
from tcpclose_model.protocol.vocabulary import (
    SEQUENCE_STEP,
    SYN_RECEIVED,
    SYN_SENT,
    SYN_STEP,
    SYNCHRONIZED,
    TIME_WAIT,
    TSVAL_MAX,
    Event,
)
from tcpclose_model.protocol.words import seg_has_fin, seg_is_acceptable, seg_is_not_rst
from tcpclose_model.variants.opening_switches import reopening, takes_syn
from tcpclose_model.variants.switching import edited, switch
from tcpclose_model.variants.timestamp_words import (
    choose_iss_above,
    clock_has_ticked,
    forget_old_ts,
    forget_ts,
    note_ts,
    nothing_is_to_be_noted,
    remember_ts,
    resume_ts,
    seg_has_no_syn,
    start_clock,
    syn_has_ack,
    syn_is_neither_newer_nor_after,
    syn_is_neither_newer_nor_beyond,
    syn_is_newer,
    ts_is_not_older,
    ts_is_older,
    ts_is_the_same,
    ts_is_to_be_noted,
    tsval,
)

CHECKED = (*SYNCHRONIZED, SYN_RECEIVED)
"""The states in which TS.Recent is valid."""

ALONG_WITH: dict[Effect, Effect] = {
    start_afresh: start_clock,
    take_syn: note_ts,
    back_to_listen: forget_ts,
    leave_time_wait: remember_ts,
    forget_time_wait: forget_old_ts,
    resume_time_wait: resume_ts,
}
"""What is done about timestamps wherever something else is done."""


def _has(protocol: Protocol, name: str) -> bool:
    return any(rule.name == name for rule in protocol.rules)


def _has_field(protocol: Protocol, name: str) -> bool:
    return any(field == name for field, _ in protocol.fields)


@switch("segments carry timestamps, and older ones are refused (PAWS)", "RFC 7323 3.2, 5.3")
def timestamps(protocol: Protocol) -> Protocol:
    """Edit: the first step answers and drops what is older than TS.Recent, but for a RST."""
    return _stamping(protocol)


def _stamping(protocol: Protocol) -> Protocol:
    """Return the protocol with timestamps, in every row that it has by now."""
    if not _has_field(protocol, "ts"):
        protocol = _checking(reopening(protocol))
    if _has_field(protocol, "from_time_wait") and not _has_field(protocol, "old_ts_recent"):
        protocol = protocol.with_field("old_ts_recent", TSVAL_MAX)
    for rule in protocol.rules:
        both = ((effect, ALONG_WITH.get(effect)) for effect in rule.do)
        do = tuple(dict.fromkeys(one for pair in both for one in pair if one is not None))
        protocol = protocol if do == rule.do else edited(protocol, rule.name, do=do)
    return protocol


def _checking(protocol: Protocol) -> Protocol:
    """Return the protocol with the fields of timestamps, and the checks of the first step."""
    protocol = protocol.with_field("ts", TSVAL_MAX).with_field("ts_recent", TSVAL_MAX)
    protocol = protocol.with_field("ts_next", TSVAL_MAX, kept=True)
    protocol = replace(protocol, carries=(*protocol.carries, ("ts", tsval)))
    for rule in protocol.rules:
        if rule.on is SEQUENCE_STEP and seg_is_not_rst in rule.when:
            settled = (nothing_is_to_be_noted,) if seg_is_acceptable in rule.when else ()
            when = (*rule.when, ts_is_not_older, *settled)
            protocol = edited(protocol, rule.name, when=when)
    restarts = (start_2msl,) if _has(protocol, "in_window_in_time_wait") else ()
    return protocol.add(*_paws(restarts), why="timestamps")


def _paws(restarts: tuple[Effect, ...]) -> tuple[Rule, ...]:
    """Return the rules R1 and R3 of RFC 7323 5.3; R2 is the standard's own first step."""
    refused = Rule(
        "paws",
        at=tuple(state for state in CHECKED if state is not TIME_WAIT),
        on=SEQUENCE_STEP,
        when=(ts_is_older, seg_is_not_rst),
        do=send_ack,
        then=DROP,
        cite="RFC 7323 5.3 R1",
    )
    waiting = replace(refused, name="paws_in_time_wait", at=(TIME_WAIT,), do=(send_ack, *restarts))
    noted = Rule(
        "ts_recent",
        at=CHECKED,
        on=SEQUENCE_STEP,
        when=(seg_is_acceptable, seg_is_not_rst, ts_is_to_be_noted),
        do=note_ts,
        then=AGAIN,
        cite="RFC 7323 5.3 R3, 4.3",
    )
    return refused, waiting, noted


@switch("a SYN with a newer timestamp ends TIME-WAIT, whatever its number", "RFC 6191 2")
def rfc6191(protocol: Protocol) -> Protocol:
    """Edit: newer; or the same and beyond; any other SYN is dropped in silence.

    With `time_wait_takes_syn` a SYN that turns out to be old leads back to TIME-WAIT (MAY-2),
    which RFC 6191 does not ask for.  With `time_wait_takes_syn_for_good` it is as Linux has it:
    a number of exactly RCV.NXT is an old one, and a SYN that is refused is answered.
    """
    if not _has(protocol, "syn_in_time_wait"):
        protocol = takes_syn(protocol, syn_is_beyond, syn_is_not_beyond, "RFC 6191 2")
    protocol = _stamping(protocol)
    for rule in protocol.rules:
        checks = TIME_WAIT in rule.at and rule.on is SEQUENCE_STEP and seg_is_not_rst in rule.when
        if checks and seg_has_fin not in rule.when:
            here = rows(name=rule.name, at=TIME_WAIT)
            change = becomes(when=(*rule.when, seg_has_no_syn))
            protocol = protocol.edit(here, change, why="a SYN is judged for itself")
    same = protocol.rule("syn_in_time_wait")
    linux = syn_is_after in same.when
    protocol = edited(protocol, same.name, when=(*same.when, ts_is_the_same))
    protocol = edited(protocol, "syn_is_challenged_in_time_wait", when=syn_has_ack)
    newer = replace(same, name="newer_syn_in_time_wait", when=(syn_is_newer,), cite="RFC 6191 2")
    refused = Rule(
        "old_syn_in_time_wait",
        at=TIME_WAIT,
        on=SYN_STEP,
        when=syn_is_neither_newer_nor_after if linux else syn_is_neither_newer_nor_beyond,
        do=send_ack if linux else (),
        then=DROP,
        cite="Linux tcp_timewait_state_process" if linux else "RFC 6191 2",
    )
    return protocol.add(newer, refused, why="by its timestamp")


@switch("a user may open again in TIME-WAIT once the clock has ticked", "Linux tcp_tw_reuse")
def time_wait_reuse(protocol: Protocol) -> Protocol:
    """Edit: an active OPEN leaves TIME-WAIT for SYN-SENT, with an ISS above all that was used."""
    protocol = _stamping(protocol)
    reuse = Rule(
        "open_active_in_time_wait",
        at=TIME_WAIT,
        on=Event.OPEN_ACTIVE,
        when=clock_has_ticked,
        do=(choose_iss_above, clear_tcb, start_afresh, start_clock, select_iss, send_syn),
        to=SYN_SENT,
        cite="Linux ip-sysctl tcp_tw_reuse, tcp_twsk_unique",
    )
    return protocol.add(reuse, why="not in RFC 9293")
