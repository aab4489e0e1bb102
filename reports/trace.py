"""A run as JSON, and as a Mermaid sequence diagram."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reports.labels import action_text, label
from reports.ticks import stretches, ticks_text
from tcpclose_model.engines.plain import ACTORS, ENDS, TIME, ProductState, Transition
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.run import Run

Json = Mapping[str, object]


def trace_json(run: Run) -> Json:
    """Return the run as the `trace` of schema tcpclose/check/1: steps, and where it loops.

    steps[0] is the initial state; steps[n] is the n-th step and the state after it.  `loop` is
    the number of the step whose state comes again at the end, or null.
    """
    steps: list[Json] = [
        {"action": "start", "actor": None, "rule": [], "clause": [], **state_json(run.states[0])}
    ]
    for state, step in zip(run.states, run.steps, strict=False):
        steps.append({**_step_json(state, step), **state_json(step.target)})
    return {"steps": steps, "loop": run.loop}


def trace_text(run: Run) -> str:
    """Return the run as the text of a JSON file."""
    return json.dumps(trace_json(run), indent=1, ensure_ascii=False) + "\n"


def _step_json(state: ProductState, step: Transition) -> Json:
    return {
        "action": action_text(step.action, state),
        "actor": ACTORS[step.action.actor],
        "rule": [rule.name for rule in step.rules],
        "clause": [rule.cite for rule in step.rules],
    }


def state_json(state: ProductState) -> Json:
    """Return both TCBs and both channels, and the losses so far where there were any."""
    counted = {"losses": state.losses} if state.losses else {}
    return {
        "a": tcb_json(state.a),
        "b": tcb_json(state.b),
        "a_to_b": [_segment_json(seg, state.b) for seg in state.a_to_b],
        "b_to_a": [_segment_json(seg, state.a) for seg in state.b_to_a],
        **counted,
    }


def tcb_json(tcb: TCB) -> Json:
    """Return a TCB's fields; states and messages by name."""
    return {name: getattr(value, "name", value) for name, value in tcb._asdict().items()}


def _segment_json(seg: Segment, receiver: TCB) -> Json:
    known = seg._asdict()
    shown = {name: known[name] for name in known if name in ALWAYS_SHOWN or known[name]}
    return {"label": label(seg, receiver), **shown}


ALWAYS_SHOWN = ("seq", "ack", "text", "fin", "rst")
"""The fields of a segment that JSON names always; the others where they are not 0."""

ARROWS = {
    Event.SEGMENT_ARRIVES: "->>",
    Event.SEGMENT_IS_LOST: "-x",
    Event.SEGMENT_IS_DUPLICATED: "--)",
}


def mermaid(run: Run) -> str:
    """Return the run as a Mermaid sequence diagram."""
    lines = ["sequenceDiagram", "    participant A", "    participant B"]
    lines.append(
        f"    Note over A,B: A {run.states[0].a.state.name}, B {run.states[0].b.state.name}"
    )
    for number, count in stretches(run):
        if run.loop == number:
            lines.append("    loop for ever")
        if run.steps[number].action.actor == TIME:
            lines.append(f"    Note over A,B: {ticks_text(count)}")
        else:
            steps = _mermaid_step(run.states[number], run.steps[number])
            lines.extend(f"    {line}" for line in steps)
    if run.loop is not None:
        if run.loop < len(run.steps):
            lines.append("    end")
        else:
            lines.append("    Note over A,B: nothing changes any more")
    return "\n".join(lines) + "\n"


def _mermaid_step(state: ProductState, step: Transition) -> list[str]:
    action = step.action
    end = ENDS[action.actor]
    lines = []
    if action.segment is None:
        lines.append(f"Note over {end}: {action.event.words}")
    else:
        sender = ENDS[1 - action.actor]
        words = label(action.segment, state.b if action.actor else state.a).replace("+", "and")
        lines.append(f"{sender}{ARROWS[action.event]}{end}: {words}")
    before, after = (state.b, step.target.b) if action.actor else (state.a, step.target.a)
    if before.state != after.state:
        lines.append(f"Note over {end}: {after.state.name}")
    return lines
