"""`tcpclose prove --capacity any`: what holds at every capacity from the model's on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from properties.any_capacity import any_capacity
from properties.beyond import AnyCapacity, Beyond
from reports.ladder import ladder
from reports.loading import models
from reports.text import COLOURS, SHORT, described
from reports.trace import trace_json
from tcpclose_model.engines.coverability import ELEMENTS_MAX
from tcpclose_model.limits import Limits

HOLDS_FOR = (
    "at the model's users, timers and bounds; over channels that lose any segment at any position"
)


def run_capacity(
    names: Sequence[str],
    only: Sequence[str],
    form: str | None,
    settings: Sequence[str],
    limits: Mapping[str, Any],  # Any: numbers of different kinds
    elements_max: int | None,
) -> int:
    """Prove, print, and return the exit status."""
    statuses, documents = [], []
    for number, model in enumerate(models(names, settings)):
        began = time.monotonic()
        found = any_capacity(model, only, Limits(**limits), elements_max or ELEMENTS_MAX)
        seconds = time.monotonic() - began
        statuses.append(found.exit_status)
        if form == "json":
            documents.append(_json(found))
            continue
        for line in ([""] if number else []) + list(_lines(found, seconds)):
            click.echo(line)
    if form == "json":
        click.echo(json.dumps({"schema": "tcpclose/capacity/1", "models": documents}, indent=1))
    return next((status for status in (1, 3) if status in statuses), 0)


def _lines(found: AnyCapacity, seconds: float) -> Iterator[str]:
    model = found.model
    capacity = model.network.capacity
    looked = f"{found.views:,} views, {found.elements:,} elements, {seconds:.1f} s"
    head = f"{model.name}: {described(model)}; capacities from {capacity} on; {looked}"
    yield click.style(head, bold=True)
    yield click.style(HOLDS_FOR, dim=True)
    yield from _cut_off(found)
    width = max((len(one.verdict.property.name) for one in found.properties), default=0)
    for one in found.properties:
        yield _answer(one, width)
    for name, why in found.left_out.items():
        yield click.style(f"not covered: {name}: {why}", dim=True)
    if found.run is not None:
        yield ""
        yield click.style(f"a pair of TCBs that capacity {capacity} does not reach", bold=True)
        yield ladder(found.run, notes="none").rstrip()
        yield f"A: {_tcb(found.run.last.a)}"
        yield f"B: {_tcb(found.run.last.b)}"
        if found.error:
            yield f"the rows fail at the next arrival: {found.error}"
    for one in found.properties:
        if one.run is not None:
            yield ""
            yield click.style(f"{one.verdict.property.name}: {one.why}", bold=True)
            yield ladder(one.run, notes="none").rstrip()


def _cut_off(found: AnyCapacity) -> Iterator[str]:
    capacity = found.model.network.capacity
    if found.is_cut_off:
        yield (
            f"{click.style('proved', fg='green')}   the {found.pairs:,} pairs of TCBs reached at "
            f"capacity {capacity} are all that any larger capacity reaches"
        )
    elif found.run is not None:
        larger = found.run.model.network.capacity
        yield (
            f"{click.style('REFUTED', fg='red')}  capacity {capacity} is no cut-off: capacity "
            f"{larger} reaches more than its {found.pairs:,} pairs of TCBs (try --set "
            f"network.capacity={larger})"
        )
    else:
        word = click.style("UNKNOWN", fg="magenta")
        yield f"{word}  whether a larger capacity reaches more pairs of TCBs: {found.stopped}"


def _answer(one: Beyond, width: int) -> str:
    verdict = one.verdict
    name = f"{verdict.property.name:<{width}}"
    if one.everywhere:
        word = click.style(f"{SHORT[verdict.answer]:<9}", fg=COLOURS[verdict.answer])
        return f"{word}{name}  at every capacity{f': {verdict.detail}' if verdict.detail else ''}"
    if one.changes:
        return f"{click.style('CHANGES', fg='red')}  {name}  {one.why}"
    word = click.style("UNKNOWN", fg="magenta")
    return f"{word}  {name}  {verdict.answer.value} at this capacity; {one.why}"


def _tcb(tcb: Any) -> str:  # Any: a TCB of any table
    """Return a TCB: its state, and the fields that are not 0."""
    fields = tcb._asdict()
    state = fields.pop("state")
    values = (f"{name}={int(value)}" for name, value in fields.items() if value)
    return " ".join([state.name, *values])


def _json(found: AnyCapacity) -> Mapping[str, Any]:  # Any: JSON values
    run = found.run
    return {
        "model": found.model.name,
        "capacity": found.model.network.capacity,
        "pairs": found.pairs,
        "views": found.views,
        "elements": found.elements,
        "is_cut_off": found.is_cut_off,
        "stopped": found.stopped,
        "new_pair": None
        if run is None
        else {
            "capacity": run.model.network.capacity,
            "rows_fail": found.error,
            "trace": trace_json(run),
        },
        "properties": [_property_json(one) for one in found.properties],
        "not_covered": found.left_out,
        "exit_status": found.exit_status,
    }


def _property_json(one: Beyond) -> Mapping[str, Any]:  # Any: JSON values
    run = one.run
    return {
        "name": one.verdict.property.name,
        "at_capacity": one.verdict.answer.value,
        "at_every_capacity": one.everywhere,
        "changes": one.changes,
        "why": one.why,
        "larger_capacity": None if run is None else run.model.network.capacity,
        "trace": None if run is None else trace_json(run),
    }
