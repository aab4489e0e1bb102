"""A sweep in words: what changes along which axis, and what stands on each side of a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from properties.sweep import At, Cell, Sweep
from properties.thresholds import Along, Flip, Line, answers
from properties.verdict import Answer
from properties.words import standing
from reports.labels import action_text, labels
from reports.text import SHORT, described
from tcpclose_model.engines.plain import Action, PlainEngine, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.run import Run
from tcpclose_model.variants.ranges import Axis

NOT_JUDGED = "not judged"


def words_of(answer: Answer | None) -> str:
    """Return an answer in a word; None is that of a property that is not judged."""
    return NOT_JUDGED if answer is None else SHORT[answer]


def what_is_swept(sweep: Sweep) -> str:
    """Return the first line: the model, its axes, and what is the same everywhere."""
    axes = [sweep.axes[n] for n in sweep.varied]
    values = "; ".join(f"{axis.name} {span(axis, axis.values)}" for axis in axes)
    cells = f"{len(sweep.cells):,} model" + ("" if len(sweep.cells) == 1 else "s")
    same = [axis.setting(axis.values[0]) for axis in sweep.axes if axis.is_fixed]
    also = f" with {', '.join(same)}" if same else ""
    return f"{sweep.model.name}{also}: {cells}" + (f": {values}" if values else "")


def first_cell(sweep: Sweep) -> str:
    """Return the model that the first cell has, in words."""
    return f"the first: {described(sweep.cells[0].model)}"


def constants(sweep: Sweep) -> dict[Answer | None, list[str]]:
    """Return the properties whose answer is the same in every cell, by that answer."""
    found: dict[Answer | None, list[str]] = {}
    for prop in sweep.properties:
        given = answers(sweep, prop.name)
        if len(given) == 1:
            found.setdefault(given[0], []).append(prop.name)
    return found


def changing(sweep: Sweep) -> list[str]:
    """Return the properties whose answers are not all the same."""
    return [prop.name for prop in sweep.properties if len(answers(sweep, prop.name)) > 1]


def span(axis: Axis, values: Sequence[str]) -> str:
    """Return values of an axis, whole numbers that follow each other as a range."""
    if axis.is_ordered and len(values) > 1:
        numbers = [int(value) for value in values]
        if all(after - before == 1 for before, after in pairwise(numbers)):
            return f"{values[0]}..{values[-1]}"
    return ", ".join(values)


def place(sweep: Sweep, at: At, *, without: int | None = None) -> str:
    """Return where a cell stands: the values of the axes that are varied, one perhaps left out."""
    parts = [f"{sweep.axes[n].name}={at[n]}" for n in sweep.varied if n != without]
    return ", ".join(parts)


def verdict_on_monotony(found: Along) -> str:
    """Return whether the answers are monotone along an axis, in words."""
    if not found.flips:
        hidden = found.monotone is None
        return "no change" + (", as far as the answers are known" if hidden else "")
    count = len(found.flips)
    changes = f"{count} change{'' if count == 1 else 's'}"
    if found.monotone is False:
        return f"{changes}; NOT MONOTONE: an answer that was left comes back"
    ways = "" if found.one_way else ", but not in the same direction everywhere"
    if found.monotone is None:
        return f"{changes}; monotone as far as the answers are known{ways}"
    return f"{changes}; monotone at the values tried{ways}"


def line_groups(sweep: Sweep, found: Along) -> Iterator[tuple[str, str]]:
    """Yield each different course of the answers along an axis, and where it is the course."""
    groups: dict[str, list[Line]] = {}
    for line in found.lines:
        groups.setdefault(course(found.axis, line), []).append(line)
    for words, those in groups.items():
        yield ("" if len(groups) == 1 else _places(sweep, those)), words


def course(axis: Axis, line: Line) -> str:
    """Return the answers along an axis, such as "VIOLATED 0..2, holds 3..8"."""
    return ", then ".join(
        f"{words_of(answer)} at {span(axis, values)}" for answer, values in line.stretches
    )


def _places(sweep: Sweep, those: Sequence[Line]) -> str:
    """Return where lines stand: each axis with its values, if every combination is among them."""
    axis = those[0].axis
    ats = [line.cells[0].at for line in those]
    others = [n for n in sweep.varied if n != axis]
    taken = {n: [v for v in sweep.axes[n].values if any(at[n] == v for at in ats)] for n in others}
    size = 1
    for values in taken.values():
        size *= len(values)
    if size == len(ats):
        parts = [
            f"{sweep.axes[n].name}={span(sweep.axes[n], values)}" for n, values in taken.items()
        ]
        return ", ".join(parts)
    return "; ".join(place(sweep, at, without=axis) for at in ats)


def shown_flip(prop: str, flips: Sequence[Flip]) -> Flip:
    """Return the change to show of an axis: the one with the shortest run, the first of equals."""
    return min(flips, key=lambda flip: min(_length(flip.before, prop), _length(flip.after, prop)))


def _length(cell: Cell, prop: str) -> float:
    steps = cell.outcomes[prop].steps
    return float("inf") if steps is None else steps


def flip_words(sweep: Sweep, flip: Flip) -> str:
    """Return where an answer changes, and what is not known in between."""
    axis = sweep.axes[flip.axis]
    rest = place(sweep, flip.before.at, without=flip.axis)
    words = f"{axis.name} {flip.before.at[flip.axis]} -> {flip.after.at[flip.axis]}"
    words += f" ({rest})" if rest else ""
    if flip.unknown:
        words += f"; between them UNKNOWN at {span(axis, flip.unknown)}"
    return words + ("; values between them were not tried" if flip.gap else "")


def side_words(sweep: Sweep, flip: Flip, cell: Cell, prop: str) -> str:
    """Return what a check says on one side of a change."""
    found = cell.outcomes[prop]
    states = f"{cell.states:,} states, depth {cell.depth}"
    value = cell.at[flip.axis]
    if found.steps is not None:
        kind = "run" if found.loop is None else "lasso"
        return (
            f"at {value}: {words_of(found.answer)}: a {kind} of {found.steps} steps ({states}): "
            f"{found.detail}"
        )
    tested = f"put to the test {found.occurred:,} times in" if found.occurred else "in"
    detail = f": {found.detail}" if found.detail else ""
    return f"at {value}: {words_of(found.answer)}{detail}: {tested} {states}, every one looked at"


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a run of one model is one of another.

    steps: how many of its steps the other allows; stands: where the other is then; refused: the
    step that it does not allow there, "" if it allows all; possible: what it allows instead.
    """

    steps: int
    stands: str
    refused: str
    possible: tuple[str, ...]


