"""`tcpclose run`: a run to a state, one of the standard's, or one read back from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reports.files import write
from reports.itf import ENDING, parse_itf
from reports.ladder import Notes
from reports.loading import one_model
from reports.reach import condition
from reports.replay import LONGEST, parse_json, parse_ladder
from reports.run_files import content, format_of
from reports.scenarios import SCENARIOS, scenario_named
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.errors import ModelError, TcpcloseError, TraceError, nearest
from tcpclose_model.model import Model
from tcpclose_model.run import Run, executed
from tcpclose_model.search import explore
from tcpclose_model.variants.parameters import with_parameters


@dataclass(frozen=True, slots=True)
class Request:
    """What run is asked for."""

    what: str | None
    reach: str | None
    model_name: str | None
    settings: tuple[str, ...]
    limits: Mapping[str, Any]  # Any: a number of states or of seconds, or None


def run_command(
    request: Request, form: str | None, out: Path | None, *, notes: Notes, end: int = 0
) -> int:
    """Find the run, show or write it, and return the exit status."""
    asked = format_of(out) if out is not None else "text"
    if request.reach is not None:
        found, status = _reached(request)
        if found is None:
            return status
    else:
        found = given_run(request)
    text = content(found, form or asked, notes=notes, end=end)
    if out is None:
        click.echo(text, nl=False)
    else:
        write(out, text)
        click.echo(f"wrote {out}", err=True)
    return 0


def _reached(request: Request) -> tuple[Run | None, int]:
    """Return the shortest run to the wanted state, or None and the exit status."""
    assert request.reach is not None
    model = one_model(request.model_name or request.what, request.settings)
    ends = PlainEngine(model).ends
    common = [name for name in ends[0].initial._fields if name in ends[1].initial._fields]
    wanted = condition(request.reach, common)
    space = explore(model, **request.limits)
    number = space.first(n for n in range(len(space)) if wanted(space.state(n)))
    if number is not None:
        return executed(space, space.path_to(number)), 0
    if space.complete and not space.cut:
        click.echo(f"no run of {model.name} reaches {request.reach} ({len(space):,} states)")
        return None, 1
    cause = space.stopped or "runs are cut off by bounds.retransmissions_max"
    click.echo(f"unknown: no run found in {len(space):,} states, but {cause}")
    return None, 3


def given_run(request: Request) -> Run:
    """Return a named run, or one that a file describes; TcpcloseError if there is no such run."""
    name = request.what
    if name is None:
        raise ModelError("say which run: a name (tcpclose list runs), a file, or --reach CONDITION")
    if name in SCENARIOS and not Path(name).is_file():
        return _named(name, request)
    path = Path(name)
    if not path.suffix and not path.exists():
        raise ModelError(f"no run {name!r}{nearest(name, SCENARIOS)}; for a state, add --reach")
    if path.suffix == ".py":
        raise ModelError(
            f"{name} is a model; say which of its states: --reach 'A=CLOSED & B=CLOSED'"
        )
    return read_run(path, one_model(request.model_name, request.settings))


def _named(name: str, request: Request) -> Run:
    scenario = scenario_named(name)
    if request.model_name is None and not request.settings:
        return scenario.run()
    model = one_model(request.model_name) if request.model_name else scenario.model
    changed = with_parameters(model, request.settings)
    return parse_ladder(scenario.ladder, changed, where=name)


def read_run(path: Path, model: Model) -> Run:
    """Return the run that a ladder, a JSON trace or an ITF file describes.

    Raises TcpcloseError if the file cannot be read, TraceError if it is not a run of the model.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise TcpcloseError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > LONGEST:
        raise TraceError(f"{path}: longer than {LONGEST:,} bytes; this is not a trace of ours")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise TraceError(f"{path}: not UTF-8 text; a run is a ladder or JSON") from None
    if path.name.endswith(ENDING):
        return parse_itf(text, model, where=str(path))
    if path.suffix == ".json" or text.lstrip().startswith("{"):
        return parse_json(text, model, where=str(path))
    return parse_ladder(text, model, where=str(path))
