"""How much room a text takes, and which characters the built-in font can draw.

Sizes are measured with the font that Pillow carries in its wheel, so no system font is needed.
"""

from __future__ import annotations

import math
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

LINE_HEIGHT = 1.25  # of the text's size
BASELINE = 0.93  # from the top of a line, of the text's size

# The built-in font has Latin letters only: what to draw instead of the signs people do use.
SPELLINGS = {
    "→": "->", "←": "<-", "↔": "<->", "⇒": "=>", "⇐": "<=", "—": "-", "–": "-", "−": "-",
    "×": "x", "≤": "<=", "≥": ">=", "≠": "!=", "∧": "&", "∨": "|", "¬": "not ", "∅": "{}",
    "•": "·", "✓": "ok", "✗": "x", "µ": "u", "∞": "inf", "⟶": "->", "⟵": "<-",
}  # fmt: skip


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    """Pillow's own font at `size` pixels; ValueError if this Pillow was built without FreeType."""
    from PIL import ImageFont

    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise ValueError("this Pillow has no FreeType; install Pillow from a wheel of PyPI")
    return loaded


@cache
def drawable(character: str) -> bool:
    """True if the built-in font has a glyph for the character."""
    mask, missing = font(24).getmask(character), font(24).getmask("\uffff")
    return character == " " or bytes(mask) != bytes(missing)


@cache
def spelled(text: str) -> str:
    """The text with each character that the built-in font lacks spelled in characters it has."""
    return "".join(c if drawable(c) else _spelling(c) for c in text)


def _spelling(character: str) -> str:
    if character in SPELLINGS:
        return SPELLINGS[character]
    base = unicodedata.normalize("NFKD", character)[0]
    return base if drawable(base) else "?"


@cache
def text_width(text: str, size: float) -> float:
    """Pixels, rounded up, that one line of text takes at `size`."""
    # Measured four times too large, as the font rounds every letter to whole pixels.
    return float(math.ceil(font(4 * size).getlength(spelled(text)) / 4))


def block_size(lines: tuple[str, ...], size: float) -> tuple[float, float]:
    """(width, height) in pixels of some lines of text set below each other."""
    width = max((text_width(line, size) for line in lines), default=0.0)
    return width, len(lines) * size * LINE_HEIGHT
