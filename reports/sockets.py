"""Sockets as a host lists them: the text of ss, of netstat, and of /proc/net/tcp and tcp6.

The text is untrusted: a line that cannot be read is reported with its number and left out.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reports.netstat import row_of
from tcpclose_model.errors import TcpcloseError

PROC_STATES = {
    0x01: "ESTABLISHED",
    0x02: "SYN-SENT",
    0x03: "SYN-RECEIVED",
    0x04: "FIN-WAIT-1",
    0x05: "FIN-WAIT-2",
    0x06: "TIME-WAIT",
    0x07: "CLOSED",
    0x08: "CLOSE-WAIT",
    0x09: "LAST-ACK",
    0x0A: "LISTEN",
    0x0B: "CLOSING",
    0x0C: "SYN-RECEIVED",
}
"""The states of Linux include/net/tcp_states.h."""
SS_STATES = {
    "ESTAB": "ESTABLISHED",
    "SYN-RECV": "SYN-RECEIVED",
    "UNCONN": "CLOSED",
    "CLOSED": "CLOSED",
    **{
        name: name
        for name in (
            *("SYN-SENT", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE-WAIT"),
            *("LAST-ACK", "LISTEN", "CLOSING"),
        )
    },
}
"""What ss calls the states; the others it calls as the standard does."""
PROC_TIMERS = {0: "", 1: "on", 2: "keepalive", 3: "timewait", 4: "persist"}
TICKS_PER_SECOND = 100
"""The unit of /proc/net/tcp's timers (USER_HZ)."""
LINE_LENGTH_MAX = 65_536
PROC_LINE = re.compile(
    r"\s*\d+:\s+([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\s+([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})"
    r"\s+([0-9A-F]{2})\s+([0-9A-F]{8}):([0-9A-F]{8})\s+([0-9A-F]{2}):([0-9A-F]{1,16})"
    r"\s+([0-9A-F]{1,8})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,20})(?:\s|$)",
    re.IGNORECASE | re.ASCII,
)
PROCESS = re.compile(r'\("((?:[^"\\]|\\.)*)",pid=(\d{1,10}),fd=\d+\)')
TIMER = re.compile(r"timer:\((\w+),([0-9a-z.]*),(\d{1,9})\)", re.ASCII)
DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|sec|min|hour|day)?", re.ASCII)
INODE = re.compile(r"(?:^|\s)ino:(\d{1,20})(?=\s|$)", re.ASCII)
NETIDS = {
    *("nl", "p_raw", "p_dgr", "u_str", "u_dgr", "u_seq", "unix", "v_str", "v_dgr", "xdp", "tipc"),
    *("udp", "udp4", "udp6", "udp46", "udplite", "raw", "icmp", "icmp6", "ping", "sctp", "dccp"),
}
"""What ss and netstat list beside TCP."""
SECONDS = {"ms": 0.001, "sec": 1.0, "min": 60.0, "hour": 3600.0, "day": 86400.0, "": 1.0}


@dataclass(frozen=True, slots=True)
class Socket:
    """One socket of a list.

    timer: "" where none runs, "on" (retransmission), "keepalive", "timewait", "persist".
    seconds: until the timer goes off; None where it is not said.
    owner: the processes that hold it, as "name (pid N)"; "" where the input does not say.
    held: whether some process holds it; None where the input does not say.
    timed: whether the input says which timers run.
    """

    line: int
    state: str
    local: str
    peer: str
    received: int
    unsent: int
    timer: str = ""
    seconds: float | None = None
    retries: int = 0
    owner: str = ""
    held: bool | None = None
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """What was read: the sockets, what could not be read, and whether owners are said."""

    sockets: tuple[Socket, ...]
    odd: tuple[str, ...]
    kind: str
    owners_said: bool


def sockets_of(lines: Iterable[str], where: str, state: str = "") -> Listed:
    """Return the sockets that the lines of a list name.

    state: that of all of them, where the list has no such column.
    Raises TcpcloseError if not one line can be read, or the list does not say the states.
    """
    found: list[Socket] = []
    odd: list[str] = []
    kind = ""
    for number, text in _joined(lines):
        if len(text) > LINE_LENGTH_MAX:
            odd.append(f"line {number}: longer than {LINE_LENGTH_MAX:,} characters")
            continue
        heading = _heading(text)
        if heading == "ss, one state" and not state:
            raise TcpcloseError(
                f"{where}: line {number}: the list has no column State, as ss leaves it out where "
                "one state is asked for: say which, as in --state close-wait"
            )
        if heading:
            kind = kind or heading.partition(",")[0]
            continue
        one, why = _socket(text, number, state)
        if one is None:
            odd.append(f"line {number}: {why}")
        else:
            kind = kind or ("proc" if PROC_LINE.match(text) else "ss")
            found.append(one)
    if not kind:
        told = f" ({odd[0]})" if odd else ""
        raise TcpcloseError(
            f"{where}: no line is one of `ss -tanoep` or of /proc/net/tcp{told}; "
            "try: ss -tanoep | tcpclose diagnose"
        )
    if not any(one.timer for one in found):
        found = [replace(one, timed=False) for one in found]
    return Listed(tuple(found), tuple(odd), kind, any(one.owner for one in found))


