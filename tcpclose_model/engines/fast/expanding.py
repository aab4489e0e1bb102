"""The kernel of the large mode: expand a chunk of states into the set of visited states.

Several threads run `expand` on one chunk at a time; what they share is the chunk's cursor, the
set and the stash, everything else is a thread's own.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from tcpclose_model.engines.fast.atoms import fetch_and_add, inlined, kernel, prefetch
from tcpclose_model.engines.fast.steps import STEPS_MAX, steps, steps_of
from tcpclose_model.engines.fast.visited import NEW, STASH_FULL, home_of, insert, mixed

BATCH = 64
FILTER_BITS = 16

STASHED, CURSOR, STOP, INSERTED, BROKEN, DEPTH = 0, 1, 2, 3, 4, 5
"""Places in the array that threads share: how many keys are in the stash, the next state to take,
whether to stop, keys in the set, whether the stash overflowed, the depth that is expanded."""

OUT, DEFERRED, STUCK, STATES, STEPS = 0, 1, 2, 3, 4
"""Places in a thread's tallies: keys in `out`, `deferred` and `stuck`; states of the full graph
found new, and steps of it taken."""


class Mine(NamedTuple):
    """What a thread has for itself.

    out: new keys; deferred, missing: keys that a table entry is missing for, and which;
    stuck: keys that no step leaves; pairs, idle: how many states have each pair of ends, and
    whether one of them has nothing in flight; made, first_made: steps by code and peer, and the
    depth of the first, or empty arrays; sent_on: steps of the network by code; recent: a filter of
    keys lately looked up; scratch: four arrays to work in (see `scratch`).
    """

    out: Any
    deferred: Any
    missing: Any
    stuck: Any
    pairs: Any
    idle: Any
    made: Any
    first_made: Any
    sent_on: Any
    recent: Any
    scratch: Any
    tallies: Any


def scratch() -> tuple[Any, ...]:
    """Return arrays for the steps of one state, keys and codes, and for the keys of a batch."""
    sizes = (STEPS_MAX, STEPS_MAX, BATCH * STEPS_MAX, BATCH * STEPS_MAX)
    return tuple(np.empty(size, np.int64) for size in sizes)


@inlined
def swapped(shape, key):
    """Return the key of the state in which the two ends have changed places."""
    width = shape.channel_bits
    mask = (1 << width) - 1
    ends = key >> 2 * width
    a, b = ends & (1 << shape.a_bits) - 1, ends >> shape.a_bits
    return (key & mask) << width | key >> width & mask | (b | a << shape.a_bits) << 2 * width


@kernel
def expand(machine, cells, table, stash, shared, chunk, most, symmetric, mine):
    """Expand states of a chunk until it is used up, `most` keys are known, or a buffer is full."""
    out, deferred, missing, stuck, pairs, idle, made, first_made = mine[:8]
    sent_on, recent, scratch, tallies = mine[8:]
    keys, codes, news, mixes = scratch
    shape = machine[4]
    while not shared[STOP] and shared[INSERTED] < most:
        room = tallies[OUT] + BATCH * STEPS_MAX <= out.size
        if not room or tallies[DEFERRED] + BATCH > deferred.size:
            break
        if tallies[STUCK] + BATCH > stuck.size:
            break
        begin = fetch_and_add(shared, CURSOR, BATCH)
        if begin >= chunk.size:
            break
        count = 0
        for at in range(begin, min(begin + BATCH, chunk.size)):
            key = chunk[at]
            end = steps(machine, key, keys, codes, 0)
            if end < 0:
                deferred[tallies[DEFERRED]] = key
                missing[tallies[DEFERRED]] = -1 - end
                tallies[DEFERRED] += 1
                continue
            twice = symmetric and swapped(shape, key) != key
            tallies[STEPS] += 2 * end if twice else end
            if made.size:
                _tally_steps(
                    shape, key, codes, end, twice, made, first_made, shared[DEPTH], sent_on
                )
            leaves = False
            for step in range(end):
                reached = keys[step]
                if reached == key:
                    continue
                leaves = True
                if symmetric:
                    reached = min(reached, swapped(shape, reached))
                mix = mixed(reached, cells.key_bits)
                place = mix & (1 << FILTER_BITS) - 1
                if recent[place] != reached:
                    recent[place] = reached
                    news[count], mixes[count] = reached, mix
                    prefetch(table, home_of(mix, cells))
                    count += 1
            if not leaves:
                stuck[tallies[STUCK]] = key
                tallies[STUCK] += 1
        full = _insert_all(
            shape, cells, table, stash, shared, news, mixes, count, symmetric,
            out, pairs, idle, tallies,
        )  # fmt: skip
        if full:
            shared[BROKEN] = 1
            shared[STOP] = 1


@kernel
def _insert_all(
    shape, cells, table, stash, shared, news, mixes, count, symmetric, out, pairs, idle, tallies
):
    """Put keys into the set, the new ones into `out` too; return whether the stash is full."""
    width = shape.channel_bits
    before = tallies[OUT]
    for at in range(count):
        found = insert(table, cells, stash, shared, mixes[at])
        if found == NEW:
            key = news[at]
            out[tallies[OUT]] = key
            tallies[OUT] += 1
            ends = key >> 2 * width
            a, b = ends & (1 << shape.a_bits) - 1, ends >> shape.a_bits
            twice = symmetric and swapped(shape, key) != key
            pairs[a, b] += 1
            tallies[STATES] += 2 if twice else 1
            if twice:
                pairs[b, a] += 1
            if key & (1 << 2 * width) - 1 == 0:
                idle[a, b] = 1
                if twice:
                    idle[b, a] = 1
        elif found == STASH_FULL:
            return True
    fetch_and_add(shared, INSERTED, tallies[OUT] - before)
    return False


@kernel
def _tally_steps(shape, key, codes, count, twice, made, first_made, depth, sent_on):
    """Count the steps of a state, by what they are and by the peer that stands by."""
    ends = key >> 2 * shape.channel_bits
    a, b = ends & (1 << shape.a_bits) - 1, ends >> shape.a_bits
    for step in range(count):
        code = codes[step]
        if code >= 0:
            peer = a if code & 1 else b
            if made[code, peer] == 0:
                first_made[code, peer] = depth
            made[code, peer] += 1
            if twice:
                if made[code ^ 1, peer] == 0:
                    first_made[code ^ 1, peer] = depth
                made[code ^ 1, peer] += 1
        else:
            sent_on[-1 - code] += 1
            if twice:
                sent_on[(-1 - code) ^ 1] += 1


@njit(cache=True, nogil=True)
def leading_to(machine, chunk, target):
    """Return the states of a chunk that have a step to `target`."""
    keys = np.empty(STEPS_MAX, np.int64)
    codes = np.empty(STEPS_MAX, np.int64)
    found = np.empty(chunk.size, np.int64)
    count = 0
    for key in chunk:
        for step in range(steps_of(machine, key, keys, codes)):
            if keys[step] == target:
                found[count] = key
                count += 1
                break
    return found[:count].copy()


@njit(cache=True, nogil=True)
def taking(machine, chunk, made, sent_on):
    """Return the states of a chunk with a marked step: made[code, peer] or sent_on[-1 - code]."""
    keys = np.empty(STEPS_MAX, np.int64)
    codes = np.empty(STEPS_MAX, np.int64)
    found = np.empty(chunk.size, np.int64)
    count = 0
    shape = machine[4]
    for key in chunk:
        both = key >> 2 * shape.channel_bits
        a, b = both & (1 << shape.a_bits) - 1, both >> shape.a_bits
        for step in range(steps_of(machine, key, keys, codes)):
            code = codes[step]
            if made[code, a if code & 1 else b] if code >= 0 else sent_on[-1 - code]:
                found[count] = key
                count += 1
                break
    return found[:count].copy()
