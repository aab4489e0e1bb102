"""Writes capture files for tests: TCP segments, in any order, with any numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

FIN, SYN, RST, ACK = 1, 2, 4, 16
ADDRESSES = (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
PORTS = (50001, 80)
LINK_RAW = 101


class Sent(NamedTuple):
    """A segment of A (end 0) or B (end 1); numbers count from the initial ones."""

    end: int
    seq: int
    ack: int
    flags: int = ACK
    text: int = 0
    window: int = 500


def tcp(seg: Sent, isn: tuple[int, int], port: int = PORTS[0]) -> bytes:
    """Return the TCP segment."""
    ports = (port, PORTS[1])
    seq = (isn[seg.end] + seg.seq) % 2**32
    ack = (isn[1 - seg.end] + seg.ack) % 2**32 if seg.flags & ACK else 0
    head = struct.pack(
        ">HHIIBBHHH",
        ports[seg.end],
        ports[1 - seg.end],
        seq,
        ack,
        5 << 4,
        seg.flags,
        seg.window,
        0,
        0,
    )
    return head + b"x" * seg.text


def ipv4(seg: Sent, isn: tuple[int, int], port: int = PORTS[0]) -> bytes:
    """Return the segment in an IPv4 packet."""
    body = tcp(seg, isn, port)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, 6, 0)
    return head + ADDRESSES[seg.end] + ADDRESSES[1 - seg.end] + body


def ipv6(seg: Sent, isn: tuple[int, int], extensions: bytes = b"", first: int = 6) -> bytes:
    """Return the segment in an IPv6 packet, behind extension headers."""
    body = extensions + tcp(seg, isn)
    ends = [bytes(15) + bytes([1 + end]) for end in (seg.end, 1 - seg.end)]
    return struct.pack(">IHBB", 6 << 28, len(body), first, 64) + ends[0] + ends[1] + body


def pcap(
    packets: Iterable[bytes], link: int = LINK_RAW, order: str = "<", magic: int = 0xA1B2C3D4
) -> bytes:
    """Return a pcap file."""
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for number, packet in enumerate(packets):
        parts += [struct.pack(f"{order}IIII", number, 0, len(packet), len(packet)), packet]
    return b"".join(parts)


def pcapng(packets: Iterable[bytes], link: int = LINK_RAW, order: str = "<") -> bytes:
    """Return a pcapng file with one section and one interface."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + size + body + size

    data = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack(f"{order}HHI", link, 0, 0))
    for number, packet in enumerate(packets):
        head = struct.pack(f"{order}IIIII", 0, 0, number, len(packet), len(packet))
        data += block(6, head + packet)
    return data


def capture_of(*segs: Sent, isn: tuple[int, int] = (1000, 9000)) -> bytes:
    """Return a pcap file of one connection."""
    return pcap(ipv4(seg, isn) for seg in segs)
