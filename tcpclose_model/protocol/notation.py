"""The notation of a protocol: rows, cells, and edits that make one protocol out of another.

A `Protocol` is a table.  A `Rule` is one row: where, on what, when, what it does, where to, and
the clause it comes from.  An `Otherwise` says what happens in a cell (a state and an event or
step) when no row fits.  Rows of one cell are disjoint; `legality` and every engine insist on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce
from typing import TypeVar

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.protocol.effects import Effect
from tcpclose_model.protocol.vocabulary import KEPT_WHEN_CLOSED, TCB, Event, State, Step
from tcpclose_model.protocol.words import Predicate

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
class Selector:
    """Chooses rows: every criterion that is given must match."""

    name: str | None = None
    at: tuple[State, ...] = ()
    on: On | None = None
    when: Predicate | None = None
    do: Effect | None = None
    to: State | None = None

    def misses(self, rule: Rule) -> list[str]:
        """Return the criteria that `rule` does not meet."""
        missed = {
            "name": self.name is not None and rule.name != self.name,
            "at": bool(self.at) and not set(self.at) & set(rule.at),
            "on": self.on is not None and rule.on != self.on,
            "when": self.when is not None and self.when not in rule.when,
            "do": self.do is not None and self.do not in rule.do,
            "to": self.to is not None and rule.to != self.to,
        }
        return [criterion for criterion, misses in missed.items() if misses]

    def chosen(self, rules: Iterable[Rule]) -> list[Rule]:
        """Return the rows that fit."""
        return [rule for rule in rules if not self.misses(rule)]

    def text(self) -> str:
        """Return the selector as a user writes it."""
        parts = []
        for slot in self.__slots__:
            value = getattr(self, slot)
            if value not in (None, ()):
                shown = [v.name for v in value] if slot == "at" else _shown(value)
                parts.append(f"{slot}={shown}")
        return f"rows({', '.join(parts)})"


def _shown(value: object) -> str:
    return str(getattr(value, "name", getattr(value, "__name__", value)))


def rows(
    *,
    name: str | None = None,
    at: State | Iterable[State] = (),
    on: On | None = None,
    when: Predicate | None = None,
    do: Effect | None = None,
    to: State | None = None,
) -> Selector:
    """Return a selector of rows: by name, state, event or step, a predicate, an effect, a target.

    A row that stands for several states is split where `at` names only some of them.
    """
    return Selector(name, each(at), on, when, do, to)


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit makes of a row; None leaves a column as it is."""

    when: tuple[Predicate, ...] | None = None
    do: tuple[Effect, ...] | None = None
    to: State | None = None
    stays: bool = False
    then: Then | None = None
    removed: bool = False

    def apply(self, rule: Rule, why: str, cite: str) -> Rule | None:
        """Return the edited row, or None if it is removed."""
        if self.removed:
            return None
        return replace(
            rule,
            when=rule.when if self.when is None else self.when,
            do=rule.do if self.do is None else self.do,
            to=None if self.stays else (rule.to if self.to is None else self.to),
            then=rule.then if self.then is None else self.then,
            cite=f"{rule.cite}; {cite}" if cite else rule.cite,
            edit=why,
        )


def becomes(
    *,
    when: Predicate | Iterable[Predicate] | None = None,
    do: Effect | Iterable[Effect] | None = None,
    to: State | None = None,
    stays: bool = False,
    then: Then | None = None,
) -> Change:
    """Return a change of a row's columns; `stays=True` takes its change of state away."""
    return Change(
        when=None if when is None else each(when),
        do=None if do is None else each(do),
        to=to,
        stays=stays,
        then=then,
    )


def removed() -> Change:
    """Return the change that takes a row out; its cell's `otherwise` applies instead."""
    return Change(removed=True)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit that a protocol has been through.

    name: of the switch that it belongs to, or else its `why`.
    touched: the names of the rows that it changed, added or removed.
    before: the protocol that it was made to; redo: makes it to another.
    fields: the TCB fields that it added.
    """

    name: str
    why: str
    cite: str
    touched: tuple[str, ...]
    before: Protocol
    redo: Callable[[Protocol], Protocol]
    fields: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Protocol:
    """A protocol table for one end.

    `fields` are the TCB fields that the table adds to `vocabulary.TCB`, each with its largest
    value; `kept` are those that outlive the TCB in CLOSED; `edits` is the history since the
    standard's table.  `carries` are the fields of Segment that every segment but a RST carries as
    1 where a predicate holds of the TCB that sends it, and as 0 elsewhere.
    """

    name: str
    rules: tuple[Rule, ...]
    cells: tuple[Otherwise, ...]
    fields: tuple[tuple[str, int], ...] = ()
    edits: tuple[Edit, ...] = ()
    kept: tuple[str, ...] = KEPT_WHEN_CLOSED
    carries: tuple[tuple[str, Predicate], ...] = ()

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
            if rule not in chosen:
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
        )
        return replace(reduce(lambda made, change: change(made), changes, result), name=self.name)

    def with_field(self, name: str, maximum: int, *, kept: bool = False) -> Protocol:
        """Return the protocol with one more TCB field, from 0 to `maximum`; `kept` in CLOSED or not."""
        if not name.isidentifier() or name.startswith("_"):
            raise ModelError(f"a TCB field needs a plain name, not {name!r}")
        if name in TCB._fields or name in dict(self.fields):
            raise ModelError(f"the TCB already has a field {name!r}")
        if maximum < 1:
            raise ModelError(f"field {name!r}: maximum must be at least 1, not {maximum}")
        outlives = (*self.kept, name) if kept else self.kept
        return replace(self, fields=(*self.fields, (name, maximum)), kept=outlives)

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
