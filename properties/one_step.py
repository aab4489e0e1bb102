"""One step of one end, in any situation that the claims allow: does every way keep them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import z3

from properties.claims import About, Claim
from properties.questions import Questions, SecondSolver
from properties.situation import Situation
from tcpclose_model.engines.symbolic import (
    Path,
    SymbolicTable,
    Term,
    as_terms,
)
from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.vocabulary import Event, State, Step


@dataclass(frozen=True, slots=True)
class Failure:
    """A way through the rows that does not keep a claim, or may not.

    claim: its name; end: "A" or "B", whose rows they are; before, after: the end's state; event,
    rows (name and clause): what happens; values: what the solver gave for the fields of the end
    (`me`), its peer and the arriving segment; unknown: whether the solver did not know.
    """

    claim: str
    end: str
    before: str
    event: str
    rows: tuple[tuple[str, str], ...]
    after: str
    values: dict[str, str]
    unknown: bool = False


@dataclass(slots=True)
class Attempt:
    """What was found in some ways through the rows; `onwards` is where they may go on."""

    failures: list[Failure] = field(default_factory=list)
    onwards: set[Task] = field(default_factory=set)
    ways: int = 0
    questions: int = 0
    confirmed: int = 0
    not_confirmed: int = 0

    def add(self, other: Attempt) -> None:
        """Take in what was found in other ways through the rows."""
        self.failures += other.failures
        self.onwards |= other.onwards
        self.ways += other.ways
        self.questions += other.questions
        self.confirmed += other.confirmed
        self.not_confirmed += other.not_confirmed


@dataclass(frozen=True, slots=True)
class Task:
    """One state of one end; `step` is where SEGMENT ARRIVES goes on, None for all the rest.

    is_reset: whether it goes on with a segment that is a RST, or with any other.
    """

    end: str
    state: State
    step: Step | None = None
    is_reset: bool = False


class OneStep:
    """One step of one end in one state, its peer being in any."""

    def __init__(
        self,
        task: Task,
        table: SymbolicTable,
        peer: SymbolicTable,
        claims: tuple[Claim, ...],
        left_out: frozenset[Event],
    ) -> None:
        self.task, self.table, self.claims, self.left_out = task, table, claims, left_out
        self.situation = at = Situation(task.state, table, peer)
        self.me, self.peer, self.arriving = at.me, at.peer, at.arriving
        self.mine, self.theirs, self.number = at.mine, at.theirs, at.number
        premises = [*at.premises(claims)]
        if task.step is not None:
            premises.append(self.arriving.rst == int(task.is_reset))
        self.questions = Questions(premises)

    def found(self, second: SecondSolver | None) -> Attempt:
        """Return what every way through the rows does not keep, and where it goes on."""
        found = Attempt()
        for path in self._paths():
            found.ways += 1
            if path.unreachable is not None:
                state, step = path.unreachable
                raise ModelError(
                    f"{self.table.protocol.name}: cell {state.name} on {step.name} is declared "
                    f"unreachable, and is reached from {self.task.state.name} by "
                    f"{', '.join(rule.name for rule in path.rules) or 'no row'}"
                )
            for reset in (False, True) if path.onwards is not None else ():
                if self.questions.can_be((*path.when, self.arriving.rst == int(reset))):
                    end, state = self.task.end, path.after.state
                    found.onwards.add(Task(end, state, path.onwards, reset))
            found.failures += self._not_kept(path)
        found.questions = self.questions.asked
        if second is not None:
            ruled_out = self.questions.ruled_out
            found.confirmed = second(self.questions.premises, ruled_out)
            found.not_confirmed = len(ruled_out) - found.confirmed
        return found

    def _paths(self) -> Iterator[Path]:
        can_be = self.questions.can_be
        if self.task.step is None:
            local = self.table.calls_and_timeouts(self.me, can_be)
            yield from (path for path in local if path.event not in self.left_out)
            yield from self.table.arrivals(self.me, self.arriving, can_be)
        else:
            yield from self.table.from_step(self.task.step, self.me, self.arriving, can_be)

    def _goals(self, path: Path) -> list[tuple[Claim, Term]]:
        """Return each claim as it must hold after a way through the rows.

        A claim that reads nothing of what the way has changed is so after it as before.
        """
        me = as_terms(path.after)
        changed = {
            name
            for name, old, new in zip(me._fields, path.before, path.after, strict=True)
            if old is not new
        }
        found: list[tuple[Claim, Term]] = []
        for claim in self.claims:
            terms = [*self.situation.says_after(claim, me, changed)]
            if claim.about is About.SEGMENT and path.sent is not None:
                terms.append(claim.holds(path.sent, me, self.peer))
            elif claim.about is About.STEP:
                terms.append(claim.holds(path.event, path.before, path.after, path.segment))
            found += [(claim, z3.BoolVal(t) if isinstance(t, bool) else t) for t in terms]
        return found

    def _not_kept(self, path: Path) -> Iterator[Failure]:
        goals = self._goals(path)
        while goals:
            wrong = (*path.when, z3.Or([z3.Not(term) for _, term in goals]))
            answer = self.questions.answer(*wrong)
            if answer == z3.unsat:
                return
            unknown = answer == z3.unknown
            values = None if unknown else self.questions.values(wrong, self.situation.numbers())
            failed = [claim.name for claim, term in goals if unknown or not _holds(values, term)]
            read = {} if unknown else self.situation.read(values, path.segment)
            for name in dict.fromkeys(failed):
                yield self._failure(name, path, read, unknown=unknown)
            goals = [(claim, term) for claim, term in goals if claim.name not in failed]

    def _failure(self, claim: str, path: Path, values: dict[str, str], *, unknown: bool) -> Failure:
        return Failure(
            claim,
            self.task.end,
            path.before.state.name,
            path.event.words,
            tuple((rule.name, rule.cite) for rule in path.rules),
            path.after.state.name,
            values,
            unknown,
        )


def _holds(model: Any, term: Term) -> bool:
    return bool(z3.is_true(model.eval(term, model_completion=True)))
