"""The large mode: every state is visited, and counted, but neither states nor steps are kept.

What is known afterwards is how many states have each pair of ends, which states nothing leaves,
and how often each step was taken beside each peer; from that safety is judged (`properties.large`).
A level is the unit of work: nothing but the set of visited states and one frontier outlives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tcpclose_model.engines.fast.expanding import (
    BATCH,
    BROKEN,
    CURSOR,
    DEFERRED,
    DEPTH,
    FILTER_BITS,
    INSERTED,
    OUT,
    STATES,
    STEPS,
    STOP,
    STUCK,
    Mine,
    expand,
    scratch,
)
from tcpclose_model.engines.fast.layout import Machine
from tcpclose_model.engines.fast.packing import Packing
from tcpclose_model.engines.fast.steps import STEPS_MAX
from tcpclose_model.engines.fast.tables import Tables
from tcpclose_model.engines.fast.visited_set import VisitedSet, expected_keys
from tcpclose_model.errors import DefectError
from tcpclose_model.limits import Limits
from tcpclose_model.memory import resident

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 1 << 18
"""Keys in a piece of a frontier."""

DEPTH_MAX = (1 << 15) - 1
"""A depth that no search reaches."""


class OutgrownError(Exception):
    """A number has outgrown its bits in the key; the search begins again with more."""


@dataclass
class Counts:
    """What a search has counted, over the full graph even where symmetry was used.

    pairs: states by the numbers of A's and B's TCB; idle: whether one of them has both channels
    empty; first_pairs: the depth at which each pair first occurred, -1 where it never did.
    made: steps by code (see `steps`) and the peer's number; sent_on: the network's steps by
    -1 - code; first_*: the depth at which each was first taken, if it was.  memory: bytes that the
    process grew by.  stuck: (depth, key) of the states that no step leaves.
    """

    states: int = 1
    transitions: int = 0
    depth: int = 0
    stored: int = 1
    stopped: str = ""
    bytes_a_state: float = 0.0
    cell_bytes: int = 0
    memory: int = 0
    packing: Packing = field(default=Packing(0, 0, 0, 0))  # a tuple is immutable
    pairs: Array = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    idle: Array = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    first_pairs: Array = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    made: Array = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    first_made: Array = field(default_factory=lambda: np.zeros((0, 0), np.int16))
    sent_on: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    first_sent_on: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    stuck: list[tuple[int, int]] = field(default_factory=list)


class LargeSearch:
    """One search in the large mode.

    tables: may have been filled by an earlier search; counts_steps: whether steps are counted one
    by one (`Counts.made`); symmetric: whether a state and its mirror image are stored as one;
    threads: how many, or 0 for as many as there are processors; depth_max: expand no state of this
    depth; on_level: called with each depth and the keys of its states.
    """

    def __init__(
        self,
        tables: Tables,
        limits: Limits,
        *,
        threads: int = 0,
        symmetric: bool = False,
        counts_steps: bool = True,
        depth_max: int | None = None,
        on_level: Callable[[int, list[Array]], None] | None = None,
    ) -> None:
        self.tables, self.limits = tables, limits
        self.threads = threads or processors()
        self.symmetric = symmetric
        self.counts_steps = counts_steps
        self.depth_max = depth_max
        self.on_level = on_level
        self.packing: Packing = tables.packing()
        self.counts = Counts()

    def run(self) -> Counts:
        """Search, beginning again whenever a number has outgrown its bits; return the counts."""
        began = resident()
        while True:
            try:
                self._search(began)
                return self.counts
            except OutgrownError:
                self.packing = self.tables.packing()
                del self._set

    def _search(self, began: int) -> None:
        self.counts = Counts()
        self._set = VisitedSet(self.packing.bits, self.limits)
        self._steps_gathered = 0
        self._sizes = [1]
        self._new_threads()
        initial = self.packing.pack(0, 0, 0, 0)
        self._set.add(initial)
        self._mine[0].pairs[0, 0] = 1
        self._mine[0].idle[0, 0] = 1
        self._gather()
        self._mark_first("pairs", "first_pairs")
        self._machine: Machine = self.tables.machine(
            self.packing, ordered=False, coded=self.counts_steps
        )
        frontier = [np.array([initial], np.int64)]
        self._most_memory = began
        with ThreadPoolExecutor(self.threads) as pool:
            self._pool = pool
            try:
                while frontier and not self.counts.stopped:
                    if self.on_level is not None:
                        self.on_level(self.counts.depth, frontier)
                    if self.counts.depth == self.depth_max:
                        break
                    frontier = self._level(frontier)
            except KeyboardInterrupt:
                self._set.shared[STOP] = 1
                self.counts.stopped = "interrupted"
            except MemoryError:
                self.counts.stopped = self.limits.out_of_memory()
        self._gather()
        self._gather_steps()
        self.counts.stored = int(self._set.shared[INSERTED])
        self.counts.packing = self.packing
        self.counts.memory = max(self._most_memory, resident()) - began
        self.counts.bytes_a_state = self.counts.memory / max(self.counts.states, 1)
        self.counts.cell_bytes = self._set.table.itemsize

    def _level(self, frontier: list[Array]) -> list[Array]:
        """Expand one level; return the next."""
        following: list[Array] = []
        left = sum(len(chunk) for chunk in frontier)
        while frontier and not self.counts.stopped:
            chunk = frontier.pop()
            left -= len(chunk)
            following += self._expand(chunk)
            waiting = left + sum(len(keys) for keys in following)
            self._look(waiting)
        for mine in self._mine:
            following += _taken(mine.out, mine.tallies, OUT)
        following = [keys for keys in following if len(keys)]
        self._gather()
        if self.counts.transitions - self._steps_gathered > 1 << 31:  # counters have 32 bits
            self._gather_steps()
        self._mark_first("sent_on", "first_sent_on")
        if following and not self.counts.stopped:
            self.counts.depth += 1
            self._sizes.append(sum(len(keys) for keys in following))
            self._set.shared[DEPTH] = self.counts.depth
            if self.counts.depth >= DEPTH_MAX:
                raise DefectError(f"a search is deeper than {DEPTH_MAX:,} steps")
        self._mark_first("pairs", "first_pairs")
        return following

    def _expand(self, chunk: Array) -> list[Array]:
        """Expand a chunk; return what was found new, but for what the threads still hold."""
        following: list[Array] = []
        shared = self._set.shared
        while len(chunk):
            waiting = []
            shared[CURSOR] = 0
            while shared[CURSOR] < len(chunk):
                self._set.make_room(expected_keys(self._sizes))
                if self._set.full:
                    self.counts.stopped = self.limits.out_of_memory()
                    return following
                self._run_threads(chunk)
                if shared[BROKEN]:
                    raise DefectError("the stash of the visited set is full: a state was lost")
                for mine in self._mine:
                    if mine.tallies[OUT] > len(mine.out) // 2:
                        following += _taken(mine.out, mine.tallies, OUT)
                    self._note_stuck(mine)
                self._look(0, quiet=True)
                if self.counts.stopped:
                    return following
                waiting.append(self._filled())
            chunk = np.concatenate(waiting)
        return following

    def _run_threads(self, chunk: Array) -> None:
        visited = self._set
        work: tuple[Any, ...] = (self._machine, visited.cells, visited.table, visited.stash)
        work += (visited.shared, chunk, visited.most, self.symmetric)
        if len(chunk) < 1 << 12:
            expand(*work, self._mine[0])
            return
        running: list[Future[None]] = [
            self._pool.submit(partial(expand, *work, mine)) for mine in self._mine
        ]
        try:
            wait(running)
        except KeyboardInterrupt:
            self._set.shared[STOP] = 1
            wait(running)
            raise
        for thread in running:
            thread.result()

    def _filled(self) -> Array:
        """Fill the table entries that were missed; return the states that wait for them."""
        missing: set[int] = set()
        waiting: list[Array] = []
        for mine in self._mine:
            count = int(mine.tallies[DEFERRED])
            missing.update(mine.missing[:count].tolist())
            waiting += _taken(mine.deferred, mine.tallies, DEFERRED)
        if missing:
            self.tables.fill(missing)
            if not self.tables.fits(self.packing):
                raise OutgrownError
            self._widen()
            self._machine = self.tables.machine(
                self.packing, ordered=False, coded=self.counts_steps
            )
        return np.concatenate(waiting) if waiting else np.empty(0, np.int64)

    def _note_stuck(self, mine: Mine) -> None:
        for keys in _taken(mine.stuck, mine.tallies, STUCK):
            found = set(keys.tolist())
            if self.symmetric:
                found |= {self.packing.swapped(key) for key in found}
            self.counts.stuck += [(self.counts.depth, key) for key in sorted(found)]

    def _look(self, waiting: int, *, quiet: bool = False) -> None:
        found = 1 + sum(int(mine.tallies[STATES]) for mine in self._mine)
        self.counts.stopped = self.counts.stopped or self.limits.hit(found)
        if not quiet:
            held = resident()
            self._most_memory = max(self._most_memory, held)
            if held > self.limits.memory:
                self.counts.stopped = self.limits.out_of_memory()
            self.limits.tell(self.counts.depth, found, waiting)

    def _new_threads(self) -> None:
        a, b = (1 << (len(tcbs) - 1).bit_length() for tcbs in self.tables.tcbs)
        made = (4 * self._entries(), max(a, b)) if self.counts_steps else (0, 0)
        self._mine = [self._new_mine((a, b), made) for _ in range(self.threads)]

    def _new_mine(self, pairs: tuple[int, int], made: tuple[int, int]) -> Mine:
        counters = np.zeros(made, np.uint32)
        return Mine(
            out=np.empty(CHUNK + 2 * BATCH * STEPS_MAX, np.int64),
            deferred=np.empty(1 << 10, np.int64),
            missing=np.empty(1 << 10, np.int64),
            stuck=np.empty(1 << 14, np.int64),
            pairs=np.zeros(pairs, np.uint32),
            idle=np.zeros(pairs, np.uint8),
            made=counters,
            made_flat=counters.reshape(-1),
            first_made=np.zeros(made, np.int16),
            sent_on=np.zeros(8 << self.packing.slot_bits, np.int64),
            recent=np.full(1 << FILTER_BITS, -1, np.int64),
            scratch=scratch(),
            tallies=np.zeros(64, np.int64),
        )

    def _entries(self) -> int:
        return 1 << max(len(self.tables.entries), 64).bit_length()

    def _widen(self) -> None:
        """Make the threads' tallies as large as the tables have become."""
        old = self._mine[0]
        tcbs = self.tables.tcbs
        fits = all(len(known) <= size for known, size in zip(tcbs, old.pairs.shape, strict=True))
        if fits and (not self.counts_steps or 4 * len(self.tables.entries) <= len(old.made)):
            return
        self._gather()
        self._gather_steps()
        kept, self._mine = self._mine, []
        self._new_threads()
        for new, mine in zip(self._mine, kept, strict=True):
            new.tallies[:] = mine.tallies
            new.recent[:] = mine.recent
            for name in ("out", "deferred", "stuck"):
                getattr(new, name)[:] = getattr(mine, name)

    def _gather(self) -> None:
        """Add what the threads have counted to the counts, and let them begin again."""
        counts = self.counts
        counts.states = 1 + sum(int(mine.tallies[STATES]) for mine in self._mine)
        counts.transitions = sum(int(mine.tallies[STEPS]) for mine in self._mine)
        for mine in self._mine:
            for name in ("pairs", "idle", "sent_on"):
                _add(counts, name, getattr(mine, name))

    def _gather_steps(self) -> None:
        """Do the same with the steps by kind and peer, of which there are many kinds.

        Rows of kinds that were never made are left alone, and so take no memory.
        """
        counts = self.counts
        for mine in self._mine:
            shape = mine.made.shape
            counts.made = _as_large(counts.made, shape)
            counts.first_made = _as_large(counts.first_made, shape)
            codes = np.flatnonzero(mine.made.any(axis=1))
            place = codes[:, None], np.arange(shape[1])
            made, first = counts.made[place], counts.first_made[place]
            part, depths = mine.made[codes], mine.first_made[codes]
            earlier = (part > 0) & ((made == 0) | (depths < first))
            counts.first_made[place] = np.where(earlier, depths, first)
            counts.made[place] = made + part
            mine.made[codes] = 0
        self._steps_gathered = counts.transitions

    def _mark_first(self, name: str, first: str) -> None:
        """Note the depth of whatever has occurred for the first time."""
        total = getattr(self.counts, name)
        known = _as_large(getattr(self.counts, first), total.shape, fill=-1)
        known[(total > 0) & (known < 0)] = self.counts.depth
        setattr(self.counts, first, known)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _add(counts: Counts, name: str, part: Array) -> None:
    """Add a thread's counts to those of that name, and clear them."""
    total = _as_large(getattr(counts, name), part.shape)
    total[tuple(slice(0, size) for size in part.shape)] += part
    setattr(counts, name, total)
    part[...] = 0


def _taken(buffer: Array, tallies: Array, place: int) -> Iterator[Array]:
    """Give a copy of what a buffer holds, and empty it."""
    count = int(tallies[place])
    if count:
        tallies[place] = 0
        yield buffer[:count].copy()


def _as_large(array: Array, shape: tuple[int, ...], fill: int = 0) -> Array:
    """Return the array, made as large as `shape` where it is smaller."""
    shape = tuple(max(sizes) for sizes in zip(array.shape, shape, strict=True))
    if array.shape == shape:
        return array
    larger = np.full(shape, fill, array.dtype)
    larger[tuple(slice(0, size) for size in array.shape)] = array
    return larger
