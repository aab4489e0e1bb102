"""`tcpclose diff OLD NEW`: what an edit means for rows, verdicts, counts and runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reports.diff_formats import diff_json, diff_markdown
from reports.diff_words import diff_lines
from reports.difference import DIFFERENT, EQUIVALENT, UNKNOWN, Difference, difference
from reports.files import write
from reports.loading import as_from, one_model, origin_of
from reports.revisions import models_at, range_of
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.variants.parameters import with_parameters

FORM_OF = {".txt": "text", ".json": "json", ".md": "markdown", ".html": "html"}
"""The format of a comparison by the ending of its file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; limits: of each exploration."""

    rules: bool
    any_state: bool
    form: str | None
    settings: Sequence[str]
    limits: Mapping[str, Any]  # Any: a number of states or of seconds, or None
    out: Path | None = None


def run_diffs(names: Sequence[str], rev: str | None, asked: Asked) -> int:
    """Compare two models, or those of one file at two revisions, and return the exit status."""
    if asked.out is not None and asked.out.suffix not in FORM_OF:
        raise ModelError(f"{asked.out}: a comparison is written as {', '.join(FORM_OF)}")
    if asked.rules and (asked.out is not None or asked.form not in (None, "text", "json")):
        raise ModelError("--rules is printed as text or json")
    if rev is None:
        if len(names) != 2:
            raise ModelError("name two models, OLD and NEW; or one FILE and --rev BASE..HEAD")
        return _compared(
            [(one_model(names[0], asked.settings), one_model(names[1], asked.settings))], asked
        )
    if len(names) != 1:
        raise ModelError("--rev compares one FILE at two revisions: name just that")
    base, head = range_of(rev)
    with models_at(base, names[0]) as old, models_at(head, names[0]) as new:
        for name in sorted({*old} ^ {*new}):
            click.echo(f"{name} is only at {base if name in old else head}", err=True)
        both = [name for name in old if name in new]
        pairs = [(_with(old[name], asked), _with(new[name], asked)) for name in both]
        status = _compared(pairs, asked)
    return status if {*old} == {*new} else max(status, DIFFERENT)


def _with(model: Model, asked: Asked) -> Model:
    return as_from(origin_of(model), with_parameters(model, asked.settings))


def _compared(pairs: Sequence[tuple[Model, Model]], asked: Asked) -> int:
    if asked.rules:
        from reports.rule_diffing import run_rule_diff

        return _worst(
            [run_rule_diff(a, b, asked.form, any_state=asked.any_state) for a, b in pairs]
        )
    form = asked.form or "text" if asked.out is None else FORM_OF[asked.out.suffix]
    found: list[Difference] = []
    report: list[str] = []
    for old, new in pairs:
        began = time.monotonic()
        found.append(difference(old, new, asked.limits))
        report.append(_shown(found[-1], form, time.monotonic() - began))
        if asked.out is None and report[-1]:
            click.echo(report[-1])
    if form == "html":
        report = [_page(found)]
        if asked.out is None:
            click.echo(report[0], nl=False)
    if asked.form == "github":
        from reports.diff_github import append_summary

        append_summary(found)
    if asked.out is not None:
        write(asked.out, "\n".join(click.unstyle(part).rstrip() for part in report) + "\n")
        click.echo(f"wrote {asked.out}", err=True)
    return _worst([one.status for one in found])


def _worst(statuses: Sequence[int]) -> int:
    return next((status for status in (DIFFERENT, UNKNOWN) if status in statuses), EQUIVALENT)


def _shown(found: Difference, form: str, seconds: float) -> str:
    """Return one comparison in a format; nothing in one that has all of them on a page."""
    match form:
        case "json":
            return diff_json(found)
        case "markdown":
            return "\n".join(diff_markdown(found))
        case "github":
            from reports.diff_github import commands

            return "\n".join([*diff_lines(found, seconds), *commands(found)])
        case "html":
            return ""
    return "\n".join(diff_lines(found, seconds))


def _page(found: Sequence[Difference]) -> str:
    from reports.diff_html import diff_html

    return diff_html(found)
