"""The commands that look at real hosts: `diagnose`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.command()
@click.argument("file", required=False, metavar="[FILE|-]", type=click.Path(path_type=Path))
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    metavar="STATE",
    help="Exit with 1 if a socket is in this state, such as close-wait; repeatable.",
)
@FORMAT
def diagnose(file: Path | None, fail_on: Sequence[str], form: str) -> int:
    """Explain the closing sockets in a FILE: what it waits for, until when, whose fault it is.

    FILE holds what `ss -tanoep` prints, or /proc/net/tcp or tcp6; without one it is read from
    standard input.
    """
    from reports.diagnosing import run_diagnose

    return run_diagnose(file, form, fail_on)
