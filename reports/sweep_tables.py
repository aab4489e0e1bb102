"""A sweep as tables of two axes, with a sign for each answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from properties.sweep import Cell, Sweep
from reports.text import COLOURS, MARKS

LEGEND = "+ holds, X violated, - vacuous, ? unknown"


def mark(cell: Cell, prop: str) -> tuple[str, str | None]:
    """Return the sign of a cell's answer and its colour."""
    answer = cell.answer(prop)
    return (" ", None) if answer is None else (MARKS[answer], COLOURS[answer])


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in rows and columns; title: the values of the axes beyond the first two."""

    title: str
    across: str
    down: str
    across_values: tuple[str, ...]
    down_values: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(found: Sweep) -> Iterator[Table]:
    """Yield the cells as tables of two axes."""
    known = {cell.at: cell for cell in found.cells}
    across, down, *rest = (*found.varied, None, None)[: max(2, len(found.varied))]
    shown = [n for n in (across, down) if n is not None]
    fixed = [
        axis.values[:1] if n in shown or axis.is_fixed else axis.values
        for n, axis in enumerate(found.axes)
    ]
    beyond = [n for n in rest if n is not None]
    for at in product(*fixed):

        def cell(x: str, y: str, at: tuple[str, ...] = at) -> Cell:
            there = {across: x, down: y}
            return known[tuple(there.get(n, value) for n, value in enumerate(at))]

        xs, ys = (("",) if n is None else found.axes[n].values for n in (across, down))
        names = ["" if n is None else found.axes[n].name for n in (across, down)]
        title = ", ".join(f"{found.axes[n].name}={at[n]}" for n in beyond)
        rows = tuple(tuple(cell(x, y) for x in xs) for y in ys)
        yield Table(title, names[0], names[1], tuple(xs), tuple(ys), rows)
