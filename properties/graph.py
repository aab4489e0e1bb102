"""Sets of states and steps of an explored graph: where a predicate holds, what can be reached.

A set of states is a bytearray with one byte a state, 0 or 1, a set of steps one with a byte a
step.  What is written here in plain Python is the meaning; on a graph of the fast engine the same
questions are answered by kernels (`fast_graph`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from types import ModuleType
from typing import cast

from properties.views import ChannelsNeededError, StatePredicate, StepPredicate, StepView, View
from tcpclose_model.protocol.vocabulary import TCB
from tcpclose_model.space import Path, StateSpace

Marks = bytearray


@dataclass(frozen=True, slots=True)
class _Classes:
    """States that have the same two TCBs, and steps that make the same move between such.

    A predicate that does not look at the channels is asked once for each.
    """

    pair_of: list[int]
    pairs: list[tuple[TCB, TCB]]
    class_of: list[int]
    steps: list[tuple[int, int, int]]
    """Of each class of steps: its pair before, its move, its pair after."""


def states_with(space: StateSpace, predicate: StatePredicate | None, end: int) -> Marks:
    """Return the states in which `predicate` holds, seen from `end` (0 is A); None holds always."""
    if predicate is None:
        return bytearray(b"\1") * len(space)
    key = ("states", predicate, end)
    if key not in space.cache and space.is_fast:
        space.cache[key] = _fast().states_with(space, predicate, end)
    if key not in space.cache:
        try:
            classes = _classes(space)
            answers = bytearray(bool(predicate(seen)) for seen in _pair_views(space, end))
            space.cache[key] = bytearray(map(answers.__getitem__, classes.pair_of))
        except ChannelsNeededError:
            space.cache[key] = bytearray(
                bool(predicate(view(space, n, end))) for n in range(len(space))
            )
    return cast(Marks, space.cache[key])


def view(space: StateSpace, number: int, end: int = 0) -> View:
    """Return a state as a predicate sees it."""
    state = space.state(number)
    return View(state.a, state.b, (state.a_to_b, state.b_to_a), end)


def steps_with(space: StateSpace, predicate: StepPredicate, end: int) -> Marks:
    """Return the steps for which `predicate(before, step, after)` holds, seen from `end`."""
    key = ("steps", predicate, end)
    if key not in space.cache and space.is_fast:
        space.cache[key] = _fast().steps_with(space, predicate, end)
    if key not in space.cache:
        moves = [StepView(move, end) for move in space.moves]
        try:
            seen = _pair_views(space, end)
            classes = _classes(space)
            answers = bytearray(
                bool(predicate(seen[before], moves[move], seen[after]))
                for before, move, after in classes.steps
            )
            if 1 in answers:
                space.cache[key] = bytearray(map(answers.__getitem__, classes.class_of))
            else:
                space.cache[key] = bytearray(len(classes.class_of))
        except ChannelsNeededError:
            space.cache[key] = bytearray(
                bool(
                    predicate(
                        view(space, source, end),
                        moves[space.move[step]],
                        view(space, space.target[step], end),
                    )
                )
                for source in range(space.expanded)
                for step in space.steps(source)
            )
    return cast(Marks, space.cache[key])


def _pair_views(space: StateSpace, end: int) -> list[View]:
    key = ("views", end)
    if key not in space.cache:
        space.cache[key] = [View(a, b, None, end) for a, b in _classes(space).pairs]
    return cast("list[View]", space.cache[key])


def _classes(space: StateSpace) -> _Classes:
    if "classes" not in space.cache:
        numbered: dict[tuple[int, int], int] = {}
        pair_of = [
            numbered.setdefault(ab, len(numbered)) for ab in zip(space.a, space.b, strict=True)
        ]
        pairs = [(space.tcbs[a], space.tcbs[b]) for a, b in numbered]
        known: dict[int, int] = {}
        class_of: list[int] = []
        count = len(space.moves)
        for pair, first, last in zip(
            pair_of, space.first_step, islice(space.first_step, 1, None), strict=False
        ):
            base = pair * count
            class_of += [known.setdefault(base + m, len(known)) for m in space.move[first:last]]
        steps = []
        ends = list(numbered)
        for key in known:
            pair, number = divmod(key, count)
            move = space.moves[number]
            after = pair
            if move.after >= 0:
                a, b = ends[pair]
                if move.b_after >= 0:  # a tick passes for both ends
                    b = move.b_after
                after = numbered[(a, move.after) if move.action.actor == 1 else (move.after, b)]
            steps.append((pair, number, after))
        space.cache["classes"] = _Classes(pair_of, pairs, class_of, steps)
    return cast(_Classes, space.cache["classes"])


def complement(marks: Marks) -> Marks:
    """Return what is not in a set."""
    return marks.translate(b"\1" + bytes(255))


def both(one: Marks, other: Marks) -> Marks:
    """Return what is in both sets."""
    # As one long number each, Python compares them a word at a time.
    common = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return bytearray(common.to_bytes(len(one), "little"))


def without(one: Marks, other: Marks) -> Marks:
    """Return what is in the one set and not in the other."""
    return both(one, complement(other))


def marked(size: int, members: Iterable[int]) -> Marks:
    """Return a set of so many states, or steps, given its members."""
    marks = bytearray(size)
    for number in members:
        marks[number] = 1
    return marks


def numbers(marks: Marks) -> list[int]:
    """Return the members of a set, in order."""
    if marks.count(1) > len(marks) // 64:
        return list(compress(range(len(marks)), marks))
    found, number = [], marks.find(1)
    while number >= 0:
        found.append(number)
        number = marks.find(1, number + 1)
    return found


def _fast() -> ModuleType:
    """Return the module that does the same with kernels; it loads numba."""
    from properties import fast_graph

    return fast_graph


def backwards(space: StateSpace, goals: Marks, allowed: Marks | None = None) -> Marks:
    """Return the states from which some path of allowed steps leads to one of `goals`.

    States are looked at again and again, deepest first, until nothing changes: breadth-first
    order makes that few rounds.
    """
    key = ("backwards", bytes(goals), None if allowed is None else bytes(allowed))
    if key not in space.cache and space.is_fast:
        space.cache[key] = _fast().backwards(space, goals, allowed)
    if key in space.cache:
        return cast(Marks, space.cache[key])
    reached = bytearray(goals)
    target, first_step = space.target, space.first_step
    open_states = [n for n in range(space.expanded - 1, -1, -1) if not reached[n]]
    changed = True
    while changed:
        still_open = []
        for number in open_states:
            for step in range(first_step[number], first_step[number + 1]):
                if reached[target[step]] and (allowed is None or allowed[step]):
                    reached[number] = 1
                    break
            else:
                still_open.append(number)
        changed = len(still_open) < len(open_states)
        open_states = still_open
    space.cache[key] = reached
    return reached


def forwards(space: StateSpace, allowed: Marks) -> Marks:
    """Return the states that the initial state reaches by allowed steps."""
    if space.is_fast:
        return cast(Marks, _fast().forwards(space, allowed))
    reached = bytearray(len(space))
    reached[0] = 1
    todo = [0]
    target, first_step, expanded = space.target, space.first_step, space.expanded
    while todo:
        number = todo.pop()
        if number < expanded:
            for step in range(first_step[number], first_step[number + 1]):
                if allowed[step] and not reached[target[step]]:
                    reached[target[step]] = 1
                    todo.append(target[step])
    return reached


def at_sources(space: StateSpace, marks: Marks) -> Marks:
    """Return the steps that start from one of these states."""
    if space.is_fast:
        return cast(Marks, _fast().at_sources(space, marks))
    return bytearray(map(marks.__getitem__, sources(space)))


def sources(space: StateSpace) -> list[int]:
    """Return the state that each step starts from."""
    if "sources" not in space.cache:
        found: list[int] = []
        for number in range(space.expanded):
            found.extend([number] * len(space.steps(number)))
        space.cache["sources"] = found
    return cast("list[int]", space.cache["sources"])


def starts_of(space: StateSpace, steps: Marks) -> list[int]:
    """Return the states that these steps start from, in order."""
    if space.is_fast:
        return cast("list[int]", _fast().starts_of(space, steps))
    return sorted(set(compress(sources(space), steps)))


def first(space: StateSpace, marks: Marks) -> int | None:
    """Return the canonically least of the shallowest states of a set."""
    shallowest = marks.find(1)
    if shallowest < 0:
        return None
    depth = space.level_of(shallowest)
    below = space.levels[depth + 1] if depth < space.depth else len(space)
    return space.first(numbers(marks[:below]))


def unmoving(space: StateSpace) -> Marks:
    """Return the expanded states that no step leaves."""
    if space.is_fast:
        return cast(Marks, _fast().unmoving(space))
    found = bytearray(len(space))
    target, first_step = space.target, space.first_step
    for number in range(space.expanded):
        for step in range(first_step[number], first_step[number + 1]):
            if target[step] != number:
                break
        else:
            found[number] = 1
    return found


def has_cycle(space: StateSpace, steps: Marks) -> bool:
    """Return whether some of these steps make a cycle (Kahn 1962)."""
    if space.is_fast:
        return cast(bool, _fast().has_cycle(space, steps))
    target = space.target
    following: dict[int, list[int]] = {}
    entering: dict[int, int] = {}
    for source, step in zip(compress(sources(space), steps), numbers(steps), strict=True):
        following.setdefault(source, []).append(target[step])
        entering[target[step]] = entering.get(target[step], 0) + 1
    todo = [number for number in following if number not in entering]
    while todo:
        for reached in following.pop(todo.pop(), ()):
            entering[reached] -= 1
            if not entering[reached]:
                todo.append(reached)
    return bool(following)


def components(
    space: StateSpace,
    region: Iterable[int],
    allowed: Marks | None,
    of: Sequence[int] | None = None,
) -> list[list[int]]:
    """Return the strongly connected components of the region under allowed steps (Tarjan 1972).

    Step s is allowed if `allowed[s]` is set, or `allowed[of[s]]` where `of` is given; None allows
    all.  Every expanded state of the region is in one component; one of a single state may or may
    not loop.
    """
    if space.is_fast:
        return cast("list[list[int]]", _fast().components(space, region, allowed, of))
    inside = cast(Marks, space.cache.setdefault("inside", bytearray(len(space))))
    region = [number for number in region if number < space.expanded]
    for number in region:
        inside[number] = 1
    of = range(len(space.move)) if of is None else of
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    found: list[list[int]] = []
    target, first_step = space.target, space.first_step
    for root in region:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        work = [(root, iter(range(first_step[root], first_step[root + 1])))]
        while work:
            number, steps = work[-1]
            for step in steps:
                reached = target[step]
                if not inside[reached] or (allowed is not None and not allowed[of[step]]):
                    continue
                if reached not in index:
                    index[reached] = low[reached] = len(index)
                    stack.append(reached)
                    steps = iter(range(first_step[reached], first_step[reached + 1]))
                    work.append((reached, steps))
                    break
                if index[reached] < low[number]:
                    low[number] = index[reached]
            else:
                work.pop()
                if work and low[number] < low[work[-1][0]]:
                    low[work[-1][0]] = low[number]
                if low[number] == index[number]:
                    component: list[int] = []
                    while not component or component[-1] != number:
                        component.append(stack.pop())
                        inside[component[-1]] = 0
                    found.append(sorted(component))
    return found


def nearest(space: StateSpace, wanted: Marks, allowed: Marks | None) -> Path | None:
    """Return a shortest path of allowed steps from the initial state to a wanted one, or None."""
    if space.is_fast:
        return cast("Path | None", _fast().nearest(space, wanted, allowed))
    found = space.path_within(
        [0], lambda n: bool(wanted[n]), lambda step: allowed is None or bool(allowed[step])
    )
    return None if found is None else found[0]


def nearest_owing(
    space: StateSpace, pending: Marks, then: Marks, trap: Marks
) -> tuple[Path, int] | None:
    """Return a shortest path to a state of `trap` where an obligation is pending, and the state.

    An obligation is pending from a state of `pending` on until one of `then`.
    """
    if space.is_fast:
        return cast("tuple[Path, int] | None", _fast().nearest_owing(space, pending, then, trap))
    # A node is (state, 1 if an obligation is pending there).
    start = (0, int(pending[0]))
    parent: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {start: None}
    queue = [start]
    for node in queue:
        number, owes = node
        if owes and trap[number]:
            path: Path = []
            while (step := parent[node]) is not None:
                node = step[0]
                path.append((node[0], step[1]))
            return path[::-1], number
        for taken in space.steps(number):
            target = space.target[taken]
            reached = (target, int(pending[target] or (owes and not then[target])))
            if reached not in parent:
                parent[reached] = (node, taken)
                queue.append(reached)
    return None
