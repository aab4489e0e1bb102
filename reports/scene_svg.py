"""A scene as SVG text: no ids, so that several pictures can stand in one page."""

from __future__ import annotations

from html import escape

from reports.scene import Box, Curve, Point, Scene, Shape, Text

FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"


def svg(scene: Scene, *, styled: bool = True) -> str:
    """A stand-alone SVG document with its own white page; its texts can be selected.

    Without `styled` it has no style of its own, which some content security policies refuse.
    """
    style = ' style="max-width:100%;height:auto"' if styled else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{scene.width}"'
            f' height="{scene.height}" viewBox="0 0 {scene.width} {scene.height}"'
            f' font-family="{FONTS}"{style}>',
            f"<title>{_clean(scene.title)}</title>",
            f'<rect width="{scene.width}" height="{scene.height}" fill="#ffffff"/>',
            *(_element(shape) for shape in scene.shapes),
            "</svg>\n",
        ]
    )


def _element(shape: Shape) -> str:
    match shape:
        case Box():
            return _rect(shape)
        case Text():
            return _text(shape)
        case Curve():
            return _path(shape)


def _rect(box: Box) -> str:
    stroke = ""
    if box.stroke != "none":
        stroke = f' stroke="{box.stroke}" stroke-width="{_n(box.stroke_width)}"'
    return (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
        f' rx="{_n(box.radius)}" fill="{box.fill}"{stroke}/>'
    )


def _text(text: Text) -> str:
    halo = ' stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
    # textLength holds the text to its measured width, whichever font the reader's machine has.
    return (
        f'<text x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}"'
        f' fill="{text.colour}" text-anchor="{text.anchor}" textLength="{_n(text.width)}"'
        f' lengthAdjust="spacingAndGlyphs"{halo if text.halo else ""}>{_clean(text.text)}</text>'
    )


def _path(curve: Curve) -> str:
    start, *rest = curve.shaft()
    path = (
        f'<path d="M{_p(start)} C{" ".join(_p(point) for point in rest)}" fill="none"'
        f' stroke="{curve.stroke}" stroke-width="{_n(curve.width)}"{_dash(curve.dash)}/>'
    )
    if not curve.head:
        return path
    corners = " ".join(_p(point) for point in curve.arrow_head())
    return f'{path}<polygon points="{corners}" fill="{curve.stroke}"/>'


def _dash(pattern: tuple[float, ...]) -> str:
    return f' stroke-dasharray="{" ".join(_n(n) for n in pattern)}"' if pattern else ""


def _p(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _n(number: float) -> str:
    """The number to a hundredth of a pixel, without trailing zeros and without -0."""
    short = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _clean(text: str) -> str:
    """The text escaped for XML; characters that XML forbids become a visible mark."""
    return escape(visible(text))


def visible(text: str) -> str:
    """The text with a visible mark for each character that XML, and so HTML, cannot hold."""
    return "".join(c if _is_xml(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_xml(code: int) -> bool:
    """True for the characters that XML 1.0 allows (section 2.2)."""
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )
