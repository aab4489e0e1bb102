"""How far a check has come: a line that moves on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from tcpclose_model.limits import Progress, Stage
from tcpclose_model.memory import in_words

LOG_EVERY = 10.0
"""Seconds between two lines of a log; a check that is over sooner writes none."""


def stage_line(stage: Stage, seconds: float) -> str:
    """Return depth, states, frontier, rate and memory after `seconds`, or what is judged.

    Nobody knows how many states there will be, so nothing is said of the time that is left.
    """
    memory = in_words(stage.memory)
    if stage.judging:
        return f"judging {stage.judging} over {stage.states:,} states, {memory}"
    rate = stage.states / max(seconds, 0.001)
    return (
        f"depth {stage.depth}, {stage.states:,} states, {stage.frontier:,} to expand, "
        f"{rate:,.0f} states/s, {memory}"
    )


@contextmanager
def watched(name: str) -> Iterator[Progress]:
    """Give the callback that shows on standard error how far the check of a model has come."""
    began = time.monotonic()
    if not sys.stderr.isatty():
        yield _logged(name, began, time.monotonic)
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("exploring", spinner="line") as status:
        yield lambda stage: status.update(Text(stage_line(stage, time.monotonic() - began)))


def _logged(name: str, began: float, now: Callable[[], float]) -> Progress:
    due = began + LOG_EVERY

    def log(stage: Stage) -> None:
        nonlocal due
        at = now()
        if at >= due:
            due = at + LOG_EVERY
            seconds = at - began
            click.echo(f"{name}: {seconds:.0f} s: {stage_line(stage, seconds)}", err=True)

    return log
