"""The tabulated search against a naive one over the plain engine, and how a search may end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpclose_model.limits as limits_module
import tcpclose_model.search as search_module
from tcpclose_model.engines.plain import TIME, PlainEngine, ProductState, Transition
from tcpclose_model.limits import Stage
from tcpclose_model.model import Model
from tcpclose_model.parts import Application
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS
from tests.explored import graph_of, plain_graph_of
from tests.strategies import STATES_MAX, examples, models, reopening_models, timed_models

ROOT = Path(__file__).resolve().parent.parent
NAIVE_STATES_MAX = 6_000
PARTIAL = "delayed_ack"
Tracer = Callable[[FrameType, str, Any], Any]  # Any: what sys.settrace passes and takes


class Naive(NamedTuple):
    """What a textbook breadth-first search finds."""

    states: list[ProductState]
    steps: list[list[tuple[Transition, int]]]
    depths: list[int]


def naive_search(model: Model, states_max: int) -> Naive:
    """Return the breadth-first search over the plain engine; expansion stops past `states_max`."""
    engine = PlainEngine(model)
    found = Naive([engine.initial], [], [0])
    number = {engine.initial: 0}
    while len(found.steps) < len(found.states) <= states_max:
        here = len(found.steps)
        steps = []
        for step in engine.successors(found.states[here]):
            if step.target not in number:
                number[step.target] = len(found.states)
                found.states.append(step.target)
                found.depths.append(found.depths[here] + 1)
            steps.append((step, number[step.target]))
        found.steps.append(steps)
    return found


def assert_same(naive: Naive, space: StateSpace) -> None:
    """Check that a state space is, in every detail and in order, what the naive search found."""
    assert naive.states == [space.state(n) for n in range(len(space))]
    assert naive.depths == [space.level_of(n) for n in range(len(space))]
    assert naive.depths[-1] == space.depth
    assert len(naive.steps) == space.expanded
    for source, steps in enumerate(naive.steps):
        assert [target for _, target in steps] == [space.target[s] for s in space.steps(source)]
        moves = [space.moves[space.move[s]] for s in space.steps(source)]
        assert [tuple(step[:5]) for step, _ in steps] == [tuple(move[:5]) for move in moves]
        for (step, _), move in zip(steps, moves, strict=True):
            assert ends_of(naive.states[source], step) == (
                None if move.before < 0 else space.tcbs[move.before],
                None if move.after < 0 else space.tcbs[move.after],
            )
            if move.action.event is Event.TICK:
                b_s = space.tcbs[move.b_before], space.tcbs[move.b_after]
                assert (naive.states[source].b, step.target.b) == b_s


def ends_of(before: ProductState, step: Transition) -> tuple[object, object]:
    """Return the actor's TCB before and after a step; nothing where the network acts.

    Of a tick, A's; B's are compared beside it.
    """
    if step.action.event in (Event.SEGMENT_IS_LOST, Event.SEGMENT_IS_DUPLICATED):
        return None, None
    actor = step.action.actor if step.action.actor < TIME else 0
    return before[actor], step.target[actor]


def of_naive_size(name: str) -> Model:
    """Return a model of the catalogue, without text if it is too large for the naive search."""
    model = MODELS[name]
    if len(graph_of(name)) <= NAIVE_STATES_MAX:
        return model
    bare = replace(model.application, data_units=(0, 0))
    return replace(model, application=bare)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_tabulated_search_finds_what_the_naive_one_finds_in_the_catalogue(name: str) -> None:
    model = of_naive_size(name)
    space = plain_graph_of(name) if model is MODELS[name] else explore(model)
    assert_same(naive_search(model, len(space)), space)


@examples(60)
@given(models() | reopening_models())
def test_the_tabulated_search_finds_what_the_naive_one_finds_in_random_models(model: Model) -> None:
    states_max = STATES_MAX // 2
    assert_same(naive_search(model, states_max), explore(model, max_states=states_max))


@examples(25)
@given(timed_models())
def test_the_tabulated_search_finds_what_the_naive_one_finds_in_timed_models(model: Model) -> None:
    states_max = STATES_MAX // 2
    assert_same(naive_search(model, states_max), explore(model, max_states=states_max))


@examples(20)
@given(models(), st.integers(0, 2))
def test_the_tabulated_search_counts_losses_as_the_naive_one_does(model: Model, most: int) -> None:
    old = model.network
    copies = old.duplication and old.order != "set"
    network = replace(old, loss=True, duplication=copies, full="waits", losses_max=most)
    limited = replace(model, network=network)
    states_max = STATES_MAX // 2
    assert_same(naive_search(limited, states_max), explore(limited, max_states=states_max))


def test_the_cut_states_are_those_in_which_the_plain_engine_withholds_a_step() -> None:
    bounds = replace(MODELS["rfc9293"].bounds, retransmissions_max=1)
    model = replace(MODELS["rfc9293"], bounds=bounds, application=Application(data_units=(0, 0)))
    space, engine = explore(model), PlainEngine(model)
    assert space.cut
    assert {n for n in range(len(space)) if engine.is_cut(space.state(n))} == space.cut


PRINTS_A_DIGEST = """
import hashlib
from properties.check import check
from tcpclose_model.variants.catalogue import MODELS
digest = hashlib.sha256()
for name in ("fin_with_unread_text", "wild_network", "no_retransmission", "user_timeout"):
    result = check(MODELS[name])
    space = result.space
    for part in (space.tcbs, space.channels, space.a, space.b_to_a, space.target, space.move):
        digest.update(repr(part).encode())
    digest.update(repr([(m.action, [r.name for r in m.rules]) for m in space.moves]).encode())
    for verdict in result.verdicts:
        digest.update(repr((verdict.answer, verdict.detail, verdict.occurred)).encode())
        if verdict.run is not None:
            digest.update(repr((verdict.run.states, verdict.run.loop)).encode())
