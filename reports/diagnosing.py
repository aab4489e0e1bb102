"""`tcpclose diagnose`: what a host's closing sockets wait for, until when, whose fault it is.

The reasons are facts of RFC 9293 and of Linux 6.18 (docs/stacks.md); each names the rows of the
model that say the same, and their clauses.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from reports.live_sockets import live_sockets
from reports.sockets import Listed, Socket, sockets_of
from tcpclose_model.errors import TcpcloseError, nearest
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.variants.stacks import LINUX

CLOSING_STATES = ("CLOSE-WAIT", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT")
INPUT_MAX = 256 * 1024 * 1024
"""Bytes of a list that are read; a host has no more sockets than that."""
UNHELD, UNSAID = "no process", "not in this input"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why sockets are where they are, in sentences; rows name rules of the profile `linux`."""

    waits_for: str
    until: str
    fault: str
    next: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Sockets with the same reason and the same owner.

    soonest, latest: seconds until the timers of the group go off, where the input says so.
    again: the fewest and the most retransmissions, or probes, that nobody has answered.
    """

    state: str
    count: int
    owner: str
    received: str
    reason: Reason
    soonest: float | None
    latest: float | None
    examples: tuple[str, ...]
    again: tuple[int, int] = (0, 0)
    probes: bool = False

    @property
    def headline(self) -> str:
        """The group in a line."""
        held = f"all held by {self.owner}" if self.count > 1 else f"held by {self.owner}"
        if self.owner == UNHELD:
            held = "no process holds them" if self.count > 1 else "no process holds it"
        if self.owner == UNSAID:
            held = "owner not in this input"
        return f"{self.count:,} {self.state}, {held}{self.received}"


HINTS = {
    "ss": "ss -tanoep, as root, says it",
    "netstat": "netstat -tanop, as root, says it",
    "netlink": "root is told",
}
"""Where the owners of sockets are said, by what the sockets were read from."""


def run_diagnose(
    file: Path | None,
    form: str,
    fail_on: Sequence[str],
    *,
    live: bool = False,
    state: str | None = None,
) -> int:
    """Read a list of sockets, say what each closing one waits for; return the exit status.

    state: that of all sockets, where the list does not say it.
    """
    wanted = [_state(name, "--fail-on") for name in fail_on]
    only = _state(state, "--state") if state is not None else ""
    if live and file is not None:
        raise TcpcloseError(f"--live asks the kernel, and {file} is a list: give one or the other")
    listed = live_sockets() if live else _read(file, only)
    groups = groups_of(listed)
    if form == "json":
        click.echo(json.dumps(_document(listed, groups), indent=1))
    else:
        click.echo("\n".join(_lines(listed, groups)))
    failed = [group for group in groups if group.state in wanted]
    if failed:
        told = ", ".join(f"{group.count:,} {group.state}" for group in failed)
        click.echo(f"tcpclose: --fail-on: {told}", err=True)
    return 1 if failed else 0


def _read(file: Path | None, state: str) -> Listed:
    where = "<stdin>" if file is None or str(file) == "-" else str(file)
    return sockets_of(_text(file, where).splitlines(), where, state)


def _state(name: str, option: str) -> str:
    state = name.upper().replace("_", "-")
    if state not in CLOSING_STATES:
        raise TcpcloseError(
            f"{option}: {name!r} is no closing state{nearest(state, CLOSING_STATES)}"
        )
    return state


def _text(file: Path | None, where: str) -> str:
    try:
        if file is None or str(file) == "-":
            data = sys.stdin.buffer.read(INPUT_MAX + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(INPUT_MAX + 1)
    except OSError as error:
        raise TcpcloseError(f"{where}: cannot be read: {error.strerror}") from None
    if len(data) > INPUT_MAX:
        raise TcpcloseError(f"{where}: longer than {INPUT_MAX:,} bytes; this is no list of sockets")
    return data.decode("utf-8", "replace")


def groups_of(listed: Listed) -> list[Group]:
    """Return the closing sockets grouped by state, reason and owner, the largest group first."""
    grouped: dict[tuple[str, str, str, Reason], list[Socket]] = {}
    for one in listed.sockets:
        if one.state in CLOSING_STATES:
            owner = one.owner or (UNHELD if one.held is False else UNSAID)
            key = (one.state, owner, _received(one), reason_of(one))
            grouped.setdefault(key, []).append(one)
    groups = []
    for (state, owner, received, reason), members in grouped.items():
        times = [one.seconds for one in members if one.seconds is not None]
        examples = tuple(f"{one.local} -> {one.peer}" for one in members[:3])
        low, high = (min(times), max(times)) if times else (None, None)
        counts = [one.retries for one in members]
        again, probes = (min(counts), max(counts)), members[0].timer in ("keepalive", "persist")
        groups.append(
            Group(state, len(members), owner, received, reason, low, high, examples, again, probes)
        )
    return sorted(groups, key=lambda group: (-group.count, CLOSING_STATES.index(group.state)))


def _received(one: Socket) -> str:
    """Return what Recv-Q says, in CLOSE-WAIT: the end of the stream counts as one octet there."""
    if one.state != "CLOSE-WAIT":
        return ""
    if one.received == 0:
        return ", Recv-Q 0: end-of-stream has been read"
    if one.received == 1:
        return ", Recv-Q 1: end-of-stream not yet read"
    return ", Recv-Q above 1: data and end-of-stream not yet read"


def reason_of(one: Socket) -> Reason:
    """Return why a closing socket is where it is."""
    return _REASONS[one.state](one)


def _close_wait(one: Socket) -> Reason:
    until = "for ever: no timer ends CLOSE-WAIT"
    if one.timer == "keepalive":
        until = "as long as the peer answers keep-alives: no other timer ends CLOSE-WAIT"
    elif one.timer in ("on", "persist"):
        until = (
            "for ever once its data is acknowledged; if the peer is gone, until the kernel gives up"
        )
    does = "has not read to the end of the stream" if one.received else "has read it and not closed"
    fault = f"this host's application: it {does}"
    if one.timer == "persist":
        fault = f"the peer's application does not read: its window is zero; {fault}"
    elif one.unsent:
        fault = f"nobody, if it still sends: Send-Q is not empty; else {fault}"
    return Reason(
        "the application's close(): the peer has closed, and its FIN is acknowledged",
        until,
        fault,
        "close() sends the FIN and leads to LAST-ACK; with data unread it sends a RST instead",
        ("fin_in_established", "close_after_peer"),
    )


def _fin_wait_2(one: Socket) -> Reason:
    orphan = one.timer == "timewait" or one.held is False
    if orphan:
        return Reason(
            "the peer's FIN; the application has closed, so nobody waits for it here",
            "the timer (tcp_fin_timeout, 60 s by default)",
            "the peer's application, which has not closed; if it is there, it is in CLOSE-WAIT",
            "the socket goes without a word; what the peer then sends is answered with a RST",
            ("fin_acked_in_fin_wait_1", "fin_wait_2_timeout"),
        )
    if one.held is None and not one.timed:
        return Reason(
            "the peer's FIN; whether a process here holds the socket is not in this input",
            "tcp_fin_timeout, if no process holds it, else for ever; ss -o shows such a timer",
            "the peer's application, which has not closed; if it is there, it is in CLOSE-WAIT",
            "the peer's FIN leads to TIME-WAIT; an orphan goes without a word at the timeout",
            ("fin_acked_in_fin_wait_1", "fin_in_fin_wait_2", "fin_wait_2_timeout"),
        )
    return Reason(
        "the peer's FIN; a process here still holds the socket (shutdown(), not close())",
        "for ever: tcp_fin_timeout is for orphans only"
        if one.timer != "keepalive"
        else "as long as the peer answers keep-alives",
        "the peer's application, which has not closed; close() here would start the timer",
        "the peer's FIN leads to TIME-WAIT; close() here starts tcp_fin_timeout",
        ("fin_acked_in_fin_wait_1", "fin_in_fin_wait_2"),
    )


def _unacknowledged(one: Socket) -> tuple[str, str, str]:
    """Return what a FIN that is not acknowledged waits for, until when, and whose fault that is."""
    if one.timer == "persist":
        return (
            "the peer's window to open: it is zero, and the FIN stands behind data",
            "the peer reads, or the kernel gives up (tcp_orphan_retries, tcp_retries2)",
            "the peer's application, which does not read",
        )
    waits = "the ACK of our FIN"
    fault = "the path or the peer: the FINs or their ACKs are lost, or the peer is gone"
    if one.unsent > 1:
        waits = "the ACK of the data before our FIN, and of the FIN (Send-Q counts both)"
        fault = "the path or the peer: packets are lost, or the peer does not read, or is gone"
    if one.retries:
        return (
            f"{waits}; it has been retransmitted without an answer",
            "the kernel gives up (tcp_orphan_retries for an orphan, else tcp_retries2), silently",
            fault,
        )
    until = "a round trip, as a rule; else retransmissions follow"
    if not one.timed:
        return waits, until, f"not in this input (ss -o says it); if it lasts, {fault}"
    return waits, until, "nobody so far"


def _fin_wait_1(one: Socket) -> Reason:
    return Reason(
        *_unacknowledged(one),
        "the ACK leads to FIN-WAIT-2; given up, it leaves the peer half open",
        ("fin_acked_in_fin_wait_1", "retransmit_fin", "user_timeout"),
    )


def _closing(one: Socket) -> Reason:
    return Reason(
        *_unacknowledged(one),
        "both ends closed at once; the ACK leads to TIME-WAIT",
        ("fin_in_fin_wait_1", "fin_acked_in_closing", "retransmit_fin"),
    )


def _last_ack(one: Socket) -> Reason:
    return Reason(
        *_unacknowledged(one),
        "the ACK ends it: CLOSED; so does giving up, and then the application is told nothing",
        ("fin_acked_in_last_ack", "retransmit_fin", "user_timeout"),
    )


def _time_wait(one: Socket) -> Reason:
    return Reason(
        "old segments to die out, and a repeated FIN of the peer, to acknowledge it again",
        "the timer (60 s, fixed)",
        "nobody: this host closed first, and this is how it should be",
        "CLOSED when the timer is over; a repeated FIN starts it again, an exact RST ends it",
        ("time_wait_timeout", "fin_again_in_time_wait", "reset_in_time_wait"),
    )


_REASONS = {
    "CLOSE-WAIT": _close_wait,
    "FIN-WAIT-1": _fin_wait_1,
    "FIN-WAIT-2": _fin_wait_2,
    "CLOSING": _closing,
    "LAST-ACK": _last_ack,
    "TIME-WAIT": _time_wait,
}


def clauses(reason: Reason, protocol: Protocol = LINUX) -> list[str]:
    """Return each row that a reason rests on, with its clause."""
    return [f"{name} ({protocol.rule(name).cite})" for name in reason.rows]


def _lines(listed: Listed, groups: Sequence[Group]) -> Iterator[str]:
    counts = Counter(one.state for one in listed.sockets)
    told = ", ".join(f"{n:,} {state}" for state, n in sorted(counts.items())) or "none"
    yield f"{len(listed.sockets):,} sockets: {told}"
    for group in groups:
        yield ""
        yield group.headline
        yield f"  waits for  {group.reason.waits_for}"
        yield f"  until      {group.reason.until}{_times(group)}"
        yield f"  fault      {group.reason.fault}"
        yield f"  next       {group.reason.next}"
        yield f"  rows       {', '.join(clauses(group.reason))}"
        more = f", and {group.count - len(group.examples):,} more" if group.count > 3 else ""
        yield f"  sockets    {'; '.join(group.examples)}{more}"
    if not groups:
        yield "no socket is closing"
    if groups and not listed.owners_said:
        hint = HINTS.get(listed.kind, "ss -tanoep says it")
        yield f"\nthe owners of sockets are not in this input ({hint})"
    for words in listed.odd[:10]:
        yield f"not read: {words}"
    if len(listed.odd) > 10:
        yield f"not read: {len(listed.odd) - 10:,} more lines"


def _times(group: Group) -> str:
    told = ""
    if group.soonest is not None and group.latest is not None:
        low, high = f"{group.soonest:,.4g} s", f"{group.latest:,.4g} s"
        told = f"; timer: in {low}" if low == high else f"; timers: in {low} to {high}"
    fewest, most = group.again
    if most:
        count = f"{most}" if fewest == most else f"{fewest} to {most}"
        told += f"; {count} probes unanswered" if group.probes else f"; sent again {count} times"
    return told


def _document(listed: Listed, groups: Sequence[Group]) -> dict[str, object]:
    counts = Counter(one.state for one in listed.sockets)
    return {
        "sockets": len(listed.sockets),
        "states": dict(sorted(counts.items())),
        "owners_said": listed.owners_said,
        "groups": [
            {
                "state": group.state,
                "count": group.count,
                "owner": group.owner,
                "headline": group.headline,
                **{k: v for k, v in asdict(group.reason).items() if k != "rows"},
                "rows": clauses(group.reason),
                "timer_seconds": [group.soonest, group.latest],
                "retransmissions": list(group.again),
                "examples": list(group.examples),
            }
            for group in groups
        ],
        "not_read": list(listed.odd),
    }
