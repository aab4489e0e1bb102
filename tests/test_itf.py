"""A run in the Informal Trace Format is read back as the same run, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.check import check
from reports.itf import VARIABLES, itf, parse_itf
from reports.scenarios import scenario_named
from tcpclose_model.errors import TraceError
from tcpclose_model.model import Model
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import tcpclose
from tests.strategies import examples, models
from tests.test_ladders import random_run


def is_expression(value: object) -> bool:
    """Return whether a value is an expression of ADR-015, as far as runs use it."""
    if isinstance(value, dict):
        return all(not name.startswith("#") and is_expression(v) for name, v in value.items())
    if isinstance(value, list):
        return all(map(is_expression, value))
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53)


@given(model=models(), seed=st.integers(0, 10_000))
@examples(60)
def test_a_run_is_read_back_as_it_was(model: Model, seed: int) -> None:
    run = random_run(model, seed)
    assert run == parse_itf(itf(run), model)


@given(model=models(), seed=st.integers(0, 10_000))
@examples(20)
def test_every_state_sets_every_variable_to_an_expression(model: Model, seed: int) -> None:
    told = json.loads(itf(random_run(model, seed)))
    assert list(VARIABLES) == told["vars"]
    for number, state in enumerate(told["states"]):
        assert {"#meta", *VARIABLES} == set(state)
        assert {"index": number} == state.pop("#meta")
        assert is_expression(state)


def test_the_records_of_a_variable_have_the_same_fields_everywhere() -> None:
    told = json.loads(itf(scenario_named("lost_last_ack").run()))
    segments = [seg for state in told["states"] for seg in state["a_to_b"] + state["b_to_a"]]
    assert segments
    assert 1 == len({tuple(seg) for seg in segments})


@pytest.mark.parametrize(
    ("name", "prop"),
    [("freertos_1303", "both_eventually_closed"), ("rfc9293_literal", "both_eventually_closed")],
)
def test_a_lasso_keeps_its_loop(name: str, prop: str) -> None:
    run = check(model_named(name), only=(prop,))[prop].run
    assert run is not None
    assert run.loop is not None
    told = json.loads(itf(run))
    assert run.loop == told["loop"]
    loop, last = told["states"][told["loop"]], told["states"][-1]
    assert [loop[name] for name in VARIABLES[:5]] == [last[name] for name in VARIABLES[:5]]
    assert run == parse_itf(itf(run), run.model)


def _no_states(told: Any) -> None:  # Any: JSON
    told["states"] = []


def _another_start(told: Any) -> None:
    told["states"][0]["a"]["state"] = "CLOSED"


def _another_state(told: Any) -> None:
    told["states"][2]["b"]["rcv_nxt"] += 1


def _another_action(told: Any) -> None:
    told["states"][1]["action"] = "B CLOSE"


def _loop_outside(told: Any) -> None:
    told["loop"] = 99


def _loop_of_text(told: Any) -> None:
    told["loop"] = "1"


def _loop_that_is_open(told: Any) -> None:
    told["loop"] = 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_no_states, "field 'states': expected a list"),
        (_another_start, r"states\[0\].a: "),
        (_another_state, r"states\[2\]: .* is not possible here"),
        (_another_action, r"states\[1\]: 'B CLOSE' is not possible"),
        (_loop_outside, "no state 99"),
        (_loop_of_text, "field 'loop'"),
        (_loop_that_is_open, "the loop does not close"),
    ],
)
def test_what_is_no_run_of_the_model_is_refused(change: Callable[[Any], None], words: str) -> None:
    run = scenario_named("normal_close").run()
    told = json.loads(itf(run))
    change(told)
    with pytest.raises(TraceError, match=words):
        parse_itf(json.dumps(told), run.model)


def test_the_command_line_writes_it_and_reads_it_back(tmp_path: Path) -> None:
    file, again = tmp_path / "run.itf.json", tmp_path / "again.itf.json"
    assert 0 == tcpclose("run", "lost_first_fin", "-o", file).status
    assert itf(scenario_named("lost_first_fin").run()) == file.read_text("utf-8")
    assert 0 == tcpclose("run", file, "--model", "rfc9293", "-o", again).status
    assert file.read_bytes() == again.read_bytes()
