"""Breadth-first exploration of a model."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise

from tcpclose_model.engines.plain import PlainEngine, ProductState
from tcpclose_model.engines.tabulate import (
    A_SHIFT,
    AB_SHIFT,
    B_SHIFT,
    BA_SHIFT,
    LOSSES_SHIFT,
    MASK,
    Tables,
)
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.limits import Limits, Progress
from tcpclose_model.model import Model, plain_only
from tcpclose_model.space import StateSpace

LOOK_EVERY = 4_096
"""States between two looks at the clock."""

ENGINES = ("auto", "plain", "fast")

GUESS_FROM = 8_000
"""States from which on the size of a model is guessed."""

PLAIN_STATES = 80_000
"""States that the plain engine explores in about a second; a model with more is handed over."""

INSTALL = "pip install 'tcpclose-model[fast]'"


def explore(
    model: Model,
    *,
    engine: str = "auto",
    max_states: int | None = None,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    progress: Progress | None = None,
) -> StateSpace:
    """Return the state space of `model`, explored breadth-first and in canonical order.

    engine: "plain"; "fast" (tables and a compiled kernel: the same graph, sooner; needs the extra
        `fast`); "auto": plain, and fast for a model that turns out to be large.

    Stops early, with the reason in `StateSpace.stopped`, once `max_states` states have been
    found, after `max_seconds` seconds, before the process holds more than `max_memory` bytes
    (default: what the machine has free, less a margin), or at an interrupt (Ctrl-C): what has been
    found so far is kept.  Raises ModelError if a table is not legal or a limit is none.
    """
    limits = Limits(max_states, max_seconds, max_memory, progress)
    return explore_within(model, limits, engine)


def explore_within(model: Model, limits: Limits, engine: str = "auto") -> StateSpace:
    """Return the state space of `model`, as `explore` does."""
    if engine not in ENGINES:
        raise ModelError(f"engine: {engine!r} is not an engine{nearest(engine, ENGINES)}")
    if engine == "fast" and not has_fast_engine():
        raise ModelError(f"the fast engine is not installed: {INSTALL}")
    refuse_all_but_plain(model, engine)
    search = None
    if engine != "fast":
        hands_over = engine == "auto" and not plain_only(model)
        search = _Search(Tables(PlainEngine(model)), limits, hands_over=hands_over)
        with uncollected():
            search.run_guarded()
        if not search.handed_over:
            return search.space()
    return _explored_fast(model, limits, search)


def explore_until(
    model: Model,
    is_settled: Callable[[ProductState], bool],
    *,
    max_states: int | None = None,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    progress: Progress | None = None,
) -> StateSpace:
    """Return the part of the state space that is found without going on from settled states.

    They are in it, with no steps from them.  A claim about steps that never happen from a settled
    state on has the same verdict as in the whole space, with a run as short; no other claim has.
    Stops early as `explore` does; the plain engine's steps.
    """
    search = _Search(
        Tables(PlainEngine(model)),
        Limits(max_states, max_seconds, max_memory, progress),
        hands_over=False,
        is_settled=is_settled,
    )
    with uncollected():
        search.run_guarded()
    return search.space()


def _explored_fast(model: Model, limits: Limits, search: _Search | None) -> StateSpace:
    """Return the state space by the fast engine; a model too wide for it goes on in `search`."""
    with limits.interruptible():
        from tcpclose_model.engines.fast.numbered import TooWideError, explore_numbered

        try:
            return explore_numbered(model, limits)
        except TooWideError as error:
            too_wide = error
    if search is None:
        raise ModelError(f"the fast engine: {too_wide}")
    search.go_on()
    with uncollected():
        search.run_guarded()
    return search.space()


def refuse_all_but_plain(model: Model, engine: str) -> None:
    """Raise ModelError if an engine is asked for that does not know everything of the model."""
    reason = plain_only(model)
    if reason and engine not in ("auto", "plain"):
        raise ModelError(f"--engine {engine} does not know {reason}: use --engine plain")


def has_fast_engine() -> bool:
    """Return whether the fast engine can be loaded; nothing is loaded to find out."""
    return find_spec("numba") is not None


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


def expected_states(sizes: Sequence[int]) -> int:
    """Return a guess of how many states a model has, given the sizes of its first depths.

    The logarithm of a depth's size is nearly a parabola over the depth; it is continued.
    """
    logs = [math.log(size) for size in sizes[-7:]]
    growths = [after - before for before, after in pairwise(logs)]
    if len(growths) < 2:
        return sum(sizes)
    bend = min((growths[-1] - growths[0]) / (len(growths) - 1), -0.01)
    total, size, growth = sum(sizes), logs[-1], growths[-1]
    while size > 0 and total < 1 << 62:
        growth += bend
        size += growth
        total += int(math.exp(min(size, 60)))
    return total


class _Search:
    def __init__(
        self,
        tables: Tables,
        limits: Limits,
        *,
        hands_over: bool,
        is_settled: Callable[[ProductState], bool] | None = None,
    ) -> None:
        self.tables = tables
        self.limits = limits
        self.is_settled = is_settled
        self.hands_over = hands_over and has_fast_engine()
        self.handed_over = False
        start = tables.pack(tables.engine.initial)
        self.order = [start]
        self.number = {start: 0}
        self.first_step = [0]
        self.target: list[int] = []
        self.move: list[int] = []
        self.expanded = 0
        self.level_ends = [1]
        self.stopped = ""

    def run_guarded(self) -> None:
        """Run; an interrupt or a lack of memory stops the search."""
        try:
            self.run()
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        except MemoryError as error:
            self.stopped = str(error) or "memory ran out"

    def run(self) -> None:
        """Expand states in order until none is left, a limit is hit or the model proves large."""
        while self.expanded < len(self.order):
            if self.expanded % LOOK_EVERY == 0:
                self._look()
            if len(self.order) > (self.limits.max_states or math.inf):
                self.stopped = self.limits.hit(len(self.order))
            if self.stopped or self.handed_over:
                break
            self._expand(self.order[self.expanded])
            self.expanded += 1
            if self.expanded == self.level_ends[-1]:
                self.level_ends.append(len(self.order))
                self._guess()

    def go_on(self) -> None:
        """Take back that the model was handed over."""
        self.hands_over = self.handed_over = False

    def _guess(self) -> None:
        """Hand the model over if it looks too large for this engine."""
        found = len(self.order)
        if not self.hands_over or found < GUESS_FROM or self.expanded == found:
            return
        ends = self.level_ends
        sizes = [after - before for before, after in pairwise([0, *ends])]
        few = self.limits.max_states is not None and self.limits.max_states <= PLAIN_STATES
        self.handed_over = not few and expected_states(sizes) > PLAIN_STATES

    def _expand(self, key: int) -> None:
        """Find the steps of one state; all of them or, if interrupted, none."""
        number, known = self.number, len(self.number)
        settled = self.is_settled is not None and self.is_settled(self.tables.unpack(key))
        moves, keys = ([], []) if settled else self.tables.steps(key)
        # A state that is new gets the next number, which is how many are known so far.
        targets = [number.setdefault(reached, len(number)) for reached in keys]
        if len(number) > known:
            self.order += dict.fromkeys(k for k, n in zip(keys, targets, strict=True) if n >= known)
        self.target += targets
        self.move += moves
        self.first_step.append(len(self.target))

    def _look(self) -> None:
        found = len(self.order)
        if self.expanded:
            self.limits.tell(len(self.level_ends) - 1, found, found - self.expanded)
        self.stopped = self.limits.hit(found)
        if found > PLAIN_STATES and self.limits.room() < 0:
            self.stopped = self.limits.out_of_memory()
        model = self.tables.engine.model
        goes_further = not has_fast_engine() and not plain_only(model)
        if self.stopped and goes_further and found > PLAIN_STATES:
            self.stopped += f"; the fast engine goes further: {INSTALL}"

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
        counted = tables.engine.model.network.losses_max is not None
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
            losses=[key >> LOSSES_SHIFT for key in order] if counted else [],
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
