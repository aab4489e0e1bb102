"""How far to the right each item of a row stands: near what it is linked to, covering nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

SWEEPS = 80
PAGE_WIDTH = 1280.0  # with margins, what fits on a laptop


def spread(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Positions in the given order, `gaps[i]` or more between i and i + 1, nearest to `wanted`.

    Nearest means the least weighted sum of squares: isotonic regression by pooling neighbours.
    """
    if not wanted:
        return []
    shift = [0.0]
    for gap in gaps:
        shift.append(shift[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for want, weight, moved in zip(wanted, weights, shift, strict=True):
        mean, total, members = want - moved, weight, 1
        while pools and pools[-1][0] >= mean:
            before, heavy, more = pools.pop()
            mean = (before * heavy + mean * total) / (heavy + total)
            total, members = total + heavy, members + more
        pools.append((mean, total, members))
    flat = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + moved for mean, moved in zip(flat, shift, strict=True)]


def columns(
    rows: Sequence[Sequence[int]],
    reach: Sequence[tuple[float, float]],
    links: Sequence[tuple[int, int, float]],
) -> list[float]:
    """The x of each item, given its reach to the left and right of x and its weighted links.

    Rows take turns: each moves as near to the rows beside it as its gaps and the page allow. The
    page is as wide as the widest row, or as PAGE_WIDTH.
    """
    near: list[list[tuple[int, float]]] = [[] for _ in reach]
    for a, b, weight in links:
        near[a].append((b, weight))
        near[b].append((a, weight))
    total = [sum(weight for _, weight in neighbours) for neighbours in near]
    page = max(PAGE_WIDTH, *(sum(sum(reach[item]) for item in row) for row in rows))
    gaps = [[reach[a][1] + reach[b][0] for a, b in pairwise(row)] for row in rows]
    x = [0.0] * len(reach)
    for sweep in range(-1, SWEEPS):
        for r in range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1):
            row = rows[r]
            wanted = [
                sum(x[n] * weight for n, weight in near[item]) / total[item] if near[item] else 0.0
                for item in row
            ]
            weights = [total[item] or 0.1 for item in row]
            places = spread(wanted, weights, gaps[r])
            for item, at in zip(row, _on_page(places, row, reach, page), strict=True):
                x[item] = at
    return x


def _on_page(
    places: Sequence[float],
    row: Sequence[int],
    reach: Sequence[tuple[float, float]],
    page: float,
) -> list[float]:
    """The places, moved inwards where the row would leave a page around x = 0."""
    moved = []
    before, behind = -page / 2, page / 2 - sum(sum(reach[item]) for item in row)
    for item, at in zip(row, places, strict=True):
        left, right = reach[item]
        moved.append(min(max(at, before + left), behind + left))
        before, behind = before + left + right, behind + left + right
    return moved
