"""Kernels on an explored graph: what reaches what, cycles, components, shortest ways.

A graph is `first_step` and `target` (see `space.StateSpace`); steps of state n are
first_step[n]:first_step[n + 1].  Sets are arrays of one byte, 0 or 1, a state or a step; an empty
array of steps allows all.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

import numpy as np

from tcpclose_model.engines.fast.compiled import making_arrays

SWEEPS_MAX = 30
"""Sweeps over what is still open before `reach_back` turns the graph round instead."""


@making_arrays
def reach_forward(first_step, target, allowed, reached):
    """Add to `reached` what allowed steps reach from it."""
    todo = np.flatnonzero(reached)
    stack = np.empty(reached.size, np.int32)
    count = todo.size
    stack[:count] = todo
    expanded = first_step.size - 1
    while count:
        count -= 1
        number = stack[count]
        if number >= expanded:
            continue
        for step in range(first_step[number], first_step[number + 1]):
            if (allowed.size == 0 or allowed[step]) and not reached[target[step]]:
                reached[target[step]] = 1
                stack[count] = target[step]
                count += 1


@making_arrays
def reach_back(first_step, target, allowed, reached):
    """Add to `reached` every state from which allowed steps lead into it."""
    still = np.flatnonzero(reached[: first_step.size - 1] == 0)[::-1].copy()
    for _ in range(SWEEPS_MAX):
        count = 0
        for number in still:
            for step in range(first_step[number], first_step[number + 1]):
                if reached[target[step]] and (allowed.size == 0 or allowed[step]):
                    reached[number] = 1
                    break
            else:
                still[count] = number
                count += 1
        if count == still.size:
            return
        still = still[:count]
    _reach_back_turned(first_step, target, allowed, reached)


@making_arrays
def _reach_back_turned(first_step, target, allowed, reached):
    """Do the same along the steps turned round."""
    states = reached.size
    entering = np.zeros(states + 1, np.int64)
    for step in range(target.size):
        entering[target[step] + 1] += 1
    entering = np.cumsum(entering)
    source = np.empty(target.size, np.int32)
    place = entering[:-1].copy()
    for number in range(first_step.size - 1):
        for step in range(first_step[number], first_step[number + 1]):
            if allowed.size == 0 or allowed[step]:
                source[place[target[step]]] = number
                place[target[step]] += 1
    todo = np.flatnonzero(reached)
    stack = np.empty(states, np.int32)
    count = todo.size
    stack[:count] = todo
    while count:
        count -= 1
        number = stack[count]
        for at in range(entering[number], place[number]):
            if not reached[source[at]]:
                reached[source[at]] = 1
                stack[count] = source[at]
                count += 1


@making_arrays
def unmoving(first_step, target):
    """Return the expanded states that no step leaves."""
    marks = np.ones(first_step.size - 1, np.uint8)
    for number in range(marks.size):
        for step in range(first_step[number], first_step[number + 1]):
            if target[step] != number:
                marks[number] = 0
                break
    return marks


@making_arrays
def at_sources(first_step, marks, steps):
    """Write into `steps` the mark of the state that each step starts from."""
    for number in range(first_step.size - 1):
        steps[first_step[number] : first_step[number + 1]] = marks[number]


@making_arrays
def has_cycle(first_step, target, steps):
    """Return whether some of these steps make a cycle (Kahn 1962)."""
    states = first_step.size - 1
    entering = np.zeros(max(states, target.max() + 1 if target.size else 0), np.int32)
    for step in range(target.size):
        if steps[step]:
            entering[target[step]] += 1
    left = 0
    stack = np.empty(states, np.int32)
    count = 0
    for number in range(states):
        if entering[number]:
            left += 1
        else:
            stack[count] = number
            count += 1
    for number in range(states, entering.size):  # states that were not expanded lie on no cycle
        entering[number] = 0
    while count:
        count -= 1
        number = stack[count]
        for step in range(first_step[number], first_step[number + 1]):
            if steps[step] and target[step] < states:
                entering[target[step]] -= 1
                if entering[target[step]] == 0:
                    left -= 1
                    stack[count] = target[step]
                    count += 1
    return left > 0


@making_arrays
def tarjan(first_step, target, of, allowed, roots, inside, component):
    """Number the strongly connected components of `inside` under allowed steps (Tarjan 1972).

    Step s is allowed if allowed[of[s]] is set (allowed[s] where `of` is empty); an empty `allowed`
    allows all.  Components are numbered as they are completed, from `roots` in their order;
    `component` takes the numbers, and must be -1 everywhere at first.  Returns how many there are.
    """
    states = first_step.size - 1
    low = np.zeros(inside.size, np.int32)  # places in the search, from 1
    stack = np.empty(states, np.int32)
    work = np.empty(states, np.int32)
    upto = np.empty(states, np.int64)
    index = np.zeros(inside.size, np.int32)
    met, held, found = 0, 0, 0
    for root in roots:
        if index[root] or root >= states:
            continue
        depth = 0
        work[0], upto[0] = root, first_step[root]
        met += 1
        index[root] = low[root] = met
        stack[held] = root
        held += 1
        while depth >= 0:
            number, step = work[depth], upto[depth]
            if step < first_step[number + 1]:
                upto[depth] = step + 1
                to = target[step]
                if to >= states or not inside[to] or component[to] >= 0:
                    continue
                if allowed.size and not allowed[of[step] if of.size else step]:
                    continue
                if index[to] == 0:
                    met += 1
                    index[to] = low[to] = met
                    stack[held] = to
                    held += 1
                    depth += 1
                    work[depth], upto[depth] = to, first_step[to]
                elif index[to] < low[number]:
                    low[number] = index[to]
                continue
            depth -= 1
            if depth >= 0 and low[number] < low[work[depth]]:
                low[work[depth]] = low[number]
            if low[number] == index[number]:
                while True:
                    held -= 1
                    component[stack[held]] = found
                    if stack[held] == number:
                        break
                found += 1
    return found


@making_arrays
def nearest(first_step, target, allowed, wanted, parent_step, parent):
    """Return the first wanted state that a breadth-first search from state 0 meets, or -1.

    parent_step, parent: filled with the step that first reached each state, and its source.
    """
    parent[:] = -1
    queue = np.empty(parent.size, np.int32)
    queue[0] = 0
    parent[0] = 0
    head, tail = 0, 1
    while head < tail:
        number = queue[head]
        head += 1
        if wanted[number]:
            return number
        if number >= first_step.size - 1:
            continue
        for step in range(first_step[number], first_step[number + 1]):
            to = target[step]
            if parent[to] < 0 and (allowed.size == 0 or allowed[step]):
                parent[to], parent_step[to] = number, step
                queue[tail] = to
                tail += 1
    return -1


@making_arrays
def nearest_owing(first_step, target, pending, then, trap, parent_step, parent):
    """Return the first node that owes something inside a trap, or -1.

    A node is 2 * state + 1 if an obligation is pending there, found breadth-first from state 0.
    """
    parent[:] = -1
    queue = np.empty(parent.size, np.int32)
    queue[0] = pending[0]
    parent[queue[0]] = queue[0]
    head, tail = 0, 1
    while head < tail:
        node = queue[head]
        head += 1
        number, owes = node >> 1, node & 1
        if owes and trap[number]:
            return node
        if number >= first_step.size - 1:
            continue
        for step in range(first_step[number], first_step[number + 1]):
            to = target[step]
            owing = pending[to] or (owes and not then[to])
            reached = 2 * to + (1 if owing else 0)
            if parent[reached] < 0:
                parent[reached], parent_step[reached] = node, step
                queue[tail] = reached
                tail += 1
    return -1


@making_arrays
def classified(first_step, move, a, b, of_move, of_a, of_b, table, steps):
    """Write each step's answer into `steps`: by its move's class and its ends' classes."""
    for number in range(first_step.size - 1):
        row = table[:, of_a[a[number]], of_b[b[number]]]
        for step in range(first_step[number], first_step[number + 1]):
            steps[step] = row[of_move[move[step]]]
