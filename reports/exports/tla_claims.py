"""The properties of a model in TLA+: which of them it has words for, and the words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from properties.check import properties_of
from properties.kinds import Kind, Property
from properties.views import (
    FROM_A,
    FROM_B,
    FROM_EITHER,
    AbsoluteNameError,
    ChannelsNeededError,
    StatePredicate,
    View,
)
from reports.exports.rows import fields_of, segment_fields
from reports.exports.terms import (
    TRUE,
    Field,
    NotTranslatableError,
    Record,
    SegmentRecord,
    Symbol,
    Term,
    decided,
)
from reports.exports.tla_rows import comment
from reports.exports.tla_terms import COMPARISON, EVENT, Expressions, Names
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import Event

Answers = Mapping[Term, bool]
Ask = Callable[[View, View], object]
"""Asks a predicate about a state as seen before, and after, a step."""

NO_FORMULA = {
    Kind.CAN_ALWAYS: "that some run leads on is no formula of TLA+",
    Kind.CAN_ALWAYS_AVOIDING: "that some run leads on is no formula of TLA+",
    Kind.SOMETIMES: "that some run exists is no formula of TLA+",
    Kind.NO_CYCLE_OF: "it asks for a cycle, fair or not",
    Kind.ONLY_AFTER: "it looks back at the run before a state",
}
"""Why TLC cannot be asked."""

SIDES = {"me": "tcb[me]", "peer": "tcb[Peer(me)]", "a": 'tcb["A"]', "b": 'tcb["B"]'}
"""What stands for the ends, by the name of a record; a name with ' is for the state after."""

CUT = "\\E me \\in Ends : IsCutOff(me)"
"""The bound on retransmissions cuts runs off."""

