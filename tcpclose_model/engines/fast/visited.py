"""The set of visited states of the large mode: exact, shared by threads, a few bytes a state.

A key is mixed by a bijection; the high bits of the mixed key choose its home, a slot, and what the
home does not tell of it, the remainder, is stored, with how far behind its home it stands (Cleary
1984).  So a cell of 4 bytes holds a key of some 50 bits exactly.  Slots are filled by compare and
swap and never emptied while threads run.  A key that would stand too far behind its home goes to
the stash, a small table of whole keys; nothing is ever dropped.

Homes keep the order of mixed keys, so the table grows in place, from its end.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from tcpclose_model.engines.fast.atoms import compare_and_swap, inlined, kernel

KNOWN, NEW, STASH_FULL = 0, 1, 2
"""What came of an insertion."""

HOME_BITS = 32
"""High bits of a mixed key that choose its home."""

MIX = 0x9E3779B97F4A7C15 >> 2 | 1, 0x3F58476D1CE4E5B9 | 1
"""Odd multipliers below 2 ** 62."""

GROW_BUFFER = 1 << 20


class Cells(NamedTuple):
    """How keys stand in cells: bits of a key, slots, bits of the remainder and of the distance."""

    key_bits: int
    slots: int
    remainder_bits: int
    distance_bits: int
    used: int


def cells_for(key_bits: int, slots: int, cell_bits: int) -> Cells | None:
    """Return how keys stand in cells of so many bits, or None if they do not fit them well."""
    key_bits = max(key_bits, HOME_BITS)
    homes = -(-(1 << HOME_BITS) // slots)
    remainder = key_bits - HOME_BITS + max(homes - 1, 0).bit_length()
    distance = min(min(cell_bits, 63) - 1 - remainder, 14)
    if distance < 7:
        return None
    return Cells(key_bits, slots, remainder, distance, 1 << remainder + distance)


@inlined
def mixed(key, bits):
    """Return a key under a bijection of words of so many bits."""
    mask = (1 << bits) - 1
    half = bits // 2
    key = key * MIX[0] & mask
    key ^= key >> half
    key = key * MIX[1] & mask
    return key ^ key >> half


@inlined
def home_of(mixed_key, cells):
    """Return the slot where a mixed key belongs."""
    return (mixed_key >> cells.key_bits - HOME_BITS) * cells.slots >> HOME_BITS


@inlined
def insert(table, cells, stash, counts, mixed_key):
    """Put a mixed key into the set; return KNOWN, NEW or STASH_FULL.

    counts[0] counts what the stash holds.
    """
    home = home_of(mixed_key, cells)
    remainder = mixed_key & (1 << cells.remainder_bits) - 1
    wanted = cells.used | remainder << cells.distance_bits
    for distance in range(1 << cells.distance_bits):
        stands = np.int64(table[home + distance])
        if stands == 0:
            stands = np.int64(compare_and_swap(table, home + distance, 0, wanted + distance))
            if stands == 0:
                return NEW
        if stands == wanted + distance:
            return KNOWN
    return _stashed(stash, counts, mixed_key)


@kernel
def _stashed(stash, counts, mixed_key):
    """Put a mixed key into the stash: a table of keys plus one, 0 where empty."""
    slots = stash.size
    place = mixed_key % slots
    for _ in range(slots):
        stands = stash[place]
        if stands == 0:
            stands = compare_and_swap(stash, place, 0, mixed_key + 1)
            if stands == 0:
                counts[0] += 1
                return NEW
        if stands == mixed_key + 1:
            return KNOWN
        place = (place + 1) % slots
    return STASH_FULL


@inlined
def _first_of(home, cells):
    """Return the least number of HOME_BITS bits that belongs to a home."""
    return ((home << HOME_BITS) + cells.slots - 1) // cells.slots


@inlined
def key_at(table, cells, place):
    """Return the mixed key in a cell that is in use."""
    stands = np.int64(table[place]) & cells.used - 1
    distance = stands & (1 << cells.distance_bits) - 1
    remainder = stands >> cells.distance_bits
    low = cells.key_bits - HOME_BITS
    first = _first_of(place - distance, cells)
    mask = (1 << cells.remainder_bits - low) - 1
    high = first + ((remainder >> low) - first & mask)
    return high << low | remainder & (1 << low) - 1


@njit(cache=True, nogil=True)
def grow(table, old, new, stash, counts):
    """Spread the keys over more slots of the same array, from its end; return NEW or STASH_FULL."""
    buffer = np.empty(GROW_BUFFER + stash.size, np.int64)
    end = old.slots + (1 << old.distance_bits)
    status = NEW
    while end > 0:
        # What is left to spread must not be where the keys of this part go.
        begin = max(end - GROW_BUFFER, 0)
        if begin < GROW_BUFFER // 2:
            begin = 0
            if end > buffer.size:
                buffer = np.empty(end, np.int64)
        count = 0
        for place in range(begin, end):
            if table[place] != 0:
                buffer[count] = key_at(table, old, place)
                table[place] = 0
                count += 1
        for at in range(count):
            if insert(table, new, stash, counts, buffer[at]) == STASH_FULL:
                status = STASH_FULL
        end = begin
    # What did not fit behind its old home may fit behind its new one, and is looked for there.
    stashed = stash[stash != 0] - 1
    stash[:] = 0
    counts[0] = 0
    for at in range(stashed.size):
        if insert(table, new, stash, counts, stashed[at]) == STASH_FULL:
            status = STASH_FULL
    return status


@njit(cache=True, nogil=True)
def move(table, old, other, new, stash, counts):
    """Put every key of a table into another, empty one; return NEW or STASH_FULL."""
    stashed = stash[stash != 0] - 1
    stash[:] = 0
    counts[0] = 0
    status = NEW
    for place in range(table.size):
        if table[place] != 0:
            key = key_at(table, old, place)
            if insert(other, new, stash, counts, key) == STASH_FULL:
                status = STASH_FULL
    for at in range(stashed.size):
        if insert(other, new, stash, counts, stashed[at]) == STASH_FULL:
            status = STASH_FULL
    return status
