"""How two models compare, in words: `tcpclose diff` as text, and the parts of other formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from properties.equivalence import Parted, Walk
from properties.row_changes import RowChange
from properties.verdict import Answer, Verdict
from reports.difference import Difference
from reports.ladder import ladder

NOT_KEPT = "a graph was not kept: the runs were not compared"


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


def diff_lines(found: Difference, seconds: float) -> Iterator[str]:
    """Yield the comparison as text; seconds: how long it took."""
    head = f"{found.old.model.name} -> {found.new.model.name}: {headline(found)}"
    yield click.style(f"{head}; {seconds:.1f} s", bold=True)
    yield from row_lines(found.rows)
    for name, (before, after) in found.settings.items():
        yield f"set {name}: {shown(before)} -> {shown(after)}"
    for name, before, after in found.moved:
        yield click.style(f"verdict {name}: {before or '-'} -> {after or '-'}", fg="yellow")
    for name, before, after in counts(found):
        yield f"{name} {before:,} -> {after:,} ({after - before:+,})"
    yield from relations(found)
    for what, parted in parted_runs(found):
        yield ""
        yield click.style(f"{what}: {len(parted.run)} steps", bold=True)
        yield ladder(parted.run).rstrip()


def headline(found: Difference) -> str:
    """Return how two models compare, in a word or two."""
    if found.seen is None:
        return "not compared"
    if found.seen.equal and not found.seen.complete:
        return "no difference in what was explored"
    if not found.seen.equal:
        return "different"
    return "identical" if found.identical is found.seen else "equivalent"


def counts(found: Difference) -> list[tuple[str, int, int]]:
    """Return states, steps and depth: what it is, the old and the new number."""
    spaces = found.old.space, found.new.space
    counted = [(len(space), space.transitions, space.depth) for space in spaces]
    names = ("states", "steps", "depth")
    return [(name, counted[0][n], counted[1][n]) for n, name in enumerate(names)]


def relations(found: Difference) -> Iterator[str]:
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


def parted_runs(found: Difference) -> Iterator[tuple[str, Parted]]:
    """Yield the shortest runs that only one of the two has, with what they are."""
    seen = found.seen
    if seen is None:
        return
    for result, parted in ((found.old, seen.only_old), (found.new, seen.only_new)):
        if parted is not None:
            yield f"a shortest run of {result.model.name} only", parted


def shown(value: object) -> str:
    """Return a parameter's value as `--set` takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


def broken(found: Difference) -> list[Verdict]:
    """Return the verdicts that are violated now and were something else before."""
    moved = {name for name, _, _ in found.moved}
    return [
        verdict
        for verdict in found.new.verdicts
        if verdict.answer is Answer.VIOLATED and verdict.property.name in moved
    ]
