"""The command `tcpclose export`: a model as a text for another checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from reports.files import write
from reports.loading import one_model

STATES_MAX = 200_000
"""States that an export to TLA+ explores, to say what TLC will find; it does without if more."""


def run_export(name: str | None, to: str, out: Path | None, settings: Sequence[str]) -> int:
    """Write a model's text to a file, or print it; return the exit status.

    Raises ModelError where the model cannot be used, or cannot be said in that language.
    """
    from reports.exports.rows import refuse_untold

    model = one_model(name, settings)
    refuse_untold(model)
    if to == "tla":
        from reports.exports.tla import tla, tla_files
        from tcpclose_model.search import explore

        space = explore(model, max_states=STATES_MAX)
        _done(tla(model, space) if out is None else tla_files(model, out, space))
    else:
        from reports.exports.promela import promela

        text = promela(model)
        _done(text if out is None else {out: text})
    return 0


def _done(texts: str | Mapping[Path, str]) -> None:
    """Print a text, or write the files; their first lines say what to do with them."""
    if isinstance(texts, str):
        click.echo(texts, nl=False)
        return
    for path, text in texts.items():
        write(path, text)
        click.echo(f"wrote {path}")
