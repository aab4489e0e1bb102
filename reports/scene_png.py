"""A scene as PNG bytes, drawn with Pillow and Pillow's own font."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

from reports.lettering import font, spelled
from reports.scene import Box, Curve, Point, Scene, Text, dashes, flattened

if TYPE_CHECKING:
    from PIL import ImageDraw

PIXELS_MAX = 120_000_000  # 360 MB while it is drawn
PIXELS_FINE = 60_000_000  # up to here, all is drawn three times too large and then reduced


def png(scene: Scene, scale: float = 2.0) -> bytes:
    """A PNG of `scale` pixels for each pixel of the scene; ValueError if that is too large."""
    from PIL import Image, ImageDraw

    if not scale > 0:
        raise ValueError(f"scale is {scale}; it must be above 0, and 2.0 is a good start")
    width, height = round(scene.width * scale), round(scene.height * scale)
    if not 0 < width * height <= PIXELS_MAX:
        fits = math.floor(10 * math.sqrt(PIXELS_MAX / scene.width / scene.height)) / 10
        raise ValueError(
            f"a PNG of {width} x {height} pixels is out of bounds; pass a scale of at most"
            f" {fits} and not near 0, or use svg()"
        )
    finer = 3 if width * height * 9 <= PIXELS_FINE else 2 if width * height * 4 <= PIXELS_MAX else 1
    image = Image.new("RGB", (width * finer, height * finer), "#ffffff")
    draw = ImageDraw.Draw(image)
    for shape in scene.shapes:
        if isinstance(shape, Box):
            _draw_box(draw, shape, scale * finer)
        elif isinstance(shape, Curve):
            _draw_curve(draw, shape, scale * finer)
        else:
            _draw_text(draw, shape, scale * finer)
    file = BytesIO()
    image.reduce(finer).save(file, "PNG")
    return file.getvalue()


def _draw_box(draw: ImageDraw.ImageDraw, box: Box, scale: float) -> None:
    half = box.stroke_width / 2 if box.stroke != "none" else 0.0  # Pillow strokes inwards
    outer = (
        (box.x - half) * scale,
        (box.y - half) * scale,
        (box.x + box.width + half) * scale,
        (box.y + box.height + half) * scale,
    )
    draw.rounded_rectangle(
        outer,
        radius=(box.radius + half) * scale,
        fill=None if box.fill == "none" else box.fill,
        outline=None if box.stroke == "none" else box.stroke,
        width=max(1, round(box.stroke_width * scale)) if half else 0,
    )


def _draw_curve(draw: ImageDraw.ImageDraw, curve: Curve, scale: float) -> None:
    width = max(1, round(curve.width * scale))
    for part in dashes(flattened(curve.shaft()), curve.dash):
        draw.line(_scaled(part, scale), fill=curve.stroke, width=width, joint="curve")
    if curve.head:
        draw.polygon(_scaled(curve.arrow_head(), scale), fill=curve.stroke)


def _draw_text(draw: ImageDraw.ImageDraw, text: Text, scale: float) -> None:
    draw.text(
        (text.x * scale, text.y * scale),
        spelled(text.text),
        fill=text.colour,
        font=font(text.size * scale),
        anchor="ls" if text.anchor == "start" else "ms",
        stroke_width=round(1.5 * scale) if text.halo else 0,
        stroke_fill="#ffffff",
    )


def _scaled(points: list[Point] | tuple[Point, ...], scale: float) -> list[Point]:
    return [(x * scale, y * scale) for x, y in points]