def followed(run: Run, model: Model) -> Followed:
    """Return how far the other model goes along a run, step by step with the same words."""
    engine = PlainEngine(model)
    state = engine.initial
    for number, step in enumerate(run.steps):
        wanted = _full(step.action, run.states[number])
        steps = engine.successors(state)
        same = next((one for one in steps if _full(one.action, state) == wanted), None)
        if same is None:
            refused = action_text(step.action, run.states[number])
            return Followed(number, standing(state), refused, _possible(steps, state))
        state = same.target
    return Followed(len(run), standing(state), "", _possible(engine.successors(state), state))


def _full(action: Action, state: ProductState) -> tuple[int, object, str]:
    """Return an action as it is told apart from others, whatever fields a segment has."""
    if action.segment is None:
        return action.actor, action.event, ""
    receiver = state.b if action.actor else state.a
    return action.actor, action.event, labels(action.segment, receiver)[2]


def _possible(steps: Sequence[Transition], state: ProductState) -> tuple[str, ...]:
    return tuple(dict.fromkeys(action_text(step.action, state) for step in steps))


def followed_words(found: Followed, length: int) -> str:
    """Return how far the other model follows, in words."""
    instead = "; ".join(found.possible) or "nothing"
    if found.refused:
        return (
            f"the run above is possible here up to step {found.steps} of {length} "
            f"({found.stands}), but not then: {found.refused}; possible: {instead}"
        )
    return (
        f"all {length} steps of the run above are possible here, too ({found.stands}), and are "
        f"not wrong here; possible next: {instead}"
    )
