"""Runs read back: what `check -o DIR` writes is what `run` replays, and nothing else is taken.

A file that can be read but is no run of the model exits with 1, and names its first impossible
step with what was possible there; a file that cannot be read exits with 2.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reports.replay import LONGEST
from reports.scenarios import SCENARIOS
from reports.trace import trace_json
from tests.command_line import Said, refused, tcpclose

NORMAL = SCENARIOS["normal_close"]

# Models with and without data, reordering, timeouts, aborts; most have a lasso.
ROUND_TRIPS = (
    "freertos_1303",
    "linux_5_10_old_ack_fin",
    "no_retransmission",
    "rfc9293_literal",
    "wild_network",
    "reordering_with_data",
    "abort",
    "silent_reset",
    "fin_with_unread_text",
    "orphan_fin_wait_2",
    "no_time_wait_silent_closed",
)


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_every_counterexample_that_a_check_writes_is_replayed(name: str, tmp_path: Path) -> None:
    # As JSON, because text looks for a repair of each violation, which takes its time.
    said = tcpclose("check", name, "--format", "json", "-o", tmp_path)
    assert 0 == said.status, said.err
    files = sorted(path for path in tmp_path.iterdir() if path.suffix in (".txt", ".json"))
    assert files
    for file in files:
        form = "itf" if file.name.endswith(".itf.json") else "json"
        read = tcpclose("run", file, "--model", name, "--format", form)
        assert (0, "") == (read.status, read.err)
        if file.suffix == ".json":
            assert file.read_text("utf-8") == read.out
        else:
            assert file.with_suffix(".json").read_text("utf-8") == read.out


def test_a_lasso_is_replayed_with_its_loop(tmp_path: Path) -> None:
    only = ("--property", "no_endless_chatter", "--format", "json")
    tcpclose("check", "rfc9293_literal", *only, "-o", tmp_path)
    file = tmp_path / "rfc9293_literal.no_endless_chatter.txt"
    assert "LOOP" in file.read_text("utf-8")
    said = tcpclose("run", file, "--model", "rfc9293_literal")
    assert (0, True) == (said.status, "LOOP" in said.lines)


def replayed(folder: Path, content: str | bytes, name: str = "run.txt") -> Said:
    """Return what `run FILE --model table_154` says of a file with that content."""
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return tcpclose("run", path, "--model", "table_154")


# Ladders ----------------------------------------------------------------------------------------


def test_an_impossible_step_of_a_ladder_is_named_with_what_was_possible(tmp_path: Path) -> None:
    lines = NORMAL.ladder.splitlines()
    lines[4] = "B 2MSL"
    said = replayed(tmp_path, "\n".join(lines))
    assert (1, "") == (said.status, said.out)
    assert (
        "run.txt:5: 'B 2MSL' is not possible here (A is in FIN_WAIT_2, B in CLOSE_WAIT)" in said.err
    )
    assert "possible: B CLOSE -> FIN_WAIT_2, LAST_ACK" in said.err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TIME_WAIT     -- ACK of FIN", "CLOSED        -- ACK of FIN"),
        ("-- ACK of FIN ------------>", "-- FIN ------------------->"),
        ("-- ACK of FIN ------------>", "-- ACK of FIN ------------x"),
        ("A 2MSL", "A SEND"),
        ("A CLOSE\n", ""),
    ],
)
def test_a_ladder_with_one_wrong_line_is_no_run(old: str, new: str, tmp_path: Path) -> None:
    assert old in NORMAL.ladder
    said = replayed(tmp_path, NORMAL.ladder.replace(old, new))
    assert 1 == said.status, said.err
    assert "is not possible here" in said.err


def test_a_ladder_that_claims_other_states_than_it_has_is_no_run(tmp_path: Path) -> None:
    said = replayed(tmp_path, NORMAL.ladder + "CLOSED  CLOSING\n")
    assert "says CLOSED and CLOSING, but it is CLOSED and CLOSED" in said.err
    assert 1 == said.status


def test_a_ladder_whose_loop_does_not_close_is_no_run(tmp_path: Path) -> None:
    said = replayed(tmp_path, f"LOOP\n{NORMAL.ladder}")
    assert "the loop does not close" in said.err
    assert 1 == said.status


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("run.txt: empty",)),
        ("# only a comment\n\n", ("run.txt: empty",)),
        ("A CLOSES\n", ("run.txt:1: no event 'CLOSES'", "did you mean CLOSE")),
        ("hello\n", ("run.txt:1: 'hello' is neither",)),
        ("FIN_WAIT_1 -- FIN --> FIN_WAIT_9\n", ("run.txt:1: ", "is neither")),
        ("LOOP\nLOOP\n", ("run.txt:2: a second LOOP",)),
        (b"\xff\xfe\x00", ("run.txt: not UTF-8 text",)),
        ("A CLOSE\n" * (LONGEST // 8 + 1), ("run.txt: longer than",)),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_ladder_that_cannot_be_read_is_refused(
    text: str | bytes, words: tuple[str, ...], tmp_path: Path
) -> None:
    refused(replayed(tmp_path, text), *words)


TWO_FINS = """
B CLOSE
A CLOSE
CLOSING       <------------------- FIN --   FIN_WAIT_1
CLOSING       -- ACK of FIN ------------>   FIN_WAIT_2
A RETRANSMISSION TIMEOUT
CLOSING       -- FIN ------------------->   TIME_WAIT
"""
"""The FIN and its retransmission are both in flight, and acknowledge different things."""


def test_a_line_that_fits_two_steps_asks_for_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "two_fins.txt"
    path.write_text(TWO_FINS)
    said = tcpclose("run", path, "--model", "wild_network")
    refused(said, "two_fins.txt:7: ", "fits 2 steps", "say which, with seq= and ack=")


def test_a_line_with_the_numbers_fits_one_step(tmp_path: Path) -> None:
    path = tmp_path / "two_fins.txt"
    path.write_text(TWO_FINS.replace("-- FIN ------------------->", "-- FIN seq=0 ack=0 ------->"))
    assert 0 == tcpclose("run", path, "--model", "wild_network").status


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tcpclose("run", tmp_path / "none.txt"), "none.txt: cannot be read: No such file")


# JSON -------------------------------------------------------------------------------------------


@cache
def trace_text() -> str:
    """Return the textbook close as JSON."""
    return json.dumps(trace_json(NORMAL.run()))


def trace() -> dict[str, Any]:  # Any: plain JSON
    """Return the textbook close as a JSON document of its own."""
    found: dict[str, Any] = json.loads(trace_text())
    return found


def test_an_impossible_step_of_a_trace_is_named_with_what_was_possible(tmp_path: Path) -> None:
    document = trace()
    document["steps"][3]["action"] = "A 2MSL"
    said = replayed(tmp_path, json.dumps(document), "run.json")
    assert (1, "") == (said.status, said.out)
    assert (
        "steps[3]: 'A 2MSL' is not possible here (A is in FIN_WAIT_1, B in CLOSE_WAIT)" in said.err
    )
    assert "possible: " in said.err


def test_a_trace_with_another_state_after_a_step_is_no_run(tmp_path: Path) -> None:
    document = trace()
    document["steps"][2]["b"]["rcv_nxt"] = 0
    said = replayed(tmp_path, json.dumps(document), "run.json")
    assert 1 == said.status
    assert "steps[2]" in said.err


def test_a_trace_that_begins_in_another_state_is_no_run(tmp_path: Path) -> None:
    document = trace()
    document["steps"][0]["a"]["state"] = "CLOSED"
    said = replayed(tmp_path, json.dumps(document), "run.json")
    assert 1 == said.status
    assert "steps[0].a" in said.err


@pytest.mark.parametrize("loop", [0, 3, 7, 8, -1, 10**30])
def test_a_trace_whose_loop_is_wrong_is_not_taken(loop: int, tmp_path: Path) -> None:
    said = replayed(tmp_path, json.dumps({**trace(), "loop": loop}), "run.json")
    # Only the last state's own number is right: the textbook close ends where nothing is left.
    assert 7 == loop or said.status in (1, 2)
    assert 7 != loop or 0 == said.status
