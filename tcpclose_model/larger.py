"""A run that needs more room than the model's channels have, at the least capacity that has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tcpclose_model.engines.coverability import DUPLICATES, Element
from tcpclose_model.engines.plain import Action, Channel, PlainEngine, ProductState, Transition
from tcpclose_model.engines.unbounded import NOTHING, Unbounded
from tcpclose_model.errors import DefectError
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import Event, Segment
from tcpclose_model.run import Run, check_run


class Then(NamedTuple):
    """A step at the end of a run: who acts, what happens, the segment that arrives or is lost."""

    actor: int
    event: Event
    segment: int = NOTHING


def run_along(system: Unbounded, way: Sequence[Element], then: Then | None) -> Run:
    """Return a run along elements, executed by the plain engine at a capacity that has the room.

    then: a last step, if it is to take one.  Raises DefectError if there is no such run, and
    whatever the rows raise if they fail at that step.
    """
    longest = max(max(len(element.to_b), len(element.to_a)) for element in way)
    first = min(system.model.network.capacity + 1, longest + 1)
    for capacity in range(first, longest + 3):
        model = replace(system.model, network=replace(system.model.network, capacity=capacity))
        run = _run_at(model, system, way, then)
        if run is not None:
            check_run(run)
            return run
    raise DefectError("what the backward search found is no run at any capacity")


def _run_at(
    model: Model, system: Unbounded, way: Sequence[Element], then: Then | None
) -> Run | None:
    """Return the run in a model, or None if its channels have too little room."""
    engine = PlainEngine(model)
    is_fifo = model.network.order == "fifo"
    states = [engine.initial]
    steps: list[Transition] = []
    for element, onwards in zip(way, [*way[1:], None], strict=True):
        if states[-1] != _state(system, element, is_fifo=is_fifo):
            raise DefectError("the run has left the elements that it follows")
        if onwards is None:
            break
        goal = _state(system, onwards, is_fifo=is_fifo)
        step = _along(engine, system, states[-1], element, goal)
        while step is not None:
            steps.append(step)
            states.append(step.target)
            if step.target == goal:
                break
            step = _loss(engine, step.target, goal)
        if step is None:
            return None
    if then is not None:
        wanted = Action(then.actor, then.event, _segment(system, then.segment))
        step = next((s for s in engine.successors(states[-1]) if s.action == wanted), None)
        if step is None:
            return None
        steps.append(step)
        states.append(step.target)
    return Run(model, tuple(states), tuple(steps))


def _along(
    engine: PlainEngine,
    system: Unbounded,
    state: ProductState,
    element: Element,
    goal: ProductState,
) -> Transition | None:
    """Return the step that the backward search took, after which at least `goal` is there."""
    step = element.step
    for taken in engine.successors(state):
        action = taken.action
        if element.end == DUPLICATES:
            alike = action.event is Event.SEGMENT_IS_DUPLICATED
        else:
            assert step is not None
            alike = action == Action(element.end, step.event, _segment(system, step.segment))
        if alike and _has(taken.target, goal):
            return taken
    return None


def _loss(engine: PlainEngine, state: ProductState, goal: ProductState) -> Transition | None:
    for taken in engine.successors(state):
        if taken.action.event is Event.SEGMENT_IS_LOST and _has(taken.target, goal):
            return taken
    return None


def _has(state: ProductState, goal: ProductState) -> bool:
    """Return whether a state is `goal` with, perhaps, more in flight."""
    return state[:2] == goal[:2] and all(map(_is_within, goal[2:4], state[2:4]))


def _is_within(channel: Channel, other: Channel) -> bool:
    rest = iter(other)
    return all(segment in rest for segment in channel)


def _segment(system: Unbounded, number: int) -> Segment | None:
    return system.segments[number] if number else None


def _state(system: Unbounded, element: Element, *, is_fifo: bool) -> ProductState:
    """Return the least of the states that an element stands for."""
    a, b = element.pair
    to_b, to_a = (
        tuple(system.segments[segment] for segment in word) for word in (element.to_b, element.to_a)
    )
    if not is_fifo:
        to_b, to_a = tuple(sorted(to_b)), tuple(sorted(to_a))
    return ProductState(system.tcbs[0][a], system.tcbs[1][b], to_b, to_a)
