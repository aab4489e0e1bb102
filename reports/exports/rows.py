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
from tcpclose_model.engines.plain import End
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model, parameters, plain_only
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import On, Protocol, Rule, Then
from tcpclose_model.protocol.vocabulary import (
    BASIC_FIELDS,
    CLOSED,
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
    wnd0: Term = ZERO

    def terms(self) -> tuple[tuple[str, Term], ...]:
        """Return the segment's fields with their names."""
        return tuple((name, getattr(self, name)) for name in BASIC_FIELDS)


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
    """Return the parameters that a text names: those of a second incarnation mean nothing here."""
    known = parameters(model).items()
    return [(name, value) for name, value in known if not name.startswith("incarnations.")]


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


def segment_fields(model: Model) -> tuple[str, ...]:
    """Return the fields of segments that a text needs: `wnd0` only where a table sends windows."""
    carried = {name for protocol in (model.a, model.b) for name, _ in protocol.carries}
    return tuple(name for name in BASIC_FIELDS if name != "wnd0" or name in carried)


def rows_of(protocol: Protocol, *, reads_eagerly: bool = False) -> tuple[Row, ...]:
    """Return the rows of a protocol as terms, in the table's order.

    A row that stands for CLOSED and for other states is split, so that a row either deletes the
    TCB or does not.  reads_eagerly: no text is unread when a segment is made (see `step.Table`).
    """
    if "inc" in protocol.stamps:
        raise NotTranslatableError(
            f"{protocol.name}: a model that opens the connection again is not exported: set "
            "protocol.reopens=off"
        )
    check(protocol)
    made: list[Row] = []

    def row(rule: Rule, name: str, at: tuple[State, ...]) -> Row:
        return _row(protocol, rule, name, at, reads_eagerly=reads_eagerly)

    for rule in protocol.rules:
        others = tuple(state for state in rule.at if state is not CLOSED)
        if not others or len(others) == len(rule.at):
            made.append(row(rule, rule.name, rule.at))
        else:
            made.append(row(rule, rule.name, others))
            made.append(row(rule, f"{rule.name}_in_closed", (CLOSED,)))
    return tuple(made)


def _row(
    protocol: Protocol, rule: Rule, name: str, at: tuple[State, ...], *, reads_eagerly: bool
) -> Row:
    tcb: Any = Record("tcb", fields_of(protocol), {})  # Any: stands in for the real records
    seg: Any = SegmentRecord("seg", {})
    when = tuple(truth(term_of(holds(tcb, seg))) for holds in rule.when)
    now = {READ: RCV_TEXT} if reads_eagerly else {}
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
        send = Send(*(number(term_of(getattr(result, name))) for name in BASIC_FIELDS))
        return send if send.rst == ONE else replace(send, **carried)
    assert isinstance(result, Mapping), "legality.check refuses any other effect"
    if "state" in result:
        raise NotTranslatableError(
            f"{protocol.name}: an effect of rule {rule.name!r} changes the state, which cannot be "
            "exported: say where the row goes with `to`"
        )
    return Change(tuple((name, number(term_of(value))) for name, value in result.items()))


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
