"""Switches, the part about windows: flow control, zero-window probes, the persist timer.

Imported by `switches`, and only there: the order in which switches are registered counts.
"""

from __future__ import annotations

from dataclasses import replace

from tcpclose_model.protocol.edits import becomes, removed, rows
from tcpclose_model.protocol.effects import (
    Effect,
    count_text,
    hold_text,
    read_one,
    send_ack,
    send_text,
    take_fin,
    take_text,
)
from tcpclose_model.protocol.notation import DROP, Protocol, Rule
from tcpclose_model.protocol.rules import MAY_RECEIVE, WITH_QUEUE, WITH_UNACKED
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSE_WAIT,
    CLOSING,
    ESTABLISHED,
    FIN_STEP,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    TEXT_STEP,
    Event,
)
from tcpclose_model.protocol.words import (
    Predicate,
    ack_is_the_last_one_again,
    nothing_is_unacknowledged,
    text_is_queued,
    user_is_gone,
    user_is_here,
)
from tcpclose_model.variants.stack_words import note_answer
from tcpclose_model.variants.switching import edited, switch
from tcpclose_model.variants.window_words import (
    buffer_has_no_room,
    buffer_has_room,
    count_probes_anew,
    fin_finds_no_room,
    probes_are_unanswered,
    receive_window_is_open,
    receive_window_is_zero,
    seg_has_a_window,
    seg_has_no_window,
    send_window_is_not_zero,
    send_window_is_zero,
    take_window,
    text_finds_no_room,
    text_overflows_the_buffer,
)

PROBING = "3.8.6.1 MUST-36"


@switch("one unit of unread text fills the buffer: windows, persist timer", "3.8.6, 3.8.6.1")
def flow_control(protocol: Protocol) -> Protocol:
    """Edit: windows are advertised and kept to, and a persist timer probes those that are zero."""
    protocol = replace(
        protocol.with_field("snd_wnd0", 1),
        carries=(*protocol.carries, ("wnd0", receive_window_is_zero)),
    )
    return _probing(_sending(_receiving(protocol)))


def _receiving(protocol: Protocol) -> Protocol:
    """Edit: text needs room in the buffer, and reading it opens the window again."""
    for rule in protocol.rules:
        if take_text in rule.do:
            when = (*rule.when, receive_window_is_open)
            protocol = edited(protocol, rule.name, when=when)
        elif hold_text in rule.do:  # behind a hole is behind the window's edge
            do = [effect for effect in rule.do if effect is not hold_text]
            protocol = edited(protocol, rule.name, do=do)
        elif read_one in rule.do:
            when = (*rule.when, user_is_here)
            if CLOSE_WAIT in rule.at:  # the peer's FIN has come: it needs no window any more
                here = rows(name=rule.name, at=CLOSE_WAIT)
                protocol = protocol.edit(here, becomes(when=when), why="only who is there reads")
            do = [*rule.do, send_ack]
            protocol = edited(protocol, rule.name, when=when, do=do)
    refusal = Rule(
        "text_in_zero_window",
        at=MAY_RECEIVE,
        on=TEXT_STEP,
        when=text_finds_no_room,
        do=send_ack,
        then=DROP,
        cite="3.10.7.4 first, 3.8.6.1",
    )
    return protocol.add(refusal, why="no room")


def _sending(protocol: Protocol) -> Protocol:
    """Edit: text is sent into an open window only; a FIN takes no room and needs none (3.10.4)."""
    for rule in protocol.rules:
        if rule.on is Event.TRANSMIT_WITH_FIN or rule.name == "transmit_text":
            when = (*rule.when, nothing_is_unacknowledged, send_window_is_not_zero)
            protocol = edited(protocol, rule.name, when=when)
    new_ack = protocol.rule("new_ack")
    protocol = edited(protocol, new_ack.name, do=(*new_ack.do, take_window))
    again = (ack_is_the_last_one_again, *new_ack.when[1:])
    heard: tuple[Effect, ...] = (take_window, count_probes_anew)
    if any(name == "probed" for name, _ in protocol.fields):  # an answer to a keep-alive, too
        heard = (*heard, note_answer)
        answered = protocol.rule("keep_alive_answered")
        protocol = protocol.edit(
            rows(name=answered.name, at=(ESTABLISHED, CLOSE_WAIT)),
            becomes(when=(*answered.when, seg_has_a_window, send_window_is_not_zero)),
            why="any other window is a row of its own",
        )
    opened = Rule(
        "window_update",
        at=WITH_UNACKED,
        on=ACK_STEP,
        when=(*again, seg_has_a_window, send_window_is_zero),
        do=heard,
        cite="3.10.7.4 fifth, 3.8.6.2.2",
    )
    zero = Rule(
        "zero_window",
        at=WITH_UNACKED,
        on=ACK_STEP,
        when=(*again, seg_has_no_window),
        do=heard,
        cite="3.10.7.4 fifth, 3.8.6.1 MUST-37",
    )
    return protocol.add(opened, zero, why="the window of an ACK that acknowledges nothing new")


