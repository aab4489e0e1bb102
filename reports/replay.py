"""Reading runs back: a ladder or a JSON trace, checked step by step against a model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from reports.labels import action_text, labels
from reports.ticks import ticks_in
from reports.trace import state_json
from tcpclose_model.engines.plain import ACTORS, ENDS, TIME, PlainEngine, ProductState, Transition
from tcpclose_model.errors import TraceError, nearest
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import LOCAL_EVENTS, Event, State
from tcpclose_model.run import Run

STATE = "|".join(state.name for state in State)
STATES_LINE = re.compile(rf"^({STATE})\s+({STATE})$")
ARROW_LINE = re.compile(
    rf"^({STATE})\s+(?:--+\s+(.+?)\s+-+([>x+])|([<x+])-+\s+(.+?)\s+--+)\s+({STATE})$"
)
LOCAL_LINE = re.compile(r"^([AB])\s+(.+)$")
HEADS = {
    ">": Event.SEGMENT_ARRIVES,
    "<": Event.SEGMENT_ARRIVES,
    "x": Event.SEGMENT_IS_LOST,
    "+": Event.SEGMENT_IS_DUPLICATED,
}
EVENTS = {event.words: event for event in (*LOCAL_EVENTS, Event.MIDDLEBOX_TIMEOUT)}
LONGEST = 1_000_000
"""Characters in a trace; a longer one is refused before it is read."""


class Replay:
    """A run that grows by the one step that fits each line."""

    def __init__(self, model: Model, where: str) -> None:
        self.engine = PlainEngine(model)
        self.where = where
        self.states = [self.engine.initial]
        self.steps: list[Transition] = []
        self.loop: int | None = None

    @property
    def state(self) -> ProductState:
        """The state that the run has come to."""
        return self.states[-1]

    def take(self, at: str, said: str, fits: Callable[[Transition], bool]) -> None:
        """Take the step that fits, or say why there is not exactly one."""
        possible = self.engine.successors(self.state)
        chosen = [step for step in possible if fits(step)]
        if len(chosen) != 1:
            refusal = self._refusal(at, said, possible, chosen)
            raise TraceError(refusal, impossible=not chosen)
        self.steps.append(chosen[0])
        self.states.append(chosen[0].target)

    def _refusal(
        self, at: str, said: str, possible: list[Transition], chosen: list[Transition]
    ) -> str:
        stands = f"A is in {self.state.a.state.name}, B in {self.state.b.state.name}"
        if chosen:
            listed = "; ".join(self.told(step, full=True) for step in chosen)
            return (
                f"{at}: {said!r} fits {len(chosen)} steps ({listed}): say which, with seq= and ack="
            )
        listed = "; ".join(dict.fromkeys(self.told(step) for step in possible)) or "nothing"
        return f"{at}: {said!r} is not possible here ({stands}); possible: {listed}"

    def told(self, step: Transition, *, full: bool = False) -> str:
        """Return a step in words, with the states that it leads to."""
        after = f" -> {step.target.a.state.name}, {step.target.b.state.name}"
        words = action_text(step.action, self.state)
        if full and step.action.segment is not None:
            receiver = self.state.b if step.action.actor else self.state.a
            words = f"{words} [{labels(step.action.segment, receiver)[2]}]"
        return words + after

    def run(self) -> Run:
        """Return the run; the loop, if any, must close."""
        if self.loop is not None and self.states[self.loop] != self.state:
            raise TraceError(
                f"{self.where}: the loop does not close: it begins with another state than the run "
                "ends with",
                impossible=True,
            )
        return Run(self.engine.model, tuple(self.states), tuple(self.steps), self.loop)


def parse_ladder(text: str, model: Model, *, where: str = "ladder") -> Run:
    """Return the run that a ladder describes, each line matched by exactly one step of the model.

    Raises TraceError, with the line and what was possible there, if a line fits no step or several.
    """
    replay = Replay(model, where)
    lines = text.splitlines()
    content = [(n, line.split("#", 1)[0].strip()) for n, line in enumerate(lines, 1)]
    content = [(n, line) for n, line in content if line]
    if not content:
        raise TraceError(f"{where}: empty; a ladder has a line for each step, such as 'A CLOSE'")
    for number, line in content:
        _take_line(replay, f"{where}:{number}", line)
    return replay.run()


def _take_line(replay: Replay, at: str, line: str) -> None:
    if line == "LOOP":
        if replay.loop is not None:
            raise TraceError(f"{at}: a second LOOP; a run repeats from one place")
        replay.loop = len(replay.steps)
    elif found := STATES_LINE.match(line):
        stands = (replay.state.a.state.name, replay.state.b.state.name)
        if found.groups() != stands:
            is_now = f"{at}: says {' and '.join(found.groups())}, but it is {' and '.join(stands)}"
            raise TraceError(is_now, impossible=True)
    elif found := ARROW_LINE.match(line):
        _take_arrow(replay, at, line, found)
    elif count := ticks_in(line):
        for _ in range(count):
            replay.take(at, line, lambda step: step.action[:2] == (TIME, Event.TICK))
    elif (found := LOCAL_LINE.match(line)) and found[2] in EVENTS:
        actor, event = ENDS.index(found[1]), EVENTS[found[2]]
        replay.take(at, line, lambda step: step.action[:2] == (actor, event))
    elif found:
        raise TraceError(f"{at}: no event {found[2]!r}{nearest(found[2], EVENTS)}")
    else:
        raise TraceError(
            f"{at}: {line!r} is neither 'A EVENT', nor 'STATE -- SEGMENT --> STATE' (or <--, --x, "
            "--+), nor 'STATE STATE', nor '3 TICKS', nor 'LOOP'"
        )


def _take_arrow(replay: Replay, at: str, line: str, found: re.Match[str]) -> None:
    left, to_b, head_b, head_a, to_a, right = found.groups()
    actor, words = (1, to_b) if head_b else (0, to_a)
    event = HEADS[head_b or head_a]
    words = re.sub(r"\s+", " ", words)

    def fits(step: Transition) -> bool:
        if step.action[:2] != (actor, event) or step.action.segment is None:
            return False
        receiver = replay.state.b if actor else replay.state.a
        ends = (step.target.a.state.name, step.target.b.state.name)
        return ends == (left, right) and words in labels(step.action.segment, receiver)

    replay.take(at, line, fits)


def read_json(text: str, where: str) -> Any:  # Any: whatever stands there
    """Return what a JSON file holds; raises TraceError if it is too long, or none."""
    if len(text) > LONGEST:
        raise TraceError(f"{where}: longer than {LONGEST} characters; this is not a trace of ours")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{where}: not JSON: {error}") from None


def parse_json(text: str, model: Model, *, where: str = "trace") -> Run:
    """Return the run of a JSON trace; raises TraceError for anything that is not one.

    The file is data from elsewhere: nothing in it is trusted, every step must be one of the
    model's, and the states it gives must be those that the model reaches.
    """
    read = read_json(text, where)
    steps = read.get("steps") if isinstance(read, dict) else None
    if not isinstance(steps, list) or not steps or not all(isinstance(s, dict) for s in steps):
        raise TraceError(
            f"{where}: field 'steps': expected a list of objects, the initial state first"
        )
    replay = Replay(model, where)
    loop = read.get("loop")
    if loop is not None and (isinstance(loop, bool) or not isinstance(loop, int)):
        raise TraceError(f"{where}: field 'loop': expected the number of a step or null")
    for number, said in enumerate(cast("list[Mapping[str, object]]", steps)):
        at = f"{where}: steps[{number}]"
        if number:
            _take_json(replay, at, said)
        expected = state_json(replay.state)
        for field, value in expected.items():
            if said.get(field) != value:
                differs = f"{at}.{field}: is {said.get(field)!r}, but the model has {value!r}"
                raise TraceError(differs, impossible=True)
    if loop is not None:
        if not 0 <= loop < len(steps):
            raise TraceError(f"{where}: field 'loop': no step {loop}")
        replay.loop = loop
    return replay.run()


def _take_json(replay: Replay, at: str, said: Mapping[str, object]) -> None:
    action, actor = said.get("action"), said.get("actor")

    def fits(step: Transition) -> bool:
        words = action_text(step.action, replay.state)
        if words != action or ACTORS[step.action.actor] != actor:
            return False
        return all(said.get(name) == value for name, value in state_json(step.target).items())

    replay.take(at, str(action), fits)
