"""One endpoint's states where Figure 5 of RFC 9293 has them: active close left, passive right.

The places are fixed; each arrow takes, of many curves, the one that is least in the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.layout import Layout
from reports.layout_arcs import arcs
from reports.layout_grid import Arrow, Node
from reports.scene import Box

# fmt: off
PLACES = {                    # column, row
                              "ESTABLISHED": (1, 0),
    "FIN_WAIT_1": (0, 1),                             "CLOSE_WAIT": (2, 1),
    "FIN_WAIT_2": (0, 2),     "CLOSING":     (1, 2),  "LAST_ACK":   (2, 2),
                              "TIME_WAIT":   (1, 3),  "CLOSED":     (2, 3),
}
# fmt: on


def figure5_layout(
    names: Sequence[Sequence[str]], nodes: Sequence[Node], arrows: Sequence[Arrow]
) -> Layout:
    """The layout of one endpoint's diagram; nodes that are no TCP state stand below the others.

    `names` has, for each node, the texts of which one may be the name of its state.
    """
    width = max(node.width for node in nodes)
    height = max(node.height for node in nodes)
    across = max(190.0, width + 30 + max((arrow.label_width for arrow in arrows), default=0.0))
    down = max(120.0, height + 60 + max((arrow.label_height for arrow in arrows), default=0.0))
    centres = tuple((column * across, row * down) for column, row in _places(names))
    boxes = [
        Box(x - node.width / 2, y - node.height / 2, node.width, node.height, "none")
        for node, (x, y) in zip(nodes, centres, strict=True)
    ]
    return Layout(centres, arcs(boxes, arrows))


def state_name(text: str) -> str:
    """The text as RFC 9293's name of a state would be written here: FIN-WAIT-1 -> FIN_WAIT_1."""
    return text.strip().upper().replace("-", "_").replace(" ", "_")


def _places(names: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """(column, row) of each node; a state's place goes to the first node that bears its name."""
    free = dict(PLACES)
    others = 0
    places = []
    for texts in names:
        state = next((state_name(text) for text in texts if state_name(text) in free), "")
        place = free.pop(state, None)
        if place is None:
            place = others % 3, 4 + others // 3
            others += 1
        places.append(place)
    return places
