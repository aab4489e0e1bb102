"""How each kind of node, arrow and legend entry looks.

Colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart; every kind
also differs in its stroke, so that it survives a black and white printer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.layout import Route
from reports.lettering import BASELINE, LINE_HEIGHT, block_size, text_width
from reports.picture_graph import EDGE_SIZE, LABEL_SIZE, NOTE_SIZE, DrawnArrow, DrawnNode
from reports.scene import Box, Curve, Point, Shape, Text

INK, GREY = "#1a1a1a", "#5c5c5c"
BLUE, GREEN, VERMILLION = "#0072B2", "#009E73", "#D55E00"
SWATCH = 30.0


@dataclass(frozen=True, slots=True)
class NodeStyle:
    """Fill and stroke of a box; `rings` is the number of strokes around it."""

    fill: str
    stroke: str
    stroke_width: float = 1.2
    rings: int = 1


@dataclass(frozen=True, slots=True)
class ArrowStyle:
    """Stroke of an arrow and, darker where the stroke is pale, the colour of its text."""

    stroke: str
    text: str
    width: float = 1.3
    dash: tuple[float, ...] = ()


# fmt: off
NODE_STYLES = {
    "plain":   NodeStyle("#f6f6f4", "#6b6b6b"),
    "initial": NodeStyle("#dcecf7", BLUE, 2.6),
    "final":   NodeStyle("#d9f0e8", GREEN, 1.4, rings=2),
    "bad":     NodeStyle("#fbe0cf", VERMILLION, 4.0),
}
ARROW_STYLES = {
    "highlight": ArrowStyle(BLUE,       "#00568a", 2.8),
    "normal":    ArrowStyle("#4a4a4a",  INK),
    "reset":     ArrowStyle(VERMILLION, "#a84a00", 1.6, (9.0, 3.0, 2.0, 3.0)),
    "loss":      ArrowStyle("#CC79A7",  "#97436f", 1.8, (2.2, 3.0)),
    "never":     ArrowStyle("#a6a6a6",  "#707070", 1.2, (6.0, 5.0)),
}
# fmt: on


def node_shapes(node: DrawnNode, middle: Point) -> list[Shape]:
    """The box of a node and its texts."""
    size, style = node.size(), NODE_STYLES[node.kind]
    x, y = middle
    box = Box(x - size.width / 2, y - size.height / 2, size.width, size.height, "none", radius=7)
    shapes: list[Shape] = list(_rings(box, style))
    _, lines_height = block_size(node.lines, LABEL_SIZE)
    note_height = NOTE_SIZE * LINE_HEIGHT + 2 if node.note else 0.0
    top = y - (lines_height + note_height) / 2
    shapes += _lines([(line, INK) for line in node.lines], x, top, LABEL_SIZE)
    if node.note:
        shapes += _lines([(node.note, GREY)], x, top + lines_height + 2, NOTE_SIZE)
    return shapes


def _rings(box: Box, style: NodeStyle) -> list[Box]:
    return [
        Box(
            box.x + 3.2 * ring, box.y + 3.2 * ring,
            box.width - 6.4 * ring, box.height - 6.4 * ring,
            style.fill, style.stroke, style.stroke_width, box.radius - 2 * ring,
        )
        for ring in range(style.rings)
    ]  # fmt: skip


def arrow_curve(arrow: DrawnArrow, route: Route) -> Curve:
    """The line of an arrow."""
    style = ARROW_STYLES[arrow.kind]
    return Curve(route.points, style.stroke, style.width, style.dash)


def label_box(arrow: DrawnArrow, route: Route) -> Box:
    """The white patch behind the label of an arrow."""
    size, (x, y) = arrow.size(), route.label
    width, height = size.label_width, size.label_height
    return Box(x - width / 2, y - height / 2, width, height, "#ffffff", radius=3)


def label_shapes(arrow: DrawnArrow, route: Route) -> list[Shape]:
    """The label of an arrow, on a white patch that interrupts the arrow; each line in its kind."""
    if not arrow.lines:
        return []
    patch = label_box(arrow, route)
    lines = [(text, ARROW_STYLES[kind].text) for text, kind in arrow.lines]
    return [patch, *_lines(lines, route.label[0], patch.y, EDGE_SIZE, halo=True)]


def _lines(
    lines: Sequence[tuple[str, str]], x: float, top: float, size: float, *, halo: bool = False
) -> list[Shape]:
    """(text, colour) lines below each other, centred on x."""
    return [
        Text(
            x, top + (number * LINE_HEIGHT + BASELINE) * size,
            text, size, text_width(text, size), colour, halo=halo,
        )
        for number, (text, colour) in enumerate(lines)
        if text.strip()
    ]  # fmt: skip


def legend_shapes(kind: str, text: str, x: float, y: float) -> list[Shape]:
    """One entry of a legend: a sample of the kind and its meaning, from x on, around y."""
    if kind in NODE_STYLES:
        box = Box(x + 2, y - 7, SWATCH - 4, 14, "none", radius=5)
        sample: list[Shape] = list(_rings(box, NODE_STYLES[kind]))
    elif kind in ARROW_STYLES:
        style = ARROW_STYLES[kind]
        points = ((x, y), (x + SWATCH / 3, y), (x + SWATCH * 2 / 3, y), (x + SWATCH, y))
        sample = [Curve(points, style.stroke, style.width, style.dash)]
    else:
        known = ", ".join([*NODE_STYLES, *ARROW_STYLES])
        raise ValueError(f"the legend explains the kind {kind!r}; it must be one of {known}")
    width = text_width(text, EDGE_SIZE + 1)
    at = Text(x + SWATCH + 7, y + 4.2, text, EDGE_SIZE + 1, width, INK, "start")
    return [*sample, at]


def legend_width(text: str) -> float:
    """The room that one entry of a legend takes, with the gap behind it."""
    return SWATCH + 7 + text_width(text, EDGE_SIZE + 1) + 24
