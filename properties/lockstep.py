"""Two models run in lockstep: where the one first does what the other does not.

In every state each action leads to one state only, so two models are held against each other by
taking the same action in both, breadth first, until one of them cannot or something else comes of
it.  If that never happens, both have the same runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tcpclose_model.engines.plain import Action, PlainEngine, ProductState, Transition
from tcpclose_model.errors import DefectError
from tcpclose_model.model import Model
from tcpclose_model.run import Run

Pair = tuple[ProductState, ProductState]


@dataclass(frozen=True, slots=True)
class Parting:
    """A shortest run of both models up to where they part, and the step of each, None if none."""

    run: Run
    action: Action
    old: Transition | None
    new: Transition | None


@dataclass(slots=True)
class Lockstep:
    """What running two models in lockstep has found.

    partings: the first of each kind, in breadth-first order; states: how many pairs of states both
    reach by the same run; complete: whether all of those were looked at.
    """

    partings: dict[object, Parting] = field(default_factory=dict)
    states: int = 0
    complete: bool = True


Kind = Callable[[Action, ProductState, Transition | None, Transition | None], object]
"""What tells one parting from another: of each kind the first is kept."""


def lockstep(old: Model, new: Model, kind: Kind, *, states_max: int, kinds_max: int) -> Lockstep:
    """Return where two models part, looking at so many states and kinds of parting at most.

    A run is not followed beyond where the models part on its last step.
    """
    engines = PlainEngine(old), PlainEngine(new)
    start = (engines[0].initial, engines[1].initial)
    found = Lockstep()
    came: dict[Pair, tuple[Pair, Action] | None] = {start: None}
    queue = [start]
    for pair in queue:
        ours, theirs = (
            {step.action: step for step in engine.successors(state)}
            for engine, state in zip(engines, pair, strict=True)
        )
        for action in sorted({*ours, *theirs}, key=_order):
            one, other = ours.get(action), theirs.get(action)
            if one is not None and other is not None and same_step(one, other):
                target = (one.target, other.target)
                if target not in came:
                    came[target] = (pair, action)
                    queue.append(target)
                continue
            what = kind(action, pair[0], one, other)
            if what not in found.partings:
                run = _run(engines[0], came, pair)
                found.partings[what] = Parting(run, action, one, other)
        if len(queue) > states_max or len(found.partings) >= kinds_max:
            found.complete = False
            break
    found.states = len(queue)
    return found


def same_step(one: Transition, other: Transition) -> bool:
    """Return whether two steps do the same, by all that both models know of a state."""
    if (one.sent, one.overflow) != (other.sent, other.overflow):
        return False
    return same_state(one.target, other.target)


def same_state(one: ProductState, other: ProductState) -> bool:
    """Return whether two states are the same by the fields of a TCB that both models have."""
    if one[2:] != other[2:]:
        return False
    for mine, yours in ((one.a, other.a), (one.b, other.b)):
        names = [name for name in mine._fields if name in yours._fields]
        if any(getattr(mine, name) != getattr(yours, name) for name in names):
            return False
    return True


def _order(action: Action) -> tuple[object, ...]:
    return action.actor, action.event, action.segment or ()


def _run(engine: PlainEngine, came: dict[Pair, tuple[Pair, Action] | None], pair: Pair) -> Run:
    actions = []
    while (step := came[pair]) is not None:
        pair, action = step
        actions.append(action)
    states, steps = [engine.initial], []
    for action in reversed(actions):
        found = next((s for s in engine.successors(states[-1]) if s.action == action), None)
        if found is None:
            raise DefectError(f"the plain engine does not take {action}")
        steps.append(found)
        states.append(found.target)
    return Run(engine.model, tuple(states), tuple(steps))
