"""A run as a pcapng file, which Wireshark opens: two interfaces, one at either end.

Each packet carries a comment: the step, the states of both ends, the rules and their clauses.

Wireshark would take the second sight of a segment for a retransmission.  So the capture points
see the ends under addresses of their own, as on two sides of a NAT, and each is a TCP stream of
its own: tcp.stream 0 is what A sees, tcp.stream 1 what B sees.

The format: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from reports.frames import Frame, frames
from tcpclose_model.run import Run

ADDRESSES = (
    ((192, 0, 2, 1), (192, 0, 2, 2)),
    ((198, 51, 100, 1), (198, 51, 100, 2)),
)
"""Of each capture point, the addresses of A and B there (blocks for documentation, RFC 5737)."""
PORTS = (50001, 50002)
EPOCH_US = 1_660_780_800_000_000
"""When every run begins: on 18 August 2022, the day of RFC 9293."""
WINDOW = 65_535
MSS = 1_460
HOPS = 1

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
LINKTYPE_RAW = 101
COMMENT, IF_NAME, IF_DESCRIPTION, APPLICATION = 1, 2, 3, 4
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def pcapng(run: Run) -> bytes:
    """Return the file's content."""
    seen = frames(run)
    told = f"a run of {run.model.name}, {len(run)} steps; the handshake before it is not part of it"
    if run.loop is not None:
        told += f"; what follows step {run.loop} repeats for ever"
    blocks = [_section(told)]
    for end in "AB":
        options = _text(IF_NAME, end) + _text(IF_DESCRIPTION, f"at the end {end}")
        blocks.append(
            _block(INTERFACE, struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + options + bytes(4))
        )
    tsecr = _echoes(seen)
    blocks += [_packet(frame, tsecr[frame.ident]) for frame in seen]
    return b"".join(blocks)


def _echoes(seen: Sequence[Frame]) -> dict[int, int]:
    """Return the TSecr of each packet: the largest TSval that its sender had heard."""
    heard, echoes = [0, 0], {}
    for frame in seen:
        if frame.point != frame.sender:
            heard[frame.point] = max(heard[frame.point], frame.tsval)
        else:
            echoes[frame.ident] = 0 if frame.ack is None else heard[frame.sender]
    return echoes


def _section(comment: str) -> bytes:
    body = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    return _block(
        SECTION, body + _text(COMMENT, comment) + _text(APPLICATION, "tcpclose") + bytes(4)
    )


def _packet(frame: Frame, tsecr: int) -> bytes:
    data = packet(frame, tsecr)
    high, low = divmod(EPOCH_US + frame.time_us, 2**32)
    head = struct.pack("<IIIII", frame.point, high, low, len(data), len(data))
    return _block(PACKET, head + _padded(data) + _text(COMMENT, frame.comment) + bytes(4))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _text(code: int, text: str) -> bytes:
    """Return an option that holds text, cut to the length that an option can have."""
    value = text.encode("utf-8", "replace")[:65_000].decode("utf-8", "ignore").encode()
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def packet(frame: Frame, tsecr: int = 0) -> bytes:
    """Return the IPv4 packet as its capture point sees it, with valid checksums."""
    ends = ADDRESSES[frame.point]
    source, target = bytes(ends[frame.sender]), bytes(ends[1 - frame.sender])
    flags = FIN * frame.fin | SYN * frame.syn | RST * frame.rst | PSH * bool(frame.text)
    flags |= ACK if frame.ack is not None else 0
    options = struct.pack(">BBH", 2, 4, MSS) if frame.syn else b""
    if frame.tsval:
        options += struct.pack(">BBBBII", 1, 1, 8, 10, frame.tsval % 2**32, tsecr % 2**32)
    tcp = struct.pack(
        ">HHIIBBHHH",
        PORTS[frame.sender],
        PORTS[1 - frame.sender],
        frame.seq,
        frame.ack or 0,
        (5 + len(options) // 4) << 4,
        flags,
        0 if frame.wnd0 else WINDOW,
        0,
        0,
    )
    tcp += options + frame.text
    pseudo = source + target + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + _checksum(pseudo + tcp) + tcp[18:]
    ttl = 64 - HOPS * (frame.point != frame.sender)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), frame.ident % 2**16, 0x4000, ttl, 6, 0)
    ip += source + target
    return ip[:10] + _checksum(ip) + ip[12:] + tcp


def _checksum(data: bytes) -> bytes:
    """Return the checksum of the Internet (RFC 1071) of the data, its own field being 0."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
