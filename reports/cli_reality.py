"""The commands that look at real hosts: `conform` and `diagnose`."""

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


@click.command()
@click.argument(
    "captures", nargs=-1, required=True, metavar="CAPTURE...", type=click.Path(path_type=Path)
)
@click.option("--model", metavar="MODEL", help="Judge by this model's tables only.")
@click.option("--complete", is_flag=True, help="The captures miss nothing that has reached an end.")
@click.option("--packets", is_flag=True, help="Show the possible states after each packet.")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text")
def conform(
    captures: Sequence[Path], model: str | None, complete: bool, packets: bool, form: str
) -> int:
    """Say of each TCP connection in CAPTUREs whether its close is a run of the model.

    CAPTUREs are pcap or pcapng files, gzipped or not; - is standard input.  Without --model a close
    may be that of RFC 9293 with what real stacks add, or of a profile of a real stack.  JSON comes
    as one object a line.

    The exit status is 1 if a close deviates, else 3 if one could not be judged or there is none.
    """
    from reports.conforming import Asked, run_conform

    return run_conform(captures, Asked(model, complete, form, packets))
