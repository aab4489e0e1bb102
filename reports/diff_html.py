"""A comparison of two models as one page of HTML, to be kept with a build or sent by mail.

It has no script and loads nothing; where even its own style sheet is not allowed (the content
security policy of some CI servers), it reads as plain tables and pictures.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape

from reports.diff_words import broken, counts, headline, parted_runs, relations, row_lines, shown
from reports.difference import Difference
from reports.ladder import ladder
from reports.ladder_scene import ladder_scene
from reports.scene_svg import svg
from tcpclose_model.run import Run

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #ffffff }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { border: 1px solid #c4c4c4; padding: .25rem .6rem; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
pre { overflow-x: auto; background: #f6f6f4; padding: .8rem }
code { font-family: ui-monospace, monospace }
svg { max-width: 100%; height: auto }
summary { cursor: pointer; margin: .5rem 0 }
.violated { color: #8a3c00; font-weight: bold }
"""


def diff_html(found: Sequence[Difference]) -> str:
    """Return the page of some comparisons."""
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    title = "tcpclose diff: " + ", ".join(_names(one) for one in found)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{_text(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        *(line for one in found for line in _section(one)),
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _names(found: Difference) -> str:
    return f"{found.old.model.name} -> {found.new.model.name}"


def _text(text: str) -> str:
    """Return text in which nothing is markup, on one line."""
    return escape(" ".join(text.split()))


def _section(found: Difference) -> Iterator[str]:
    yield f"<h1>{_text(_names(found))}: {headline(found)}</h1>"
    changed = [f"<code>{_text(line)}</code>" for line in row_lines(found.rows)]
    for name, (before, after) in found.settings.items():
        words = f"set {name}: {shown(before)} -> {shown(after)}"
        changed.append(f"<code>{_text(words)}</code>")
    yield from _list("What was edited", changed)
    yield from _list("How the two relate", [_text(line) for line in relations(found)])
    yield from _table(found)
    for verdict in broken(found):
        words = f"{verdict.property.name} is violated now: {verdict.detail}"
        if verdict.run is None:
            yield f'<p class="violated">{_text(words)}</p>'
        else:
            yield from _ladder(words, verdict.run)
    for what, parted in parted_runs(found):
        yield from _ladder(what, parted.run)


def _list(head: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h2>{head}</h2>"
        yield "<ul>"
        yield from (f"<li>{item}</li>" for item in items)
        yield "</ul>"


def _table(found: Difference) -> Iterator[str]:
    yield "<h2>Counts and verdicts</h2>"
    yield "<table>"
    yield "<thead><tr><th></th><th>old</th><th>new</th></tr></thead>"
    yield "<tbody>"
    for name, old, new in counts(found):
        numbers = "".join(f'<td class="number">{number:,}</td>' for number in (old, new))
        yield f"<tr><th>{name}</th>{numbers}</tr>"
    for name, was, now in found.moved:
        cells = "".join(map(_cell, (was, now)))
        yield f"<tr><th><code>{_text(name)}</code></th>{cells}</tr>"
    yield "</tbody>"
    yield "</table>"
    if not found.moved:
        yield "<p>Every verdict is what it was.</p>"


def _cell(answer: str) -> str:
    kind = ' class="violated"' if answer == "VIOLATED" else ""
    return f"<td{kind}>{answer or '–'}</td>"


def _ladder(what: str, run: Run) -> Iterator[str]:
    """Yield a run as a picture, and as text that `tcpclose run` reads."""
    yield "<details open>"
    yield f"<summary>{_text(what)}: {len(run)} steps</summary>"
    yield svg(ladder_scene(run), styled=False).rstrip()
    yield f"<details><summary>as text</summary><pre>{escape(ladder(run))}</pre></details>"
    yield "</details>"
