"""`tcpclose baseline`: what models do, written to a file, and held against it later."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import click

from properties.baseline import Baseline, Pin, moved, pin, standard_moved
from properties.check import Result, check
from properties.fingerprint import SEMANTICS
from reports.baseline_file import baseline_text, read_baseline
from reports.checking import Limits
from reports.files import write
from reports.loading import models_by_name, place_of, placing
from tcpclose_model.errors import ModelError, TcpcloseError
from tcpclose_model.model import Model
from tcpclose_model.search import uncollected
from tcpclose_model.variants.catalogue import MODELS

SAME, MOVED, UNKNOWN = 0, 1, 3


def run_write(
    file: Path, names: Sequence[str], *, everything: bool, settings: Sequence[str], limits: Limits
) -> int:
    """Check the models and write what they do; nothing is written unless all were explored."""
    if everything and names:
        raise ModelError("--all is the whole catalogue; name models, or say --all, not both")
    kept = tuple(
        {one.partition("=")[0].strip(): " ".join(one.split()) for one in settings}.values()
    )
    chosen = models_by_name(tuple(MODELS) if everything else names, kept)
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


def run_compare(file: Path, limits: Limits) -> int:
    """Check the models of a file again, print what has moved, and return the exit status."""
    known = read_baseline(file)
    status = SAME
    changes = list(standard_moved(known))
    if known.semantics != SEMANTICS:
        click.echo(
            f"{file} has semantics {known.semantics}, this program {SEMANTICS}: what has moved "
            "need not be an edit of a model; look, and write the file anew"
        )
    for name, old in known.pins.items():
        result = _checked(_again(file, name, old), limits)
        if result.space.stopped:
            click.echo(f"{name}: UNKNOWN: not explored to the end: {result.space.stopped}")
            status = status or UNKNOWN
            continue
        lines = list(moved(old, pin(result, old.settings)))
        if lines:
            status = MOVED
            place = place_of(result.model)
            click.echo("\n  ".join([f"{name}:" + (f" ({place})" if place else ""), *lines]))
    for line in changes:
        click.echo(line)
        status = MOVED
    if status == SAME:
        click.echo(f"{_models(len(known.pins))} as in {file}")
    elif status == MOVED:
        click.echo(f"if that is meant: write {file} anew, and commit it", err=True)
    return status


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
