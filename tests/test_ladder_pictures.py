"""A run as a picture: everything is there, nothing overlaps, and losses are crossed out."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.frames import frames
from reports.labels import label
from reports.ladder import ladder
from reports.ladder_scene import ladder_scene
from reports.scenarios import SCENARIOS, scenario_named
from reports.scene import Curve, Scene, Text
from reports.scene_svg import svg
from tcpclose_model.model import Model
from tcpclose_model.parts import Time
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.run import Run
from tests.command_line import environment, once, tcpclose
from tests.strategies import examples, models
from tests.test_ladders import random_run

CROSS = 2.4
"""The width of the two strokes of a cross."""


def texts(scene: Scene) -> list[Text]:
    """Return the texts of a scene."""
    return [shape for shape in scene.shapes if isinstance(shape, Text)]


def overlaps(one: Text, other: Text) -> bool:
    """Return whether two lines of text meet, or come nearer than a pixel."""
    apart = one.x + one.width + 1 <= other.x or other.x + other.width + 1 <= one.x
    return not apart and abs(one.y - other.y) < max(one.size, other.size)


def is_readable(scene: Scene) -> None:
    """Assert that no two texts meet, and that all are on the page."""
    words = texts(scene)
    assert all(text.anchor == "start" for text in words)
    met = [(a.text, b.text) for a, b in combinations(words, 2) if overlaps(a, b)]
    assert [] == met
    assert all(text.x >= 0 and text.x + text.width <= scene.width for text in words)
    assert all(text.size <= text.y <= scene.height for text in words)


def crosses(scene: Scene) -> int:
    """Return how many segments are crossed out."""
    strokes = [s for s in scene.shapes if isinstance(s, Curve) and s.width == CROSS]
    return len(strokes) // 2


def lost(run: Run) -> int:
    """Return how many segments the run loses."""
    return sum(bool(frame.lost) for frame in frames(run))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_drawn_with_every_segment_and_no_text_over_another(name: str) -> None:
    run = scenario_named(name).run()
    scene = ladder_scene(run)
    is_readable(scene)
    sent = [
        label(step.sent, step.target.a if step.action.actor else step.target.b)
        for step in run.steps
        if step.sent is not None
    ]
    words = [text.text for text in texts(scene)]
    assert all(words.count(one) == sent.count(one) for one in sent)
    assert lost(run) == crosses(scene)


@given(model=models(), seed=st.integers(0, 10_000))
@examples(80)
def test_a_random_run_is_drawn_without_a_text_over_another(model: Model, seed: int) -> None:
    run = random_run(model, seed)
    scene = ladder_scene(run)
    is_readable(scene)
    assert lost(run) == crosses(scene)


@given(seed=st.integers(0, 10_000))
@examples(20)
def test_a_timed_run_shows_its_ticks(seed: int) -> None:
    run = random_run(Model(time=Time(segment_lifetime=2, retransmission=(3,), time_wait=4)), seed)
    scene = ladder_scene(run)
    is_readable(scene)
    ticks = [re.match(r"^(?:(\d+) )?TICKS?$", text.text) for text in texts(scene)]
    shown = sum(int(found[1] or 1) for found in ticks if found)
    assert shown == sum(step.action.event is Event.TICK for step in run.steps)
    due = [line for line in ladder(run).splitlines() if "TICK" in line and " is due" in line]
    assert sum(line.count(" is due") for line in due) == sum(
        text.text.endswith(" is due") for text in texts(scene)
    )


def test_both_ends_states_and_the_timers_stand_in_the_margins() -> None:
    scene = ladder_scene(scenario_named("lost_last_ack").run())
    words = texts(scene)
    middle = scene.width / 2
    left = [text.text for text in words if text.x + text.width < middle and text.text.isupper()]
    assert {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT", "2MSL", "CLOSED"} <= set(left)
    right = [text.text for text in words if text.x > middle]
    assert {"CLOSE_WAIT", "LAST_ACK", "RETRANSMISSION TIMEOUT", "CLOSED"} <= set(right)


def test_a_lasso_says_from_where_it_repeats() -> None:
    run = random_run(Model(), 1)
    looped = Run(run.model, run.states[:1], (), 0)
    words = [text.text for text in texts(ladder_scene(looped))]
    assert "nothing that changes anything happens any more" in words


def test_the_svg_is_well_formed_and_its_text_is_text() -> None:
    drawn = svg(ladder_scene(scenario_named("half_close").run()))
    root = ElementTree.fromstring(drawn)
    shown = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"SHUTDOWN", "DATA 1, ACK of FIN", "FIN_WAIT_2"} <= set(shown)


def test_the_command_line_writes_pictures_of_a_run(tmp_path: Path) -> None:
    for ending in ("svg", "png"):
        assert 0 == tcpclose("run", "normal_close", "-o", tmp_path / f"x.{ending}").status
    drawn = (tmp_path / "x.svg").read_text("utf-8")
    assert svg(ladder_scene(scenario_named("normal_close").run())) == drawn
    assert drawn == once("run", "normal_close", "--format", "svg").out
    assert b"\x89PNG" == (tmp_path / "x.png").read_bytes()[:4]


def test_a_check_loads_nothing_that_draws() -> None:
    program = (
        "import sys, reports.checking, reports.running\n"
        "print(*(name for name in ('networkx', 'PIL', 'pygraphviz') if name in sys.modules))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert "\n" == done.stdout
