"""An end with a middlebox beside it, as one local automaton.

Its local state is the end's TCB with what the box remembers; every segment in or out passes the
box's rows first, and what the box sends to the end the end handles within the same step.  So a
step sends one segment to the network at most, and no engine needs to know of the box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tcpclose_model.engines.plain import End
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.middlebox import (
    FORWARD,
    INBOUND,
    OUTBOUND,
    RESET_INSIDE,
    RESET_OUTSIDE,
    TIMEOUT,
    TRACKED,
    Box,
    BoxRule,
    BoxState,
)
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.step import Outcome
from tcpclose_model.protocol.vocabulary import NO_SEGMENT, TCB, Event, Segment

FIELD = "box"
"""The TCB field in which the end carries the state of the box."""

EXCHANGES_MAX = 8
"""Times that box and end may answer each other within one step."""


def boxed(protocol: Protocol) -> Protocol:
    """Return the protocol whose TCB has room for the box, which outlives the TCB.

    SND.NXT outlives it too: the box has seen it, and resets the other end with it.
    """
    kept = (*protocol.kept, "snd_nxt", FIELD)
    return replace(protocol.with_field(FIELD, max(BoxState)), kept=tuple(dict.fromkeys(kept)))


def box_state(tcb: TCB) -> BoxState:
    """Return what the box beside an end remembers."""
    held: Any = tcb  # Any: a field that only such an end has
    state: BoxState = held.box
    return state


class BoxedEnd(End):
    """An end and the box beside it."""

    def __init__(self, model: Model, end: int) -> None:
        protocol = boxed(model.b if end else model.a)
        super().__init__(replace(model, b=protocol) if end else replace(model, a=protocol), end)
        beside = model.middlebox
        self._box = Box(beside.forgets, beside.unknown, beside.tells)
        self.initial = _with(self.initial, TRACKED)

    def arrival(self, tcb: TCB, seg: Segment) -> Outcome:
        """Return what a segment from the network does: to the box, and past it to the end."""
        known = self._arrivals.get((tcb, seg))
        if known is None:
            known = self._arrivals[tcb, seg] = self._inbound(tcb, seg)
        return known

    def _enabled(self, tcb: TCB) -> Iterator[tuple[Event, Outcome]]:
        for event, outcome in super()._enabled(tcb):
            yield event, self._outbound(outcome)
        row = self._box.row(box_state(tcb), TIMEOUT, tcb, NO_SEGMENT)
        if row is not None:
            yield Event.MIDDLEBOX_TIMEOUT, self._acted(row, tcb, NO_SEGMENT, ())

    def _inbound(self, tcb: TCB, seg: Segment, exchanges: int = 0) -> Outcome:
        row = self._box.row(box_state(tcb), INBOUND, tcb, seg)
        if row is None:
            return self._taken(tcb, seg, (), exchanges)
        if FORWARD in row.acts:
            return self._taken(_after(row, tcb), seg, (row,), exchanges)
        return self._acted(row, tcb, seg, (), exchanges)

    def _taken(self, tcb: TCB, seg: Segment, rules: tuple[Rule, ...], exchanges: int) -> Outcome:
        """Return what the end makes of a segment that the box has let in, or sends itself."""
        outcome = self._table.arrival(tcb, seg)
        outcome = self._settled(tcb, Event.SEGMENT_ARRIVES, outcome)
        return self._outbound(outcome._replace(rules=rules + outcome.rules), exchanges)

    def _outbound(self, outcome: Outcome, exchanges: int = 0) -> Outcome:
        """Return the outcome with what it sends having passed the box, or not."""
        tcb, seg, rules = outcome
        if seg is None:
            return outcome
        row = self._box.row(box_state(tcb), OUTBOUND, tcb, seg)
        if row is None:
            return outcome
        if FORWARD in row.acts:
            return Outcome(_after(row, tcb), seg, (*rules, row))
        return self._acted(row, tcb, seg, rules, exchanges)

    def _acted(
        self, row: BoxRule, tcb: TCB, seg: Segment, rules: tuple[Rule, ...], exchanges: int = 0
    ) -> Outcome:
        """Return what comes of a row that drops the segment, or that no segment has set off."""
        if exchanges == EXCHANGES_MAX:
            raise ModelError(f"middlebox: {row.name} and the end answer each other for ever")
        outside = Segment(seq=seg.ack if row.box_on is INBOUND else tcb.snd_nxt, rst=1)
        sent = outside if RESET_OUTSIDE in row.acts else None
        tcb, rules = _after(row, tcb), (*rules, row)
        if RESET_INSIDE not in row.acts:
            return Outcome(tcb, sent, rules)
        inside = Segment(seq=seg.ack if row.box_on is OUTBOUND else tcb.rcv_nxt, rst=1)
        answered = self._taken(tcb, inside, rules, exchanges + 1)
        if sent is not None and answered.sent is not None:
            raise ModelError(
                f"middlebox: {row.name} resets both ends, and the end beside it answers: a step "
                "sends one segment at most"
            )
        return answered._replace(sent=sent or answered.sent)


def ends_with_box(model: Model) -> tuple[End, End]:
    """Return A and B, the one with the box beside it that the model says."""
    if model.middlebox.at == "a":
        return BoxedEnd(model, 0), End(model, 1)
    return End(model, 0), BoxedEnd(model, 1)


def _after(row: BoxRule, tcb: TCB) -> TCB:
    return tcb if row.box_to is None else _with(tcb, row.box_to)


def _with(tcb: TCB, state: BoxState) -> TCB:
    return tcb._replace(**{FIELD: state})  # type: ignore[arg-type]  # a field of its own
