"""What captures of real hosts hold beside the close: none of it is a deviation.

Each was seen in a capture of two Linux kernels, or in one of these with packets missing or late.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import tcpclose
from tests.test_conform import BEFORE, CAPTURES, CLOSE, judged, verdict
from tests.wire import ACK, FIN, RST, SYN, Sent, capture_of

DOWNLOAD = tuple(Sent(1, 301 + 100 * n, 101, ACK, 100) for n in range(8))
ACKS = tuple(Sent(0, 101, 401 + 100 * n) for n in range(8))
ABORT = Sent(1, 1101, 101, RST | ACK)


def test_a_host_that_aborts_answers_the_acks_that_are_under_way(tmp_path: Path) -> None:
    answers = [Sent(1, ack.ack, 0, RST) for ack in ACKS[:5]]
    seen = judged(tmp_path, *BEFORE, *DOWNLOAD, *ACKS[:5], ABORT, *answers)
    assert "conforms" == seen["verdict"]
    assert "B answers ACKs that were under way when it was CLOSED" in seen["reasons"]


def test_an_abort_in_the_middle_of_a_download_is_followed_to_its_end(tmp_path: Path) -> None:
    acks = [Sent(0, 101, 1101 + 50 * n) for n in range(1, 60)]
    answers = [Sent(1, ack.ack, 0, RST) for ack in acks]
    more = Sent(1, 1101, 101, ACK, 50 * 60)
    abort = Sent(1, 1101 + 50 * 60, 101, RST | ACK)
    segs = (*BEFORE, *DOWNLOAD, ACKS[-1], more, *acks[:40], abort, *answers[:40])
    assert "conforms" == verdict(tmp_path, *segs)


def test_which_acks_were_under_way_is_not_known_for_certain(tmp_path: Path) -> None:
    segs = (*BEFORE, *DOWNLOAD, *ACKS[:5], ABORT, Sent(1, 601, 0, RST))
    seen = judged(tmp_path, *segs, options=("--complete",))
    assert ("out of scope", True) == (seen["verdict"], seen["undecided"])
    assert "it may answer an ACK that is not kept" in seen["ended"]


def test_a_first_reset_with_the_ack_bit_answers_no_ack(tmp_path: Path) -> None:
    segs = (*BEFORE, *DOWNLOAD, *ACKS[:5], Sent(1, 601, 101, RST | ACK))
    assert "deviates" == verdict(tmp_path, *segs)


def test_lwip_sets_the_ack_bit_in_its_answers_too(tmp_path: Path) -> None:
    segs = (*BEFORE, *DOWNLOAD, *ACKS[:5], ABORT, Sent(1, 601, 101, RST | ACK))
    assert "conforms" == verdict(tmp_path, *segs)


def moved(*segs: Sent) -> list[Sent]:
    """Return segments of the next connection on the same ports."""
    more = (70_000, 90_000)
    return [
        seg._replace(seq=seg.seq + more[seg.end], ack=seg.ack + more[1 - seg.end]) for seg in segs
    ]


def test_ports_are_used_again_though_the_syn_was_not_captured(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(capture_of(*BEFORE, *CLOSE, *moved(*BEFORE[1:], *CLOSE)))
    assert "2 connections: 2 conforms" == tcpclose("conform", file).lines[-1]


def test_a_connection_whose_opening_was_not_captured_is_not_the_one_before(tmp_path: Path) -> None:
    segs = (*BEFORE, *CLOSE, *moved(*BEFORE[2:], *CLOSE))
    seen = judged(tmp_path, *segs)
    assert "out of scope" == seen["verdict"]
    assert "its numbers are those of another connection" in seen["ended"]
    assert "deviates" == verdict(tmp_path, *segs, options=("--complete",))


def test_a_fin_of_the_connection_before_is_no_deviation_of_the_next(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(capture_of(*BEFORE, *CLOSE, *moved(BEFORE[0]), CLOSE[0], *moved(*BEFORE[1:])))
    said = tcpclose("conform", file)
    assert "2 connections: 1 conforms, 1 out of scope" == said.lines[-1]
    assert "its numbers are those of another connection" in said.out


def test_a_syn_that_meets_a_connection_half_open_is_told_from_a_reset_of_its_own(
    tmp_path: Path,
) -> None:
    file = tmp_path / "x.pcap"
    held, answer = Sent(1, 301, 101), Sent(0, 101, 0, RST)
    again = moved(*BEFORE, *CLOSE)
    file.write_bytes(capture_of(*BEFORE, again[0], held, answer, *again))
    said = tcpclose("conform", file)
    assert "3 connections: 1 conforms, 1 unfinished, 1 out of scope" == said.lines[-1]
    assert "a SYN met a connection that its peer still held (half open)" in said.out


def test_an_ack_from_before_a_reset_may_be_captured_after_it(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, Sent(0, 101, 301, RST | ACK), Sent(0, 101, 1))
    assert "out of scope" == seen["verdict"]
    assert "it repeats an ACK from before the close" in seen["ended"]


def test_an_ack_that_many_have_overtaken_is_no_deviation(tmp_path: Path) -> None:
    half_closed = (Sent(0, 101, 301, FIN | ACK), Sent(1, 301, 102))
    segs = [seg._replace(ack=102) for seg in DOWNLOAD]
    acks = [seg._replace(seq=102) for seg in ACKS]
    seen = judged(tmp_path, *BEFORE, *half_closed, *segs, *acks[1:], acks[0])
    assert "out of scope" == seen["verdict"]
    assert "overtaken by many" in seen["ended"]


def test_a_repeated_syn_ack_opens_nothing_again(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    again = Sent(1, 0, 1, SYN | ACK)
    file.write_bytes(capture_of(*BEFORE, *CLOSE[:2], again, *CLOSE[2:]))
    assert "1 connections: 1 conforms" == tcpclose("conform", file).lines[-1]


def test_a_second_capture_point_may_show_all_packets_again(tmp_path: Path) -> None:
    segs = [seg._replace(ack=102) for seg in DOWNLOAD]
    acks = [Sent(0, 102, 301 + 20 * n) for n in range(40)]
    close = (*CLOSE[:2], *segs, *acks, Sent(0, 102, 0, RST))
    assert "conforms" == verdict(tmp_path, *BEFORE, *close, *close)


LIFE = json.loads((CAPTURES / "life.json").read_text(encoding="utf-8"))
"""Of each connection the client's port, and the states of client and server when all was quiet.

Two network namespaces of Linux 6.18, and between them a relay that captures what it is given:
the headers of a connection of each kind.  In `lossy` one packet in 20 is lost, behind the capture,
and one in 7 overtakes others.
"""
CLIENT = "192.0.2.1:"


@pytest.mark.parametrize("name", LIFE)
def test_two_kernels_live_an_ordinary_life(name: str) -> None:
    said = tcpclose("conform", CAPTURES / f"{name}.pcap.gz", "--format", "json")
    seen = [json.loads(line) for line in said.lines[:-2]]
    assert [] == [one["ended"] for one in seen if one["verdict"] == "deviates" or one["undecided"]]
    at = {one["a" if one["a"].startswith(CLIENT) else "b"]: one for one in seen}
    for kind, (port, client, server) in LIFE[name].items():
        one = at[f"{CLIENT}{port}"]
        ends = "AB" if one["a"].startswith(CLIENT) else "BA"
        for end, state in zip(ends, (client, server), strict=True):
            later = one["states_later"][end] if one["states_later"] else []
            assert state in one["states"][end] + later, (kind, end, one["ended"])
