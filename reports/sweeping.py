"""`tcpclose sweep`: the verdicts at every combination of some parameters' values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from properties.check import Result, check
from properties.sweep import Sweep, sweep
from properties.thresholds import Flip, along
from properties.verdict import Answer
from reports.checking import Limits
from reports.files import write
from reports.ladder import Notes, ladder
from reports.loading import one_model, placing
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
from reports.text import COLOURS, where_notes
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model

FORM_OF = {".txt": "text", ".json": "json", ".csv": "csv", ".md": "markdown"}
PICTURES = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; limits: of each model."""

    name: str | None
    settings: Sequence[str]
    only: Sequence[str]
    form: str | None
    out: Path | None
    notes: bool
    processes: int
    limits: Limits


def run_sweep(asked: Asked) -> int:
    """Check every model of the sweep, print or write what came out, and return the exit status."""
    out = asked.out
    known = (*FORM_OF, *PICTURES)
    if out is not None and out.suffix not in known:
        raise ModelError(f"{out}: a sweep is written as {', '.join(known)}")
    model = one_model(asked.name)

    def checked(one: Model) -> Result:
        with placing(model):
            return check(one, only=asked.only, **asked.limits)

    found = sweep(
        model, asked.settings, only=asked.only, processes=asked.processes, checked=checked
    )
    notes = where_notes(asked.notes, to_file=out is not None)
    if out is None:
        click.echo(_FORMS[asked.form or "text"](found, notes), nl=False)
        return found.status
    if out.suffix in PICTURES:
        write(out, _picture(found, out.suffix))
    else:
        write(out, click.unstyle(_FORMS[FORM_OF[out.suffix]](found, notes)))
    click.echo(f"wrote {out}: {what_is_swept(found)}", err=True)
    return found.status


def sweep_text(found: Sweep, notes: Notes) -> str:
    """Return what came out as text: tables, where answers change, and a run at each change."""
    return "\n".join(_lines(found, notes)) + "\n"


def _lines(found: Sweep, notes: Notes) -> Iterator[str]:
    yield click.style(what_is_swept(found), bold=True)
    yield click.style(first_cell(found), dim=True)
    for answer, names in constants(found).items():
        said = click.style(words_of(answer), fg=COLOURS[answer] if answer else None)
        yield f"{said} in every model: {', '.join(names)}"
    for cell in found.cells:
        if cell.stopped:
            yield click.style(f"at {place(found, cell.at)}: {cell.stopped}", fg="magenta")
    names = changing(found)
    if names:
        yield LEGEND
    for name in names:
        yield ""
        yield click.style(name, bold=True)
        yield from grid(found, name)
        for one in along(found, name):
            yield f"along {one.axis.name}: {verdict_on_monotony(one)}"
            for where, words in line_groups(found, one):
                yield f"  {where + ': ' if where else ''}{words}"
            if one.flips:
                yield from _flip_lines(found, name, shown_flip(name, one.flips), notes)


def grid(found: Sweep, prop: str) -> Iterator[str]:
    """Yield the answers: the first axis across, the second down, a table for each of the rest."""
    for table in tables(found):
        if table.title:
            yield f"  {table.title}"
        marks = [[mark(cell, prop) for cell in row] for row in table.rows]
        head = f"{table.down} \\ {table.across}" if table.down else table.across
        first = max(map(len, (head, *table.down_values)))
        width = max(map(len, (*table.across_values, "X")))
        yield f"  {head:<{first}}  " + " ".join(v.rjust(width) for v in table.across_values)
        for value, row in zip(table.down_values, marks, strict=True):
            cells = " ".join(click.style(sign.rjust(width), fg=colour) for sign, colour in row)
            yield f"  {value:>{first}}  {cells}"


def _flip_lines(found: Sweep, prop: str, flip: Flip, notes: Notes) -> Iterator[str]:
    """Yield both sides of one change: the run on the one, and how far it goes on the other."""
    yield f"  {flip_words(found, flip)}"
    sides = sorted((flip.before, flip.after), key=lambda one: one.outcomes[prop].choices is None)
    shown = None
    for cell in sides:
        answer = cell.outcomes[prop].answer
        colour = COLOURS[answer] if answer is Answer.VIOLATED else None
        yield "  " + click.style(side_words(found, flip, cell, prop), fg=colour)
        run = cell.run(prop)
        if run is not None:
            shown = shown or run
            yield from (f"    {line}".rstrip() for line in ladder(run, notes=notes).splitlines())
        elif shown is not None:
            yield f"  {followed_words(followed(shown, cell.model), len(shown))}"


def _csv(found: Sweep, notes: Notes) -> str:
    from reports.sweep_formats import sweep_csv

    return sweep_csv(found)


def _json(found: Sweep, notes: Notes) -> str:
    from reports.sweep_formats import sweep_json

    return sweep_json(found)


def _markdown(found: Sweep, notes: Notes) -> str:
    from reports.sweep_formats import sweep_markdown

    return sweep_markdown(found)


def _picture(found: Sweep, ending: str) -> str | bytes:
    from reports.maps import picture
    from reports.sweep_picture import sweep_scene

    return picture(sweep_scene(found), ending)


_FORMS: dict[str, Callable[[Sweep, Notes], str]] = {
    "text": sweep_text,
    "csv": _csv,
    "json": _json,
    "markdown": _markdown,
}
