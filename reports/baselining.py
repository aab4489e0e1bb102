"""`tcpclose baseline`: what models do, written to a file, and held against it later."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from properties.baseline import Baseline, Pin, moves, pin, standard_moved
from properties.check import Result, check
from properties.fingerprint import SEMANTICS
from reports.baseline_ci import Compared, baseline_junit, commands, summary
from reports.baseline_file import baseline_text, read_baseline
from reports.checking import Limits
from reports.files import write
from reports.github import append
from reports.loading import asked_for, models_by_name, place_of, placing
from tcpclose_model.errors import ModelError, TcpcloseError
from tcpclose_model.model import Model
from tcpclose_model.search import uncollected

SAME, MOVED, UNKNOWN = 0, 1, 3


def run_write(
    file: Path, names: Sequence[str], *, everything: bool, settings: Sequence[str], limits: Limits
) -> int:
    """Check the models and write what they do; nothing is written unless all were explored."""
    names = asked_for(names, everything=everything)
    kept = tuple(
        {one.partition("=")[0].strip(): " ".join(one.split()) for one in settings}.values()
    )
    chosen = models_by_name(names, kept)
    pins: dict[str, Pin] = {}
    for name, model in chosen.items():
        result = _checked(model, limits)
        if result.space.stopped:
            click.echo(f"{name}: not explored to the end: {result.space.stopped}", err=True)
            click.echo(f"{file}: not written", err=True)
            return UNKNOWN
        pins[name.strip()] = pin(result, kept)
    write(file, baseline_text(Baseline(pins)))
    click.echo(f"wrote {file}: {_models(len(pins))}")
    return SAME


def run_compare(
    file: Path, limits: Limits, form: str | None = None, out: Path | None = None
) -> int:
    """Check the models of a file again, print what has moved, and return the exit status.

    form: "text", "github" (annotations and a summary besides) or "junit"; out: where JUnit XML
    goes, besides what is printed.
    """
    if out is not None and out.suffix != ".xml":
        raise ModelError(f"{out}: a report of a baseline is JUnit XML, with the ending .xml")
    known = read_baseline(file)
    found = [_compared(file, name, old, limits) for name, old in known.pins.items()]
    standard = list(standard_moved(known))
    if form == "junit":
        click.echo(baseline_junit(file, found, standard), nl=False)
    else:
        for line in _lines(file, known, found, standard):
            click.echo(line)
    if form == "github":
        for line in commands(file, found, standard):
            click.echo(line)
        append(summary(file, found, standard))
    if out is not None:
        write(out, baseline_junit(file, found, standard))
        click.echo(f"wrote {out}", err=True)
    if standard or any(one.moved for one in found):
        click.echo(f"if that is meant: write {file} anew, and commit it", err=True)
        return MOVED
    return UNKNOWN if any(one.stopped for one in found) else SAME


def _compared(file: Path, name: str, old: Pin, limits: Limits) -> Compared:
    result = _checked(_again(file, name, old), limits)
    stopped = result.space.stopped
    found = () if stopped else tuple(moves(old, pin(result, old.settings)))
    # The graph is large, and of all that is said later only verdicts and the model are needed.
    return Compared(name, result.model, found, result.verdicts, stopped)


def _lines(
    file: Path, known: Baseline, found: Sequence[Compared], standard: Sequence[str]
) -> Iterator[str]:
    """Yield what a check of a baseline prints."""
    if known.semantics != SEMANTICS:
        yield (
            f"{file} has semantics {known.semantics}, this program {SEMANTICS}: what has moved "
            "need not be an edit of a model; look, and write the file anew"
        )
    for one in found:
        if one.stopped:
            yield f"{one.name}: UNKNOWN: not explored to the end: {one.stopped}"
        elif one.moved:
            place = place_of(one.model)
            head = f"{one.name}:" + (f" ({place})" if place else "")
            yield "\n  ".join([head, *(what.says for what in one.moved)])
    yield from standard
    if not standard and not any(one.moved or one.stopped for one in found):
        yield f"{_models(len(found))} as in {file}"


def _models(count: int) -> str:
    return f"{count} model" + ("" if count == 1 else "s")


def _again(file: Path, name: str, old: Pin) -> Model:
    """Return the model that a baseline names; an error says which file asks for it."""
    try:
        found = models_by_name([name], old.settings)
    except TcpcloseError as error:
        raise TcpcloseError(f"{file}: model {name}: {error}") from None
    if len(found) != 1:
        raise TcpcloseError(f"{file}: model {name}: is not one model but {len(found)}")
    return next(iter(found.values()))


def _checked(model: Model, limits: Limits) -> Result:
    """Return the result; a mistake of a model file is told with its place."""
    with placing(model):
        with uncollected():
            result = check(model, **limits)
        gc.collect()
        return result
