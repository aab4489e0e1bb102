"""Rows as terms: what each row of a table asks, changes and sends, for exporters to render.

What users want and when timers may run is taken from the plain engine's own code (`wanted`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reports.exports.terms import (
    ZERO,
    Const,
    Field,
    NotTranslatableError,
    Record,
    SegmentRecord,
    Term,
    decided,
    number,
    substituted,
    term_of,
    truth,
)
from tcpclose_model.engines.plain import End, reopens
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model, parameters, plain_only
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import On, Protocol, Rule, Then
from tcpclose_model.protocol.vocabulary import (
    BASIC_FIELDS,
    CLOSED,
    OPENING,
    SEGMENT_FIELDS,
    TCB,
    Event,
    Segment,
    State,
)

ONE = Const(1)
READ, RCV_TEXT = Field("tcb", "read"), Field("tcb", "rcv_text")


@dataclass(frozen=True, slots=True)
class Change:
    """An effect that changes fields of the TCB, all at once."""

    fields: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, slots=True)
class Send:
    """An effect that sends a segment."""

    seq: Term
    ack: Term
    text: Term
    fin: Term
    rst: Term
    wnd0: Term
    syn: Term
    ts: Term
    inc: Term

    def terms(self) -> tuple[tuple[str, Term], ...]:
        """Return the segment's fields with their names."""
        return tuple((name, getattr(self, name)) for name in SEGMENT_FIELDS)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table as terms over "tcb" and "seg".

    name: the rule's, made different where a row has been split (see `rows_of`); when: what must
    all be true; do: in order, each on the TCB that the one before it left; to, then: the rule's.
    """

    rule: Rule
    name: str
    at: tuple[State, ...]
    on: On
    when: tuple[Term, ...]
    do: tuple[Change | Send, ...]
    to: State | None
    then: Then

    @property
    def sends(self) -> bool:
        """Whether the row sends a segment."""
        return any(isinstance(effect, Send) for effect in self.do)

    @property
    def deletes(self) -> bool:
        """Whether the TCB is deleted: the row ends in CLOSED (or stays there)."""
        return self.to == CLOSED or (self.to is None and self.at == (CLOSED,))


@dataclass(frozen=True, slots=True)
class Net:
    """What a row makes of a TCB: new values by field, in terms of the TCB before; what it sends."""

    fields: Mapping[str, Term]
    sent: Send | None


def parameters_told(model: Model) -> list[tuple[str, object]]:
    """Return the parameters that a text names: those of a second incarnation where there is one."""
    known = parameters(model).items()
    again = model.reopens
    return [(name, value) for name, value in known if again or not name.startswith("incarnations.")]


def fields_of(protocol: Protocol) -> tuple[str, ...]:
    """Return the names of the fields of a protocol's TCB, those that it adds last."""
    return (*TCB._fields, *(name for name, _ in protocol.fields))


def refuse_untold(model: Model) -> None:
    """Raise ModelError if a model has something that no export can say."""
    if reason := plain_only(model):
        raise ModelError(f"{model.name}: {reason} cannot be exported: only the plain engine has it")
    if model.middlebox.at != "none":
        raise ModelError(
            f"{model.name}: a middlebox beside {model.middlebox.at.upper()} cannot be exported: "
            "texts have the rows of the ends alone; set middlebox.at=none"
        )


ALWAYS_THERE = BASIC_FIELDS[:5]
"""The fields that segments have in every text."""


def segment_fields(model: Model) -> tuple[str, ...]:
    """Return the fields of segments that a text needs.

    A window or a timestamp only where a table sends it; SYN, and the incarnation of the sender,
    only where a table can open the connection again.
    """
    needed = {*ALWAYS_THERE}
    for protocol in (model.a, model.b):
        needed |= {name for name, _ in protocol.carries} | {*protocol.stamps}
        needed |= {"syn"} if reopens(protocol) else set()
    return tuple(name for name in SEGMENT_FIELDS if name in needed)


def states_of(model: Model) -> tuple[State, ...]:
    """Return the states that a text needs: those of opening only where a table has them."""
    opening = reopens(model.a) or reopens(model.b)
    return tuple(state for state in State if opening or state not in OPENING)


