"""Network namespaces with one TUN device in each, made by a process for itself alone.

Nothing in them reaches any other network, and all of it goes when the process ends.  It needs
CAP_SYS_ADMIN, or user namespaces, and /dev/net/tun.  Python has os.unshare from 3.12 on only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x1000_0000, 0x4000_0000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x4004_54CA, 0x0001, 0x1000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
IFF_UP = 1
DEVICE = "tcpclose0"
HOST, PEER, NETMASK = "192.0.2.1", "192.0.2.2", "255.255.255.0"
"""The kernel's address, and that of the peer, whom a script plays (TEST-NET-1, RFC 5737)."""
FRAME_OCTETS_MAX = 65_536

SYSCTLS = {
    "tcp_fin_timeout": "1",  # seconds of an orphan in FIN-WAIT-2; the default is 60
    "tcp_early_retrans": "0",  # no tail-loss probes: only the retransmission timer sends again
    "tcp_frto": "0",  # a retransmission timeout is taken at its word
    "tcp_invalid_ratelimit": "50",  # milliseconds between ACKs of what is refused; 500
    "tcp_syncookies": "0",
}
"""What is set in the namespace so that what is to be seen comes soon, and by itself."""


def isolate() -> None:
    """Put this process into a network namespace of its own; OSError if it may not.

    Without CAP_SYS_ADMIN a user namespace is made with it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")


class Tun:
    """A TUN device: what the kernel sends to the peer is read, what is written arrives from it.

    The kernel handles a packet within the write, so its answer can be read right after.
    """

    def __init__(self, here: str = HOST) -> None:
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        name = DEVICE.encode()
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name, IFF_TUN | IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for request, address in ((SIOCSIFADDR, here), (SIOCSIFNETMASK, NETMASK)):
                raw = struct.pack("=H2x4s8x", socket.AF_INET, socket.inet_aton(address))
                fcntl.ioctl(control, request, struct.pack("16s16s8x", name, raw))
            data = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sH22x", name, 0))
            flags: int = struct.unpack_from("=H", data, 16)[0]
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", name, flags | IFF_UP))

    def arrive(self, packet: bytes) -> None:
        """Let the kernel have a packet."""
        os.write(self.fd, packet)

    def sent(self) -> list[bytes]:
        """Return the packets that the kernel has sent and that have not been read yet."""
        found = []
        while True:
            try:
                found.append(os.read(self.fd, FRAME_OCTETS_MAX))
            except BlockingIOError:
                return found


def opened(here: str = HOST, sysctls: Mapping[str, str] = SYSCTLS) -> Tun:
    """Return the device of a new namespace, set up; OSError where it is not permitted.

    here: the kernel's address in it.  The process is in the namespace from now on.
    """
    isolate()
    tun = Tun(here)
    for name, value in sysctls.items():
        path = Path("/proc/sys/net/ipv4", name)
        if path.exists():
            path.write_text(value, encoding="ascii")
    return tun


class Place:
    """The namespace that the process is in now, to come back to."""

    def __init__(self) -> None:
        self._fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def enter(self) -> None:
        """Put the process into the namespace: sockets that it makes are made there."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(self._fd, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"setns: {os.strerror(code)}")
