"""The visited set of the large mode as one object: its cells, its stash, and when they grow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from tcpclose_model.engines.fast.atoms import GROUP_BYTES
from tcpclose_model.engines.fast.expanding import INSERTED, STASHED
from tcpclose_model.engines.fast.visited import (
    STASH_FULL,
    TAIL,
    Cells,
    cells_for,
    grow,
    insert,
    mixed,
    move,
)
from tcpclose_model.errors import DefectError
from tcpclose_model.limits import Limits

Array = np.ndarray[Any, np.dtype[Any]]

LOAD = 0.85
"""Share of the cells in use at which the set grows."""

LOAD_MAX = 0.9
"""Share of the cells in use at which the set is full, where memory lets it grow no more."""

STASH = 1 << 18
"""Slots of the stash."""

FIRST_BYTES = ((32, 1 << 23), (32, 1 << 25), (64, 1 << 20))
"""Bits of a cell and bytes of a new set; the first that keys fit."""

AMPLE = 1.03
"""Times as many keys as are expected for which a set is made."""

EARLY = 1 / 16
"""Share of the expected keys from which on the expectation is good enough to grow for."""

GROWTH_MAX = 16
"""Times that a set becomes larger at once."""


BEND_GROWTH = 1.08
"""Found by comparing guesses with the sizes of explored models."""


class VisitedSet:
    """The visited set: its cells, its stash, and how they grow."""

    def __init__(self, key_bits: int, limits: Limits) -> None:
        self.key_bits, self.limits = key_bits, limits
        self.cells, self.cell_bits = self._fitting(
            (bits, size // GROUP_BYTES) for bits, size in FIRST_BYTES
        )
        self.stash = np.zeros(STASH, np.int64)
        self.shared = np.zeros(64, np.int64)
        self.full = False
        self.table = self._reserved()

    def _fitting(self, sizes: Iterable[tuple[int, int]]) -> tuple[Cells, int]:
        """Return the first of some sizes, bits of a cell and groups, that keys fit."""
        for bits, groups in sizes:
            cells = cells_for(self.key_bits, groups, bits)
            if cells is not None:
                return cells, bits
        raise DefectError("a cell of 8 bytes holds any key")

    def _reserved(self) -> Array:
        """Return an empty table of as many groups as memory has room for; they are taken when used.

        It begins at a cache line.
        """
        room = int(0.9 * self.limits.room()) // GROUP_BYTES
        self._most_groups = min(max(room, self.cells.groups), (1 << 31) - 1)
        kind = np.uint32 if self.cell_bits == 32 else np.int64
        size = (self._most_groups + TAIL) * GROUP_BYTES
        raw = np.zeros(size + GROUP_BYTES, np.uint8)
        begin = -raw.ctypes.data % GROUP_BYTES
        return raw[begin : begin + size].view(kind)

    @property
    def most(self) -> int:
        """Keys at which the set must grow."""
        load = LOAD_MAX if self._at_most() else LOAD
        return int(load * self.cells.groups * _lanes(self.cell_bits))

    def add(self, key: int) -> None:
        """Add one key."""
        insert(self.table, self.cells, self.stash, self.shared, mixed(key, self.cells.key_bits))
        self.shared[INSERTED] += 1

    def make_room(self, expected: int = 0) -> None:
        """Grow if the set is nearly full and memory allows; else, when it is, say so.

        expected: how many keys there will be, as far as one can tell.
        """
        known, now = int(self.shared[INSERTED]), self.cells.groups * _lanes(self.cell_bits)
        early = expected * EARLY < known and expected > now  # while there is little to move
        if known < self.most and self.shared[STASHED] < STASH // 2 and not early:
            return
        if self._at_most():
            self.full = known >= self.most or not early
            return
        wanted = min(max(int(expected * AMPLE / LOAD), now * 5 // 4), now * GROWTH_MAX)
        sizes = [(bits, self._at_hand(wanted // _lanes(bits) + 1)) for bits in (32, 64)]
        before, old, bits = self.cells, self.table, self.cell_bits
        self.cells, self.cell_bits = self._fitting(sizes if bits == 64 else sizes[:1])
        if self.cell_bits == bits:
            done = grow(old, before, self.cells, self.stash, self.shared)
        else:
            old = old[: (before.groups + TAIL) * _lanes(bits)]
            self.table = self._reserved()
            done = move(old, before, self.table, self.cells, self.stash, self.shared)
        if done == STASH_FULL:
            raise DefectError("the stash of the visited set is full: a state was lost")

    def _at_hand(self, groups: int) -> int:
        """Return so many groups, or as many as memory has room for."""
        room = self.limits.room() * 9 // 10 // GROUP_BYTES
        return min(groups, self._most_groups, self.cells.groups + max(room, 0))

    def _at_most(self) -> bool:
        """Return whether memory has no room for an eighth more."""
        more = self.cells.groups * 9 // 8
        return self._at_hand(more + 1) <= more


def _lanes(cell_bits: int) -> int:
    """Return the cells of a group."""
    return GROUP_BYTES * 8 // cell_bits


def expected_keys(sizes: list[int]) -> int:
    """Return a guess of how many keys a search will find, given the sizes of its first depths.

    The logarithm of a depth's size rises ever more slowly and then falls ever faster; its last
    bend is continued, and grows by BEND_GROWTH a depth.  (`search.expected_states` guesses from
    fewer depths, and too high at this size.)
    """
    logs = [math.log(size) for size in sizes[-4:]]
    growths = [after - before for before, after in pairwise(logs)]
    if len(growths) < 3:
        return sum(sizes)
    bend = min((growths[2] - growths[0]) / 2, -0.01)
    total, size, growth = float(sum(sizes)), logs[-1], growths[-1]
    while size > 0 and total < 1e18:
        bend *= BEND_GROWTH
        growth += bend
        size += growth
        total += math.exp(size)
    return int(total)
