"""The nearest passing configuration: the one change of a model that repairs a violated claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from properties.check import properties_of
from properties.judge import judge
from properties.kinds import Property, Role
from properties.verdict import Answer, Verdict
from tcpclose_model.model import Model
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.parameters import with_parameter
from tcpclose_model.variants.switches import SWITCHES

FIRST = (
    ("timers.retransmission", "timely"),
    ("application.closes", "any"),
    ("application.reading", "eager"),
)
"""Parameter values that may repair, the ones that most likely were meant."""

SECOND = (
    ("timers.user_timeout", "true"),
    ("timers.time_wait", "ideal"),
    ("timers.user_timeout", "false"),
    ("application.aborts", "false"),
    ("network.loss", "false"),
    ("network.duplication", "false"),
    ("network.order", "fifo"),
)
"""Parameter values that may repair, those of the ends before those of the network."""

REPAIRING = ("fin_wait_2_timeout", "challenge_ack", "rfc1337")
"""Switches that may repair."""

LARGER = 10
"""How many times larger than the model a repaired one may be; a larger one is passed over."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A change under which the property holds.

    clean: no requirement is violated then; otherwise `breaks` names those that are.
    """

    change: str
    model: Model
    clean: bool
    breaks: tuple[str, ...] = ()


def nearest_repair(space: StateSpace, verdict: Verdict) -> Repair | None:
    """Return the first single change that makes the property hold, one that breaks nothing first.

    Edits are undone before options are changed, and those before the network.
    """
    limit = LARGER * len(space) + 100_000
    second: Repair | None = None
    for change, model in _candidates(space.model):
        other = explore(model, max_states=limit)
        if other.stopped or judge(other, verdict.property).answer is not Answer.HOLDS:
            continue
        breaks = tuple(p.name for p in _requirements(model) if _is_violated(other, p))
        if not breaks:
            return Repair(change, model, clean=True)
        second = second or Repair(change, model, clean=False, breaks=breaks)
    return second


def _requirements(model: Model) -> list[Property]:
    return [prop for prop in properties_of(model) if prop.role is Role.REQUIREMENT]


def _is_violated(space: StateSpace, prop: Property) -> bool:
    return judge(space, prop).answer is Answer.VIOLATED


def _candidates(model: Model) -> Iterator[tuple[str, Model]]:
    model = replace(model, expect={})
    yield from _edits_undone(model)
    yield from _parameters(model, FIRST)
    for name in REPAIRING:
        switch = SWITCHES[name]
        if not switch.is_on(model.a) and not switch.is_on(model.b):
            yield f"protocol.{name}=on", replace(model, a=switch.on(model.a), b=switch.on(model.b))
    yield from _parameters(model, SECOND)


def _parameters(model: Model, choices: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Model]]:
    for name, value in choices:
        changed = with_parameter(model, name, value)
        if changed != model and _sensible(model, changed):
            yield f"{name}={value}", changed


def _edits_undone(model: Model) -> Iterator[tuple[str, Model]]:
    for name in dict.fromkeys(edit.name for edit in (*model.a.edits, *model.b.edits)):
        a = model.a.without(name) if any(e.name == name for e in model.a.edits) else model.a
        b = model.b.without(name) if any(e.name == name for e in model.b.edits) else model.b
        change = f"protocol.{name}=off" if name in SWITCHES else f"undoing the edit: {name}"
        yield change, replace(model, a=a, b=b)


def _sensible(model: Model, changed: Model) -> bool:
    """Return whether a change is one that a person would call a repair.

    Retransmission is turned on where there is none, never made rarer; a user who never closes may
    be made to close, but who closes first is left alone.
    """
    if model.timers.retransmission != changed.timers.retransmission:
        return model.timers.retransmission == "none"
    if model.application.closes != changed.application.closes:
        return "never" in (model.application.closes_of(0), model.application.closes_of(1))
    return True
