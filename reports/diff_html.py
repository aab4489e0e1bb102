"""A comparison of two models as one page of HTML, to be kept with a build or sent by mail.

It has no script and loads nothing; where even its own style sheet is not allowed (the content
security policy of some CI servers), it reads as plain tables and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from reports.diff_words import broken, counts, headline, parted_runs, relations, row_lines, shown
from reports.difference import Difference
from reports.html_page import TAIL, head, plain
from reports.ladder import ladder
from reports.ladder_scene import ladder_scene
from reports.scene_svg import svg
from tcpclose_model.run import Run


def diff_html(found: Sequence[Difference]) -> str:
    """Return the page of some comparisons."""
    title = "tcpclose diff: " + ", ".join(_names(one) for one in found)
    lines = [head(title), *(line for one in found for line in _section(one)), TAIL]
    return "\n".join(lines) + "\n"


def _names(found: Difference) -> str:
    return f"{found.old.model.name} -> {found.new.model.name}"


def _section(found: Difference) -> Iterator[str]:
    yield f"<h1>{plain(_names(found))}: {headline(found)}</h1>"
    changed = [f"<code>{plain(line)}</code>" for line in row_lines(found.rows)]
    for name, (before, after) in found.settings.items():
        words = f"set {name}: {shown(before)} -> {shown(after)}"
        changed.append(f"<code>{plain(words)}</code>")
    yield from _list("What was edited", changed)
    yield from _list("How the two relate", [plain(line) for line in relations(found)])
    yield from _table(found)
    for verdict in broken(found):
        words = f"{verdict.property.name} is violated now: {verdict.detail}"
        if verdict.run is None:
            yield f'<p class="violated">{plain(words)}</p>'
        else:
            yield from _ladder(words, verdict.run)
    for what, parted in parted_runs(found):
        yield from _ladder(what, parted.run)


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h2>{title}</h2>"
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
        yield f"<tr><th><code>{plain(name)}</code></th>{cells}</tr>"
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
    yield f"<summary>{plain(what)}: {len(run)} steps</summary>"
    yield svg(ladder_scene(run), styled=False).rstrip()
    yield f"<details><summary>as text</summary><pre>{escape(ladder(run))}</pre></details>"
    yield "</details>"
