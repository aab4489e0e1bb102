"""The commands about real hosts: `conform`, `diagnose` and `suite`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reports.cli_options import limits_of, model_options

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
@click.option("--live", is_flag=True, help="Ask this host's kernel (Linux) instead.")
@click.option(
    "--state",
    metavar="STATE",
    help="The state of all, where the list has no such column (ss -tan state close-wait).",
)
@FORMAT
def diagnose(
    file: Path | None, fail_on: Sequence[str], live: bool, state: str | None, form: str
) -> int:
    """Explain the closing sockets in a FILE: what it waits for, until when, whose fault it is.

    FILE holds what `ss -tanoep` prints, or netstat, or /proc/net/tcp or tcp6; without one it is
    read from standard input.
    """
    from reports.diagnosing import run_diagnose

    return run_diagnose(file, form, fail_on, live=live, state=state)


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


@click.command()
@click.argument("name", required=False, metavar="[MODEL]")
@click.option(
    "-o", "--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Where to."
)
@click.option(
    "--end", type=click.Choice(["a", "b"]), default="a", help="Which end is to be tested."
)
@click.option(
    "--every-step",
    is_flag=True,
    help="Cover every event in every TCB, not only every state and row.",
)
@model_options
def suite(
    name: str | None,
    out: Path,
    end: str,
    every_step: bool,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Write runs that cover all that one end of a MODEL does, to test a real stack with.

    DIR gets each run as a packetdrill script and as JSON, a README.md that says which row and
    clause is covered by which, and the same as suite.json.  An older suite in DIR is replaced;
    anything else there is refused.  Exit status: 0 written, 3 written, but a limit was hit.
    """
    from reports.suiting import run_suite

    limits = limits_of(max_states, max_seconds, max_memory)
    return run_suite(name, out, "ab".index(end), settings, limits, every_step=every_step)
