"""`tcpclose interop`: different tables at the two ends, every pair of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from properties.check import Result, check
from properties.kinds import Role
from properties.verdict import Answer
from reports.checking import Limits
from reports.files import write
from reports.loading import one_model
from reports.maps import PICTURES, Map, Square, map_scene, picture
from reports.scene import Scene
from reports.text import described
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.variants.parameters import with_parameters

SCHEMA = "tcpclose/interop/1"
FORM_OF = {".txt": "text", ".json": "json", ".md": "markdown"}


@dataclass(frozen=True, slots=True)
class Pair:
    """What becomes of one table at end A and another at end B.

    verdicts: the answer of each property by name; broken, unknown: the requirements that are
    violated, or of which nothing is known.
    """

    a: str
    b: str
    states: int
    verdicts: dict[str, Answer]
    broken: tuple[str, ...]
    unknown: tuple[str, ...]


def pairs(
    of_a: Sequence[str], of_b: Sequence[str], within: Model, limits: Limits
) -> Iterator[Pair]:
    """Yield every pair: the table of one model at A, that of another at B, the rest of `within`."""
    left = {name: _table(name, 0) for name in of_a}
    right = {name: _table(name, 1) for name in of_b}
    bare = replace(within, expect={}, title="", source="")
    for a, at_a in left.items():
        for b, at_b in right.items():
            model = replace(bare, a=at_a, b=at_b, name=f"{a} to {b}")
            yield _pair(a, b, check(model, **limits))


def _table(name: str, end: int) -> Protocol:
    """Return the table of a model for end 0 (A) or 1 (B).

    Of a model whose ends have two tables it is the one that is edited; if both are, the end's own.
    """
    model = one_model(name)
    tables = (model.a, model.b)
    edited = [table for table in tables if table.edits]
    return edited[0] if len(edited) == 1 else tables[end]


def _pair(a: str, b: str, result: Result) -> Pair:
    due = [v for v in result.verdicts if v.property.role is Role.REQUIREMENT]
    return Pair(
        a,
        b,
        len(result.space),
        {v.property.name: v.answer for v in result.verdicts},
        tuple(v.property.name for v in due if v.answer is Answer.VIOLATED),
        tuple(v.property.name for v in due if v.answer is Answer.UNKNOWN),
    )


def run_interop(
    of_a: str,
    of_b: str,
    within: str,
    form: str | None,
    settings: Sequence[str],
    limits: Limits,
    out: Path | None = None,
) -> int:
    """Check every pair, print or write the matrix and return the exit status."""
    if out is not None and out.suffix not in (*FORM_OF, *PICTURES):
        raise ModelError(f"{out}: a matrix is written as {', '.join((*FORM_OF, *PICTURES))}")
    left, right = (tuple(dict.fromkeys(filter(None, n.split(",")))) for n in (of_a, of_b))
    if not (left and right):
        raise ModelError("interop: name at least one model for each end")
    base = one_model(within)
    base = with_parameters(base, settings) if settings else base
    found = list(pairs(left, right, base, limits))
    if out is not None and out.suffix in PICTURES:
        write(out, picture(interop_scene(found, base), out.suffix))
    else:
        form = FORM_OF[out.suffix] if out is not None else form or "text"
        shown = {"json": interop_json, "markdown": interop_markdown, "text": interop_text}
        text = shown[form](found, base)
        if out is None:
            click.echo(text, nl=False)
        else:
            write(out, text)
    if out is not None:
        click.echo(f"wrote {out}: {len(left)} x {len(right)} pairs", err=True)
    return 3 if any(pair.unknown for pair in found) else 0


def interop_scene(found: Sequence[Pair], base: Model) -> Scene:
    """Return the matrix as a picture."""
    numbers = _numbers(found)
    left, right = (tuple(dict.fromkeys(n)) for n in ((p.a for p in found), (p.b for p in found)))
    known = {(pair.a, pair.b): _square(pair, numbers) for pair in found}
    rows = tuple(tuple(known[a, b] for b in right) for a in left)
    lines = [f"within {base.name}: {described(base)}", *_legend(found)[1:]]
    matrix = Map((), "at end B", "at end A", right, left, rows)
    return map_scene(
        "Every pair of tables",
        lines,
        [matrix],
        "(of a pair; holds: or is vacuous; a number: which property)",
    )


def _square(pair: Pair, numbers: dict[str, int]) -> Square:
    """Return a pair's answer: violated if a requirement is, else unknown if one is, else holds."""
    wrong = pair.broken or pair.unknown
    answer = Answer.VIOLATED if pair.broken else Answer.UNKNOWN if wrong else Answer.HOLDS
    return Square(answer, " ".join(map(str, sorted(numbers[name] for name in wrong))))


def interop_json(found: Sequence[Pair], base: Model) -> str:
    """Return the pairs as JSON, schema tcpclose/interop/1."""
    document = {
        "schema": SCHEMA,
        "within": base.name,
        "described": described(base),
        "pairs": [
            {
                "a": pair.a,
                "b": pair.b,
                "states": pair.states,
                "broken": list(pair.broken),
                "unknown": list(pair.unknown),
                "verdicts": {name: answer.value for name, answer in pair.verdicts.items()},
            }
            for pair in found
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def interop_text(found: Sequence[Pair], base: Model) -> str:
    """Return the matrix as text: a line for each table at A, a column for each at B."""
    rows = _rows(found)
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([f"within {base.name}: {described(base)}", *lines, *_legend(found)]) + "\n"


def interop_markdown(found: Sequence[Pair], base: Model) -> str:
    """Return the matrix in Markdown."""
    head, *rows = _rows(found)
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    legend = [f"- {line}" for line in _legend(found)]
    return "\n".join([f"Within `{base.name}`: {described(base)}.", "", *lines, "", *legend]) + "\n"


def _rows(found: Sequence[Pair]) -> list[list[str]]:
    """Return the cells of the matrix; the first line names the tables at B."""
    columns = list(dict.fromkeys(pair.b for pair in found))
    lines: dict[str, list[str]] = {}
    for pair in found:
        lines.setdefault(pair.a, [pair.a]).append(_cell(pair, _numbers(found)))
    return [["A, B:", *columns], *lines.values()]


def _cell(pair: Pair, numbers: dict[str, int]) -> str:
    wrong = " ".join(str(numbers[name]) for name in sorted(pair.broken, key=numbers.__getitem__))
    told = f"X {wrong}" if wrong else ""
    asked = " ".join(str(numbers[name]) for name in pair.unknown)
    return " ".join(filter(None, [told, f"? {asked}" if asked else ""])) or "+"


def _numbers(found: Sequence[Pair]) -> dict[str, int]:
    """Return the numbers of the properties that are violated or unknown somewhere."""
    wrong = {name for pair in found for name in (*pair.broken, *pair.unknown)}
    known = dict.fromkeys(name for pair in found for name in pair.verdicts)
    return {name: number for number, name in enumerate((n for n in known if n in wrong), 1)}


def _legend(found: Sequence[Pair]) -> list[str]:
    told = [f"{number}: {name}" for name, number in _numbers(found).items()]
    return ["+ every requirement holds or is vacuous, X violated, ? unknown", *told]
