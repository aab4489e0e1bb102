"""The file that `tcpclose report` writes: what it holds; that it is inert, small, the same."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given

from properties.check import check
from properties.kinds import always
from reports import explorer_graph
from reports.explorer_graph import choices, graph_json, held
from reports.explorer_page import page
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import State
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import MODEL_FILES, process, refused, tcpclose
from tests.explorer import BLOCK, Read, blocks, move_words, state_words, walked
from tests.strategies import (
    boxed_models,
    examples,
    models,
    reopening_models,
    searched,
    timed_models,
)

SMALL = "table_154"
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>&lt;",
    "\u2028\u2029\u202e\x00\x1b[31m\ud800",
    "${title} $script {data}",
)


@cache
def written(*names: str) -> str:
    """Return the report of some models of the catalogue."""
    return page([check(model_named(name)) for name in names])


# What it holds ----------------------------------------------------------------------------------


def holds_what_the_engine_does(model: Model) -> None:
    """Assert that a report holds the states and steps of a model, all in the engine's own words."""
    space, engine = searched(model, 400), PlainEngine(model)
    read = Read(graph_json(held(space, [])))
    states = [space.state(number) for number in range(len(space))]
    assert [state_words(state) for state in states] == [read.state(n) for n in range(len(space))]
    expected = [
        (source, step.target, move_words(state, step))
        for source, state in enumerate(states)
        for step in engine.successors(state)
    ]
    assert expected == [
        (source, states[target], read.move(source, move)) for source, target, move in read.steps()
    ]


@given(model=models())
@examples(15)
def test_a_report_holds_every_state_and_step_of_a_model(model: Model) -> None:
    holds_what_the_engine_does(model)


@given(model=timed_models())
@examples(6)
def test_a_report_holds_every_state_and_step_of_a_model_with_a_clock(model: Model) -> None:
    holds_what_the_engine_does(model)


@given(model=reopening_models())
@examples(6)
def test_a_report_holds_every_state_and_step_of_a_second_connection(model: Model) -> None:
    holds_what_the_engine_does(model)


@given(model=boxed_models())
@examples(6)
def test_a_report_holds_every_state_and_step_beside_a_middlebox(model: Model) -> None:
    holds_what_the_engine_does(model)


def test_tables_with_different_fields_at_the_two_ends_keep_their_fields() -> None:
    a = RFC9293.with_field("seen", 1)
    model = Model(a=a, application=Application(data_units=(0, 0)))
    read = Read(graph_json(held(explore(model, max_states=20), [])))
    state = read.state(0)
    assert (True, False) == ("seen" in state["a"], "seen" in state["b"])


def test_each_run_of_a_verdict_is_one_of_the_graph() -> None:
    result = check(model_named("firewall_after_fins"))
    expected = [verdict.run for verdict in result.verdicts if verdict.run is not None]
    graph = held(result.space, expected)
    found = [replace(walked(result.model, choices(graph, run)), loop=run.loop) for run in expected]
    assert expected == found
    assert any(run.loop is not None for run in found)


def test_a_larger_graph_is_left_out_and_its_runs_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer_graph, "STATES_MAX", 20)
    result = check(model_named("firewall_after_fins"))
    runs = [verdict.run for verdict in result.verdicts if verdict.run is not None]
    graph = held(result.space, runs)
    assert not graph.whole
    assert len(graph.steps) == len({state for run in runs for state in run.states})
    assert [len(run) for run in runs] == [len(choices(graph, run)) for run in runs]


def test_what_was_not_expanded_has_no_steps() -> None:
    result = check(model_named(SMALL), max_states=10)
    data = blocks(page([result]))["graph-0"]
    assert result.space.stopped
    assert (len(result.space), True) == (len(data["a"]), len(data["steps"]) < len(data["a"]))


def test_the_folded_graph_has_a_box_for_each_pair_of_states() -> None:
    data = blocks(written(SMALL))["graph-0"]
    read = Read(data)
    states = [read.state(number) for number in range(len(data["a"]))]
    pairs = {(state["a"]["state"], state["b"]["state"]) for state in states}
    assert pairs == {tuple(lines) for lines, *_ in data["folded"]["nodes"]}


def test_every_verdict_stands_in_the_page_without_a_script() -> None:
    html = written("firewall_after_fins")
    result = check(model_named("firewall_after_fins"))
    rows = re.findall(r'<tr class="(\w+)">.*?<th scope="row"><bdi>(\w+)</bdi>', html, re.DOTALL)
    expected = [(verdict.answer.value, verdict.property.name) for verdict in result.verdicts]
    assert expected == rows
    assert re.search(r"then every requirement holds|no single switch|but then", html)


# Inert, small, always the same ------------------------------------------------------------------


def hostile_model() -> Model:
    """Return a model whose every text tries to leave its place."""
    everything = " ".join(HOSTILE)
    model = model_named(SMALL)
    protocol = model.a.named(everything)
    claim = always(everything, lambda s: s.a.state != State.CLOSING, name=everything)
    return replace(
        model,
        name=everything,
        title=everything,
        a=protocol,
        b=protocol,
        properties=(claim,),
        expect={},
    )


