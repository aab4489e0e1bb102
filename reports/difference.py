"""The comparison of two models: their rows, parameters, verdicts and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from properties.check import Result, check
from properties.equivalence import Walk, all_common, branching_equal, outside, walk
from properties.row_changes import RowChange, row_changes
from reports.text import SHORT
from tcpclose_model.model import Model
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.parameters import values

EQUIVALENT, DIFFERENT, UNKNOWN = 0, 1, 3


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
