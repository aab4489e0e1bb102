"""One endpoint's states where Figure 5 of RFC 9293 has them: active close left, passive right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.layout import Arrow, Layout, Node, placed

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
    places = zip(nodes, _places(names), strict=True)
    fixed = [replace(node, column=column, row=row) for node, (column, row) in places]
    return placed(fixed, arrows)


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
