"""A run of any model, written as a ladder or as JSON, is read back as the same run."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from reports.ladder import ladder
from reports.replay import parse_json, parse_ladder
from reports.trace import mermaid, trace_json
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.model import Model
from tcpclose_model.run import Run
from tests.strategies import examples, models

STEPS_MAX = 25


def random_run(model: Model, seed: int) -> Run:
    """Return a random run of the model."""
    engine, random = PlainEngine(model), Random(seed)
    states, steps = [engine.initial], []
    for _ in range(STEPS_MAX):
        possible = engine.successors(states[-1])
        if not possible:
            break
        steps.append(random.choice(possible))
        states.append(steps[-1].target)
    return Run(model, tuple(states), tuple(steps))


@given(model=models(), seed=st.integers(0, 10_000))
@examples(80)
def test_a_ladder_with_notes_or_without_is_read_back_as_the_run(model: Model, seed: int) -> None:
    run = random_run(model, seed)
    assert run == parse_ladder(ladder(run), model)
    assert run == parse_ladder(ladder(run, notes="below"), model)
    assert run == parse_ladder(ladder(run, notes="none"), model)


@given(model=models(), seed=st.integers(0, 10_000))
@examples(80)
def test_a_json_trace_is_read_back_as_the_run(model: Model, seed: int) -> None:
    run = random_run(model, seed)
    assert run == parse_json(json.dumps(trace_json(run)), model)


@given(model=models(), seed=st.integers(0, 10_000))
@examples(20)
def test_a_sequence_diagram_has_an_arrow_for_each_segment(model: Model, seed: int) -> None:
    run = random_run(model, seed)
    moved = [step for step in run.steps if step.action.segment is not None]
    arrows = [line for line in mermaid(run).splitlines() if line.strip()[:3] in ("A->", "B->")]
    crossed = [line for line in mermaid(run).splitlines() if line.strip()[1:3] in ("-x", "--")]
    assert len(moved) == len(arrows) + len(crossed)
