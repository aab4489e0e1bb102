"""Judging a model whose graph was not kept, from what was counted while it was searched.

Safety, deadlock, vacuity, what can occur at all and what occurs only after a step are judged; a
claim that needs the graph (liveness, possibility, cycles) is `unknown`.  Verdicts, counts and runs
are those of `judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from properties.answers import RAISES, Answers, WholeError, state_answers, step_answers
from properties.judge import bounded, found, nothing_wrong, unfinished
from properties.kinds import Kind, Property
from properties.large_past import pairs_on_the_way, way_past
from properties.verdict import Answer, Verdict
from properties.views import ChannelsNeededError, StatePredicate, StepPredicate, StepView, View
from properties.words import standing, waiting
from tcpclose_model.engines.fast.expanding import taking
from tcpclose_model.engines.fast.numbered import STEPS_KEPT_MAX
from tcpclose_model.engines.fast.packing import Packing
from tcpclose_model.engines.fast.retrace import Levels, through
from tcpclose_model.engines.plain import ProductState
from tcpclose_model.large import LargeSpace
from tcpclose_model.limits import Limits
from tcpclose_model.run import Run
from tcpclose_model.space import Move

Array = np.ndarray[Any, np.dtype[Any]]
Ends = tuple[int, ...]

NEEDS_GRAPH = (
    f"it needs the graph, which is not kept here (above {STEPS_KEPT_MAX:,} steps, or as asked)"
)
READS_TOO_MUCH = "its predicate reads the channels, or compares whole TCBs, of a graph not kept"


class _UnknownError(Exception):
    """What was counted does not tell."""


def judge_large(space: LargeSpace, prop: Property, ends: Ends) -> Verdict:
    """Return the verdict on one property, asked from these ends."""
    judge = _JUDGES.get(prop.kind)
    if judge is None:
        return Verdict(prop, Answer.UNKNOWN, NEEDS_GRAPH, 0)
    try:
        return judge(space, prop, ends)
    except (_UnknownError, ChannelsNeededError, WholeError) as error:
        return Verdict(prop, Answer.UNKNOWN, str(error) or READS_TOO_MUCH, 0)


def _always(space: LargeSpace, prop: Property, ends: Ends) -> Verdict:
    occurred, wrong = 0, []
    for end in ends:
        when = _pairs_with(space, prop.when, end)
        bad = when & ~_pairs_with(space, prop.state, end)
        occurred += _states(space, when)
        depth = _first(space, bad)
        if depth >= 0:
            wrong.append((depth, end, bad))
    if wrong:
        depth, end, bad = min(wrong, key=lambda one: one[:2])
        run = _run_to(space, depth, bad)
        return found(prop, occurred, run, end, standing(run.last))
    return nothing_wrong(space, prop, occurred, "the guarded state never occurs")


def _sometimes(space: LargeSpace, prop: Property, ends: Ends) -> Verdict:
    places, occurred = [], 0
    for end in ends:
        marks = _pairs_with(space, prop.state, end)
        occurred += _states(space, marks)
        depth = _first(space, marks)
        if depth >= 0:
            places.append((depth, end, marks))
    if places:
        depth, _, marks = min(places, key=lambda one: one[:2])
        run = _run_to(space, depth, marks)
        return Verdict(prop, Answer.HOLDS, standing(run.last), occurred, run)
    if space.stopped or space.cut:
        return Verdict(prop, Answer.UNKNOWN, unfinished(space) or bounded(space), 0)
    return Verdict(prop, Answer.VIOLATED, "no run reaches such a state", 0)


def _never_stuck(space: LargeSpace, prop: Property, ends: Ends) -> Verdict:
    done = _pairs_with(space, prop.state, 0)
    engine = space.tables.engine
    occurred = len(space) - _states(space, done)
    assert prop.state is not None
    still = [(d, state) for d, state in space.stuck if not prop.state(_view(state, 0))]
    stuck = [(depth, state) for depth, state in still if not engine.is_cut(state)]
    if stuck:
        depth, state = min(stuck)
        run = _run_through(space, depth, state)
        return found(prop, occurred, run, 0, f"{standing(run.last)}; {waiting(run)}")
    if still and not space.stopped:
        return Verdict(prop, Answer.UNKNOWN, bounded(space), occurred)
    return nothing_wrong(space, prop, occurred, "every state is final")


def _never_a_step(space: LargeSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred, wrong = 0, []
    for end in ends:
        bad = StepMarks.where(space, prop.step, end)
        when = _pairs_with(space, prop.when, end)
        if prop.among is not None:
            kind = StepMarks.where(space, prop.among, end)
            if prop.when is not None:
                kind = kind.from_pairs(when)
            occurred += kind.count()
            bad = bad.both(kind)
        else:
            occurred += _states(space, when)
            bad = bad.from_pairs(when) if prop.when is not None else bad
        depth = bad.first()
        if depth >= 0:
            wrong.append((depth, end, bad))
    if wrong:
        depth = min(wrong, key=lambda one: one[0])[0]
        runs = [
            (*_run_with(space, prop, bad, end, depth), end)
            for first, end, bad in wrong
            if first == depth
        ]
        _, run, end = min(runs, key=lambda one: (one[0], one[2]))
        return found(prop, occurred, run, end, standing(run.last))
    never = "no such step ever occurs" if prop.among else "the guarded state never occurs"
    return nothing_wrong(space, prop, occurred, never)


def _only_after(space: LargeSpace, prop: Property, ends: Ends) -> Verdict:
    assert prop.step is not None
    occurred, wrong = 0, []
    for end in ends:
        marks = _pairs_with(space, prop.state, end)
        occurred += _states(space, marks)
        barred = StepMarks.where(space, prop.step, end).made
        between = pairs_on_the_way(space, barred, marks & (_first_of(space, marks) >= 0))
        if between.any():
            try:
                run = way_past(space, prop, end, between)
            except LookupError as error:
                raise _UnknownError(str(error)) from None
            if run is not None:
                wrong.append((len(run.steps), end, run))
    if wrong:
        _, end, run = min(wrong, key=lambda one: one[:2])
        return found(prop, occurred, run, end, standing(run.last))
    return nothing_wrong(space, prop, occurred, "the guarded state never occurs")


class StepMarks:
    """A set of kinds of step: by code and peer for those of the ends, by code for the network's."""

    def __init__(self, space: LargeSpace, made: Array, sent_on: Array) -> None:
        self._space, self.made, self.sent_on = space, made, sent_on

    @classmethod
    def where(cls, space: LargeSpace, predicate: StepPredicate, end: int) -> StepMarks:
        """Return the steps for which a predicate holds."""
        key = ("steps", predicate, end)
        if key not in space.cache:
            a, b = space.tables.tcbs
            tcbs = a if space.tables.symmetric else a + b
            answers = step_answers(predicate, space.moves, tcbs, a, b, end)
            space.cache[key] = cls._from(space, predicate, end, answers)
        return cast(StepMarks, space.cache[key])

    @classmethod
    def _from(
        cls, space: LargeSpace, predicate: StepPredicate, end: int, answers: Answers
    ) -> StepMarks:
        counts = space.counts
        made = np.zeros(counts.made.shape, np.bool_)
        sent_on = np.zeros(counts.sent_on.shape, np.bool_)
        for index, code in enumerate(space.codes):
            table = answers.table[answers.of_move[index]]
            if code < 0:
                values = table[answers.of_a][:, answers.of_b]
                sent_on[-1 - code] = _constant(space, values == 1, values == RAISES)
                continue
            own = space.moves[index].before
            beside = (
                table[answers.of_a, answers.of_b[own - space.offset]]
                if code & 1
                else table[answers.of_a[own], answers.of_b]
            )
            for peer in np.flatnonzero(beside == RAISES).tolist():
                if counts.made[code, peer]:
                    raise _UnknownError(READS_TOO_MUCH)
            made[code, : len(beside)] = beside == 1
        return cls(space, made, sent_on)

    def from_pairs(self, pairs: Array) -> StepMarks:
        """Return those of these steps that start from one of these pairs of ends."""
        space = self._space
        made, sent_on = self.made.copy(), self.sent_on.copy()
        for index, code in enumerate(space.codes):
            if code < 0:
                if sent_on[-1 - code]:
                    sent_on[-1 - code] = _constant(space, pairs, np.zeros_like(pairs))
                continue
            own = space.moves[index].before
            beside = pairs[:, own - space.offset] if code & 1 else pairs[own]
            made[code, : len(beside)] &= beside
        return StepMarks(space, made, sent_on)

    def both(self, other: StepMarks) -> StepMarks:
        """Return the steps that are in both sets."""
        return StepMarks(self._space, self.made & other.made, self.sent_on & other.sent_on)

    def count(self) -> int:
        """Return how many steps of the graph these are."""
        counts = self._space.counts
        return int(counts.made[self.made].sum() + counts.sent_on[self.sent_on].sum())

    def first(self) -> int:
        """Return the least depth at which one was taken, or -1."""
        counts = self._space.counts
        made = counts.first_made[self.made & (counts.made > 0)]
        sent_on = counts.first_sent_on[self.sent_on & (counts.sent_on > 0)]
        depths = np.concatenate([made, sent_on])
        return int(depths.min()) if len(depths) else -1


