"""TCP segments in IPv4 packets, as the kernel sends and takes them."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from reports.packets import ACK, FIN, PSH, RST, SYN, Packet, packet_of
from reports.packets import RAW as LINK_RAW

LETTERS = {"S": SYN, "F": FIN, "R": RST, "P": PSH, ".": ACK}


class Seen(NamedTuple):
    """A segment with numbers that count from its sender's, and its receiver's, SYN.

    flags: as packetdrill writes them, PSH left out.  ack: None where the ACK bit is off.
    """

    flags: str
    seq: int
    length: int
    ack: int | None

    def __str__(self) -> str:
        text = f"({self.length})" if self.length else ""
        return f"{self.flags} {self.seq}{text}" + ("" if self.ack is None else f" ack {self.ack}")


def flags_of(letters: str) -> int:
    """Return the bits of flags in packetdrill's letters."""
    return sum(LETTERS[letter] for letter in letters)


def letters_of(flags: int) -> str:
    """Return flags in packetdrill's letters, PSH left out."""
    return "".join(letter for letter, bit in LETTERS.items() if flags & bit and letter != "P")


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(packet: Packet, options: bytes = b"") -> bytes:
    """Return a packet with both checksums; its text is as long as it says."""
    ports = packet.source[1], packet.target[1]
    offset = (20 + len(options)) // 4 << 4
    ack = packet.ack if packet.flags & ACK else 0
    head = struct.pack(">HHIIBBH", *ports, packet.seq, ack, offset, packet.flags, packet.window)
    body = options + b"x" * packet.length
    ends = packet.source[0] + packet.target[0]
    size = len(head) + 4 + len(body)
    pseudo = ends + struct.pack(">BBH", 0, socket.IPPROTO_TCP, size)
    tcp = head + struct.pack(">HH", checksum(pseudo + head + b"\0\0\0\0" + body), 0) + body
    first = struct.pack(">BBHHHBB", 0x45, 0, 20 + size, 0, 0x4000, 64, socket.IPPROTO_TCP)
    return first + struct.pack(">H", checksum(first + b"\0\0" + ends)) + ends + tcp


def parsed(data: bytes) -> Packet | None:
    """Return the TCP packet in what the kernel has sent, or None where it is something else."""
    found = packet_of(LINK_RAW, data)
    return found if isinstance(found, Packet) else None
