"""Coordinates for a layered drawing, asked of Graphviz's `dot`: time runs down the page.

Graphviz is told the sizes of boxes and labels and says where they go. It never sees a text, so no
drawing depends on the fonts of a machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.scene import HEAD_LENGTH, Point
from tcpclose_model.errors import TcpcloseError

if TYPE_CHECKING:
    from pygraphviz import AGraph

INCH = 72.0  # Graphviz takes the sizes of nodes in inches; a pixel is its point
PAGE_WIDTH = 1308.0  # with margins, what fits on a laptop
ZOOMED_WIDTH = 4000.0  # a wider drawing is to be zoomed into anyway
TALL = 1.5  # times as high as wide: not to be made any higher
RANKSEP = {1: 0.22, 2: 0.19, 3: 0.17, 4: 0.15}  # by rows of labels between two rows of boxes

# With "compress" the nodes of a drawing wider than its size move together; nothing is scaled.
GRAPH = {"nodesep": 0.1, "ratio": "compress", "size": f"{PAGE_WIDTH / INCH:.1f},1000"}
NODE = {"shape": "box", "fixedsize": "true", "label": ""}
EDGE = {"dir": "none", "arrowsize": HEAD_LENGTH / 10}
TABLE = '<<table border="0" fixedsize="true" width="{}" height="{}"><tr><td></td></tr></table>>'
SHAFT = 8.0  # pixels of a level arrow or a loop that its label leaves visible at each side


@dataclass(frozen=True, slots=True)
class Node:
    """The size of a box and, where that is not left to Graphviz, its row and its column."""

    width: float
    height: float
    row: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow from one node to another (by index) and the size of its label, 0 for none."""

    tail: int
    head: int
    label_width: float = 0.0
    label_height: float = 0.0


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


