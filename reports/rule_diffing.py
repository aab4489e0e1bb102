"""`tcpclose diff OLD NEW --rules`: in which cells two tables do something else, and for what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from properties.lockstep import Lockstep, lockstep
from properties.row_changes import RowChange
from reports.diff_words import of, row_lines
from reports.difference import changed_rows
from reports.ladder import changes, ladder
from reports.proving import INSTALL
from reports.trace import trace_json
from tcpclose_model.engines.plain import ENDS, Action, ProductState, Transition
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.step import Outcome
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment, Step

if TYPE_CHECKING:
    from properties.rule_diff import Difference, RuleDiff
    from properties.two_tables import Cell

STATES_MAX = 50_000
"""States that are looked at for runs to where the tables part."""

EQUAL, DIFFERENT, UNSURE = 0, 1, 3
Reached = Mapping[object, Any]  # Any: a parting, by the key of its cell


def run_rule_diff(old: Model, new: Model, form: str | None, *, any_state: bool) -> int:
    """Compare, print, and return the exit status."""
    if find_spec("z3") is None:
        raise ModelError(f"comparing for all values needs z3, which is not installed: {INSTALL}")
    from properties.rule_diff import rule_diff

    began = time.monotonic()
    found = rule_diff(old, new, () if any_state else None)
    seconds = time.monotonic() - began
    runs = _runs(found) if found.differences else Lockstep()
    rows = changed_rows(old, new)
    if form == "json":
        click.echo(json.dumps(_json(found, rows, runs), indent=1))
    else:
        for line in _lines(found, rows, runs, seconds):
            click.echo(line)
    return UNSURE if found.unsure else DIFFERENT if found.differences else EQUAL


def _runs(found: RuleDiff) -> Lockstep:
    """Return shortest runs of the old model to where the new tables do something else."""
    from properties.two_tables import parting

    def kind(
        action: Action, state: ProductState, one: Transition | None, other: Transition | None
    ) -> object:
        at = (state.b if action.actor else state.a).state
        rules = [() if step is None else step.rules for step in (one, other)]
        end = ENDS[action.actor] if action.actor in (0, 1) else ""
        return _key(parting(end, action.event, at, *rules))

    kinds = {_key(one.cell) for one in found.differences}
    new = replace(found.old, a=found.new.a, b=found.new.b)
    return lockstep(found.old, new, kind, states_max=STATES_MAX, kinds_max=len(kinds))


def _key(cell: Cell) -> object:
    return cell.state, cell.on, cell.old, cell.new


def _lines(
    found: RuleDiff, rows: Mapping[str, Sequence[RowChange]], runs: Lockstep, seconds: float
) -> Iterator[str]:
    cells = {(one.cell.end, one.cell.state, one.cell.on) for one in found.differences}
    head = f"{found.old.name} -> {found.new.name}: {len(cells)} of {found.cells} cells differ"
    head = head if cells or found.unsure else f"{found.old.name} -> {found.new.name}: no difference"
    yield click.style(f"{head}; {found.ways} ways through the rows, {seconds:.1f} s", bold=True)
    yield click.style(_allowed(found), dim=True)
    yield from row_lines(rows)
    for one in found.differences:
        yield ""
        yield from _difference_lines(one, rows, runs)
    for cell in found.unsure:
        yield ""
        yield click.style(f"UNSURE  {_where(cell)}{of(cell.end, rows)}", fg="magenta")
        yield f"  {cell.old or 'no row'}, or {cell.new or 'no row'}: z3 could not tell"
    shortest = min(runs.partings.values(), key=lambda one: len(one.run), default=None)
    if shortest is not None:
        yield ""
        yield click.style(f"the shortest run to a difference: {len(shortest.run)} steps", bold=True)
        yield ladder(shortest.run, notes="none").rstrip()
        for name, step in (("old", shortest.old), ("new", shortest.new)):
            yield f"then, {name}: {_step_text(shortest.action, step)}"


def _allowed(found: RuleDiff) -> str:
    if found.claims:
        return f"for all values that {len(found.claims)} proved claims allow (see: tcpclose prove)"
    return "for all values whatever, whether or not a run can come to them"


def _where(cell: Cell) -> str:
    on = f"SEGMENT ARRIVES, {cell.on.name}" if isinstance(cell.on, Step) else cell.on.words
    return f"{cell.state.name}  {on}"


def _difference_lines(one: Difference, ends: Mapping[str, object], runs: Lockstep) -> Iterator[str]:
    yield click.style(f"DIFFERS  {_where(one.cell)}{of(one.cell.end, ends)}", fg="red")
    for record in ("me", "peer", "seg"):
        values = [
            f"{key.partition('.')[2]}={value}"
            for key, value in one.values.items()
            if key.startswith(f"{record}.")
        ]
        if record == "me":
            values.insert(0, f"state={one.tcb.state.name}")
        if values:
            yield f"  {record:<5} {' '.join(values)}"
    if one.midway:
        yield "  in what follows after the segment has been offered to this step once"
        yield f"  old   {one.cell.old or 'no row'}"
        yield f"  new   {one.cell.new or 'no row'}"
    else:
        yield f"  old   {_outcome_text(one, one.old)}"
        yield f"  new   {_outcome_text(one, one.new)}"
    parting = runs.partings.get(_key(one.cell))
    if parting is not None:
        yield f"  a run of {len(parting.run)} steps comes to such a difference"
    elif runs.complete:
        yield f"  no run of the old model, as it is bounded, does ({runs.states:,} states)"
    else:
        yield f"  not in the first {runs.states:,} states of the old model"


def _outcome_text(one: Difference, outcome: Outcome | None) -> str:
    if outcome is None:
        return "does not happen"
    rules = ", ".join(f"{rule.name} ({rule.cite})" for rule in outcome.rules) or "no row: dropped"
    return f"{rules}: {_becomes(one.tcb, outcome)}"


def _becomes(before: TCB, outcome: Outcome) -> str:
    after = outcome.tcb
    if before._fields != after._fields:
        known = {name: getattr(before, name, value) for name, value in after._asdict().items()}
        before = after._replace(**known)  # type: ignore[arg-type]  # fields by name
    parts = [changes(before, after) or f"stays {after.state.name}"]
    if outcome.sent is not None:
        parts.append(f"sends {_segment_text(outcome.sent)}")
    return "; ".join(parts)


def _segment_text(seg: Segment) -> str:
    flags = [name.upper() for name in ("syn", "fin", "rst") if getattr(seg, name)]
    flags += ["DATA"] if seg.text else []
    flags += ["WND=0"] if seg.wnd0 else []
    return f"{' + '.join(flags) or 'ACK'} seq={seg.seq} ack={seg.ack}"


def _step_text(action: Action, step: Transition | None) -> str:
    if action.event is not Event.SEGMENT_ARRIVES or action.segment is None:
        what = f"{ENDS[action.actor]} {action.event.words}"
    else:
        what = f"{_segment_text(action.segment)} arrives at {ENDS[action.actor]}"
    if step is None:
        return f"{what}: cannot happen"
    rules = ", ".join(rule.name for rule in step.rules) or "no row"
    end = step.target.b if action.actor else step.target.a
    sent = f", sends {_segment_text(step.sent)}" if step.sent is not None else ""
    return f"{what}: {rules}; {end.state.name}{sent}"


def _json(
    found: RuleDiff, rows: Mapping[str, Sequence[RowChange]], runs: Lockstep
) -> Mapping[str, Any]:  # Any: JSON values
    return {
        "schema": "tcpclose/rule-diff/1",
        "old": found.old.name,
        "new": found.new.name,
        "claims": list(found.claims),
        "cells": found.cells,
        "ways": found.ways,
        "rows": [
            {"end": end, "rule": change.name, "is": change.what}
            for end, changed in rows.items()
            for change in changed
        ],
        "differences": [_difference_json(one, runs) for one in found.differences],
        "unsure": [_cell_json(cell) for cell in found.unsure],
        "states_looked_at": runs.states,
    }


def _cell_json(cell: Cell) -> dict[str, Any]:  # Any: JSON values
    return {
        "end": cell.end,
        "state": cell.state.name,
        "on": cell.on.name,
        "old_rule": cell.old,
        "new_rule": cell.new,
    }


def _difference_json(one: Difference, runs: Lockstep) -> Mapping[str, Any]:  # Any: JSON values
    parting = runs.partings.get(_key(one.cell))
    return {
        **_cell_json(one.cell),
        "values": dict(one.values),
        "old": _outcome_json(one.old),
        "new": _outcome_json(one.new),
        "midway": one.midway,
        "trace": None if parting is None else trace_json(parting.run),
    }


def _outcome_json(outcome: Outcome | None) -> Mapping[str, Any] | None:  # Any: JSON values
    if outcome is None:
        return None
    return {
        "rules": [rule.name for rule in outcome.rules],
        "tcb": {n: int(v) for n, v in outcome.tcb._asdict().items() if n != "state"},
        "state": outcome.tcb.state.name,
        "sent": None if outcome.sent is None else outcome.sent._asdict(),
    }
