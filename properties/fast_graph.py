"""The questions of `properties.graph`, put to a graph of the fast engine: kernels answer them.

Only `properties.graph` and `properties.fair_cycles` use this, and only on a `FastSpace`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from properties.answers import RAISES, WholeError, state_answers, step_answers
from properties.graph import Marks, view
from properties.views import ChannelsNeededError, StatePredicate, StepPredicate, StepView
from tcpclose_model.engines.fast import graphs
from tcpclose_model.space import Path, StateSpace

Array = np.ndarray[Any, np.dtype[Any]]
NOTHING = np.empty(0, np.uint8)


def bytes_of(marks: Marks | None) -> Array:
    """Return a set as an array, sharing its memory; an empty array for None."""
    return NOTHING if marks is None else np.frombuffer(marks, np.uint8)


def arrays(space: StateSpace) -> tuple[Array, Array]:
    """Return `first_step` and `target` as what they are on a FastSpace: arrays."""
    return cast(Array, space.first_step), cast(Array, space.target)


def states_with(space: StateSpace, predicate: StatePredicate, end: int) -> Marks:
    """Return the states in which a predicate holds."""
    try:
        answers = state_answers(predicate, space.tcbs, space.tcbs, end)
    except (WholeError, ChannelsNeededError):
        return bytearray(bool(predicate(view(space, n, end))) for n in range(len(space)))
    a, b = cast(Array, space.a), cast(Array, space.b)
    marks = bytearray(answers.table[0][answers.of_a[a], answers.of_b[b]].tobytes())
    if RAISES in marks:
        for number in np.flatnonzero(bytes_of(marks) == RAISES).tolist():
            marks[number] = bool(predicate(view(space, number, end)))
    return marks


def steps_with(space: StateSpace, predicate: StepPredicate, end: int) -> Marks:
    """Return the steps for which a predicate holds."""
    try:
        answers = step_answers(predicate, space.moves, space.tcbs, space.tcbs, space.tcbs, end)
    except (WholeError, ChannelsNeededError):
        return _asked_one_by_one(space, predicate, end)
    marks = bytearray(space.transitions)
    if answers.table.any():
        graphs.classified(
            space.first_step, space.move, space.a, space.b,
            answers.of_move, answers.of_a, answers.of_b, answers.table, bytes_of(marks),
        )  # fmt: skip
    if RAISES in marks:
        for step in np.flatnonzero(bytes_of(marks) == RAISES).tolist():
            marks[step] = _asked(space, predicate, end, space.source(step), step)
    return marks


def _asked(space: StateSpace, predicate: StepPredicate, end: int, source: int, step: int) -> bool:
    move = StepView(space.moves[space.move[step]], end)
    before, after = view(space, source, end), view(space, int(space.target[step]), end)
    return bool(predicate(before, move, after))


def _asked_one_by_one(space: StateSpace, predicate: StepPredicate, end: int) -> Marks:
    return bytearray(
        _asked(space, predicate, end, number, step)
        for number in range(space.expanded)
        for step in space.steps(number)
    )


def backwards(space: StateSpace, goals: Marks, allowed: Marks | None) -> Marks:
    """Return the states from which allowed steps lead to one of `goals`."""
    reached = bytearray(goals)
    graphs.reach_back(*arrays(space), bytes_of(allowed), bytes_of(reached))
    return reached


def forwards(space: StateSpace, allowed: Marks) -> Marks:
    """Return the states that the initial state reaches by allowed steps."""
    reached = bytearray(len(space))
    reached[0] = 1
    graphs.reach_forward(*arrays(space), bytes_of(allowed), bytes_of(reached))
    return reached


def unmoving(space: StateSpace) -> Marks:
    """Return the expanded states that no step leaves."""
    marks = graphs.unmoving(*arrays(space))
    return bytearray(marks.tobytes()) + bytearray(len(space) - len(marks))


def at_sources(space: StateSpace, marks: Marks) -> Marks:
    """Return the steps that start from one of these states."""
    steps = bytearray(space.transitions)
    graphs.at_sources(space.first_step, bytes_of(marks), bytes_of(steps))
    return steps


def starts_of(space: StateSpace, steps: Marks) -> list[int]:
    """Return the states that these steps start from, in order."""
    made = np.flatnonzero(bytes_of(steps))
    found = np.searchsorted(arrays(space)[0], made, side="right") - 1
    return cast("list[int]", np.unique(found).tolist())


def has_cycle(space: StateSpace, steps: Marks) -> bool:
    """Return whether some of these steps make a cycle."""
    return bool(graphs.has_cycle(*arrays(space), bytes_of(steps)))


def component_numbers(
    space: StateSpace, region: Array, allowed: Marks | None, of: Sequence[int] | None
) -> tuple[Array, int]:
    """Return the strongly connected component of each state of a region, -1 elsewhere; how many."""
    inside = np.zeros(len(space), np.uint8)
    inside[region] = 1
    component = np.full(len(space), -1, np.int32)
    through = np.empty(0, np.int32) if of is None else cast(Array, of)
    first_step, target = arrays(space)
    count = graphs.tarjan(first_step, target, through, bytes_of(allowed), region, inside, component)
    return component, int(count)


def components(
    space: StateSpace, region: Iterable[int], allowed: Marks | None, of: Sequence[int] | None
) -> list[list[int]]:
    """Return the strongly connected components, in the order of `properties.graph.components`."""
    roots = np.fromiter(region, np.int32)
    component, count = component_numbers(space, roots, allowed, of)
    members = np.flatnonzero(component >= 0)
    by_component = members[np.argsort(component[members], kind="stable")]
    sizes = np.bincount(component[members], minlength=count)
    parts = np.split(by_component, np.cumsum(sizes)[:-1]) if count else []
    return [part.tolist() for part in parts]


def nearest(space: StateSpace, wanted: Marks, allowed: Marks | None) -> Path | None:
    """Return a shortest path of allowed steps from the initial state to a wanted one."""
    parent_step, parent = np.empty(len(space), np.int64), np.empty(len(space), np.int32)
    first_step, target = arrays(space)
    found = graphs.nearest(
        first_step, target, bytes_of(allowed), bytes_of(wanted), parent_step, parent
    )
    return None if found < 0 else _unwound(parent, parent_step, int(found), 0, 0)


def nearest_owing(
    space: StateSpace, pending: Marks, then: Marks, trap: Marks
) -> tuple[Path, int] | None:
    """Return a shortest path to a state of a trap where an obligation is pending, and the state."""
    nodes = 2 * len(space)
    parent_step, parent = np.empty(nodes, np.int64), np.empty(nodes, np.int32)
    first_step, target = arrays(space)
    found = graphs.nearest_owing(
        first_step, target, bytes_of(pending), bytes_of(then), bytes_of(trap), parent_step, parent
    )
    if found < 0:
        return None
    return _unwound(parent, parent_step, int(found), int(pending[0]), 1), int(found) >> 1


def _unwound(parent: Array, parent_step: Array, node: int, start: int, shift: int) -> Path:
    """Return the path that parents tell; a node is a state number shifted left by `shift`."""
    path: Path = []
    while node != start:
        step, node = int(parent_step[node]), int(parent[node])
        path.append((node >> shift, step))
    return path[::-1]