def _constant(space: LargeSpace, holds: Array, raises: Array) -> bool:
    """Return whether something holds at every pair that occurs; it may not hold at some only."""
    occur = space.counts.pairs[: holds.shape[0], : holds.shape[1]] > 0
    if raises[occur].any() or (holds[occur].any() and not holds[occur].all()):
        raise _UnknownError(
            "it asks in which states a segment is lost or copied, and the graph is not kept"
        )
    return bool(holds[occur].all())


def _pairs_with(space: LargeSpace, predicate: StatePredicate | None, end: int) -> Array:
    """Return the pairs of TCBs, by number, at which a predicate holds; None holds everywhere."""
    a, b = space.tables.tcbs
    if predicate is None:
        return np.ones((len(a), len(b)), np.bool_)
    key = ("states", predicate, end)
    if key not in space.cache:
        answers = state_answers(predicate, a, b, end)
        values = answers.table[0][answers.of_a][:, answers.of_b]
        occur = space.counts.pairs[: len(a), : len(b)] > 0
        for one, other in np.argwhere((values == RAISES) & occur).tolist():
            values[one, other] = bool(predicate(View(a[one], b[other], None, end)))
        space.cache[key] = values == 1
    return cast(Array, space.cache[key])


def _states(space: LargeSpace, pairs: Array) -> int:
    """Return how many states have one of these pairs."""
    return int(space.counts.pairs[: pairs.shape[0], : pairs.shape[1]][pairs].sum())


