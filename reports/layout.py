"""Coordinates for a layered drawing: time runs down the page, and nothing covers anything.

Labels of arrows are laid out as if they were small nodes, in rows of their own between the rows of
boxes; an arrow that passes a row has a lane reserved in it. So neither boxes nor labels nor arrows
have to be moved out of each other's way afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.layout_columns import columns
from reports.layout_grid import Arrow, Grid, Node, grid_of
from reports.layout_routes import falling_route, flat_route, loop_route, ports
from reports.scene import Point

ROW_GAP_MIN, ROW_GAP_MAX = 16.0, 56.0
NODE_GAP_MIN = 26.0  # room for an arrow head and some line above it


@dataclass(frozen=True, slots=True)
class Route:
    """Where an arrow goes (Bézier points, tail to head) and where the middle of its label is."""

    points: tuple[Point, ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each node's box and the route of each arrow, in the order they were given."""

    nodes: tuple[Point, ...]
    routes: tuple[Route, ...]

    def moved(self, dx: float, dy: float) -> Layout:
        """The layout, moved as a whole."""

        def at(point: Point) -> Point:
            return point[0] + dx, point[1] + dy

        routes = (Route(tuple(at(p) for p in r.points), at(r.label)) for r in self.routes)
        return Layout(tuple(at(node) for node in self.nodes), tuple(routes))


def layered(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> Layout:
    """The layout of a graph, for nodes and arrows that come in a fixed order."""
    grid = grid_of(nodes, arrows)
    x = columns(grid.rows, grid.reach, grid.links())
    y = _middles(grid, x)
    return Layout(
        nodes=tuple((x[i], y[grid.row[i]]) for i in range(len(nodes))),
        routes=_Router(nodes, arrows, grid, x, y).routes(),
    )


def _middles(grid: Grid, x: Sequence[float]) -> list[float]:
    """The y of the middle of each row; the gap above it grows with how far arrows move sideways."""
    sideways = [0.0] * len(grid.rows)
    for upper, lower, _ in grid.links():
        row = grid.row[lower]
        sideways[row] = max(sideways[row], abs(x[upper] - x[lower]) - 40)
    middles, bottom = [], 0.0
    for row, items in enumerate(grid.rows):
        height = grid.height_of_row(row)
        beside_nodes = row > 0 and (grid.holds_nodes(row) or grid.holds_nodes(row - 1))
        least = NODE_GAP_MIN if beside_nodes else ROW_GAP_MIN
        gap = min(max(least, 0.16 * sideways[row]), ROW_GAP_MAX) if row and items else 0.0
        middles.append(bottom + gap + height / 2)
        bottom += gap + height
    return middles


@dataclass(frozen=True, slots=True)
class _Router:
    """Draws the arrows of a grid whose items have their places."""

    nodes: Sequence[Node]
    arrows: Sequence[Arrow]
    grid: Grid
    x: Sequence[float]
    y: Sequence[float]

    def routes(self) -> tuple[Route, ...]:
        """The route of each arrow, in the order of the arrows."""
        ends = self._ends()
        return tuple(
            self._loop(arrow) if arrow.tail == arrow.head else self._route(index, arrow, ends)
            for index, arrow in enumerate(self.arrows)
        )

    def _ends(self) -> dict[tuple[int, int], Point]:
        """Where each arrow (by index) touches each of its two nodes."""
        sides: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for index, chain in self.grid.chains.items():
            for node, beside in ((chain[0], chain[1]), (chain[-1], chain[-2])):
                below = 1 if self.grid.row[beside] > self.grid.row[node] else -1
                sides.setdefault((node, below), []).append((index, self.x[beside]))
        ends = {}
        for (node, below), touching in sides.items():
            y = self.y[self.grid.row[node]] + below * self.nodes[node].height / 2
            places = ports(self.x[node], self.nodes[node].width, [at for _, at in touching])
            for (index, _), at in zip(touching, places, strict=True):
                ends[index, node] = at, y
        return ends

    def _route(self, index: int, arrow: Arrow, ends: dict[tuple[int, int], Point]) -> Route:
        chain, grid = self.grid.chains[index], self.grid
        start, end = ends[index, chain[0]], ends[index, chain[-1]]
        carrier = grid.labels.get(index, chain[len(chain) // 2])
        label = self.x[carrier], self.y[grid.row[carrier]]
        if grid.row[chain[0]] == grid.row[chain[-1]]:
            points = flat_route(start, label, end)
        else:
            points = falling_route([start, *self._passed(chain[1:-1]), end])
        return Route(points if chain[0] == arrow.tail else points[::-1], label)

    def _passed(self, items: Sequence[int]) -> list[Point]:
        """The points that keep an arrow within its lanes: straight past boxes."""
        points = []
        for item in items:
            row = self.grid.row[item]
            if self.grid.holds_nodes(row):
                half = self.grid.height_of_row(row) / 2
                points += [(self.x[item], self.y[row] - half), (self.x[item], self.y[row] + half)]
            else:
                points.append((self.x[item], self.y[row]))
        return points

    def _loop(self, arrow: Arrow) -> Route:
        x, y = self.x[arrow.tail], self.y[self.grid.row[arrow.tail]]
        node = self.nodes[arrow.tail]
        points, right = loop_route(x + node.width / 2, y, node.height)
        return Route(points, (right + 3 + arrow.label_width / 2, y))
