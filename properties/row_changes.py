"""Which rows of a table another one has not, has besides, or has otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType, FunctionType

from tcpclose_model.protocol.notation import Protocol, Rule, words


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
    or a comment does not count, nor that a file was read twice and its functions are two.
    """
    before = {rule.name: rule for rule in old.rules}
    after = {rule.name: rule for rule in new.rules}
    names = dict.fromkeys([*before, *after])
    found = [RowChange(name, before.get(name), after.get(name)) for name in names]
    return [
        one for one in found if one.old is None or one.new is None or not _same(one.old, one.new)
    ]


def functions_changed(change: RowChange) -> list[str]:
    """Return the functions of the new row that have another text than those of the old one.

    Only where nothing else of the row has changed; else nothing.
    """
    if change.old is None or change.new is None or _columns(change.old) != _columns(change.new):
        return []
    pairs = [
        *zip(change.old.when, change.new.when, strict=True),
        *zip(change.old.do, change.new.do, strict=True),
    ]
    changed = [now for was, now in pairs if not alike(was, now)]
    return [str(getattr(function, "__name__", "")) for function in changed]


def _same(one: Rule, other: Rule) -> bool:
    if _columns(one) != _columns(other):
        return False
    pairs = zip((*one.when, *one.do), (*other.when, *other.do), strict=True)
    return all(alike(first, second) for first, second in pairs)


def _columns(rule: Rule) -> tuple[object, ...]:
    """Return a row without what its functions do."""
    names = (tuple(map(words, rule.when)), tuple(map(words, rule.do)))
    return (frozenset(rule.at), rule.on, *names, rule.to, rule.then)


def alike(one: object, other: object) -> bool:
    """Return whether two functions do the same for all that can be seen: code, defaults, closure.

    What they call, and what they take from their module, is not looked at.
    """
    if one is other or not (isinstance(one, FunctionType) and isinstance(other, FunctionType)):
        return one == other
    cells = [function.__closure__ or () for function in (one, other)]
    return (
        _same_code(one.__code__, other.__code__)
        and (one.__defaults__, one.__kwdefaults__) == (other.__defaults__, other.__kwdefaults__)
        and all(alike(a.cell_contents, b.cell_contents) for a, b in zip(*cells, strict=True))
    )


def _same_code(one: CodeType, other: CodeType) -> bool:
    said, heard = (
        (
            *(code.co_code, code.co_argcount, code.co_names),
            *(code.co_varnames, code.co_freevars, len(code.co_consts)),
        )
        for code in (one, other)
    )
    return said == heard and all(map(_same_constant, one.co_consts, other.co_consts))


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return _same_code(one, other)
    return type(one) is type(other) and one == other