def placed(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> Layout:
    """The layout of a graph whose first node is to be on top; TcpcloseError without pygraphviz.

    A first layout has no labels and says which end of an arrow is the upper one. Then labels are
    spread over as many rows, up to four, as it takes to fit the page.
    """
    given = [(float(node.column or 0), float(node.row or 0)) for node in nodes]
    places = _Dot(nodes, arrows, given, 0).layout().nodes
    tried = []
    for label_rows in RANKSEP:
        dot = _Dot(nodes, arrows, places, label_rows)
        width, height = dot.size()
        tried.append((width, dot))
        if not PAGE_WIDTH < width < ZOOMED_WIDTH or height > TALL * width:
            break
    return min(tried, key=lambda found: found[0])[1].layout()


class _Dot:
    """A graph that `dot` has laid out.

    The label of an arrow is a node in the middle of it, so it has room and cannot be taken for
    another arrow's label. `places` tell which end of an arrow is the upper (or else the left) one;
    in that direction it is told to Graphviz, whichever way its head points.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        arrows: Sequence[Arrow],
        places: Sequence[Point],
        label_rows: int,
    ) -> None:
        self.nodes, self.arrows, self.places, self.label_rows = nodes, arrows, places, label_rows
        self.below = _below(nodes)
        self.graph = _agraph()
        self.graph.graph_attr["ranksep"] = RANKSEP[label_rows or 1]
        for index, node in enumerate(nodes):
            self._add_node(index, node.width, node.height, node.column)
        for number, arrow in enumerate(arrows):
            if label_rows and arrow.label_width:
                self._add_labelled(number, arrow)
            else:
                self._add_edge(*self._ends(arrow), number)
        self._add_order()
        self.graph.layout(prog="dot")

    def size(self) -> tuple[float, float]:
        """(width, height) of the drawing, in pixels."""
        _, _, width, height = self.graph.graph_attr["bb"].split(",")
        return float(width), float(height)

    def layout(self) -> Layout:
        """Where everything is."""
        return Layout(
            tuple(self._place(index) for index in range(len(self.nodes))),
            tuple(self._route(number, arrow) for number, arrow in enumerate(self.arrows)),
        )

    def _add_node(self, name: object, width: float, height: float, column: int | None) -> None:
        # Graphviz keeps an edge straight if its two ends have the same group.
        group = {} if column is None else {"group": column}
        self.graph.add_node(name, width=width / INCH, height=height / INCH, **group)

    def _add_edge(self, upper: object, lower: object, number: int, **attributes: object) -> None:
        """Add an arrow, or half of one, with its head at whichever end is the arrow's head."""
        directions = {lower: "forward", upper: "back"}
        attributes["dir"] = directions.get(self.arrows[number].head, "none")
        self.graph.add_edge(upper, lower, key=number, **attributes)

    def _add_labelled(self, number: int, arrow: Arrow) -> None:
        width, height = arrow.label_width, arrow.label_height
        upper, lower = self._ends(arrow)
        if upper == lower:
            label = TABLE.format(round(width + 2 * SHAFT), round(height))
            self._add_edge(upper, lower, number, label=label)
            return
        name = f"label {number}"
        column = self.nodes[upper].column if (upper, lower) in self.below else None
        level = self.places[upper][1] == self.places[lower][1]
        self._add_node(name, width + 2 * SHAFT if level else width, height, column)
        if level:
            self.graph.add_subgraph([upper, name, lower], rank="same")
            self._add_edge(upper, name, number)
            self._add_edge(name, lower, number)
            return
        row = number % self.label_rows
        self._add_edge(upper, name, number, minlen=1 + row, headport="n")
        self._add_edge(name, lower, number, minlen=self.label_rows - row, tailport="s")

    def _add_order(self) -> None:
        """Say which nodes share a row, and who is next in a row, below it and in a column."""
        rows = _grouped([node.row for node in self.nodes])
        pairs = self.below - {self._ends(arrow) for arrow in self.arrows}
        for row in rows:
            self.graph.add_subgraph(row, rank="same")
            if self.nodes[row[0]].column is not None:
                pairs |= set(pairwise(sorted(row, key=lambda i: self.nodes[i].column or 0)))
        for first, second in sorted(pairs):
            self.graph.add_edge(first, second, key="order", style="invis")
        for upper, lower in pairwise(rows):
            self.graph.add_edge(upper[0], lower[0], key="rows", style="invis", weight=0)

    def _ends(self, arrow: Arrow) -> tuple[int, int]:
        """The upper and the lower end of an arrow, or its left and its right one."""
        (tail_x, tail_y), (head_x, head_y) = self.places[arrow.tail], self.places[arrow.head]
        if (head_y, head_x) < (tail_y, tail_x):
            return arrow.head, arrow.tail
        return arrow.tail, arrow.head

    def _place(self, name: object) -> Point:
        return _point(self.graph.get_node(name).attr["pos"])

    def _route(self, number: int, arrow: Arrow) -> Route:
        upper, lower = self._ends(arrow)
        name = f"label {number}"
        if self.graph.has_node(name):
            label = self._place(name)
            points = _spline(self.graph.get_edge(upper, name, number).attr["pos"])
            rest = _spline(self.graph.get_edge(name, lower, number).attr["pos"])
            points += _straight(points[-1], rest[0]) + rest[1:]
        else:
            edge = self.graph.get_edge(upper, lower, number)
            points = _spline(edge.attr["pos"])
            label = _point(edge.attr["lp"]) if edge.attr["lp"] else points[0]
        return Route(tuple(points if upper == arrow.tail else reversed(points)), label)


def _agraph() -> AGraph:
    """An empty graph with our attributes."""
    try:
        from pygraphviz import AGraph
    except ImportError as error:
        raise TcpcloseError(
            "drawing needs the package pygraphviz: pip install pygraphviz"
            " (where it has no wheel, that needs Graphviz and a C compiler)"
        ) from error
    graph = AGraph(directed=True, strict=False, **GRAPH)
    graph.node_attr.update(NODE)
    graph.edge_attr.update(EDGE)
    return graph


def _grouped(numbers: Sequence[int | None]) -> list[list[int]]:
    """The indices of each number that is given, in the order of the numbers."""
    given = sorted({number for number in numbers if number is not None})
    return [[i for i, found in enumerate(numbers) if found == number] for number in given]


def _below(nodes: Sequence[Node]) -> set[tuple[int, int]]:
    """The pairs of nodes of which the second is the next one below in the same column."""
    columns = _grouped([node.column for node in nodes])
    ordered = (sorted(column, key=lambda i: nodes[i].row or 0) for column in columns)
    return {pair for column in ordered for pair in pairwise(column)}


def _spline(text: str) -> list[Point]:
    """The Bézier points of an edge, up to the tip of the arrow head that Graphviz names apart."""
    heads = {part[0]: _point(part[2:]) for part in text.split() if part[0] in "se"}
    points = [_point(part) for part in text.split() if part[0] not in "se"]
    if "s" in heads:
        points = [heads["s"], *_straight(heads["s"], points[0]), *points[1:]]
    if "e" in heads:
        points += _straight(points[-1], heads["e"])
    return points


def _straight(start: Point, end: Point) -> list[Point]:
    """The three points that lead a Bézier curve straight from one point to another."""
    (ax, ay), (bx, by) = start, end
    return [(ax + t * (bx - ax), ay + t * (by - ay)) for t in (1 / 3, 2 / 3, 1.0)]


def _point(text: str) -> Point:
    """A point as Graphviz writes it, with its y turned downwards."""
    x, y = text.split(",")
    return float(x), -float(y)