def test_no_text_of_a_model_becomes_markup() -> None:
    html = page([check(hostile_model())])
    plain = written(SMALL)
    for tag in ("<script", "</script", "<!--", "<img", "<svg", "</style"):
        assert plain.count(tag) == html.count(tag), tag
    assert not set("\x00\x1b\ud800") & set(html)
    assert not set("\u2028\u2029\u202e") & set("".join(text for _, text in BLOCK.findall(html)))


def test_the_scripts_and_the_style_cannot_end_early() -> None:
    folder = Path(explorer_graph.__file__).parent / "explorer"
    for file in [*folder.glob("*.js"), *folder.glob("*.css")]:
        text = file.read_text("utf-8").lower()
        assert "</" not in text, file
        assert "<!--" not in text, file


def test_data_is_never_made_into_markup_or_code_by_the_script() -> None:
    folder = Path(explorer_graph.__file__).parent / "explorer"
    makers = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\("
    )
    for file in folder.glob("*.js"):
        assert not re.search(makers, file.read_text("utf-8")), file


def test_every_file_of_the_script_is_in_the_page() -> None:
    folder = Path(explorer_graph.__file__).parent / "explorer"
    html = written(SMALL)
    missing = [file.name for file in folder.glob("*.js") if file.read_text("utf-8") not in html]
    assert [] == missing


def test_the_page_names_no_address() -> None:
    addresses = set(re.findall(r"""["'(]((?:https?:)?//[^"')\s]+)""", written(SMALL)))
    assert {"http://www.w3.org/2000/svg"} == addresses  # the name of a kind of element


def test_a_report_of_2_500_states_is_smaller_than_a_mebibyte() -> None:
    html = page([check(model_named("wild_network"))])
    assert 2_787 == len(blocks(html)["graph-0"]["a"])
    assert len(html.encode()) < 2**20


def test_the_same_model_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    said = process("report", SMALL, "-o", file, env={"PYTHONHASHSEED": "7"})
    assert (0, "") == (said.status, said.out)
    assert written(SMALL) == file.read_bytes().decode()


# Colours ----------------------------------------------------------------------------------------


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


COLOURS = dict(
    re.findall(
        r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)",
        (Path(explorer_graph.__file__).parent / "explorer" / "explorer.css").read_text("utf-8"),
    )
)
TEXTS = (
    "ink",
    "muted",
    "accent",
    "now",
    "lost",
    *(f"{k}-text" for k in ("good", "bad", "vague", "unknown")),
)
SHAPES = ("control", "plain", "initial", "final", "bad", "match", "run", "step", "now", "lost")


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_have_the_contrast_of_level_aa(theme: int) -> None:
    of = {name: pair.split(", ")[theme] for name, pair in COLOURS.items()}
    low = [
        (text, ground)
        for text in TEXTS
        for ground in ("page", "panel", "accent-soft")
        if contrast(of[text], of[ground]) < 4.5
    ]
    assert [] == low


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_shapes_have_the_contrast_of_level_aa(theme: int) -> None:
    of = {name: pair.split(", ")[theme] for name, pair in COLOURS.items()}
    low = [
        (shape, ground)
        for shape in SHAPES
        for ground in ("page", "panel", "field")
        if contrast(of[shape], of[ground]) < 3
    ]
    assert [] == low


# The command ------------------------------------------------------------------------------------


def test_several_models_are_one_file(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    said = tcpclose("report", SMALL, "nuttx_8915", "-o", file)
    assert (0, "") == (said.status, said.out)
    assert said.err.startswith(f"wrote {file}: 2 models, ")
    named = [model["name"] for model in blocks(file.read_text("utf-8"))["report"]["models"]]
    assert [SMALL, "nuttx_8915"] == named


def test_what_is_not_as_expected_says_so_and_the_exit_status_is_that_of_a_check(
    tmp_path: Path,
) -> None:
    file = tmp_path / "report.html"
    said = tcpclose("report", MODEL_FILES / "two_models.py:nobody_closes", "-o", file)
    html = file.read_text("utf-8")
    wrong = len(re.findall(r'class="alarm">NO: holds<', html))
    assert (1, True) == (said.status, 0 < wrong <= html.count('<tr class="violated">'))


def test_one_property_alone_is_judged(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    tcpclose("report", SMALL, "--property", "no_deadlock", "-o", file)
    assert 1 == file.read_text("utf-8").count('<th scope="row"><bdi>')


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([SMALL, "-o", "report.pdf"], [".html"]),
        ([SMALL, "-o", "nowhere/report.html"], ["nowhere", "cannot be written"]),
        (["no_such_model", "-o", "report.html"], ["no_such_model"]),
        (["table_154", "--all", "-o", "report.html"], ["--all"]),
        (["--property", "no_deadlok", "-o", "report.html", SMALL], ["no_deadlock"]),
    ],
)
def test_what_cannot_be_reported_is_refused(
    words: list[str], says: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(tcpclose("report", *words), *says)
    assert [] == list(tmp_path.iterdir())


def test_a_segment_that_is_a_reset_is_marked_as_one() -> None:
    model = Model(
        network=Network(capacity=1, duplication=True),
        application=Application(data_units=(0, 0), aborts=(True, False)),
        name="small",
    )
    data = blocks(page([check(model)]))["graph-0"]
    assert any(is_reset for *_, is_reset in data["segments"])
