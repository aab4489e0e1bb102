"""The notation of an edit: which rows it is about, and what becomes of them.

protocol.edit(rows(to=TIME_WAIT), becomes(to=CLOSED), count=2, why="skip 2MSL")
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tcpclose_model.protocol.effects import Effect
from tcpclose_model.protocol.notation import On, Rule, Then, each
from tcpclose_model.protocol.vocabulary import State
from tcpclose_model.protocol.words import Predicate


@dataclass(frozen=True, slots=True)
class Selector:
    """Chooses rows: every criterion that is given must match."""

    name: str | None = None
    at: tuple[State, ...] = ()
    on: On | None = None
    when: Predicate | None = None
    do: Effect | None = None
    to: State | None = None

    def fits(self, rule: Rule) -> bool:
        """Return whether `rule` meets every criterion; asked for each row of each edit."""
        return (
            (self.name is None or rule.name == self.name)
            and (not self.at or not set(self.at).isdisjoint(rule.at))
            and (self.on is None or rule.on == self.on)
            and (self.when is None or self.when in rule.when)
            and (self.do is None or self.do in rule.do)
            and (self.to is None or rule.to == self.to)
        )

    def misses(self, rule: Rule) -> list[str]:
        """Return the criteria that `rule` does not meet."""
        given = [name for name in self.__slots__ if getattr(self, name) not in (None, ())]
        return [name for name in given if not _only(self, name).fits(rule)]

    def chosen(self, rules: Iterable[Rule]) -> list[Rule]:
        """Return the rows that fit."""
        return [rule for rule in rules if self.fits(rule)]

    def text(self) -> str:
        """Return the selector as a user writes it."""
        parts = []
        for slot in self.__slots__:
            value = getattr(self, slot)
            if value not in (None, ()):
                shown = [v.name for v in value] if slot == "at" else _shown(value)
                parts.append(f"{slot}={shown}")
        return f"rows({', '.join(parts)})"


def _only(selector: Selector, name: str) -> Selector:
    """Return the selector with one of its criteria alone."""
    return Selector(**{name: getattr(selector, name)})


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
