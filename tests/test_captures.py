"""Runs read off a real kernel, and the named scenarios: each is a run of its model.

`runs/k*.txt` are ladders written from captures of two Linux kernels that close a connection with
each other, one unit of text for each data segment.  `runs/states.json` holds what was seen there:
each end's states from ESTABLISHED on, read after every segment, and the segments it sent.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TypedDict, cast

import pytest

from reports.ladder import ladder
from reports.replay import parse_ladder
from reports.scenarios import SCENARIOS, scenario_named
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import Event, Segment
from tcpclose_model.run import Run, check_run
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters

RUNS = Path(__file__).parent / "runs"


class Seen(TypedDict):
    """What a capture shows of both ends."""

    capture: str
    kernel: str
    states: dict[str, list[str]]
    sent: dict[str, list[str]]


SEEN = cast("dict[str, Seen]", json.loads((RUNS / "states.json").read_text(encoding="utf-8")))

every_capture = pytest.mark.parametrize("name", SEEN)
every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def text_of(name: str) -> str:
    """Return a capture's ladder with its comments."""
    return (RUNS / f"{name}.txt").read_text(encoding="utf-8")


def model_of(name: str) -> Model:
    """Return the model that a ladder's line `# model: NAME [PARAMETER=VALUE ...]` names."""
    (line,) = (ln for ln in text_of(name).splitlines() if ln.startswith("# model: "))
    model, *settings = line.removeprefix("# model: ").split()
    return with_parameters(model_named(model), settings)


def run_of(name: str) -> Run:
    """Return the run of a capture's ladder."""
    return parse_ladder(text_of(name), model_of(name), where=f"{name}.txt")


def states_of(run: Run, end: int) -> list[str]:
    """Return an end's states in turn, each as often as the end comes to it."""
    names = [(state.b if end else state.a).state.name for state in run.states]
    return [name for name, _ in groupby(names)]


def sent_by(run: Run, end: int) -> list[str]:
    """Return the segments that an end sends, with " lost" behind each that does not arrive."""
    sent: list[tuple[Segment, str]] = []
    for step in run.steps:
        if step.sent is not None and step.action.actor == end:
            sent.append((step.sent, kind_of(step.sent)))
        if step.action.event is Event.SEGMENT_IS_LOST and step.action.actor != end:
            # The run loses each segment before it sends the next one, so it is the latest.
            assert step.action.segment == sent[-1][0]
            sent[-1] = (sent[-1][0], f"{sent[-1][1]} lost")
    return [words for _, words in sent]


def kind_of(seg: Segment) -> str:
    """Return what a segment is for, without its numbers."""
    return " + ".join(["DATA"] * seg.text + ["FIN"] * seg.fin) or "ACK"


def test_every_ladder_has_its_capture() -> None:
    assert sorted(SEEN) == sorted(path.stem for path in RUNS.glob("*.txt"))


@every_capture
def test_a_captured_close_is_a_run_of_its_model(name: str) -> None:
    check_run(run_of(name))


@every_capture
def test_a_ladder_names_its_capture_and_its_kernel(name: str) -> None:
    assert text_of(name).startswith(f"# {SEEN[name]['capture']}, {SEEN[name]['kernel']}.\n")


@every_capture
def test_the_kernel_goes_through_the_states_of_the_run(name: str) -> None:
    run = run_of(name)
    assert SEEN[name]["states"] == {"A": states_of(run, 0), "B": states_of(run, 1)}


@every_capture
def test_the_kernel_sends_the_segments_of_the_run(name: str) -> None:
    run = run_of(name)
    assert SEEN[name]["sent"] == {"A": sent_by(run, 0), "B": sent_by(run, 1)}


@every_scenario
def test_a_scenario_is_a_run_of_its_model_in_which_both_ends_close(name: str) -> None:
    run = scenario_named(name).run()
    check_run(run)
    assert ("CLOSED", "CLOSED") == (run.last.a.state.name, run.last.b.state.name)


@every_scenario
def test_a_scenario_leaves_nothing_in_flight(name: str) -> None:
    run = scenario_named(name).run()
    assert ((), ()) == (run.last.a_to_b, run.last.b_to_a)


@every_scenario
def test_a_scenario_is_written_as_a_report_prints_it(name: str) -> None:
    scenario = scenario_named(name)
    printed = ladder(scenario.run(), notes="none").splitlines()
    written = scenario.ladder.splitlines()
    assert [line.split() for line in printed] == [line.split() for line in written]


@every_scenario
def test_a_scenario_says_what_happens_and_where_it_comes_from(name: str) -> None:
    assert scenario_named(name).title
    assert scenario_named(name).source


def test_a_half_closed_end_still_reads_what_its_peer_sends() -> None:
    run = scenario_named("half_close").run()
    assert 1 == run.last.a.read


def test_a_close_of_three_segments_never_enters_fin_wait_2() -> None:
    run = scenario_named("three_segment_close").run()
    assert ["ESTABLISHED", "FIN_WAIT_1", "TIME_WAIT", "CLOSED"] == states_of(run, 0)


def test_a_scenario_that_is_misspelt_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean simultaneous_close"):
        scenario_named("simultaneous")
