"""Maps: answers in rows and columns, as a picture.

Every answer has its sign, so that nothing hangs on colour; the colours are those of Okabe and Ito
(2008), which colour-blind readers can tell apart.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from properties.verdict import Answer
from reports.lettering import text_width
from reports.picture_parts import GREY, INK
from reports.scene import Box, Scene, Shape, Text
from reports.scene_svg import svg
from reports.text import MARKS
from tcpclose_model.errors import ModelError

SQUARE, GAP, MARGIN = 34.0, 2.0, 18.0
TITLE_SIZE, SIZE, SMALL = 15.0, 12.0, 9.0
LINE = 18.0
COLUMNS = 110
"""Characters of a line of text."""
PICTURES = (".svg", ".png")
"""The endings that a map may be written with."""


@dataclass(frozen=True, slots=True)
class Look:
    """Fill, stroke and ink of a square."""

    fill: str
    stroke: str
    ink: str


# fmt: off
LOOKS = {
    Answer.HOLDS:    Look("#d9f0e8", "#009E73", "#00563f"),
    Answer.VIOLATED: Look("#D55E00", "#8a3c00", "#ffffff"),
    Answer.VACUOUS:  Look("#faf3c0", "#b8a400", "#5c5200"),
    Answer.UNKNOWN:  Look("#ffffff", "#6b6b6b", "#1a1a1a"),
    None:            Look("#ffffff", "#dddddd", "#1a1a1a"),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Square:
    """One answer, None where there is none, and what stands below its sign."""

    answer: Answer | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Map:
    """Squares in rows; heads: lines above them; across, down: what the columns and rows are."""

    heads: tuple[str, ...]
    across: str
    down: str
    across_values: tuple[str, ...]
    down_values: tuple[str, ...]
    rows: tuple[tuple[Square, ...], ...]


def map_scene(title: str, lines: Sequence[str], maps: Sequence[Map], note: str) -> Scene:
    """Return a picture of maps below each other, under a title, lines of text and a legend.

    note: what the notes in the squares are.
    """
    shapes: list[Shape] = [_text(MARGIN, MARGIN + TITLE_SIZE, title, TITLE_SIZE)]
    y = MARGIN + TITLE_SIZE + 6
    for line in (part for whole in lines for part in textwrap.wrap(whole, COLUMNS)):
        y += LINE
        shapes.append(_text(MARGIN, y, line, SIZE, GREY))
    shapes += _legend(y + LINE / 2, note)
    y += 2 * LINE
    for one in maps:
        drawn, y = _drawn(one, y + LINE)
        shapes += drawn
    width = max(_right(shape) for shape in shapes) + MARGIN
    return Scene(math.ceil(width), math.ceil(y + MARGIN), title, tuple(shapes))


def picture(scene: Scene, ending: str) -> str | bytes:
    """Return a picture as its ending says; ModelError if it is too large for a PNG."""
    if ending == ".svg":
        return svg(scene)
    from reports.scene_png import png

    try:
        return png(scene)
    except ValueError as error:
        raise ModelError(f"too large for a PNG: write an .svg ({error})") from None


def _drawn(one: Map, top: float) -> tuple[list[Shape], float]:
    """Return the shapes of a map, and where it ends."""
    shapes: list[Shape] = []
    for number, head in enumerate(one.heads):
        top += LINE
        shapes.append(_text(MARGIN, top, head, SIZE if number else TITLE_SIZE))
    names = (f"{one.down} (down)" if one.down else "", f"{one.across} (across)")
    for name in filter(None, names if one.across else ()):
        top += LINE
        shapes.append(_text(MARGIN, top, name, SIZE, GREY))
    left = MARGIN + max(text_width(value, SIZE) + 8 if value else 0 for value in one.down_values)
    width = max(SQUARE, *(text_width(value, SIZE) + 8 for value in one.across_values))
    top += LINE
    for number, value in enumerate(one.across_values):
        middle = left + number * (width + GAP) + width / 2
        shapes += [_text(middle, top, value, SIZE, middle=True)] if value else []
    top += 6
    for value, row in zip(one.down_values, one.rows, strict=True):
        shapes += [_text(MARGIN, top + SQUARE / 2 + 4, value, SIZE)] if value else []
        shapes += _row(row, left, top, width)
        top += SQUARE + GAP
    return shapes, top


def _row(row: Sequence[Square], left: float, top: float, width: float) -> Iterator[Shape]:
    for number, square in enumerate(row):
        look, x = LOOKS[square.answer], left + number * (width + GAP)
        yield Box(x + 1, top + 1, width - 2, SQUARE - 2, look.fill, look.stroke, 1.2, 3)
        base = top + SQUARE / 2 + (0 if square.note else 5)
        if square.answer is not None:
            sign = MARKS[square.answer]
            yield _text(x + width / 2, base, sign, SIZE + 2, look.ink, middle=True)
        if square.note:
            yield _text(x + width / 2, top + SQUARE - 6, square.note, SMALL, look.ink, middle=True)


def _legend(top: float, note: str) -> Iterator[Shape]:
    x = MARGIN
    for answer in Answer:
        look = LOOKS[answer]
        yield Box(x + 1, top, 18, 18, look.fill, look.stroke, 1.2, 3)
        yield _text(x + 10, top + 13.5, MARKS[answer], SIZE, look.ink, middle=True)
        yield _text(x + 26, top + 13.5, answer.value, SIZE)
        x += 26 + text_width(answer.value, SIZE) + 16
    yield _text(x, top + 13.5, note, SIZE, GREY)


def _text(
    x: float, y: float, text: str, size: float, colour: str = INK, *, middle: bool = False
) -> Text:
    return Text(x, y, text, size, text_width(text, size), colour, "middle" if middle else "start")


def _right(shape: Shape) -> float:
    """Return how far to the right a shape goes."""
    if isinstance(shape, Box):
        return shape.x + shape.width
    if isinstance(shape, Text):
        return shape.x + shape.width * (0.5 if shape.anchor == "middle" else 1)
    return max(x for x, _ in shape.points)
