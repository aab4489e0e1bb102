"""The bits of Markdown that the reference is made of."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterable, Iterator


def table(head: Iterable[str], body: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'|'.join(' --- ' for _ in names)}|"
    for row in body:
        yield f"| {' | '.join(cell(text) for text in row)} |"


def cell(text: str) -> str:
    """Return a text as it may stand in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return a text in code quotes; nothing for no text."""
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str]) -> str:
    """Return several texts, each in code quotes."""
    return ", ".join(code(text) for text in texts)


def first_paragraph(doc: str | None) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split())


def names(members: Iterable[enum.Enum]) -> str:
    """Return the names of states or events."""
    return ", ".join(member.name for member in members)


def sentence(text: str) -> str:
    """Return a text with a full stop, and a capital letter unless it begins with a name."""
    first = text.split()[0]
    begin = text if any(c.isupper() or c == "_" for c in first) else text[0].upper() + text[1:]
    return begin if begin.endswith(".") else f"{begin}."
