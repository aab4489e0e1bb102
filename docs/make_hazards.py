"""Writes docs/hazards.md out of the hazards' runs:  python docs/make_hazards.py [--check]

Every hazard is checked anew.  With `--check` nothing is written, and the exit status is 1 if the
file is not up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from reference_markdown import code, table  # noqa: E402  # after the path is set

from properties.check import Result, check  # noqa: E402
from properties.hazards import HAZARDS, Case, Hazard  # noqa: E402
from reports.ladder import ladder  # noqa: E402

PAGE = ROOT / "docs" / "hazards.md"


def page() -> str:
    """Return the whole text of docs/hazards.md."""
    found = {case: check(case.broken(), only=[case.breaks]) for case in _cases()}
    lines = [
        "# Hazards",
        "",
        "What is known to go wrong when TCP connections close, each with the shortest run that",
        "shows it (of a loop, a short one), and the change of the model that repairs it. Made of",
        "the runs by `python docs/make_hazards.py`; do not edit it. Tests hold every run, how long",
        "it is, where it ends, its repair, and that the standard's table, put right, is clean.",
        "",
        *table(
            ["", "hazard", "case", "property", "steps", "A ends in", "B ends in"],
            (row(hazard, case) for hazard in HAZARDS.values() for case in hazard.cases),
        ),
    ]
    for hazard in HAZARDS.values():
        lines += ["", f"## {hazard.name}: {hazard.title}", "", hazard.says, ""]
        lines.append(f"Source: {hazard.source}.")
        for case in hazard.cases:
            lines += ["", *shown(case, found[case])]
    return "\n".join(lines) + "\n"


def _cases() -> Iterator[Case]:
    for hazard in HAZARDS.values():
        yield from hazard.cases


def row(hazard: Hazard, case: Case) -> list[str]:
    """Return a case's line in the table."""
    steps = str(case.steps) if not case.loop else f"{case.steps}, {case.loop} of them for ever"
    first = case is hazard.cases[0]
    hazards = [f"[{hazard.name}](#{anchor(hazard)})", hazard.title] if first else ["", ""]
    return [*hazards, case.title, code(case.breaks), steps, *case.ends]


def anchor(hazard: Hazard) -> str:
    """Return the anchor that a hazard's heading gets where Markdown is shown."""
    kept = (c for c in f"{hazard.name}: {hazard.title}".lower() if c.isalnum() or c in " -_")
    return "".join(kept).replace(" ", "-")


def shown(case: Case, result: Result) -> Iterator[str]:
    """Yield a case: the command, the run, what is wrong and what repairs it."""
    verdict = result[case.breaks]
    assert verdict.run is not None, f"{case.command} finds nothing wrong"
    yield f"**{case.title[0].upper()}{case.title[1:]}.**"
    yield from ["", "```sh", case.command, "```", "", "```text"]
    yield ladder(verdict.run, notes="none").rstrip()
    yield "```"
    yield ""
    yield f"Wrong: {verdict.detail}. Repair: {code(case.repair)}."


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
