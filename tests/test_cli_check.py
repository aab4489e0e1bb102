"""`tcpclose check`: its exit status, what it prints, and where it stops."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import properties.check as check_module
import reports.checking as checking
from properties.judge import judge
from properties.kinds import Property
from properties.verdict import Verdict
from reports.replay import parse_ladder
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS, model_named
from tests.command_line import Said, once, refused, tcpclose

FIRST_LINE = (
    "table_154: fifo network of capacity 2, lossless; retransmission none, TIME-WAIT free; "
    "closes any, data 0+0, reading eager; 27 states, 38 steps, depth 7, complete"
)
# Any setting drops the expectations; this one is what the model has anyway.
UNEXPECTED = ("--set", "network.capacity=2")


# The exit status --------------------------------------------------------------------------------


def test_a_model_that_is_as_expected_exits_with_0() -> None:
    assert 0 == once("check", "table_154").status


def test_violations_that_the_catalogue_expects_exit_with_0() -> None:
    assert 0 == once("check", "freertos_1303").status


def test_a_requirement_that_is_violated_unexpectedly_exits_with_1() -> None:
    assert 1 == once("check", "freertos_1303", *UNEXPECTED).status


def test_an_unknown_model_exits_with_2() -> None:
    refused(tcpclose("check", "table_155"), "no model 'table_155'", "did you mean table_154")


def test_an_unknown_command_exits_with_2() -> None:
    refused(tcpclose("chekc"), "No such command")


def test_a_limit_that_hides_an_answer_exits_with_3() -> None:
    assert 3 == once("check", "reordering", "--max-states", "30").status


def test_a_defect_exits_with_70_and_asks_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two and two are five")

    monkeypatch.setattr(checking, "check", broken)
    said = tcpclose("check", "table_154")
    assert 70 == said.status
    assert "two and two are five" in said.err
    assert "this is a defect of tcpclose; please report it" in said.err


@pytest.mark.parametrize("names", [("table_154", "table_155"), ("freertos_1303", "table_155")])
def test_of_several_models_an_unusable_one_comes_first(names: tuple[str, str]) -> None:
    for order in (names, names[::-1]):
        assert 2 == tcpclose("check", *order, *UNEXPECTED).status


def test_of_several_models_an_unexpected_one_comes_before_an_unknown_one() -> None:
    for order in (("freertos_1303", "reordering"), ("reordering", "freertos_1303")):
        assert 1 == tcpclose("check", *order, *UNEXPECTED, "--max-states", "30").status


def test_of_several_models_an_unknown_one_comes_before_an_expected_one() -> None:
    for order in (("table_154", "reordering"), ("reordering", "table_154")):
        assert 3 == tcpclose("check", *order, "--max-states", "30").status


def test_the_whole_catalogue_and_names_are_not_both_possible() -> None:
    refused(tcpclose("check", "--all", "table_154"), "--all", "not both")


def test_the_whole_catalogue_is_a_table_with_a_line_for_each_model() -> None:
    said = once("check", "--all", "--max-states", "30")
    marks = {
        line.split()[0]: line.split()[2:15] for line in said.lines if line.split()[0] in MODELS
    }
    assert list(MODELS) == list(marks)
    assert list("++++---++++++") == marks["table_154"]
    assert 3 == said.status


def test_a_whole_catalogue_that_is_as_expected_exits_with_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = ["table_154", "reordering", "smoltcp_470"]
    monkeypatch.setattr("reports.loading.MODELS", {name: MODELS[name] for name in few})
    said = tcpclose("check", "--all")
    rows = [line.split()[0] for line in said.lines if line.endswith("as expected")]
    assert (0, few) == (said.status, rows)


# Which properties -------------------------------------------------------------------------------


def test_only_the_named_properties_are_judged() -> None:
    said = once("check", "table_154", "--property", "no_deadlock", "--property", "no_half_open_end")
    judged = [line.split()[1] for line in said.lines if line.startswith("holds")]
    assert ["no_deadlock", "no_half_open_end"] == judged


def test_a_property_that_is_misspelt_is_answered_with_the_nearest() -> None:
    said = tcpclose("check", "table_154", "--property", "no_deadlok")
    refused(said, "no property 'no_deadlok'", "did you mean no_deadlock")


def test_a_run_that_was_asked_for_alone_is_shown_though_it_is_an_observation() -> None:
    said = once("check", "reordering", "--property", "no_reset_in_an_orderly_close")
    assert any("no_reset_in_an_orderly_close: a run of " in line for line in said.lines)


# What is printed --------------------------------------------------------------------------------


def test_the_first_line_says_model_network_timers_application_and_counts() -> None:
    assert FIRST_LINE == once("check", "table_154").lines[0]


def test_each_property_has_a_line_with_its_verdict() -> None:
    said = once("check", "table_154")
    words = {line.split()[0] for line in said.lines[2:15]}
    assert {"holds", "vacuous"} == words


def ladder_in(said: Said) -> str:
    """Return the first ladder that a check prints."""
    start = next(n for n, line in enumerate(said.lines) if re.search(r": a (run|lasso) of", line))
    rest = said.lines[start + 1 :]
    stop = next(n for n, line in enumerate(rest) if line.startswith("wrong: "))
    return "\n".join(rest[:stop])


@pytest.mark.parametrize("name", ["no_deadlock", "both_eventually_closed"])
def test_a_printed_ladder_can_be_read_back_with_its_notes(name: str) -> None:
    said = once("check", "freertos_1303", "--property", name)
    run = parse_ladder(ladder_in(said), model_named("freertos_1303"))
    assert ("CLOSE_WAIT", "CLOSED") == (run.last.a.state.name, run.last.b.state.name)


def test_below_a_ladder_stands_what_is_wrong_and_what_repairs_it() -> None:
    said = once("check", "freertos_1303", "--property", "no_deadlock")
    assert [
        "wrong: A is in CLOSE_WAIT, B in CLOSED, nothing in flight; A waits for its own user to "
        "close",
        "repair: undoing the edit: fin_leads_astray (then every requirement holds)",
    ] == said.lines[-2:]


def test_a_run_that_repeats_for_ever_is_called_a_lasso() -> None:
    said = once("check", "freertos_1303", "--property", "both_eventually_closed")
    assert "both_eventually_closed: a lasso of 6 steps" in said.lines
    assert "LOOP" in ladder_in(said)


def test_the_fairness_that_an_answer_assumes_is_said() -> None:
    assert any(ln.startswith("fairness assumed: W") for ln in once("check", "table_154").lines)


def test_what_is_not_as_expected_is_marked() -> None:
    said = once("check", "freertos_1303", *UNEXPECTED)
    (line,) = (line for line in said.lines if line.startswith("VIOLATED no_deadlock "))
    assert line.endswith("NOT AS EXPECTED (holds)")


def test_notes_stand_beside_a_ladder_in_a_log() -> None:
    lines = ladder_in(once("check", "freertos_1303", "--property", "no_deadlock")).splitlines()
    assert any(line.startswith("A CLOSE  ") and "# close (3.10.4)" in line for line in lines)


def test_without_notes_a_ladder_has_no_comment() -> None:
    said = once("check", "freertos_1303", "--property", "no_deadlock", "--no-notes")
    assert "#" not in ladder_in(said)


def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Make the output look like a terminal of that width, without colours."""
    monkeypatch.setattr("reports.text.on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))


def test_on_a_narrow_terminal_notes_stand_below_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, 80)
    said = tcpclose("check", "freertos_1303", "--property", "no_deadlock")
    ladder = ladder_in(said).splitlines()
    assert "A CLOSE" == ladder[1]
    assert ladder[2].startswith("    # close (3.10.4)")
    assert parse_ladder(ladder_in(said), model_named("freertos_1303"))


