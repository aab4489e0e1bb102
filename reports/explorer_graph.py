"""The explored graph as the report's page reads it: tables of what occurs, and integers.

A state is four numbers (both TCBs, both channels), a step two (where it leads, what it does); each
TCB, channel, segment, rule and text stands once.  `reports/explorer/graph.js` reads it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reports.labels import labels
from reports.ladder import needs_numbers
from reports.scene_svg import visible
from tcpclose_model.engines.channels import stripped
from tcpclose_model.engines.plain import Channel, PlainEngine, ProductState, Transition
from tcpclose_model.large import LargeSpace
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import CLOSED, KEPT_WHEN_CLOSED, TCB, Event, Segment, State
from tcpclose_model.run import Run
from tcpclose_model.space import StateSpace

STATES_MAX = 5_000
"""States of a graph that a report holds whole."""

Json = dict[str, object]
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Held:
    """What a report holds of a model's graph: some states, and the steps from the first of them.

    steps: of each state whose steps are known, each step and the number of the state it leads to,
        in canonical order.
    whole: whether that is everything that was explored.
    """

    model: Model
    states: Sequence[ProductState]
    steps: Sequence[Sequence[tuple[Transition, int]]]
    whole: bool


def held(space: StateSpace | LargeSpace, runs: Iterable[Run]) -> Held:
    """Return the whole graph, or of a larger one the runs and every step that leaves them."""
    if isinstance(space, StateSpace) and len(space) <= STATES_MAX:
        return _whole(space)
    return _along(space.model, runs)


def _whole(space: StateSpace) -> Held:
    states = [space.state(number) for number in range(len(space))]
    steps = []
    for number in range(space.expanded):
        found = []
        for step in space.steps(number):
            target = int(space.target[step])
            move = space.moves[space.move[step]]
            found.append((Transition(*move[:5], target=states[target]), target))
        steps.append(found)
    return Held(space.model, states, steps, whole=True)


def _along(model: Model, runs: Iterable[Run]) -> Held:
    engine = PlainEngine(model)
    number = {engine.initial: 0}
    for run in runs:
        for state in run.states:
            number.setdefault(state, len(number))
    steps = []
    for state in list(number):
        found = engine.successors(state)
        for step in found:
            number.setdefault(step.target, len(number))
        steps.append([(step, number[step.target]) for step in found])
    return Held(model, list(number), steps, whole=False)


def choices(graph: Held, run: Run) -> list[int]:
    """Return a run as the numbers of the steps to choose, from 0, one state after the other."""
    number, chosen = 0, []
    for step in run.steps:
        possible = graph.steps[number]
        choice = next(i for i, (known, _) in enumerate(possible) if known == step)
        chosen.append(choice)
        number = possible[choice][1]
    return chosen


def graph_json(graph: Held) -> Json:
    """Return the graph as JSON of integers and shared tables (see `reports/explorer/graph.js`)."""
    return _Writer(graph).json()


class _Table(Generic[K]):
    """Things in the order they were first asked for, each with a number."""

    def __init__(self) -> None:
        self.numbers: dict[K, int] = {}

    def __call__(self, thing: K) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))


class _Writer:
    """The tables of a graph, filled while its states and steps are written."""

    def __init__(self, graph: Held) -> None:
        self._graph = graph
        self._words = _Table[str]()
        self._kinds = _Table[tuple[str, ...]]()
        self._tcbs = _Table[tuple[type[TCB], TCB]]()
        self._segments = _Table[Segment]()
        self._channels = _Table[Channel]()
        self._rules = _Table[Rule]()
        self._moves = _Table[tuple[int, ...]]()
        self._labels: dict[tuple[int, int], int] = {}

    def json(self) -> Json:
        graph = self._graph
        states = [self._state(state) for state in graph.states]
        steps = list(self._steps())
        columns = zip(*states, strict=True)
        losses = [state.losses for state in graph.states]
        a, b, a_to_b, b_to_a = (list(column) for column in columns)
        return {
            "whole": graph.whole,
            "a": a,
            "b": b,
            "ab": a_to_b,
            "ba": b_to_a,
            "losses": losses if any(losses) else [],
            "steps": [len(found) for found in graph.steps],
            "target": [target - source for source, target, _ in steps],
            "move": [move for *_, move in steps],
            "numbered": _deltas(self._numbered()),
            "moves": [list(move) for move in self._moves.numbers],
            "rules": [[visible(rule.name), visible(rule.cite)] for rule in self._rules.numbers],
            "channels": [list(map(self._segments, found)) for found in self._channels.numbers],
            "labels": [n for (seg, tcb), word in self._labels.items() for n in (seg, tcb, word)],
            "segments": self._segments_json(),
            "tcbs": [self._tcb_json(tcb) for _, tcb in self._tcbs.numbers],
            "fields": [list(map(visible, names)) for names in self._kinds.numbers],
            "kept": [*KEPT_WHEN_CLOSED, *graph.model.a.kept, *graph.model.b.kept],
            "closed": CLOSED.name,
            "states": [state.name for state in State],
            "events": {event.name: [int(event), event.words] for event in Event},
            "words": [visible(word) for word in self._words.numbers],
        }

    def _state(self, state: ProductState) -> tuple[int, int, int, int]:
        a, b = self._tcb(state.a), self._tcb(state.b)
        for channel, receiver, number in ((state.a_to_b, state.b, b), (state.b_to_a, state.a, a)):
            for seg in channel:
                self._label(seg, receiver, number)
        return a, b, self._channels(state.a_to_b), self._channels(state.b_to_a)

    def _tcb(self, tcb: TCB) -> int:
        # Tuples of tables with different fields may be equal and yet mean different things.
        return self._tcbs((type(tcb), tcb))

    def _label(self, seg: Segment, receiver: TCB, number: int) -> None:
        key = self._segments(seg), number
        if key not in self._labels:
            self._labels[key] = self._words(labels(seg, receiver)[1])

    def _steps(self) -> Iterator[tuple[int, int, int]]:
        """Yield source, target and move of each step."""
        for source, found in enumerate(self._graph.steps):
            for step, target in found:
                yield source, target, self._move(self._graph.states[source], step)

    def _move(self, state: ProductState, step: Transition) -> int:
        """Return the number of what a step does: actor, event, segments or -1, overflow, rules."""
        segment, sent = step.action.segment, step.sent
        if sent is not None:
            receiver = state.a if step.action.actor else state.b
            self._label(sent, receiver, self._tcb(receiver))
        return self._moves(
            (
                step.action.actor,
                int(step.action.event),
                -1 if segment is None else self._segments(segment),
                -1 if sent is None else self._segments(sent),
                int(step.overflow),
                *map(self._rules, step.rules),
            )
        )

    def _numbered(self) -> Iterator[int]:
        """Yield the steps whose line in a ladder needs the segment's numbers."""
        step = 0
        for source, found in enumerate(self._graph.steps):
            possible = [transition for transition, _ in found]
            for transition in possible:
                if needs_numbers(self._graph.states[source], transition, possible):
                    yield step
                step += 1

    def _segments_json(self) -> list[list[int]]:
        """Return of each segment: what its full label adds, itself without an age, whether a RST.

        Whatever has an age is in the table without one, too.
        """
        for seg in list(self._segments.numbers):
            self._segments(stripped(seg))
        return [
            [self._words(_numbers_of(seg)), self._segments(stripped(seg)), seg.rst]
            for seg in self._segments.numbers
        ]

    def _tcb_json(self, tcb: TCB) -> list[int | str]:
        """Return the number of the TCB's list of fields, then their values; states by name."""
        return [self._kinds(tcb._fields), *(getattr(value, "name", int(value)) for value in tcb)]


def _numbers_of(seg: Segment) -> str:
    _, usual, full = labels(seg, TCB())
    return full.removeprefix(usual).strip()


def _deltas(numbers: Iterable[int]) -> list[int]:
    found, last = [], 0
    for number in numbers:
        found.append(number - last)
        last = number
    return found
