"""The explored graph: states in breadth-first order, their steps, and shortest runs in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tcpclose_model.engines.plain import Action, Channel, ProductState, Transition
from tcpclose_model.errors import DefectError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment

if TYPE_CHECKING:
    import networkx as nx


class Move(NamedTuple):
    """What a step does, apart from the end that it does not touch and the rest of the channels.

    before, after: numbers of the actor's TCB in `StateSpace.tcbs`; -1 where the network acts and
        neither end changes.  Of a tick, of A's TCB.
    b_before, b_after: of a tick, numbers of B's TCB; else -1.
    """

    action: Action
    rules: tuple[Rule, ...]
    sent: Segment | None
    overflow: bool
    head: bool
    before: int
    after: int
    b_before: int = -1
    b_after: int = -1

    @classmethod
    def of(cls, step: Transition, before: int, after: int) -> Move:
        """Return the move of a step whose actor's TCB goes from number `before` to `after`."""
        return cls(step.action, step.rules, step.sent, step.overflow, step.head, before, after)

    @property
    def delivers(self) -> bool:
        """Whether a segment arrives."""
        return self.action.event is Event.SEGMENT_ARRIVES


Path = list[tuple[int, int]]
"""A run through the graph: (number of the state, number of the step taken from it)."""


@dataclass(frozen=True, slots=True)
class StateSpace:
    """Every state that was reached, and every step from each that was expanded.

    States are numbered in breadth-first order; 0 is the initial state.  Steps are numbered in
    the order of the states they start from: those of state n are `first_step[n]` up to
    `first_step[n + 1]`; states from number `expanded` on have none, exploration stopped there.

    a, b, a_to_b, b_to_a: of each state, numbers into `tcbs`, `tcbs`, `channels`, `channels`.
    target, move: of each step, the number of its next state, and a number into `moves`.
    levels: the number of the first state at each depth.
    losses: of each state, the segments lost so far; empty where they are not counted.
    cut: numbers of the states where a bound withheld a step.
    stopped: why exploration ended early, or "" where every reachable state has been expanded.
    """

    model: Model
    tcbs: list[TCB]
    channels: list[Channel]
    moves: list[Move]
    a: list[int]
    b: list[int]
    a_to_b: list[int]
    b_to_a: list[int]
    first_step: list[int]
    target: list[int]
    move: list[int]
    levels: list[int]
    cut: frozenset[int]
    stopped: str
    losses: list[int] = field(default_factory=list)
    cache: dict[object, object] = field(default_factory=dict, repr=False, compare=False)
    """Results that several properties share (`properties` keeps them here)."""

    is_fast: ClassVar[bool] = False
    """Whether the lists are numpy arrays, as the fast engine makes them."""

    def __len__(self) -> int:
        return len(self.a)

    @property
    def expanded(self) -> int:
        """The number of states whose steps are known."""
        return len(self.first_step) - 1

    @property
    def complete(self) -> bool:
        """Whether every reachable state has been expanded."""
        return not self.stopped

    @property
    def depth(self) -> int:
        """The number of steps to the farthest state."""
        return len(self.levels) - 1

    @property
    def transitions(self) -> int:
        """The number of steps, those that change nothing included."""
        return len(self.target)

    def state(self, number: int) -> ProductState:
        """Return a state."""
        return ProductState(
            self.tcbs[self.a[number]],
            self.tcbs[self.b[number]],
            self.channels[self.a_to_b[number]],
            self.channels[self.b_to_a[number]],
            self.losses[number] if self.losses else 0,
        )

    def networkx(self) -> nx.MultiDiGraph[int]:
        """Return the graph as a networkx MultiDiGraph with readable labels (see `graphs`)."""
        from tcpclose_model.graphs import networkx_graph

        return networkx_graph(self)

    def _repr_svg_(self) -> str:
        from tcpclose_model.display import joint_svg

        return joint_svg(self)

    def steps(self, number: int) -> range:
        """Return the numbers of a state's steps."""
        if number >= self.expanded:
            return range(0)
        return range(self.first_step[number], self.first_step[number + 1])

    def source(self, step: int) -> int:
        """Return the number of the state that a step starts from."""
        return bisect_right(self.first_step, step) - 1

    def level_of(self, number: int) -> int:
        """Return the depth of a state."""
        return bisect_right(self.levels, number) - 1

    def path_to(self, number: int) -> Path:
        """Return a shortest run to a state.

        Of several, the one that takes the canonically least predecessor at each depth, going
        backwards; it does not depend on the order in which states were found.
        """
        path: Path = []
        for depth in range(self.level_of(number), 0, -1):
            first, last = self.levels[depth - 1], self.levels[depth]
            steps = self.steps_between(first, min(last, self.expanded), number)
            found = [(self.source(s), s) for s in steps]
            if not found:
                raise DefectError(f"no step leads from depth {depth - 1} to state {number}")
            source, step = min(found, key=lambda one: (self.state(one[0]), one[1]))
            path.append((source, step))
            number = source
        return path[::-1]

    def steps_between(self, first: int, last: int, target: int) -> list[int]:
        """Return the steps to `target` from the states numbered first to last - 1."""
        steps = range(self.first_step[first], self.first_step[last])
        return [step for step in steps if self.target[step] == target]

    def first(self, wanted: Iterable[int]) -> int | None:
        """Return the canonically least of the shallowest states among `wanted`."""
        numbers = sorted(wanted)
        if not numbers:
            return None
        depth = self.level_of(numbers[0])
        last = self.levels[depth + 1] if depth < self.depth else len(self)
        return min((n for n in numbers if n < last), key=self.state)

    def path_within(
        self,
        sources: Iterable[int],
        is_goal: Callable[[int], bool],
        allowed: Callable[[int], bool],
    ) -> tuple[Path, int] | None:
        """Return a shortest path of allowed steps from a source to a goal, and the goal, or None.

        `allowed` takes a step's number.  A source that is a goal itself gives the empty path.
        Sources are tried in their order.
        """
        parent: dict[int, tuple[int, int] | None] = dict.fromkeys(sources)
        queue = list(parent)
        for number in queue:
            if is_goal(number):
                return _unwound(parent, number), number
            for step in self.steps(number):
                target = int(self.target[step])
                if target not in parent and allowed(step):
                    parent[target] = (number, step)
                    queue.append(target)
        return None


def _unwound(parent: dict[int, tuple[int, int] | None], number: int) -> Path:
    path: Path = []
    while (step := parent[number]) is not None:
        path.append(step)
        number = step[0]
    return path[::-1]
