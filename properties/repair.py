"""The nearest passing configuration: the one change of a model that repairs a violated claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from properties.check import properties_of
from properties.judge import judge
from properties.kinds import Property, Role
from properties.verdict import Answer, Verdict
from tcpclose_model.errors import ModelError
from tcpclose_model.large import LargeSpace
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
    ("application.crashes", "false"),
    ("network.loss", "false"),
    ("network.duplication", "false"),
    ("network.order", "fifo"),
    ("middlebox.at", "none"),
)
"""Parameter values that may repair, those of the ends before those of the network."""

STAYS = ("flow_control", "reopens")
"""Switches that are never turned off for a repair: no stack, or no such model, does without."""

REPAIRING = ("fin_wait_2_timeout", "challenge_ack", "rfc1337", "keep_alive")
"""Switches that may repair."""

REPAIRING_WHAT_REOPENS = ("timestamps",)
"""Switches that may repair where a connection is opened again, and say nothing elsewhere."""

LARGER = 10
"""How many times larger than the model a repaired one may be; a larger one is passed over."""


LARGEST = 3_000_000
"""States of the largest repaired model that is tried."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A change under which the property holds.

    clean: no requirement is violated then; otherwise `breaks` names those that are.
    """

    change: str
    model: Model
    clean: bool
    breaks: tuple[str, ...] = ()


class Repairs:
    """The repairs of one explored model; what has been tried is kept for the next question."""

    def __init__(self, space: StateSpace | LargeSpace) -> None:
        self._limit = min(LARGER * len(space) + 100_000, LARGEST)
        self._untried = _candidates(space.model)
        self._tried: list[_Candidate] = []

    def nearest(self, verdict: Verdict) -> Repair | None:
        """Return the first change that makes the property hold; one that breaks nothing, if any.

        Edits are undone before options are changed, and those before the network.
        """
        second: Repair | None = None
        for candidate in self._candidates():
            if not candidate.makes_hold(verdict.property):
                continue
            breaks = candidate.breaks
            if not breaks:
                return Repair(candidate.change, candidate.model, clean=True)
            second = second or Repair(candidate.change, candidate.model, clean=False, breaks=breaks)
        return second

    def _candidates(self) -> Iterator[_Candidate]:
        yield from self._tried
        for change, model in self._untried:
            try:
                space = explore(model, max_states=self._limit)
            except ModelError:
                continue  # its users need what the change has taken away, such as rows of opening
            if space.complete:
                self._tried.append(_Candidate(change, model, space))
                yield self._tried[-1]


class _Candidate:
    """A changed model that has been explored."""

    def __init__(self, change: str, model: Model, space: StateSpace) -> None:
        self.change, self.model, self._space = change, model, space

    def makes_hold(self, prop: Property) -> bool:
        """Return whether the property holds under the change, and is put to the test."""
        return judge(self._space, prop).answer is Answer.HOLDS

    @cached_property
    def breaks(self) -> tuple[str, ...]:
        """The requirements that are violated under the change."""
        requirements = [p for p in properties_of(self.model) if p.role is Role.REQUIREMENT]
        return tuple(
            p.name for p in requirements if judge(self._space, p).answer is Answer.VIOLATED
        )


def nearest_repair(space: StateSpace | LargeSpace, verdict: Verdict) -> Repair | None:
    """Return the nearest passing configuration for one verdict (see `Repairs.nearest`)."""
    return Repairs(space).nearest(verdict)


def _candidates(model: Model) -> Iterator[tuple[str, Model]]:
    model = replace(model, expect={})
    yield from _edits_undone(model)
    yield from _parameters(model, FIRST)
    for name in (*REPAIRING, *(REPAIRING_WHAT_REOPENS if model.reopens else ())):
        switch = SWITCHES[name]
        if not switch.is_on(model.a) and not switch.is_on(model.b):
            try:
                a, b = switch.on(model.a), switch.on(model.b)
            except ModelError:
                continue  # an edit of the model is about what another switch made
            yield f"protocol.{name}=on", replace(model, a=a, b=b)
    yield from _parameters(model, SECOND)


def _parameters(model: Model, choices: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Model]]:
    for name, value in choices:
        try:
            changed = with_parameter(model, name, value)
        except ModelError:
            continue  # the model's other parameters do not go with this one
        if changed != model and _sensible(model, changed):
            yield f"{name}={value}", changed


def _edits_undone(model: Model) -> Iterator[tuple[str, Model]]:
    for name in dict.fromkeys(edit.name for edit in (*model.a.edits, *model.b.edits)):
        if name in STAYS:
            continue
        try:
            a = model.a.without(name) if any(e.name == name for e in model.a.edits) else model.a
            b = model.b.without(name) if any(e.name == name for e in model.b.edits) else model.b
        except ModelError:
            continue  # a later edit is about what this one made
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
