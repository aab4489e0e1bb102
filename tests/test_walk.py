"""`tcpclose walk`: through a model step by step, at a prompt or from a pipe."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.check import check
from properties.verdict import Answer
from reports.ladder import ladder
from reports.replay import parse_ladder
from reports.scenarios import scenario_named
from reports.walking import Walk
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.model import Model
from tcpclose_model.run import check_run
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import Said, refused, tcpclose
from tests.strategies import examples, models


def typed(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> Said:
    """Return what `tcpclose walk` says to what is typed."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return tcpclose("walk", *arguments)


def numbers_of(name: str) -> list[int]:
    """Return the numbers to type so as to walk a scenario."""
    run = scenario_named(name).run()
    engine = PlainEngine(run.model)
    return [
        engine.successors(state).index(step) + 1
        for state, step in zip(run.states, run.steps, strict=False)
    ]


@pytest.mark.parametrize("name", ["normal_close", "lost_last_ack", "half_close"])
def test_a_scenario_is_walked_by_numbers_and_saved(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, file = scenario_named(name).run(), tmp_path / "run.txt"
    text = "\n".join([*map(str, numbers_of(name)), f"s {file}"])
    said = typed(monkeypatch, text, run.model.name)
    assert (0, "") == (said.status, said.err)
    assert f"> wrote {file}" in said.lines
    assert ladder(run) == file.read_text("utf-8")


@given(model=models(), choices=st.lists(st.integers(1, 3), max_size=15))
@examples(40)
def test_whatever_is_chosen_is_a_run_of_the_model(model: Model, choices: list[int]) -> None:
    walk = Walk(model, {})
    for choice in choices:
        said = walk.answer(str(choice))
        assert said.startswith(("step ", "no step "))
    check_run(walk.run())
    for _ in range(len(walk.run())):
        walk.answer("u")
    assert 0 == len(walk.run())
    assert "this is the initial state" == walk.answer("u")


def test_both_ends_what_is_in_flight_and_the_enabled_steps_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = typed(monkeypatch, "1\n", "table_154")
    first = said.lines.index("> step 1")
    shown = [line.split("  # ")[0] for line in said.lines[first : first + 7]]
    assert [
        "> step 1",
        "  A FIN_WAIT_1  snd_nxt=1 fin_queued=1 fin_sent=1 released=1",
        "  B ESTABLISHED",
        "  A -> B: FIN seq=0 ack=0",
        "  B -> A: nothing",
        "   1 B CLOSE -> B FIN_WAIT_1",
        "   2 FIN arrives at B [seq=0 ack=0] -> B CLOSE_WAIT",
    ] == shown
    assert said.lines[first + 6].endswith("  # fin_in_established (3.10.7.4 eighth)")


def test_the_run_so_far_is_a_ladder() -> None:
    walk = Walk(model_named("table_154"), {})
    walk.answer("1")
    walk.answer("2")
    assert walk.run() == parse_ladder(walk.answer("b"), model_named("table_154"))
    walk.answer("r")
    assert 0 == len(walk.run())


def test_it_jumps_from_one_violation_to_the_next() -> None:
    model = model_named("user_timeout")
    verdicts = [v for v in check(model).verdicts if v.answer is Answer.VIOLATED]
    walk = Walk(model, {})
    assert len(verdicts) > 1
    listed = walk.answer("v").splitlines()
    assert [v.property.name for v in verdicts] == [line.split(":")[0] for line in listed]
    for verdict in [*verdicts, verdicts[0]]:
        assert verdict.run is not None
        assert walk.answer("j").startswith(f"{verdict.property.name}: {verdict.detail}")
        assert (verdict.run.states, verdict.run.steps) == (walk.run().states, walk.run().steps)
    last = verdicts[-1]
    assert last.run is not None
    walk.answer(f"j {last.property.name}")
    assert last.run.last == walk.run().last
    near = walk.answer("j no_half_open_ends")
    assert "no violated property 'no_half_open_ends' (did you mean no_half_open_end?)" == near


def test_where_nothing_is_violated_there_is_nowhere_to_jump_to() -> None:
    walk = Walk(model_named("table_154"), {})
    assert "no property is violated, as far as the model was explored" == walk.answer("j")


def test_an_end_where_nothing_can_happen_says_so() -> None:
    walk = Walk(model_named("table_154"), {})
    for number in numbers_of("normal_close"):
        shown = walk.answer(str(number))
    assert shown.endswith("nothing can happen any more")
    assert "no step 1 here: nothing can happen any more" == walk.answer("1")


@pytest.mark.parametrize("line", ["0", "99", "9" * 5000, "-1", "1.5", "²", "x", "CLOSE", "s", "\0"])
def test_what_cannot_be_done_is_told_and_the_walk_goes_on(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = typed(monkeypatch, f"{line}\nq\n", "table_154")
    assert (0, "") == (said.status, said.err)
    assert any(word in said.out for word in ("> no step ", "is neither the number", "say where"))


def test_a_run_is_not_saved_in_an_unknown_format_or_where_nothing_can_be_written(
    tmp_path: Path,
) -> None:
    walk = Walk(model_named("table_154"), {})
    assert "a run is written as " in walk.answer(f"s {tmp_path / 'run.pdf'}")
    assert "cannot be written" in walk.answer(f"s {tmp_path / 'missing' / 'run.txt'}")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "q", "q\n1\n", "h\nquit\n"])
def test_it_ends_with_the_input_or_when_it_is_left(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = typed(monkeypatch, text, "table_154")
    assert (0, "") == (said.status, said.err)
    assert "> step 1" not in said.lines


def test_an_interrupt_ends_it_as_it_ends_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    said = tcpclose("walk", "table_154")
    assert (3, "tcpclose: interrupted\n") == (said.status, said.err.lstrip())


def test_a_model_that_is_misspelt_is_refused() -> None:
    refused(tcpclose("walk", "table_155"), "did you mean table_154")
