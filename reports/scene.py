"""A picture as a list of things to draw: boxes, texts and curves, in pixels, y pointing down.

What is drawn is decided once, here and in `pictures`; `scene_svg` and `scene_png` only draw it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle"]

HEAD_LENGTH = 9.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with round corners, its stroke half inside and half outside."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    stroke_width: float = 1.0
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text. (x, y) is on its baseline; `width` is what it was measured to take.

    With `halo` it gets a white outline, so that it can be read across a curve.
    """

    x: float
    y: float
    text: str
    size: float
    width: float
    colour: str = "#000000"
    anchor: Anchor = "middle"
    halo: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Cubic Bézier curves end to end: a start, then three points for each piece."""

    points: tuple[Point, ...]
    stroke: str
    width: float = 1.4
    dash: tuple[float, ...] = ()
    head: bool = True

    def arrow_head(self) -> tuple[Point, Point, Point]:
        """The triangle at the end of the curve, its tip first."""
        tip, (ux, uy) = self.points[-1], end_direction(self.points)
        length = HEAD_LENGTH + 1.5 * (self.width - 1.4)
        half = length * 0.42
        back = (tip[0] - ux * length, tip[1] - uy * length)
        left = (back[0] - uy * half, back[1] + ux * half)
        return tip, left, (back[0] + uy * half, back[1] - ux * half)

    def shaft(self) -> tuple[Point, ...]:
        """The points to stroke: the curve, ending inside its head so that the tip stays sharp."""
        if not self.head:
            return self.points
        (x, y), (ux, uy) = self.points[-1], end_direction(self.points)
        return (*self.points[:-1], (x - ux * 0.7 * HEAD_LENGTH, y - uy * 0.7 * HEAD_LENGTH))


Shape = Box | Text | Curve


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything on one white page, in the order of painting; `title` is for screen readers."""

    width: int
    height: int
    title: str
    shapes: tuple[Shape, ...]


def end_direction(points: Sequence[Point]) -> Point:
    """The unit vector along which a chain of Bézier points arrives at its end."""
    x, y = points[-1]
    for px, py in reversed(points[:-1]):
        length = math.hypot(x - px, y - py)
        if length > 1e-6:
            return (x - px) / length, (y - py) / length
    return 0.0, 1.0


def flattened(points: Sequence[Point], pieces: int = 16) -> list[Point]:
    """The curve as a chain of straight lines, `pieces` of them for each Bézier piece."""
    line = [points[0]]
    for i in range(0, len(points) - 1, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[i : i + 4]
        for step in range(1, pieces + 1):
            t = step / pieces
            s = 1 - t
            a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
            line.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return line


def dashes(line: Sequence[Point], pattern: Sequence[float]) -> list[list[Point]]:
    """The parts of a chain of lines that a dash pattern (on, off, on, off, ...) leaves visible."""
    if not pattern:
        return [list(line)]
    parts: list[list[Point]] = [[line[0]]]
    phase, left = 0, pattern[0]
    for start, end in pairwise(line):
        length, done = math.dist(start, end), 0.0
        while length - done > left:
            done += left
            t = done / length
            point = (start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1]))
            phase = (phase + 1) % len(pattern)
            left = pattern[phase]
            if phase % 2 == 0:
                parts.append([point])
            else:
                parts[-1].append(point)
        left -= length - done
        if phase % 2 == 0:
            parts[-1].append(end)
    return [part for part in parts if len(part) > 1]
