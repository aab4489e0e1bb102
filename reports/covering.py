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

GoalOf = Callable[[StateSpace, Move], Goal | None]
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
    engine = PlainEngine(space.model)
    cases: list[Case] = []
    for path in covering_paths(space, _of_end(end, _step_of_end if every_step else behaviour)):
        run = executed(space, path, engine=engine)
        covers = behaviours_of(run, end)
        cases.append(Case(f"{len(cases) + 1:03}_{_words(covers[-1])}", run, covers))
    found, elsewhere = (
        tuple(_first_steps(space, _of_end(one, behaviour))) for one in (end, 1 - end)
    )
    return Suite(space, end, found, elsewhere, tuple(cases))


def behaviour(space: StateSpace, move: Move) -> Behaviour:
    """Return what the end does that takes part in a move."""
    return Behaviour(space.tcbs[move.before].state, move.action.event, move.rules)


def _step_of_end(space: StateSpace, move: Move) -> tuple[int, Action]:
    """Return a step of an end as it sees it: its TCB, the event, the segment."""
    return move.before, move.action


def _of_end(end: int, goal_of: GoalOf[Goal]) -> GoalOf[Goal]:
    """Return the goals of the moves that an end takes part in."""

    def of_end(space: StateSpace, move: Move) -> Goal | None:
        takes_part = move.action.actor == end and move.action.event in OF_AN_END
        return goal_of(space, move) if takes_part else None

    return of_end


def covering_paths(space: StateSpace, goal_of: GoalOf[Goal]) -> list[Path]:
    """Return few short runs that together make every move which has a goal, for each goal one.

    goal_of: the goal of a move, or None where it has none.  See `covering_suite` for the choice.
    """
    parent = _parents(space)
    paths = [_path(space, parent, step) for step in _first_steps(space, goal_of).values()]
    goals = [frozenset(_along(space, path, goal_of)) for path in paths]
    return [paths[place] for place in _greedy(goals, [len(path) for path in paths])]


def _first_steps(space: StateSpace, goal_of: GoalOf[Goal]) -> dict[Goal, int]:
    """Return every goal with the number of the first step that reaches it."""
    found: dict[Goal, int] = {}
    known: set[int] = set()
    for step, number in enumerate(space.move):
        if number in known:
            continue
        known.add(number)
        goal = goal_of(space, space.moves[number])
        if goal is not None:
            found.setdefault(goal, step)
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


def _along(space: StateSpace, path: Path, goal_of: GoalOf[Goal]) -> Iterator[Goal]:
    for _, step in path:
        goal = goal_of(space, space.moves[space.move[step]])
        if goal is not None:
            yield goal


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
