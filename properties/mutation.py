"""How strong the properties are: every row edited in every small way, and what notices.

A mutant is the model with one row edited at both ends (or at the one that has it): the row dropped,
led to another state, with an effect less, or with one predicate of its guard negated.  It is killed
if the table is no longer legal, or if some property's answer is another one.  What survives either
has the same runs, seen from outside, or shows what no property speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from properties.check import properties_of
from properties.equivalence import branching_equal, outside, walk
from properties.forks import in_processes
from properties.judge import judge
from properties.kinds import Property
from properties.verdict import Answer
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol, Rule, words
from tcpclose_model.protocol.vocabulary import TCB, Segment
from tcpclose_model.protocol.words import Predicate, negation
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace

LARGER, LARGER_BY = 10, 50_000
"""A mutant may have so many times the model's states, and so many more, before it is given up."""


NEVER_FIRES = "the row never fires here"


class Fate(Enum):
    """What became of a mutant."""

    REFUSED = "refused"
    KILLED = "killed"
    EQUIVALENT = "equivalent"
    SURVIVES = "survives"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit of one row: which row, what was done to it, and the row as it is then, or None."""

    row: str
    what: str
    rule: Rule | None
    fires_more: bool = False
    """Whether it fits where the row does not."""

    def named(self, end: str) -> str:
        """Return the row, what was done to it, and at which end, if not at both."""
        return f"{self.row}: {self.what}{f' (at {end})' if end else ''}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a mutant, and why.

    killers: the properties whose answers are others, with the mutant's; says: of a refused one, the
    error; of a survivor, whether it is the same in the pairs of TCP states and what users are told.
    """

    name: str
    fate: Fate
    killers: tuple[tuple[str, str], ...] = ()
    says: str = ""


def mutants(protocol: Protocol) -> Iterator[Mutant]:
    """Yield every small edit of every row, in the table's order."""
    for rule in protocol.rules:
        yield Mutant(rule.name, "dropped", None)
        yield from _targets(protocol, rule)
        for number, effect in enumerate(rule.do):
            less = (*rule.do[:number], *rule.do[number + 1 :])
            yield Mutant(rule.name, f"without {words(effect)}", replace(rule, do=less))
        for number, predicate in enumerate(rule.when):
            when = (*rule.when[:number], _negated(predicate), *rule.when[number + 1 :])
            edited = replace(rule, when=when)
            yield Mutant(rule.name, f"not {words(predicate)}", edited, fires_more=True)


def _targets(protocol: Protocol, rule: Rule) -> Iterator[Mutant]:
    if rule.to is None:
        return
    yield Mutant(rule.name, "stays in its state", replace(rule, to=None))
    for state in protocol.states:
        if state is not rule.to:
            yield Mutant(rule.name, f"to {state.name}", replace(rule, to=state))


def _negated(predicate: Predicate) -> Predicate:
    def opposite(tcb: TCB, seg: Segment) -> bool:
        return negation(predicate(tcb, seg))

    opposite.__name__ = f"not_{getattr(predicate, '__name__', 'so')}"
    return opposite


def mutate(
    model: Model, *, processes: int = 0, only: Callable[[Mutant], bool] | None = None
) -> list[Judged]:
    """Return what became of each mutant of a model's tables, in their order.

    processes: how many, 0 for as many as there are processors.  only: which mutants to try.
    Raises ModelError if the model itself is not explored in full.
    """
    space = explore(model)
    if not space.complete:
        raise ModelError(
            f"{model.name}: not explored in full ({space.stopped}): nothing to compare"
        )
    chosen = [(prop, judge(space, prop).answer) for prop in properties_of(model)]
    fired = [
        {rule.name for move in space.moves if move.action.actor == end for rule in move.rules}
        for end in (0, 1)
    ]
    tried = list(_all_mutants(model))
    if only is not None:
        tried = [one for one in tried if only(one[1])]

    def work(number: int) -> Judged:
        end, mutant = tried[number]
        at = fired["AB".index(end)] if end else fired[0] | fired[1]
        if mutant.row not in at and not mutant.fires_more:
            return Judged(mutant.named(end), Fate.EQUIVALENT, says=NEVER_FIRES)
        return _judged(space, chosen, end, mutant)

    return in_processes(work, range(len(tried)), processes, fresh=False)


def _all_mutants(model: Model) -> Iterator[tuple[str, Mutant]]:
    """Yield the mutants of both ends' table, or of each end's where they are not the same."""
    if model.a == model.b:
        yield from (("", mutant) for mutant in mutants(model.a))
        return
    for end, protocol in (("A", model.a), ("B", model.b)):
        yield from ((end, mutant) for mutant in mutants(protocol))


def mutated(model: Model, end: str, mutant: Mutant) -> Model:
    """Return the model with a mutant at an end, or at both where `end` is empty."""

    def edited(protocol: Protocol) -> Protocol:
        rules = (mutant.rule if rule.name == mutant.row else rule for rule in protocol.rules)
        return replace(protocol, rules=tuple(rule for rule in rules if rule is not None))

    a = edited(model.a) if end in ("", "A") else model.a
    b = edited(model.b) if end in ("", "B") else model.b
    return replace(model, a=a, b=b, expect={})


def _judged(
    space: StateSpace, chosen: Sequence[tuple[Property, Answer]], end: str, mutant: Mutant
) -> Judged:
    name = mutant.named(end)
    most = LARGER * len(space) + LARGER_BY
    try:
        other = explore(mutated(space.model, end, mutant), max_states=most)
        answers = [(prop.name, was, judge(other, prop).answer) for prop, was in chosen]
    except ModelError as error:
        return Judged(name, Fate.REFUSED, says=str(error))
    killers = tuple(
        (prop, now.value)
        for prop, was, now in answers
        if now is not was and Answer.UNKNOWN not in (was, now)
    )
    if killers:
        return Judged(name, Fate.KILLED, killers)
    if not other.complete:
        return Judged(name, Fate.UNKNOWN, says=f"it has more than {most:,} states")
    if walk(space, other, outside).equal:
        return Judged(name, Fate.EQUIVALENT, says="the same runs, as seen from outside")
    if branching_equal(space, other):
        return Judged(name, Fate.SURVIVES, says="the same pairs of TCP states")
    return Judged(name, Fate.SURVIVES, says="other pairs of TCP states")