def _joined(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that matter, with their numbers; one that goes on in the next is one.

    ss -i and -m, and narrow terminals, make lines that go on, indented.
    """
    held: tuple[int, str] | None = None
    for number, line in enumerate(lines, start=1):
        text = line.rstrip()
        goes_on = text[:1].isspace() and not PROC_LINE.match(text) and not _heading(text)
        if held is not None and goes_on:
            if len(held[1]) + len(text) < LINE_LENGTH_MAX:
                held = held[0], f"{held[1]} {text.strip()}"
            continue
        if held is not None:
            yield held
        held = None
        words = text.split(maxsplit=1)
        if words and words[0] not in NETIDS and words[0] != "netns:":
            held = number, text
    if held is not None:
        yield held


def _heading(text: str) -> str:
    """Return what a list is whose heading this is, or "" where it is none."""
    words = text.split()
    if words[:2] == ["sl", "local_address"]:
        return "proc"
    if words[:2] == ["Recv-Q", "Send-Q"]:
        return "ss, one state"
    if words[:2] in (["Proto", "Recv-Q"], ["Active", "Internet"]):
        return "netstat"
    return "ss" if words[:1] in (["State"], ["Netid"]) and "Recv-Q" in words else ""


def _socket(text: str, number: int, state: str) -> tuple[Socket | None, str]:
    """Return the socket of a line, or None and what is odd about it."""
    found = PROC_LINE.match(text)
    if found:
        return _of_proc(found, number)
    words = text.split()
    row = row_of(words, text)
    if row is not None:
        return Socket(number, *row), ""
    if state and _is_count(words[0]):
        words = [state, *words]
    if words and words[0] in ("tcp", "mptcp"):
        words = words[1:]
    if not words or words[0] not in SS_STATES:
        return None, f"{words[0][:20]!r} is not a state of TCP" if words else "empty"
    if len(words) < 5 or not _is_count(words[1]) or not _is_count(words[2]):
        return None, "not 'State Recv-Q Send-Q Local:Port Peer:Port'"
    if any(":" not in word for word in words[3:5]):
        return None, "an address has no port"
    return _of_ss(words, text, number), ""


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 10


def _of_ss(words: list[str], text: str, number: int) -> Socket:
    names = sorted({f"{name} (pid {pid})" for name, pid in PROCESS.findall(text)})
    timer = TIMER.search(text)
    inode = INODE.search(text)
    held: bool | None = True if names else None
    if held is None and inode:
        held = inode[1] != "0"
    if held is None and (" sk:" in text or timer):
        held = False  # with -e a socket that a process holds has an inode, an orphan has none
    return Socket(
        line=number,
        state=SS_STATES[words[0]],
        local=words[3],
        peer=words[4],
        received=int(words[1]),
        unsent=int(words[2]),
        timer=timer[1] if timer else "",
        seconds=_seconds(timer[2]) if timer else None,
        retries=int(timer[3]) if timer else 0,
        owner=", ".join(names),
        held=held if " sk:" in text or names or inode else None,
    )


def _seconds(text: str) -> float | None:
    """Return a duration such as 1min12sec in seconds, or None where it is not one."""
    total, at = 0.0, 0
    while at < len(text):
        found = DURATION.match(text, at)
        if not found:
            return None
        unit = found[2] or ""
        if unit == "ms" and "." in found[1]:
            unit = "sec"  # ss writes 2 s and 820 ms as 2.820ms
        total += float(found[1]) * SECONDS[unit]
        at = found.end()
    return total if text else None


def _of_proc(found: re.Match[str], number: int) -> tuple[Socket | None, str]:
    state, timer = PROC_STATES.get(int(found[5], 16)), PROC_TIMERS.get(int(found[8], 16))
    if state is None or timer is None:
        return None, f"state {found[5]} or timer {found[8]} is not one of Linux's"
    return Socket(
        line=number,
        state=state,
        local=_address(found[1], found[2]),
        peer=_address(found[3], found[4]),
        received=int(found[7], 16),
        unsent=int(found[6], 16),
        timer=timer,
        seconds=int(found[9], 16) / TICKS_PER_SECOND if timer else None,
        retries=int(found[10], 16),
        held=found[13] != "0",
    ), ""


def _address(digits: str, port: str) -> str:
    """Return an address that the kernel has printed word by word, in the order of a PC."""
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    raw = struct.pack(f"<{len(words)}I", *words)
    if len(raw) == 4:
        return f"{ipaddress.IPv4Address(raw)}:{int(port, 16)}"
    return f"[{ipaddress.IPv6Address(raw)}]:{int(port, 16)}"
