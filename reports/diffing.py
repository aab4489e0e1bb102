"""`tcpclose diff OLD NEW`: what an edit means for rows, verdicts, counts and runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from properties.check import Result, check
from properties.equivalence import Parted, Walk, all_common, branching_equal, outside, walk
from properties.row_changes import RowChange, row_changes
from reports.ladder import ladder
from reports.loading import one_model
from reports.revisions import models_at, range_of
from reports.text import SHORT
from reports.trace import mermaid, trace_json
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.parameters import values, with_parameters

EQUIVALENT, DIFFERENT, UNKNOWN = 0, 1, 3
NOT_KEPT = "a graph was not kept: the runs were not compared"


@dataclass(frozen=True, slots=True)
class Difference:
    """How two models compare.

    rows: what became of each end's rows; settings: parameters with other values, old and new;
    identical, seen: the two graphs walked through with all fields seen, and from outside, None
    where a graph was not kept; branching: whether they are branching bisimilar, None if unknown.
    """

    old: Result
    new: Result
    rows: Mapping[str, Sequence[RowChange]]
    settings: Mapping[str, tuple[object, object]]
    identical: Walk | None
    seen: Walk | None
    branching: bool | None

    @property
    def status(self) -> int:
        """The exit status: 0 equivalent, 1 different, 3 where a limit hides it."""
        if self.seen is None:
            return UNKNOWN
        if not self.seen.equal or self.moved:
            return DIFFERENT
        return EQUIVALENT if self.seen.complete else UNKNOWN

    @property
    def moved(self) -> list[tuple[str, str, str]]:
        """The properties whose answers differ: name, old and new; "" where it is not judged."""
        before, after = (
            {verdict.property.name: SHORT[verdict.answer] for verdict in result.verdicts}
            for result in (self.old, self.new)
        )
        names = dict.fromkeys([*before, *after])
        pairs = [(name, before.get(name, ""), after.get(name, "")) for name in names]
        return [one for one in pairs if one[1] != one[2]]


def difference(old: Model, new: Model, limits: Mapping[str, Any]) -> Difference:  # Any: numbers
    """Return how two models compare."""
    results = [check(model, **limits) for model in (old, new)]
    spaces = [result.space for result in results]
    identical = seen = branching = None
    if isinstance(spaces[0], StateSpace) and isinstance(spaces[1], StateSpace):
        first, second = spaces[0], spaces[1]
        identical = walk(first, second, all_common(first, second))
        seen = identical if identical.equal else walk(first, second, outside)
        if seen.complete:
            branching = True if seen.equal else branching_equal(first, second)
    before, after = values(old), values(new)
    settings = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    rows = changed_rows(old, new)
    return Difference(results[0], results[1], rows, settings, identical, seen, branching)


def changed_rows(old: Model, new: Model) -> dict[str, list[RowChange]]:
    """Return what became of each end's rows; of both together where they have the same tables."""
    if old.a == old.b and new.a == new.b:
        return {"A, B": row_changes(old.a, new.a)}
    return {"A": row_changes(old.a, new.a), "B": row_changes(old.b, new.b)}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; limits: of each exploration."""

    rules: bool
    any_state: bool
    form: str | None
    settings: Sequence[str]
    limits: Mapping[str, Any]  # Any: a number of states or of seconds, or None


def run_diffs(names: Sequence[str], rev: str | None, asked: Asked) -> int:
    """Compare two models, or those of one file at two revisions, and return the exit status."""
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
    return with_parameters(model, asked.settings) if asked.settings else model


def _compared(pairs: Sequence[tuple[Model, Model]], asked: Asked) -> int:
    statuses = [EQUIVALENT]
    for old, new in pairs:
        if asked.rules:
            from reports.rule_diffing import run_rule_diff

            if asked.form == "markdown":
                raise ModelError("--rules is printed as text or json")
            statuses.append(run_rule_diff(old, new, asked.form, any_state=asked.any_state))
        else:
            statuses.append(_run_diff(old, new, asked))
    return next((status for status in (DIFFERENT, UNKNOWN) if status in statuses), EQUIVALENT)


def _run_diff(old: Model, new: Model, asked: Asked) -> int:
    """Compare, print, and return the exit status."""
    began = time.monotonic()
    found = difference(old, new, asked.limits)
    if asked.form == "json":
        click.echo(json.dumps(_json(found), indent=1))
    elif asked.form == "markdown":
        click.echo("\n".join(_markdown(found)))
    else:
        for line in _lines(found, time.monotonic() - began):
            click.echo(line)
    return found.status


def row_lines(rows: Mapping[str, Sequence[RowChange]]) -> Iterator[str]:
    """Yield a line for each row that is not the same."""
    for end, changed in rows.items():
        for change in changed:
            row = change.new or change.old
            assert row is not None
            yield f"row {change.what:<8}{change.name} ({row.cite}){of(end, rows)}"


def of(end: str, ends: Mapping[str, object]) -> str:
    """Return which end is meant, where that is to be said."""
    return f" of {end}" if len(ends) > 1 else ""


def _lines(found: Difference, seconds: float) -> Iterator[str]:
    head = f"{found.old.model.name} -> {found.new.model.name}: {_headline(found)}"
    yield click.style(f"{head}; {seconds:.1f} s", bold=True)
    yield from row_lines(found.rows)
    for name, (before, after) in found.settings.items():
        yield f"set {name}: {_shown(before)} -> {_shown(after)}"
    for name, before, after in found.moved:
        yield click.style(f"verdict {name}: {before or '-'} -> {after or '-'}", fg="yellow")
    for name, before, after in _counts(found):
        yield f"{name} {before:,} -> {after:,} ({after - before:+,})"
    yield from _relations(found)
    for what, parted in _parted(found):
        yield ""
        yield click.style(f"{what}: {len(parted.run)} steps", bold=True)
        yield ladder(parted.run).rstrip()


def _headline(found: Difference) -> str:
    if found.seen is None:
        return "not compared"
    if found.seen.equal and not found.seen.complete:
        return "no difference in what was explored"
    if not found.seen.equal:
        return "different"
    return "identical" if found.identical is found.seen else "equivalent"


def _counts(found: Difference) -> list[tuple[str, int, int]]:
    spaces = found.old.space, found.new.space
    counted = [(len(space), space.transitions, space.depth) for space in spaces]
    names = ("states", "steps", "depth")
    return [(name, counted[0][n], counted[1][n]) for n, name in enumerate(names)]


def _relations(found: Difference) -> Iterator[str]:
    """Yield what holds between the two, from the finest to the coarsest."""
    seen = found.seen
    if seen is None:
        yield NOT_KEPT
        return
    where = "" if seen.complete else ", as far as they were explored"
    if found.identical is not None and found.identical.equal:
        yield f"every run of one is a run of the other, TCB for TCB ({seen.pairs:,} states){where}"
    elif seen.equal:
        yield (
            "strongly bisimilar: the same calls, timers and segments, states and what users are "
            f"told ({seen.pairs:,} pairs){where}"
        )
    else:
        yield _inclusion(found, seen) + where
    if not seen.equal and found.branching is not None:
        are = "are" if found.branching else "are not"
        yield (
            f"they {are} the same in the pairs of TCP states, what users are told, and where a "
            "run can go on for ever (branching bisimilarity)"
        )


def _inclusion(found: Difference, seen: Walk) -> str:
    old, new = found.old.model.name, found.new.model.name
    if seen.only_old is None:
        return f"every run of {old} is a run of {new}, but not the other way round"
    if seen.only_new is None:
        return f"every run of {new} is a run of {old}, but not the other way round"
    return "each has runs that the other has not"


def _parted(found: Difference) -> Iterator[tuple[str, Parted]]:
    seen = found.seen
    if seen is None:
        return
    for result, parted in ((found.old, seen.only_old), (found.new, seen.only_new)):
        if parted is not None:
            yield f"a shortest run of {result.model.name} only", parted


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _markdown(found: Difference) -> Iterator[str]:
    """Yield the comparison as GitHub shows it, with ladders in Mermaid."""
    yield f"### {found.old.model.name} → {found.new.model.name}: {_headline(found)}"
    yield ""
    for line in row_lines(found.rows):
        yield f"- {line}"
    for name, (before, after) in found.settings.items():
        yield f"- `{name}`: {_shown(before)} → {_shown(after)}"
    yield from [f"- {line}" for line in _relations(found)]
    yield from ["", "| | old | new |", "| --- | ---: | ---: |"]
    for name, number, other in _counts(found):
        yield f"| {name} | {number:,} | {other:,} |"
    for name, was, now in found.moved:
        yield f"| `{name}` | {was or '–'} | **{now or '–'}** |"
    for what, parted in _parted(found):
        yield from ["", f"<details><summary>{what}: {len(parted.run)} steps</summary>", ""]
        yield from ["```mermaid", mermaid(parted.run).rstrip(), "```", "", "</details>"]


def _json(found: Difference) -> Mapping[str, Any]:  # Any: JSON values
    seen = found.seen
    return {
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
        "settings": {name: [_shown(one) for one in pair] for name, pair in found.settings.items()},
        "verdicts": [
            {"property": name, "old": before, "new": after} for name, before, after in found.moved
        ],
        "counts": {name: [before, after] for name, before, after in _counts(found)},
        "only_old": None if seen is None else _run_json(seen.only_old),
        "only_new": None if seen is None else _run_json(seen.only_new),
    }


def _run_json(parted: Parted | None) -> object:
    return None if parted is None else trace_json(parted.run)
