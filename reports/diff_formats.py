"""A comparison of two models as Markdown and as JSON (schema tcpclose/diff/1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from properties.equivalence import Parted
from reports.diff_words import broken, counts, headline, parted_runs, relations, row_lines, shown
from reports.difference import EQUIVALENT, UNKNOWN, Difference
from reports.markdown import escaped
from reports.trace import mermaid, trace_json
from tcpclose_model.run import Run


def diff_markdown(found: Difference) -> Iterator[str]:
    """Yield the comparison as GitHub shows it, with ladders in Mermaid."""
    names = f"{escaped(found.old.model.name)} → {escaped(found.new.model.name)}"
    yield f"### {names}: {headline(found)}"
    yield ""
    for line in row_lines(found.rows):
        yield f"- {escaped(line)}"
    for name, (before, after) in found.settings.items():
        yield f"- `{name}`: {escaped(shown(before))} → {escaped(shown(after))}"
    yield from [f"- {escaped(line)}" for line in relations(found)]
    yield from ["", "| | old | new |", "| --- | ---: | ---: |"]
    for name, number, other in counts(found):
        yield f"| {name} | {number:,} | {other:,} |"
    for name, was, now in found.moved:
        yield f"| {escaped(name)} | {was or '–'} | **{now or '–'}** |"
    for verdict in broken(found):
        if verdict.run is not None:
            words = f"{verdict.property.name} is violated now: {verdict.detail}"
            yield from folded(words, verdict.run)
    for what, parted in parted_runs(found):
        yield from folded(what, parted.run)


def folded(what: str, run: Run) -> Iterator[str]:
    """Yield a run in Mermaid below a line that unfolds it."""
    summary = escape(" ".join(what.split()))
    yield from ["", f"<details><summary>{summary}: {len(run)} steps</summary>", ""]
    yield from ["```mermaid", mermaid(run).rstrip(), "```", "", "</details>"]


def diff_json(found: Difference) -> str:
    """Return the comparison as JSON."""
    seen = found.seen
    document = {
        "schema": "tcpclose/diff/1",
        "old": found.old.model.name,
        "new": found.new.model.name,
        "equivalent": None if found.status == UNKNOWN else found.status == EQUIVALENT,
        "identical": None if found.identical is None else found.identical.equal,
        "branching_bisimilar": found.branching,
        "complete": seen is not None and seen.complete,
        "rows": [
            {"end": end, "rule": change.name, "is": change.what}
            for end, changed in found.rows.items()
            for change in changed
        ],
        "settings": {name: [shown(one) for one in pair] for name, pair in found.settings.items()},
        "verdicts": [
            {"property": name, "old": before, "new": after} for name, before, after in found.moved
        ],
        "counts": {name: [before, after] for name, before, after in counts(found)},
        "only_old": None if seen is None else _run_json(seen.only_old),
        "only_new": None if seen is None else _run_json(seen.only_new),
    }
    return json.dumps(document, indent=1)


def _run_json(parted: Parted | None) -> object:
    return None if parted is None else trace_json(parted.run)
