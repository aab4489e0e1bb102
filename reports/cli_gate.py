"""The commands that hold models against each other: `baseline`, `interop` and `sweep`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reports.cli_options import NOTES, OUT, limits_of, model_options

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
@click.option("--format", "form", type=click.Choice(["text", "junit", "github"]), default=None)
@OUT
def check_command(
    file: Path,
    engine: str,
    max_seconds: float | None,
    max_states: int | None,
    form: str | None,
    out: Path | None,
) -> int:
    """Check the models of FILE again and say what has moved: verdict, count, graph, row.

    --format github adds annotations on the rows that have moved, and a summary where
    GITHUB_STEP_SUMMARY names its file; -o FILE.xml writes JUnit XML.  Exit status: 0 nothing,
    1 something, 3 a limit was hit.
    """
    from reports.baselining import run_compare

    limits = limits_of(max_states, max_seconds, None) | {"engine": engine}
    return run_compare(file, limits, form, out)


@click.command()
@click.argument("of_a", metavar="MODEL,...")
@click.option("--with", "of_b", required=True, metavar="MODEL,...", help="The tables of end B.")
@click.option(
    "--in",
    "within",
    default="rfc9293",
    metavar="MODEL",
    help="Whose network, timers, users and bounds; default: rfc9293.",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default=None)
@OUT
@model_options
def interop(
    of_a: str,
    of_b: str,
    within: str,
    form: str | None,
    out: Path | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Check different tables at the two ends: each of the first at A with each of --with at B.

    Of a model whose ends have two tables the edited one is meant; if both are, the end's own.
    The matrix names, for each pair, the requirements that are violated.  -o FILE: .txt, .json,
    .md, or a picture, .svg or .png.  Exit status: 0 whatever the verdicts are, 3 where one is
    unknown.
    """
    from reports.interop import run_interop

    limits = limits_of(max_states, max_seconds, max_memory)
    return run_interop(of_a, of_b, within, form, settings, limits, out)


@click.command()
@click.argument("name", required=False, metavar="[MODEL]")
@click.option(
    "--property", "only", multiple=True, metavar="NAME", help="Judge only this; repeatable."
)
@click.option(
    "--processes", type=click.IntRange(min=0), default=0, help="How many; 0: all processors."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv", "markdown"]), default=None
)
@NOTES
@OUT
@model_options
def sweep(
    name: str | None,
    only: Sequence[str],
    processes: int,
    form: str | None,
    notes: bool,
    out: Path | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Check a MODEL at every combination of parameters, and say where its verdicts change.

    --set takes several values here: a range of whole numbers (network.capacity=1..3), or values
    with commas between them (network.order=fifo,any), a pair in parentheses
    (application.data_units=(1,0),(1,1)).  A name may be short where it is plain what is meant.

    For each property that changes: a table; whether it is monotone along each parameter; at a
    change the shortest run on the one side, and how far it goes on the other.  A model that hits a
    limit (--max-... is of each) is unknown, never guessed.  -o FILE: .txt, .json, .csv, .md, or a
    picture, .svg or .png.  Exit status: as of `check`, over all the models.
    """
    from reports.sweeping import Asked, run_sweep

    limits = limits_of(max_states, max_seconds, max_memory)
    return run_sweep(Asked(name, settings, only, form, out, notes, processes, limits))