def _first(space: LargeSpace, pairs: Array) -> int:
    """Return the least depth at which one of these pairs occurs, or -1."""
    depths = _first_of(space, pairs)[pairs]
    depths = depths[depths >= 0]
    return int(depths.min()) if len(depths) else -1


def _first_of(space: LargeSpace, pairs: Array) -> Array:
    """Return the depth at which each pair first occurs, or -1, as an array of that shape."""
    return cast(Array, space.counts.first_pairs[: pairs.shape[0], : pairs.shape[1]])


@contextmanager
def _levels(space: LargeSpace, depth: int) -> Iterator[Levels]:
    """Give all states up to a depth."""
    with Levels(space.tables, depth, Limits(max_memory=space.limits.memory)) as levels:
        if levels.stopped:
            raise _UnknownError(
                f"the run to depth {depth} that shows it was not found: {levels.stopped}"
            )
        yield levels


def _run_to(space: LargeSpace, depth: int, pairs: Array) -> Run:
    """Return the shortest run to one of these pairs, which first occur at this depth."""

    def chooses(_: object, packing: Packing, keys: Array) -> Array:
        ends = keys >> 2 * packing.channel_bits
        chosen = pairs[ends & (1 << packing.a_bits) - 1, ends >> packing.a_bits]
        return cast(Array, keys[chosen])

    with _levels(space, depth) as levels:
        key = levels.least(depth, chooses)
        assert key is not None, "the pairs occur at this depth"
        return through(space.tables.engine, levels.run_to(depth, key))


def _run_through(space: LargeSpace, depth: int, state: ProductState) -> Run:
    """Return the shortest run to a state."""
    with _levels(space, depth) as levels:
        return through(space.tables.engine, levels.run_to(depth, levels.key_of(state)))


def _run_with(
    space: LargeSpace, prop: Property, bad: StepMarks, end: int, depth: int
) -> tuple[ProductState, Run]:
    """Return the source and the shortest run to a bad step that is first taken at this depth."""
    with _levels(space, depth) as levels:
        key = levels.least(depth, lambda m, _, keys: taking(m, keys, bad.made, bad.sent_on))
        assert key is not None, "the steps are taken at this depth"
        states = levels.run_to(depth, key)
    engine = space.tables.engine
    for step in engine.successors(states[-1]):
        seen = StepView(Move.of(step, -1, -1), end)
        before, after = _view(states[-1], end), _view(step.target, end)
        asked = (prop.step, prop.among)
        if all(one is None or one(before, seen, after) for one in asked):
            return states[-1], through(engine, states, step)
    raise AssertionError("a bad step was counted in this state")


def _view(state: ProductState, end: int) -> View:
    return View(state.a, state.b, (state.a_to_b, state.b_to_a), end)


_JUDGES: dict[Kind, Callable[[LargeSpace, Property, Ends], Verdict]] = {
    Kind.ALWAYS: _always,
    Kind.NEVER_A_STEP: _never_a_step,
    Kind.NEVER_STUCK: _never_stuck,
    Kind.SOMETIMES: _sometimes,
    Kind.ONLY_AFTER: _only_after,
}
