"""The frame of a page of HTML that stands alone: no script, nothing loaded, every text escaped."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --page: #ffffff; --line: #c4c4c4; --bad: #8a3c00 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e6; --page: #1b1b1c; --line: #5a5a5a; --bad: #ffb070 }
}
body { font: 16px/1.45 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--page) }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
td.way { text-align: center; white-space: nowrap }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .8rem }
code { font-family: ui-monospace, monospace }
svg { max-width: 100%; height: auto; background: #ffffff }
summary { cursor: pointer; margin: .5rem 0 }
.violated { color: var(--bad); font-weight: bold }
"""

TAIL = "</body>\n</html>"


def head(title: str) -> str:
    """Return all that comes before the content of a page, its content security policy included."""
    policy = f"default-src 'none'; style-src {source(STYLE)}"
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{plain(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
        )
    )


def source(text: str) -> str:
    """Return the source of a policy that allows the one script or style of this text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def plain(text: str) -> str:
    """Return text in which nothing is markup, on one line."""
    return escape(" ".join(text.split()))
