"""`tcpclose suite`: runs that cover all that one end of a model does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from reports.covering import covering_suite
from reports.loading import one_model
from reports.suite_files import rows_covered, suite_files, write_suite
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.search import explore


def run_suite(
    name: str | None,
    out: Path,
    end: int,
    settings: Sequence[str],
    limits: Mapping[str, Any],  # Any: a number of states or of seconds, or None
    *,
    every_step: bool,
) -> int:
    """Explore the model, write the suite of an end, and return the exit status."""
    model = one_model(name, settings)
    space = explore(model, **limits)
    suite = covering_suite(space, end, every_step=every_step)
    write_suite(out, suite_files(suite))
    rows = rows_covered(suite)
    covered = sum(bool(row.cases) for row in rows)
    click.echo(
        f"wrote {out}: {len(suite.cases)} runs cover all {len(suite.behaviours)} behaviours of "
        f"{ENDS[end]} in {model.name}, and {covered} of its {len(rows)} rows"
    )
    if space.complete:
        return 0
    click.echo(f"unknown: there may be more, but {space.stopped}")
    return 3
