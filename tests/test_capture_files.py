"""Capture files are read in every form, and hostile ones do no harm."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.captures import Capture, CaptureError
from reports.conforming import Asked, Judge
from reports.connections import Follower
from reports.packets import ACK, FIN, SYN, Packet, packet_of
from tests.command_line import refused, tcpclose
from tests.test_conform import BEFORE, CAPTURES, CLOSE
from tests.wire import Sent, ipv4, ipv6, pcap, pcapng

SEGS = (*BEFORE, *CLOSE)
ISN = (1000, 9000)
PACKETS = [ipv4(seg, ISN) for seg in SEGS]
SIX = [ipv6(seg, ISN) for seg in SEGS]
MACS = bytes(12)
REAL = (CAPTURES / "k05_half_close_data.pcap").read_bytes()


def said_of(data: bytes, path: Path, status: int = 0) -> str:
    file = path / "x"
    file.write_bytes(data)
    said = tcpclose("conform", file)
    assert status == said.status, said
    return said.out


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_every_form_of_file_is_read(
    order: str, packed: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    forms = [
        pcap(PACKETS, order=order),
        pcap(PACKETS, order=order, magic=0xA1B23C4D),
        pcapng(PACKETS, order=order),
        pcapng(PACKETS[:5], order=order) + pcapng(PACKETS[5:], order="<>"[order == "<"]),
    ]
    for data in forms:
        assert "1 connections: 1 conforms" in said_of(packed(data), tmp_path)


LINKS: dict[str, tuple[int, Callable[[bytes, int], bytes]]] = {
    "Ethernet": (1, lambda data, kind: MACS + struct.pack(">H", kind) + data),
    "VLAN": (1, lambda data, kind: MACS + struct.pack(">HHH", 0x8100, 7, kind) + data),
    "two VLANs": (
        1,
        lambda data, kind: MACS + struct.pack(">HHHHH", 0x88A8, 7, 0x8100, 9, kind) + data,
    ),
    "PPPoE": (
        1,
        lambda data, kind: (
            MACS
            + struct.pack(">HHHH", 0x8864, 0x1100, 1, len(data) + 2)
            + struct.pack(">H", {0x0800: 0x21, 0x86DD: 0x57}[kind])
            + data
        ),
    ),
    "MPLS": (1, lambda data, kind: MACS + struct.pack(">HII", 0x8847, 0x7F, 0x0003_017F) + data),
    "cooked": (113, lambda data, kind: bytes(14) + struct.pack(">H", kind) + data),
    "cooked v2": (276, lambda data, kind: struct.pack(">H", kind) + bytes(18) + data),
    "null": (0, lambda data, kind: struct.pack("<I", 2 if kind == 0x0800 else 30) + data),
    "loop": (108, lambda data, kind: struct.pack(">I", 2 if kind == 0x0800 else 24) + data),
    "raw": (101, lambda data, kind: data),
}


@pytest.mark.parametrize("name", LINKS)
def test_every_link_layer_is_read(name: str, tmp_path: Path) -> None:
    link, framed = LINKS[name]
    for kind, packets in ((0x0800, PACKETS), (0x86DD, SIX)):
        data = pcap([framed(packet, kind) for packet in packets], link)
        assert "1 connections: 1 conforms" in said_of(data, tmp_path)


def test_ipv6_extension_headers_are_passed_over(tmp_path: Path) -> None:
    options = bytes([60, 0]) + bytes(6) + bytes([43, 1]) + bytes(14) + bytes([6, 0]) + bytes(6)
    packets = [ipv6(seg, ISN, options, first=0) for seg in SEGS]
    assert "1 conforms" in said_of(pcap(packets), tmp_path)


def test_padding_behind_a_packet_is_no_text() -> None:
    framed = MACS + b"\x08\x00" + ipv4(Sent(0, 1, 1, FIN | ACK), ISN) + bytes(6)
    packet = packet_of(1, framed)
    assert isinstance(packet, Packet)
    assert 0 == packet.length


def test_text_that_was_not_captured_counts() -> None:
    packet = packet_of(101, ipv4(Sent(0, 1, 1, ACK, 900), ISN)[:40])
    assert isinstance(packet, Packet)
    assert 900 == packet.length


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    for data, words in {
        b"": "x: offset 0: empty",
        b"hello": "neither pcap nor pcapng",
        REAL[:20]: "the file ends inside its header",
        b"\x1f\x8bxxxx": "x: offset",
        gzip.compress(REAL)[:60] + b"xx": "damaged gzip data",
        REAL[:24] + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30): "packet 1 claims 1,073,741,824",
        pcapng(PACKETS)[:8] + b"xxxx": "without its byte order",
        pcapng([])[:-4] + b"\0\0\0\1": "two lengths differ",
    }.items():
        file.write_bytes(data)
        said = tcpclose("conform", file)
        assert (2, True) == (said.status, words in said.err), said
        assert "Traceback" not in said.err
    refused_file = tcpclose("conform", tmp_path / "none")
    assert (2, True) == (refused_file.status, "cannot be read" in refused_file.err)
    refused(tcpclose("conform"), "CAPTURE")


def test_a_file_that_ends_in_a_packet_is_read_up_to_there(tmp_path: Path) -> None:
    out = said_of(REAL[:-5], tmp_path)
    assert "note: " in out
    assert "the file ends inside packet" in out


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    lies = PACKETS[0][:2] + b"\x00\x10" + PACKETS[0][4:]
    assert "1 packets left out: an IPv4 header lies" in said_of(pcap([*PACKETS, lies]), tmp_path)
    assert "link type 147 is not read here" in said_of(pcap(PACKETS, 147), tmp_path, 3)
    assert "link type 239 (NFLOG) is not read here" in said_of(pcap(PACKETS, 239), tmp_path, 3)
    for protocol, name in ((4, "IPv4"), (41, "IPv6"), (47, "GRE"), (50, "ESP")):
        inside = PACKETS[0][:9] + bytes([protocol]) + PACKETS[0][10:]
        said = said_of(pcap([inside]), tmp_path, 3)
        assert f"1 packets left out: {name} in IP, which is not looked into" in said


def test_a_capture_without_a_connection_shows_nothing(tmp_path: Path) -> None:
    assert "0 connections: no TCP in it" in said_of(pcap([]), tmp_path, 3)


def test_the_table_of_connections_is_bounded() -> None:
    judge = Judge(Asked(None, False, "text", False))
    follower, over = Follower(judge.begin, limit=8), 0
    for port in range(1000, 1100):
        packet = packet_of(101, ipv4(Sent(0, 0, 0, SYN), ISN, port))
        assert isinstance(packet, Packet)
        over += len(follower.take(port, packet))
    assert (over, 100) == (follower.dropped, over + len(list(follower.rest())))
    assert len(list(follower.rest())) <= 8


def read(data: bytes, path: Path) -> None:
    """Judge whatever a file holds, which must raise nothing but CaptureError."""
    file = path / "fuzz"
    file.write_bytes(data)
    judge = Judge(Asked("rfc9293", False, "text", False))
    follower = Follower(judge.begin)
    try:
        for frame in Capture(file):
            packet = packet_of(frame.link, frame.data)
            if isinstance(packet, Packet):
                for one in follower.take(frame.number, packet):
                    judge.judged(one)
    except CaptureError as error:
        told = str(error)
        if "offset" not in told:
            raise


REAL_FORMS = (REAL, pcapng(PACKETS), pcapng(SIX, order=">"), gzip.compress(REAL))


@settings(max_examples=300, deadline=None)
@given(
    data=st.sampled_from(REAL_FORMS),
    cut=st.integers(0, 4000),
    flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4),
)
def test_a_damaged_capture_never_breaks_it(
    data: bytes, cut: int, flips: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = bytearray(data[: len(data) - cut % len(data)])
    for at, value in flips:
        made[at % len(made)] = value
    read(bytes(made), tmp_path_factory.getbasetemp())


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([form[:count] for form in REAL_FORMS for count in (0, 4, 24, 28, 60)]),
    data=st.binary(max_size=200),
)
def test_garbage_never_breaks_it(
    start: bytes, data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    read(start + data, tmp_path_factory.getbasetemp())


@settings(max_examples=300, deadline=None)
@given(link=st.sampled_from([0, 1, 12, 101, 113, 276, 999]), data=st.binary(max_size=120))
def test_no_packet_breaks_it(link: int, data: bytes) -> None:
    packet_of(link, data)
    packet_of(link, PACKETS[3][: len(data)] + data)
