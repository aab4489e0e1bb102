"""One end under two tables, on solver terms: which ways through the rows part, and for what values.

See `rule_diff` for what is compared and why that is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import z3

from properties.claims import Claim, is_flag
from properties.questions import Questions
from properties.situation import Situation
from tcpclose_model.engines.symbolic import (
    Marks,
    Path,
    SymbolicTable,
    Term,
    as_terms,
    symbolic_tcb,
)
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.vocabulary import LOCAL_EVENTS, TCB, Event, Segment, State, Step

HELD_UNITS = 64
"""Numbers of text that are read out of what z3 says is held."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where two tables part: the state and the event or step, and the row of each, or "".

    end: "A", "B", or "A, B" where both ends have the same tables.
    """

    end: str
    state: State
    on: Event | Step
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Task:
    """One end in one state; `step` is where SEGMENT ARRIVES goes on, None for all the rest."""

    end: str
    state: State
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """What z3 gave for one cell, as numbers by field; of the end, and of what arrives."""

    cell: Cell
    event: Event
    tcb: dict[str, int]
    seg: tuple[int, ...] | None
    values: dict[str, str]
    midway: bool


@dataclass(slots=True)
class Found:
    """What one task has found; it goes from process to process, and so holds no rows."""

    ways: int = 0
    values: list[Values] = field(default_factory=list)
    unsure: list[Cell] = field(default_factory=list)


class _ExactTable(SymbolicTable):
    """A protocol run on terms, whose ways end only where a segment has been offered again."""

    def _onwards(self, number: int, path: Path, feasible: Any) -> Iterator[Path]:
        if number == len(Step):
            yield path
        else:
            yield from self._walk(number, path, feasible)

    def _stamped(self, tcb: TCB, seg: Segment) -> Segment:
        unset = [n for n in self.protocol.stamps if isinstance(v := getattr(seg, n), int) and not v]
        seg = seg._replace(**{name: getattr(tcb, name) for name in unset})
        if isinstance(seg.rst, int) and seg.rst:
            return seg
        tcb = as_terms(tcb)
        if self._reads_eagerly:
            tcb = tcb._replace(read=tcb.rcv_text)
        carried = {n: z3.If(holds(tcb, seg), 1, 0) for n, holds in self.protocol.carries}
        return seg._replace(**carried)


class Comparison:
    """One end in one state, or midway through SEGMENT ARRIVES, under two tables."""

    def __init__(
        self,
        task: Task,
        old: Protocol,
        new: Protocol,
        peer: Protocol,
        claims: Sequence[Claim],
        model: Model,
    ) -> None:
        self.task = task
        eager = model.application.reading == "eager"
        self.tables = [_ExactTable(one, reads_eagerly=eager) for one in (old, new)]
        self.situation = at = Situation(task.state, self.tables[0], SymbolicTable(peer))
        self.seg = at.arriving
        self.me = [at.me, symbolic_tcb(new, "me", task.state)]
        premises = [*at.premises(claims)]
        premises += [is_flag(bit) for bit in (self.seg.syn, self.seg.wnd0)]
        for name, most in new.fields:
            value = getattr(self.me[1], name)
            premises.append(z3.And(value >= 0, value <= most))
        self.questions = Questions(premises)
        self.changed = _changed_cells(old, new)
        self.everywhere = old.carries != new.carries or old.stamps != new.stamps
        self.everywhere |= old.kept != new.kept
        self.result = Found()
        self.reported: set[Cell] = set()

    def found(self) -> Found:
        """Return where the two tables part."""
        if self.task.step is None:
            for event in LOCAL_EVENTS:
                if self.everywhere or (self.task.state, event) in self.changed:
                    self._hold_against(*(self._local(end, event) for end in (0, 1)))
        if self._may_differ_on_arrival():
            self._hold_against(*([*self._arrivals(end)] for end in (0, 1)))
        return self.result

    def _may_differ_on_arrival(self) -> bool:
        """Return whether an arrival can come through a cell that is not the same in both tables."""
        if self.everywhere:
            return True
        first = self.task.step or min(Step)
        passed = {self.task.state}
        targets = {
            (state, rule.on, rule.to)
            for table in self.tables
            for rule in table.protocol.rules
            if isinstance(rule.on, Step) and rule.on >= first and rule.to is not None
            for state in rule.at
        }
        while more := {to for state, _, to in targets if state in passed} - passed:
            passed |= more
        return any(
            state in passed and isinstance(on, Step) and on >= first for state, on in self.changed
        )

    def _local(self, end: int, event: Event) -> list[Path]:
        paths = [
            path
            for path in self.tables[end].calls_and_timeouts(self.me[end], self._can_be)
            if path.event is event
        ]
        nothing = tuple(z3.Not(z3.And(*path.when)) for path in paths)
        idle = Path(event, self.me[end], None, nothing, (), self.me[end], None)
        return [*paths, idle]

    def _arrivals(self, end: int) -> Iterator[Path]:
        table, me = self.tables[end], self.me[end]
        if self.task.step is None:
            yield from table.arrivals(me, self.seg, self._can_be)
        else:
            yield from table.from_step(self.task.step, me, self.seg, self._can_be)

    def _can_be(self, when: Sequence[Term]) -> bool:
        return self.questions.can_be(when)

    def _hold_against(self, olds: list[Path], news: list[Path]) -> None:
        """Report each cell in which some values lead to something else."""
        taken = [z3.And(*new.when) for new in news]
        for old in olds:
            self.result.ways += 1
            rest = [
                (new, z3.And(when, wrong))
                for new, when in zip(news, taken, strict=True)
                if (wrong := _parted(old, new)) is not None and self._cell(old, new) is not None
            ]
            while rest:
                conditions = (*old.when, z3.Or([wrong for _, wrong in rest]))
                answer = self.questions.answer(*conditions)
                if answer == z3.unsat:
                    break
                if answer == z3.unknown:
                    self.result.unsure += [self._known_cell(old, new) for new, _ in rest]
                    break
                values = self.questions.values(conditions, self.situation.numbers())
                new = next(new for new, wrong in rest if _so(values, wrong))
                self._report(old, new, values)
                done = self._known_cell(old, new)
                rest = [one for one in rest if self._known_cell(old, one[0]) != done]

    def _report(self, old: Path, new: Path, values: Term) -> None:
        cell = self._known_cell(old, new)
        if cell in self.reported:
            return
        self.reported.add(cell)
        tcb = {**_numbers(self.me[1], values), **_numbers(self.me[0], values)}
        seg = None if old.segment is None else tuple(_numbers(self.seg, values).values())
        read = self.situation.read(values, old.segment)
        midway = self.task.step is not None
        self.result.values.append(Values(cell, old.event, tcb, seg, read, midway))

    def _cell(self, old: Path, new: Path) -> Cell | None:
        """Return where two ways part; None where one goes through a cell that none may reach."""
        if old.unreachable is not None or new.unreachable is not None:
            return None
        return self._known_cell(old, new)

    def _known_cell(self, old: Path, new: Path) -> Cell:
        return parting(self.task.end, old.event, self.task.state, old.rules, new.rules)


def parting(end: str, event: Event, state: State, old: Sequence[Rule], new: Sequence[Rule]) -> Cell:
    """Return the cell where the rows that two tables carry out part."""
    for number in range(max(len(old), len(new))):
        one = old[number] if number < len(old) else None
        other = new[number] if number < len(new) else None
        if one is None or other is None or not _alike(one, other):
            ons = [rule.on for rule in (one, other) if rule is not None]
            on = min(ons)
            names = [
                rule.name if rule is not None and rule.on == on else "" for rule in (one, other)
            ]
            return Cell(end, state, on, *names)
        state = state if one.to is None else one.to
    last = old[-1] if old else None
    name = "" if last is None else last.name
    return Cell(end, state, event if last is None else last.on, name, name)


def _alike(one: Rule, other: Rule) -> bool:
    """Return whether two rows say the same, whatever they are called and where they stand."""
    return (one.on, one.when, one.do, one.to, one.then) == (
        other.on,
        other.when,
        other.do,
        other.to,
        other.then,
    )


def _changed_cells(old: Protocol, new: Protocol) -> set[tuple[State, Event | Step]]:
    """Return the cells whose rows or fallback are not the same."""

    def of(protocol: Protocol) -> dict[tuple[State, Event | Step], Any]:
        found: dict[tuple[State, Event | Step], Any] = {}
        for rule in protocol.rules:
            what = (rule.when, rule.do, rule.to, rule.then)
            for state in rule.at:
                found.setdefault((state, rule.on), []).append(what)
        for cell in protocol.cells:
            for state in cell.at:
                for on in cell.on:
                    found.setdefault((state, on), []).append(cell.does)
        return found

    before, after = of(old), of(new)
    return {cell for cell in {*before, *after} if before.get(cell) != after.get(cell)}


def _parted(old: Path, new: Path) -> Term | None:
    """Return when two ways end in something else, or None if they never do."""
    if old.segment is None and bool(old.rules) != bool(new.rules):
        return z3.BoolVal(True)
    if old.onwards != new.onwards or old.after.state is not new.after.state:
        return z3.BoolVal(True)
    if (old.sent is None) != (new.sent is None):
        return z3.BoolVal(True)
    records = [(old.after, new.after)]
    parts: list[Term] = []
    if old.sent is not None and new.sent is not None:
        records.append((old.sent, new.sent))  # type: ignore[arg-type]  # both are read by field
    for one, other in records:
        for name in one._fields:
            if name != "state" and hasattr(other, name):
                parts += _unequal(getattr(one, name), getattr(other, name))
    return z3.Or(parts) if parts else None


def _unequal(one: Any, other: Any) -> list[Term]:  # Any: numbers, terms, marks
    first, second = (
        value.term
        if isinstance(value, Marks)
        else z3.IntVal(int(value))
        if isinstance(value, int)
        else value
        for value in (one, other)
    )
    return [] if first.eq(second) else [first != second]


def _so(values: Term, term: Term) -> bool:
    return bool(z3.is_true(values.eval(term, model_completion=True)))


def _numbers(record: Any, values: Term) -> dict[str, int]:  # Any: a TCB or a segment
    """Return the number that the solver gave for each field; what is held, as bits."""
    numbers: dict[str, int] = {}
    for name, term in zip(record._fields, record, strict=True):
        if isinstance(term, Marks):
            held = (values.eval(z3.Select(term.term, n)) for n in range(HELD_UNITS))
            numbers[name] = sum(1 << n for n, bit in enumerate(held) if z3.is_true(bit))
        elif isinstance(term, z3.ExprRef):
            numbers[name] = values.eval(term, model_completion=True).as_long()
        else:
            numbers[name] = term
    return numbers
