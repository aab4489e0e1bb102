"""Work that is done in several processes, where processes can be forked."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Task = TypeVar("Task")
Found = TypeVar("Found")

_WORK: list[Callable[[Any], Any]] = []
"""What a forked process does; it cannot be handed over, for a user's rows may be lambdas."""


def processors() -> int:
    """Return how many processes are of use if nobody says how many there shall be."""
    return multiprocessing.cpu_count()


def in_processes(
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    processes: int = 0,
    *,
    fresh: bool = True,
) -> list[Found]:
    """Return what `work` gives for each task, in their order.

    processes: how many, 0 for as many as there are processors.  fresh: whether each task has a
    process of its own, so that what a solver answers does not hang on the tasks that it has seen.
    """
    wanted = processes or processors()
    if wanted == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [work(task) for task in tasks]
    _WORK.append(work)
    try:
        with multiprocessing.get_context("fork").Pool(
            wanted, maxtasksperchild=1 if fresh else None
        ) as pool:
            return pool.map(_forked, tasks, chunksize=1)
    finally:
        _WORK.pop()


def _forked(task: Any) -> Any:  # Any: of whatever kind the work takes and gives
    return _WORK[-1](task)
