"""The bound of any search with this set of visited states: only the look-ups, no model.

Every successor of every state, in the order of the search, is put into a set that has its final
size from the start.  Generating successors would come on top of that.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

import time

import numpy as np
from numba import njit

from tcpclose_model.engines.fast.atoms import prefetch
from tcpclose_model.engines.fast.visited import NEW, cells_for, home_of, insert, mixed
from tcpclose_model.space import StateSpace

BATCH = 512
FILTER_BITS = 16
STASH = 1 << 16
LOAD = 0.8


@njit(cache=True, nogil=True)
def replay_kernel(stream, table, cells, stash, shared):
    """Put keys into the set in batches, fetching ahead; return how many were new, or -1."""
    recent = np.full(1 << FILTER_BITS, -1, np.int64)
    mixes = np.empty(BATCH, np.int64)
    new = 0
    for begin in range(0, stream.size, BATCH):
        count = 0
        for at in range(begin, min(begin + BATCH, stream.size)):
            mix = mixed(stream[at], cells.key_bits)
            place = mix & (1 << FILTER_BITS) - 1
            if recent[place] != mix:
                recent[place] = mix
                mixes[count] = mix
                prefetch(table, home_of(mix, cells))
                count += 1
        for at in range(count):
            found = insert(table, cells, stash, shared, mixes[at])
            if found == NEW:
                new += 1
            elif found != 0:
                return -1
    return new


def replayed(space: StateSpace) -> tuple[float, int, int]:
    """Return the seconds that the look-ups of a search take, its states, the bytes of the set."""
    b, channels = len(space.tcbs), len(space.channels)
    keys = np.asarray(space.a).astype(np.int64) * b + space.b
    keys = (keys * channels + space.a_to_b) * channels + space.b_to_a
    stream = np.concatenate([keys[:1], keys[np.asarray(space.target)]])
    bits, slots = int(keys.max()).bit_length(), int(len(space) / LOAD) + 1
    small, wide = cells_for(bits, slots, 32), cells_for(bits, slots, 64)
    table = np.zeros(slots + (1 << 15), np.int64 if small is None else np.uint32)
    stash, shared = np.zeros(STASH, np.int64), np.zeros(8, np.int64)
    began = time.perf_counter()
    new = replay_kernel(stream, table, small or wide, stash, shared)
    return time.perf_counter() - began, new, table.nbytes
