"""Sockets as `netstat` lists them: net-tools' -tanop of Linux, and -an of macOS and the BSDs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

PROTOCOLS = ("tcp", "tcp4", "tcp6", "tcp46")
STATES = {
    "ESTABLISHED": "ESTABLISHED",
    "SYN_SENT": "SYN-SENT",
    "SYN_RECV": "SYN-RECEIVED",
    "SYN_RCVD": "SYN-RECEIVED",
    "FIN_WAIT1": "FIN-WAIT-1",
    "FIN_WAIT2": "FIN-WAIT-2",
    "FIN_WAIT_1": "FIN-WAIT-1",
    "FIN_WAIT_2": "FIN-WAIT-2",
    "TIME_WAIT": "TIME-WAIT",
    "CLOSE": "CLOSED",
    "CLOSED": "CLOSED",
    "CLOSE_WAIT": "CLOSE-WAIT",
    "LAST_ACK": "LAST-ACK",
    "LISTEN": "LISTEN",
    "CLOSING": "CLOSING",
}
TIMERS = {
    "off": "",
    "on": "on",
    "keepalive": "keepalive",
    "timewait": "timewait",
    "probe": "persist",
}
TIMER = re.compile(
    r"\s(off|on|keepalive|timewait|probe) \((\d{1,9}\.\d\d)/(\d{1,9})/\d+\)", re.ASCII
)
OWNER = re.compile(r"\s(\d{1,10})/(\S+)", re.ASCII)


class Row(NamedTuple):
    """A socket of the list; seconds is None where no timer is said, held where the owner is not."""

    state: str
    local: str
    peer: str
    received: int
    unsent: int
    timer: str
    seconds: float | None
    retries: int
    owner: str
    held: bool | None


def row_of(words: Sequence[str], text: str) -> Row | None:
    """Return the socket of a line, or None if it is not a line of netstat's."""
    if len(words) < 6 or words[0] not in PROTOCOLS or words[5] not in STATES:
        return None
    if not all(word.isascii() and word.isdigit() and len(word) <= 10 for word in words[1:3]):
        return None
    timer, owner = TIMER.search(text), OWNER.search(text)
    state = STATES[words[5]]
    name = TIMERS[timer[1]] if timer else ""
    held: bool | None = True if owner else None
    if held is None and name == "timewait":
        held = False
    return Row(
        state,
        words[3],
        words[4],
        int(words[1]),
        int(words[2]),
        name,
        float(timer[2]) if timer and name else None,
        int(timer[3]) if timer else 0,
        f"{owner[2]} (pid {owner[1]})" if owner else "",
        held,
    )
