"""Kernels that tell which strongly connected sets a fair run can stay in.

Fair events and segment values are bits; a set of them is a row of 64-bit words.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

import numpy as np

from tcpclose_model.engines.fast.compiled import making_arrays


@making_arrays
def kept_components(first_step, target, move, component, count, enables, fair):
    """Return a new number for each component in which some run may stay, -1 for the others.

    A single state that no step keeps, and that enables something fair, must be left.
    """
    size = np.zeros(count, np.int32)
    for number in range(component.size):
        if component[number] >= 0:
            size[component[number]] += 1
    kept = np.full(count, -1, np.int32)
    found = 0
    for number in range(first_step.size - 1):
        this = component[number]
        if this < 0 or kept[this] >= 0:
            continue
        if size[this] == 1:
            due, stays = False, False
            for step in range(first_step[number], first_step[number + 1]):
                stays = stays or target[step] == number
                for word in range(fair.size):
                    due = due or (enables[move[step], word] & fair[word]) != 0
            if due and not stays:
                continue
        kept[this] = found
        found += 1
    return kept, found


@making_arrays
def tally(first_step, target, move, component, kept, usable, tables, always, totals):
    """Tally each kept component: what its states enable, what the steps inside it do.

    tables: what a move enables, takes, sends and receives; always: set where every state enables
    it; totals: what some state enables and some usable step inside takes, sends and receives.
    """
    words = always.shape[1]
    enabled = np.empty(words, np.uint64)
    for number in range(first_step.size - 1):
        if component[number] < 0 or kept[component[number]] < 0:
            continue
        this = kept[component[number]]
        enabled[:] = 0
        for step in range(first_step[number], first_step[number + 1]):
            made = move[step]
            for word in range(words):
                enabled[word] |= tables[0, made, word]
            if component[target[step]] == component[number] and usable[made]:
                for word in range(words):
                    for kind in range(1, 4):
                        totals[kind, this, word] |= tables[kind, made, word]
        for word in range(words):
            always[this, word] &= enabled[word]
            totals[0, this, word] |= enabled[word]
