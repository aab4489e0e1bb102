"""Options that mean the same for every command, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])  # Any: click calls a command with its parameters


def _size(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Return a size of memory in bytes."""
    from tcpclose_model.memory import in_bytes

    size = None if text is None else in_bytes(text)
    if text is not None and size is None:
        raise click.BadParameter(f"{text!r} is not a size such as 8G, 500M or 1000000")
    return size


SET = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter or a switch (see: tcpclose list parameters); repeatable.",
)


def model_options(function: F) -> F:
    """Add the options that mean the same for every command that explores a model."""
    for option in (
        click.option(
            "--max-seconds", type=click.FloatRange(min=0, max=1e9), help="Stop exploring then."
        ),
        click.option(
            "--max-memory",
            metavar="SIZE",
            callback=_size,
            help="Stop exploring before the process holds more, such as 8G; default: what is free.",
        ),
        click.option("--max-states", type=click.IntRange(min=1), help="Stop exploring then."),
        SET,
    ):
        function = option(function)
    return function


def limits_of(
    max_states: int | None, max_seconds: float | None, max_memory: int | None
) -> dict[str, Any]:  # Any: numbers of different kinds
    """Return the limits of an exploration as `explore` takes them."""
    return {"max_states": max_states, "max_seconds": max_seconds, "max_memory": max_memory}


OUT = click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Where to write: a file, its ending chooses the format; a directory for several files.",
)


NOTES = click.option(
    "--notes/--no-notes", default=True, help="Say rules, clauses and changes beside a ladder."
)


RUN_FORMATS = ("text", "json", "mermaid", "packetdrill")
"""The formats of a run that are text, so that they can be printed."""
