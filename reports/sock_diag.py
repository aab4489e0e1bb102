"""The sockets of the running kernel, asked by netlink: Linux sock_diag, for TCP.

It finds what no file descriptor leads to any more: orphans, and the minisockets of FIN-WAIT-2 and
TIME-WAIT.  Source: Linux include/uapi/linux/inet_diag.h, sock_diag.h and netlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from tcpclose_model.errors import TcpcloseError

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NO_COOKIE = 0xFFFFFFFF
ALL_STATES = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")
"""Of a netlink message: length, type, flags, sequence number, port."""
REQUEST = struct.Struct("=BBBxI")
"""Family, protocol, extensions, states."""
SOCKET_ID = struct.Struct(">HH16s16s")
"""Ports and addresses in network order; the interface and the cookie follow."""
REPLY = struct.Struct("=BBBB48sIIIII")
"""Family, state, timer, retransmissions; the socket's identity; the time that the timer has left,
queues, owner, inode."""
RECEIVED_MAX = 65_536

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
    local: Address
    peer: Address


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
        one = SOCKET_ID.pack(local[1], peer[1], _packed(local), _packed(peer))
        self._ask(socket.AF_INET, one + struct.pack("=III", 0, NO_COOKIE, NO_COOKIE))
        return self._answer()

    def every(self) -> Iterator[Found]:
        """Return every TCP socket of the namespace, of IPv4 and then of IPv6."""
        for family in (socket.AF_INET, socket.AF_INET6):
            self._ask(family, bytes(48), NLM_F_DUMP)
            yield from self._parts()

    def _ask(self, family: int, identity: bytes, flags: int = 0) -> None:
        """Send the request for the socket of that identity, or for all."""
        self._number += 1
        body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, ALL_STATES) + identity
        length = HEADER.size + len(body)
        flags |= NLM_F_REQUEST
        head = HEADER.pack(length, SOCK_DIAG_BY_FAMILY, flags, self._number, 0)
        self._socket.send(head + body)

    def _parts(self) -> Iterator[Found]:
        """Return the sockets of an answer in several messages."""
        while True:
            data = self._socket.recv(RECEIVED_MAX)
            at = 0
            while at + HEADER.size <= len(data):
                length, kind, _, _, _ = HEADER.unpack_from(data, at)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR or length < HEADER.size + REPLY.size:
                    raise TcpcloseError("sock_diag: the kernel does not list its sockets")
                yield _found(data, at + HEADER.size)
                at += (length + 3) & ~3

    def _answer(self) -> Found | None:
        data = self._socket.recv(RECEIVED_MAX)
        _, kind, _, number, _ = HEADER.unpack_from(data)
        if number != self._number:
            raise TcpcloseError("sock_diag answers another question than was asked")
        if kind == NLMSG_ERROR:
            (code,) = struct.unpack_from("=i", data, HEADER.size)
            if -code == errno.ENOENT:
                return None
            raise TcpcloseError(f"sock_diag: {os.strerror(-code)}")
        return _found(data, HEADER.size)


def _found(data: bytes, at: int) -> Found:
    family, state, timer, again, identity, expires, received, unsent, _, inode = REPLY.unpack_from(
        data, at
    )
    here, there, local, peer = SOCKET_ID.unpack_from(identity)
    ends = (_words(family, local), here), (_words(family, peer), there)
    return Found(state, timer, again, expires, received, unsent, inode, *ends)


def _words(family: int, raw: bytes) -> str:
    """Return an address as people write it; only the first four octets are IPv4's."""
    return socket.inet_ntop(family, raw if family == socket.AF_INET6 else raw[:4])


def _packed(address: Address) -> bytes:
    return socket.inet_aton(address[0]).ljust(16, b"\0")
