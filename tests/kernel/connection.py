"""One connection of the kernel, whose peer is played by hand."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable

from reports.packets import ACK, FIN, RST, SYN, Packet, ends_of
from reports.sock_diag import SockDiag
from tests.kernel.namespace import HOST, PEER, Tun
from tests.kernel.segments import Seen, flags_of, ipv4, letters_of

PEER_PORT = 8080
PEER_ISS = 5_000_000
MSS = bytes([2, 4, 1400 >> 8, 1400 & 255])
"""The only option that the peer offers: no SACK, no timestamps, no window scale."""
WIDE = 8_192
"""The window of the peer's SYN: half of it bounds the segments that the kernel makes."""
TCP_QUICKACK, TCP_USER_TIMEOUT = 12, 18

STATES = {
    1: "ESTABLISHED",
    2: "SYN_SENT",
    3: "SYN_RECEIVED",
    4: "FIN_WAIT_1",
    5: "FIN_WAIT_2",
    6: "TIME_WAIT",
    7: "CLOSED",
    8: "CLOSE_WAIT",
    9: "LAST_ACK",
    10: "LISTEN",
    11: "CLOSING",
}
"""The states of Linux include/net/tcp_states.h, as the model calls them."""


class Connection:
    """A socket of the kernel that connects to the peer; numbers count from either end's SYN.

    inbox: what the kernel has sent and nobody has looked at yet; taken: how much it has sent.
    snd_nxt, said_ack: the number behind all that the kernel has sent, the highest ACK it has sent.
    peer_nxt, acked: the same of the peer.
    """

    def __init__(self, tun: Tun, diag: SockDiag, port: int) -> None:
        self._tun, self._diag = tun, diag
        self._ends = (HOST, port), (PEER, PEER_PORT)
        self._iss = 0
        self.inbox: list[Seen] = []
        self.taken = 0
        self.snd_nxt = 0
        self.said_ack = 0
        self.acked = 0
        self.peer_nxt = 0
        self.pump: Callable[[], None] = lambda: None
        self.socket: socket.socket | None = None

    @property
    def has_news(self) -> bool:
        """Whether the kernel has sent something that nobody has looked at yet."""
        return bool(self.inbox)

    def open(self, user_timeout_ms: int) -> None:
        """Bring the connection to ESTABLISHED, its window shut but for one octet.

        user_timeout_ms: after which the kernel gives up; 0 for its own default.
        A window of zero would hold back a FIN; one octet holds back text and lets a FIN pass.  A
        window can only be made smaller with a new ACK, so an octet is sent first, and its number
        left out of the count.
        """
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket = made
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if user_timeout_ms:
            made.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms)
        made.bind(self._ends[0])
        if made.connect_ex(self._ends[1]) != errno.EINPROGRESS:
            raise RuntimeError("connect() did not begin")
        self._next("S")
        self.inject(Seen("S.", 0, 0, 1), WIDE, MSS)
        self._next(".")
        made.send(b"x")
        self._next(".")
        self._iss = (self._iss + 1) % 2**32
        self.snd_nxt = self.acked = self.peer_nxt = 1
        self.inject(Seen(".", 1, 0, 1), 1)
        if self.inbox or self.state() != "ESTABLISHED":
            raise RuntimeError(f"the opening failed: {self.state()}, {self.inbox}")

    def _next(self, flags: str) -> None:
        self.pump()
        if [one.flags for one in self.inbox] != [flags]:
            raise RuntimeError(f"the opening failed: {self.inbox} for {flags!r}")
        self.inbox.clear()

    def take(self, packet: Packet) -> None:
        """Take note of a packet that the kernel has sent."""
        self.taken += 1
        if packet.flags & SYN and not self.taken > 1:
            self._iss = packet.seq
        seq = (packet.seq - self._iss) % 2**32
        ack = (packet.ack - PEER_ISS) % 2**32 if packet.flags & ACK else None
        self.inbox.append(Seen(letters_of(packet.flags), seq, packet.length, ack))
        if not packet.flags & RST:
            self.said_ack = max(self.said_ack, ack or 0)
            ends = seq + packet.length + bool(packet.flags & FIN) + bool(packet.flags & SYN)
            self.snd_nxt = max(self.snd_nxt, ends)

    def inject(self, seg: Seen, window: int, options: bytes = b"") -> None:
        """Let a segment of the peer's arrive."""
        here, there = ((socket.inet_aton(host), port) for host, port in self._ends)
        flags = flags_of(seg.flags)
        ack = 0 if seg.ack is None else (self._iss + seg.ack) % 2**32
        seq = (PEER_ISS + seg.seq) % 2**32
        packet = Packet(ends_of(there, here), seq, ack, seg.length, flags, window)
        self._tun.arrive(ipv4(packet, options))
        ends = seg.seq + seg.length + bool(flags & FIN) + bool(flags & SYN)
        if not flags & RST:
            self.peer_nxt = max(self.peer_nxt, ends)
            self.acked = max(self.acked, min(seg.ack or 0, self.snd_nxt))
        self.pump()

    def arrive(self, seg: Seen) -> None:
        """Let a segment arrive; its window ends one octet behind what the kernel has sent."""
        if self.socket is not None:
            # ACKs are to be delayed, whatever the kernel has concluded from what came before.
            self.option(socket.IPPROTO_TCP, TCP_QUICKACK, 0)
        self.inject(seg, max(0, self.snd_nxt + 1 - (seg.ack or 0)))

    def let_send(self, octets: int) -> None:
        """Open the window for so many octets more, and a FIN, by a pure ACK."""
        window = self.snd_nxt - self.acked + octets + 1
        self.inject(Seen(".", self.peer_nxt, 0, self.acked), window)

    def option(self, level: int, name: int, value: int) -> None:
        """Set an option; a socket that has been reset has none any more."""
        assert self.socket is not None
        with contextlib.suppress(OSError):
            self.socket.setsockopt(level, name, value)

    def close(self, *, abort: bool = False) -> None:
        """Close the socket, or abort it."""
        held = self._open_socket()
        if abort:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        held.close()
        self.socket = None
        self.pump()

    def send(self, octets: int) -> None:
        """Send text."""
        self._open_socket().send(b"x" * octets)
        self.pump()

    def shutdown(self) -> None:
        """Shut down sending."""
        self._open_socket().shutdown(socket.SHUT_WR)
        self.pump()

    def read(self, octets: int) -> None:
        """Read text; OSError if there is less."""
        got = self._open_socket().recv(octets)
        if len(got) != octets:
            raise OSError(f"{len(got)} octets could be read, not {octets}")
        self.pump()

    def _open_socket(self) -> socket.socket:
        if self.socket is None:
            raise OSError(errno.EBADF, "closed")
        return self.socket

    def state(self) -> str:
        """Return the state of the connection, as the model calls it."""
        found = self._diag.find(*self._ends)
        return "CLOSED" if found is None else STATES.get(found.state, f"state {found.state}")

    def end(self) -> None:
        """Leave nothing behind: close what is open, and reset what the kernel still keeps."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.close(abort=True)
