"""Ticks in a report: as many as follow each other are one line, `TICK` or `3 TICKS`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.run import Run

TICKS = re.compile(r"^(?:([1-9][0-9]{0,6}) +)?TICKS?$")


def ticks_text(count: int) -> str:
    """Return so many ticks in words."""
    return Event.TICK.words if count == 1 else f"{count} TICKS"


def ticks_in(text: str) -> int:
    """Return how many ticks the words say; 0 if they say something else."""
    found = TICKS.match(text)
    return int(found[1] or 1) if found else 0


def stretches(run: Run) -> Iterator[tuple[int, int]]:
    """Return the run's steps as (number of the first, how many): ticks in a row are one.

    What repeats for ever begins a stretch of its own.
    """
    first, count = 0, 0
    for number, step in enumerate(run.steps):
        is_tick = step.action.event is Event.TICK
        goes_on = is_tick and count and number != run.loop
        if goes_on and run.steps[first].action.event is Event.TICK:
            count += 1
            continue
        if count:
            yield first, count
        first, count = number, 1
    if count:
        yield first, count
