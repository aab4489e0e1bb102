"""Text that is put into Markdown."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """Return text on one line of Markdown in which nothing is markup."""
    return re.sub(r"([\\`*_<>\[\]|#&~])", r"\\\1", " ".join(text.split()))
