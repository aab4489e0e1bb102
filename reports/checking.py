"""`tcpclose check`: which models, how they are shown, and the exit status of several."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from properties.check import Result, check
from properties.strictness import untested
from properties.verdict import Answer
from reports.check_json import check_json
from reports.ci_formats import append_summary, junit, workflow_commands
from reports.files import directory, write
from reports.loading import asked_for, models, placing
from reports.progress import watched
from reports.run_files import write_all
from reports.text import result_lines, table_lines, where_notes
from tcpclose_model.errors import ModelError
from tcpclose_model.limits import Progress
from tcpclose_model.model import Model
from tcpclose_model.search import uncollected

Limits = Mapping[str, Any]  # Any: a number of states or of seconds, or None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    names: Sequence[str]
    everything: bool
    only: Sequence[str]
    form: str | None
    notes: bool
    out: Path | None
    settings: Sequence[str]
    limits: Limits
    strict: bool = False


def run_check(asked: Asked) -> int:
    """Check, print or write, and return the exit status."""
    out = asked.out
    names = asked_for(asked.names, everything=asked.everything)
    to_file = out is not None and bool(out.suffix) and not out.is_dir()
    if out is not None and to_file and out.suffix not in FORM_OF:
        raise ModelError(f"{out}: a report is {', '.join(FORM_OF)}; or name a directory")
    chosen = models(names, asked.settings)
    form = FORM_OF[out.suffix] if out is not None and to_file else asked.form
    as_document = form in ("json", "junit")
    notes = where_notes(asked.notes, to_file=to_file)
    results: list[Result] = []
    report: list[str] = []

    def put(lines: Iterable[str]) -> None:
        for line in lines:
            if to_file:
                report.append(click.unstyle(line) + "\n")
            else:
                click.echo(line)

    for model in chosen:
        with watched(model.name) as progress:
            results.append(_checked(model, asked, progress))
        if not as_document and not asked.everything:
            put([""] if len(results) > 1 else [])
            put(result_lines(results[-1], notes))
            put(_strict_lines(results[-1], asked))
        if interrupted(results[-1]):
            break
    if asked.everything and not as_document:
        put(table_lines(results))
        put(line for result in results for line in _strict_lines(result, asked))
    if asked.form == "github":
        put(workflow_commands(results, strict=asked.strict) if not to_file else [])
        append_summary(results, strict=asked.strict)
    document = ""
    if as_document:
        document = check_json(results) if form == "json" else junit(results, strict=asked.strict)
    if as_document and not to_file:
        click.echo(document, nl=False)
    if out is not None and to_file:
        write(out, document if as_document else "".join(report))
        click.echo(f"wrote {out}", err=True)
    elif out is not None:
        _write_counterexamples(out, results)
    strictly = asked.strict and any(any(untested(result)) for result in results)
    return 1 if strictly else status_of(results)


FORM_OF = {".json": "json", ".txt": "text", ".xml": "junit"}
"""The format of a report by the ending of its file."""


def _strict_lines(result: Result, asked: Asked) -> Iterator[str]:
    if asked.strict:
        for what in untested(result):
            yield click.style(f"STRICT: {result.model.name}: {what}", fg="red")


def _checked(model: Model, asked: Asked, progress: Progress | None) -> Result:
    """Return the result; a mistake of a model file is told with its place."""
    with placing(model), uncollected():
        result = check(model, only=asked.only, progress=progress, **asked.limits)
        gc.freeze()  # this process is short: no collection need walk the finished graph
        return result


def interrupted(result: Result) -> bool:
    """Return whether a check was ended by an interrupt (Ctrl-C)."""
    return any(v.detail == "interrupted" for v in result.verdicts) or (
        result.space.stopped == "interrupted"
    )


def status_of(results: Sequence[Result]) -> int:
    """Return the exit status of several results: 1 before 3 before 0."""
    statuses = {result.exit_status for result in results}
    return 1 if 1 in statuses else max(statuses, default=0)


def _write_counterexamples(out: Path, results: list[Result]) -> None:
    """Write each counterexample into a directory, in every format that a run has."""
    directory(out)
    stems: set[str] = set()
    for result in results:
        for verdict in result.verdicts:
            if verdict.run is None or verdict.answer is not Answer.VIOLATED:
                continue
            # Names come from model files: only what is safe in a file name is kept of them.
            stem = re.sub(r"[^\w.-]", "_", f"{result.model.name}.{verdict.property.name}")
            while stem in stems:
                stem += "_again"
            stems.add(stem)
            head = f"# {result.model.name}: {verdict.property.name}: {verdict.detail}\n"
            write_all(out, stem, verdict.run, head)
    click.echo(f"wrote {len(stems)} counterexamples to {out}", err=True)
