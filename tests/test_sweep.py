"""`tcpclose sweep`: verdicts at every combination of parameters, and where they change."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.check import check
from properties.sweep import Cell, Outcome, Sweep, sweep
from properties.thresholds import Along, along
from properties.time_wait import no_reset_in_last_ack
from properties.verdict import Answer
from reports.maps import LOOKS
from reports.sweep_formats import sweep_csv, sweep_json, sweep_markdown
from reports.sweep_picture import sweep_scene
from reports.sweep_words import followed, line_groups, verdict_on_monotony
from reports.trace import trace_json
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network, Time
from tcpclose_model.run import check_run
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.ranges import CELLS_MAX, Axis, axes_of
from tests.command_line import once, refused, tcpclose
from tests.strategies import examples

LAST_ACK = Model(
    network=Network(order="any", capacity=1_000, losses_max=1),
    time=Time(segment_lifetime=1, retransmission=(2,)),
    application=Application(closes="a_first", data_units=(0, 0)),
    properties=(no_reset_in_last_ack,),
    name="last_ack",
)
"""With losses <= 1, MSL 1 and RTO 2 the passive closer is reset up to a TIME-WAIT of 3 ticks."""

SETTINGS = (
    *("time_wait=2..5", "losses=0..1", "segment_lifetime=1", "time.retransmission=2"),
    *("network.order=any", "network.capacity=20", "silent_closed=on"),
    *("application.data_units=0", "application.closes=a_first"),
)
ONLY = ("no_deadlock", "no_half_open_end")
STUCK = (
    *("sweep", "--no-notes", *(word for one in SETTINGS for word in ("--set", one))),
    *(word for name in ONLY for word in ("--property", name)),
)
"""CLOSED answers nothing: an end in LAST-ACK hangs on how long its peer stays in TIME-WAIT."""


@cache
def thresholds() -> Sweep:
    """Return the sweep of a TIME-WAIT by its length and by losses."""
    return sweep(LAST_ACK, ("time_wait=0..5", "losses=0..1"), processes=1)


@cache
def stuck() -> Sweep:
    """Return what the command of `STUCK` shows."""
    return sweep(model_named("rfc9293"), SETTINGS, only=ONLY)


# The settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0..3", ("0", "1", "2", "3")),
        ("5,1..3,2", ("1", "2", "3", "5")),
        ("none, 0..1", ("none", "0", "1")),
        ("7", ("7",)),
    ],
)
def test_ranges_and_lists_are_the_values_that_they_say(text: str, values: tuple[str, ...]) -> None:
    axes = axes_of(Model(), [f"bounds.retransmissions_max={text}"])
    assert (Axis("bounds.retransmissions_max", values),) == axes


def test_a_pair_stands_in_parentheses() -> None:
    (axis,) = axes_of(Model(), ["application.data_units=(1,0),(1,1),2"])
    assert ("(1,0)", "(1,1)", "2") == axis.values
    assert "application.data_units=1,0" == axis.setting(axis.values[0])


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("time_wait=0..8", "time.time_wait"),
        ("time_wait=free,ideal", "timers.time_wait"),
        ("retransmissions=0..4", "bounds.retransmissions_max"),
        ("silent_closed=off,on", "protocol.silent_closed"),
        ("a.silent_closed=off,on", "a.silent_closed"),
    ],
)
def test_a_short_name_is_the_one_that_takes_these_values(setting: str, name: str) -> None:
    assert name == axes_of(Model(), [setting])[0].name


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("network.capacity=3..1", ("is empty", "1..3")),
        ("network.capacity=1..99999999", ("99,999,999 values", f"{CELLS_MAX:,}")),
        ("network.capacity=1,,2", ("is no list of values",)),
        ("data_units=(1,0),(1", ("is no list of values",)),
        ("netwrk.capacity=1..2", ("no parameter", "network.capacity")),
        ("network.capacity", ("expected NAME=VALUES",)),
        ("network.capacity=0..2", ("at network.capacity=0", "at least 1")),
        ("network.order=fifo,bag", ("at network.order=bag", "any, fifo, set")),
        ("time_wait=free,3", ("neither timers.time_wait nor time.time_wait",)),
        ("time.time_wait=1..2", ("has a clock", "time.segment_lifetime")),
        ("retransmission=timely,none", ("timers.retransmission",)),
    ],
)
def test_a_setting_that_is_none_is_refused(setting: str, words: tuple[str, ...]) -> None:
    if setting.startswith("retransmission="):  # which is one: nothing else takes such names
        assert words == (axes_of(Model(), [setting])[0].name,)
        return
    refused(tcpclose("sweep", "--set", setting), *words)


def test_a_product_that_is_too_large_is_refused_before_it_is_made() -> None:
    settings = ("network.capacity=1..999", "bounds.retransmissions_max=0..998")
    with pytest.raises(ModelError, match="998,001 models so far"):
        axes_of(Model(), settings)


def test_a_parameter_that_is_set_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="set twice"):
        axes_of(Model(), ("capacity=1", "network.capacity=2"))


# The cells ----------------------------------------------------------------------------------------


def test_every_cell_is_what_a_check_of_it_says() -> None:
    settings = ("application.data_units=(0,0),(1,0)", "silent_closed=off,on", "capacity=1,2")
    model = model_named("no_retransmission")
    found = sweep(model, settings)
    assert 8 == len(found.cells)
    for cell in found.cells:
        said = [axis.setting(value) for axis, value in zip(found.axes, cell.at, strict=True)]
        result = check(with_parameters(model, said))
        space = result.space
        counts = (len(space), space.transitions, space.depth)
        assert counts == (cell.states, cell.transitions, cell.depth)
        for verdict in result.verdicts:
            one = cell.outcomes[verdict.property.name]
            assert (verdict.answer, verdict.detail) == (one.answer, one.detail)
            assert verdict.occurred == one.occurred
            run = cell.run(verdict.property.name)
            assert (verdict.run is None) == (run is None)
            if verdict.run is not None and run is not None:
                assert trace_json(verdict.run) == trace_json(run)
        assert result.exit_status == cell.status


def test_processes_make_no_difference() -> None:
    two = sweep(LAST_ACK, ("time_wait=1..2", "losses=0..1"), processes=2)
    one = {cell.at: cell for cell in thresholds().cells}
    assert [one[cell.at] for cell in two.cells] == list(two.cells)


def test_a_sweep_of_nothing_is_a_check() -> None:
    said = once("sweep", "table_154", "--property", "no_deadlock")
    assert (0, "table_154: 1 model") == (said.status, said.lines[0])
    assert "holds in every model: no_deadlock" in said.lines


@pytest.mark.parametrize(("limits", "status"), [((), 1), (("--max-states", "40"), 3)])
def test_the_exit_status_is_that_of_a_check(limits: tuple[str, ...], status: int) -> None:
    assert status == once(*STUCK, *limits).status


def test_a_mistake_is_told_of_the_first_model_that_has_it() -> None:
    said = tcpclose("sweep", "--property", "no_deadlok", "--set", "capacity=1..4")
    refused(said, "at network.capacity=1: no property 'no_deadlok'", "no_deadlock")


# Where answers change -----------------------------------------------------------------------------


def test_the_threshold_is_the_one_that_theory_knows() -> None:
    waits, losses = along(thresholds(), "no_reset_in_last_ack")
    (by_lossless, by_lossy) = (
        [
            (f.before.at[0], f.after.at[0])
            for line in waits.lines
            if line.cells[0].at[1] == lost
            for f in line.flips()
        ]
        for lost in "01"
    )
    assert ([("1", "2")], [("3", "4")]) == (by_lossless, by_lossy)
    assert (True, True) == (waits.monotone, losses.monotone)


def test_the_run_at_a_change_is_one_of_its_cell_and_not_of_the_next() -> None:
    waits = along(thresholds(), "no_reset_in_last_ack")[0]
    for flip in waits.flips:
        run = flip.before.run("no_reset_in_last_ack")
        assert run is not None
        check_run(run)
        beside = followed(run, flip.after.model)
        assert beside.steps < len(run)
        assert "A 2MSL" == beside.refused
        assert beside.possible


def made(answers: dict[tuple[str, ...], Answer], *axes: Axis) -> Sweep:
    """Return a sweep with these answers of one property."""
    prop = no_reset_in_last_ack
    cells = tuple(
        Cell(at, LAST_ACK, 1, 1, 1, "", {prop.name: Outcome(answer, "", 1, None, None)}, 0)
        for at, answer in answers.items()
    )
    return Sweep(LAST_ACK, axes, cells, (prop,))


def course(text: str, values: str) -> Along:
    """Return what a row of signs does along an axis of these values."""
    signs = {"+": Answer.HOLDS, "X": Answer.VIOLATED, "-": Answer.VACUOUS, "?": Answer.UNKNOWN}
    numbers = tuple(values.split())
    answers: dict[tuple[str, ...], Answer] = {
        (n,): signs[sign] for n, sign in zip(numbers, text, strict=True)
    }
    return along(made(answers, Axis("x", numbers)), no_reset_in_last_ack.name)[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("++++", "no change"),
        ("XX++", "1 change; monotone at the values tried"),
        ("XX+-", "2 changes; monotone at the values tried"),
        ("X+X+", "3 changes; NOT MONOTONE: an answer that was left comes back"),
        ("X?++", "1 change; monotone as far as the answers are known"),
        ("+?X?", "1 change; monotone as far as the answers are known"),
        ("++??", "no change, as far as the answers are known"),
        ("????", "no change, as far as the answers are known"),
    ],
)
def test_what_is_monotone_is_said_to_be(text: str, says: str) -> None:
    assert says == verdict_on_monotony(course(text, "0 1 2 3"))


def test_nothing_is_interpolated() -> None:
    found = course("X??+", "0 1 2 5")
    ((before, after, unknown, gap),) = [
        (f.before.at, f.after.at, f.unknown, f.gap) for f in found.flips
    ]
    assert (("0",), ("5",), ("1", "2"), True) == (before, after, unknown, gap)
    sweep_of_it = made({}, Axis("x", ("0", "1", "2", "5")))
    ((_, words),) = line_groups(sweep_of_it, found)
    assert "VIOLATED at 0, then UNKNOWN at 1..2, then holds at 5" == words


@examples(50)
@given(st.lists(st.sampled_from("+X-?"), min_size=2, max_size=7))
def test_the_changes_are_those_between_known_neighbours(signs: list[str]) -> None:
    values = " ".join(map(str, range(len(signs))))
    found = course("".join(signs), values)
    known = [(n, sign) for n, sign in enumerate(signs) if sign != "?"]
    pairs = pairwise(known)
    changes = [(str(a), str(b)) for (a, was), (b, now) in pairs if was != now]
    assert changes == [(f.before.at[0], f.after.at[0]) for f in found.flips]
    order = [sign for n, (_, sign) in enumerate(known) if not n or known[n - 1][1] != sign]
    back = len(order) != len(set(order))
    assert (False if back else None if "?" in signs else True) == found.monotone


def test_lines_that_change_in_opposite_directions_are_told() -> None:
    holds, violated = Answer.HOLDS, Answer.VIOLATED
    answers: dict[tuple[str, ...], Answer] = {("0", "off"): holds, ("0", "on"): violated}
    answers |= {("1", "off"): violated, ("1", "on"): holds}
    found = along(
        made(answers, Axis("x", ("0", "1")), Axis("y", ("off", "on"))), no_reset_in_last_ack.name
    )
    assert [(True, False), (True, False)] == [(one.monotone, one.one_way) for one in found]
    assert "not in the same direction everywhere" in verdict_on_monotony(found[0])


# What is printed ----------------------------------------------------------------------------------


def test_the_text_has_the_table_and_both_sides_of_a_change() -> None:
    said = once(*STUCK)
    assert "holds in every model: no_deadlock" in said.lines
    table = said.lines.index("  network.losses_max \\ time.time_wait  2 3 4 5")
    assert ["0  + + + +", "1  X X + +"] == [line.strip() for line in said.lines[table + 1 :][:2]]
    assert "  network.losses_max=1: VIOLATED at 2..3, then holds at 4..5" in said.lines
    assert "  time.time_wait 3 -> 4 (network.losses_max=1)" in said.lines
    assert any(line.startswith("  at 3: VIOLATED: a run of 11 steps (") for line in said.lines)
    assert "    A 2MSL" in said.lines
    assert "possible here up to step 10 of 11" in said.out
    assert "but not then: A 2MSL; possible: FIN, ACK of FIN arrives at A" in said.out


def test_a_model_that_hits_a_limit_is_unknown_and_is_named() -> None:
    said = once(*STUCK, "--max-states", "40")
    assert "UNKNOWN in every model: no_deadlock, no_half_open_end" in said.lines
    assert any(
        line.startswith("at time.time_wait=2, network.losses_max=0: ") for line in said.lines
    )


def test_the_csv_has_a_line_for_each_model_and_property() -> None:
    rows = list(csv.DictReader(io.StringIO(sweep_csv(stuck()))))
    assert 2 * 8 == len(rows)
    found = {
        row["time.time_wait"]: row["verdict"]
        for row in rows
        if row["network.losses_max"] == "1" and row["property"] == "no_half_open_end"
    }
    assert {"2": "violated", "3": "violated", "4": "holds", "5": "holds"} == found


def test_the_json_has_the_cells_and_the_changes_with_their_runs() -> None:
    document = json.loads(sweep_json(stuck()))
    assert ("tcpclose/sweep/1", 8) == (document["schema"], len(document["cells"]))
    stays = next(p for p in document["properties"] if p["name"] == "no_half_open_end")
    waits = stays["along"][0]
    assert ("time.time_wait", True) == (waits["axis"], waits["monotone"])
    (change,) = waits["changes"]
    assert ["violated", "holds"] == [change[side]["verdict"] for side in ("before", "after")]
    assert 11 == len(change["before"]["trace"]["steps"]) - 1
    assert {"steps": 10, "refused": "A 2MSL"} == {
        name: change["after"]["follows"][name] for name in ("steps", "refused")
    }


def test_the_markdown_has_the_table_and_the_ladder() -> None:
    text = sweep_markdown(stuck())
    assert "| `network.losses_max` ↓ `time.time_wait` → | 2 | 3 | 4 | 5 |" in text
    assert "| 1 | **X** | **X** | + | + |" in text
    assert "```mermaid\nsequenceDiagram" in text
    assert text.count("<details>") == text.count("</details>")


def test_the_picture_has_a_sign_and_a_colour_for_each_answer(tmp_path: Path) -> None:
    assert 0 == tcpclose("sweep", "table_154", "-o", tmp_path / "all.svg").status
    scene = sweep_scene(thresholds())
    fills = [getattr(shape, "fill", "") for shape in scene.shapes]
    legend = 1
    assert legend + 6 == fills.count(LOOKS[Answer.VIOLATED].fill)
    signs = [getattr(shape, "text", "") for shape in scene.shapes]
    assert legend + 6 == signs.count("X")
    ElementTree.parse(tmp_path / "all.svg")


@pytest.mark.parametrize("ending", [".txt", ".json", ".csv", ".md", ".svg", ".png"])
def test_a_sweep_is_written_in_the_format_of_the_ending(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"sweep{ending}"
    said = tcpclose("sweep", "table_154", "--set", "capacity=1..2", "-o", file)
    assert (0, "") == (said.status, said.out)
    assert said.err.startswith(f"wrote {file}")
    assert file.stat().st_size > 300


def test_another_ending_is_refused(tmp_path: Path) -> None:
    refused(tcpclose("sweep", "-o", tmp_path / "sweep.pdf"), ".svg")
