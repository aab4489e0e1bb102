"""Which rows of a table another one has not, has besides, or has otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from tcpclose_model.protocol.notation import Protocol, Rule


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is not the same in two tables: None on the side that does not have it."""

    name: str
    old: Rule | None
    new: Rule | None

    @property
    def what(self) -> str:
        """What became of it, in a word."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


def row_changes(old: Protocol, new: Protocol) -> list[RowChange]:
    """Return what became of the rows, by their names; the old table's order, then the new one's.

    A row has changed if where it stands, its predicates, its effects or its target have; a clause
    or a comment does not count.
    """
    before = {rule.name: rule for rule in old.rules}
    after = {rule.name: rule for rule in new.rules}
    names = dict.fromkeys([*before, *after])
    found = [RowChange(name, before.get(name), after.get(name)) for name in names]
    return [
        one for one in found if one.old is None or one.new is None or not _same(one.old, one.new)
    ]


def _same(one: Rule, other: Rule) -> bool:
    first, second = (
        (frozenset(rule.at), rule.on, rule.when, rule.do, rule.to, rule.then)
        for rule in (one, other)
    )
    return first == second
