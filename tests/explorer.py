"""Reads what a report holds, as its page does, and drives a browser that shows one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any

from reports.labels import action_text, labels
from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import CLOSED, KEPT_WHEN_CLOSED, TCB
from tcpclose_model.run import Run

Json = dict[str, Any]  # Any: what JSON holds
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
BLOCK = re.compile(r'<script type="application/json" id="([^"]*)">(.*?)</script>', re.DOTALL)


def blocks(html: str) -> dict[str, Json]:
    """Return the data of a report by the id of its element."""
    return {name: json.loads(text) for name, text in BLOCK.findall(html)}


class Read:
    """A graph of a report, as states and steps in words."""

    def __init__(self, data: Json) -> None:
        self.data = data
        self.first = [0, *accumulate(data["steps"])]
        triples = zip(*(iter(data["labels"]),) * 3, strict=True)
        self.labels = {(seg, tcb): data["words"][word] for seg, tcb, word in triples}
        self.events = {number: name for name, (number, _) in data["events"].items()}

    def state(self, number: int) -> Json:
        """Return both TCBs, and the full labels of what is in flight."""
        a, b = self.data["a"][number], self.data["b"][number]
        channels = self.data["channels"]
        return {
            "a": self.tcb(a),
            "b": self.tcb(b),
            "a_to_b": [self.label(seg, b) for seg in channels[self.data["ab"][number]]],
            "b_to_a": [self.label(seg, a) for seg in channels[self.data["ba"][number]]],
            "losses": self.data["losses"][number] if self.data["losses"] else 0,
        }

    def tcb(self, number: int) -> Json:
        """Return the fields of a TCB by name."""
        kind, *values = self.data["tcbs"][number]
        return dict(zip(self.data["fields"][kind], values, strict=True))

    def label(self, segment: int, receiver: int) -> str:
        """Return a segment's full label."""
        numbers = self.data["words"][self.data["segments"][segment][0]]
        return f"{self.labels[segment, receiver]} {numbers}"

    def steps(self) -> Iterator[tuple[int, int, list[int]]]:
        """Yield source, target and move of every step."""
        for source, (first, last) in enumerate(pairwise(self.first)):
            for step in range(first, last):
                target = source + self.data["target"][step]
                yield source, target, self.data["moves"][self.data["move"][step]]

    def move(self, source: int, move: list[int]) -> Json:
        """Return what a step does, in words."""
        actor, event, segment, sent, overflow, *rules = move
        ends = self.data["a"][source], self.data["b"][source]
        return {
            "actor": actor,
            "event": self.events[event],
            "segment": None if segment < 0 else self.label(segment, ends[actor]),
            "sent": None if sent < 0 else self.label(sent, ends[1 - actor]),
            "overflow": overflow,
            "rules": [tuple(self.data["rules"][rule]) for rule in rules],
        }


def state_words(state: ProductState) -> Json:
    """Return a state as `Read.state` does."""
    return {
        "a": _fields(state.a),
        "b": _fields(state.b),
        "a_to_b": [labels(seg, state.b)[2] for seg in state.a_to_b],
        "b_to_a": [labels(seg, state.a)[2] for seg in state.b_to_a],
        "losses": state.losses,
    }


def _fields(tcb: TCB) -> Json:
    return {name: getattr(value, "name", value) for name, value in tcb._asdict().items()}


def move_words(state: ProductState, step: Transition) -> Json:
    """Return what a step does as `Read.move` does."""
    action, receivers = step.action, (state.a, state.b)
    segment, sent = action.segment, step.sent
    return {
        "actor": action.actor,
        "event": action.event.name,
        "segment": None if segment is None else labels(segment, receivers[action.actor])[2],
        "sent": None if sent is None else labels(sent, receivers[1 - action.actor])[2],
        "overflow": step.overflow,
        "rules": [(rule.name, rule.cite) for rule in step.rules],
    }


def shown_fields(model: Model, tcb: TCB) -> dict[str, str]:
    """Return the fields of a TCB that the inspector shows; of one that is deleted, what is left."""
    kept = {"state", *KEPT_WHEN_CLOSED, *model.a.kept, *model.b.kept}
    return {
        name: str(value)
        for name, value in _fields(tcb).items()
        if tcb.state != CLOSED or name in kept
    }


def told(run: Run, position: int) -> str:
    """Return what the page says aloud of a position in a run."""
    state = run.states[position]
    both = f"A {state.a.state.name}, B {state.b.state.name}"
    if position == 0:
        return f"Start: {both}"
    action = action_text(run.steps[position - 1].action, run.states[position - 1])
    return f"Step {position} of {len(run)}: {action}. {both}"


def walked(model: Model, choices: list[int]) -> Run:
    """Return the run of the plain engine that makes these choices."""
    engine = PlainEngine(model)
    states, steps = [engine.initial], list[Transition]()
    for choice in choices:
        steps.append(engine.successors(states[-1])[choice])
        states.append(steps[-1].target)
    return Run(model, tuple(states), tuple(steps))
