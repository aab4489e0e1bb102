"""The visited set of the large mode as one object: its cells, its stash, and when they grow."""

from __future__ import annotations

import numpy as np

from tcpclose_model.engines.fast.expanding import INSERTED
from tcpclose_model.engines.fast.visited import STASH_FULL, Cells, cells_for, grow, insert, mixed
from tcpclose_model.errors import DefectError
from tcpclose_model.limits import Limits

LOAD = 0.8
"""Share of the slots in use at which the set grows."""

LOAD_MAX = 0.93
"""Share of the slots in use at which the set is full, where memory lets it grow no more."""

STASH = 1 << 16
"""Slots of the stash."""

SMALL_CELLS_FROM = 1 << 27
"""Slots up to which a set may begin with so that its cells are of 4 bytes, not 8."""


class VisitedSet:
    """The visited set: its cells, its stash, and how they grow."""

    def __init__(self, key_bits: int, limits: Limits) -> None:
        self.key_bits, self.limits = key_bits, limits
        slots, cell = 1 << 16, 32
        while (cells := cells_for(key_bits, slots, cell)) is None:
            slots *= 2
            if slots > SMALL_CELLS_FROM:
                slots, cell = 1 << 16, 64
        self.cells: Cells = cells
        self.stash = np.zeros(STASH, np.int64)
        self.shared = np.zeros(8, np.int64)
        self.full = False
        kind = np.uint32 if cell == 32 else np.int64
        # The most that memory has room for is reserved; pages are taken as they are first used.
        size = max(int(0.9 * limits.room()) * 8 // cell, 2 * slots + (1 << 15))
        self._most_slots = min(size - (1 << 15), (1 << 31) - 1)
        self.table = np.zeros(self._most_slots + (1 << 15), kind)

    @property
    def most(self) -> int:
        """Keys at which the set must grow."""
        return int((LOAD_MAX if self._at_most() else LOAD) * self.cells.slots)

    def add(self, key: int) -> None:
        """Add one key."""
        insert(self.table, self.cells, self.stash, self.shared, mixed(key, self.cells.key_bits))
        self.shared[INSERTED] += 1

    def make_room(self) -> None:
        """Grow if the set is nearly full and memory allows; else, when it is, say so."""
        if self.shared[INSERTED] < self.most:
            return
        slots = self._next_slots()
        if slots <= self.cells.slots:
            self.full = True
            return
        new = cells_for(self.key_bits, slots, 8 * self.table.itemsize)
        if new is None:
            raise DefectError(f"keys of {self.key_bits} bits fit no cell of {slots} slots")
        if grow(self.table, self.cells, new, self.stash, self.shared) == STASH_FULL:
            raise DefectError("the stash of the visited set is full: a state was lost")
        self.cells = new

    def _next_slots(self) -> int:
        slots = self.cells.slots
        wanted = 2 * slots if slots < 1 << 26 else slots + slots // 2
        room = self.limits.room() * 9 // 10 // self.table.itemsize
        return min(wanted, self._most_slots, slots + max(room, 0))

    def _at_most(self) -> bool:
        return self._next_slots() < self.cells.slots * 9 // 8
