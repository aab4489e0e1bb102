"""A suite covers all that one end does: told here from the plain engine's steps alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from reports.covering import Suite, covering_suite
from reports.packetdrill import packetdrill
from reports.replay import parse_json
from reports.suite_files import INDEX, PAGE, rows_covered, suite_files
from reports.suite_json import events_json
from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.run import check_run
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import Said, refused, tcpclose

NETWORK = (Event.SEGMENT_IS_LOST, Event.SEGMENT_IS_DUPLICATED)
SMALL = ("table_154", "linux_rfc1337", "user_timeout", "crash")
every_end = pytest.mark.parametrize(("name", "end"), [(n, e) for n in SMALL for e in (0, 1)])


@cache
def suite_of(name: str, end: int, every_step: bool = False) -> Suite:
    return covering_suite(explore(model_named(name)), end, every_step=every_step)


@cache
def steps_of(name: str) -> list[tuple[ProductState, Transition]]:
    """Return every step of a model, found by the plain engine."""
    engine = PlainEngine(model_named(name))
    todo, found = {engine.initial: None}, []
    for state in (order := list(todo)):
        for step in engine.successors(state):
            found.append((state, step))
            if step.target not in todo:
                todo[step.target] = None
                order.append(step.target)
    return found


def happens(end: int, state: ProductState, step: Transition) -> tuple[object, ...] | None:
    """Return what a step shows of an end: state, event, rows; None if it is another's."""
    if step.action.actor != end or step.action.event in NETWORK:
        return None
    tcb = state.b if end else state.a
    return tcb.state, step.action.event, tuple(rule.name for rule in step.rules)


@every_end
def test_the_runs_show_all_that_the_end_ever_does(name: str, end: int) -> None:
    reachable = {happens(end, *step) for step in steps_of(name)} - {None}
    shown = {
        happens(end, *step)
        for case in suite_of(name, end).cases
        for step in zip(case.run.states, case.run.steps, strict=False)
    } - {None}
    assert reachable == shown
    assert len(reachable) == len(suite_of(name, end).behaviours)


@every_end
def test_every_run_is_one_of_the_plain_engine(name: str, end: int) -> None:
    for case in suite_of(name, end).cases:
        check_run(case.run)


@every_end
def test_no_run_is_there_for_nothing(name: str, end: int) -> None:
    cases = suite_of(name, end).cases
    for case in cases:
        others = {one for other in cases if other is not case for one in other.covers}
        assert set(case.covers) - others, case.name


def test_every_step_covers_each_event_with_each_segment_in_each_tcb() -> None:
    reachable, shown = (
        {(state.a, step.action) for state, step in steps if happens(0, state, step) is not None}
        for steps in (
            steps_of("table_154"),
            [
                step
                for case in suite_of("table_154", 0, every_step=True).cases
                for step in zip(case.run.states, case.run.steps, strict=False)
            ],
        )
    )
    assert reachable == shown


@every_end
def test_the_table_of_rows_says_what_the_runs_show(name: str, end: int) -> None:
    suite = suite_of(name, end)
    for row in rows_covered(suite):
        shown = [
            case.name
            for case in suite.cases
            if any(step.action.actor == end and row.rule in step.rules for step in case.run.steps)
        ]
        assert list(row.cases) == shown
        assert bool(shown) == (not row.why) == bool(row.states)


def test_the_page_says_why_a_row_is_in_no_run() -> None:
    why = {row.rule.name: row.why for row in rows_covered(suite_of("crash", 1))}
    assert "application.crashes rules it out" == why["crash"]
    assert "application.half_close rules it out" == why["shutdown"]
    assert "application.data_units rules it out" == why["send"]
    assert "no run of this model carries it out" == why["ack_beyond"]


def test_a_row_that_only_the_other_end_carries_out_is_said_to_be() -> None:
    why = {row.rule.name: row.why for row in rows_covered(suite_of("linux", 0))}
    assert "only B carries it out" == why["text_after_close"]


def test_the_files_are_the_runs_and_can_be_read_back() -> None:
    suite = suite_of("table_154", 1)
    files = suite_files(suite)
    assert sorted(files) == sorted(json.loads(files[INDEX])["files"])
    for case in suite.cases:
        assert case.run == parse_json(files[f"{case.name}.json"], case.run.model)
        assert packetdrill(case.run, 1) == files[f"{case.name}.pkt"]


def test_the_events_of_a_run_are_those_of_the_end_in_octets_from_the_syn() -> None:
    case = next(c for c in suite_of("linux", 0).cases if "user_timeout" in c.name)
    events = events_json(case.run, 0)
    assert ["SEND", "TRANSMIT"] == [event["event"] for event in events[:2]]
    assert {"flags": ".", "seq": 1, "length": 100, "ack": 1} == events[1]["sends"]
    assert ("ESTABLISHED", "CLOSED") == (events[1]["state"], events[-1]["state"])


def test_a_run_that_packetdrill_cannot_say_is_there_as_json_and_the_page_says_why() -> None:
    suite = suite_of("crash", 0)
    files = suite_files(suite)
    without = [case.name for case in suite.cases if f"{case.name}.pkt" not in files]
    assert without
    assert all(f"{name}.json" in files and name in files[PAGE] for name in without)
    assert "A crashes in step" in files[PAGE]


# The command ----------------------------------------------------------------------------------


def written(folder: Path, *arguments: str) -> Said:
    return tcpclose("suite", "table_154", "-o", folder, *arguments)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_the_command_writes_the_suite_and_says_what_it_covers(tmp_path: Path) -> None:
    said = written(tmp_path / "made" / "here")
    assert 0 == said.status
    assert "behaviours of A in table_154, and" in said.out
    assert suite_files(suite_of("table_154", 0)) == contents(tmp_path / "made" / "here")


def test_an_older_suite_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "suite"
    assert 0 == written(folder).status
    assert 0 == written(folder, "--end", "b").status
    assert suite_files(suite_of("table_154", 1)) == contents(folder)
    assert [folder] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["notes.txt", "suite.json"])
def test_files_that_no_suite_has_written_are_left_alone(tmp_path: Path, name: str) -> None:
    written(tmp_path)
    (tmp_path / name).write_text("[" * 100_000, encoding="utf-8")
    before = contents(tmp_path)
    refused(written(tmp_path), str(tmp_path), "no suite has written")
    assert before == contents(tmp_path)


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    refused(written(tmp_path / "file"), "is a file")


def test_an_end_with_a_middlebox_beside_it_is_refused(tmp_path: Path) -> None:
    said = written(tmp_path / "x", "--set", "middlebox.at=a")
    refused(said, "a middlebox stands beside A", "--end b")
    assert not (tmp_path / "x").exists()


def test_a_limit_that_was_hit_is_said_and_told_by_the_status(tmp_path: Path) -> None:
    said = written(tmp_path, "--max-states", "10")
    assert 3 == said.status
    assert "there may be more, but" in said.out
    assert "not in what was explored" in contents(tmp_path)[PAGE]
    assert json.loads(contents(tmp_path)[INDEX])["complete"] is False
