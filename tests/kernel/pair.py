"""Two sockets of the kernel, each in a namespace of its own, and a relay between them.

Every packet that either sends waits in the relay until it is told what becomes of it: it is
delivered, lost, or there is one more of it.  The relay changes nothing in a packet.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from reports.frames import UNIT_OCTETS
from reports.packets import ACK, FIN, SYN, Packet
from reports.sock_diag import SockDiag
from tests.kernel.connection import STATES, TCP_QUICKACK, TCP_USER_TIMEOUT
from tests.kernel.namespace import HOST, PEER, SYSCTLS, Place, opened
from tests.kernel.segments import Seen, letters_of

ADDRESSES = (HOST, PEER)
PORTS = (20_000, 40_000)
"""Of the first pair; of each further one they are one higher."""
PLAIN = {**SYSCTLS, "tcp_timestamps": "0", "tcp_sack": "0"}
"""No options that the model does not have; only the timer and duplicate ACKs make it resend."""
AS_THEY_ARE = {name: SYSCTLS[name] for name in ("tcp_fin_timeout", "tcp_invalid_ratelimit")}
"""Timestamps, SACK, RACK, tail-loss probes and F-RTO as Linux has them by default."""
TIMESTAMPS_OCTETS = 12
ROOM = 4
"""Packets that the relay holds in one direction; what else is sent there is lost."""
FRAMES_MAX = 300
"""Packets that the two may send."""


class Host:
    """A namespace with a kernel's end of the path in it."""

    def __init__(self, address: str, *, as_it_is: bool) -> None:
        self.tun = opened(address, AS_THEY_ARE if as_it_is else PLAIN)
        self._room = TIMESTAMPS_OCTETS if as_it_is else 0
        self.diag = SockDiag()
        self._place = Place()

    def socket(self, mss: int) -> socket.socket:
        """Return a new TCP socket of this host; mss: octets of text in a segment."""
        self._place.enter()
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss + self._room)
        return made


class Flying(NamedTuple):
    """A packet in the relay: its octets, and what it is."""

    data: bytes
    seg: Seen


@dataclass(frozen=True, slots=True)
class Options:
    """How the sockets of a pair are set.

    nodelay: whether text is sent at once though earlier text is unacknowledged (TCP_NODELAY).
    user_timeouts_ms: after which A and B give up; 0 for the kernel's default.
    mss: the most octets of text in a segment; each is a unit of text where both are the same.
    """

    mss: int = UNIT_OCTETS
    nodelay: bool = True
    user_timeouts_ms: tuple[int, int] = (0, 0)


