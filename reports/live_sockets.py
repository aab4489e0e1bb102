"""The sockets of this host as the kernel lists them, and the processes that hold them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reports.sock_diag import Address, Found, SockDiag
from reports.sockets import PROC_STATES, PROC_TIMERS, Listed, Socket
from tcpclose_model.errors import TcpcloseError

SOCKET_LINK = re.compile(r"socket:\[(\d+)\]")


def live_sockets() -> Listed:
    """Return the TCP sockets of this host's network namespace; TcpcloseError if it is not Linux's.

    Whose processes this user may not look at, of those the owner is not said.
    """
    if not sys.platform.startswith("linux"):
        raise TcpcloseError("--live asks Linux by netlink; give a FILE, or what ss prints")
    found = list(SockDiag().every())
    owners = dict(_owners())
    sockets = tuple(_socket(number, one, owners) for number, one in enumerate(found, 1))
    return Listed(sockets, (), "netlink", owners_said=any(one.owner for one in sockets))


def _socket(number: int, one: Found, owners: dict[int, str]) -> Socket:
    timer = PROC_TIMERS.get(one.timer, "")
    return Socket(
        line=number,
        state=PROC_STATES.get(one.state, "CLOSED"),
        local=_text(one.local),
        peer=_text(one.peer),
        received=one.received,
        unsent=one.unsent,
        timer=timer,
        seconds=one.expires_ms / 1000 if timer else None,
        retries=one.retransmissions,
        owner=owners.get(one.inode, ""),
        held=one.inode != 0,
    )


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _owners() -> Iterator[tuple[int, str]]:
    """Return the sockets' inodes with who holds them, of the processes that may be looked at."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
            links = list((process / "fd").iterdir())
        except OSError:
            continue  # another user's, or it has ended
        for link in links:
            with suppress(OSError):  # a descriptor may be closed meanwhile
                if held := SOCKET_LINK.fullmatch(os.readlink(link)):
                    yield int(held[1]), f"{name} (pid {process.name})"
