"""The visited set of the large mode as one object: its cells, its stash, and when they grow."""

from __future__ import annotations

from typing import Any

import numpy as np

from tcpclose_model.engines.fast.expanding import INSERTED
from tcpclose_model.engines.fast.visited import (
    STASH_FULL,
    Cells,
    cells_for,
    grow,
    insert,
    mixed,
    move,
)
from tcpclose_model.errors import DefectError
from tcpclose_model.limits import Limits

LOAD = 0.8
"""Share of the slots in use at which the set grows."""

LOAD_MAX = 0.93
"""Share of the slots in use at which the set is full, where memory lets it grow no more."""

STASH = 1 << 16
"""Slots of the stash."""

SMALL_CELLS_FROM = 1 << 22
"""Slots from which on cells of 4 bytes are used where keys fit; smaller sets begin with 8."""

TAIL = 1 << 15
"""Slots behind the last home."""


class VisitedSet:
    """The visited set: its cells, its stash, and how they grow."""

    def __init__(self, key_bits: int, limits: Limits) -> None:
        self.key_bits, self.limits = key_bits, limits
        cells = cells_for(key_bits, 1 << 16, 64)
        assert cells is not None, "a cell of 8 bytes holds any key"
        self.cells: Cells = cells
        self.stash = np.zeros(STASH, np.int64)
        self.shared = np.zeros(8, np.int64)
        self.full = False
        self.table = self._reserved(np.int64, 1 << 16)

    def _reserved(self, kind: type[np.generic], slots: int) -> np.ndarray[Any, np.dtype[Any]]:
        """Return an empty table of as many slots as memory has room for; it is taken when used."""
        room = int(0.9 * self.limits.room()) // np.dtype(kind).itemsize
        self._most_slots = min(max(room, slots), (1 << 31) - 1)
        return np.zeros(self._most_slots + TAIL, kind)

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
        small = cells_for(self.key_bits, slots, 32) if slots >= SMALL_CELLS_FROM else None
        if small is not None and self.table.itemsize == 8:
            old, before = self.table[: self.cells.slots + TAIL], self.cells
            self.table, self.cells = self._reserved(np.uint32, slots), small
            done = move(old, before, self.table, small, self.stash, self.shared)
        else:
            new = small if self.table.itemsize == 4 else cells_for(self.key_bits, slots, 64)
            assert new is not None, "more slots never need wider cells"
            done = grow(self.table, self.cells, new, self.stash, self.shared)
            self.cells = new
        if done == STASH_FULL:
            raise DefectError("the stash of the visited set is full: a state was lost")

    def _next_slots(self) -> int:
        slots = self.cells.slots
        wanted = slots * (4 if slots < 1 << 22 else 2) if slots < 1 << 26 else slots * 3 // 2
        room = self.limits.room() * 9 // 10 // self.table.itemsize
        return min(wanted, self._most_slots, slots + max(room, 0))

    def _at_most(self) -> bool:
        return self._next_slots() < self.cells.slots * 9 // 8
