"""Properties as terms: when a state, or a step, is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from properties.check import properties_of
from properties.kinds import Kind, Property
from properties.views import (
    FROM_A,
    FROM_B,
    AbsoluteNameError,
    ChannelsNeededError,
    StepView,
    View,
)
from reports.exports.rows import fields_of, segment_fields
from reports.exports.terms import (
    ZERO,
    Field,
    NotTranslatableError,
    Record,
    SegmentRecord,
    Term,
    any_of,
    binary,
    choice,
    decided,
)
from tcpclose_model.engines.plain import Action
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.space import Move

Answers = Mapping[Term, bool]
IS_SENT = binary("!=", Field("sent", ""), ZERO)
"""Whether an arrival is answered."""


class _Unknown:
    """Stands for what a text cannot tell about a step."""

    def __bool__(self) -> bool:
        raise NotTranslatableError("it asks for `rules` or `overflow` of an arrival")

    def __iter__(self) -> Iterator[Rule]:
        raise NotTranslatableError("it asks for the rules of an arrival")


@dataclass(frozen=True, slots=True)
class Site:
    """A kind of step: who acts, what happens, and for calls and timeouts the rule and its answer.

    sends: whether a segment is sent; None where that depends.
    """

    actor: int
    event: Event
    rule: Rule | None = None
    sends: bool | None = None


def wrong_states(model: Model, prop: Property) -> tuple[Term, ...]:
    """Return when a state violates an `always`, over the records "a" and "b"; a term for each end.

    For `never stuck` it is when a state must not be stuck.  Raises NotTranslatableError where the
    predicate is no expression over the fields of both ends.
    """

    def wrong(end: int, answers: Answers) -> object:
        a, b = _tcb(model, 0, "a", answers), _tcb(model, 1, "b", answers)
        view = View(a, b, None, end)
        return (prop.when is None or prop.when(view)) and not (
            prop.state is not None and prop.state(view)
        )

    ends = (FROM_A, FROM_B) if prop.each_end else (FROM_A,)
    return tuple(_term(partial(wrong, end)) for end in ends)


def wrong_step(model: Model, prop: Property, site: Site) -> Term:
    """Return when a step violates a `never a step`.

    It is a term over "was" and "me" (the actor before and after), "peer", "seg" (the segment that
    arrives) and "sent"; whether an arrival is answered is `IS_SENT`.
    """

    def wrong(end: int, sends: bool) -> Term:
        return _term(lambda answers: _asked(model, prop, site, end, sends, answers))

    ends = (FROM_A, FROM_B) if prop.each_end else (FROM_A,)
    if site.sends is not None:
        return any_of(wrong(end, site.sends) for end in ends)
    return any_of(choice(IS_SENT, wrong(end, True), wrong(end, False)) for end in ends)


def _asked(
    model: Model, prop: Property, site: Site, end: int, sends: bool, answers: Answers
) -> object:
    """Return whether the step is wrong, seen from an end, as the property's predicates say it."""
    of_network = site.rule is None and site.sends is not None
    peer = _tcb(model, 1 - site.actor, "peer", answers)
    before, after = (
        View(peer, actor, None, end) if site.actor else View(actor, peer, None, end)
        for actor in (
            _tcb(model, site.actor, name, answers)
            for name in ("was", "was" if of_network else "me")
        )
    )
    unknown: Any = _Unknown()  # Any: stands in for what a step knows and a text does not
    fields = segment_fields(model)
    arriving: Any = SegmentRecord("seg", fields, answers) if site.rule is None else None
    sent: Any = SegmentRecord("sent", fields, answers) if sends else None
    rules = () if of_network else unknown if site.rule is None else (site.rule,)
    overflow = unknown if sends else False
    action = Action(site.actor, site.event, arriving)
    step = StepView(Move(action, rules, sent, overflow, False, 0, 0), end)
    assert prop.step is not None
    return (
        (prop.when is None or prop.when(before))
        and (prop.among is None or prop.among(before, step, after))
        and prop.step(before, step, after)
    )


def _tcb(model: Model, end: int, name: str, answers: Answers) -> Any:
    """Return a record that stands for the TCB of an end (so Any)."""
    return Record(name, fields_of(model.b if end else model.a), answers)


def _term(function: Callable[[Answers], object]) -> Term:
    try:
        return decided(function)
    except ChannelsNeededError:
        raise NotTranslatableError("it looks at the channels") from None
    except AbsoluteNameError:
        raise NotTranslatableError("it looks from no end") from None


def of_kind(model: Model, *kinds: Kind) -> Iterable[Property]:
    """Return the properties that a check of the model judges, those of these kinds."""
    return [prop for prop in properties_of(model) if prop.kind in kinds]
