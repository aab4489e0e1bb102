"""Switches, the part about opening again: the rows of opening, and SYNs that end TIME-WAIT.

Imported by `switches`, and only there: the order in which switches are registered counts.
"""

from __future__ import annotations

from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import send_ack, start_2msl, take_ack
from tcpclose_model.protocol.notation import DROP, Protocol, Rule
from tcpclose_model.protocol.opening import ISS_MAX, with_opening
from tcpclose_model.protocol.opening_words import (
    back_to_listen,
    came_from_time_wait,
    clear_tcb,
    did_not_come_from_time_wait,
    end_is_not_quiet,
    end_is_quiet,
    end_quiet_time,
    forget_time_wait,
    keep_quiet,
    leave_time_wait,
    listen,
    resume_time_wait,
    select_iss,
    send_syn_ack,
    start_afresh,
    syn_is_after,
    syn_is_beyond,
    syn_is_not_after,
    syn_is_not_beyond,
    take_syn,
)
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    LISTEN,
    RST_STEP,
    SYN_RECEIVED,
    SYN_STEP,
    TIME_WAIT,
    Event,
)
from tcpclose_model.protocol.words import Predicate
from tcpclose_model.variants.switching import edited, switch


@switch("an end can open the connection again after CLOSED", "3.10.1, 3.10.7.2 to 3.10.7.4")
def reopens(protocol: Protocol) -> Protocol:
    """Edit: the rows of OPEN, LISTEN, SYN-SENT and SYN-RECEIVED; a SYN elsewhere is challenged."""
    return with_opening(protocol)


def reopening(protocol: Protocol) -> Protocol:
    """Return the protocol with the rows of opening, which other switches of this part need."""
    return protocol if "inc" in protocol.stamps else with_opening(protocol)


def takes_syn(protocol: Protocol, fits: Predicate, fits_not: Predicate, cite: str) -> Protocol:
    """Return the protocol in which a SYN that fits leads from TIME-WAIT to SYN-RECEIVED."""
    protocol = reopening(protocol)
    challenged = protocol.rule("syn_is_challenged")
    protocol = protocol.with_field("from_time_wait", 1).with_field("old_rcv_nxt", ISS_MAX)
    protocol = protocol.edit(
        rows(name=challenged.name, at=TIME_WAIT), becomes(when=fits_not), why="no new connection"
    )
    protocol = edited(protocol, "syn_is_acked", do=(take_ack, forget_time_wait))
    taken = Rule(
        "syn_in_time_wait",
        at=TIME_WAIT,
        on=SYN_STEP,
        when=fits,
        do=(leave_time_wait, clear_tcb, start_afresh, listen, take_syn, select_iss, send_syn_ack),
        to=SYN_RECEIVED,
        then=DROP,
        cite=cite,
    )
    return protocol.add(taken, why="a new connection")


@switch("a new SYN ends TIME-WAIT, and a refused one resumes it (MAY-2)", "3.6.1 MAY-2")
def time_wait_takes_syn(protocol: Protocol) -> Protocol:
    """Edit: both conditions of MAY-2: an ISS above all that was used; back if the SYN was old."""
    protocol = takes_syn(protocol, syn_is_beyond, syn_is_not_beyond, "3.6.1 MAY-2")
    on_rst, on_syn = (
        protocol.rule(name).when for name in ("reset_to_listen", "syn_back_to_listen")
    )
    stays = did_not_come_from_time_wait
    protocol = edited(protocol, "reset_to_listen", when=(*on_rst, stays))
    protocol = edited(protocol, "syn_back_to_listen", when=(*on_syn, stays))
    back = Rule(
        "reset_to_time_wait",
        at=SYN_RECEIVED,
        on=RST_STEP,
        when=(*on_rst, came_from_time_wait),
        do=(resume_time_wait, start_2msl),
        to=TIME_WAIT,
        then=DROP,
        cite="3.6.1 MAY-2 (2)",
    )
    again = Rule(
        "syn_again_from_time_wait",
        at=SYN_RECEIVED,
        on=SYN_STEP,
        when=(*on_syn, came_from_time_wait),
        do=send_ack,
        then=DROP,
        cite="3.10.7.4 fourth, RFC 5961 4.2",
    )
    return protocol.add(back, again, why="the SYN was an old duplicate")


@switch("a new SYN ends TIME-WAIT for good", "Linux tcp_minisocks.c, its RED-PEN comment")
def time_wait_takes_syn_for_good(protocol: Protocol) -> Protocol:
    """Edit: SEG.SEQ > RCV.NXT is asked for, and a SYN that was old does not lead back."""
    source = "Linux tcp_timewait_state_process"
    if not any(rule.name == "reset_to_time_wait" for rule in protocol.rules):
        return takes_syn(protocol, syn_is_after, syn_is_not_after, source)
    protocol = edited(protocol, "syn_in_time_wait", when=syn_is_after)
    protocol = edited(protocol, "syn_is_challenged_in_time_wait", when=syn_is_not_after)
    for name in ("reset_to_time_wait", "syn_again_from_time_wait"):
        protocol = edited(protocol, name, do=(forget_time_wait, back_to_listen), to=LISTEN)
    return protocol


LEAVES_EARLY = ("reset", "reset_when_closing", "user_timeout")
"""The rows by which an end leaves without the wait that TIME-WAIT or the peer's ACK stands for."""


@switch("an end that leaves by a reset or by R2 opens only after a quiet time", "3.4.3")
def quiet_time(protocol: Protocol) -> Protocol:
    """Edit: in CLOSED, OPEN waits until a 2MSL timer has gone off there, too.

    3.4.3 asks for it after a crash: until then the host must not assign sequence numbers; it does
    answer what arrives. It lasts as long as TIME-WAIT. An end whose TIME-WAIT a reset has ended
    has not waited, and keeps no quiet time either.
    """
    protocol = reopening(protocol).with_field("quiet", 1, kept=True)
    for name in LEAVES_EARLY:
        protocol = edited(protocol, name, do=(*protocol.rule(name).do, keep_quiet))
    for name in ("open_active", "open_passive"):
        when = (*protocol.rule(name).when, end_is_not_quiet)
        protocol = edited(protocol, name, when=when)
    over = Rule(
        "quiet_time_is_over",
        at=CLOSED,
        on=Event.TIME_WAIT_TIMEOUT,
        when=end_is_quiet,
        do=end_quiet_time,
        cite="3.4.3",
    )
    return protocol.add(over, why="quiet time")
