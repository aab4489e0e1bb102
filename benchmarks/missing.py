"""Why a contender has no result."""

from __future__ import annotations


class Missing(Exception):  # noqa: N818 (it is no error: the contender is passed over)
    """A contender cannot run here; the text is the reason, for people."""


class Failed(Missing):
    """A contender is here, and has not come to its end."""
