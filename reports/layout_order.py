"""The order of things within the rows of a layered drawing, chosen so that few arrows cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from statistics import fmean, median

Link = tuple[int, int]  # an item and another one in the next row

SWEEPS = 24


def ordered(rows: Sequence[Sequence[int]], links: Sequence[Link]) -> list[list[int]]:
    """The rows, each put in a good order; the same input gives the same order.

    Sweeps down and up, by medians and by means in turn; swaps of neighbours improve the best
    result. docs/decisions/graph_layout.md says how it compares with the layouts of libraries.
    """
    count = sum(len(row) for row in rows)
    up: list[list[int]] = [[] for _ in range(count)]
    down: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in links:
        down[upper].append(lower)
        up[lower].append(upper)
    found = []
    for start in (_in_reading_order(rows, down), [list(row) for row in rows]):
        order, place = start, [0.0] * count
        _number(order, place)
        best = [list(row) for row in order]
        fewest = crossings(order, place, down)
        for sweep in range(SWEEPS):
            middle = fmean if sweep % 4 > 1 else median
            _sweep(order, place, up if sweep % 2 == 0 else down, middle, sweep % 2 == 0)
            crossed = crossings(order, place, down)
            if crossed < fewest:
                best, fewest = [list(row) for row in order], crossed
        _number(best, place)
        found.append((_swapped(best, place, up, down, fewest), best))
    return min(found, key=lambda pair: pair[0])[1]


def _swapped(
    order: list[list[int]],
    place: list[float],
    up: list[list[int]],
    down: list[list[int]],
    fewest: int,
) -> int:
    """How many crossings are left after neighbours were swapped for as long as that helped."""
    while True:
        _swap_neighbours(order, place, up, down)
        crossed = crossings(order, place, down)
        if crossed >= fewest:
            return crossed
        fewest = crossed


def crossings(order: list[list[int]], place: list[float], down: list[list[int]]) -> int:
    """How many pairs of links cross."""
    total = 0
    for row in order:
        seen: list[float] = []
        for item in row:
            ends = sorted(place[lower] for lower in down[item])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _in_reading_order(rows: Sequence[Sequence[int]], down: list[list[int]]) -> list[list[int]]:
    """The rows, each in the order in which a walk down from the top meets its items."""
    met: dict[int, int] = {}
    for row in rows:
        for root in row:
            todo = [root]
            while todo:
                item = todo.pop()
                if item not in met:
                    met[item] = len(met)
                    todo.extend(reversed(down[item]))
    return [sorted(row, key=lambda item: met[item]) for row in rows]


def _number(order: list[list[int]], place: list[float]) -> None:
    for row in order:
        for position, item in enumerate(row):
            place[item] = position


def _sweep(
    order: list[list[int]],
    place: list[float],
    towards: list[list[int]],
    middle: Callable[[list[float]], float],
    downwards: bool,
) -> None:
    """Sort each row, in turn, by the middle of its items' neighbours in the row before it."""
    for row in order if downwards else reversed(order):
        wanted = {
            item: middle([place[n] for n in towards[item]]) if towards[item] else place[item]
            for item in row
        }
        row.sort(key=lambda item: wanted[item])
        for position, item in enumerate(row):
            place[item] = position


def _swap_neighbours(
    order: list[list[int]], place: list[float], up: list[list[int]], down: list[list[int]]
) -> None:
    """Swap items that stand side by side wherever that removes crossings."""
    for row in order:
        for i in range(len(row) - 1):
            left, right = row[i], row[i + 1]
            kept = _pairs(up, place, left, right) + _pairs(down, place, left, right)
            swapped = _pairs(up, place, right, left) + _pairs(down, place, right, left)
            if swapped < kept:
                row[i], row[i + 1] = right, left
                place[left], place[right] = place[right], place[left]


def _pairs(towards: list[list[int]], place: list[float], left: int, right: int) -> int:
    """How many links of two items cross if `left` stands before `right`."""
    return sum(place[a] > place[b] for a in towards[left] for b in towards[right])