def _probing(protocol: Protocol) -> Protocol:
    """Edit: while the window is zero the persist timer sends again, and R2 minds answers."""
    probe = Rule(
        "probe_with_text",
        at=WITH_QUEUE,
        on=Event.PERSIST_TIMEOUT,
        when=(text_is_queued, nothing_is_unacknowledged, send_window_is_zero),
        do=(send_text, count_text),
        cite=PROBING,
    )
    probes = [probe]
    for rule in protocol.rules:
        if rule.on is Event.RETRANSMISSION_TIMEOUT:
            when = (*rule.when, send_window_is_not_zero)
            protocol = edited(protocol, rule.name, when=when)
            again = rule.name.replace("retransmit_", "probe_again_with_")
            when = (*rule.when, send_window_is_zero)
            probes.append(
                replace(rule, name=again, on=Event.PERSIST_TIMEOUT, when=when, cite=PROBING)
            )
        elif rule.on is Event.USER_TIMEOUT:
            when = (*rule.when, send_window_is_not_zero)
            protocol = edited(protocol, rule.name, when=when)
            when = (*rule.when, send_window_is_zero, probes_are_unanswered)
            name = f"{rule.name}_of_probes"
            probes.append(replace(rule, name=name, when=when, cite=f"{rule.cite}; {PROBING}"))
    return protocol.add(*probes, why="the window is zero")


# What a switch below changes is flow control, so it brings that along where it is not on.


def _with_flow_control(protocol: Protocol) -> Protocol:
    if any(name == "snd_wnd0" for name, _ in protocol.fields):
        return protocol
    return flow_control.change(protocol)


@switch("a window that is zero is never probed (with flow control)", "against 3.8.6.1 MUST-36")
def no_persist_timer(protocol: Protocol) -> Protocol:
    """Edit: only the receiver's word that its window is open again lets text go on."""
    protocol = _with_flow_control(protocol)
    probes = rows(on=Event.PERSIST_TIMEOUT)
    count = len(probes.chosen(protocol.rules))
    return protocol.edit(probes, removed(), count=count, why="none is sent")


@switch("a zero window accepts no FIN either (with flow control)", "3.10.7.4 first")
def fin_needs_window(protocol: Protocol) -> Protocol:
    """Edit: the standard's allowance at a zero window is for ACKs, URGs and RSTs alone."""
    protocol = _with_flow_control(protocol)
    for rule in protocol.rules:
        if take_fin in rule.do:
            when = (*rule.when, receive_window_is_open)
            protocol = edited(protocol, rule.name, when=when)
    refusal = Rule(
        "fin_in_zero_window",
        at=MAY_RECEIVE,
        on=FIN_STEP,
        when=fin_finds_no_room,
        do=send_ack,
        cite="3.10.7.4 first",
    )
    return protocol.add(refusal, why="not acceptable")


@switch("text unread at a CLOSE keeps the window zero (with flow control)", "CERT VU#723308")
def window_kept_shut(protocol: Protocol) -> Protocol:
    """Edit: the buffer of a user who has gone is not thrown away, and nobody empties it."""
    protocol = _with_flow_control(protocol)
    swapped: dict[Predicate, Predicate] = {
        receive_window_is_open: buffer_has_room,
        text_finds_no_room: text_overflows_the_buffer,
    }
    for rule in protocol.rules:
        when = [swapped.get(predicate, predicate) for predicate in rule.when]
        if when != list(rule.when):
            protocol = edited(protocol, rule.name, when=when)
    refusal = "text_in_zero_window"
    if any(rule.name == "text_after_close" for rule in protocol.rules):
        when = [*protocol.rule(refusal).when, user_is_here]
        here = rows(name=refusal, at=(FIN_WAIT_1, FIN_WAIT_2))
        protocol = protocol.edit(here, becomes(when=when), why="after a CLOSE it is reset")
    carries = [
        (name, buffer_has_no_room if holds is receive_window_is_zero else holds)
        for name, holds in protocol.carries
    ]
    return replace(protocol, carries=tuple(carries))


@switch("R2 counts an orphan's probes, answered or not (with flow control)", "Linux ip-sysctl")
def orphan_probes_count(protocol: Protocol) -> Protocol:
    """Edit: tcp_orphan_retries limits the probes of an end that is closing without a user."""
    protocol = _with_flow_control(protocol)
    at = (FIN_WAIT_1, CLOSING, LAST_ACK)
    zero = protocol.rule("zero_window")
    user_waits = becomes(when=(*zero.when, user_is_here))
    protocol = protocol.edit(rows(name=zero.name, at=at), user_waits, why="somebody waits for it")
    orphan = Rule(
        "zero_window_of_an_orphan",
        at=at,
        on=ACK_STEP,
        when=(*zero.when, user_is_gone),
        do=take_window,
        cite="Linux ip-sysctl tcp_orphan_retries",
    )
    return protocol.add(orphan, why="nobody waits for it")
