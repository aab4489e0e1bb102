"""The kernel of the large mode: expand a chunk of states into the set of visited states.

Several threads run `expand` on one chunk at a time; what they share is the chunk's cursor, the
set and the stash, everything else is a thread's own.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tcpclose_model.engines.fast.atoms import GROUP_BYTES, fetch_and_add, load, prefetch, store
from tcpclose_model.engines.fast.compiled import kernel, making_arrays
from tcpclose_model.engines.fast.steps import STEPS_MAX, steps_of
from tcpclose_model.engines.fast.visited import NEW, STASH_FULL, home_of, insert_at, mixed

BATCH = 64
AHEAD = 24
"""Keys between asking memory for a home and looking there."""

FILTER_BITS = 12
"""Bits of a place in the filter, which stays in the nearest cache and knows half of all keys."""

FILTER_MIX = 0x1E3779B97F4A7C15
"""The golden ratio, below 2 ** 62."""

STASHED, CURSOR, STOP, INSERTED, BROKEN, DEPTH = 0, 8, 16, 24, 32, 40
"""Places in the array that threads share, in cache lines of their own: how many keys are in the
stash, the next state to take, whether to stop, keys in the set, whether the stash overflowed, the
depth that is expanded."""

OUT, DEFERRED, STUCK, STATES, STEPS = 0, 1, 2, 3, 4
"""Places in a thread's tallies: keys in `out`, `deferred` and `stuck`; states of the full graph
found new, and steps of it taken."""


class Mine(NamedTuple):
    """What a thread has for itself.

    out: new keys; deferred, missing: keys that a table entry is missing for, and which;
    stuck: keys that no step leaves; pairs, idle: how many states have each pair of ends, and
    whether one of them has nothing in flight; made, first_made: steps by code and peer, and the
    depth of the first, or empty arrays; made_flat: made, with one index; sent_on: steps of the
    network by code; recent: a filter of keys lately looked up; scratch: seven arrays to work in
    (see `scratch`).
    """

    out: Any
    deferred: Any
    missing: Any
    stuck: Any
    pairs: Any
    idle: Any
    made: Any
    made_flat: Any
    first_made: Any
    sent_on: Any
    recent: Any
    scratch: Any
    tallies: Any


def scratch() -> tuple[Any, ...]:
    """Return arrays for the steps of a batch (see `steps_of`), and for the keys to look up.

    The last three are of those keys, of their mixed keys and of their homes.
    """
    many = BATCH * STEPS_MAX + AHEAD
    sizes = (many, many, BATCH, BATCH, 2 * many, many, many)
    return tuple(np.empty(size, np.int64) for size in sizes)


@kernel
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
    news, mixes, homes = mine.scratch[4:]
    lanes = GROUP_BYTES // table.itemsize
    tallies, out = mine.tallies, mine.out
    while not shared[STOP] and shared[INSERTED] < most:
        room = tallies[OUT] + BATCH * STEPS_MAX <= out.size
        if not room or tallies[DEFERRED] + BATCH > mine.deferred.size:
            break
        if tallies[STUCK] + BATCH > mine.stuck.size:
            break
        begin = fetch_and_add(shared, CURSOR, BATCH)
        if begin >= chunk.size:
            break
        end = min(begin + BATCH, chunk.size)
        count = to_look_up(machine, cells, chunk, begin, end, symmetric, shared[DEPTH], mine)
        before = tallies[OUT]
        new = before
        for at in range(AHEAD):
            store(homes, count + at, 0)
            prefetch(table, load(homes, at) * lanes)
        for at in range(count):
            prefetch(table, load(homes, at + AHEAD) * lanes)
            found = insert_at(table, cells, stash, shared, load(mixes, at), load(homes, at))
            if found == NEW:
                out[new] = news[at]
                new += 1
            elif found == STASH_FULL:
                shared[BROKEN] = 1
                shared[STOP] = 1
                break
        tallies[OUT] = new
        fetch_and_add(shared, INSERTED, new - before)
        _tally_new(machine.shape, before, symmetric, mine)


@kernel
def to_look_up(machine, cells, chunk, begin, end, symmetric, depth, mine):
    """Write the keys that steps of some states lead to, and their homes; return how many there are.

    Those that were looked up lately are left out.  They are written too, and then overwritten:
    branches would be guessed wrong.
    """
    keys, codes, stops, missing, news, mixes, homes = mine.scratch
    recent, tallies, shape = mine.recent, mine.tallies, machine.shape
    if steps_of(machine, chunk, begin, end, keys, codes, stops, missing):
        _defer(chunk, begin, end, missing, mine)
    if symmetric or mine.made.size:
        _tally_steps(shape, chunk, begin, end, symmetric, depth, mine)
    else:
        tallies[STEPS] += stops[end - begin - 1]
    count, first = 0, 0
    for at in range(end - begin):
        key, last = chunk[begin + at], stops[at]
        if keys[first] == key or first == last:
            _note_if_stuck(key, first, last, missing[at], mine)
        for step in range(first, last):
            reached = load(keys, step)
            if symmetric:
                reached = min(reached, swapped(shape, reached))
            place = reached * FILTER_MIX >> 63 - FILTER_BITS & (1 << FILTER_BITS) - 1
            store(news, count, reached)
            count += (load(recent, place) != reached) & (reached != key)
            store(recent, place, reached)
        first = last
    for at in range(count):
        mix = mixed(load(news, at), cells.key_bits)
        store(mixes, at, mix)
        store(homes, at, home_of(mix, cells))
    return count


@kernel
def _defer(chunk, begin, end, missing, mine):
    """Put the states that lack an entry aside."""
    tallies = mine.tallies
    for at in range(end - begin):
        if missing[at] >= 0:
            mine.deferred[tallies[DEFERRED]] = chunk[begin + at]
            mine.missing[tallies[DEFERRED]] = missing[at]
            tallies[DEFERRED] += 1


@kernel
def _note_if_stuck(key, first, last, missing, mine):
    """Note a state if its steps are known and none leaves it."""
    for step in range(first, last):
        if mine.scratch[0][step] != key:
            return
    if missing < 0:
        mine.stuck[mine.tallies[STUCK]] = key
        mine.tallies[STUCK] += 1


@kernel
def _tally_new(shape, before, symmetric, mine):
    """Count the states that are new in `out`, by pair of ends."""
    out, pairs, idle, tallies = mine.out, mine.pairs, mine.idle, mine.tallies
    width = shape.channel_bits
    found = tallies[OUT] - before
    for at in range(before, tallies[OUT]):
        key = out[at]
        ends = key >> 2 * width
        a, b = ends & (1 << shape.a_bits) - 1, ends >> shape.a_bits
        pairs[a, b] += 1
        if key & (1 << 2 * width) - 1 == 0:
            idle[a, b] = 1
            if symmetric:
                idle[b, a] = 1
        if symmetric and swapped(shape, key) != key:
            pairs[b, a] += 1
            found += 1
    tallies[STATES] += found


@kernel
def _tally_steps(shape, chunk, begin, end, symmetric, depth, mine):
    """Count the steps of some states, by what they are and by the peer that stands by.

    The counters are many; memory is asked for those of all these states before the first is used.
    """
    made, made_flat, first_made, sent_on = mine.made, mine.made_flat, mine.first_made, mine.sent_on
    _, codes, stops, _, places, _, _ = mine.scratch
    first, count = 0, 0
    for at in range(end - begin):
        key, last = chunk[begin + at], stops[at]
        twice = symmetric and swapped(shape, key) != key
        mine.tallies[STEPS] += (last - first) * (2 if twice else 1)
        ends = key >> 2 * shape.channel_bits
        a, b = ends & (1 << shape.a_bits) - 1, ends >> shape.a_bits
        for step in range(first, last if made.size else first):
            code = codes[step]
            if code >= 0:
                row = made.shape[1] * code + (a if code & 1 else b)
                store(places, count, row)
                prefetch(made_flat, row)
                count += 1
                if twice:
                    row += made.shape[1] * ((code ^ 1) - code)
                    store(places, count, row)
                    prefetch(made_flat, row)
                    count += 1
            else:
                sent_on[-1 - code] += 1
                if twice:
                    sent_on[(-1 - code) ^ 1] += 1
        first = last
    for at in range(count):
        place = load(places, at)
        if load(made_flat, place) == 0:
            first_made[place // made.shape[1], place % made.shape[1]] = depth
        made_flat[place] += 1


@making_arrays
def leading_to(machine, chunk, target):
    """Return the states of a chunk that have a step to `target`."""
    keys, codes, stops, missing = _scratch()
    found = np.empty(chunk.size, np.int64)
    count = 0
    for at in range(chunk.size):
        steps_of(machine, chunk, at, at + 1, keys, codes, stops, missing)
        for step in range(stops[0]):
            if keys[step] == target:
                found[count] = chunk[at]
                count += 1
                break
    return found[:count].copy()


@making_arrays
def taking(machine, chunk, made, sent_on):
    """Return the states of a chunk with a marked step: made[code, peer] or sent_on[-1 - code]."""
    keys, codes, stops, missing = _scratch()
    found = np.empty(chunk.size, np.int64)
    count = 0
    shape = machine.shape
    for at in range(chunk.size):
        both = chunk[at] >> 2 * shape.channel_bits
        a, b = both & (1 << shape.a_bits) - 1, both >> shape.a_bits
        steps_of(machine, chunk, at, at + 1, keys, codes, stops, missing)
        for step in range(stops[0]):
            code = codes[step]
            if made[code, a if code & 1 else b] if code >= 0 else sent_on[-1 - code]:
                found[count] = chunk[at]
                count += 1
                break
    return found[:count].copy()


@making_arrays
def _scratch():
    """Return arrays for the steps of one state (see `steps_of`)."""
    many = np.empty((2, STEPS_MAX), np.int64)
    few = np.empty((2, 1), np.int64)
    return many[0], many[1], few[0], few[1]
