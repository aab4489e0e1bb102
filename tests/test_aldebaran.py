"""The explored graph as an .aut file: read back, it is the same graph."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.aldebaran import HIDDEN, STEPS_MAX, aldebaran
from tcpclose_model.errors import ModelError
from tcpclose_model.graphs import move_text
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import refused, tcpclose
from tests.strategies import examples, models

HEADER = re.compile(r"^des \((\d+), (\d+), (\d+)\)$")
STEP = re.compile(r'^\((\d+), ("[^"\\]+"|\w+), (\d+)\)$')
Steps = Counter[tuple[int, str, int]]


def read(text: str) -> tuple[int, Steps]:
    """Return the number of states and the steps of an .aut file, whose header must be right."""
    first, *lines = text.splitlines()
    header = HEADER.match(first)
    assert header is not None, first
    initial, count, states = map(int, header.groups())
    steps: Steps = Counter()
    for line in lines:
        found = STEP.match(line)
        assert found is not None, line
        steps[int(found[1]), found[2].strip('"'), int(found[3])] += 1
    assert (0, steps.total()) == (initial, count)
    assert all(max(source, target) < states for source, _, target in steps)
    return states, steps


def steps_of(space: StateSpace, hidden: tuple[Event, ...] = (), internal: str = "i") -> Steps:
    """Return the steps of an explored graph, those of the hidden events with one label."""
    steps: Steps = Counter()
    for number in range(space.expanded):
        for step in space.steps(number):
            move = space.moves[space.move[step]]
            words = internal if move.action.event in hidden else move_text(move)
            steps[number, words, int(space.target[step])] += 1
    return steps


@given(model=models(), hide=st.sets(st.sampled_from(sorted(HIDDEN))))
@examples(30)
def test_an_aut_file_is_read_back_as_the_graph(model: Model, hide: set[str]) -> None:
    space = explore(model, max_states=500)
    events = tuple(event for name in hide for event in HIDDEN[name])
    assert (len(space), steps_of(space, events)) == read(aldebaran(space, hide))


def test_the_textbook_close_has_the_steps_that_it_has_everywhere() -> None:
    text = aldebaran(explore(model_named("table_154")))
    assert text.startswith('des (0, 38, 27)\n(0, "A CLOSE", 1)\n')


def test_every_event_but_a_call_or_a_fault_can_be_hidden() -> None:
    kept = set(Event) - {event for events in HIDDEN.values() for event in events}
    assert {
        "CLOSE", "SHUTDOWN", "SEND", "RECEIVE", "ABORT", "OPEN_ACTIVE", "OPEN_PASSIVE", "CRASH",
    } == {event.name for event in kept}  # fmt: skip


def test_the_command_line_writes_it_with_the_label_that_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "x.aut"
    options = ("--hide", "network", "--hide", "timers", "--internal", "tau")
    no_text = ("--set", "application.data_units=0,0")
    said = tcpclose("draw", "rfc9293", *no_text, "-o", out, *options)
    assert (0, "") == (said.status, said.out), said.err
    _, steps = read(out.read_text("utf-8"))
    labels = {label for _, label, _ in steps}
    assert {"tau", "A CLOSE"} <= labels
    assert not any("lost" in label or "TIMEOUT" in label or "2MSL" in label for label in labels)


def test_a_graph_that_is_too_large_is_refused_with_the_way_out() -> None:
    class TooLarge:
        transitions = STEPS_MAX + 1

    with pytest.raises(ModelError, match=r"5,000,001 steps, more than .* set smaller bounds"):
        aldebaran(TooLarge())  # type: ignore[arg-type]  # only its size is looked at


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--of", "joint"), "use --of product"),
        (("--property", "no_deadlock"), "nothing is highlighted"),
        (("--internal", 'a"b'), "is not a label"),
        (("--internal", ""), "is not a label"),
        (("--internal", "a\nb"), "is not a label"),
        (("--internal", "not seen"), "is not a label"),
        (("--hide", "everything"), "'network'"),
    ],
)
def test_what_an_aut_file_cannot_have_is_refused(
    options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    refused(tcpclose("draw", "table_154", "-o", tmp_path / "x.aut", *options), words)
    assert [] == list(tmp_path.iterdir())


def test_labels_are_hidden_in_no_other_format(tmp_path: Path) -> None:
    said = tcpclose("draw", "table_154", "-o", tmp_path / "x.dot", "--hide", "time")
    refused(said, "about the labels of an .aut file")
