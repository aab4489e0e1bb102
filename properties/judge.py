"""Judging: what an explored graph says about a property.

Never a wrong "holds": where exploration stopped early, or where a bound withheld steps that the
answer hangs on, the answer is `unknown` with its cause.  Never a wrong "violated": every run that
is returned has been re-executed by the plain engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from properties.fair_cycles import Component, Fairness, fair_components, fair_loop, in_words
from properties.graph import (
    Marks,
    at_sources,
    backwards,
    both,
    complement,
    components,
    first,
    forwards,
    has_cycle,
    marked,
    nearest,
    nearest_owing,
    numbers,
    starts_of,
    states_with,
    steps_with,
    unmoving,
    without,
)
from properties.kinds import Kind, Property
from properties.verdict import Answer, Verdict
from properties.views import FROM_A, FROM_B, FROM_EITHER, AbsoluteNameError, View
from properties.words import standing, waiting
from tcpclose_model.large import LargeSpace
from tcpclose_model.model import is_symmetric
from tcpclose_model.run import Run, executed
from tcpclose_model.space import Path, StateSpace

Ends = tuple[int, ...]
"""The ends that a property is asked from."""


def judge(space: StateSpace | LargeSpace, prop: Property) -> Verdict:
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


def _judged(space: StateSpace | LargeSpace, prop: Property, ends: Ends) -> Verdict:
    if isinstance(space, LargeSpace):
        from properties.large import judge_large

        verdict = judge_large(space, prop, ends)
    else:
        verdict = _JUDGES[prop.kind](space, prop, ends)
    occurred = verdict.occurred * (2 if FROM_EITHER in ends else 1)
    verdict = replace(verdict, occurred=occurred)
    return replace(verdict, states=len(space), depth=space.depth, complete=space.complete)


def _is_symmetric(space: StateSpace | LargeSpace) -> bool:
    if "symmetric" not in space.cache:
        space.cache["symmetric"] = space.complete and is_symmetric(space.model)
    return bool(space.cache["symmetric"])


def unfinished(space: StateSpace | LargeSpace) -> str:
    """Say why exploration ended early, if it did."""
    return f"exploration is not complete: {space.stopped}" if space.stopped else ""


def bounded(space: StateSpace | LargeSpace) -> str:
    """Say which bound cut runs off."""
    limit = space.model.bounds.retransmissions_max
    return f"runs are cut off after {limit} retransmissions (bounds.retransmissions_max)"


def found(prop: Property, occurred: int, run: Run, end: int, detail: str) -> Verdict:
    """Return the verdict where a run shows that a property is violated."""
    last = run.last
    if prop.says is not None:
        detail = prop.says(View(last.a, last.b, (last.a_to_b, last.b_to_a), end % 2))
    return Verdict(prop, Answer.VIOLATED, detail, occurred, run)


def nothing_wrong(
    space: StateSpace | LargeSpace,
    prop: Property,
    occurred: int,
    never: str,
    fairness: tuple[str, ...] = (),
) -> Verdict:
    """Return the verdict where nothing wrong was found: unknown, vacuous or holds."""
    if space.stopped:
        return Verdict(prop, Answer.UNKNOWN, unfinished(space), occurred, None, fairness)
    if not occurred:
        return Verdict(prop, Answer.VACUOUS, never, 0, None, fairness)
    detail = bounded(space) if space.cut else ""
    return Verdict(prop, Answer.HOLDS, detail, occurred, None, fairness)


def _always(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    occurred, wrong = 0, []
    for end in ends:
        when = states_with(space, prop.when, end)
        holds = states_with(space, prop.state, end)
        occurred += when.count(1)
        number = first(space, without(when, holds))
        if number is not None:
            wrong.append((space.level_of(number), end, number))
    if wrong:
        _, end, number = min(wrong)
        run = executed(space, space.path_to(number))
        return found(prop, occurred, run, end, standing(run.last))
    return nothing_wrong(space, prop, occurred, "the guarded state never occurs")


def _never_a_step(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred, wrong = 0, []
    for end in ends:
        bad = steps_with(space, prop.step, end)
        asked = states_with(space, prop.when, end)
        if prop.among is not None:
            kind = steps_with(space, prop.among, end)
            if prop.when is not None:
                kind = both(kind, at_sources(space, asked))
            asked, bad = kind, both(bad, kind)
        elif prop.when is not None and 1 in bad:
            bad = both(bad, at_sources(space, asked))
        occurred += asked.count(1)
        if 1 in bad:
            wrong.append((_first_step(space, bad), end))
    if wrong:
        (_, _, step), end = min(wrong, key=lambda one: (one[0][:2], one[1]))
        source = space.source(step)
        run = executed(space, [*space.path_to(source), (source, step)])
        return found(prop, occurred, run, end, standing(run.last))
    never = "no such step ever occurs" if prop.among else "the guarded state never occurs"
    return nothing_wrong(space, prop, occurred, never)


def _first_step(space: StateSpace, bad: Marks) -> tuple[int, object, int]:
    """Return (depth, state, step) of the shallowest of the steps, the canonically least of them."""
    depth = space.level_of(space.source(bad.find(1)))
    below = space.levels[depth + 1] if depth < space.depth else space.expanded
    level = numbers(bad[: space.first_step[min(below, space.expanded)]])
    return min((depth, space.state(space.source(s)), s) for s in level)


def _never_stuck(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    done = states_with(space, prop.state, 0)
    still = numbers(without(unmoving(space), done))
    occurred = len(space) - done.count(1)
    number = space.first(n for n in still if n not in space.cut)
    if number is not None:
        run = executed(space, space.path_to(number))
        return found(prop, occurred, run, 0, f"{standing(run.last)}; {waiting(run)}")
    if still and not space.stopped:
        return Verdict(prop, Answer.UNKNOWN, bounded(space), occurred)
    return nothing_wrong(space, prop, occurred, "every state is final")


def _sometimes(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    found, occurred = [], 0
    for end in ends:
        marks = states_with(space, prop.state, end)
        occurred += marks.count(1)
        number = first(space, marks)
        if number is not None:
            found.append((space.level_of(number), end, number))
    if found:
        run = executed(space, space.path_to(min(found)[2]))
        return Verdict(prop, Answer.HOLDS, standing(run.last), occurred, run)
    if space.stopped or space.cut:
        return Verdict(prop, Answer.UNKNOWN, unfinished(space) or bounded(space), 0)
    return Verdict(prop, Answer.VIOLATED, "no run reaches such a state", 0)


def _leads_to(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    occurred = 0
    fairness = in_words(space)
    open_end = ""
    for end in ends:
        when = states_with(space, prop.when, end)
        then = states_with(space, prop.state, end)
        pending = without(when, then)
        occurred += when.count(1)
        region = complement(then)
        for number in (*space.cut, *range(space.expanded, len(space))):
            region[number] = 0
        fair = _fairness(space)
        traps = fair_components(fair, numbers(region))
        run = _lasso(space, fair, pending, then, traps)
        if run is not None:
            verdict = found(prop, occurred, run, end, _endless(run))
            return replace(verdict, fairness=fairness)
        if space.cut and not space.stopped:
            cut_traps = fair_components(fair, numbers(complement(then)))
            if _lasso(space, fair, pending, then, cut_traps) is not None:
                open_end = bounded(space)
    if open_end:
        return Verdict(prop, Answer.UNKNOWN, open_end, occurred, None, fairness)
    return nothing_wrong(space, prop, occurred, "the antecedent never occurs", fairness)


def _fairness(space: StateSpace) -> Fairness:
    if "fairness" not in space.cache:
        space.cache["fairness"] = Fairness(space)
    return cast(Fairness, space.cache["fairness"])


def _lasso(
    space: StateSpace, fair: Fairness, pending: Marks, then: Marks, traps: list[Component]
) -> Run | None:
    """Return a short fair run that never fulfils a pending obligation, or None."""
    if not traps:
        return None
    trap = marked(len(space), (n for one in traps for n in one.states))
    found = nearest_owing(space, pending, then, trap)
    if found is None:
        return None
    path, number = found
    component = next(one for one in traps if number in one.states)
    return executed(space, path, fair_loop(fair, component, number))


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
        asked = both(when, inside)
        occurred += asked.count(1)
        stuck = without(asked, reaches_any)
        hangs = hangs or 1 in without(asked, reaches)
        if 1 in stuck:
            wrong.append((_way(space, stuck, allowed), end, stuck.count(1)))
    if wrong:
        path, end, count = min(wrong, key=lambda one: (len(one[0]), one[1]))
        run = executed(space, path)
        detail = f"{standing(run.last)}: no way on from here (nor from {count - 1:,} other states)"
        return found(prop, occurred, run, end, detail)
    if hangs and not space.stopped:
        return Verdict(prop, Answer.UNKNOWN, bounded(space), occurred)
    return nothing_wrong(space, prop, occurred, "the antecedent never occurs")


def _way(space: StateSpace, wanted: Marks, allowed: Marks | None) -> Path:
    if allowed is None:
        number = first(space, wanted)
        assert number is not None
        return space.path_to(number)
    found = nearest(space, wanted, allowed)
    assert found is not None, "only states that allowed steps reach are asked"
    return found


def _no_cycle_of(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred = 0
    for end in ends:
        bad = steps_with(space, prop.step, end)
        occurred += bad.count(1)
        if not has_cycle(space, bad):
            continue
        for members in components(space, starts_of(space, bad), bad):
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
                return found(prop, occurred, run, end, detail)
    return nothing_wrong(space, prop, occurred, "no such step ever occurs")


def _cycle(space: StateSpace, inside: set[int], bad: Marks) -> Run:
    """Return a run to the component and once round a shortest cycle of bad steps there."""
    number = space.first(inside)
    assert number is not None
    best: Path | None = None
    for step in space.steps(number):
        if bad[step] and space.target[step] in inside:
            back = space.path_within(
                [int(space.target[step])], number.__eq__, lambda s: bool(bad[s])
            )
            if back is not None and (best is None or len(back[0]) + 1 < len(best)):
                best = [(number, step), *back[0]]
    assert best is not None, "the component is strongly connected"
    return executed(space, space.path_to(number), best)


def _only_after(space: StateSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred, wrong = 0, []
    for end in ends:
        marks = states_with(space, prop.state, end)
        occurred += marks.count(1)
        before = complement(steps_with(space, prop.step, end))
        bad = both(marks, forwards(space, before))
        if 1 in bad:
            wrong.append((_way(space, bad, before), end))
    if wrong:
        path, end = min(wrong, key=lambda one: (len(one[0]), one[1]))
        run = executed(space, path)
        return found(prop, occurred, run, end, standing(run.last))
    return nothing_wrong(space, prop, occurred, "the guarded state never occurs")


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