MINE, SEGMENT, SENT = Field("step", "mine"), Field("step", "segment"), Field("step", "sent")
OF_A_STEP = {
    EVENT: "last'.event",
    SEGMENT: "last'.segment # Nothing",
    SENT: "last'.sent # Nothing",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A property in TLA+: the name of its operator and its definition, or why it has none."""

    prop: Property
    name: str = ""
    definition: str = ""
    missing: str = ""

    @property
    def is_fair(self) -> bool:
        """Whether it is about fair runs only."""
        return self.prop.kind is Kind.LEADS_TO

    @property
    def is_temporal(self) -> bool:
        """Whether it speaks of more than a state."""
        return self.prop.kind in (Kind.NEVER_A_STEP, Kind.LEADS_TO)


class _Step:
    """Stands for a step: what `last` says after it."""

    def __init__(self, answers: Answers, fields: tuple[str, ...]) -> None:
        self._answers, self._fields = answers, fields
        self.mine = Symbol(MINE, answers)
        self.event = Symbol(EVENT, answers)

    @property
    def arrives(self) -> object:
        """Whether a segment arrives."""
        return self.event.of("==", self.event, Event.SEGMENT_ARRIVES)

    @property
    def segment(self) -> SegmentRecord | None:
        """The segment that arrives, is lost or is copied."""
        if Symbol(SEGMENT, self._answers):
            return SegmentRecord("segment", self._fields, self._answers)
        return None

    @property
    def sent(self) -> SegmentRecord | None:
        """The segment that is sent."""
        if Symbol(SENT, self._answers):
            return SegmentRecord("sent", self._fields, self._answers)
        return None

    @property
    def sends_reset(self) -> object:
        """Whether a RST is sent."""
        sent = self.sent
        return sent is not None and sent.rst.of("==", sent.rst, 1)

    def __getattr__(self, name: str) -> object:
        raise NotTranslatableError(f"it asks for `{name}` of a step")


class Claims:
    """Renders the properties that a check of the model judges."""

    def __init__(self, model: Model, terms: Expressions, names: Names, *, is_cut: bool) -> None:
        self._names, self._is_cut = names, is_cut
        self._segment_fields = segment_fields(model)
        self._fields = tuple(dict.fromkeys((*fields_of(model.a), *fields_of(model.b))))
        after = {f"{name}'": said.replace("tcb", "tcb'") for name, said in SIDES.items()}
        places = {**SIDES, **after, "segment": "last'.segment[1]", "sent": "last'.sent[1]"}
        truths = frozenset((MINE, SEGMENT, SENT))
        self._terms = replace(terms, places=places, fields=OF_A_STEP, truths=truths)
        self.all = [self._claim(prop) for prop in properties_of(model)]
        self.missing = [claim for claim in self.all if claim.missing]

    def named(self, *, temporal: bool) -> list[Claim]:
        """Return the claims that have a formula, about states or about more."""
        return [c for c in self.all if c.name and c.is_temporal == temporal]

    def _claim(self, prop: Property) -> Claim:
        if prop.kind in NO_FORMULA:
            return Claim(prop, missing=NO_FORMULA[prop.kind])
        try:
            formula = self._formula(prop)
        except NotTranslatableError as error:
            return Claim(prop, missing=str(error))
        name = self._names.new(prop.name)
        source = f"  [{prop.source}]" if prop.source else ""
        said = comment(f"{prop.sentence}{source}")
        return Claim(prop, name, f"{said}{name} ==\n    {formula}")

    def _formula(self, prop: Property) -> str:
        if prop.kind is Kind.NEVER_STUCK:
            done = self._terms.text(self._decided("a", "b", FROM_A, prop.state), COMPARISON)
            cut = f"\n    \\/ {CUT}" if self._is_cut else ""
            return f"\\/ {done}{cut}\n    \\/ ENABLED <<Next>>_vars"
        try:
            sides = [("me", "peer", FROM_EITHER)] if prop.each_end else [("a", "b", FROM_A)]
            formulas = [self._seen(prop, *side, 4) for side in sides]
        except AbsoluteNameError:
            ends = (("a", "b", FROM_A), ("a", "b", FROM_B))
            formulas = [f"/\\ {self._seen(prop, *side, 7)}" for side in ends]
        return "\n    ".join(formulas)

    def _seen(self, prop: Property, first: str, second: str, end: int, column: int) -> str:
        """Return a claim as one end sees it."""
        each = "\\A me \\in Ends : " if end == FROM_EITHER else ""
        column += len(each)
        if prop.kind is Kind.NEVER_A_STEP:
            whose = "me" if each else f'"{ENDS[end]}"'
            terms = replace(self._terms, fields={**OF_A_STEP, MINE: f"last'.end = {whose}"})
            bad = self._wrong_step(prop, first, second, end)
            return f"[][{each}~({terms.laid_out(bad, column + 5)})]_vars"
        when = self._decided(first, second, end, prop.when)
        then = self._decided(first, second, end, prop.state)
        if prop.kind is Kind.LEADS_TO:
            return each + self._leads_to(when, then)
        if when == TRUE:
            return f"{each}{self._terms.laid_out(then, column)}"
        asked, holds = self._terms.laid_out(when, 11), self._terms.laid_out(then, 11)
        return f"{each.rstrip()}\n{' ' * 11}{asked}\n{' ' * 8}=> {holds}"

    def _leads_to(self, when: Term, then: Term) -> str:
        """Return that `when` leads to `then`, or again and again to where the bound cuts off."""
        said = f"({self._terms.text(then)})"
        if when == TRUE:
            return f"[]<>({said} \\/ {CUT})" if self._is_cut else f"[]<>{said}"
        reached = f"({said} \\/ []<>({CUT}))" if self._is_cut else said
        return f"(({self._terms.text(when)}) ~> {reached})"

    def _decided(self, first: str, second: str, end: int, predicate: StatePredicate | None) -> Term:
        """Return a predicate over states as a term; None holds always."""
        if predicate is None:
            return TRUE

        def asked(answers: Answers) -> object:
            return predicate(self._view(first, second, end, answers))

        return _term(asked)

    def _wrong_step(self, prop: Property, first: str, second: str, end: int) -> Term:
        def asked(answers: Answers) -> object:
            before = self._view(first, second, end, answers)
            after = self._view(f"{first}'", f"{second}'", end, answers)
            step: Any = _Step(answers, self._segment_fields)  # Any: stands in for the real step
            assert prop.step is not None
            return (
                (prop.when is None or prop.when(before))
                and (prop.among is None or prop.among(before, step, after))
                and prop.step(before, step, after)
            )

        return _term(asked)

    def _view(self, first: str, second: str, end: int, answers: Answers) -> View:
        one: Any = Record(first, self._fields, answers)  # Any: stands in for the real record
        other: Any = Record(second, self._fields, answers)  # Any: as above
        return View(one, other, None, end)


def _term(asked: Callable[[Answers], object]) -> Term:
    try:
        return decided(asked)
    except ChannelsNeededError:
        raise NotTranslatableError("it looks at the channels") from None
    except AttributeError as error:
        raise NotTranslatableError(str(error)) from None
