"""The kinds of property, one notation for the catalogue and for users.

A predicate over a state takes a `View` (`s.a`, `s.b`, `s.a_to_b`, `s.b_to_a`; with
`each_end=True` also `s.me` and `s.peer`, and it is asked for both ends).  A predicate over a
step takes (before, step, after).  Nothing here knows how a property is judged; `judge` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from properties.views import StatePredicate, StepPredicate, StepView, View
from tcpclose_model.errors import ModelError


class Kind(Enum):
    """What shape a claim has."""

    ALWAYS = "always"
    NEVER_A_STEP = "never a step"
    NEVER_STUCK = "never stuck"
    SOMETIMES = "sometimes"
    LEADS_TO = "leads to (fair)"
    CAN_ALWAYS = "can always"
    CAN_ALWAYS_AVOIDING = "can always avoiding"
    NO_CYCLE_OF = "no cycle of"
    ONLY_AFTER = "only after"


class Role(Enum):
    """A requirement fails a check; an observation says what is also true of this network."""

    REQUIREMENT = "requirement"
    OBSERVATION = "observation"


@dataclass(frozen=True, slots=True)
class Property:
    """A named claim about every run of a model.

    when: the antecedent, over states; where it never occurs the claim is vacuous.
    state: the claim's other predicate over states: what holds, is reached, or follows.
    step: its predicate over steps: what is bad, avoided, cyclic, or must come before.
    among: for "never a step", the kind of step that it speaks of.
    says: what is wrong, in one sentence, given the last state of the run that shows it.
    """

    name: str
    sentence: str
    kind: Kind
    when: StatePredicate | None = None
    state: StatePredicate | None = None
    step: StepPredicate | None = None
    among: StepPredicate | None = None
    each_end: bool = False
    role: Role = Role.REQUIREMENT
    source: str = ""
    broken_by: str = ""
    says: Callable[[View], str] | None = None

    def __post_init__(self) -> None:
        for predicate in (self.when, self.state, self.step, self.among):
            if predicate is not None and not callable(predicate):
                raise ModelError(f"property {self.name!r}: {predicate!r} is not a predicate")


def named(sentence: str) -> str:
    """Return the name that a sentence gives a property: its words, joined by underscores."""
    if not isinstance(sentence, str) or not (words := re.findall(r"[a-z0-9]+", sentence.lower())):
        raise ModelError(f"a property needs a sentence in English first, not {sentence!r}")
    return "_".join(words)


def _made(kind: Kind, sentence: str, options: dict[str, object], **slots: object) -> Property:
    known = {"name", "each_end", "role", "source", "broken_by", "says"}
    unknown = set(options) - known
    if unknown:
        raise ModelError(
            f"property {sentence!r}: no option {sorted(unknown)}; known: {sorted(known)}"
        )
    name = options.pop("name", None) or named(sentence)
    return Property(name=name, sentence=sentence, kind=kind, **slots, **options)  # type: ignore[arg-type]  # options are checked above


def always(
    sentence: str, holds: StatePredicate, *, when: StatePredicate | None = None, **options: object
) -> Property:
    """Return the claim that `holds` is true in every reachable state (in which `when` is)."""
    return _made(Kind.ALWAYS, sentence, options, state=holds, when=when)


def never_a_step(
    sentence: str,
    step: StepPredicate,
    *,
    among: StepPredicate | None = None,
    when: StatePredicate | None = None,
    **options: object,
) -> Property:
    """Return the claim that no step (of the kind `among`, from a state `when`) is as `step` says.

    It is vacuous where no step of that kind, or no such state, ever occurs.
    """
    return _made(Kind.NEVER_A_STEP, sentence, options, step=step, among=among, when=when)


def never_stuck(sentence: str, *, unless: StatePredicate, **options: object) -> Property:
    """Return the claim that something can change in every reachable state (but where `unless`)."""
    return _made(Kind.NEVER_STUCK, sentence, options, state=unless)


def sometimes(sentence: str, state: StatePredicate, **options: object) -> Property:
    """Return the claim that some run reaches such a state."""
    return _made(Kind.SOMETIMES, sentence, options, state=state)


def leads_to(
    sentence: str, *, when: StatePredicate, then: StatePredicate, **options: object
) -> Property:
    """Return the claim that in fair runs a state with `when` is followed by one with `then`."""
    return _made(Kind.LEADS_TO, sentence, options, when=when, state=then)


def can_always(
    sentence: str, reach: StatePredicate, *, when: StatePredicate | None = None, **options: object
) -> Property:
    """Return the claim that from every reachable state (with `when`) some run leads to `reach`."""
    return _made(Kind.CAN_ALWAYS, sentence, options, state=reach, when=when)


def can_always_avoiding(
    sentence: str,
    reach: StatePredicate,
    *,
    avoiding: StepPredicate,
    when: StatePredicate | None = None,
    **options: object,
) -> Property:
    """Return the claim of `can_always` over runs, and ways on, that never take such a step."""
    return _made(Kind.CAN_ALWAYS_AVOIDING, sentence, options, state=reach, step=avoiding, when=when)


def no_cycle_of(sentence: str, steps: StepPredicate, **options: object) -> Property:
    """Return the claim that no cycle is made of such steps alone."""
    return _made(Kind.NO_CYCLE_OF, sentence, options, step=steps)


def only_after(
    sentence: str, *, state: StatePredicate, step: StepPredicate, **options: object
) -> Property:
    """Return the claim that every run to such a state has taken such a step before."""
    return _made(Kind.ONLY_AFTER, sentence, options, state=state, step=step)


__all__ = [
    "Kind",
    "Property",
    "Role",
    "StepView",
    "View",
    "always",
    "can_always",
    "can_always_avoiding",
    "leads_to",
    "named",
    "never_a_step",
    "never_stuck",
    "no_cycle_of",
    "only_after",
    "sometimes",
]
