"""Fragments of IP are put together again, in bounded memory; blocks of pcapng are passed over."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.fragments import DATAGRAMS_MAX, Fragment, Fragments, Whole
from reports.packets import Packet, packet_of, segment_of
from tests.command_line import tcpclose
from tests.test_conform import BEFORE, CLOSE
from tests.wire import ACK, LINK_RAW, Sent, ipv4, ipv6, pcap

ISN = (1000, 9000)
TEXT = Sent(0, 1, 1, ACK, 3000)


def cut4(packet: bytes, number: int, at: Iterable[int]) -> list[bytes]:
    """Return an IPv4 packet without options as fragments that begin at 0 and at these octets."""
    body, found = packet[20:], []
    for begin, end in itertools.pairwise([0, *at, len(body)]):
        field = begin // 8 | 0x2000 * (end < len(body))
        head = packet[:2] + struct.pack(">HHH", 20 + end - begin, number, field) + packet[8:20]
        found.append(head + body[begin:end])
    return found


def cut6(packet: bytes, number: int, at: Iterable[int]) -> list[bytes]:
    """Return an IPv6 packet without extension headers as fragments."""
    body, found = packet[40:], []
    for begin, end in itertools.pairwise([0, *at, len(body)]):
        more = struct.pack(">BBHI", 6, 0, begin | (end < len(body)), number)
        head = packet[:4] + struct.pack(">HB", 8 + end - begin, 44) + packet[7:40]
        found.append(head + more + body[begin:end])
    return found


def together(packets: Iterable[bytes]) -> list[Packet]:
    """Return the segments in packets of which some are fragments."""
    table, found = Fragments(), []
    for time, packet in enumerate(packets):
        read = packet_of(LINK_RAW, packet)
        if isinstance(read, Fragment):
            whole = table.take(read, time)
            read = segment_of(whole) if whole is not None else None
        if isinstance(read, Packet):
            found.append(read)
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_fragments_in_any_order_are_one_segment(order: tuple[int, ...]) -> None:
    for whole, cut in ((ipv4(TEXT, ISN), cut4), (ipv6(TEXT, ISN), cut6)):
        pieces = cut(whole, 7, [1480, 2960])
        assert [packet_of(LINK_RAW, whole)] == together(pieces[n] for n in order)


def test_a_header_may_be_cut_and_text_not_captured() -> None:
    whole = ipv4(TEXT, ISN)
    assert [packet_of(LINK_RAW, whole)] == together(cut4(whole, 7, [8, 16, 24]))
    shortened = [piece[:60] for piece in cut4(whole, 7, [1480])]
    assert [packet_of(LINK_RAW, whole)] == together(shortened)


def test_datagrams_are_told_apart_by_their_number() -> None:
    segs = (TEXT, TEXT._replace(seq=3001))
    pieces = [cut4(ipv4(seg, ISN), n, [1480]) for n, seg in enumerate(segs)]
    mixed = [pieces[0][0], pieces[1][0], pieces[1][1], pieces[0][1]]
    assert [4001, 1001] == [packet.seq for packet in together(mixed)]


def test_a_fragment_that_was_not_captured_is_noted(tmp_path: Path) -> None:
    packets = [ipv4(seg, ISN) for seg in (*BEFORE, *CLOSE)]
    packets[3:4] = cut4(packets[3], 5, [64])
    file = tmp_path / "x"
    file.write_bytes(pcap(packets))
    assert "1 connections: 1 conforms" in tcpclose("conform", file).out
    del packets[4]
    file.write_bytes(pcap(packets))
    told = "note: 1 IP datagrams left out: not all of their fragments were captured"
    assert told in tcpclose("conform", file).lines


def test_what_waits_for_the_rest_is_bounded_in_number_and_in_time() -> None:
    table = Fragments()
    for number in range(DATAGRAMS_MAX + 50):
        assert table.take(Fragment((b"ab", number), 0, 8, True, bytes(8)), number) is None
    (told,) = table.lines()
    assert told.startswith(f"{DATAGRAMS_MAX + 50:,} IP datagrams left out")
    table = Fragments()
    late = 61 * 1_000_000_000
    assert table.take(Fragment((b"ab", 1), 0, 8, True, bytes(8)), 0) is None
    assert table.take(Fragment((b"ab", 1), 8, 8, False, bytes(8)), late) is None


pieces = st.builds(
    Fragment,
    st.tuples(st.just(b"ab"), st.integers(0, 1)),
    st.integers(0, 12).map(lambda n: n * 8),
    st.integers(0, 40),
    st.booleans(),
    st.binary(max_size=40),
)


@given(st.lists(pieces, max_size=12))
def test_no_fragments_break_it(parts: list[Fragment]) -> None:
    table = Fragments()
    for time, one in enumerate(parts):
        whole = table.take(one, time)
        if isinstance(whole, Whole):
            assert len(whole.head) <= 60
            segment_of(whole)


def block(kind: int, body: bytes) -> bytes:
    """Return a block of pcapng in the byte order of a PC."""
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def test_blocks_options_and_second_sights_on_another_interface_are_passed_over(
    tmp_path: Path,
) -> None:
    comment = struct.pack("<HH", 1, 5) + b"hello" + bytes(3) + bytes(4)
    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + comment)
    data += block(1, struct.pack("<HHI", LINK_RAW, 0, 96) + comment)
    data += block(1, struct.pack("<HHI", 1, 0, 0)) + block(10, struct.pack("<II", 1, 4) + b"keys")
    for number, seg in enumerate((*BEFORE, *CLOSE)):
        packet = ipv4(seg, ISN)
        for which, frame in enumerate((packet, bytes(12) + b"\x08\x00" + packet)):
            head = struct.pack("<IIIII", which, 0, number, len(frame), len(frame))
            data += block(6, head + frame + bytes(-len(frame) % 4) + comment)
        for kind in (4, 5, 0xBAD, 0x4000_0BAD):
            data += block(kind, bytes(8))
    file = tmp_path / "x.pcapng"
    file.write_bytes(data)
    assert ["1 connections: 1 conforms"] == tcpclose("conform", file).lines[-1:]
