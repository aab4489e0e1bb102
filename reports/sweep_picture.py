"""A sweep as a picture: a map of the answers for each property that changes."""

from __future__ import annotations

from collections.abc import Iterator

from properties.sweep import Cell, Sweep
from reports.maps import Map, Square, map_scene
from reports.scene import Scene
from reports.sweep_tables import tables
from reports.sweep_words import changing, constants, what_is_swept, words_of


def sweep_scene(found: Sweep) -> Scene:
    """Return the picture; where no property changes it has all of them."""
    names = changing(found)
    lines = [what_is_swept(found)]
    if names:
        lines += [
            f"{words_of(answer)} in every model: {', '.join(same)}"
            for answer, same in constants(found).items()
        ]
    shown = names or [prop.name for prop in found.properties]
    maps = [one for name in shown for one in _maps(found, name)]
    title = f"Sweep of {found.model.name}"
    return map_scene(title, lines, maps, "a number: steps of the run that shows it")


def _maps(found: Sweep, prop: str) -> Iterator[Map]:
    for number, table in enumerate(tables(found)):
        heads = (() if number else (prop,)) + ((table.title,) if table.title else ())
        rows = tuple(tuple(_square(cell, prop) for cell in row) for row in table.rows)
        axes = (table.across, table.down, table.across_values, table.down_values)
        yield Map(heads, *axes, rows)


def _square(cell: Cell, prop: str) -> Square:
    steps = None if prop not in cell.outcomes else cell.outcomes[prop].steps
    return Square(cell.answer(prop), "" if steps is None else str(steps))
