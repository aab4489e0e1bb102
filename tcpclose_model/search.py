"""Breadth-first exploration of a model."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.engines.tabulate import A_SHIFT, AB_SHIFT, B_SHIFT, BA_SHIFT, MASK, Tables
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.space import StateSpace

Progress = Callable[[int, int, int], None]
"""Called now and then with depth, states found and states still to expand."""

LOOK_EVERY = 4_096
"""States between two looks at the clock."""


def explore(
    model: Model,
    *,
    max_states: int | None = None,
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> StateSpace:
    """Return the state space of `model`, explored breadth-first and in canonical order.

    Stops early, with the reason in `StateSpace.stopped`, once `max_states` states have been
    found, after `max_seconds` seconds, when memory runs out, or at an interrupt (Ctrl-C): what
    has been found so far is kept.  Raises ModelError if a table is not legal or a limit is none.
    """
    if max_seconds is not None and not max_seconds >= 0:
        raise ModelError(f"max_seconds: {max_seconds!r} is not a number of seconds")
    search = _Search(Tables(PlainEngine(model)), max_states, max_seconds, progress)
    with uncollected():
        try:
            search.run()
        except KeyboardInterrupt:
            search.stopped = "interrupted"
        except MemoryError as error:
            search.stopped = str(error) or "memory ran out"
    return search.space()


@contextmanager
def uncollected() -> Iterator[None]:
    """Run a block without garbage collection: it would take a third of the time and find little."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Search:
    def __init__(
        self,
        tables: Tables,
        max_states: int | None,
        max_seconds: float | None,
        progress: Progress | None,
    ) -> None:
        self.tables = tables
        self.max_states = max_states
        self.max_seconds = max_seconds
        self.deadline = None if max_seconds is None else time.monotonic() + max_seconds
        self.progress = progress
        start = tables.pack(tables.engine.initial)
        self.order = [start]
        self.number = {start: 0}
        self.first_step = [0]
        self.target: list[int] = []
        self.move: list[int] = []
        self.depth = 0
        self.stopped = ""

    def run(self) -> None:
        """Expand states in order until none is left or a limit is hit."""
        level_ends, expanded = 1, 0
        while expanded < len(self.order):
            if expanded % LOOK_EVERY == 0:
                self._look(expanded)
            if self.max_states is not None and len(self.order) > self.max_states:
                self.stopped = f"--max-states {self.max_states} was hit"
            if self.stopped:
                break
            self._expand(self.order[expanded])
            expanded += 1
            if expanded == level_ends:
                self.depth += 1
                level_ends = len(self.order)

    def _expand(self, key: int) -> None:
        """Find the steps of one state; all of them or, if interrupted, none."""
        number, known = self.number, len(self.number)
        moves, keys = self.tables.steps(key)
        # A state that is new gets the next number, which is how many are known so far.
        targets = [number.setdefault(reached, len(number)) for reached in keys]
        if len(number) > known:
            self.order += dict.fromkeys(k for k, n in zip(keys, targets, strict=True) if n >= known)
        self.target += targets
        self.move += moves
        self.first_step.append(len(self.target))

    def _look(self, expanded: int) -> None:
        if self.progress is not None and expanded:
            self.progress(self.depth, len(self.order), len(self.order) - expanded)
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.stopped = f"--max-seconds {self.max_seconds:g} was hit"

    def space(self) -> StateSpace:
        """Return what has been found; an interrupted expansion is undone."""
        expanded = len(self.first_step) - 1
        steps = self.first_step[expanded]
        del self.target[steps:], self.move[steps:]
        order = self.order[: max(self.target, default=0) + 1]
        levels = self._levels(expanded)
        tables = self.tables
        shifts = (A_SHIFT, B_SHIFT, AB_SHIFT, BA_SHIFT)
        a, b, a_to_b, b_to_a = ([key >> n & MASK for key in order] for n in shifts)
        bounded = tables.engine.model.bounds.retransmissions_max is not None
        cut = (
            n for n, key in enumerate(order) if bounded and tables.engine.is_cut(tables.unpack(key))
        )
        return StateSpace(
            model=tables.engine.model,
            tcbs=tables.tcbs.things,
            channels=tables.channels.things,
            moves=tables.moves.things,
            a=a,
            b=b,
            a_to_b=a_to_b,
            b_to_a=b_to_a,
            first_step=self.first_step,
            target=self.target,
            move=self.move,
            levels=levels,
            cut=frozenset(cut),
            stopped=self.stopped,
        )

    def _levels(self, expanded: int) -> list[int]:
        """Return where each depth begins, from the steps that are known.

        The first state of a depth is the first one found from the first state of the depth before.
        """
        levels, ends = [0], 1
        last = max(self.target, default=0) + 1
        while ends < last:
            levels.append(ends)
            first, stop = self.first_step[levels[-2]], self.first_step[min(ends, expanded)]
            ends = max(self.target[first:stop]) + 1
        return levels
