"""A run of a suite as JSON: what happens at the end under test, and what it has to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby

from reports.covering import OF_AN_END, Behaviour, Case
from reports.frames import ISS, Frame, Numbers, frames
from reports.trace import trace_json
from tcpclose_model.engines.plain import ENDS, TIME
from tcpclose_model.protocol.vocabulary import TCB
from tcpclose_model.run import Run

SCHEMA = "tcpclose/suite-run/1"
Json = Mapping[str, object]


def case_json(case: Case, end: int) -> str:
    """Return the text of a case's file: what it covers, the events at the end, the whole run.

    The run is as `tcpclose run FILE --model MODEL` reads it back.
    """
    document = {
        "schema": SCHEMA,
        "name": case.name,
        "model": case.run.model.name,
        "end": ENDS[end],
        "covers": [behaviour_json(one) for one in case.covers],
        "events": events_json(case.run, end),
        **trace_json(case.run),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def behaviour_json(one: Behaviour) -> Json:
    """Return a behaviour: state, event, and the names of the rows."""
    names = [rule.name for rule in one.rules]
    return {"state": one.state.name, "event": one.event.words, "rules": names}


def events_json(run: Run, end: int) -> list[Json]:
    """Return what happens at one end in a run, in order; ticks are there where there is a clock.

    step: the number of the run's step, from 1.  state: after the event.
    arrives, sends: a segment, or null: its flags as packetdrill writes them (but for PSH), and its
    numbers in octets, those of either end counted from its SYN, which is 0.
    reads: octets that the user reads once it has happened.
    rules, clauses: the rows that are carried out.
    """
    seen = [frame for frame in frames(run) if frame.point == end and frame.step]
    by_step = {step: list(group) for step, group in groupby(seen, lambda frame: frame.step)}
    unit_octets = Numbers(run, 1 - end).unit_octets
    found: list[Json] = []
    for number, step in enumerate(run.steps, 1):
        action = step.action
        if action.actor != TIME and (action.actor != end or action.event not in OF_AN_END):
            continue
        before, after = _tcb(run, number - 1, end), _tcb(run, number, end)
        units = 0 if before.released else after.read - before.read
        found.append(
            {
                "step": number,
                "event": action.event.words,
                "arrives": _segment_json(by_step.get(number, []), 1 - end),
                "sends": _segment_json(by_step.get(number, []), end),
                "state": after.state.name,
                "reads": units * unit_octets,
                "rules": [rule.name for rule in step.rules],
                "clauses": [rule.cite for rule in step.rules],
            }
        )
    return found


def _tcb(run: Run, number: int, end: int) -> TCB:
    state = run.states[number]
    return state.b if end else state.a


def _segment_json(here: list[Frame], sender: int) -> Json | None:
    """Return the segment of a sender among the frames of a step, if there is one."""
    for frame in here:
        if frame.sender == sender:
            ack = None if frame.ack is None else (frame.ack - ISS[1 - sender]) % 2**32
            return {
                "flags": _flags(frame),
                "seq": (frame.seq - ISS[sender]) % 2**32,
                "length": len(frame.text),
                "ack": ack,
            }
    return None


def _flags(frame: Frame) -> str:
    bits = (("S", frame.syn), ("F", frame.fin), ("R", frame.rst), (".", frame.ack is not None))
    return "".join(letter for letter, is_set in bits if is_set)