print(digest.hexdigest())
"""


def test_a_search_and_its_verdicts_do_not_depend_on_the_hash_seed() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PRINTS_A_DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = (run.communicate()[0] for run in runs)
    assert [0, 0] == [run.returncode for run in runs]
    assert 65 == len(first)
    assert first == second


@cache
def whole(name: str) -> StateSpace:
    """Return the complete state space of a model of the catalogue."""
    return explore(MODELS[name])


def assert_a_beginning_of(space: StateSpace, complete: StateSpace) -> None:
    """Check that a search that was stopped is consistent, and a beginning of the complete one."""
    assert space.stopped
    assert not space.complete
    count, steps = len(space), space.transitions
    assert space.first_step == complete.first_step[: space.expanded + 1]
    assert space.target == complete.target[:steps]
    assert steps == len(space.move) == space.first_step[-1]
    assert set(range(1, count)) <= set(space.target) <= set(range(count))
    for number in range(count):
        assert complete.state(number) == space.state(number)
        assert complete.level_of(number) == space.level_of(number)
    for step in range(steps):
        assert complete.moves[complete.move[step]][:5] == space.moves[space.move[step]][:5]
    assert complete.levels[: len(space.levels)] == space.levels
    assert len(space.path_to(count - 1)) == space.depth


@pytest.mark.parametrize("states_max", [0, 1, 2, 3, 10, 100, 1_000, 6_000])
def test_a_search_that_hits_max_states_keeps_a_beginning(states_max: int) -> None:
    space = explore(MODELS[PARTIAL], max_states=states_max)
    assert f"--max-states {states_max} was hit" == space.stopped
    assert len(space) > states_max
    assert_a_beginning_of(space, whole(PARTIAL))


def test_a_search_that_needs_exactly_max_states_is_complete() -> None:
    assert explore(MODELS["table_154"], max_states=len(whole("table_154"))).complete


def test_a_search_that_runs_out_of_time_keeps_a_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1_000))
    monkeypatch.setattr(search_module, "LOOK_EVERY", 16)
    clock = SimpleNamespace(monotonic=lambda: next(ticks))
    monkeypatch.setattr(limits_module, "time", clock)
    space = explore(MODELS[PARTIAL], max_seconds=30)
    assert "--max-seconds 30 was hit" == space.stopped
    assert 30 * 16 == space.expanded
    assert_a_beginning_of(space, whole(PARTIAL))


@pytest.mark.parametrize("looks", [1, 2, 50])
def test_a_search_interrupted_while_it_reports_keeps_a_beginning(
    monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    seen = []

    def progress(stage: Stage) -> None:
        seen.append(stage)
        if len(seen) == looks:
            raise KeyboardInterrupt

    monkeypatch.setattr(search_module, "LOOK_EVERY", 64)
    space = explore(MODELS[PARTIAL], progress=progress)
    assert "interrupted" == space.stopped
    assert (space.expanded, len(space)) == (64 * looks, seen[-1].states)
    assert_a_beginning_of(space, whole(PARTIAL))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("line", [1, 2, 3, 5, 8, 13, 21, 34, *range(400, 460), 5_000])
def test_a_search_interrupted_at_any_line_keeps_a_beginning(
    line: int, error: type[BaseException]
) -> None:
    left = line

    def lines(frame: FrameType, event: str, arg: object) -> Tracer | None:
        nonlocal left
        left -= event == "line"
        if not left:
            sys.settrace(None)
            raise error
        return lines

    def calls(frame: FrameType, event: str, arg: object) -> Tracer | None:
        return lines if frame.f_code.co_name in ("_expand", "steps", "run") else None

    old = sys.gettrace()
    sys.settrace(calls)
    try:
        space = explore(MODELS["table_154" if line < 400 else "no_time_wait_lossless"])
    finally:
        sys.settrace(old)
    complete = whole("table_154" if line < 400 else "no_time_wait_lossless")
    assert ("interrupted" if error is KeyboardInterrupt else "memory ran out") == space.stopped
    assert_a_beginning_of(space, complete)


def test_an_interrupt_inside_an_engine_keeps_a_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals = PlainEngine.arrivals
    left = 200

    def interrupted(engine: PlainEngine, actor: int, state: ProductState) -> object:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return arrivals(engine, actor, state)

    complete = whole(PARTIAL)
    monkeypatch.setattr(PlainEngine, "arrivals", interrupted)
    space = explore(MODELS[PARTIAL])
    assert "interrupted" == space.stopped
    assert_a_beginning_of(space, complete)
