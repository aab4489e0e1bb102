"""`tcpclose draw`: explore, find the counterexample to highlight, and write the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from properties.check import properties_of
from properties.judge import judge
from reports.aldebaran import aldebaran
from reports.draw import check_suffix, drawn, suffix_of
from reports.files import write
from reports.loading import one_model
from reports.running import Request, given_run
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace

AUT = ".aut"


@dataclass(frozen=True, slots=True)
class Labels:
    """Which steps of an .aut file have the internal label, and what that is."""

    hide: tuple[str, ...] = ()
    internal: str = "i"


def draw_command(
    name: str | None,
    of: str | None,
    prop: str | None,
    out: Path,
    settings: Sequence[str],
    limits: Mapping[str, Any],  # Any: a number of states or of seconds, or None
    labels: Labels | None = None,
    chosen: str | None = None,
) -> int:
    """Draw a model into a file and return the exit status: 3 if exploration was cut short.

    An .aut file has the whole product, else the default is the joint graph.  `labels` is for .aut;
    the run that is `chosen` is highlighted, or the counterexample of `prop`.
    """
    if chosen is not None and prop is not None:
        raise ModelError("--run and --property both say what to highlight: choose one")
    if suffix_of(out) == AUT:
        return _aut(name, of, prop or chosen, out, settings, limits, labels or Labels())
    if labels is not None and labels != Labels():
        raise ModelError(f"{out}: --hide and --internal are about the labels of an .aut file")
    check_suffix(suffix_of(out))
    of = of or "joint"
    if of != "joint" and (chosen or prop):
        raise ModelError(f"a run is highlighted in the joint graph only, not with --of {of}")
    if chosen is not None:
        run = given_run(Request(chosen, None, name, tuple(settings), limits))
        space = explore(run.model, **limits)
        return _written(out, drawn(space, of, suffix_of(out), run, "the run"), of, space)
    space = explore(one_model(name, settings), **limits)
    found = _counterexample(space, prop) if prop is not None else None
    return _written(out, drawn(space, of, suffix_of(out), found), of, space)


def _written(out: Path, drawing: str | bytes, of: str, space: StateSpace) -> int:
    """Write the file, say what is in it, and return the exit status."""
    model = space.model
    write(out, drawing)
    click.echo(f"wrote {out}: {of} graph of {model.name}, {len(space):,} states", err=True)
    if not space.complete:
        click.echo(f"not complete: {space.stopped}", err=True)
        return 3
    return 0


def _aut(
    name: str | None,
    of: str | None,
    highlighted: str | None,
    out: Path,
    settings: Sequence[str],
    limits: Mapping[str, Any],  # Any: as above
    labels: Labels,
) -> int:
    if of not in (None, "product"):
        raise ModelError(f"{out}: an .aut file has every state and step: use --of product")
    if highlighted is not None:
        raise ModelError(f"{out}: nothing is highlighted in an .aut file; draw an .svg")
    space = explore(one_model(name, settings), **limits)
    return _written(out, aldebaran(space, labels.hide, labels.internal), "product", space)


def _counterexample(space: StateSpace, name: str) -> Run:
    known = {prop.name: prop for prop in properties_of(space.model)}
    if name not in known:
        raise ModelError(f"no property {name!r}{nearest(name, known)}")
    verdict = judge(space, known[name])
    if verdict.run is None:
        raise ModelError(f"{name} {verdict.answer.value}: there is no counterexample to highlight")
    return verdict.run
