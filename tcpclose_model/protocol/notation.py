"""The notation of a protocol: rows, cells, and edits that make one protocol out of another.

A `Protocol` is a table.  A `Rule` is one row: where, on what, when, what it does, where to, and
the clause it comes from.  An `Otherwise` says what happens in a cell (a state and an event or
step) when no row fits.  Rows of one cell are disjoint; `legality` and every engine insist on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING, TypeVar

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.protocol.effects import Effect
from tcpclose_model.protocol.vocabulary import (
    KEPT_WHEN_CLOSED,
    TCB,
    Event,
    Segment,
    State,
    Step,
)
from tcpclose_model.protocol.words import Predicate

if TYPE_CHECKING:
    from tcpclose_model.protocol.edits import Change, Selector

On = Event | Step
T = TypeVar("T")


class Then(Enum):
    """What becomes of a segment after a row of SEGMENT ARRIVES has been carried out."""

    PASS_ON = "pass on"
    DROP = "drop"
    AGAIN = "again"


class Fallback(Enum):
    """What a cell does when none of its rows fits."""

    PASSES_ON = "passes on"
    DROPS = "drops"
    IGNORES = "ignores"
    UNREACHABLE = "unreachable"


PASS_ON, DROP, AGAIN = Then.PASS_ON, Then.DROP, Then.AGAIN
PASSES_ON, DROPS = Fallback.PASSES_ON, Fallback.DROPS
IGNORES, UNREACHABLE = Fallback.IGNORES, Fallback.UNREACHABLE


def each(value: T | Iterable[T]) -> tuple[T, ...]:
    """Return one thing or several as a tuple."""
    if isinstance(value, (list, tuple, frozenset, set)):
        return tuple(value)
    return (value,)  # type: ignore[return-value]  # a single T is none of these collections


@dataclass(frozen=True, slots=True, init=False)
class Rule:
    """One row: in the states `at`, on `on`, when every predicate of `when` holds, do `do`, go `to`.

    `then` is for rows of SEGMENT ARRIVES: pass the segment on to the next step, drop it, or offer
    it to the same step again.  What a row does not name keeps its value.  `edit` says why a row
    differs from the table that it was taken from; it is empty for the standard's own rows.
    """

    name: str
    at: tuple[State, ...]
    on: On
    when: tuple[Predicate, ...]
    do: tuple[Effect, ...]
    to: State | None
    then: Then
    cite: str
    edit: str

    def __init__(
        self,
        name: str,
        *,
        at: State | Iterable[State],
        on: On,
        when: Predicate | Iterable[Predicate] = (),
        do: Effect | Iterable[Effect] = (),
        to: State | None = None,
        then: Then = PASS_ON,
        cite: str,
        edit: str = "",
    ) -> None:
        for state in each(at):
            if not isinstance(state, State):
                raise ModelError(f"rule {name!r}: at={state!r} is not a state such as ESTABLISHED")
        if not isinstance(on, (Event, Step)):
            raise ModelError(f"rule {name!r}: on={on!r} is neither an Event nor a Step")
        if to is not None and not isinstance(to, State):
            raise ModelError(f"rule {name!r}: to={to!r} is not a state such as CLOSED")
        values = (name, each(at), on, each(when), each(do), to, then, cite, edit)
        for slot, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, slot, value)

    def __hash__(self) -> int:
        return hash(self.name)  # rows of one name are few, and every step that is found is hashed

    def text(self) -> str:
        """Return the row in words, for people."""
        when = " and ".join(words(p) for p in self.when) or "always"
        do = "; ".join(words(e) for e in self.do) or "nothing"
        ends = f" -> {self.to.name}" if self.to is not None else ""
        drop = ", drop the segment" if self.then is DROP else ""
        at = ", ".join(state.name for state in self.at)
        return f"{at} on {self.on.name}: when {when}: {do}{drop}{ends}"


def words(function: Callable[..., object]) -> str:
    """Return a predicate's or an effect's name with spaces."""
    return str(getattr(function, "__name__", function)).replace("_", " ")


@dataclass(frozen=True, slots=True, init=False)
class Otherwise:
    """What the cells (`at` x `on`) do when no row fits, why, and by which clause."""

    at: tuple[State, ...]
    on: tuple[On, ...]
    does: Fallback
    why: str
    cite: str

    def __init__(
        self,
        does: Fallback,
        *,
        at: State | Iterable[State],
        on: On | Iterable[On],
        why: str,
        cite: str,
    ) -> None:
        for slot, value in zip(self.__slots__, (each(at), each(on), does, why, cite), strict=True):
            object.__setattr__(self, slot, value)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit that a protocol has been through.

    name: of the switch that it belongs to, or else its `why`.
    touched: the names of the rows that it changed, added or removed; fields: of those it declared.
    before: the protocol that it was made to (it says nothing that the rows after it do not, and to
        hash it, with all that was before it, takes time that doubles with each edit).
    redo: makes the edit to another protocol.
    fields: the TCB fields that it added.
    """

    name: str
    why: str
    cite: str
    touched: tuple[str, ...]
    before: Protocol = field(compare=False)
    redo: Callable[[Protocol], Protocol]
    fields: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Protocol:
    """A protocol table for one end.

    `fields` are the TCB fields that the table adds to `vocabulary.TCB`, each with its largest
    value; `kept` are those that outlive the TCB in CLOSED; `edits` is the history since the
    standard's table.  `carries` are the fields of Segment that every segment but a RST carries,
    each with what its value is of the TCB that sends it: a number, or 1 where a predicate holds.
    `stamps` are the fields that every segment carries in its field of the same name, unless the
    effect that forms it sets that.
    """

    name: str
    rules: tuple[Rule, ...]
    cells: tuple[Otherwise, ...]
    fields: tuple[tuple[str, int], ...] = ()
    edits: tuple[Edit, ...] = ()
    kept: tuple[str, ...] = KEPT_WHEN_CLOSED
    carries: tuple[tuple[str, Callable[[TCB, Segment], int]], ...] = ()
    stamps: tuple[str, ...] = ()

    @property
    def states(self) -> tuple[State, ...]:
        """The states that the table can be in: not every cell there is declared unreachable."""
        inside = {s for cell in self.cells if cell.does is not UNREACHABLE for s in cell.at}
        return tuple(state for state in State if state in inside)

    def __repr__(self) -> str:
        return f"<Protocol {self.name}: {len(self.rules)} rules, {len(self.edits)} edits>"

    def rule(self, name: str) -> Rule:
        """Return the row of that name; a ModelError names the nearest ones."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        known = [rule.name for rule in self.rules]
        raise ModelError(f"no rule {name!r} in {self.name}{nearest(name, known)}")

    def named(self, name: str) -> Protocol:
        """Return the same table under another name."""
        return replace(self, name=name)

    def edit(
        self, which: Selector, change: Change, *, count: int = 1, why: str, cite: str = ""
    ) -> Protocol:
        """Return the protocol in which `change` has been made to the `count` rows that fit `which`.

        Raises ModelError if another number of rows fits, and names the near misses if none does.
        """
        chosen = which.chosen(self.rules)
        if len(chosen) != count:
            raise ModelError(self._wrong_count(which, chosen, count))
        made: list[Rule] = []
        for rule in self.rules:
            if not which.fits(rule):
                made.append(rule)
                continue
            here = tuple(s for s in rule.at if s in which.at) if which.at else rule.at
            rest = tuple(s for s in rule.at if s not in here)
            part = rule
            if rest:
                made.append(replace(rule, at=rest))
                suffix = "_".join(state.name.lower() for state in here)
                part = replace(rule, at=here, name=f"{rule.name}_in_{suffix}")
            edited = change.apply(part, why, cite)
            if edited is not None:
                made.append(edited)
        touched = tuple(rule.name for rule in chosen)

        def redo(other: Protocol) -> Protocol:
            return other.edit(which, change, count=count, why=why, cite=cite)

        return self._edited(tuple(made), Edit(why, why, cite, touched, self, redo))

    def add(self, *rules: Rule, why: str, cite: str = "") -> Protocol:
        """Return the protocol with `rules` added; each needs a name that is not yet taken."""
        taken = {rule.name for rule in self.rules}
        for rule in rules:
            if rule.name in taken:
                raise ModelError(
                    f"{self.name} already has a rule {rule.name!r}: give the added row another "
                    "name, or edit the old one"
                )
        added = tuple(replace(rule, edit=rule.edit or why) for rule in rules)
        touched = tuple(rule.name for rule in rules)

        def redo(other: Protocol) -> Protocol:
            return other.add(*rules, why=why, cite=cite)

        return self._edited(self.rules + added, Edit(why, why, cite, touched, self, redo))

    def together(
        self, name: str, change: Callable[[Protocol], Protocol], *, why: str, cite: str
    ) -> Protocol:
        """Return the protocol after several edits that count as one, under one name."""
        changed = change(self)
        touched = tuple(
            dict.fromkeys(t for e in changed.edits[len(self.edits) :] for t in e.touched)
        )

        def redo(other: Protocol) -> Protocol:
            return other.together(name, change, why=why, cite=cite)

        edit = Edit(name, why, cite, touched, self, redo, changed.fields[len(self.fields) :])
        return replace(changed, edits=(*self.edits, edit))

    def without(self, name: str) -> Protocol:
        """Return the protocol as it would be had the edit of that name not been made."""
        names = [edit.name for edit in self.edits]
        if name not in names:
            raise ModelError(f"{self.name} has no edit {name!r}{nearest(name, names)}")
        return self.remade(edit.redo for edit in self.edits if edit.name != name)

    def remade(self, changes: Iterable[Callable[[Protocol], Protocol]]) -> Protocol:
        """Return what these changes make of the table before its first edit."""
        added = {name for edit in self.edits for name, _ in edit.fields}
        result = replace(
            self.edits[0].before if self.edits else self,
            fields=tuple(field for field in self.fields if field[0] not in added),
            kept=tuple(name for name in self.kept if name not in added),
            stamps=tuple(name for name in self.stamps if name not in added),
        )
        return replace(reduce(lambda made, change: change(made), changes, result), name=self.name)

    def declare(self, *cells: Otherwise, why: str, cite: str = "") -> Protocol:
        """Return the protocol in which these cells do something else when no row fits."""
        anew = {(state, on) for cell in cells for state in cell.at for on in cell.on}
        kept: list[Otherwise] = []
        for cell in self.cells:
            parts = {at: tuple(on for on in cell.on if (at, on) not in anew) for at in cell.at}
            if all(on == cell.on for on in parts.values()):
                kept.append(cell)
            else:
                kept += [replace(cell, at=(at,), on=on) for at, on in parts.items() if on]

        def redo(other: Protocol) -> Protocol:
            return other.declare(*cells, why=why, cite=cite)

        edit = Edit(why, why, cite, (), self, redo)
        return replace(self, cells=(*kept, *cells), edits=(*self.edits, edit))

    def with_field(
        self, name: str, maximum: int, *, kept: bool = False, stamped: bool = False
    ) -> Protocol:
        """Return the protocol whose TCB has one more field, 0 at first and at most `maximum`.

        kept: it outlives the TCB in CLOSED; stamped: segments sent carry it (see `stamps`).
        """
        if not name.isidentifier() or name.startswith("_"):
            raise ModelError(f"a TCB field needs a plain name, not {name!r}")
        if name in TCB._fields or name in dict(self.fields):
            raise ModelError(f"the TCB already has a field {name!r}")
        if maximum < 1:
            raise ModelError(f"field {name!r}: maximum must be at least 1, not {maximum}")
        if stamped and name not in Segment._fields:
            raise ModelError(f"a segment has no field {name!r} that could be stamped")
        return replace(
            self,
            fields=(*self.fields, (name, maximum)),
            kept=(*self.kept, name) if kept else self.kept,
            stamps=(*self.stamps, name) if stamped else self.stamps,
        )

    def _edited(self, made: tuple[Rule, ...], edit: Edit) -> Protocol:
        return replace(self, rules=made, edits=(*self.edits, edit))

    def _wrong_count(self, which: Selector, chosen: list[Rule], count: int) -> str:
        if chosen:
            names = ", ".join(rule.name for rule in chosen)
            return (
                f"{self.name}: {which.text()} fits {len(chosen)} rows ({names}), not {count}: "
                f"say count={len(chosen)} or choose fewer"
            )
        near = sorted(self.rules, key=lambda rule: len(which.misses(rule)))[:3]
        hints = "; ".join(
            f"{rule.name} (differs in {', '.join(which.misses(rule))})" for rule in near
        )
        return f"{self.name}: {which.text()} fits no row; nearest: {hints}"
