"""Rows in Promela: one row is one guarded command, an inline of the row's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.exports.intervals import Box, folded, refined
from reports.exports.promela_words import conjuncts, expression, said
from reports.exports.ranges import Ranges
from reports.exports.rows import Change, Row, Send, net, segment_fields, wanted
from reports.exports.terms import (
    TRUE,
    Const,
    Field,
    Term,
    all_of,
    any_of,
    binary,
    fields_in,
    substituted,
)
from tcpclose_model.engines.guards import Guard, guard
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import AGAIN, DROP, words
from tcpclose_model.protocol.vocabulary import Event, State, Step

GUARDS = {
    Guard.OWN_ROOM: ("to_peer.length < CAPACITY", "there is room"),
    Guard.ROOM: ("to_me.length + to_peer.length < CAPACITY", "there is room"),
    Guard.NOTHING_INBOUND: ("to_me.length == 0", "nothing is on its way here"),
    Guard.NOTHING_OUTBOUND: ("to_peer.length == 0", "nothing is on its way to the peer"),
    Guard.PEER_DONE: ("(peer.state == CLOSED || peer.state == TIME_WAIT)", "the peer is done"),
    Guard.PEER_CLOSED: ("peer.state == CLOSED", "the peer is closed"),
}
STATE, COUNT = Field("tcb", "state"), Field("tcb", "retransmitted")

Line = tuple[str, str]
"""Code, and a note for its right."""

Claim = tuple[str, Term]
"""The macro that asks for it, and when a step is wrong."""


@dataclass
class Context:
    """What the rows' text needs to know of the model.

    box: what fields can be, those that the text leaves out being 0; fields: the TCB fields that
    the text has; words: how each field is written; states: those that an end can be in; first:
    for each end, what is not 0 in the TCB that it starts with; steps: those that the text goes
    through, in order; delete: for each end, the inline that deletes its TCB; scratch: integers to
    declare; idle: whether the text tells steps that change nothing from others.
    """

    model: Model
    ranges: Ranges
    box: Box
    fields: tuple[str, ...]
    words: dict[Field, str]
    states: tuple[State, ...]
    first: tuple[Mapping[str, int], Mapping[str, int]]
    steps: tuple[Step, ...]
    delete: tuple[str, str]
    scratch: set[str]
    idle: bool = False

    def text(self, term: Term, binds: int = 0) -> str:
        """Return a term in Promela, without what the box settles."""
        return expression(folded(term, self.box), self.words, binds)

    def has(self, name: str) -> bool:
        """Return whether the text has a TCB field."""
        return name in self.fields

    def in_states(self, at: Iterable[State]) -> str:
        """Return the condition that an end is in one of these states."""
        at = tuple(at)
        others = [state for state in self.states if state not in at]
        if len(others) < 3 or len(others) + 2 < len(at):
            return " && ".join(f"me.state != {state.name}" for state in others) or "true"
        text = " || ".join(f"me.state == {state.name}" for state in at)
        return f"({text})" if len(at) > 1 else text


class RowText:
    """The text of the rows of one end."""

    def __init__(self, context: Context, end: int) -> None:
        self._context, self._end = context, end
        self._model = context.model
        self._protocol = self._model.b if end else self._model.a

    def local(self, row: Row, claims: Iterable[Claim]) -> tuple[list[Line], list[Line]]:
        """Return the guards of a call, an output or a timeout, and what it does."""
        assert isinstance(row.on, Event)
        wish = wanted(self._model, self._end, row.on)
        asked = self._asked(row, wish)
        needs = guard(self._model, row.on, sends=row.sends)
        asked += [GUARDS[flag] for flag in Guard if flag & needs]
        if self._context.idle:
            asked += self._changes_something(row, all_of((wish, *row.when)), needs)
        claims = tuple(claims)
        does = [(f'printf("%c {said(row.name)}\\n", name)', "")]
        does += saved(claims, self._context)
        does += self._effects(row) + self.settling((row,))
        if row.sends:
            does.append(("push(to_peer)", ""))
        return asked, does + asserted(claims, self._context)

    def arrival(self, row: Row) -> tuple[list[Line], list[Line]]:
        """Return the guards of a row of SEGMENT ARRIVES, and what it does."""
        assert isinstance(row.on, Step)
        asked = [(f"step == {row.on.name}", ""), *self._asked(row, TRUE)]
        does = [(f'printf("  {said(row.name)}\\n")', ""), *self._effects(row)]
        if row.then is DROP or row.deletes:
            does.append(("break", "the segment is dropped" if row.then is DROP else ""))
        elif row.then is AGAIN:
            does[-1] = does[-1][0], f"{does[-1][1]}, and the segment is offered again"
        else:
            does.append(("break" if row.on is self._context.steps[-1] else "step++", ""))
        return asked, does

    def settling(self, rows: Iterable[Row]) -> list[Line]:
        """Return what is done at the end of a step that carries out some of these rows."""
        lines = []
        changed = {name for row in rows for name in net(row, self._protocol).fields}
        if self._reads_eagerly() and changed & {"read", "rcv_text"}:
            lines.append(("me.read = me.rcv_text", "the user reads text as it arrives"))
        most = self._model.bounds.retransmissions_max or 0
        if self._context.has("retransmitted") and self._context.box[COUNT][1] > most:
            clamp = f"if :: me.retransmitted > {most} -> me.retransmitted = {most} :: else fi"
            lines += [(clamp, "counted no further")] if "retransmitted" in changed else []
        return lines

    def _reads_eagerly(self) -> bool:
        return self._model.application.reading == "eager" and self._context.has("read")

    def _asked(self, row: Row, wish: Term) -> list[Line]:
        """Return all that a row asks of its own TCB and of the segment."""
        asked = [(self._context.in_states(row.at), "")]
        notes = (words(predicate) for predicate in row.rule.when)
        for term, note in ((wish, "it is wanted"), *zip(row.when, notes, strict=True)):
            for part in conjuncts(folded(term, self._context.box)):
                if part != TRUE:
                    asked.append((self._context.text(part, 3), note))
                    note = ""
        return asked

    def _effects(self, row: Row) -> list[Line]:
        """Return the row's effects and its change of state."""
        lines: list[Line] = []
        for place, effect in enumerate(row.do):
            if isinstance(effect, Send):
                made = self._sending(row, place, effect)
            else:
                made = self._changing(row, place, effect)
            note = words(row.rule.do[place])
            lines += [(code, "" if n else note) for n, code in enumerate(made)]
        stays_deleted = row.to is None and not any(isinstance(one, Change) for one in row.do)
        if row.deletes and not stays_deleted:
            lines.append((f"{self._context.delete[self._end]}(me)", ""))
        elif row.to is not None and not row.deletes:
            lines.append((f"me.state = {row.to.name}", ""))
        return lines

    def _sending(self, row: Row, place: int, effect: Send) -> list[str]:
        lines = []
        for name, term in effect.terms():
            if (row.name, place, name) in self._context.ranges.unproven:
                self._context.scratch.add("value")
                most = self._context.ranges.bounds[Field("seg", name)]
                lines.append(f"fits({self._context.text(term)}, {most})")
        lines.append(f"sent = {self._segment(effect)}")
        return lines + (["me.ack_due = 0"] if self._context.has("ack_due") else [])

    def _segment(self, effect: Send) -> str:
        names = segment_fields(self._model)
        said = [self._context.text(term) for name, term in effect.terms() if name in names]
        return f"SEGMENT({', '.join(said)})"

    def _changing(self, row: Row, place: int, effect: Change) -> list[str]:
        """Return assignments in an order in which each still reads what it must read."""
        context = self._context
        waiting = {name: term for name, term in effect.fields if context.has(name)}
        lines = []
        while waiting:
            free = [name for name in waiting if not _is_read(name, waiting)]
            name = next(iter(free or waiting))
            if not free:
                old = Field("old", name)
                context.words[old] = f"{name}_before"
                context.scratch.add(context.words[old])
                lines.append(f"{context.words[old]} = {context.words[Field('tcb', name)]}")
                waiting = {
                    other: term if other == name else substituted(term, {Field("tcb", name): old})
                    for other, term in waiting.items()
                }
            lines.append(self._assignment(row, place, name, waiting.pop(name)))
        return lines

    def _assignment(self, row: Row, place: int, name: str, term: Term) -> str:
        context = self._context
        target, text = context.words[Field("tcb", name)], context.text(term)
        if (row.name, place, name) in context.ranges.unproven:
            context.scratch.add("value")
            return f"assign({target}, {text}, {context.ranges.bounds[Field('tcb', name)]})"
        return f"{target} = {text}"

    def _changes_something(self, row: Row, claim: Term, needs: Guard) -> list[Line]:
        """Return a guard that is false where the step would change nothing, unless it always does.

        `IDLE` is true in the text except where a deadlock is looked for.
        """
        done = net(row, self._protocol)
        changes = [
            self._differs(name, term)
            for name, term in done.fields.items()
            if self._context.has(name) and not (name == "read" and self._reads_eagerly())
        ]
        lands = self._lands(done.sent, needs) if done.sent is not None else "false"
        if lands == "true" or all(self._is_sure(changes, claim, state) for state in row.at):
            return []
        moved = folded(any_of(changes), self._context.box)
        parts = ["IDLE", lands, self._context.text(moved, 2)]
        text = " || ".join(part for part in parts if part not in ("false", "0"))
        return [(f"({text})" if "|" in text else text, "it changes something")]

    def _differs(self, name: str, term: Term) -> Term:
        """Return whether a field's new value, kept in its bound, is not the old one."""
        here = Field("tcb", name)
        most = Const(self._model.bounds.retransmissions_max or 0)
        if name != "retransmitted" or self._context.box[COUNT][1] <= most.value:
            return binary("!=", here, term)
        over = all_of((binary(">", term, most), binary("!=", here, most)))
        return any_of((over, all_of((binary("<=", term, most), binary("!=", here, term)))))

    def _is_sure(self, changes: Iterable[Term], claim: Term, state: State) -> bool:
        """Return whether one of the changes is certain to be one, in a state."""
        start = refined({**self._context.box, STATE: (int(state), int(state))}, claim)
        return start is None or any(refined(start, one, so=False) is None for one in changes)

    def _lands(self, sent: Send, needs: Guard) -> str:
        """Return whether sending changes the channel."""
        is_empty = needs & Guard.NOTHING_OUTBOUND
        has_room = is_empty or needs & (Guard.OWN_ROOM | Guard.ROOM)
        room = "" if has_room else "to_peer.length < CAPACITY"
        new = ""
        if self._model.network.order == "set" and not is_empty:
            new = f"!HOLDS(to_peer, {self._segment(sent)})"
        text = " && ".join(part for part in (room, new) if part)
        return f"({text})" if "&" in text else text or "true"


def _is_read(name: str, waiting: Mapping[str, Term]) -> bool:
    others = (term for other, term in waiting.items() if other != name)
    return any(Field("tcb", name) in fields_in(term) for term in others)


def saved(claims: Iterable[Claim], context: Context) -> list[Line]:
    """Return the lines that keep what claims about a step read of its beginning."""
    lines: list[Line] = []
    for macro, wrong in claims:
        names = sorted({name for name in fields_in(wrong) if name.of == "was"})
        if names:
            lines.append((f"#ifdef {macro}", ""))
            for name in names:
                lines.append(
                    (f"{context.words[name]} = {context.words[Field('me', name.name)]}", "")
                )
            lines.append(("#endif", ""))
    return lines


def asserted(claims: Iterable[Claim], context: Context) -> list[Line]:
    """Return the lines that assert, at the end of a step, that it was not wrong."""
    lines: list[Line] = []
    for macro, wrong in claims:
        text = f"assert(!({context.text(wrong)}))"
        lines += [(f"#ifdef {macro}", ""), (text, ""), ("#endif", "")]
    return lines
