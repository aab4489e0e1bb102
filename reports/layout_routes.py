"""The Bézier curves that arrows of a layered drawing follow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from reports.layout_columns import spread
from reports.scene import Point

PORT_GAP = 11.0
LOOP_WIDTH = 24.0


def ports(middle: float, width: float, wanted: Sequence[float]) -> list[float]:
    """Where arrows touch one side of a box: near the x they come from, apart, within the side."""
    if not wanted:
        return []
    reach = width * 0.5 - 8
    gap = min(PORT_GAP, 2 * reach / len(wanted))
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    ideal = [min(max(wanted[i], middle - reach * 0.7), middle + reach * 0.7) for i in order]
    places = spread(ideal, [1.0] * len(ideal), [gap] * (len(ideal) - 1))
    shift = max(0.0, middle - reach - places[0]) - max(0.0, places[-1] - middle - reach)
    found = [0.0] * len(wanted)
    for i, place in zip(order, places, strict=True):
        found[i] = place + shift
    return found


def falling_route(points: Sequence[Point]) -> tuple[Point, ...]:
    """A smooth curve down through the points, vertical at both ends, with no bulge between them.

    It is the monotone cubic interpolation of x over y (Fritsch and Carlson 1980), in which every
    piece is a Bézier curve.
    """
    steps = list(pairwise(points))
    slopes = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in steps]
    tangents = [0.0]
    for before, after in pairwise(slopes):
        bent = before * after <= 0
        tangents.append(0.0 if bent else 2 * before * after / (before + after))
    tangents.append(0.0)
    curve = [points[0]]
    for (a, b), start, end in zip(steps, tangents, tangents[1:], strict=False):
        third = (b[1] - a[1]) / 3
        curve += [(a[0] + third * start, a[1] + third), (b[0] - third * end, b[1] - third), b]
    return tuple(curve)


def flat_route(start: Point, label: Point, end: Point) -> tuple[Point, ...]:
    """A curve that hangs from one box to another of the same row, level at its label."""
    side = 1 if end[0] > start[0] else -1
    near = min(abs(label[0] - start[0]), abs(end[0] - label[0])) * 0.5 + 1
    return (
        start,
        (start[0], label[1]),
        (label[0] - side * near, label[1]),
        label,
        (label[0] + side * near, label[1]),
        (end[0], label[1]),
        end,
    )


def loop_route(right: float, middle: float, height: float) -> tuple[tuple[Point, ...], float]:
    """A small loop at the right side of a box, and the x that it reaches."""
    half = min(10.0, height * 0.2)
    far = right + (LOOP_WIDTH - 6) / 0.75  # a Bézier curve goes three quarters of the way
    points = (
        (right, middle - half),
        (far, middle - half * 2.2),
        (far, middle + half * 2.2),
        (right, middle + half),
    )
    return points, right + LOOP_WIDTH - 6
