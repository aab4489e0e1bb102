"""Pictures of labelled directed graphs, as SVG and PNG, after `pip install` alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from reports.layout import Layout, placed
from reports.layout_figure5 import figure5_layout
from reports.lettering import text_width
from reports.picture_graph import EDGE_KINDS, DrawnGraph, drawn_graph
from reports.picture_parts import (
    GREY,
    INK,
    arrow_curve,
    label_box,
    label_shapes,
    legend_shapes,
    legend_width,
    node_shapes,
)
from reports.scene import Box, Point, Scene, Shape, Text, flattened
from reports.scene_png import png
from reports.scene_svg import svg

MARGIN = 28.0
WIDTH_MIN = 360.0
TITLE_SIZE, SUBTITLE_SIZE = 19.0, 13.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture, in pixels; it shows itself in a notebook."""

    scene: Scene

    @property
    def width(self) -> int:
        """Pixels at 100 %."""
        return self.scene.width

    @property
    def height(self) -> int:
        """Pixels at 100 %."""
        return self.scene.height

    def svg(self) -> str:
        """An SVG document; its texts can be selected and searched."""
        return svg(self.scene)

    def png(self, scale: float = 2.0) -> bytes:
        """The bytes of a PNG file of `scale` times the picture's size; ValueError if too large."""
        return png(self.scene, scale)

    def _repr_svg_(self) -> str:
        return self.svg()


def picture(
    graph: nx.MultiDiGraph[Any],  # nodes of any type; MultiDiGraph is invariant in it
    *,
    title: str,
    subtitle: str = "",
    legend: Sequence[tuple[str, str]] = (),
    figure5: bool = False,
) -> Picture:
    """A picture of the graph; the same graph gives the same bytes, whatever order it was built in.

    Nodes have `label` (lines of text) and may have `kind` ("plain", "initial", "final", "bad"),
    `note` and `layer`; edges may have `label` and `kind` ("normal", "reset", "loss", "never",
    "highlight"). Parallel edges become one arrow. `legend` pairs a kind with its meaning.
    `figure5` puts the states of one endpoint where Figure 5 of RFC 9293 has them.
    ValueError if the graph is empty, a label is missing or a kind unknown; TcpcloseError if
    pygraphviz is not installed.
    """
    drawn = drawn_graph(graph)
    nodes = [node.size() for node in drawn.nodes]
    arrows = [arrow.size() for arrow in drawn.arrows]
    if figure5:
        layout = figure5_layout([(n.name, n.lines[0]) for n in drawn.nodes], nodes, arrows)
    else:
        layout = placed(nodes, arrows)
    return Picture(_page(drawn, layout, title, subtitle, legend))


def _page(
    drawn: DrawnGraph,
    layout: Layout,
    title: str,
    subtitle: str,
    legend: Sequence[tuple[str, str]],
) -> Scene:
    """The drawing with its title above and its legend below, in a margin."""
    extent = extent_of(drawn, layout)
    heading = [(title, TITLE_SIZE, INK), (subtitle, SUBTITLE_SIZE, GREY)]
    lines = [(text, size, text_width(text, size), colour) for text, size, colour in heading if text]
    inside = max(extent.width, WIDTH_MIN, *(text_wide for _, _, text_wide, _ in lines))
    shapes: list[Shape] = []
    y = MARGIN
    for text, size, text_wide, colour in lines:
        shapes.append(Text(MARGIN, y + size, text, size, text_wide, colour, "start"))
        y += size * 1.5
    y += 12.0
    offset = (MARGIN + (inside - extent.width) / 2 - extent.x, y - extent.y)
    shapes += _drawing(drawn, layout.moved(*offset))
    y += extent.height + 30
    x = MARGIN
    for number, (kind, text) in enumerate(legend):
        if x > MARGIN and x + legend_width(text) > MARGIN + inside:
            x, y = MARGIN, y + 24
        shapes += legend_shapes(kind, text, x, y)
        x += legend_width(text)
        inside = max(inside, x - MARGIN) if number == 0 else inside
    bottom = y + 12 if legend else y - 30
    width, height = math.ceil(inside + 2 * MARGIN), math.ceil(bottom + MARGIN)
    return Scene(width, height, title, tuple(shapes))


def _drawing(drawn: DrawnGraph, layout: Layout) -> list[Shape]:
    """The shapes of the graph: the most important arrows and all labels above the others."""
    shapes: list[Shape] = []
    pairs = list(zip(drawn.arrows, layout.routes, strict=True))
    for kind in reversed(EDGE_KINDS):
        shapes += [arrow_curve(arrow, route) for arrow, route in pairs if arrow.kind == kind]
    for node, middle in zip(drawn.nodes, layout.nodes, strict=True):
        shapes += node_shapes(node, middle)
    for arrow, route in pairs:
        shapes += label_shapes(arrow, route)
    return shapes


def extent_of(drawn: DrawnGraph, layout: Layout) -> Box:
    """The smallest box around all boxes, labels and curves."""
    corners: list[Point] = []
    for node, (x, y) in zip(drawn.nodes, layout.nodes, strict=True):
        half_width, half_height = node.size().width / 2, node.size().height / 2
        corners += [(x - half_width, y - half_height), (x + half_width, y + half_height)]
    for arrow, route in zip(drawn.arrows, layout.routes, strict=True):
        patch = label_box(arrow, route)
        corners += [(patch.x, patch.y), (patch.x + patch.width, patch.y + patch.height)]
        corners += flattened(route.points)
    left, top = (min(corner[axis] for corner in corners) for axis in (0, 1))
    right, bottom = (max(corner[axis] for corner in corners) for axis in (0, 1))
    return Box(left, top, right - left, bottom - top, "none")
