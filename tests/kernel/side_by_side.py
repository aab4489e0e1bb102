"""Scripts that are played side by side: while one waits for a timer, the others go on."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol


class Playing(Protocol):
    """What a script is played on: `has_news` is whether something has come that it may wait for."""

    @property
    def has_news(self) -> bool: ...


@dataclass
class Running:
    """A script that is being played: it goes on once there is news for it, or it is time.

    steps: yields the time until which it has nothing to do.
    failure: why it has not come to its end.
    """

    name: str
    on: Playing
    steps: Iterator[float]
    until: float = 0.0
    failure: str = ""


def side_by_side(
    todo: Iterable[Callable[[], Running]],
    done: Callable[[Running], None],
    read: Callable[[], None],
    fds: list[int],
    seconds_max: float,
    at_once_max: int | None = None,
) -> None:
    """Play all scripts to their end; between two waits a script has the process alone.

    todo: each begins a script.  done: is told of one that is over.
    read: hands out what has come on `fds`.  at_once_max: of scripts that are being played.
    """
    deadline = time.monotonic() + seconds_max
    waiting: list[Running] = []
    left = iter(todo)
    more = True
    while time.monotonic() < deadline:
        read()
        ready = [one for one in waiting if one.on.has_news or one.until <= time.monotonic()]
        if ready:
            running = min(ready, key=lambda one: one.until)
            waiting.remove(running)
        elif more and (at_once_max is None or len(waiting) < at_once_max):
            begin = next(left, None)
            more = begin is not None
            if begin is None:
                continue
            running = begin()
        elif waiting:
            until = min(deadline, *(one.until for one in waiting))
            select.select(fds, [], [], max(0.0, until - time.monotonic()))
            continue
        else:
            return
        if _goes_on(running):
            waiting.append(running)
        else:
            done(running)
    for running in waiting:
        running.failure = "the time for all scripts was over"
        done(running)


def _goes_on(running: Running) -> bool:
    """Let a script go on; return whether it waits for something again."""
    try:
        running.until = next(running.steps)
    except StopIteration:
        return False
    except (OSError, RuntimeError) as error:
        running.failure = f"{type(error).__name__}: {error}"
        return False
    return True
