"""The set of visited states of the large mode: exact, shared by threads, a few bytes a state.

A key is mixed by a bijection; the high bits of the mixed key choose its home, a group of cells, and
what the home does not tell of it, the remainder, is stored, with how many groups behind its home
it stands (Cleary 1984).  So a cell of 4 bytes holds a key of some 50 bits exactly.  A group is a
cache line, and all its cells are compared at once.  Cells are filled in order, by compare and
swap, and never emptied while threads run.  A key that would stand too far behind its home goes to
the stash, a small table of whole keys; nothing is ever dropped.

Homes keep the order of mixed keys, so the table grows in place, from its end.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tcpclose_model.engines.fast.atoms import (
    EMPTY_SHIFT,
    GROUP_BYTES,
    compare_and_swap,
    lanes_with,
    load,
    lowest_bit,
)
from tcpclose_model.engines.fast.compiled import inlined, kernel, making_arrays

KNOWN, NEW, STASH_FULL = 0, 1, 2
"""What came of an insertion."""

HOME_BITS = 32
"""High bits of a mixed key that choose its home."""

MIX = 0x9E3779B97F4A7C15 >> 2 | 1, 0x3F58476D1CE4E5B9 | 1
"""Odd multipliers below 2 ** 62."""

DISTANCE_BITS_MAX = 6
TAIL = 1 << DISTANCE_BITS_MAX
"""Groups behind the last home."""

GROW_BUFFER = 1 << 13
"""Groups that are spread at a time when the table grows."""


class Cells(NamedTuple):
    """How keys stand in cells: bits of a key, groups, bits of the remainder and of the distance.

    A cell is remainder << distance_bits | groups behind the home, plus 1; 0 where empty.
    """

    key_bits: int
    groups: int
    remainder_bits: int
    distance_bits: int


def cells_for(key_bits: int, groups: int, cell_bits: int) -> Cells | None:
    """Return how keys stand in cells of so many bits, or None if they do not fit them well."""
    key_bits = max(key_bits, HOME_BITS)
    homes = -(-(1 << HOME_BITS) // groups)
    remainder = key_bits - HOME_BITS + max(homes - 1, 0).bit_length()
    distance = min(min(cell_bits, 63) - remainder, DISTANCE_BITS_MAX)
    if distance < 3:
        return None
    return Cells(key_bits, groups, remainder, distance)


@kernel
def mixed(key, bits):
    """Return a key under a bijection of words of so many bits, the high ones mixed best."""
    mask = (1 << bits) - 1
    key = key * MIX[0] & mask
    key ^= key >> bits // 2
    return key * MIX[1] & mask


@kernel
def home_of(mixed_key, cells):
    """Return the group where a mixed key belongs."""
    return (mixed_key >> cells.key_bits - HOME_BITS) * cells.groups >> HOME_BITS


@inlined
def insert(table, cells, stash, counts, mixed_key):
    """Put a mixed key into the set; return KNOWN, NEW or STASH_FULL.

    counts[0] counts what the stash holds.
    """
    return insert_at(table, cells, stash, counts, mixed_key, home_of(mixed_key, cells))


@inlined
def insert_at(table, cells, stash, counts, mixed_key, home):
    """Do what `insert` does, where the home is known."""
    lanes = GROUP_BYTES // table.itemsize
    at = home * lanes
    remainder = mixed_key & (1 << cells.remainder_bits) - 1
    wanted = remainder << cells.distance_bits
    for _ in range((1 << cells.distance_bits) - 1):
        wanted += 1
        lanes_now = lanes_with(table, at, wanted)
        if lanes_now & (1 << EMPTY_SHIFT) - 1:
            return KNOWN
        empty = lanes_now >> EMPTY_SHIFT
        while empty:
            stands = np.int64(compare_and_swap(table, at + lowest_bit(empty), 0, wanted))
            if stands == 0:
                return NEW
            if stands == wanted:
                return KNOWN
            empty &= empty - 1
        at += lanes
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
def first_of(home, cells):
    """Return the least number of HOME_BITS bits that belongs to a home."""
    return ((home << HOME_BITS) + cells.groups - 1) // cells.groups


@inlined
def key_from(stands, first, cells):
    """Return the mixed key in a cell that is in use, given the first number of its home."""
    remainder = stands >> cells.distance_bits
    low = cells.key_bits - HOME_BITS
    mask = (1 << cells.remainder_bits - low) - 1
    high = first + ((remainder >> low) - first & mask)
    return high << low | remainder & (1 << low) - 1


@kernel
def keys_in(table, cells, begin, end, keys):
    """Write the mixed keys in groups begin to end - 1; return how many there are."""
    lanes = GROUP_BYTES // table.itemsize
    count = 0
    for group in range(begin, end):
        near = first_of(group, cells)
        for place in range(group * lanes, (group + 1) * lanes):
            stands = np.int64(load(table, place))
            if stands == 0:
                break
            distance = (stands & (1 << cells.distance_bits) - 1) - 1
            first = near if distance == 0 else first_of(group - distance, cells)
            keys[count] = key_from(stands, first, cells)
            count += 1
    return count


@kernel
def put_new(table, cells, stash, counts, keys, count):
    """Put mixed keys that are not in the set into it; return NEW or STASH_FULL.

    No other thread may do anything with the set.
    """
    lanes = GROUP_BYTES // table.itemsize
    status = NEW
    for number in range(count):
        key = keys[number]
        at = home_of(key, cells) * lanes
        remainder = key & (1 << cells.remainder_bits) - 1
        for distance in range(1, 1 << cells.distance_bits):
            empty = lanes_with(table, at, 0) >> EMPTY_SHIFT
            if empty:
                table[at + lowest_bit(empty)] = remainder << cells.distance_bits | distance
                break
            at += lanes
        else:
            if _stashed(stash, counts, key) == STASH_FULL:
                status = STASH_FULL
    return status


@kernel
def clear(table, begin, end):
    """Empty groups begin to end - 1."""
    lanes = GROUP_BYTES // table.itemsize
    for place in range(begin * lanes, end * lanes):
        table[place] = 0


@making_arrays
def grow(table, old, new, stash, counts):
    """Spread the keys over more groups of the same array, from its end; return NEW or STASH_FULL.

    There must be an eighth more groups than before, or parts would meet.
    """
    lanes = GROUP_BYTES // table.itemsize
    buffer = np.empty(2 * GROW_BUFFER * lanes, np.int64)
    # What did not fit behind its old home may fit behind its new one, and is looked for there.
    stashed = stash[stash != 0] - 1
    stash[:] = 0
    counts[0] = 0
    end = old.groups + (1 << old.distance_bits)
    status = NEW
    while end > 0:
        # What is left to spread must not be where the keys of this part go.
        begin = max(end - GROW_BUFFER, 0)
        if begin < GROW_BUFFER // 2:
            begin = 0
        count = keys_in(table, old, begin, end, buffer)
        clear(table, begin, end)
        status = max(status, put_new(table, new, stash, counts, buffer, count))
        end = begin
    return max(status, put_new(table, new, stash, counts, stashed, stashed.size))


@making_arrays
def move(table, old, other, new, stash, counts):
    """Put every key of a table into another, empty one; return NEW or STASH_FULL."""
    lanes = GROUP_BYTES // table.itemsize
    buffer = np.empty(GROW_BUFFER * lanes, np.int64)
    stashed = stash[stash != 0] - 1
    stash[:] = 0
    counts[0] = 0
    status = put_new(other, new, stash, counts, stashed, stashed.size)
    groups = table.size // lanes
    for begin in range(0, groups, GROW_BUFFER):
        count = keys_in(table, old, begin, min(begin + GROW_BUFFER, groups), buffer)
        status = max(status, put_new(other, new, stash, counts, buffer, count))
    return status
