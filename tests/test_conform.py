"""`tcpclose conform`: what real stacks do conforms, and what no run explains deviates."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import conforming, situations
from reports.conforming import Asked, Judge, default_tables, every_stack
from reports.situations import Pair
from reports.watching import Watch
from tests.command_line import tcpclose
from tests.judging import judged_connection
from tests.wire import ACK, FIN, RST, SYN, Sent, capture_of

CAPTURES = Path(__file__).parent / "captures"
STATES = json.loads((Path(__file__).parent / "runs" / "states.json").read_text(encoding="utf-8"))

OPENING = (Sent(0, 0, 0, SYN), Sent(1, 0, 1, SYN | ACK), Sent(0, 1, 1))
REQUEST = (Sent(0, 1, 1, ACK, 100), Sent(1, 1, 101), Sent(1, 1, 101, ACK, 300), Sent(0, 101, 301))
CLOSE = (
    Sent(0, 101, 301, FIN | ACK),
    Sent(1, 301, 102),
    Sent(1, 301, 102, FIN | ACK),
    Sent(0, 102, 302),
)
BEFORE = (*OPENING, *REQUEST)
Document = dict[str, Any]  # Any: a verdict as JSON


def judged(
    path: Path, *segs: Sent, options: tuple[str, ...] = (), isn: tuple[int, int] = (1000, 9000)
) -> Document:
    """Return the verdict on the one connection of these segments."""
    file = path / "x.pcap"
    file.write_bytes(capture_of(*segs, isn=isn))
    return only(file, *options)


def only(file: Path, *options: str) -> Document:
    """Return the verdict on the one connection of a capture."""
    said = tcpclose("conform", file, "--format", "json", *options)
    first, *rest = (json.loads(line) for line in said.out.splitlines())
    assert 2 == len(rest), said
    assert said.status == (1 if first["verdict"] == "deviates" else 3 * first["undecided"])
    made: Document = first
    return made


def verdict(path: Path, *segs: Sent, options: tuple[str, ...] = ()) -> str:
    """Return the verdict in a word or two."""
    word: str = judged(path, *segs, options=options)["verdict"]
    return word


every_capture = pytest.mark.parametrize(
    "name", sorted(path.name for path in CAPTURES.glob("*.pcap"))
)


@every_capture
def test_what_two_linux_kernels_do_is_a_run(name: str) -> None:
    seen = only(CAPTURES / name)
    # At B's end of k12 no ACK of its FIN was ever seen: that one is not at its end.
    expected = "unfinished" if name == "k12_every_last_ack_lost.B.pcap" else "conforms"
    assert expected == seen["verdict"]


@every_capture
def test_the_kernels_own_states_are_among_the_possible_ones(name: str) -> None:
    seen, states = only(CAPTURES / name), STATES.get(name[:3])
    if states is None:
        return  # k12 has no ladder: B gives up, which no packet shows
    possible = [{"A": ["ESTABLISHED"], "B": ["ESTABLISHED"]}]
    possible += [step["states"] for step in seen["steps"]]
    for end in "AB":
        at = 0
        for state in states["states"][end]:
            at = next((n for n in range(at, len(possible)) if state in possible[n][end]), -1)
            # FIN_WAIT_1 is entered when the FIN leaves, CLOSING may be left within one packet.
            assert at >= 0, f"{end} was in {state}: {possible}"


def test_a_close_in_order_conforms(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *CLOSE)
    assert "conforms" == seen["verdict"]
    assert "A closed first and waits in TIME-WAIT" in seen["ended"]
    assert ["TIME_WAIT"] == seen["states"]["A"]


@pytest.mark.parametrize("isn", [(2**32 - 50, 2**32 - 1), (2**32 - 101, 7), (2**31, 2**32 - 301)])
def test_sequence_numbers_may_wrap_around(tmp_path: Path, isn: tuple[int, int]) -> None:
    assert "conforms" == judged(tmp_path, *BEFORE, *CLOSE, isn=isn)["verdict"]


def test_a_capture_may_start_in_the_middle(tmp_path: Path) -> None:
    for start in range(len(BEFORE) + 1):
        segs = (*BEFORE, *CLOSE)[start:]
        assert "conforms" == verdict(tmp_path, *segs), start


def test_a_capture_may_stop_early(tmp_path: Path) -> None:
    segs = (*BEFORE, *CLOSE)
    verdicts = [verdict(tmp_path, *segs[:count]) for count in range(1, len(segs) + 1)]
    assert ["out of scope"] * 2 + ["unfinished"] * 8 + ["conforms"] == verdicts


def test_a_peer_that_never_closes_is_named(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2])
    assert "unfinished" == seen["verdict"]
    assert "B has received A's FIN and never closed" in seen["ended"]
    assert ["CLOSE_WAIT"] == seen["states"]["B"]


@pytest.mark.parametrize("lost", range(len(CLOSE)))
def test_a_packet_that_was_not_captured_is_no_deviation(tmp_path: Path, lost: int) -> None:
    segs = (*BEFORE, *CLOSE[:lost], *CLOSE[lost + 1 :])
    assert verdict(tmp_path, *segs) in ("conforms", "unfinished")


def test_two_fins_that_were_not_captured_leave_open_who_closed_first(tmp_path: Path) -> None:
    segs = (*BEFORE, Sent(0, 102, 302), Sent(1, 302, 102))
    seen = judged(tmp_path, *segs)
    assert "conforms" == seen["verdict"]
    assert "who closed first was not captured" in seen["ended"]


@pytest.mark.parametrize(("ack", "who"), [(102, "A closed first"), (101, "both ends closed at")])
def test_a_fin_that_was_not_captured_is_judged_by_whether_the_other_knew_of_it(
    tmp_path: Path, ack: int, who: str
) -> None:
    fins = (Sent(0, 101, 301, FIN | ACK), Sent(1, 301, ack, FIN | ACK))
    acks = (Sent(1, 302, 102), Sent(0, 102, 302))
    assert judged(tmp_path, *BEFORE, *fins, *acks)["ended"].startswith(who)
    if ack == 102:
        assert judged(tmp_path, *BEFORE, *fins[1:], *acks)["ended"].startswith(who)


def test_in_a_complete_capture_an_ack_of_nothing_deviates(tmp_path: Path) -> None:
    segs = (*BEFORE, *CLOSE[:2], CLOSE[3])
    assert "conforms" == verdict(tmp_path, *segs)
    assert "deviates" == verdict(tmp_path, *segs, options=("--complete",))


@pytest.mark.parametrize("again", range(len(CLOSE)))
def test_a_packet_may_be_seen_twice(tmp_path: Path, again: int) -> None:
    segs = (*CLOSE[: again + 1], *CLOSE[again:])
    assert "conforms" == verdict(tmp_path, *BEFORE, *segs)


NORMAL = {
    "three segments": (CLOSE[0], CLOSE[2], CLOSE[3]),
    "FIN with text": (Sent(0, 101, 301, FIN | ACK, 50), Sent(1, 301, 152, FIN | ACK)),
    "both at once": (
        CLOSE[0],
        Sent(1, 301, 101, FIN | ACK),
        Sent(0, 102, 302),
        Sent(1, 302, 102),
    ),
    "text after the peer's FIN": (
        *CLOSE[:2],
        Sent(1, 301, 102, ACK, 1448),
        Sent(1, 1749, 102, ACK, 20_000),
        Sent(0, 102, 1749),
        Sent(0, 102, 10_000),
        Sent(0, 102, 21_749),
        Sent(1, 21_749, 102, FIN | ACK),
        Sent(0, 102, 21_750),
    ),
    "text repeated with the FIN": (
        Sent(0, 101, 301, ACK, 50),
        Sent(0, 151, 301, FIN | ACK),
        Sent(0, 101, 301, FIN | ACK, 50),
        Sent(1, 301, 152, FIN | ACK),
        Sent(0, 152, 302),
    ),
    "the last segment repeated first": (
        Sent(0, 101, 301, ACK, 50),
        Sent(0, 151, 301, FIN | ACK, 50),
        Sent(0, 151, 301, FIN | ACK, 50),
        Sent(1, 301, 101),
        Sent(0, 101, 301, ACK, 50),
        Sent(1, 301, 202),
    ),
    "a keep-alive in FIN-WAIT-2": (*CLOSE[:2], Sent(0, 101, 301), Sent(1, 301, 102)),
    "a reset instead of a close": (Sent(0, 101, 301, RST | ACK),),
    "a reset of text after close": (
        *CLOSE[:2],
        Sent(1, 301, 102, ACK, 10),
        Sent(0, 102, 0, RST),
    ),
    "an ACK after the last one": (*CLOSE, Sent(1, 301, 102, FIN | ACK), Sent(0, 102, 302)),
    "a FIN after TIME-WAIT": (*CLOSE, Sent(1, 301, 102, FIN | ACK), Sent(0, 102, 0, RST)),
}


@pytest.mark.parametrize("what", NORMAL)
def test_normal_life_does_not_deviate(tmp_path: Path, what: str) -> None:
    seen = judged(tmp_path, *BEFORE, *NORMAL[what])
    assert seen["verdict"] in ("conforms", "unfinished"), seen


WRONG = {
    "the FIN acknowledged by one too many": (CLOSE[0], Sent(1, 301, 103)),
    "text behind the FIN": (CLOSE[0], Sent(0, 102, 301, ACK, 10)),
    "a second FIN with another number": (*CLOSE[:2], Sent(0, 102, 301, FIN | ACK)),
    "a FIN below what was sent": (Sent(0, 50, 301, FIN | ACK),),
    "a reset with a number of its own": (*CLOSE[:2], Sent(1, 200, 102, RST | ACK)),
    "an ACK numbered behind the FIN": (*CLOSE[:2], Sent(0, 103, 301)),
    "text behind both FINs": (*CLOSE, Sent(1, 302, 102, ACK, 5)),
    "text after a reset of one's own": (
        Sent(0, 101, 301, RST | ACK),
        Sent(1, 301, 101, ACK, 50),
        Sent(0, 101, 351, ACK, 10),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_no_run_explains_deviates(tmp_path: Path, what: str) -> None:
    seen = judged(tmp_path, *BEFORE, *WRONG[what])
    assert "deviates" == seen["verdict"], seen
    number = len(BEFORE) + len(WRONG[what])
    assert f"no run explains packet {number}:" in seen["ended"]
    assert any("could have sent: " in reason for reason in seen["reasons"])


def follow_at_most(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches give up early, and remember none that did not."""
    monkeypatch.setattr("reports.observer.TCBS_MAX", most)
    for function in (default_tables, every_stack):
        monkeypatch.setattr(f"reports.conforming.{function.__name__}", function.__wrapped__)