class Pair:
    """A connection between the kernels of two hosts.

    inbound: of either end, the packets on their way to it, the oldest first.
    captured: the packets that the relay has taken in.
    overflown: how many of them there was no room for.
    queued_sent: of either end, how many it has sent with text or a FIN.
    """

    def __init__(self, hosts: tuple[Host, Host], number: int, options: Options) -> None:
        self._hosts, self._options = hosts, options
        self.ends = tuple((ADDRESSES[end], PORTS[end] + number) for end in (0, 1))
        self._iss: list[int | None] = [None, None]
        self._began = time.monotonic()
        self.inbound: tuple[list[Flying], list[Flying]] = [], []
        self.captured: list[bytes] = []
        self.overflown = 0
        self.queued_sent = [0, 0]
        self.has_news = False
        self.pump: Callable[[], None] = lambda: None
        self.sockets: list[socket.socket | None] = [None, None]

    @property
    def now(self) -> float:
        """Seconds since the pair was made."""
        return time.monotonic() - self._began

    def open(self) -> None:
        """Bring both ends to ESTABLISHED: nothing happens to the handshake."""
        with self._hosts[1].socket(self._options.mss) as listener:
            listener.bind(self.ends[1])
            listener.listen(1)
            caller = self.sockets[0] = self._hosts[0].socket(self._options.mss)
            caller.bind(self.ends[0])
            if caller.connect_ex(self.ends[1]) != errno.EINPROGRESS:
                raise RuntimeError("connect() did not begin")
            self.pump()
            while self.inbound[0] or self.inbound[1]:
                self.deliver(0 if self.inbound[0] else 1, 0)
            self.sockets[1] = listener.accept()[0]
        for made, timeout_ms in zip(self.sockets, self._options.user_timeouts_ms, strict=True):
            assert made is not None
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, self._options.nodelay)
            if timeout_ms:
                made.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms)
        self.has_news = False
        if self.states() != ["ESTABLISHED", "ESTABLISHED"] or any(self.inbound):
            raise RuntimeError(f"the opening failed: {self.states()}, {self.inbound}")

    def take(self, sender: int, data: bytes, packet: Packet) -> None:
        """Take in a packet that an end has sent."""
        if packet.flags & SYN and self._iss[sender] is None:
            self._iss[sender] = packet.seq
        own, other = self._iss[sender] or 0, self._iss[1 - sender] or 0
        ack = (packet.ack - other) % 2**32 if packet.flags & ACK else None
        seq = (packet.seq - own) % 2**32
        seg = Seen(letters_of(packet.flags), seq, packet.length, ack)
        self.has_news = True
        self.captured.append(data)
        if len(self.captured) > FRAMES_MAX:
            raise RuntimeError(f"more than {FRAMES_MAX} packets")
        self.queued_sent[sender] += bool(packet.length or packet.flags & FIN)
        if len(self.inbound[1 - sender]) < ROOM:
            self.inbound[1 - sender].append(Flying(data, seg))
        else:
            self.overflown += 1

    def deliver(self, end: int, place: int) -> None:
        """Let a packet on its way to an end arrive."""
        flying = self.inbound[end].pop(place)
        held = self.sockets[end]
        if held is not None and self.sockets[1] is not None:
            # ACKs are to be delayed, whatever the kernel has concluded from what came before.
            with contextlib.suppress(OSError):
                held.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 0)
        self.pump()
        self._hosts[end].tun.arrive(flying.data)
        self.pump()

    def lose(self, end: int, place: int) -> None:
        """Lose a packet on its way to an end."""
        del self.inbound[end][place]

    def duplicate(self, end: int, place: int) -> None:
        """Have one more of a packet on its way to an end, right behind it."""
        self.inbound[end].insert(place, self.inbound[end][place])

    def close(self, end: int, *, abort: bool = False) -> None:
        """Close an end's socket, or abort it."""
        held = self.open_socket(end)
        if abort:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        held.close()
        self.sockets[end] = None
        self.pump()

    def shutdown(self, end: int) -> None:
        """Shut down sending at an end."""
        self.open_socket(end).shutdown(socket.SHUT_WR)
        self.pump()

    def send(self, end: int) -> None:
        """Send a unit of text from an end."""
        self.open_socket(end).send(b"x" * UNIT_OCTETS)
        self.pump()

    def read(self, end: int) -> bool:
        """Read a unit of text at an end; return whether there was one."""
        try:
            got = self.open_socket(end).recv(UNIT_OCTETS)
        except BlockingIOError:
            return False
        if got and len(got) != UNIT_OCTETS:
            raise RuntimeError(f"{len(got)} octets were read, not a unit of text")
        self.pump()
        return bool(got)

    def has_text(self, end: int) -> bool:
        """Return whether there is text at an end that its user has not read."""
        with contextlib.suppress(OSError):
            return bool(self.open_socket(end).recv(1, socket.MSG_PEEK))
        return False

    def open_socket(self, end: int) -> socket.socket:
        """Return an end's socket, which the user still holds."""
        held = self.sockets[end]
        if held is None:
            raise OSError(errno.EBADF, "closed")
        return held

    def states(self) -> list[str]:
        """Return the state of either end, as the model calls it."""
        found = [self._hosts[end].diag.find(self.ends[end], self.ends[1 - end]) for end in (0, 1)]
        return ["CLOSED" if one is None else STATES[one.state] for one in found]

    def end(self) -> None:
        """Close what is still open."""
        for end in (0, 1):
            if self.sockets[end] is not None:
                with contextlib.suppress(OSError):
                    self.close(end, abort=True)
