"""TCP packets out of captured frames: link layers, IPv4 and IPv6, and TCP's header."""

from __future__ import annotations

import struct
from typing import NamedTuple

NULL, ETHERNET, RAW_OLD, RAW_BSD, RAW, LOOP = 0, 1, 12, 14, 101, 108
COOKED, IPV4_ONLY, IPV6_ONLY, COOKED_2 = 113, 228, 229, 276
LINKS = (NULL, ETHERNET, RAW_OLD, RAW_BSD, RAW, LOOP, COOKED, IPV4_ONLY, IPV6_ONLY, COOKED_2)
"""The link types that are read (tcpdump.org/linktypes)."""
VLANS = (0x8100, 0x88A8, 0x9100)
IPV4, IPV6 = 0x0800, 0x86DD
TCP = 6
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY = 0, 43, 44, 51, 60, 135
EXTENSIONS_MAX = 16
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
TCP_HEADER = struct.Struct(">4sIIBBH")
IPV4_AND_TCP = struct.Struct(">BxHxxHxBxx12sIIBBH")
"""Both headers where the first has no options; the twelve octets are addresses and ports."""
End = tuple[bytes, int]
"""An address and a port."""


class Packet(NamedTuple):
    """A TCP segment as it was seen; `length` counts octets of text, captured or not.

    ends: both addresses, then both ports, the sender's first; seq and ack: as all on the wire.
    """

    ends: bytes
    seq: int
    ack: int
    length: int
    flags: int
    window: int

    @property
    def source(self) -> End:
        """The sender's address and port."""
        return ends_in(self.ends)[0]

    @property
    def target(self) -> End:
        """The receiver's address and port."""
        return ends_in(self.ends)[1]


def ends_of(source: End, target: End) -> bytes:
    """Return two ends as a packet from the first to the second has them."""
    return source[0] + target[0] + struct.pack(">HH", source[1], target[1])


def ends_in(ends: bytes) -> tuple[End, End]:
    """Return the two ends of a packet, the sender first."""
    size = len(ends) // 2 - 2
    source, target = struct.unpack(">HH", ends[-4:])
    return (ends[:size], source), (ends[size : 2 * size], target)


def turned(ends: bytes) -> bytes:
    """Return the ends of a packet as those of an answer."""
    size = len(ends) // 2 - 2
    return ends[size : 2 * size] + ends[:size] + ends[-2:] + ends[-4:-2]


def packet_of(link: int, data: bytes) -> Packet | str | None:
    """Return the segment in a frame, None where there is none, or in words what is damaged."""
    if link == ETHERNET and data[12:14] == b"\x08\x00":
        at, kind = 14, IPV4
    else:
        at, kind = _network_layer(link, data)
    if not 0 <= at < len(data):
        return None
    version = data[at] >> 4
    if version == 4 and kind in (IPV4, 0):
        return _ipv4(data, at)
    if version == 6 and kind in (IPV6, 0):
        return _ipv6(data, at)
    return None


def _network_layer(link: int, data: bytes) -> tuple[int, int]:
    """Return where the network's header begins, and its EtherType (0: see its version); or -1."""
    if link == ETHERNET:
        return _behind_vlans(data, 12)
    if link in (RAW, RAW_OLD, RAW_BSD, IPV4_ONLY, IPV6_ONLY):
        return 0, 0
    if link in (NULL, LOOP):
        return 4, 0
    if link == COOKED:
        return _behind_vlans(data, 14)
    if link == COOKED_2:
        if len(data) < 20:
            return -1, 0
        kind = data[0] << 8 | data[1]
        return _behind_vlans(data, 18) if kind in VLANS else (20, kind)
    return -1, 0


def _behind_vlans(data: bytes, at: int) -> tuple[int, int]:
    while len(data) >= at + 2:
        kind = data[at] << 8 | data[at + 1]
        if kind not in VLANS:
            return at + 2, kind
        at += 4
    return -1, 0


def _ipv4(data: bytes, at: int) -> Packet | str | None:
    if len(data) >= at + IPV4_AND_TCP.size:  # most packets need no closer look
        fields = IPV4_AND_TCP.unpack_from(data, at)
        kind, total, fragment, protocol, ends, seq, ack, offset, flags, window = fields
        if kind == 0x45 and protocol == TCP and not fragment & 0x3FFF:
            header = (offset >> 4) * 4
            length = (total or len(data) - at) - 20 - header
            if header >= 20 and length >= 0:
                return tuple.__new__(Packet, (ends, seq, ack, length, flags, window))
    if len(data) < at + 20:
        return "an IPv4 header is cut"
    header = (data[at] & 15) * 4
    if data[at + 9] != TCP:
        return None
    fragment = (data[at + 6] << 8 | data[at + 7]) & 0x3FFF
    if fragment & 0x1FFF:
        return None
    if fragment:
        return "an IPv4 datagram is fragmented"
    # Segments that the sender's network card is to cut have a total length of 0.
    total = (data[at + 2] << 8 | data[at + 3]) or len(data) - at
    if header < 20 or total < header:
        return "an IPv4 header lies about its length"
    return _tcp(data, at + header, total - header, data[at + 12 : at + 20])


def _ipv6(data: bytes, at: int) -> Packet | str | None:
    if len(data) < at + 40:
        return "an IPv6 header is cut"
    left = (data[at + 4] << 8 | data[at + 5]) or len(data) - at - 40
    addresses = data[at + 8 : at + 40]
    kind, at = data[at + 6], at + 40
    for _ in range(EXTENSIONS_MAX):
        if kind == TCP:
            return _tcp(data, at, left, addresses)
        if kind not in (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY):
            return None
        if len(data) < at + 8:
            return "an IPv6 extension header is cut"
        if kind == FRAGMENT and (data[at + 2] << 8 | data[at + 3]) & 0xFFF9:
            return "an IPv6 datagram is fragmented" if not data[at + 2] else None
        size = (data[at + 1] + 2) * 4 if kind == AUTHENTICATION else (data[at + 1] + 1) * 8
        size = 8 if kind == FRAGMENT else size
        kind, at, left = data[at], at + size, left - size
    return "more IPv6 extension headers than any packet has"


def _tcp(data: bytes, at: int, length: int, addresses: bytes) -> Packet | str:
    if len(data) < at + 16:
        return "a TCP header is cut"
    ports, seq, ack, offset, flags, window = TCP_HEADER.unpack_from(data, at)
    header = (offset >> 4) * 4
    if header < 20 or header > length:
        return "a TCP header lies about its length"
    return Packet(addresses + ports, seq, ack, length - header, flags, window)
