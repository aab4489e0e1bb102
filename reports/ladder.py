"""Ladders: a run as text that a reader can hold against a packet capture, and paste into a test.

    ESTABLISHED                                ESTABLISHED
    A CLOSE                                                   # close (3.10.4)
    FIN_WAIT_1     -- FIN ----------------->   CLOSE_WAIT     # fin_in_established (3.10.7.4 eighth)

An arrow line is a delivery (`-->`, `<--`), a loss (`--x`, `x--`) or a copy made in flight (`--+`,
`+--`); the words at its ends are the states after it.  A line `A EVENT` is local to A.  `TICK`, or
`3 TICKS`, is time that passes in a model that has a clock.  `LOOP` stands before the steps that
repeat for ever, or at the end where nothing happens any more.
What follows a `#` is for the reader only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from reports.labels import label, labels
from reports.ticks import stretches, ticks_text
from tcpclose_model.engines.plain import ENDS, Channel, PlainEngine, ProductState, Transition
from tcpclose_model.protocol.vocabulary import CLOSED, KEPT_WHEN_CLOSED, TCB, Event, Segment
from tcpclose_model.run import Run

LEFT, ARROW, RIGHT = 14, 27, 14
HEADS = {
    Event.SEGMENT_ARRIVES: (">", "<"),
    Event.SEGMENT_IS_LOST: ("x", "x"),
    Event.SEGMENT_IS_DUPLICATED: ("+", "+"),
}


Notes = Literal["beside", "below", "none"]


def ladder(run: Run, *, notes: Notes = "beside") -> str:
    """Return the run as a ladder.

    `notes` puts the rules carried out, their clauses and what they change beside each line, below
    it (for narrow screens), or nowhere.
    """
    engine = PlainEngine(run.model)
    lines = [_states(run.states[0])]
    for number, count in stretches(run):
        if run.loop == number:
            lines.append("LOOP")
        state, step = run.states[number], run.steps[number]
        if step.action.event is Event.TICK:
            line, note = ticks_text(count), _passed(engine, run.states[number : number + count + 1])
        else:
            line, note = _line(engine, state, step), _note(state, step)
        note = note if notes != "none" else ""
        if note and notes == "beside":
            line = f"{line:<{LEFT + ARROW + RIGHT + 4}}  # {note}"
        lines.append(line)
        if note and notes == "below":
            lines.append(f"    # {note}")
    if run.loop == len(run.steps):
        lines.append("LOOP  # nothing that changes anything happens any more")
    lines.append(_states(run.last))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _states(state: ProductState) -> str:
    return f"{state.a.state.name:<{LEFT + ARROW + 3}}{state.b.state.name}"


def _line(engine: PlainEngine, state: ProductState, step: Transition) -> str:
    action = step.action
    if action.segment is None:
        return f"{ENDS[action.actor]} {action.event.words}"
    words = _unique_label(engine, state, step)
    to_b, to_a = HEADS[action.event]
    room = ARROW - len(words) - 5
    if action.actor:
        arrow = f"-- {words} {'-' * max(room, 2)}{to_b}"
    else:
        arrow = f"{to_a}{'-' * max(room, 2)} {words} --"
    after = step.target
    return f"{after.a.state.name:<{LEFT}}{arrow:<{ARROW}}   {after.b.state.name}"


def _unique_label(engine: PlainEngine, state: ProductState, step: Transition) -> str:
    """Return the usual label, or the full one where another step would fit the same line."""
    assert step.action.segment is not None
    receiver = state.b if step.action.actor else state.a
    _, usual, full = labels(step.action.segment, receiver)
    return full if needs_numbers(state, step, engine.successors(state)) else usual


def needs_numbers(state: ProductState, step: Transition, possible: Sequence[Transition]) -> bool:
    """Return whether another step of those `possible` in the state would fit the same line."""
    if step.action.segment is None:
        return False
    receiver = state.b if step.action.actor else state.a
    usual = label(step.action.segment, receiver)
    rivals = [
        other
        for other in possible
        if other.action[:2] == step.action[:2]
        and other.action.segment is not None
        and usual in labels(other.action.segment, receiver)
        and _ends(other.target) == _ends(step.target)
    ]
    return len(rivals) != 1


def _ends(state: ProductState) -> tuple[int, int]:
    return state.a.state, state.b.state


def _note(state: ProductState, step: Transition) -> str:
    """Return the rules carried out with their clauses, what is sent, and what changes."""
    parts = [f"{rule.name} ({rule.cite})" for rule in step.rules]
    if step.sent is not None:
        receiver = state.a if step.action.actor else state.b
        lost = ", lost: the channel is full" if step.overflow else ""
        parts.append(f"sends {label(step.sent, receiver)}{lost}")
    actor = step.action.actor
    before, after = (state.b, step.target.b) if actor else (state.a, step.target.a)
    changed = changes(before, after)
    if changed:
        parts.append(f"{ENDS[actor]}: {changed}")
    return "; ".join(parts)


def _passed(engine: PlainEngine, states: Sequence[ProductState]) -> str:
    """Return what has become of time: which segments have vanished, and which timers are due."""
    parts = []
    for before, after in pairwise(states):
        for receiver, old, new in (
            (before.b, before.a_to_b, after.a_to_b),
            (before.a, before.b_to_a, after.b_to_a),
        ):
            parts += [f"{label(seg, receiver)} dies of age" for seg in _dead(old, new)]
    for name, tcb in zip(ENDS, states[-1][:2], strict=True):
        parts += [f"{name} {timer.event.words} is due" for timer in engine.clock.due(tcb)]
    return "; ".join(parts)


def _dead(before: Channel, after: Channel) -> list[Segment]:
    """Return the segments that have vanished with a tick."""
    older = [seg._replace(age=seg.age + 1) for seg in before]
    return [seg for seg in older if seg not in after]


def changes(before: TCB, after: TCB) -> str:
    """Return what differs: the new state, then the fields with their new values.

    Of an end whose TCB is deleted only what outlives it is named.
    """
    shown = [after.state.name] if after.state != before.state else []
    for name, old, new in zip(before._fields, before, after, strict=True):
        if (
            name == "state"
            or old == new
            or (after.state == CLOSED and name not in KEPT_WHEN_CLOSED)
        ):
            continue
        shown.append(f"{name}={getattr(new, 'name', new)}")
    return " ".join(shown)
