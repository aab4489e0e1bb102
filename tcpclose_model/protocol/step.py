"""Carries rows out: what an end becomes, and sends, when an event happens or a segment arrives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.notation import AGAIN, DROP, Fallback, On, Protocol, Rule
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    NO_SEGMENT,
    TCB,
    Event,
    Segment,
    State,
    Step,
)

Cell = tuple[State, On]
RULES_PER_ARRIVAL_MAX = 1_000
"""An arrival that carries out more rows than this is taken to offer a row for ever."""


class Outcome(NamedTuple):
    """What one event made of one end: the TCB after it, what was sent, the rows carried out."""

    tcb: TCB
    sent: Segment | None
    rules: tuple[Rule, ...]


class Table:
    """A protocol made ready to run: rows and fallbacks by cell, and the initial TCB.

    reads_eagerly: the user reads text as it arrives, so that none is unread when an ACK is made.
    """

    def __init__(self, protocol: Protocol, *, reads_eagerly: bool = False) -> None:
        self.protocol = protocol
        self._reads_eagerly = reads_eagerly
        self._stamps = bool(protocol.carries or protocol.stamps)
        self.initial = _initial_tcb(protocol.fields)
        self._rules: dict[Cell, list[Rule]] = {}
        self._fallback: dict[Cell, Fallback] = {}
        for rule in protocol.rules:
            for state in rule.at:
                self._rules.setdefault((state, rule.on), []).append(rule)
        for cell in protocol.cells:
            for state in cell.at:
                for on in cell.on:
                    self._fallback[state, on] = cell.does

    def local(self, tcb: TCB, event: Event) -> Outcome | None:
        """Return what a call or a timeout does, or None where it is not enabled."""
        rule = self._row(tcb, event, NO_SEGMENT)
        if rule is None:
            return None
        after, sent = self._carry_out(rule, tcb, NO_SEGMENT, None)
        return Outcome(after, sent, (rule,))

    def arrival(self, tcb: TCB, seg: Segment) -> Outcome:
        """Return what SEGMENT ARRIVES does, step by step in the standard's order.

        At most one segment is sent in answer: of several ACKs the last has the final RCV.NXT and
        says what the earlier ones said (MUST-58, MUST-59).
        """
        sent: Segment | None = None
        done: list[Rule] = []
        for step in Step:
            while (rule := self._row(tcb, step, seg)) is not None:
                tcb, sent = self._carry_out(rule, tcb, seg, sent)
                done.append(rule)
                if rule.then is DROP or tcb.state == CLOSED:
                    return Outcome(tcb, sent, tuple(done))
                if rule.then is not AGAIN:
                    break
                if len(done) > RULES_PER_ARRIVAL_MAX:
                    raise ModelError(f"rule {rule.name!r} is offered the same segment for ever")
            if self._fallback[tcb.state, step] is Fallback.DROPS and rule is None:
                break
        return Outcome(tcb, sent, tuple(done))

    def _row(self, tcb: TCB, on: On, seg: Segment) -> Rule | None:
        candidates = self._rules.get((tcb.state, on), ())
        fits = [rule for rule in candidates if all(holds(tcb, seg) for holds in rule.when)]
        if len(fits) > 1:
            names = " and ".join(rule.name for rule in fits)
            raise ModelError(
                f"{self.protocol.name}: rules {names} both fit {tcb.state.name} on {on.name} with "
                f"{_changed(tcb)} and {seg}: make their `when` exclude each other"
            )
        if fits:
            return fits[0]
        fallback = self._fallback.get((tcb.state, on))
        if fallback is None or fallback is Fallback.UNREACHABLE:
            raise ModelError(
                f"{self.protocol.name}: no rule fits {tcb.state.name} on {on.name} with "
                f"{_changed(tcb)} and {seg}: add a row, or declare what the cell does otherwise"
            )
        return None

    def _carry_out(
        self, rule: Rule, tcb: TCB, seg: Segment, sent: Segment | None
    ) -> tuple[TCB, Segment | None]:
        for effect in rule.do:
            result = effect(tcb, seg)
            if isinstance(result, Segment):
                # Every segment but a RST carries RCV.NXT, and so settles a delayed ACK.
                sent = self._stamped(tcb, result) if self._stamps else result
                tcb = tcb._replace(ack_due=0)
            else:
                tcb = self._with(tcb, rule, result)
        if rule.to is not None:
            tcb = tcb._replace(state=rule.to)
        return (self._deleted(tcb) if tcb.state == CLOSED else tcb), sent

    def _stamped(self, tcb: TCB, seg: Segment) -> Segment:
        """Return the segment with what every segment, or every one but a RST, carries."""
        unset = [name for name in self.protocol.stamps if not getattr(seg, name)]
        seg = seg._replace(**{name: getattr(tcb, name) for name in unset})
        if seg.rst:
            return seg
        if self._reads_eagerly:
            tcb = tcb._replace(read=tcb.rcv_text)
        carried = {name: int(value(tcb, seg)) for name, value in self.protocol.carries}
        return seg._replace(**carried)

    def _with(self, tcb: TCB, rule: Rule, changes: Mapping[str, int]) -> TCB:
        if not isinstance(changes, Mapping):
            raise ModelError(
                f"{self.protocol.name}: an effect of rule {rule.name!r} returned {changes!r}; an "
                "effect returns a dict of changed fields or a Segment"
            )
        unknown = set(changes) - set(tcb._fields)
        if unknown:
            raise ModelError(
                f"{self.protocol.name}: rule {rule.name!r} changes {sorted(unknown)}, which the TCB "
                "does not have: declare it with with_field()"
            )
        for name, maximum in self.protocol.fields:
            if not 0 <= changes.get(name, 0) <= maximum:
                raise ModelError(
                    f"{self.protocol.name}: rule {rule.name!r} sets {name} to {changes[name]}, but "
                    f"its range is 0..{maximum}"
                )
        return tcb._replace(**changes)  # type: ignore[arg-type]  # effects give the fields as ints

    def _deleted(self, tcb: TCB) -> TCB:
        kept = {name: getattr(tcb, name) for name in self.protocol.kept}
        return self.initial._replace(state=CLOSED, **kept)


def _initial_tcb(fields: Iterable[tuple[str, int]]) -> TCB:
    """Return a TCB in ESTABLISHED with nothing sent; `fields` are added, each 0."""
    extra = tuple(name for name, _ in fields)
    if not extra:
        return TCB()
    tcb: TCB = _tcb_class(extra)(*TCB(), *(0 for _ in extra))
    return tcb


@cache
def _tcb_class(extra: tuple[str, ...]) -> Any:
    """Return the class of TCBs with these fields more (Any: known at run time only).

    TCBs whose fields have other names are never equal, though their values may be: the two ends
    may have different tables, and what is known of states is kept by TCB.
    """
    names = [*TCB.__annotations__, *extra]
    base: Any = NamedTuple("TCB", [(name, int) for name in names])  # type: ignore[misc]  # fields known at run time only

    equal: Any = vars(tuple)["__eq__"]  # Any: mypy takes tuple.__eq__ for a comparison of types

    def same(self: object, other: object) -> bool:
        return type(self) is type(other) and bool(equal(self, other))

    def differs(self: object, other: object) -> bool:
        return not same(self, other)

    methods = {"__slots__": (), "__eq__": same, "__ne__": differs, "__hash__": tuple.__hash__}
    return type("TCB", (base,), methods)


def _changed(tcb: TCB) -> str:
    """Return the fields that are not 0, for error messages."""
    shown = [f"{n}={v}" for n, v in tcb._asdict().items() if v and n != "state"]
    return ", ".join(shown) or "nothing sent"
