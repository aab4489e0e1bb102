"""Proof by induction: claims that hold in every state of every run, whatever the bounds.

The state that is reasoned about is two TCBs and the set of all segments ever sent.  Any of them may
arrive at any time, any number of times, or never: that is every network that loses, duplicates,
delays and reorders, of any capacity.  Users call what they like when they like, timers go off at
any time, text has any length.  So what is proved here holds for every such network and user.

One step is looked at: any two TCBs, any segment that was sent before, and another one in each
direction that stands for all the rest.  If all claims are so before every way through the rows, and
every way keeps them, they are always so.  Claims that a table does not keep are given up, and those
that leaned on them are tried again, until what is left keeps itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import z3

from properties.claims import CLAIMS, PROVES, About, Claim, is_flag
from properties.forks import in_processes
from tcpclose_model.engines.symbolic import (
    MARKED,
    Marks,
    Path,
    SymbolicTable,
    Term,
    as_terms,
    symbolic_segment,
    symbolic_tcb,
)
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import TCB, State, Step

MILLISECONDS = 10_000
"""What a solver may take for one question; after that the answer is that it does not know."""

READABLE = (3, 9)
"""Largest numbers that are tried for a counterexample, so that people can read it."""


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
class Proof:
    """What a proof by induction has shown.

    kept: the claims that hold in every state of every run; given_up: the others by name, each with
    the first way through the rows that does not keep it; ways, questions: how many ways through
    the rows were looked at, and how many questions the solver was asked.
    """

    model: Model
    kept: list[Claim] = field(default_factory=list)
    given_up: dict[str, Failure] = field(default_factory=dict)
    ways: int = 0
    questions: int = 0

    def proves(self, prop: str) -> bool:
        """Return whether a property of the catalogue is proved."""
        return PROVES[prop] in {claim.name for claim in self.kept}


@dataclass(slots=True)
class Attempt:
    """What was found in some ways through the rows; `onwards` is where they may go on."""

    failures: list[Failure] = field(default_factory=list)
    onwards: set[_Task] = field(default_factory=set)
    ways: int = 0
    questions: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """One state of one end; `step` is where SEGMENT ARRIVES goes on, None for all the rest.

    is_reset: whether it goes on with a segment that is a RST, or with any other.
    """

    end: str
    state: State
    step: Step | None = None
    is_reset: bool = False


def prove(model: Model, claims: Iterable[Claim] | None = None, *, processes: int = 0) -> Proof:
    """Return which claims hold for a model's two tables in all runs.

    claims: what is tried; all of `claims.CLAIMS` by default.  processes: how many, 0 for as many as
    there are processors.  Raises ModelError if a table is not legal, or if the solver finds that a
    cell can be reached that is declared unreachable.
    """
    _refuse_uncovered(model)
    for protocol in (model.a, model.b):
        check(protocol)
    proof = Proof(model)
    active = {claim.name: claim for claim in (CLAIMS.values() if claims is None else claims)}
    for failure in _not_so_at_first(model, tuple(active.values())):
        proof.given_up.setdefault(failure.claim, failure)
        active.pop(failure.claim, None)
    while True:
        found = attempt(model, tuple(active.values()), processes)
        proof.ways, proof.questions = found.ways, proof.questions + found.questions
        again = False
        for failure in found.failures:
            if failure.claim in active:
                # A claim about a step is no premise of the others.
                again |= active.pop(failure.claim).about is not About.STEP
                proof.given_up[failure.claim] = failure
        if not again:
            proof.kept = list(active.values())
            return proof


def _refuse_uncovered(model: Model) -> None:
    """Raise ModelError for what no claim covers."""
    what = ""
    if model.middlebox.at != "none":
        what = "a middlebox sends resets that no end has sent (without it: --set middlebox.at=none)"
    if model.reopens:
        what = (
            "the claims speak of one connection, and this model opens a second (without it: --set "
            "incarnations.opens=never)"
        )
    if what:
        raise ModelError(f"{model.name}: {what}: no proof covers that; tcpclose check does")


def _ends(model: Model) -> dict[str, tuple[Protocol, Protocol]]:
    """Return each end's table and its peer's; one end where both are the same."""
    ends = {"A": (model.a, model.b), "B": (model.b, model.a)}
    return {"A": ends["A"]} if model.a == model.b else ends


def _not_so_at_first(model: Model, claims: Iterable[Claim]) -> Iterator[Failure]:
    for end, tables in _ends(model).items():
        me, peer = (Table(protocol).initial for protocol in tables)
        for claim in claims:
            if claim.about is About.ENDS and not claim.holds(me, peer):
                yield Failure(claim.name, end, "", "the start", (), me.state.name, {})


def attempt(model: Model, claims: tuple[Claim, ...], processes: int = 0) -> Attempt:
    """Return which ways through the rows do not keep which claims, all claims being so before.

    A segment that is offered again is followed up to there first, and then on from there.
    """
    tables = {end: SymbolicTable(mine) for end, (mine, _) in _ends(model).items()}
    tasks = [_Task(end, state) for end, table in tables.items() for state in table.states()]
    known, total = set(tasks), Attempt()
    while tasks:
        onwards: set[_Task] = set()
        for found in _all(model, claims, tasks, processes):
            total.failures += found.failures
            total.ways += found.ways
            total.questions += found.questions
            onwards |= found.onwards
        tasks = sorted(onwards - known, key=lambda task: (task.end, task.state, str(task)))
        known |= onwards
    return total


def _all(
    model: Model, claims: tuple[Claim, ...], tasks: Sequence[_Task], processes: int
) -> list[Attempt]:
    """Return what each task finds, in their order."""

    def work(task: _Task) -> Attempt:
        mine, others = _ends(model)[task.end]
        return _Induction(task, SymbolicTable(mine), SymbolicTable(others), claims).found()

    return in_processes(work, tasks, processes)


class _Induction:
    """One step of one end in one state, its peer being in any."""

    def __init__(
        self, task: _Task, table: SymbolicTable, peer: SymbolicTable, claims: tuple[Claim, ...]
    ) -> None:
        self.task, self.table, self.peers_table, self.claims = task, table, peer, claims
        self.me = symbolic_tcb(table.protocol, "me", task.state)
        self.peer = symbolic_tcb(peer.protocol, "peer", None)
        self.arriving = symbolic_segment("seg")
        self.mine, self.theirs = symbolic_segment("mine"), symbolic_segment("theirs")
        self.number = z3.Int("number")
        self.solver = z3.Solver()
        self.solver.set("timeout", MILLISECONDS)
        self.solver.add(z3.Or([self.peer.state == int(state) for state in peer.states()]))
        self.solver.add(*self._known(as_terms(self.me)))
        if task.step is not None:
            self.solver.add(self.arriving.rst == int(task.is_reset))
        self.questions = 0

    def _known(self, me: TCB) -> list[Term]:
        """Return what is so of the two ends and of what was sent, before the step."""
        numbers = [self.number, me.rcv_nxt, self.peer.rcv_nxt, self.arriving.seq]
        segments = (self.arriving, self.mine, self.theirs)
        known = [is_flag(bit) for seg in segments for bit in (seg.text, seg.fin, seg.rst)]
        for tcb, table in ((me, self.table), (self.peer, self.peers_table)):
            # A row that leaves the range of such a field is an error wherever it is run.
            for name, most in table.protocol.fields:
                known.append(z3.And(getattr(tcb, name) >= 0, getattr(tcb, name) <= most))
        for claim in self.claims:
            if claim.about is About.ENDS:
                known += [claim.holds(me, self.peer), claim.holds(self.peer, me)]
            elif claim.about is About.SEGMENT:
                known += [claim.holds(seg, self.peer, me) for seg in (self.arriving, self.theirs)]
                known += [claim.holds(self.mine, me, self.peer)]
            elif claim.about is About.HELD:
                for number in numbers:
                    known += [claim.holds(number, me, self.peer)]
                    known += [claim.holds(number, self.peer, me)]
        return known

    def found(self) -> Attempt:
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
                if self._feasible((*path.when, self.arriving.rst == int(reset))):
                    end, state = self.task.end, path.after.state
                    found.onwards.add(_Task(end, state, path.onwards, reset))
            found.failures += self._not_kept(path)
        found.questions = self.questions
        return found

    def _paths(self) -> Iterator[Path]:
        if self.task.step is None:
            yield from self.table.calls_and_timeouts(self.me, self._feasible)
            yield from self.table.arrivals(self.me, self.arriving, self._feasible)
        else:
            yield from self.table.from_step(self.task.step, self.me, self.arriving, self._feasible)

    def _feasible(self, when: Sequence[Term]) -> bool:
        self.questions += 1
        return bool(self.solver.check(*when) != z3.unsat)

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
            terms = [*self._of_ends(claim, me, changed)]
            if claim.about is About.SEGMENT and path.sent is not None:
                terms.append(claim.holds(path.sent, me, self.peer))
            elif claim.about is About.STEP:
                terms.append(claim.holds(path.event, path.before, path.after, path.segment))
            found += [(claim, z3.BoolVal(t) if isinstance(t, bool) else t) for t in terms]
        return found

    def _of_ends(self, claim: Claim, me: TCB, changed: set[str]) -> Iterator[Term]:
        """Yield what a claim says, after the step, of the two ends and of all that was sent."""
        first, second = ((me, self.peer), (self.peer, me))
        whats: dict[About, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
            About.ENDS: (((),), ((),)),
            About.SEGMENT: (((self.mine,),), ((self.theirs,), (self.arriving,))),
            About.HELD: (((self.number,),), ((self.number,),)),
        }
        if claim.about not in whats:
            return
        reads = _fields_read(claim)
        for ends, read, what in zip((first, second), reads, whats[claim.about], strict=True):
            if changed & read:
                for subject in what:
                    yield claim.holds(*subject, *ends)

    def _not_kept(self, path: Path) -> Iterator[Failure]:
        goals = self._goals(path)
        while goals:
            self.questions += 1
            answer = self.solver.check(*path.when, z3.Or([z3.Not(term) for _, term in goals]))
            if answer == z3.unsat:
                return
            unknown = answer == z3.unknown
            model = None if unknown else self._readable(path, goals)
            failed = [claim.name for claim, term in goals if unknown or not _holds(model, term)]
            values = {} if unknown else self._values(model, path)
            for name in dict.fromkeys(failed):
                yield self._failure(name, path, values, unknown=unknown)
            goals = [(claim, term) for claim, term in goals if claim.name not in failed]

    def _readable(self, path: Path, goals: list[tuple[Claim, Term]]) -> Any:
        """Return the solver's values, small ones if there are any."""
        found = self.solver.model()
        wrong = z3.Or([z3.Not(term) for _, term in goals])
        records = (path.before, self.peer, self.arriving, self.mine, self.theirs)
        numbers = [v for record in records for v in record if isinstance(v, z3.ArithRef)]
        for most in READABLE:
            small = [z3.And(number >= -1, number <= most) for number in numbers]
            if self.solver.check(*path.when, wrong, *small) == z3.sat:
                return self.solver.model()
        return found

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

    def _values(self, model: Any, path: Path) -> dict[str, str]:
        """Return the values that the solver gave, those that are 0 left out."""
        records: dict[str, Any] = {"me": path.before, "peer": self.peer}  # Any: TCBs and a segment
        if path.segment is not None:
            records["seg"] = path.segment
        found = {}
        for name, record in records.items():
            for slot, value in zip(record._fields, record, strict=True):
                if isinstance(value, z3.ExprRef):
                    number = model.eval(value, model_completion=True)
                    if slot == "state":
                        found[f"{name}.{slot}"] = State(number.as_long()).name
                    elif number.as_long():
                        found[f"{name}.{slot}"] = str(number)
        return found


class _Reads:
    """Stands for a TCB; tells which of its fields are read."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Term:
        self.read.add(name)
        return Marks(z3.K(z3.IntSort(), False)) if name in MARKED else z3.Int(name)


@cache
def _fields_read(claim: Claim) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that a claim reads of an end, and of its peer."""
    me, peer = _Reads(), _Reads()
    subject = {About.SEGMENT: (symbolic_segment("seg"),), About.HELD: (z3.Int("number"),)}
    claim.holds(*subject.get(claim.about, ()), me, peer)
    return frozenset(me.read), frozenset(peer.read)


def _holds(model: Any, term: Term) -> bool:
    return bool(z3.is_true(model.eval(term, model_completion=True)))
