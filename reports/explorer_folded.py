"""The folded graph, laid out, as the report's page draws it: pairs of states and arrows."""

from __future__ import annotations

import networkx as nx

from reports.explorer_graph import Held, Json
from reports.fold import joint_graph
from reports.layout import placed
from reports.picture_graph import drawn_graph
from reports.pictures import extent_of
from reports.scene import Point
from reports.scene_svg import visible
from tcpclose_model.large import LargeSpace
from tcpclose_model.space import StateSpace

MARGIN = 12.0


def folded_json(space: StateSpace | LargeSpace, graph: Held) -> Json:
    """Return the folded graph with the place of everything in it, in pixels.

    Where no graph was kept, it has the pairs on the embedded runs alone (`partial`).
    Raises TcpcloseError if pygraphviz is not installed.
    """
    known = joint_graph(space) if isinstance(space, StateSpace) else _pairs_along(graph)
    drawn = drawn_graph(known)
    nodes = [node.size() for node in drawn.nodes]
    layout = placed(nodes, [arrow.size() for arrow in drawn.arrows])
    extent = extent_of(drawn, layout)
    layout = layout.moved(MARGIN - extent.x, MARGIN - extent.y)
    return {
        "partial": not isinstance(space, StateSpace),
        "width": round(extent.width + 2 * MARGIN),
        "height": round(extent.height + 2 * MARGIN),
        "nodes": [
            [list(node.lines), visible(node.note), node.kind, *_box(place, size.width, size.height)]
            for node, place, size in zip(drawn.nodes, layout.nodes, nodes, strict=True)
        ],
        "arrows": [
            [
                arrow.tail,
                arrow.head,
                arrow.kind,
                [n for point in route.points for n in _rounded(point)],
                [[visible(text), kind] for text, kind in arrow.lines],
                *_rounded(route.label),
                round(arrow.size().label_width),
                round(arrow.size().label_height),
            ]
            for arrow, route in zip(drawn.arrows, layout.routes, strict=True)
        ],
    }


def _pairs_along(graph: Held) -> nx.MultiDiGraph[str]:
    """Return the pairs of states on what is held of a graph, without texts on the arrows."""
    found: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    names = [(state.a.state.name, state.b.state.name) for state in graph.states[: len(graph.steps)]]
    for number, pair in enumerate(names):
        kind = "initial" if pair == names[0] else "plain"
        found.add_node(" | ".join(pair), label="\n".join(pair), kind=kind)
        for _, target in graph.steps[number]:
            if target < len(names) and names[target] != pair:
                found.add_edge(" | ".join(pair), " | ".join(names[target]), kind="normal")
    return found


def _box(middle: Point, width: float, height: float) -> list[int]:
    """Return x, y, width and height of a box around its middle, in whole pixels."""
    x, y = middle
    return [round(x - width / 2), round(y - height / 2), round(width), round(height)]


def _rounded(point: Point) -> list[int]:
    return [round(point[0]), round(point[1])]
