"""A sweep as CSV, as JSON (schema tcpclose/sweep/1) and as Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from html import escape

from properties.sweep import Cell, Sweep
from properties.thresholds import Along, Flip, along
from properties.verdict import Answer
from reports.markdown import escaped
from reports.sweep_tables import LEGEND, mark, tables
from reports.sweep_words import (
    changing,
    constants,
    first_cell,
    flip_words,
    followed,
    followed_words,
    line_groups,
    place,
    shown_flip,
    side_words,
    verdict_on_monotony,
    what_is_swept,
    words_of,
)
from reports.text import described
from reports.trace import Json, mermaid, trace_json

SCHEMA = "tcpclose/sweep/1"
COLUMNS = (
    *("property", "verdict", "states", "transitions", "depth", "complete"),
    *("occurred", "run_steps", "detail"),
)


def sweep_csv(found: Sweep) -> str:
    """Return a line for each model and property; the first columns are the axes."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*(axis.name for axis in found.axes), *COLUMNS])
    for cell in found.cells:
        counts = (cell.states, cell.transitions, cell.depth, str(not cell.stopped).lower())
        for prop, one in cell.outcomes.items():
            steps = "" if one.steps is None else one.steps
            row = (*cell.at, prop, one.answer.value, *counts, one.occurred, steps, one.detail)
            writer.writerow(row)
    return file.getvalue()


def sweep_json(found: Sweep) -> str:
    """Return every cell, and for each property and axis where the answers change, with the runs."""
    document = {
        "schema": SCHEMA,
        "model": found.model.name,
        "described": described(found.model),
        "axes": [{"name": axis.name, "values": list(axis.values)} for axis in found.axes],
        "cells": [_cell(found, cell) for cell in found.cells],
        "properties": [
            {
                "name": prop.name,
                "role": prop.role.value,
                "along": [_along(found, prop.name, one) for one in along(found, prop.name)],
            }
            for prop in found.properties
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _at(found: Sweep, cell: Cell) -> dict[str, str]:
    return {axis.name: value for axis, value in zip(found.axes, cell.at, strict=True)}


def _cell(found: Sweep, cell: Cell) -> Json:
    return {
        "at": _at(found, cell),
        "states": cell.states,
        "transitions": cell.transitions,
        "depth": cell.depth,
        "complete": not cell.stopped,
        "stopped": cell.stopped,
        "verdicts": {
            prop: {
                "verdict": one.answer.value,
                "detail": one.detail,
                "occurred": one.occurred,
                "run_steps": one.steps,
            }
            for prop, one in cell.outcomes.items()
        },
    }


def _along(found: Sweep, prop: str, one: Along) -> Json:
    return {
        "axis": one.axis.name,
        "monotone": one.monotone,
        "same_direction": one.one_way,
        "changes": [_flip(found, prop, flip) for flip in one.flips],
    }


def _flip(found: Sweep, prop: str, flip: Flip) -> Json:
    runs = [cell.run(prop) for cell in (flip.before, flip.after)]
    shown = next((run for run in runs if run is not None), None)
    sides = []
    for cell, run in zip((flip.before, flip.after), runs, strict=True):
        beside = None if run is not None or shown is None else followed(shown, cell.model)
        sides.append(
            {
                "at": _at(found, cell),
                "verdict": cell.outcomes[prop].answer.value,
                "trace": None if run is None else trace_json(run),
                "follows": None
                if beside is None
                else {
                    "steps": beside.steps,
                    "refused": beside.refused,
                    "possible": list(beside.possible),
                },
            }
        )
    return {
        "before": sides[0],
        "after": sides[1],
        "unknown_between": list(flip.unknown),
        "untried_between": flip.gap,
    }


def sweep_markdown(found: Sweep) -> str:
    """Return tables of the properties whose answers change, as GitHub shows them."""
    return "\n".join(_markdown(found)) + "\n"


def _markdown(found: Sweep) -> Iterator[str]:
    yield f"### {escaped(what_is_swept(found))}"
    yield from ["", f"{escaped(first_cell(found))}; {escaped(LEGEND)}", ""]
    for answer, names in constants(found).items():
        yield f"- {words_of(answer)} in every model: {', '.join(f'`{name}`' for name in names)}"
    for cell in found.cells:
        if cell.stopped:
            yield f"- at {escaped(place(found, cell.at))}: {escaped(cell.stopped)}"
    for name in changing(found):
        yield from ["", f"#### `{name}`"]
        for table in tables(found):
            yield from ["", escaped(table.title)] if table.title else []
            head = f"`{table.down}` ↓ `{table.across}` →" if table.down else f"`{table.across}`"
            columns = [head, *(escaped(value) for value in table.across_values)]
            yield from ["", f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|"]
            for value, row in zip(table.down_values, table.rows, strict=True):
                cells = [escaped(value), *(_sign(cell, name) for cell in row)]
                yield f"| {' | '.join(cells)} |"
        for one in along(found, name):
            yield from _along_markdown(found, name, one)


def _sign(cell: Cell, prop: str) -> str:
    sign = mark(cell, prop)[0]
    violated = cell.answer(prop) is Answer.VIOLATED
    return f"**{sign}**" if violated else sign.replace("-", "\\-")


def _along_markdown(found: Sweep, prop: str, one: Along) -> Iterator[str]:
    yield from ["", f"Along `{one.axis.name}`: {verdict_on_monotony(one)}.", ""]
    for where, words in line_groups(found, one):
        yield f"- {escaped(f'{where}: {words}' if where else words)}"
    if not one.flips:
        return
    flip = shown_flip(prop, one.flips)
    yield from ["", f"<details><summary>{escape(flip_words(found, flip))}</summary>", ""]
    sides = sorted((flip.before, flip.after), key=lambda cell: cell.outcomes[prop].choices is None)
    shown = None
    for cell in sides:
        yield from ["", escaped(side_words(found, flip, cell, prop))]
        run = cell.run(prop)
        if run is not None:
            shown = shown or run
            yield from ["", "```mermaid", mermaid(run).rstrip(), "```"]
        elif shown is not None:
            words = followed_words(followed(shown, cell.model), len(shown))
            yield from ["", escaped(words)]
    yield from ["", "</details>"]
