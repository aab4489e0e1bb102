"""The bound of any search with this set of visited states: only the look-ups, no model.

Every successor of every state, in the order of the search, goes through the filter of recent keys
into a set that has its final size from the start, as in `engines.fast.expanding`.  Generating
successors and counting would come on top of that.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

import time

import numpy as np
from numba import njit

from tcpclose_model.engines.fast.atoms import GROUP_BYTES, load, prefetch, store
from tcpclose_model.engines.fast.expanding import AHEAD, FILTER_BITS, FILTER_MIX
from tcpclose_model.engines.fast.visited import (
    KNOWN,
    NEW,
    TAIL,
    cells_for,
    home_of,
    insert_at,
    mixed,
)
from tcpclose_model.engines.fast.visited_set import LOAD
from tcpclose_model.space import StateSpace

BATCH = 512
STASH = 1 << 18


@njit(cache=True, nogil=True, _nrt=False)
def replay_kernel(stream, table, cells, stash, shared, recent, scratch):
    """Put keys into the set in batches, fetching ahead; return how many were new, or -1."""
    news, mixes, homes = scratch
    lanes = GROUP_BYTES // table.itemsize
    new = 0
    for begin in range(0, stream.size, BATCH):
        count = 0
        for at in range(begin, min(begin + BATCH, stream.size)):
            key = load(stream, at)
            place = key * FILTER_MIX >> 63 - FILTER_BITS & (1 << FILTER_BITS) - 1
            store(news, count, key)
            count += load(recent, place) != key
            store(recent, place, key)
        for at in range(count):
            mix = mixed(load(news, at), cells.key_bits)
            store(mixes, at, mix)
            store(homes, at, home_of(mix, cells))
        for at in range(AHEAD):
            store(homes, count + at, 0)
            prefetch(table, load(homes, at) * lanes)
        for at in range(count):
            prefetch(table, load(homes, at + AHEAD) * lanes)
            found = insert_at(table, cells, stash, shared, load(mixes, at), load(homes, at))
            if found == NEW:
                new += 1
            elif found != KNOWN:
                return -1
    return new


def replayed(space: StateSpace) -> tuple[float, int, int]:
    """Return the seconds that the look-ups of a search take, its states, the bytes of the set."""
    b, channels = len(space.tcbs), len(space.channels)
    keys = np.asarray(space.a).astype(np.int64) * b + space.b
    keys = (keys * channels + space.a_to_b) * channels + space.b_to_a
    stream = np.concatenate([keys[:1], keys[np.asarray(space.target)]])
    bits = int(keys.max()).bit_length()
    cells = None
    kind: type[np.generic]
    for kind in (np.uint32, np.int64):
        lanes = GROUP_BYTES // np.dtype(kind).itemsize
        cells = cells_for(bits, int(len(space) / LOAD / lanes) + 1, 512 // lanes)
        if cells is not None:
            break
    assert cells is not None, "a cell of 8 bytes holds any key"
    table = aligned(cells.groups + TAIL).view(kind)
    stash, shared = np.zeros(STASH, np.int64), np.zeros(64, np.int64)
    recent = np.full(1 << FILTER_BITS, -1, np.int64)
    scratch = tuple(np.empty(BATCH + AHEAD, np.int64) for _ in range(3))
    began = time.perf_counter()
    new = replay_kernel(stream, table, cells, stash, shared, recent, scratch)
    return time.perf_counter() - began, new, table.nbytes


def aligned(groups: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return empty memory for so many groups, from the beginning of a cache line on."""
    raw = np.zeros((groups + 1) * GROUP_BYTES, np.uint8)
    begin = -raw.ctypes.data % GROUP_BYTES
    return raw[begin : begin + groups * GROUP_BYTES].view(np.int64)
