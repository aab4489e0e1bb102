"""Shortest runs of models whose graph is not kept: search again, keep the levels, walk them back.

The levels of the second search go to a temporary file.  Of several shortest runs the one is
chosen that the plain engine would show: at each depth, going backwards, the canonically least
state.  So the run does not depend on threads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from tcpclose_model.engines.fast.expanding import leading_to
from tcpclose_model.engines.fast.large import CHUNK, LargeSearch
from tcpclose_model.engines.fast.layout import Machine
from tcpclose_model.engines.fast.packing import Packing
from tcpclose_model.engines.fast.tables import Tables
from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.errors import DefectError
from tcpclose_model.limits import Limits
from tcpclose_model.run import Run, check_run

Array = np.ndarray[Any, np.dtype[Any]]
Chooses = Callable[[Machine, Packing, Array], Array]
"""Of an array of keys, the ones wanted."""


class Levels:
    """Every state up to a depth, by depth, in a temporary file; a context that closes it."""

    def __init__(self, tables: Tables, depth: int, limits: Limits) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as this object
        self._ends: list[int] = [0]
        search = LargeSearch(
            tables, limits, counts_steps=False, depth_max=depth, on_level=self._keep
        )
        self.stopped = search.run().stopped
        self.tables, self.packing = tables, search.packing
        self.machine = tables.machine(search.packing, ordered=False)

    def __enter__(self) -> Levels:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _keep(self, depth: int, keys: list[Array]) -> None:
        del self._ends[depth + 1 :]  # the search may have begun again
        self._file.seek(self._ends[depth])
        for part in keys:
            part.tofile(self._file)
        self._file.flush()
        self._ends.append(self._file.tell())

    def keys(self, depth: int) -> Iterator[Array]:
        """Give the keys of a depth, part by part."""
        at, end = self._ends[depth], self._ends[depth + 1]
        while at < end:
            self._file.seek(at)
            part = np.fromfile(self._file, np.int64, min(CHUNK, (end - at) // 8))
            at += part.nbytes
            yield part

    def key_of(self, state: ProductState) -> int:
        """Return the key of a state."""
        return self.tables.key(self.packing, state)

    def least(self, depth: int, chooses: Chooses) -> int | None:
        """Return the canonically least of the chosen states of a depth."""
        found = [chooses(self.machine, self.packing, part) for part in self.keys(depth)]
        keys = np.concatenate(found) if found else np.empty(0, np.int64)
        if not len(keys):
            return None
        shift = 2 * self.packing.channel_bits
        numbers = (
            keys >> shift & (1 << self.packing.a_bits) - 1,
            keys >> shift + self.packing.a_bits,
        )
        for end, tcbs in enumerate(self.tables.tcbs):
            places = np.empty(len(tcbs), np.int64)
            places[sorted(range(len(tcbs)), key=tcbs.__getitem__)] = np.arange(len(tcbs))
            ranks = places[numbers[end]]
            best = ranks == ranks.min()
            keys, numbers = keys[best], (numbers[0][best], numbers[1][best])
        return int(min(keys.tolist(), key=lambda key: self.tables.state(self.packing, key)))

    def run_to(self, depth: int, key: int) -> list[ProductState]:
        """Return the states of the shortest run to a state of this depth."""
        states = [self.tables.state(self.packing, key)]
        for before in range(depth - 1, -1, -1):
            target = key
            found = self.least(before, lambda m, _, part: leading_to(m, part, target))  # noqa: B023  # called at once
            if found is None:
                raise DefectError(f"no step leads from depth {before} to a state of the next")
            key = found
            states.append(self.tables.state(self.packing, key))
        return states[::-1]


def through(engine: PlainEngine, states: list[ProductState], last: Transition | None = None) -> Run:
    """Return the run through these states, by the first step of each to the next, and then `last`.

    Every step is one that the plain engine takes.
    """
    steps = []
    for before, after in pairwise(states):
        step = next((s for s in engine.successors(before) if s.target == after), None)
        if step is None:
            raise DefectError(f"the plain engine takes no step from {before} to {after}")
        steps.append(step)
    if last is not None:
        steps.append(last)
        states = [*states, last.target]
    run = Run(engine.model, tuple(states), tuple(steps))
    check_run(run)
    return run
