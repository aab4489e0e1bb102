"""The commands that stand at a gate: `baseline`, which says what an edit has moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reports.cli_options import limits_of, model_options

ENGINE = click.option(
    "--engine", type=click.Choice(["auto", "plain", "fast"]), default="auto", hidden=True
)
FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def baseline() -> None:
    """Keep what models do in a FILE, and say later what has moved.

    For each model: its verdicts, counts, a fingerprint of what can be observed of its graph, and
    the rows of its tables.  The file is text, made for `git diff`.  Model files are named as from
    the folder that the command runs in.
    """


@baseline.command(name="write")
@FILE
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="The whole catalogue.")
@ENGINE
@model_options
def write_command(
    file: Path,
    names: Sequence[str],
    everything: bool,
    engine: str,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Check MODELs and write what they do to FILE.

    Exit status: 0 written, 3 not written, because a limit was hit.
    """
    from reports.baselining import run_write

    limits = limits_of(max_states, max_seconds, max_memory) | {"engine": engine}
    return run_write(file, names, everything=everything, settings=settings, limits=limits)


@baseline.command(name="check")
@FILE
@ENGINE
@click.option("--max-seconds", type=click.FloatRange(min=0, max=1e9), help="Stop exploring then.")
@click.option("--max-states", type=click.IntRange(min=1), help="Stop exploring then.")
def check_command(
    file: Path, engine: str, max_seconds: float | None, max_states: int | None
) -> int:
    """Check the models of FILE again and say what has moved: verdict, count, graph, row.

    Exit status: 0 nothing, 1 something, 3 a limit was hit.
    """
    from reports.baselining import run_compare

    return run_compare(file, limits_of(max_states, max_seconds, None) | {"engine": engine})
