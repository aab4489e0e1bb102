"""How well the joint graph of every model is laid out:  python -m benchmarks.layouts [--write]

Prints a table, the widest first, or puts it into docs/layouts.md.  Nothing may cover anything,
whatever the model: the exit status is 1 if something does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from benchmarks.tables import table
from reports.draw import joint_picture
from reports.scene import Box, Curve, Point, Scene, flattened
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "layouts.md"
LAPTOP = (1366, 768)
STATES_MAX = 300_000
INSIDE = 2.0
"""Pixels: an arrow ends at the border of a box, half a stroke inside it."""

HEAD = """\
# How the joint graphs are laid out

The joint graph (states of A × states of B) of every model of the catalogue as `tcpclose draw MODEL`
draws it, its legend included, measured by `python -m benchmarks.layouts --write`; do not edit it.
Pixels are those at 100 %, and a laptop's window has about 1366 × 768 of them. *Covered* counts
pairs of boxes and labels that cover each other, and arrows that run through a box; *crossings* are
those of the curves as drawn. Why this layout: [graph_layout](decisions/graph_layout.md).
"""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of one picture; lengths are pixels."""

    name: str
    boxes: int
    arrows: int
    width: int
    height: int
    covered: int
    crossings: int


def measure(name: str, scene: Scene) -> Measure:
    """Return the measures of a picture of a graph."""
    framed, labels = boxes(scene), patches(scene)
    curves = [flattened(c.points) for c in scene.shapes if isinstance(c, Curve) and c.head]
    covered = len(overlapping(framed + labels)) + sum(
        any(holds(box, point, -INSIDE) for point in curve) for curve in curves for box in framed
    )
    counts = (len(framed), len(curves), scene.width, scene.height, covered, crossings(curves))
    return Measure(name, *counts)


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes share more than a border."""
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def holds(box: Box, point: Point, margin: float = 0.0) -> bool:
    """Return whether a point lies inside of a box that is larger by a margin at each side."""
    x, y = point[0] - box.x, point[1] - box.y
    return -margin < x < box.width + margin and -margin < y < box.height + margin


def overlapping(things: Sequence[Box]) -> list[tuple[Box, Box]]:
    """Return the pairs of boxes that cover each other."""
    return [(one, other) for one, other in combinations(things, 2) if overlap(one, other)]


def boxes(scene: Scene) -> list[Box]:
    """Return the boxes of nodes, each by its outer stroke."""
    framed = [s for s in scene.shapes if isinstance(s, Box) and s.stroke != "none"]
    return [
        box
        for box in framed
        if not any(overlap(box, other) and other.width > box.width for other in framed)
    ]


def patches(scene: Scene) -> list[Box]:
    """Return the patches behind the labels of arrows."""
    return [s for s in scene.shapes if isinstance(s, Box) and s.stroke == "none"]


def crossings(curves: Sequence[Sequence[Point]]) -> int:
    """Return how often the curves (chains of lines) cross, but for where two start or end."""
    pieces = [(*a, *b) for curve in curves for a, b in pairwise(curve)]
    owner = np.repeat(np.arange(len(curves)), [len(curve) - 1 for curve in curves])
    ax, ay, bx, by = np.array(pieces).T
    tips = np.array([[curve[0], curve[-1]] for curve in curves])
    found = 0
    for n in range(len(pieces)):
        later = slice(n + 1, None)
        dx, dy, ex, ey = bx[n] - ax[n], by[n] - ay[n], bx[later] - ax[later], by[later] - ay[later]
        here = dx * (ay[later] - ay[n]) - dy * (ax[later] - ax[n])
        there = dx * (by[later] - ay[n]) - dy * (bx[later] - ax[n])
        mine = ex * (ay[n] - ay[later]) - ey * (ax[n] - ax[later])
        other = ex * (by[n] - ay[later]) - ey * (bx[n] - ax[later])
        crossed = (here * there < 0) & (mine * other < 0) & (owner[later] != owner[n])
        for which in owner[later][crossed]:
            ends = np.abs(tips[owner[n]][:, None] - tips[which][None, :]).sum(axis=2)
            found += bool((ends > INSIDE).all())
    return found


def measured() -> Iterator[Measure]:
    """Yield the measures of the catalogue's models that the plain engine explores whole."""
    for name, model in MODELS.items():
        space = explore(model, max_states=STATES_MAX)
        yield measure(name, joint_picture(space).scene)


def page(measures: Sequence[Measure]) -> str:
    """Return the whole text of docs/layouts.md."""
    wide = sum(m.width > LAPTOP[0] for m in measures)
    whole = sum(m.width <= LAPTOP[0] and m.height <= LAPTOP[1] for m in measures)
    ordered = sorted(measures, key=lambda m: (-m.width, m.name))
    rows = (
        [f"`{m.name}`", *map(str, (m.boxes, m.arrows, m.width, m.height, m.covered, m.crossings))]
        for m in ordered
    )
    heads = ("model", "boxes", "arrows", "width", "height", "covered", "crossings")
    said = (
        f"Of {len(measures)} pictures {len(measures) - wide} are not wider than a laptop's window;"
        f" {whole} fit it whole, the others are scrolled down."
    )
    return "\n".join([HEAD, said, "", *table(heads, rows), ""])


def main() -> int:
    """Measure, print or write, and return 1 if anything covers anything."""
    measures = list(measured())
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(measures), encoding="utf-8")
    else:
        print(page(measures))
    return int(any(m.covered for m in measures))


if __name__ == "__main__":
    sys.exit(main())
