"""TCP packets out of captured frames: link layers, IPv4 and IPv6, and TCP's header."""

from __future__ import annotations

import struct
from typing import NamedTuple

from reports.encapsulation import TUNNELS, behind
from reports.fragments import HEADER_OCTETS_MAX, Fragment, Whole

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


def packet_of(link: int, data: bytes) -> Packet | Fragment | str | None:
    """Return the segment in a frame, None where there is none, or in words why it is not read."""
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
    at = behind(kind, data, at)
    return packet_of(RAW, data[at:]) if 0 <= at < len(data) else None


def segment_of(whole: Whole) -> Packet | str:
    """Return the segment that fragments make up."""
    return _tcp(whole.head, 0, whole.length, whole.addresses)


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


def _ipv4(data: bytes, at: int) -> Packet | Fragment | str | None:
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
        return _tunnel(data[at + 9])
    # Segments that the sender's network card is to cut have a total length of 0.
    total = (data[at + 2] << 8 | data[at + 3]) or len(data) - at
    if header < 20 or total < header:
        return "an IPv4 header lies about its length"
    addresses = data[at + 12 : at + 20]
    fragment = (data[at + 6] << 8 | data[at + 7]) & 0x3FFF
    if fragment:
        key = addresses, data[at + 4] << 8 | data[at + 5]
        offset, more = (fragment & 0x1FFF) * 8, fragment > 0x1FFF
        return _fragment(data, at + header, total - header, key, offset, more=more)
    return _tcp(data, at + header, total - header, addresses)


def _fragment(
    data: bytes, at: int, length: int, key: tuple[bytes, int], offset: int, *, more: bool
) -> Fragment | str:
    if length < 0:
        return "an IP header lies about its length"
    return Fragment(key, offset, length, more, data[at : at + min(length, HEADER_OCTETS_MAX)])


def _tunnel(protocol: int) -> str | None:
    name = TUNNELS.get(protocol)
    return f"{name} in IP, which is not looked into" if name else None


def _ipv6(data: bytes, at: int) -> Packet | Fragment | str | None:
    if len(data) < at + 40:
        return "an IPv6 header is cut"
    left = (data[at + 4] << 8 | data[at + 5]) or len(data) - at - 40
    addresses = data[at + 8 : at + 40]
    kind, at = data[at + 6], at + 40
    for _ in range(EXTENSIONS_MAX):
        if kind == TCP:
            return _tcp(data, at, left, addresses)
        if kind not in (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY):
            return _tunnel(kind)
        if len(data) < at + 8:
            return "an IPv6 extension header is cut"
        field = data[at + 2] << 8 | data[at + 3]
        if kind == FRAGMENT and field & 0xFFF9:
            if data[at] != TCP:
                return "an IPv6 datagram is fragmented, and does not begin with TCP"
            key = addresses, int.from_bytes(data[at + 4 : at + 8], "big")
            more = bool(field & 1)
            return _fragment(data, at + 8, left - 8, key, field & 0xFFF8, more=more)
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
