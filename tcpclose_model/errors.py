"""The errors that a user can cause; each says what is wrong and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TcpcloseError(Exception):
    """Unusable input; the command line prints it and exits with 2."""


class ModelError(TcpcloseError):
    """A protocol table, an edit, a model or one of its parameters is wrong."""


class TraceError(TcpcloseError):
    """A ladder or a trace cannot be used; `impossible` if it can be read, but is no run."""

    def __init__(self, message: str, *, impossible: bool = False) -> None:
        super().__init__(message)
        self.impossible = impossible


class DefectError(Exception):
    """Our own mistake: what one part found, another cannot repeat."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ' (did you mean ...?)' for the known words most like `word`, else all of them."""
    choices = sorted(set(known))
    close = difflib.get_close_matches(word, choices, n=3, cutoff=0.5)
    if close:
        return f" (did you mean {' or '.join(close)}?)"
    return f" (known: {', '.join(choices)})" if choices else ""
