"""A suite of runs that covers everything one end can do: a short cover of the explored graph.

What is covered is a behaviour: in a state an event happens, and these rows are carried out.  So a
suite tells apart a FIN that arrives in FIN-WAIT-1 alone and one that acknowledges our FIN as well.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeVar

from tcpclose_model.engines.plain import Action, PlainEngine
from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import LOCAL_EVENTS, Event, State
from tcpclose_model.run import Run, executed
from tcpclose_model.space import Move, Path, StateSpace

Goal = TypeVar("Goal", bound=Hashable)

OF_AN_END = frozenset((*LOCAL_EVENTS, Event.SEGMENT_ARRIVES))
"""The events that an end itself takes part in."""


class Behaviour(NamedTuple):
    """What an end does about an event in a state: the rows that are carried out, perhaps none."""

    state: State
    event: Event
    rules: tuple[Rule, ...]

    def cells(self) -> Iterator[tuple[State, Rule]]:
        """Return each row that is carried out, with the state that the end is in by then."""
        state = self.state
        for rule in self.rules:
            yield state, rule
            state = state if rule.to is None else rule.to


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a suite, and what it covers of one end, in the order in which it happens."""

    name: str
    run: Run
    covers: tuple[Behaviour, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """Runs that cover every reachable behaviour of one end (0 for A, 1 for B) of a model.

    behaviours: those of the end, all that there are, in breadth-first order.
    elsewhere: those of the other end.
    """

    space: StateSpace
    end: int
    behaviours: tuple[Behaviour, ...]
    elsewhere: tuple[Behaviour, ...]
    cases: tuple[Case, ...]


def behaviours_of(run: Run, end: int) -> tuple[Behaviour, ...]:
    """Return what an end does in a run, each behaviour once, in the order in which it happens."""
    found: dict[Behaviour, None] = {}
    for state, step in zip(run.states, run.steps, strict=False):
        if step.action.actor == end and step.action.event in OF_AN_END:
            before = state.b if end else state.a
            found[Behaviour(before.state, step.action.event, step.rules)] = None
    return tuple(found)


def covering_suite(space: StateSpace, end: int, *, every_step: bool = False) -> Suite:
    """Return a suite for an end: of the shortest runs to each behaviour as few as cover all.

    every_step: cover every event, with every segment, in every TCB, not only every behaviour.
    They are chosen greedily: next is always the run that covers most that is not yet covered, of
    several the shortest, of these the one found first.  Raises ModelError for an end with a
    middlebox beside it, which is not alone.
    """
    box = space.model.middlebox.at
    if box == "ab"[end]:
        other = "ba"[end]
        raise ModelError(
            f"suite: a middlebox stands beside {box.upper()}, and a suite tests an end alone; the "
            f"other end has none: --end {other}"
        )
    goal_of = _step_of_end if every_step else _behaviour_of_move
    first = _first_steps(space, end, goal_of)
    parent = _parents(space)
    paths = [_path(space, parent, step) for step in first.values()]
    goals = [frozenset(_along(space, path, end, goal_of)) for path in paths]
    engine = PlainEngine(space.model)
    cases: list[Case] = []
    for place in _greedy(goals, [len(path) for path in paths]):
        run = executed(space, paths[place], engine=engine)
        covers = behaviours_of(run, end)
        cases.append(Case(f"{len(cases) + 1:03}_{_words(covers[-1])}", run, covers))
    found, elsewhere = (
        tuple(_first_steps(space, one, _behaviour_of_move)) for one in (end, 1 - end)
    )
    return Suite(space, end, found, elsewhere, tuple(cases))


def _behaviour_of_move(space: StateSpace, move: Move) -> Behaviour:
    return Behaviour(space.tcbs[move.before].state, move.action.event, move.rules)


def _step_of_end(space: StateSpace, move: Move) -> tuple[int, Action]:
    """Return a step of an end as it sees it: its TCB, the event, the segment."""
    return move.before, move.action


def _first_steps(
    space: StateSpace, end: int, goal_of: Callable[[StateSpace, Move], Goal]
) -> dict[Goal, int]:
    """Return every goal of an end with the number of the first step that reaches it."""
    found: dict[Goal, int] = {}
    known: set[int] = set()
    for step, number in enumerate(space.move):
        if number in known:
            continue
        known.add(number)
        move = space.moves[number]
        if move.action.actor == end and move.action.event in OF_AN_END:
            found.setdefault(goal_of(space, move), step)
    return found


def _parents(space: StateSpace) -> dict[int, int]:
    """Return the number of the first step that leads to each state."""
    found: dict[int, int] = {0: -1}
    for step, target in enumerate(space.target):
        found.setdefault(int(target), step)
    return found


def _path(space: StateSpace, parent: dict[int, int], step: int) -> Path:
    """Return a shortest run that ends with a step."""
    path: Path = []
    while step >= 0:
        source = space.source(step)
        path.append((source, step))
        step = parent[source]
    return path[::-1]


def _along(
    space: StateSpace, path: Path, end: int, goal_of: Callable[[StateSpace, Move], Goal]
) -> Iterator[Goal]:
    for _, step in path:
        move = space.moves[space.move[step]]
        if move.action.actor == end and move.action.event in OF_AN_END:
            yield goal_of(space, move)


def _greedy(goals: Sequence[frozenset[Goal]], lengths: Sequence[int]) -> list[int]:
    """Return the places of the runs that are chosen, in the order of their places.

    What a run adds only ever becomes less, so one that adds least looks no better later.
    """
    left = set[Goal]().union(*goals)
    queue = [(-len(goals[n]), lengths[n], n) for n in range(len(goals))]
    heapify(queue)
    chosen = []
    while left:
        adds, length, place = heappop(queue)
        really = -len(goals[place] & left)
        if really == adds:
            chosen.append(place)
            left -= goals[place]
        elif really:
            heappush(queue, (really, length, place))
    return sorted(chosen)


def _words(behaviour: Behaviour) -> str:
    """Return a name for the run to a behaviour, fit for a file."""
    what = behaviour.rules[-1].name if behaviour.rules else "nothing_happens"
    return f"{behaviour.state.name.lower()}_{what}"
