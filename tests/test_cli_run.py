"""`tcpclose run`: a run to a state, one of the standard's, in each format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.replay import parse_json, parse_ladder
from reports.scenarios import SCENARIOS
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import once, refused, tcpclose

CONDITIONS = {
    "A=CLOSING & B=CLOSING": ("CLOSING", "CLOSING"),
    "A = CLOSING&B==CLOSING": ("CLOSING", "CLOSING"),
    "A=TIME_WAIT & B=CLOSED": ("TIME_WAIT", "CLOSED"),
    "A.state=CLOSED & B!=CLOSED": ("CLOSED", "CLOSING"),
    "A=CLOSED & B=ESTABLISHED | A=FIN_WAIT_2 & B=LAST_ACK": ("FIN_WAIT_2", "LAST_ACK"),
    "A.snd_una>=1 & B.snd_una<1 & in_flight=0": ("FIN_WAIT_2", "CLOSE_WAIT"),
    "A=closing & B=closing": ("CLOSING", "CLOSING"),
}


@pytest.mark.parametrize(("text", "ends"), CONDITIONS.items())
def test_the_shortest_run_to_a_state_ends_there(text: str, ends: tuple[str, str]) -> None:
    said = once("run", "table_154", "--reach", text)
    assert (0, "") == (said.status, said.err)
    run = parse_ladder(said.out, model_named("table_154"))
    assert ends == (run.last.a.state.name, run.last.b.state.name)


def test_it_is_the_shortest() -> None:
    said = once("run", "table_154", "--reach", "A=CLOSED & B=CLOSED")
    assert 7 == len(parse_ladder(said.out, model_named("table_154")))


def test_the_initial_state_is_reached_by_a_run_of_no_steps() -> None:
    said = once("run", "table_154", "--reach", "A=ESTABLISHED")
    assert [["ESTABLISHED", "ESTABLISHED"]] * 2 == [line.split() for line in said.lines]


def test_a_state_that_no_run_reaches_exits_with_1() -> None:
    said = once("run", "table_154", "--reach", "A=CLOSING & B=ESTABLISHED")
    expected = "no run of table_154 reaches A=CLOSING & B=ESTABLISHED (27 states)\n"
    assert (1, expected, "") == (said.status, said.out, said.err)


def test_a_state_that_was_not_found_within_a_limit_exits_with_3() -> None:
    said = once("run", "rfc9293", "--reach", "A=CLOSED & B=CLOSED", "--max-states", "50")
    assert 3 == said.status
    assert said.out.startswith("unknown: no run found in ")
    assert "--max-states 50 was hit" in said.out


def test_a_state_that_was_not_found_where_runs_are_cut_off_exits_with_3() -> None:
    said = once(
        "run",
        "no_retransmission",
        *("--set", "timers.retransmission=timely", "--set", "bounds.retransmissions_max=0"),
        *("--reach", "in_flight>99"),
    )
    assert 3 == said.status
    assert "bounds.retransmissions_max" in said.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("is not a comparison such as A=CLOSING",)),
        ("A", ("'A' is not a comparison",)),
        ("A=CLOSING &", ("is not a comparison",)),
        ("C=CLOSING", ("'C=CLOSING' is not a comparison",)),
        ("A=CLOSING and B=CLOSING", ("is not a comparison",)),
        ("A=CLOZING", ("'CLOZING' is neither a number nor a name", "did you mean CLOSING")),
        ("A=FIN-WAIT-1", ("is not a comparison",)),
        ("A.snd_unna>0", ("no field 'snd_unna'", "did you mean snd_una")),
        ("A.told=CLOSING", ("'CLOSING' is neither",)),
        ("in_flight=CLOSED", ("'CLOSED' is neither a number",)),
        ("A=²", ("²",)),
        ("A.snd_una>" + "9" * 5000, ("--reach",)),
        ("in_flight.foo=1", ("in_flight", "foo")),
        ("A.snd_una=CLOSING", ("CLOSING", "snd_una")),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_condition_that_is_none_is_refused_in_words(text: str, words: tuple[str, ...]) -> None:
    refused(tcpclose("run", "table_154", "--reach", text), *words)


# The standard's runs ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_named_run_is_shown_and_can_be_read_back(name: str) -> None:
    said = once("run", name)
    assert (0, "") == (said.status, said.err)
    assert SCENARIOS[name].run() == parse_ladder(said.out, SCENARIOS[name].model)


def test_a_named_run_can_be_asked_of_another_model() -> None:
    assert 0 == once("run", "normal_close", "--model", "rfc9293").status


def test_a_named_run_that_another_model_does_not_allow_names_the_step() -> None:
    said = once("run", "lost_first_fin", "--model", "table_154")
    assert (1, "") == (said.status, said.out)
    assert "lost_first_fin:3: " in said.err
    assert "is not possible here" in said.err


def test_a_named_run_under_a_setting_is_one_of_the_model_so_changed() -> None:
    assert 0 == once("run", "lost_first_fin", "--set", "network.capacity=3").status
    assert 1 == once("run", "lost_first_fin", "--set", "network.loss=off").status


def test_a_run_that_is_misspelt_is_answered_with_the_nearest() -> None:
    refused(tcpclose("run", "normal_clos"), "no run 'normal_clos'", "did you mean normal_close")


def test_without_a_run_the_ways_to_name_one_are_told() -> None:
    refused(tcpclose("run"), "tcpclose list runs", "--reach")


def test_a_model_file_is_no_run() -> None:
    refused(tcpclose("run", "mine.py"), "mine.py is a model", "--reach")


# Formats ----------------------------------------------------------------------------------------


def test_a_run_as_json_can_be_read_back() -> None:
    said = once("run", "normal_close", "--format", "json")
    assert SCENARIOS["normal_close"].run() == parse_json(said.out, model_named("table_154"))


def test_a_run_as_mermaid_is_a_sequence_diagram_with_a_line_for_each_step() -> None:
    said = once("run", "normal_close", "--format", "mermaid")
    assert "sequenceDiagram" == said.lines[0]
    assert 4 == sum("->>" in line for line in said.lines)


@pytest.mark.parametrize(
    ("end", "form"),
    [("txt", "text"), ("json", "json"), ("itf.json", "itf"), ("mmd", "mermaid")],
)
def test_a_runs_file_is_in_the_format_of_its_ending(end: str, form: str, tmp_path: Path) -> None:
    out = tmp_path / f"run.{end}"
    said = tcpclose("run", "normal_close", "-o", out)
    assert (0, "", f"wrote {out}\n") == (said.status, said.out, said.err)
    assert once("run", "normal_close", "--format", form).out == out.read_text("utf-8")


def test_a_run_is_not_written_in_an_unknown_format(tmp_path: Path) -> None:
    refused(
        tcpclose("run", "normal_close", "-o", tmp_path / "x.pdf"),
        ".txt, .itf.json, .json, .mmd, .pcapng",
    )
    assert [] == list(tmp_path.iterdir())


def test_a_run_without_notes_has_no_comment() -> None:
    assert "#" in once("run", "normal_close").out
    assert "#" not in once("run", "normal_close", "--no-notes").out


def test_a_json_run_has_one_more_state_than_steps() -> None:
    steps = json.loads(once("run", "normal_close", "--format", "json").out)["steps"]
    assert 8 == len(steps)
    assert "start" == steps[0]["action"]