def test_on_a_wide_terminal_notes_stand_beside_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, 160)
    said = tcpclose("check", "freertos_1303", "--property", "no_deadlock")
    assert "# close (3.10.4)" in ladder_in(said).splitlines()[1]


def test_the_same_check_prints_the_same_twice() -> None:
    again = tcpclose("check", "freertos_1303")
    assert once("check", "freertos_1303") == again


# Limits and interrupts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "cause"),
    [
        (("--max-states", "1000"), "--max-states 1000 was hit"),
        (("--max-seconds", "0"), "--max-seconds 0 was hit"),
    ],
)
def test_a_limit_leaves_unknown_verdicts_the_counts_so_far_and_its_name(
    limit: tuple[str, str], cause: str
) -> None:
    said = once("check", "rfc9293", *limit, "--property", "no_deadlock")
    assert 3 == said.status
    assert re.search(
        rf"[\d,]+ states, [\d,]+ steps, depth \d+, NOT COMPLETE \({cause}\)$", said.lines[0]
    )
    assert said.lines[2].startswith("UNKNOWN")
    assert cause in said.lines[2]


@pytest.mark.parametrize("limit", ["--max-states=0", "--max-states=x", "--max-seconds=-1"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    refused(tcpclose("check", "table_154", limit), "Invalid value")


def test_an_interrupt_while_judging_leaves_the_rest_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(space: StateSpace, prop: Property) -> Verdict:
        if prop.name == "both_can_always_close":
            raise KeyboardInterrupt
        return judge(space, prop)

    monkeypatch.setattr(check_module, "judge", interrupted)
    said = tcpclose("check", "table_154", "table_154")
    words = [line.split()[0] for line in said.lines[2:15]]
    assert ["holds", "holds", *["UNKNOWN"] * 11] == words
    assert 3 == said.status
    assert 1 == sum(line == FIRST_LINE for line in said.lines), "a second model was begun"


@pytest.mark.parametrize(
    ("option", "word"),
    [("--format=xml", "'xml'"), ("--form=json", "--format"), ("-o=x.pdf", "x.pdf")],
)
def test_an_unusable_option_is_refused(option: str, word: str) -> None:
    refused(tcpclose("check", "table_154", option), word)


def test_help_says_what_each_exit_status_means() -> None:
    said = once("--help")
    assert 0 == said.status
    for words in ("0 as expected", "1 unexpected", "2 unusable", "3 unknown", "70 a"):
        assert words in " ".join(said.out.split())


@pytest.mark.parametrize("command", ["check", "run", "list", "show", "new", "draw"])
def test_every_command_has_help(command: str) -> None:
    said = once(command, "--help")
    assert (0, "") == (said.status, said.err)
    assert f"tcpclose {command}" in said.out


def test_the_folder_of_a_report_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "tmp.a1b2"
    folder.mkdir()
    assert 0 == tcpclose("check", "freertos_1303", "-o", folder).status
