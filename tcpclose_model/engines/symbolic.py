"""The rows on solver terms: every way through them, for all values of a TCB and a segment at once.

The same predicates and effects that the plain engine runs on numbers are run here on z3 terms.
A `Path` is one way through the rows: the conditions under which it is taken, and what it makes of
the TCB.  The states of the end itself are cases; everything else is a term.

A path ends before a step whose rows may be offered the same segment again (`AGAIN`), and others
begin there, with any TCB: whoever proves something by induction proves it there, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import z3

from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.notation import AGAIN, DROP, Fallback, Protocol, Rule
from tcpclose_model.protocol.step import Cell, Table
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    LOCAL_EVENTS,
    NO_SEGMENT,
    TCB,
    Event,
    Segment,
    State,
    Step,
)

Term = Any  # z3 ships no types
STEPS = tuple(Step)


class Marks:
    """A set of numbers as a solver term."""

    def __init__(self, term: Term) -> None:
        self.term = term

    def is_marked(self, number: Term) -> Term:
        """Return the term for "number is in this set"."""
        return z3.Select(self.term, number)

    def with_mark(self, number: Term) -> Marks:
        """Return this set with one number more."""
        return Marks(z3.Store(self.term, number, True))

    def without_mark(self, number: Term) -> Marks:
        """Return this set with one number less."""
        return Marks(z3.Store(self.term, number, False))


NO_MARKS = Marks(z3.K(z3.IntSort(), False))
MARKED = ("held",)
"""The fields of a TCB that are sets of numbers."""


@dataclass(frozen=True)
class Path:
    """One way through the rows of one end.

    before, after: its TCB, of terms but for the state; when: the conditions that this way is taken
    under; segment: what arrives, or None; sent: what is sent; onwards: the step at which others
    go on, if this one ends before it; unreachable: the cell that was reached though declared so.
    """

    event: Event
    before: TCB
    segment: Segment | None
    when: tuple[Term, ...]
    rules: tuple[Rule, ...]
    after: TCB
    sent: Segment | None
    onwards: Step | None = None
    unreachable: tuple[State, Step] | None = None


Feasible = Callable[[Sequence[Term]], bool]
"""Says whether conditions can hold together, given what is known."""


def symbolic_tcb(protocol: Protocol, name: str, state: State | None) -> TCB:
    """Return a TCB whose fields are terms called `name.field`; its state is a term if not given."""
    initial = Table(protocol).initial
    terms: dict[str, Any] = {field: z3.Int(f"{name}.{field}") for field in initial._fields}
    for field in MARKED:
        terms[field] = Marks(z3.Array(f"{name}.{field}", z3.IntSort(), z3.BoolSort()))
    if state is not None:
        terms["state"] = state
    return initial._replace(**terms)


def symbolic_segment(name: str) -> Segment:
    """Return a segment whose fields are terms called `name.field`."""
    return Segment._make(z3.Int(f"{name}.{field}") for field in Segment._fields)


def as_terms(record: Any) -> Any:
    """Return a TCB or a segment with every number in it a term, its state included."""
    changed: dict[str, Any] = {}
    for field, value in zip(record._fields, record, strict=True):
        if isinstance(value, int):
            changed[field] = NO_MARKS if field in MARKED else z3.IntVal(int(value))
    return record._replace(**changed)


class SymbolicTable(Table):
    """A protocol that is run on terms."""

    def __init__(self, protocol: Protocol, *, reads_eagerly: bool = False) -> None:
        super().__init__(protocol, reads_eagerly=reads_eagerly)
        self.again = {rule.on for rule in protocol.rules if rule.then is AGAIN}

    def states(self) -> list[State]:
        """Return the states that a run could be in, as far as the table's cells tell."""
        targets = {rule.to for rule in self.protocol.rules if rule.to is not None}
        return sorted({self.initial.state, *targets})

    def calls_and_timeouts(self, tcb: TCB, feasible: Feasible) -> Iterator[Path]:
        """Yield what each local event can do."""
        nothing = as_terms(NO_SEGMENT)
        for event in LOCAL_EVENTS:
            for rule, condition in self._conditions((tcb.state, event), tcb, nothing, (), feasible):
                when = tuple(condition)
                if feasible(when):
                    after, sent = self._carried_out(rule, tcb, nothing, None)
                    yield Path(event, tcb, None, when, (rule,), after, sent)

    def arrivals(self, tcb: TCB, seg: Segment, feasible: Feasible) -> Iterator[Path]:
        """Yield what SEGMENT ARRIVES can do, up to a step that may be offered the segment again."""
        start = Path(Event.SEGMENT_ARRIVES, tcb, seg, (), (), tcb, None)
        yield from self._walk(0, start, feasible)

    def from_step(self, step: Step, tcb: TCB, seg: Segment, feasible: Feasible) -> Iterator[Path]:
        """Yield what SEGMENT ARRIVES can do from one step on."""
        start = Path(Event.SEGMENT_ARRIVES, tcb, seg, (), (), tcb, None)
        yield from self._walk(STEPS.index(step), start, feasible)

    def _walk(self, number: int, path: Path, feasible: Feasible) -> Iterator[Path]:
        step, tcb, seg = STEPS[number], path.after, path.segment
        assert seg is not None
        conditions = []
        cell = (tcb.state, step)
        for rule, condition in self._conditions(cell, tcb, seg, path.when, feasible):
            conditions.append(z3.And(*condition))
            when = (*path.when, *condition)
            if not feasible(when):
                continue
            after, sent = self._carried_out(rule, tcb, seg, path.sent)
            done = (*path.rules, rule)
            further = replace(path, when=when, rules=done, after=after, sent=sent)
            if rule.then is AGAIN:
                yield replace(further, onwards=step)
            elif rule.then is DROP or after.state == CLOSED:
                yield further
            else:
                yield from self._onwards(number + 1, further, feasible)
        when = (*path.when, *(z3.Not(condition) for condition in conditions))
        if not feasible(when):
            return
        rest = replace(path, when=when)
        fallback = self._fallback.get((tcb.state, step), Fallback.UNREACHABLE)
        if fallback is Fallback.UNREACHABLE:
            yield replace(rest, unreachable=(tcb.state, step))
        elif fallback is Fallback.DROPS:
            yield rest
        else:
            yield from self._onwards(number + 1, rest, feasible)

    def _conditions(
        self, cell: Cell, tcb: TCB, seg: Segment, when: tuple[Term, ...], feasible: Feasible
    ) -> list[tuple[Rule, list[Term]]]:
        """Return the rows of a cell and their conditions; a ModelError if two can fit at once."""
        terms = as_terms(tcb)
        rules = self._rules.get(cell, ())
        found = [(rule, [holds(terms, seg) for holds in rule.when]) for rule in rules]
        for (one, first), (other, second) in combinations(found, 2):
            if feasible((*when, *first, *second)):
                raise ModelError(
                    f"{self.protocol.name}: rules {one.name} and {other.name} can both fit "
                    f"{cell[0].name} on {cell[1].name}: make their `when` exclude each other"
                )
        return found

    def _onwards(self, number: int, path: Path, feasible: Feasible) -> Iterator[Path]:
        if number == len(STEPS):
            yield path
        elif STEPS[number] in self.again:
            yield replace(path, onwards=STEPS[number])
        else:
            yield from self._walk(number, path, feasible)

    def _carried_out(
        self, rule: Rule, tcb: TCB, seg: Segment, sent: Segment | None
    ) -> tuple[TCB, Segment | None]:
        state = tcb.state if rule.to is None else rule.to
        after, said = self._carry_out(rule, as_terms(tcb)._replace(state=tcb.state), seg, sent)
        return as_terms(after)._replace(state=state), None if said is None else as_terms(said)

    def _stamped(self, tcb: TCB, seg: Segment) -> Segment:
        """Return the segment; what all segments carry may be anything."""
        terms = {name: z3.FreshInt(name) for name, _ in self.protocol.carries}
        return seg._replace(**terms)

    def _with(self, tcb: TCB, rule: Rule, changes: Mapping[str, int]) -> TCB:
        after: TCB = as_terms(tcb._replace(**changes))  # type: ignore[arg-type]  # terms for ints
        return after._replace(state=tcb.state)
