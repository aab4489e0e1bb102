"""What an end does only after something else, judged without the graph.

The question is whether some run leads to a marked state without the step that must come before.
First it is put to the graph of the pairs of TCBs, whose steps were counted: each run of the model
is a run there, so what is out of reach there is out of reach.  What is in reach there may need
contents of the channels that never occur, so then the plain engine looks for the run, and only
through pairs from which a marked one is in reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from properties.kinds import Property
from properties.views import StepView, View
from tcpclose_model.engines.plain import ProductState, Transition
from tcpclose_model.large import LargeSpace
from tcpclose_model.run import Run, check_run
from tcpclose_model.space import Move

Array = np.ndarray[Any, np.dtype[Any]]

LOOKED_AT_MAX = 200_000
"""States that the plain engine looks at before it gives up, which takes some seconds."""

GIVEN_UP = (
    f"whether a run gets there without that step was not found out among {LOOKED_AT_MAX:,} states, "
    "and the graph is not kept"
)


def pairs_on_the_way(space: LargeSpace, barred: Array, marked: Array) -> Array:
    """Return the pairs of TCBs that lie between the initial pair and a marked one.

    barred: by code and peer, the steps that may not be taken; marked: by A's and B's number.
    """
    start = np.zeros_like(marked)
    start[0, 0] = True
    edges = list(_edges(space, barred, marked.shape))
    ahead = _closed(start, edges)
    back = [(actor, after, before, beside) for actor, before, after, beside in edges]
    return ahead & _closed(marked & ahead, back)


_Edge = tuple[int, int, int, Array]
"""A step between pairs: who makes it, its TCB before and after, and beside which peers."""


def _edges(space: LargeSpace, barred: Array, shape: tuple[int, ...]) -> Iterator[_Edge]:
    taken = (space.counts.made > 0) & ~barred
    for code, move in zip(space.codes, space.moves, strict=True):
        if code >= 0 and move.before != move.after:
            actor = code & 1
            offset = space.offset if actor else 0
            beside = taken[code, : shape[1 - actor]]
            yield actor, move.before - offset, move.after - offset, beside


def _closed(reached: Array, edges: list[_Edge]) -> Array:
    """Return the pairs that edges lead to from these, and these."""
    reached = reached.copy()
    known = -1
    while known != (known := int(reached.sum())):
        for actor, before, after, beside in edges:
            if actor:
                reached[:, after] |= reached[:, before] & beside
            else:
                reached[after] |= reached[before] & beside
    return reached


def way_past(space: LargeSpace, prop: Property, end: int, between: Array) -> Run | None:
    """Return the shortest run to a marked state without the step, or None if there is none.

    between: the pairs of TCBs that it can lead through.  Raises LookupError if LOOKED_AT_MAX
    states do not tell.
    """
    assert prop.step is not None
    assert prop.state is not None
    engine = space.tables.engine
    numbers = [{tcb: n for n, tcb in enumerate(known)} for known in space.tables.tcbs]
    reached: dict[ProductState, Transition | None] = {engine.initial: None}
    source: dict[ProductState, ProductState] = {}
    for state in (queue := [engine.initial]):
        if prop.state(_view(state, end)):
            return _unwound(space, state, reached, source)
        for step in engine.successors(state):
            target = step.target
            a, b = numbers[0].get(target.a), numbers[1].get(target.b)
            if target in reached or a is None or b is None or not between[a, b]:
                continue
            seen = StepView(Move.of(step, -1, -1), end)
            if prop.step(_view(state, end), seen, _view(target, end)):
                continue
            reached[target], source[target] = step, state
            queue.append(target)
        if len(queue) > LOOKED_AT_MAX:
            raise LookupError(GIVEN_UP)
    return None


def _unwound(
    space: LargeSpace,
    state: ProductState,
    reached: dict[ProductState, Transition | None],
    source: dict[ProductState, ProductState],
) -> Run:
    states, steps = [state], []
    while (step := reached[states[-1]]) is not None:
        steps.append(step)
        states.append(source[states[-1]])
    run = Run(space.model, tuple(reversed(states)), tuple(reversed(steps)))
    check_run(run)
    return run


def _view(state: ProductState, end: int) -> View:
    return View(state.a, state.b, (state.a_to_b, state.b_to_a), end)
