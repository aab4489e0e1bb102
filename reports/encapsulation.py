"""What stands between Ethernet and IP beside VLAN tags, what is not looked into, and link types."""

from __future__ import annotations

PPPOE, MPLS, MPLS_MULTICAST = 0x8864, 0x8847, 0x8848
PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057
LABELS_MAX = 16
TUNNELS = {4: "IPv4", 41: "IPv6", 47: "GRE", 50: "ESP"}
"""Protocols of IP in which there may be another packet of IP."""
LINK_NAMES = {
    9: "PPP",
    10: "FDDI",
    50: "PPP in HDLC framing",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    107: "Frame Relay",
    127: "IEEE 802.11 with radiotap",
    187: "Bluetooth HCI",
    189: "USB of Linux",
    192: "PPI",
    195: "IEEE 802.15.4",
    220: "USB of Linux, padded",
    239: "NFLOG",
    249: "USBPcap",
    252: "Wireshark upper PDU",
    253: "netlink of Linux",
}
"""Of tcpdump.org/linktypes: what is met most, and not read here."""


def behind(kind: int, data: bytes, at: int) -> int:
    """Return where IP begins in a frame of PPPoE or MPLS, or -1."""
    if kind == PPPOE:
        protocol = int.from_bytes(data[at + 6 : at + 8], "big")
        return at + 8 if protocol in (PPP_IPV4, PPP_IPV6) else -1
    if kind in (MPLS, MPLS_MULTICAST):
        for label in range(LABELS_MAX):
            end = at + 4 * label + 4
            if len(data) < end:
                return -1
            if data[end - 2] & 1:  # the bottom of the stack
                return end
    return -1


def link_name(link: int) -> str:
    """Return a link type as a report names it."""
    name = LINK_NAMES.get(link)
    return f"link type {link} ({name})" if name else f"link type {link}"
