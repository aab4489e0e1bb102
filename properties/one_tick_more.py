"""What becomes of a run in a model that differs a little, as with a longer TIME-WAIT."""

from __future__ import annotations

from collections.abc import Callable

from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.run import Run

STATES_MAX = 20_000
"""States after which the way to the goal is given up."""


def continued(run: Run, model: Model, goal: Callable[[ProductState], bool]) -> Run | None:
    """Return the run as far as it goes in `model`, and from there a shortest way to the goal.

    None if no state in which the goal is reached is among the first `STATES_MAX` from there.
    """
    engine = PlainEngine(model)
    states, steps = [engine.initial], list[Transition]()
    for old in run.steps:
        here = engine.successors(states[-1])
        step = next((one for one in here if one.action == old.action), None)
        if step is None:
            break
        steps.append(step)
        states.append(step.target)
    onwards = _way(engine, states[-1], goal)
    if onwards is None:
        return None
    targets = [step.target for step in onwards]
    return Run(model, (*states, *targets), (*steps, *onwards))


def _way(
    engine: PlainEngine, start: ProductState, goal: Callable[[ProductState], bool]
) -> list[Transition] | None:
    """Return a shortest way from a state to the goal, the first one in canonical order."""
    came: dict[ProductState, tuple[ProductState, Transition] | None] = {start: None}
    level = [start]
    while level and len(came) <= STATES_MAX:
        found = next((state for state in level if goal(state)), None)
        if found is not None:
            return _back(came, found)
        onwards: list[ProductState] = []
        for state in level:
            for step in engine.successors(state):
                if step.target not in came:
                    came[step.target] = state, step
                    onwards.append(step.target)
        level = onwards
    return None


def _back(
    came: dict[ProductState, tuple[ProductState, Transition] | None], state: ProductState
) -> list[Transition]:
    way: list[Transition] = []
    while (before := came[state]) is not None:
        state, step = before
        way.append(step)
    return way[::-1]
