"""Kernels that number states in breadth-first order, as the plain search does, with every step."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

import numpy as np

from tcpclose_model.engines.fast.atoms import prefetch
from tcpclose_model.engines.fast.compiled import inlined, kernel, making_arrays
from tcpclose_model.engines.fast.steps import STEPS_MAX, steps_of

DONE, MISSED, FULL = 0, 1, 2
"""Why `number_states` returned: nothing left below `last`, a table entry is missing, no room."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""The golden ratio, for multiplicative hashing."""

BATCH = 32
"""States expanded before their steps are looked up, so that memory answers in the meantime."""


@inlined
def place_of(key, shift):
    """Return where the search for a key begins in a table of 2 ** (64 - shift) slots."""
    return np.int64((np.uint64(key) * MULTIPLIER) >> np.uint64(shift))


def scratch() -> tuple[np.ndarray, ...]:
    """Return arrays for the steps of a batch (see `steps_of`)."""
    sizes = (BATCH * STEPS_MAX, BATCH * STEPS_MAX, BATCH, BATCH)
    return tuple(np.empty(size, np.int64) for size in sizes)


@kernel
def number_states(
    machine, scratch,
    at, last, counts, order, table, shift, first_step, target, code,
):  # fmt: skip
    """Expand states order[at:last]; return the next one to expand, and why it stopped there.

    scratch: four arrays to work in (see `scratch`).
    counts: states known, steps known, and what is missing where the answer is MISSED.
    table: key and number of each known state, alternating; key -1 in an empty slot.
    """
    states, edges = counts[0], counts[1]
    keys, codes, stops, missing = scratch
    slots = table.size // 2
    status = DONE
    while at < last and status == DONE:
        batch = min(BATCH, last - at)
        lacking = steps_of(machine, order, at, at + batch, keys, codes, stops, missing)
        if lacking:
            batch = 0
            while missing[batch] < 0:
                batch += 1
            counts[2] = missing[batch]
            status = MISSED
        count = stops[batch - 1] if batch else 0
        for step in range(count):
            prefetch(table, 2 * place_of(keys[step], shift))
        room = 2 * (states + count) < slots and edges + count <= target.size
        if not room or states + count > order.size or at + batch >= first_step.size:
            status = FULL
            break
        begin = 0
        for index in range(batch):
            for step in range(begin, stops[index]):
                key = keys[step]
                place = place_of(key, shift)
                while table[2 * place] != key and table[2 * place] != -1:
                    place = (place + 1) % slots
                if table[2 * place] == -1:
                    table[2 * place] = key
                    table[2 * place + 1] = states
                    order[states] = key
                    states += 1
                target[edges] = table[2 * place + 1]
                code[edges] = codes[step]
                edges += 1
            begin = stops[index]
            first_step[at + index + 1] = edges
        at += batch
    counts[0], counts[1] = states, edges
    return at, status


@making_arrays
def fill_table(order, count, table, shift):
    """Put the first `count` keys of `order` into an empty table."""
    slots = table.size // 2
    for number in range(count):
        place = place_of(order[number], shift)
        while table[2 * place] != -1:
            place = (place + 1) % slots
        table[2 * place] = order[number]
        table[2 * place + 1] = number


@making_arrays
def number_words(words, numbers, table, found):
    """Give each different word a number, in order of first occurrence; return how many there are.

    table: word and number, alternating, -1 where empty; found: the words by number.  The answer
    is -1 if either is too small.
    """
    count = 0
    slots = table.size // 2
    for index in range(words.size):
        word = words[index]
        place = np.int64((np.uint64(word) * MULTIPLIER) >> np.uint64(32)) % slots
        while table[2 * place] != word and table[2 * place] != -1:
            place = (place + 1) % slots
        if table[2 * place] == -1:
            if 2 * count >= slots:
                return -1
            table[2 * place] = word
            table[2 * place + 1] = count
            found[count] = word
            count += 1
        numbers[index] = table[2 * place + 1]
    return count


@making_arrays
def find_misses(machine, at, last, order, missing):
    """Write what is missing to expand states order[at:last]; return how many entries that are."""
    keys = np.empty(STEPS_MAX, np.int64)
    codes = np.empty(STEPS_MAX, np.int64)
    stops = np.empty(1, np.int64)
    lacks = np.empty(1, np.int64)
    found = 0
    while at < last and found < missing.size:
        lacking = steps_of(machine, order, at, at + 1, keys, codes, stops, lacks)
        if lacking and (found == 0 or missing[found - 1] != lacks[0]):
            missing[found] = lacks[0]
            found += 1
        at += 1
    return found