@pytest.mark.parametrize("what", WRONG)
def test_where_the_search_was_cut_nothing_deviates(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow_at_most(1, monkeypatch)
    seen = judged(tmp_path, *BEFORE, *WRONG[what])
    assert ("out of scope", True) == (seen["verdict"], seen["undecided"]), seen
    assert "there were more possibilities than are followed" in seen["ended"]


@every_capture
@pytest.mark.parametrize("most", [1, 2, 4, 8])
def test_a_cut_search_makes_no_real_close_deviate(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow_at_most(most, monkeypatch)
    seen = only(CAPTURES / name)
    assert "deviates" != seen["verdict"], seen
    told = [one for one in seen["reasons"] if "more possibilities than are followed" in one]
    assert most > 1 or told or seen["verdict"] == "out of scope"


def test_one_model_can_be_asked_for(tmp_path: Path) -> None:
    segs = (*BEFORE, *NORMAL["FIN with text"])
    assert "deviates" != verdict(tmp_path, *segs)
    seen = judged(tmp_path, *segs, options=("--model", "rfc9293"))
    assert "deviates" == seen["verdict"]
    assert "fin_with_text" in seen["explained_by"]
    assert "linux" in seen["explained_by"]


def test_what_follows_a_deviation_has_to_be_explained_too(tmp_path: Path) -> None:
    wrong = Sent(0, 160, 302, ACK, 10)
    segs = (*BEFORE, *NORMAL["FIN with text"], wrong)
    seen = judged(tmp_path, *segs, options=("--model", "rfc9293"))
    assert "deviates" == seen["verdict"]
    assert [] == seen["explained_by"]


def test_a_deviation_stays_one_however_much_follows(tmp_path: Path) -> None:
    segs = (*BEFORE, CLOSE[0], Sent(0, 102, 301, ACK, 10), *[CLOSE[1]] * 300)
    assert "deviates" == verdict(tmp_path, *segs)


def test_a_closed_window_is_out_of_scope_where_it_matters(tmp_path: Path) -> None:
    closed = Sent(1, 301, 102, window=0)
    assert "unfinished" == verdict(tmp_path, *BEFORE, CLOSE[0], closed)
    wrong = Sent(0, 99, 301, ACK, 1)
    assert "deviates" != verdict(tmp_path, *BEFORE, CLOSE[0], closed, wrong)


def test_one_direction_only_is_out_of_scope(tmp_path: Path) -> None:
    segs = [seg for seg in (*BEFORE, *CLOSE) if seg.end == 0]
    seen = judged(tmp_path, *segs)
    assert ("out of scope", True) == (seen["verdict"], seen["undecided"])


def test_a_refused_connection_is_out_of_scope_and_nothing_is_left_undecided(tmp_path: Path) -> None:
    seen = judged(tmp_path, OPENING[0], Sent(1, 0, 1, RST | ACK))
    assert ("out of scope", False) == (seen["verdict"], seen["undecided"])


def test_ports_that_are_used_again_are_a_new_connection(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    more = (70_000, 90_000)
    again = [
        seg._replace(seq=seg.seq + more[seg.end], ack=seg.ack + more[1 - seg.end])
        for seg in (*BEFORE, *CLOSE)
    ]
    file.write_bytes(capture_of(*BEFORE, *CLOSE, *again))
    assert "2 connections: 2 conforms" == tcpclose("conform", file).lines[-1]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_removed_doubled_and_late_packets_never_deviate(data: st.DataObject) -> None:
    """Loss behind the capture point, misses, and duplicates are what a network does."""
    close = list(NORMAL[data.draw(st.sampled_from(sorted(NORMAL)))])
    twice = data.draw(st.integers(0, len(close) - 1))
    close.insert(data.draw(st.integers(twice, len(close))), close[twice])
    judge = Judge(Asked(None, False, "text", False))
    assert judged_connection(judge, [*BEFORE, *close]).verdict != "deviates"
    assert all(earlier is not None for earlier, _ in pairwise(close))


def test_what_the_tables_of_other_stacks_leave_open_is_no_deviation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segs = (*BEFORE, *CLOSE[:2], CLOSE[3])
    judge = Judge(Asked(None, True, "text", False))
    assert "deviates" == judged_connection(judge, segs).verdict
    again = conforming._again

    def cut(watch: Watch, pair: Pair) -> Watch:
        other = again(watch, pair)
        other.capped = True
        return other

    monkeypatch.setattr(conforming, "_again", cut)
    assert "out of scope" == judged_connection(judge, segs).verdict


def test_what_is_known_of_other_closes_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closes = [[*BEFORE, *close, close[-1]] for close in NORMAL.values()]
    asked = Asked(None, False, "json", True)
    expected = [judged_connection(Judge(asked), segs) for segs in closes]
    monkeypatch.setattr(situations, "_after", situations._after.__wrapped__)
    for before, segs in zip(expected, closes, strict=True):
        now = judged_connection(Judge(asked), segs)
        assert (before.verdict, before.ended, before.states) == (now.verdict, now.ended, now.states)
        assert before.connection.watch is not None
        assert now.connection.watch is not None
        assert before.connection.watch.states == now.connection.watch.states


def test_an_ack_may_be_overtaken_by_a_reset_and_by_an_ack_that_is_captured_again(
    tmp_path: Path,
) -> None:
    text, ack = Sent(1, 1, 1, ACK, 200), Sent(0, 1, 1)
    reset, overtaken = Sent(0, 1, 201, RST | ACK), Sent(0, 1, 201)
    assert "conforms" == verdict(tmp_path, *OPENING, text, ack, reset, ack, overtaken)


def test_which_models_explain_a_close_is_sought_for_so_many_that_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conforming, "EXPLAINED_MAX", 1)
    judge = Judge(Asked(None, True, "text", False))
    again, other = [*BEFORE, *CLOSE[1:]], [*BEFORE, *CLOSE[:2], CLOSE[3]]
    found = [judged_connection(judge, segs) for segs in (other, other, again, other)]
    assert ["deviates"] * 2 == [one.verdict for one in found[:2]]
    assert found[0].explained_by is not None
    assert found[0].explained_by == found[1].explained_by == found[3].explained_by
    assert ("deviates", None) == (found[2].verdict, found[2].explained_by)


def test_linux_may_reset_in_last_ack_for_text_that_nobody_has_read(tmp_path: Path) -> None:
    segs = (*BEFORE, *CLOSE[:3], Sent(1, 302, 102, RST | ACK))
    told = judged(tmp_path, *segs, options=("--complete", "--model", "linux"))
    assert "conforms" == told["verdict"]
    told = judged(tmp_path, *segs, options=("--complete", "--model", "table_154"))
    assert "deviates" == told["verdict"]