def first_tcbs(model: Model) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return what is not 0 in the TCBs with which the ends start."""
    ends = (End(model, end).initial._asdict() for end in (0, 1))
    a, b = ({name: value for name, value in tcb.items() if value} for tcb in ends)
    return a, b


def rows_of(model: Model, end: int) -> tuple[Row, ...]:
    """Return the rows of an end's table as terms, in the table's order.

    A row that stands for CLOSED and for other states is split, so that a row either deletes the
    TCB or does not.
    """
    protocol = model.b if end else model.a
    check(protocol)
    made: list[Row] = []

    def row(rule: Rule, name: str, at: tuple[State, ...]) -> Row:
        return _row(model, protocol, rule, name, at)

    for rule in protocol.rules:
        others = tuple(state for state in rule.at if state is not CLOSED)
        if not others or len(others) == len(rule.at):
            made.append(row(rule, rule.name, rule.at))
        else:
            made.append(row(rule, rule.name, others))
            made.append(row(rule, f"{rule.name}_in_closed", (CLOSED,)))
    return tuple(made)


def _row(model: Model, protocol: Protocol, rule: Rule, name: str, at: tuple[State, ...]) -> Row:
    tcb: Any = Record("tcb", fields_of(protocol), {})  # Any: stands in for the real records
    seg: Any = SegmentRecord("seg", segment_fields(model), {})
    when = tuple(truth(term_of(holds(tcb, seg))) for holds in rule.when)
    # An eager user has read what has arrived when a segment is made: see `step.Table`.
    now = {READ: RCV_TEXT} if model.application.reading == "eager" else {}
    carried = {
        field: substituted(number(term_of(holds(tcb, seg))), now)
        for field, holds in protocol.carries
    }
    do = tuple(_effect(protocol, rule, effect(tcb, seg), carried) for effect in rule.do)
    return Row(rule, name, at, rule.on, when, do, rule.to, rule.then)


def _effect(
    protocol: Protocol, rule: Rule, result: object, carried: Mapping[str, Term]
) -> Change | Send:
    if isinstance(result, Segment):
        send = Send(*(number(term_of(getattr(result, name))) for name in SEGMENT_FIELDS))
        send = replace(send, **_stamps(protocol, rule, send))
        return send if send.rst == ONE else replace(send, **carried)
    assert isinstance(result, Mapping), "legality.check refuses any other effect"
    if "state" in result:
        raise NotTranslatableError(
            f"{protocol.name}: an effect of rule {rule.name!r} changes the state, which cannot be "
            "exported: say where the row goes with `to`"
        )
    return Change(tuple((name, number(term_of(value))) for name, value in result.items()))


def _stamps(protocol: Protocol, rule: Rule, send: Send) -> dict[str, Term]:
    """Return what a segment is stamped with: a field of the TCB, unless the effect has set it.

    An effect may pass on the stamp of the segment that arrives, which is never 0: every segment
    has one, and that of an end is not 0 when it starts.
    """
    stamps: dict[str, Term] = {}
    for name in protocol.stamps:
        said = getattr(send, name)
        if said == ZERO:
            stamps[name] = Field("tcb", name)
        elif said != Field("seg", name) and not isinstance(said, Const):
            raise NotTranslatableError(
                f"{protocol.name}: rule {rule.name!r} sends a segment whose {name!r} may be 0 or "
                "not, which cannot be exported: leave it out, or pass on that of the segment"
            )
    return stamps


def net(row: Row, protocol: Protocol) -> Net:
    """Return what a row does, all its effects taken together, with a deleted TCB's fields at 0.

    `state` is among the fields where the row changes it; sending settles a delayed ACK.
    """
    now: dict[Field, Term] = {}
    sent = None
    for effect in row.do:
        if isinstance(effect, Send):
            sent = Send(*(substituted(term, now) for _, term in effect.terms()))
            now[Field("tcb", "ack_due")] = ZERO
        else:
            now |= {Field("tcb", name): substituted(term, now) for name, term in effect.fields}
    fields = {field.name: term for field, term in now.items()}
    if row.deletes:
        gone = [name for name in fields_of(protocol) if name not in protocol.kept]
        fields |= {name: ZERO for name in gone if name != "state"}
    if row.to is not None:
        fields["state"] = Const(row.to)
    return Net(fields, sent)


def wanted(model: Model, end: int, event: Event) -> Term:
    """Return when the user of an end wants a call, or its timer may run, as a term over "tcb".

    It is what the plain engine asks of the end's own TCB (`End`); what it asks of the channels and
    of the peer is `engines.plain.guard`.
    """
    this = End(model, end)
    names = fields_of(model.b if end else model.a)

    def asked(answers: Mapping[Term, bool]) -> object:
        tcb: Any = Record("tcb", names, answers)  # Any: stands in for the real record
        return this.happens(event, tcb)

    return decided(asked)
