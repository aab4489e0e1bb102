"""Which row each node of a layered drawing stands in, so that arrows fall wherever they can."""

from __future__ import annotations

from collections.abc import Sequence

Edge = tuple[int, int]


def layers(
    widths: Sequence[float], edges: Sequence[Edge], first: Sequence[int], width_max: float
) -> list[int]:
    """The row of each node (0 at the top), rows being filled up to `width_max` pixels.

    Every edge falls by at least one row, except those that close a cycle when the graph is walked
    from the nodes in `first`. A node takes part in the longest run below it: longest runs first.
    """
    falling = _without_cycles(len(widths), edges, first)
    heads, tails = _neighbours(len(widths), falling)
    below = [0] * len(widths)
    for node in reversed(_topological(heads, tails)):
        below[node] = max((below[head] + 1 for head in heads[node]), default=0)
    row = [0] * len(widths)
    used: list[float] = []
    waiting = [len(set(tails[node])) for node in range(len(widths))]
    ready = [node for node in range(len(widths)) if not waiting[node]]
    while ready:
        ready.sort(key=lambda node: (node not in first, -below[node], node))
        room = width_max
        placed: list[int] = []
        for node in ready:
            if widths[node] <= room or not placed:
                room -= widths[node]
                placed.append(node)
        for node in placed:
            row[node] = len(used)
            ready.remove(node)
            for head in set(heads[node]):
                waiting[head] -= 1
                if not waiting[head]:
                    ready.append(head)
        used.append(width_max - room)
    return _lowered(row, used, widths, heads, tails, set(first), width_max)


def _lowered(
    row: list[int],
    used: list[float],
    widths: Sequence[float],
    heads: list[list[int]],
    tails: list[list[int]],
    first: set[int],
    width_max: float,
) -> list[int]:
    """The rows after nodes with more arrows out than in have moved down to shorten them."""
    for node in sorted(range(len(widths)), key=lambda n: (-row[n], n)):
        if node in first or len(heads[node]) <= len(tails[node]):
            continue
        for target in range(min(row[head] for head in heads[node]) - 1, row[node], -1):
            if used[target] + widths[node] <= width_max:
                used[row[node]] -= widths[node]
                used[target] += widths[node]
                row[node] = target
                break
    taken = sorted(set(row))
    return [taken.index(r) for r in row]


def _without_cycles(count: int, edges: Sequence[Edge], first: Sequence[int]) -> list[Edge]:
    """The edges, those turned round that lead back to a node which is still being walked."""
    out: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        out[tail].append(head)
    state = [0] * count  # 0 unseen, 1 being walked, 2 done
    back: set[Edge] = set()
    for root in [*first, *range(count)]:
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(out[root]))]
        while path:
            node, rest = path[-1]
            head = next(rest, -1)
            if head < 0:
                state[node] = 2
                path.pop()
            elif state[head] == 1:
                back.add((node, head))
            elif state[head] == 0:
                state[head] = 1
                path.append((head, iter(out[head])))
    return [(b, a) if (a, b) in back else (a, b) for a, b in edges if a != b]


def _neighbours(count: int, edges: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    """(heads of each node, tails of each node)."""
    heads: list[list[int]] = [[] for _ in range(count)]
    tails: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        heads[tail].append(head)
        tails[head].append(tail)
    return heads, tails


def _topological(heads: list[list[int]], tails: list[list[int]]) -> list[int]:
    """All nodes of an acyclic graph, each after the tails of its edges."""
    waiting = [len(t) for t in tails]
    order = [node for node, n in enumerate(waiting) if not n]
    for node in order:
        for head in heads[node]:
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    return order
