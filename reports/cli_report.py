"""The command `tcpclose report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reports.cli_options import limits_of, model_options


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="The whole catalogue.")
@click.option(
    "--property", "only", multiple=True, metavar="NAME", help="Judge only this; repeatable."
)
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="The .html file to write."
)
@model_options
def report(
    names: Sequence[str],
    everything: bool,
    only: Sequence[str],
    out: Path,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Check MODELs and write one HTML file to look at them in a browser.

    It has the verdicts, each counterexample as a ladder to step through, the folded graph beside
    it, and every state and step of a model of up to 5,000 states, to search and to walk through.
    The file needs no network.  Exit status as of `tcpclose check`.
    """
    from reports.reporting import run_report

    limits = limits_of(max_states, max_seconds, max_memory)
    return run_report(
        out, names, everything=everything, only=only, settings=settings, limits=limits
    )
