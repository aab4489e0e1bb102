"""The sockets of the running kernel, asked by netlink: Linux sock_diag, for IPv4 TCP.

It finds what no file descriptor leads to any more: orphans, and the minisockets of FIN-WAIT-2 and
TIME-WAIT.  Source: Linux include/uapi/linux/inet_diag.h, sock_diag.h and netlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import NamedTuple

from tcpclose_model.errors import TcpcloseError

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR = 2
NLM_F_REQUEST = 1
NO_COOKIE = 0xFFFFFFFF
ALL_STATES = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")
"""Of a netlink message: length, type, flags, sequence number, port."""
REQUEST = struct.Struct("=BBBxI")
"""Family, protocol, extensions, states."""
SOCKET_ID = struct.Struct(">HH16s16s")
"""Ports and addresses in network order; the interface and the cookie follow."""
REPLY = struct.Struct("=BBBB48xIIIII")
"""Family, state, timer, retransmissions; the time that the timer has left, queues, owner, inode."""

Address = tuple[str, int]


class Found(NamedTuple):
    """One socket: its state as a number of the kernel, its timer and queues."""

    state: int
    timer: int
    retransmissions: int
    expires_ms: int
    received: int
    unsent: int
    inode: int


class SockDiag:
    """A netlink socket into the network namespace that it was made in."""

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        except OSError as error:
            raise TcpcloseError(f"sock_diag cannot be asked: {error.strerror}") from None
        self._number = 0

    def find(self, local: Address, peer: Address) -> Found | None:
        """Return the TCP socket between two IPv4 addresses, or None where there is none (CLOSED).

        Raises TcpcloseError if the kernel gives another answer than either.
        """
        self._number += 1
        one = SOCKET_ID.pack(local[1], peer[1], _packed(local), _packed(peer))
        body = REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, ALL_STATES)
        body += one + struct.pack("=III", 0, NO_COOKIE, NO_COOKIE)
        length = HEADER.size + len(body)
        head = HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, self._number, 0)
        self._socket.send(head + body)
        return self._answer()

    def _answer(self) -> Found | None:
        data = self._socket.recv(65_536)
        _, kind, _, number, _ = HEADER.unpack_from(data)
        if number != self._number:
            raise TcpcloseError("sock_diag answers another question than was asked")
        if kind == NLMSG_ERROR:
            (code,) = struct.unpack_from("=i", data, HEADER.size)
            if -code == errno.ENOENT:
                return None
            raise TcpcloseError(f"sock_diag: {os.strerror(-code)}")
        _, state, timer, retransmissions, expires, received, unsent, _, inode = REPLY.unpack_from(
            data, HEADER.size
        )
        return Found(state, timer, retransmissions, expires, received, unsent, inode)


def _packed(address: Address) -> bytes:
    return socket.inet_aton(address[0]).ljust(16, b"\0")
