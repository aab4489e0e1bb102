"""Where the verdicts of a sweep change: along which axis, between which values, and how often.

Nothing is interpolated: a change stands between two cells whose answers are known, and whatever
lies between them is unknown, or was not tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, product

from properties.sweep import At, Cell, Sweep
from properties.verdict import Answer
from tcpclose_model.variants.ranges import Axis


@dataclass(frozen=True, slots=True)
class Flip:
    """Two known cells next to each other along an axis whose answers differ.

    unknown: the values between them whose answers are not known; gap: whether there are whole
    numbers between the two that were not tried.
    """

    before: Cell
    after: Cell
    axis: int
    unknown: tuple[str, ...]
    gap: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The cells along one axis, all others being fixed, and one property's answers there."""

    axis: int
    cells: tuple[Cell, ...]
    answers: tuple[Answer | None, ...]

    @property
    def known(self) -> list[tuple[Cell, Answer]]:
        """The cells whose answer is one."""
        pairs = zip(self.cells, self.answers, strict=True)
        return [(c, a) for c, a in pairs if a is not None and a is not Answer.UNKNOWN]

    @property
    def stretches(self) -> list[tuple[Answer | None, tuple[str, ...]]]:
        """The answers one after the other, each with the values that it is given for."""
        pairs = [
            (answer, cell.at[self.axis])
            for cell, answer in zip(self.cells, self.answers, strict=True)
        ]
        return [
            (answer, tuple(value for _, value in group))
            for answer, group in groupby(pairs, key=lambda pair: pair[0])
        ]

    @property
    def comes_back(self) -> bool:
        """Whether an answer that was left comes back: then it is not monotone along the axis."""
        order = [answer for answer, _ in groupby(answer for _, answer in self.known)]
        return len(order) > len(set(order))

    def flips(self) -> Iterator[Flip]:
        """Yield where the answer changes."""
        for (before, was), (after, now) in pairwise(self.known):
            if was is not now:
                first, second = self.cells.index(before), self.cells.index(after)
                hidden = tuple(cell.at[self.axis] for cell in self.cells[first + 1 : second])
                gap = _gap([cell.at[self.axis] for cell in self.cells[first : second + 1]])
                yield Flip(before, after, self.axis, hidden, gap)


def _gap(values: Sequence[str]) -> bool:
    try:
        numbers = [int(value) for value in values]
    except ValueError:
        return False
    return any(after - before > 1 for before, after in pairwise(numbers))


def lines(sweep: Sweep, prop: str, axis: int) -> list[Line]:
    """Return the lines along an axis, in the order of the others' values."""
    known = {cell.at: cell for cell in sweep.cells}
    others = [(v[:1] if n == axis else v) for n, v in enumerate(a.values for a in sweep.axes)]
    found = []
    for at in product(*others):
        cells = tuple(known[moved(at, axis, value)] for value in sweep.axes[axis].values)
        found.append(Line(axis, cells, tuple(cell.answer(prop) for cell in cells)))
    return found


def moved(at: At, axis: int, value: str) -> At:
    """Return the place with another value along one axis."""
    return (*at[:axis], value, *at[axis + 1 :])


def answers(sweep: Sweep, prop: str) -> list[Answer | None]:
    """Return the different answers of a property, in the order of the cells."""
    return list(dict.fromkeys(cell.answer(prop) for cell in sweep.cells))


@dataclass(frozen=True, slots=True)
class Along:
    """What one property does along one axis: its lines, and where they change."""

    axis: Axis
    lines: tuple[Line, ...]
    flips: tuple[Flip, ...]

    @property
    def monotone(self) -> bool | None:
        """Whether no answer that was left comes back; None if unknown cells hide it."""
        if any(line.comes_back for line in self.lines):
            return False
        hidden = any(len(line.known) < len(line.cells) for line in self.lines)
        return None if hidden else True

    @property
    def one_way(self) -> bool:
        """Whether no two lines change in opposite directions."""
        ways = {(flip_answers(line)) for line in self.lines}
        steps = {pair for way in ways for pair in pairwise(way)}
        return not any((now, was) in steps for was, now in steps)


def flip_answers(line: Line) -> tuple[Answer, ...]:
    """Return the known answers of a line, one for each stretch."""
    return tuple(answer for answer, _ in groupby(answer for _, answer in line.known))


def along(sweep: Sweep, prop: str) -> list[Along]:
    """Return what a property does along each axis that has several values."""
    found = []
    for number in sweep.varied:
        those = lines(sweep, prop, number)
        flips = tuple(flip for line in those for flip in line.flips())
        found.append(Along(sweep.axes[number], tuple(those), flips))
    return found
