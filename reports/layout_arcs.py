"""Arrows between boxes whose places are fixed: of many arcs, each takes the least troublesome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from reports.layout import Route
from reports.layout_grid import Arrow
from reports.layout_routes import loop_route
from reports.scene import Box, Point, flattened

BENDS = (0.0, 0.09, -0.09, 0.18, -0.18, 0.28, -0.28, 0.4, -0.4, 0.55, -0.55, 0.75, -0.75, 1.0, -1.0)
LABEL_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)
ROUNDS = 3
PIECES = 14  # straight pieces that stand for an arc

# What each kind of trouble costs; a pixel of detour costs 0.1.
COVERED = 400.0  # a label on a box or on another label, an arc through a box
STRUCK = 45.0  # a point of an arc under the label of another
CROSSED = 30.0
CROWDED = 9.0  # a point of an arc close to another arc


@dataclass(frozen=True, slots=True)
class _Arc:
    """A curve with its label; `line` is the curve as points; `cost` is that of its shape."""

    route: Route
    line: tuple[Point, ...]
    patch: Box
    cost: float


def arcs(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> tuple[Route, ...]:
    """The route of each arrow: chosen one by one, then reconsidered in view of all the others."""
    choices = [_choices(boxes, arrow) for arrow in arrows]
    order = sorted(
        range(len(arrows)), key=lambda i: (arrows[i].tail == arrows[i].head, choices[i][0].cost, i)
    )
    chosen: dict[int, _Arc] = {}
    for _ in range(ROUNDS):
        for index in order:
            others = [chosen[i] for i in order if i in chosen and i != index]
            chosen[index] = min(choices[index], key=lambda arc: arc.cost + _trouble(arc, others))
    return tuple(chosen[index].route for index in range(len(arrows)))


def _choices(boxes: Sequence[Box], arrow: Arrow) -> list[_Arc]:
    """All arcs that an arrow could take."""
    tail, head = boxes[arrow.tail], boxes[arrow.head]
    if arrow.tail == arrow.head:
        return [_judged(boxes, arrow, route, 0.0) for route in _loops(tail, arrow)]
    found = []
    for bend in BENDS:
        points = _between(tail, head, bend)
        line = flattened(points, 40)
        for place in LABEL_PLACES:
            route = Route(points, line[round(place * 40)])
            off_middle = 40 * abs(place - 0.5)
            found.append(_judged(boxes, arrow, route, 70 * abs(bend) + off_middle))
    return found


def _judged(boxes: Sequence[Box], arrow: Arrow, route: Route, cost: float) -> _Arc:
    """The arc with the cost of its own shape: its length, and the boxes that it runs into."""
    line = tuple(flattened(route.points, PIECES))
    x, y = route.label
    width, height = arrow.label_width + 2, arrow.label_height + 2
    patch = Box(x - width / 2, y - height / 2, width, height, "none")
    cost += 0.1 * sum(math.dist(a, b) for a, b in pairwise(line))
    for number, box in enumerate(boxes):
        around = box.grown(5)
        cost += COVERED * around.overlaps(patch) * (arrow.label_height > 0)
        if number not in (arrow.tail, arrow.head):
            cost += COVERED * sum(around.holds(point) for point in line) / 2
    return _Arc(route, line, patch, cost)


def _between(tail: Box, head: Box, bend: float) -> tuple[Point, ...]:
    """An arc between the borders of two boxes, bent by a part of their distance."""
    (ax, ay), (bx, by) = tail.middle(), head.middle()
    control = (ax + bx) / 2 + bend * (by - ay), (ay + by) / 2 - bend * (bx - ax)
    start, end = _border(tail, control), _border(head, control)
    return (
        start,
        ((start[0] + 2 * control[0]) / 3, (start[1] + 2 * control[1]) / 3),
        ((end[0] + 2 * control[0]) / 3, (end[1] + 2 * control[1]) / 3),
        end,
    )


def _border(box: Box, towards: Point) -> Point:
    """Where the line from the middle of a box towards a point leaves the box."""
    x, y = box.middle()
    dx, dy = towards[0] - x, towards[1] - y
    reach = min(
        box.width / 2 / abs(dx) if dx else math.inf, box.height / 2 / abs(dy) if dy else math.inf
    )
    return (x, y) if reach == math.inf else (x + reach * dx, y + reach * dy)


def _loops(box: Box, arrow: Arrow) -> list[Route]:
    """A loop at the right of a box and one at its left."""
    x, y = box.middle()
    points, reached = loop_route(x + box.width / 2, y, box.height)
    label = reached + 3 + arrow.label_width / 2
    mirrored = tuple((2 * x - px, py) for px, py in points)
    return [Route(points, (label, y)), Route(mirrored, (2 * x - label, y))]


def _trouble(arc: _Arc, others: Sequence[_Arc]) -> float:
    """What an arc costs in view of the others."""
    cost = 0.0
    for other in others:
        cost += COVERED * arc.patch.overlaps(other.patch)
        cost += STRUCK * sum(arc.patch.holds(point) for point in other.line)
        cost += STRUCK * sum(other.patch.holds(point) for point in arc.line)
        cost += _tangle(arc.line, other.line)
    return cost


@lru_cache(maxsize=50_000)
def _tangle(line: tuple[Point, ...], other: tuple[Point, ...]) -> float:
    """What it costs that two lines cross, or run side by side, away from their ends."""
    if _apart(line, other, 0) or _apart(line, other, 1):
        return 0.0
    crossed = sum(_cross(a, b, c, d) for a, b in pairwise(line) for c, d in pairwise(other))
    close = sum(abs(x - u) + abs(y - v) < 16 for x, y in line[2:-2] for u, v in other[2:-2])
    return CROSSED * crossed + CROWDED * close


def _apart(line: tuple[Point, ...], other: tuple[Point, ...], axis: int) -> bool:
    """True if the two lines keep to different stretches of an axis."""
    one, two = [point[axis] for point in line], [point[axis] for point in other]
    return max(one) + 16 < min(two) or max(two) + 16 < min(one)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """True if the segments a-b and c-d cross."""
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    return _left(a, b, c) != _left(a, b, d) and _left(c, d, a) != _left(c, d, b)


def _left(a: Point, b: Point, c: Point) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])
