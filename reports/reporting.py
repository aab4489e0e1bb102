"""`tcpclose report`: check models, and write a page to look at them in a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from properties.check import check
from reports.checking import interrupted, status_of
from reports.explorer_page import page
from reports.files import write
from reports.loading import asked_for, models, placing
from reports.progress import watched
from tcpclose_model.errors import ModelError

ENDINGS = (".html", ".htm")


def run_report(
    out: Path,
    names: Sequence[str],
    *,
    everything: bool,
    only: Sequence[str],
    settings: Sequence[str],
    limits: Mapping[str, Any],  # Any: a number of states or of seconds, or None
) -> int:
    """Write the report and return the exit status of a check of the same models."""
    names = asked_for(names, everything=everything)
    if out.suffix.lower() not in ENDINGS:
        raise ModelError(f"{out}: a report is an HTML file, with the ending .html")
    results = []
    for model in models(names, settings):
        with placing(model), watched(model.name) as progress:
            results.append(check(model, only=only, progress=progress, **limits))
        if interrupted(results[-1]):
            break
    text = page(results)
    write(out, text)
    count = f"{len(results)} model{'' if len(results) == 1 else 's'}"
    click.echo(f"wrote {out}: {count}, {len(text.encode()):,} bytes", err=True)
    return status_of(results)
