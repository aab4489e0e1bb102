"""The steps of a script, done to a connection, and what was seen of it after each.

A script says what to do: calls, segments that arrive, timers of the kernel to wait for.  What the
kernel does about it is written down, and judged elsewhere (see `judging`).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reports.frames import UNIT_OCTETS
from tests.kernel.connection import Connection
from tests.kernel.segments import Seen

POLL_SECONDS = 0.005
WAITS = {
    "RETRANSMISSION TIMEOUT": 2.0,
    "DELAYED ACK TIMEOUT": 0.6,
    "USER TIMEOUT": 2.0,
    "2MSL": 65.0,
    "FIN_WAIT_2 TIMEOUT": 3.0,
    "ACK LIMIT TIMEOUT": 0.08,
}
"""Seconds within which the kernel's timer must have gone off; nothing tells when the last has."""
USER_TIMEOUT_MS = 300
"""Longer than the first retransmission timeout (200 ms), shorter than the second (600 ms)."""


class Wanted(NamedTuple):
    """An event at the kernel's end, and what the model has it do (see reports/suite_json.py)."""

    event: str
    arrives: Seen | None
    sends: Seen | None
    state: str
    reads: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Wanted:  # Any: JSON
        """Return an event of a suite's file."""
        arrives, sends = (_seen(event[name]) for name in ("arrives", "sends"))
        return cls(event["event"], arrives, sends, event["state"], event["reads"])


class Noted(NamedTuple):
    """What was seen: in which event of the script, what the kernel has sent, its state then.

    error: what a call of the user, or the socket at the end of the script, said; "" if nothing.
    """

    event: int
    sent: tuple[Seen, ...]
    state: str
    error: str = ""

    @classmethod
    def of(cls, said: list[Any]) -> Noted:  # Any: JSON
        """Return what the player has written."""
        event, sent, state, error = said
        return cls(event, tuple(Seen(*one) for one in sent), state, error)


def _seen(said: Mapping[str, Any] | None) -> Seen | None:  # Any: JSON
    return None if said is None else Seen(said["flags"], said["seq"], said["length"], said["ack"])


def play(connection: Connection, script: list[Wanted], log: list[Noted]) -> Iterator[float]:
    """Play a script and note what is seen; yield the time until which there is nothing to do."""
    gives_up = any(want.event == "USER TIMEOUT" for want in script)
    connection.open(USER_TIMEOUT_MS if gives_up else 0)
    for number, want in enumerate(script):
        error = ""
        if want.event in WAITS:
            yield from _timer(connection, want, number, log)
            continue
        try:
            _done(connection, want)
        except OSError as refused:
            error = os.strerror(refused.errno) if refused.errno else str(refused)
        log.append(_noted(connection, number, error))
    if connection.socket is not None:
        code = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        log.append(_noted(connection, len(script), os.strerror(code) if code else ""))


def _noted(connection: Connection, number: int, error: str = "") -> Noted:
    sent = tuple(connection.inbox)
    connection.inbox.clear()
    return Noted(number, sent, connection.state(), error)


def _done(connection: Connection, want: Wanted) -> None:
    """Do one event."""
    event = want.event
    if want.arrives is not None:
        connection.arrive(want.arrives)
    elif event in ("TRANSMIT", "TRANSMIT WITH FIN"):
        connection.let_send(want.sends.length if want.sends else 0)
    elif event == "CLOSE":
        connection.close()
    elif event == "ABORT":
        connection.close(abort=True)
    elif event == "SHUTDOWN":
        connection.shutdown()
    elif event == "SEND":
        connection.send(UNIT_OCTETS)
    elif event != "RECEIVE":
        raise RuntimeError(f"no script can do {event}")
    if want.reads:
        connection.read(want.reads)


def _timer(connection: Connection, want: Wanted, number: int, log: list[Noted]) -> Iterator[float]:
    """Wait until the timer has sent what it is to, or has changed the state; note each change."""
    until = time.monotonic() + WAITS[want.event]
    state = connection.state()
    while time.monotonic() < until and not _is_over(connection, want, state):
        polls = want.sends is None and want.event != "ACK LIMIT TIMEOUT"
        yield min(until, time.monotonic() + POLL_SECONDS) if polls else until
        if connection.inbox:
            is_what_was_waited_for = _sends_it(connection, want)
            log.append(_noted(connection, number))
            if is_what_was_waited_for:
                return
    log.append(_noted(connection, number))


def _is_over(connection: Connection, want: Wanted, before: str) -> bool:
    if want.event == "DELAYED ACK TIMEOUT":
        return want.sends is None or connection.said_ack >= (want.sends.ack or 0)
    return want.sends is None and before != want.state == connection.state()


def _sends_it(connection: Connection, want: Wanted) -> bool:
    """Return whether the timer has sent: whatever it sends again has text or a FIN."""
    if want.sends is None:
        return False
    repeats = any(one.length or "F" in one.flags for one in connection.inbox)
    return repeats or want.event != "RETRANSMISSION TIMEOUT"
