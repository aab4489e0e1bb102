"""Judging: what an explored graph says about a property.

Never a wrong "holds": where exploration stopped early, or where a bound withheld steps that the
answer hangs on, the answer is `unknown` with its cause.  Never a wrong "violated": every run that
is returned has been re-executed by the plain engine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from itertools import compress
from operator import and_
from typing import cast

from properties.fair_cycles import Component, Fairness, fair_components, fair_loop, in_words
from properties.graph import (
    Marks,
    backwards,
    complement,
    components,
    forwards,
    has_cycle,
    numbers,
    sources,
    states_with,
    steps_with,
)
from properties.kinds import Kind, Property
from properties.verdict import Answer, Verdict
from properties.views import FROM_A, FROM_B, FROM_EITHER, AbsoluteNameError, View
from properties.words import standing, waiting
from tcpclose_model.run import Run, executed
from tcpclose_model.space import Path, StateSpace

Ends = tuple[int, ...]
"""The ends that a property is asked from."""


def judge(space: StateSpace, prop: Property) -> Verdict:
    """Return the verdict on one property of one explored model.

    Swapping the ends of a symmetric model maps its graph onto itself: what is found from A is
    what would be found from B, at the same depth, and of equals A's is reported.  So such a
    model is asked from one end, unless a predicate names A or B.
    """
    if prop.each_end and _is_symmetric(space):
        try:
            return _judged(space, prop, (FROM_EITHER,))
        except AbsoluteNameError:
            pass
    return _judged(space, prop, (FROM_A, FROM_B) if prop.each_end else (FROM_A,))


def _judged(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    verdict = _JUDGES[prop.kind](space, prop, ends)
    occurred = verdict.occurred * (2 if FROM_EITHER in ends else 1)
    verdict = replace(verdict, occurred=occurred)
    return replace(verdict, states=len(space), depth=space.depth, complete=space.complete)


def _is_symmetric(space: StateSpace) -> bool:
    if "symmetric" not in space.cache:
        model = space.model
        user = model.application
        space.cache["symmetric"] = (
            space.complete
            and model.a == model.b
            and user.closes_of(0) == user.closes_of(1)
            and user.data_units[0] == user.data_units[1]
            and user.aborts[0] == user.aborts[1]
        )
    return bool(space.cache["symmetric"])


def _unfinished(space: StateSpace) -> str:
    return f"exploration is not complete: {space.stopped}" if space.stopped else ""


def _bounded(space: StateSpace) -> str:
    limit = space.model.bounds.retransmissions_max
    return f"runs are cut off after {limit} retransmissions (bounds.retransmissions_max)"


def _found(prop: Property, occurred: int, run: Run, end: int, detail: str) -> Verdict:
    last = run.last
    if prop.says is not None:
        detail = prop.says(View(last.a, last.b, (last.a_to_b, last.b_to_a), end % 2))
    return Verdict(prop, Answer.VIOLATED, detail, occurred, run)


def _nothing_wrong(
    space: StateSpace, prop: Property, occurred: int, never: str, fairness: tuple[str, ...] = ()
) -> Verdict:
    """Return the verdict where nothing wrong was found: unknown, vacuous or holds."""
    if space.stopped:
        return Verdict(prop, Answer.UNKNOWN, _unfinished(space), occurred, None, fairness)
    if not occurred:
        return Verdict(prop, Answer.VACUOUS, never, 0, None, fairness)
    detail = _bounded(space) if space.cut else ""
    return Verdict(prop, Answer.HOLDS, detail, occurred, None, fairness)


def _always(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    occurred, wrong = 0, []
    for end in ends:
        when = states_with(space, prop.when, end)
        holds = states_with(space, prop.state, end)
        occurred += sum(when)
        number = space.first(n for n in numbers(when) if not holds[n])
        if number is not None:
            wrong.append((space.level_of(number), end, number))
    if wrong:
        _, end, number = min(wrong)
        run = executed(space, space.path_to(number))
        return _found(prop, occurred, run, end, standing(run.last))
    return _nothing_wrong(space, prop, occurred, "the guarded state never occurs")


def _never_a_step(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred, wrong = 0, []
    came_from = sources(space)
    for end in ends:
        bad = steps_with(space, prop.step, end)
        asked = states_with(space, prop.when, end)
        if prop.among is not None:
            kind = steps_with(space, prop.among, end)
            if prop.when is not None:
                kind = bytearray(map(and_, kind, map(asked.__getitem__, came_from)))
            asked, bad = kind, bytearray(map(and_, bad, kind))
        elif prop.when is not None and 1 in bad:
            bad = bytearray(map(and_, bad, map(asked.__getitem__, came_from)))
        steps = numbers(bad) if 1 in bad else []
        occurred += sum(asked)
        if steps:
            wrong.append((_first_step(space, steps), end))
    if wrong:
        (_, _, step), end = min(wrong, key=lambda one: (one[0][:2], one[1]))
        run = executed(space, [*space.path_to(came_from[step]), (came_from[step], step)])
        return _found(prop, occurred, run, end, standing(run.last))
    never = "no such step ever occurs" if prop.among else "the guarded state never occurs"
    return _nothing_wrong(space, prop, occurred, never)


def _first_step(space: StateSpace, steps: list[int]) -> tuple[int, object, int]:
    """Return (depth, state, step) of the shallowest of the steps, the canonically least of them."""
    depth = space.level_of(space.source(steps[0]))
    below = space.levels[depth + 1] if depth < space.depth else space.expanded
    level = steps[: bisect_left(steps, space.first_step[min(below, space.expanded)])]
    return min((depth, space.state(space.source(s)), s) for s in level)


def _never_stuck(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    done = states_with(space, prop.state, 0)
    still = [n for n in _unmoving(space) if not done[n]]
    occurred = len(space) - sum(done)
    number = space.first(n for n in still if n not in space.cut)
    if number is not None:
        run = executed(space, space.path_to(number))
        return _found(prop, occurred, run, 0, f"{standing(run.last)}; {waiting(run)}")
    if still and not space.stopped:
        return Verdict(prop, Answer.UNKNOWN, _bounded(space), occurred)
    return _nothing_wrong(space, prop, occurred, "every state is final")


def _unmoving(space: StateSpace) -> list[int]:
    """Return the expanded states that no step leaves."""
    found = []
    target, first_step = space.target, space.first_step
    for number in range(space.expanded):
        for step in range(first_step[number], first_step[number + 1]):
            if target[step] != number:
                break
        else:
            found.append(number)
    return found


def _sometimes(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    found, occurred = [], 0
    for end in ends:
        marks = states_with(space, prop.state, end)
        occurred += sum(marks)
        number = space.first(numbers(marks))
        if number is not None:
            found.append((space.level_of(number), end, number))
    if found:
        run = executed(space, space.path_to(min(found)[2]))
        return Verdict(prop, Answer.HOLDS, standing(run.last), occurred, run)
    if space.stopped or space.cut:
        return Verdict(prop, Answer.UNKNOWN, _unfinished(space) or _bounded(space), 0)
    return Verdict(prop, Answer.VIOLATED, "no run reaches such a state", 0)


def _leads_to(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    occurred = 0
    fairness = in_words(space)
    open_end = ""
    for end in ends:
        when = states_with(space, prop.when, end)
        then = states_with(space, prop.state, end)
        pending = bytearray(map(and_, when, complement(then)))
        occurred += sum(when)
        outside = set(space.cut) | set(range(space.expanded, len(space)))
        region = [n for n in range(len(space)) if not then[n] and n not in outside]
        fair = _fairness(space)
        traps = fair_components(fair, region)
        run = _lasso(space, fair, pending, then, traps)
        if run is not None:
            verdict = _found(prop, occurred, run, end, _endless(run))
            return replace(verdict, fairness=fairness)
        if space.cut and not space.stopped:
            region = [n for n in range(len(space)) if not then[n]]
            cut_traps = fair_components(fair, region)
            if _lasso(space, fair, pending, then, cut_traps) is not None:
                open_end = _bounded(space)
    if open_end:
        return Verdict(prop, Answer.UNKNOWN, open_end, occurred, None, fairness)
    return _nothing_wrong(space, prop, occurred, "the antecedent never occurs", fairness)


def _fairness(space: StateSpace) -> Fairness:
    if "fairness" not in space.cache:
        space.cache["fairness"] = Fairness(space)
    return cast(Fairness, space.cache["fairness"])


def _lasso(
    space: StateSpace, fair: Fairness, pending: Marks, then: Marks, traps: list[Component]
) -> Run | None:
    """Return a short fair run that never fulfils a pending obligation, or None."""
    trap_of = {n: trap for trap in traps for n in trap.states}
    if not trap_of:
        return None
    # A node is (state, 1 if an obligation is pending there); take the shortest way to a trap.
    start = (0, int(pending[0]))
    parent: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {start: None}
    queue = [start]
    for node in queue:
        number, owes = node
        if owes and number in trap_of:
            path: Path = []
            while (step := parent[node]) is not None:
                node = step[0]
                path.append((node[0], step[1]))
            loop = fair_loop(fair, trap_of[number], number)
            return executed(space, path[::-1], loop)
        for taken in space.steps(number):
            target = space.target[taken]
            reached = (target, int(pending[target] or (owes and not then[target])))
            if reached not in parent:
                parent[reached] = (node, taken)
                queue.append(reached)
    return None


def _endless(run: Run) -> str:
    assert run.loop is not None
    if run.loop == len(run.steps):
        return f"{standing(run.last)}, for ever: {waiting(run)}"
    count = len(run.steps) - run.loop
    return f"{standing(run.last)}, and {count} steps repeat for ever without getting anywhere"


def _can_always(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    """Judge both kinds of possibility: where no step is named, all may be taken."""
    occurred, wrong, hangs = 0, [], False
    for end in ends:
        allowed = None
        inside = bytearray(b"\1") * len(space)
        if prop.step is not None:
            allowed = complement(steps_with(space, prop.step, end))
            inside = forwards(space, allowed)
        when = states_with(space, prop.when, end)
        goals = states_with(space, prop.state, end)
        reaches = reaches_any = backwards(space, goals, allowed)
        if space.cut or space.stopped:
            open_ends = bytearray(goals)
            for number in (*space.cut, *range(space.expanded, len(space))):
                open_ends[number] = 1
            reaches_any = backwards(space, open_ends, allowed)
        asked = [n for n in numbers(when) if inside[n]]
        occurred += len(asked)
        stuck = [n for n in asked if not reaches_any[n]]
        hangs = hangs or any(not reaches[n] for n in asked)
        if stuck:
            wrong.append((_way(space, stuck, allowed), end, len(stuck)))
    if wrong:
        path, end, count = min(wrong, key=lambda one: (len(one[0]), one[1]))
        run = executed(space, path)
        detail = f"{standing(run.last)}: no way on from here (nor from {count - 1:,} other states)"
        return _found(prop, occurred, run, end, detail)
    if hangs and not space.stopped:
        return Verdict(prop, Answer.UNKNOWN, _bounded(space), occurred)
    return _nothing_wrong(space, prop, occurred, "the antecedent never occurs")


def _way(space: StateSpace, wanted: list[int], allowed: Marks | None) -> Path:
    if allowed is None:
        number = space.first(wanted)
        assert number is not None
        return space.path_to(number)
    found = space.path_within([0], set(wanted).__contains__, lambda step: bool(allowed[step]))
    assert found is not None, "only states that allowed steps reach are asked"
    return found[0]


def _no_cycle_of(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred = 0
    for end in ends:
        bad = steps_with(space, prop.step, end)
        occurred += sum(bad)
        if not has_cycle(space, bad):
            continue
        starts = sorted(set(compress(sources(space), bad)))
        for members in components(space, starts, bad):
            inside = set(members)
            cyclic = [
                (n, s)
                for n in members
                for s in space.steps(n)
                if bad[s] and space.target[s] in inside
            ]
            if cyclic:
                run = _cycle(space, inside, bad)
                detail = f"{standing(run.last)}; the loop can go on for ever"
                return _found(prop, occurred, run, end, detail)
    return _nothing_wrong(space, prop, occurred, "no such step ever occurs")


def _cycle(space: StateSpace, inside: set[int], bad: Marks) -> Run:
    """Return a run to the component and once round a shortest cycle of bad steps there."""
    number = space.first(inside)
    assert number is not None
    best: Path | None = None
    for step in space.steps(number):
        if bad[step] and space.target[step] in inside:
            back = space.path_within([space.target[step]], number.__eq__, lambda s: bool(bad[s]))
            if back is not None and (best is None or len(back[0]) + 1 < len(best)):
                best = [(number, step), *back[0]]
    assert best is not None, "the component is strongly connected"
    return executed(space, space.path_to(number), best)


def _only_after(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred, wrong = 0, []
    for end in ends:
        marks = states_with(space, prop.state, end)
        occurred += sum(marks)
        first = complement(steps_with(space, prop.step, end))
        early = forwards(space, first)
        bad = [n for n in numbers(marks) if early[n]]
        if bad:
            wrong.append((_way(space, bad, first), end))
    if wrong:
        path, end = min(wrong, key=lambda one: (len(one[0]), one[1]))
        run = executed(space, path)
        return _found(prop, occurred, run, end, standing(run.last))
    return _nothing_wrong(space, prop, occurred, "the guarded state never occurs")


_JUDGES: dict[Kind, Callable[[StateSpace, Property, Ends], Verdict]] = {
    Kind.ALWAYS: _always,
    Kind.NEVER_A_STEP: _never_a_step,
    Kind.NEVER_STUCK: _never_stuck,
    Kind.SOMETIMES: _sometimes,
    Kind.LEADS_TO: _leads_to,
    Kind.CAN_ALWAYS: _can_always,
    Kind.CAN_ALWAYS_AVOIDING: _can_always,
    Kind.NO_CYCLE_OF: _no_cycle_of,
    Kind.ONLY_AFTER: _only_after,
}
