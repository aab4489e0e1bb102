"""`tcpclose draw`: explore, find the counterexample to highlight, and write the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from properties.check import properties_of
from properties.judge import judge
from reports.draw import check_suffix, drawn, suffix_of
from reports.files import write
from reports.loading import one_model
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace


def draw_command(
    name: str | None,
    of: str,
    prop: str | None,
    out: Path,
    settings: Sequence[str],
    limits: Mapping[str, Any],  # Any: a number of states or of seconds, or None
) -> int:
    """Draw a model into a file and return the exit status: 3 if exploration was cut short."""
    check_suffix(suffix_of(out))
    model = one_model(name, settings)
    space = explore(model, **limits)
    run = _counterexample(space, prop) if prop is not None else None
    write(out, drawn(space, of, suffix_of(out), run))
    click.echo(f"wrote {out}: {of} graph of {model.name}, {len(space):,} states", err=True)
    if not space.complete:
        click.echo(f"not complete: {space.stopped}", err=True)
        return 3
    return 0


def _counterexample(space: StateSpace, name: str) -> Run:
    known = {prop.name: prop for prop in properties_of(space.model)}
    if name not in known:
        raise ModelError(f"no property {name!r}{nearest(name, known)}")
    verdict = judge(space, known[name])
    if verdict.run is None:
        raise ModelError(f"{name} {verdict.answer.value}: there is no counterexample to highlight")
    return verdict.run
