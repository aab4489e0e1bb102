"""Profiles of real stacks: RFC 9293 with the switches on that each of them has on by default.

Where a profile differs from the stack all the same, `docs/limits.md` says so.

linux: 6.18, net/ipv4/tcp_input.c, tcp_minisocks.c, tcp.c and tcp_timer.c.
freebsd: 14, sys/netinet/tcp_input.c, tcp_timer.c, tcp_timewait.c and tcp_subr.c.
windows: Windows 8 as it was learned by Fiterau-Brostean, Janssen and Vaandrager (CAV 2016, section
4); Windows Server 2003 for the timer of FIN-WAIT-2 (KB 813056, KB 923200).
"""

from __future__ import annotations

from tcpclose_model.protocol.edits import Change, Selector, becomes, removed, rows
from tcpclose_model.protocol.effects import send_reset_for
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import FIN_WAIT_2
from tcpclose_model.variants.switches import SWITCHES

EVERY_STACK = ("fin_with_text", "delayed_ack", "challenge_ack", "half_duplex_close")
"""What all three do: FINs ride on text, ACKs wait, only an exact RST counts, no text after CLOSE."""

LINUX_SWITCHES = (
    *EVERY_STACK,
    "fin_wait_2_timeout",
    "reset_on_unread",
    "reset_on_fin_ahead",
    "fin_wait_2_minisocket",
    "drop_old_segments",
    "ack_rate_limit",
    "any_segment_restarts_2msl",
    "reset_behind_fin",
    "last_ack_before_fin",
    "abort_resets_before_fin",
    "abort_leaves_time_wait",
    "reset_on_unread_after_shutdown",
    "abort_resets_on_unread",
    "no_answer_to_last_ack",
    "merges_on_retransmission",
)
LINUX_REOPENING = ("reopens", "time_wait_takes_syn_for_good", "timestamps", "rfc6191")
"""What Linux does beside that where a connection is opened again; `linux` opens none."""

FREEBSD_SWITCHES = (
    *EVERY_STACK,
    "fin_wait_2_timeout",
    "user_timeout_resets",
    "rfc1337",
    "keep_alive",
)
WINDOWS_SWITCHES = (
    *EVERY_STACK,
    "silent_closed",
    "fin_wait_2_timeout",
    "fin_wait_2_timeout_held",
    "reset_on_unread",
    "reset_on_pending_receive",
)


def _stack(name: str, *switches: str) -> Protocol:
    """Return a profile: the switches on, and resets numbered as all three stacks number them."""
    protocol = RFC9293.named(name)
    for switch in switches:
        protocol = SWITCHES[switch].on(protocol)
    return protocol.together(
        "resets_take_the_ack_field",
        _resets_take_the_ack_field,
        why="a reset that answers a segment takes its number from the ACK field",
        cite="3.5.2; Linux tcp_v4_send_reset, FreeBSD tcp_dropwithreset",
    )


def _resets_take_the_ack_field(protocol: Protocol) -> Protocol:
    return _if_there(protocol, rows(name="text_after_close"), becomes(do=send_reset_for))


def _fin_wait_2_is_not_probed(protocol: Protocol) -> Protocol:
    return _if_there(protocol, rows(name="keep_alive_probe", at=FIN_WAIT_2), removed())


def _if_there(protocol: Protocol, which: Selector, change: Change) -> Protocol:
    """Return the protocol with the row changed, or as it is where its switch has been turned off."""
    if not which.chosen(protocol.rules):
        return protocol
    return protocol.edit(which, change, why="as this stack has it")


LINUX = _stack("linux", *LINUX_SWITCHES)

FREEBSD = _stack("freebsd", *FREEBSD_SWITCHES).together(
    "fin_wait_2_is_not_probed",
    _fin_wait_2_is_not_probed,
    why="keep-alives stop at CLOSING, and FIN-WAIT-2 is numbered above it",
    cite="FreeBSD tcp_timer_keep, tcp_fsm.h",
)

WINDOWS = _stack("windows", *WINDOWS_SWITCHES)

LINUX_REOPENS = LINUX
for _name in LINUX_REOPENING:
    LINUX_REOPENS = SWITCHES[_name].on(LINUX_REOPENS)
