"""Traces and ladders from elsewhere: whatever is in them, nothing but a TraceError comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.replay import LONGEST, parse_json, parse_ladder
from reports.scenarios import SCENARIOS
from reports.trace import trace_json
from tcpclose_model.errors import TraceError
from tests.command_line import refused, tcpclose
from tests.strategies import examples

NORMAL = SCENARIOS["normal_close"]
TRACE = json.dumps(trace_json(NORMAL.run()))

HOSTILE = {
    "not JSON": "{",
    "a number": "1",
    "null": "null",
    "a list": "[]",
    "no steps": "{}",
    "steps of no kind": '{"steps": 1}',
    "no step": '{"steps": []}',
    "a step of no kind": '{"steps": [1]}',
    "loop true": '{"steps": [{}], "loop": true}',
    "loop text": '{"steps": [{}], "loop": "0"}',
    "loop beyond all numbers": '{"steps": [{}], "loop": 1e999}',
    "deep lists": "[" * 400_000,
    "deep objects": '{"a":' * 150_000,
    "deep steps": '{"steps": ' + "[" * 400_000,
    "a number of many digits": '{"steps": [{}], "loop": ' + "9" * 10_000 + "}",
    "huge": '{"steps": [' + " " * LONGEST,
    "half a character": '{"steps": "\\ud800"}',
    "not a number": "NaN",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_trace_is_refused_in_words(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    refused(tcpclose("run", path, "--model", "table_154"), "run.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def changed_traces(draw: st.DrawFn) -> str:
    """Draw the textbook close as JSON with one place of it changed to anything."""
    place: Any = json.loads(TRACE)  # Any: plain JSON
    document = place
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
            break
        place = place[key]
    if isinstance(place, dict) and draw(st.booleans()):
        del place[key]
    else:
        place[key] = draw(JSON)
    return json.dumps(document)


@given(changed_traces() | JSON.map(json.dumps) | st.text(max_size=80))
@examples(300)
def test_whatever_a_trace_holds_only_a_trace_error_is_raised(text: str) -> None:
    try:
        run = parse_json(text, NORMAL.model)
    except TraceError:
        return
    assert NORMAL.run().states == run.states


@st.composite
def changed_ladders(draw: st.DrawFn) -> str:
    """Draw the textbook close as a ladder with a stretch of it changed to any text."""
    first = draw(st.integers(0, len(NORMAL.ladder)))
    last = draw(st.integers(first, min(first + 40, len(NORMAL.ladder))))
    inserted = draw(st.text(max_size=10) | st.sampled_from(["LOOP\n", "A ", " -- FIN --> ", "x--"]))
    return NORMAL.ladder[:first] + inserted + NORMAL.ladder[last:]


@given(changed_ladders() | st.text(max_size=80))
@examples(300)
def test_whatever_a_ladder_holds_only_a_trace_error_is_raised(text: str) -> None:
    try:
        run = parse_ladder(text, NORMAL.model)
    except TraceError:
        return
    assert len(run) <= len(NORMAL.run())
