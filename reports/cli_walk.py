"""The command `tcpclose walk`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from reports.cli_options import limits_of, model_options


@click.command()
@click.argument("name", required=False, metavar="[MODEL]")
@model_options
def walk(
    name: str | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Step through a MODEL at a prompt: choose a step, see both ends and what is in flight.

    It can undo, jump to the next violation, and save the run in any format of `tcpclose run`.
    Commands may come from a pipe.
    """
    from reports.loading import one_model
    from reports.walking import walk_command

    return walk_command(one_model(name, settings), limits_of(max_states, max_seconds, max_memory))
