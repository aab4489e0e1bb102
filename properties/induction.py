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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import z3

from properties.candidates import candidates
from properties.claims import CLAIMS, PROVES, About, Claim
from properties.forks import in_processes
from properties.one_step import Attempt, Failure, OneStep, Task
from properties.questions import Questions, SecondSolver
from properties.situation import Situation, work_out
from properties.users import never
from tcpclose_model.engines.symbolic import (
    SymbolicTable,
)
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.space import StateSpace


@dataclass(frozen=True, slots=True)
class How:
    """How a proof is looked for.

    processes: how many, 0 for as many as there are processors.  second: another solver, which is
    asked again whatever z3 has ruled out about the claims that are kept.  as_modelled: whether
    calls that the model's users never make, and timers that it does not have, are left out; without
    it, all of them may come at any time.
    """

    processes: int = 0
    second: SecondSolver | None = None
    as_modelled: bool = False

    def left_out(self, model: Model, end: int) -> frozenset[Event]:
        """Return the local events of an end that are taken never to happen."""
        return never(model, end) if self.as_modelled else frozenset()


FOR_ALL = How()
"""Whatever the users do and the timers are."""


@dataclass(slots=True)
class Proof:
    """What a proof by induction has shown.

    kept: the claims that hold in every state of every run; given_up: the others by name, each with
    the first way through the rows that does not keep it; ways, questions: how many ways through
    the rows were looked at, and how many questions the solver was asked.
    confirmed, not_confirmed: how many answers that the proof rests on a second solver gives too,
    and how many it does not; 0 and 0 where none was asked.  how: what was assumed; tried: how many
    claims were taken from an explored graph.
    """

    model: Model
    kept: list[Claim] = field(default_factory=list)
    given_up: dict[str, Failure] = field(default_factory=dict)
    ways: int = 0
    questions: int = 0
    confirmed: int = 0
    not_confirmed: int = 0
    how: How = FOR_ALL
    tried: int = 0

    @property
    def found(self) -> list[Claim]:
        """The claims that are kept and that nobody wrote."""
        return [claim for claim in self.kept if claim.name not in CLAIMS]

    def proves(self, prop: str) -> bool:
        """Return whether a property of the catalogue is proved."""
        known = {claim.name for claim in self.kept}
        return PROVES[prop] in known and not self.not_confirmed


def prove(model: Model, claims: Iterable[Claim] | None = None, how: How = How()) -> Proof:  # frozen
    """Return which claims hold for a model's two tables in all runs.

    claims: what is tried; all of `claims.CLAIMS` by default.  Raises ModelError if a table is not
    legal, or if z3 finds that a cell can be reached that is declared unreachable.
    """
    _refuse_uncovered(model)
    for protocol in (model.a, model.b):
        check(protocol)
    proof = Proof(model, how=how)
    active = {claim.name: claim for claim in (CLAIMS.values() if claims is None else claims)}
    for failure in _not_so_at_first(model, how, tuple(active.values())):
        proof.given_up.setdefault(failure.claim, failure)
        active.pop(failure.claim, None)
    while True:
        found = attempt(model, tuple(active.values()), replace(how, second=None))
        proof.ways, proof.questions = found.ways, proof.questions + found.questions
        again = False
        for failure in found.failures:
            if failure.claim in active:
                # A claim about a step is no premise of the others.
                again |= active.pop(failure.claim).about is not About.STEP
                proof.given_up[failure.claim] = failure
        if not again:
            break
    proof.kept = list(active.values())
    if how.second is not None:
        found = attempt(model, tuple(proof.kept), how)
        proof.confirmed, proof.not_confirmed = found.confirmed, found.not_confirmed
    return proof


def prove_with_found_claims(proof: Proof, space: StateSpace) -> Proof:
    """Return a proof that is helped by claims which are so in an explored graph of its model.

    Those that follow from what has been proved already are not tried.
    """
    situation = Situation(None, SymbolicTable(proof.model.a), SymbolicTable(proof.model.b))
    questions = Questions(situation.premises(proof.kept))
    new = [
        claim
        for claim in candidates(space)
        if questions.can_be([z3.Or([z3.Not(term) for term in situation.says(claim)])])
    ]
    found = prove(proof.model, [*CLAIMS.values(), *new], proof.how)
    found.tried = len(new)
    return found


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


def _ends(model: Model, how: How) -> dict[str, tuple[Protocol, Protocol]]:
    """Return each end's table and its peer's; one end where both do the same."""
    ends = {"A": (model.a, model.b), "B": (model.b, model.a)}
    alike = model.a == model.b and how.left_out(model, 0) == how.left_out(model, 1)
    return {"A": ends["A"]} if alike else ends


def _not_so_at_first(model: Model, how: How, claims: Iterable[Claim]) -> Iterator[Failure]:
    for end, tables in _ends(model, how).items():
        me, peer = (Table(protocol).initial for protocol in tables)
        for claim in claims:
            if claim.about is About.ENDS and not claim.holds(me, peer):
                yield Failure(claim.name, end, "", "the start", (), me.state.name, {})


def attempt(model: Model, claims: tuple[Claim, ...], how: How = How()) -> Attempt:  # frozen
    """Return which ways through the rows do not keep which claims, all claims being so before.

    A segment that is offered again is followed up to there first, and then on from there.
    """
    ends = _ends(model, how)

    def work(task: Task) -> Attempt:
        mine, others = ends[task.end]
        left_out = how.left_out(model, "AB".index(task.end))
        step = OneStep(task, SymbolicTable(mine), SymbolicTable(others), claims, left_out)
        return step.found(how.second)

    for mine, others in ends.values():
        work_out(claims, SymbolicTable(mine), SymbolicTable(others))
    tables = {end: SymbolicTable(mine) for end, (mine, _) in ends.items()}
    tasks = [Task(end, state) for end, table in tables.items() for state in table.states()]
    known, total = set(tasks), Attempt()
    while tasks:
        for found in in_processes(work, tasks, how.processes):
            total.add(found)
        tasks = sorted(total.onwards - known, key=lambda task: (task.end, task.state, str(task)))
        known |= total.onwards
    return total
