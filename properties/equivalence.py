"""Whether two explored models do the same: step by step, as seen from outside, or as they end.

In a state each action leads to one state only, so a graph is deterministic in what happens (the
action, what is sent, what becomes of the end that acts).  Two such graphs have the same runs if and
only if they are strongly bisimilar, and one walk through the pairs of states that the same run
leads to decides both.

Where that is not so, they may still be the same in what users and operators see of them: the pairs
of TCP states, what users are told, and whether a run can go on for ever in one of them.  That is
divergence-preserving branching bisimilarity, with every step hidden that changes none of these.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import networkx as nx

from tcpclose_model.protocol.vocabulary import TCB
from tcpclose_model.run import Run, executed
from tcpclose_model.space import Move, Path, StateSpace

Label = tuple[object, ...]
Seen = Callable[[TCB], tuple[object, ...]]
"""What is seen of an end."""

PAIRS_MAX = 20_000_000
"""Pairs of states after which a walk gives up; the worst case is every old with every new state."""

BRANCHING_STATES_MAX = 400_000
"""States of both graphs together that are compared by branching bisimilarity."""


def outside(tcb: TCB) -> tuple[object, ...]:
    """Return what can be seen of an end from outside: its state, and what its user was told."""
    return tcb.state, tcb.told


def all_common(old: StateSpace, new: StateSpace) -> Seen:
    """Return what sees every field that the TCBs of both models have."""
    names = [name for name in old.tcbs[0]._fields if name in new.tcbs[0]._fields]

    def seen(tcb: TCB) -> tuple[object, ...]:
        return tuple(getattr(tcb, name) for name in names)

    return seen


@dataclass(frozen=True, slots=True)
class Parted:
    """A shortest run that one model allows and the other does not; its last step is the one."""

    run: Run


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk through two graphs at once has found.

    only_old, only_new: a shortest run of the one that is none of the other, None if there is none;
    pairs: how many pairs of states the same run leads to; complete: whether both graphs are, and
    all these pairs were looked at.
    """

    only_old: Parted | None
    only_new: Parted | None
    pairs: int
    complete: bool

    @property
    def equal(self) -> bool:
        """Whether both have the same runs, as far as was looked."""
        return self.only_old is None and self.only_new is None


class _Pairs:
    """The pairs of states that the same run leads to, in the order in which they are found."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.known = {0}
        self.states: tuple[array[int], array[int]] = (array("q", [0]), array("q", [0]))
        self.steps: tuple[array[int], array[int]] = (array("q", [-1]), array("q", [-1]))
        self.came = array("q", [-1])

    def found(self, came: int, states: tuple[int, int], steps: tuple[int, int]) -> None:
        """Note a pair unless it is known; came: the number of the pair that a step leads from."""
        key = states[0] * self.width + states[1]
        if key not in self.known:
            self.known.add(key)
            self.came.append(came)
            for side in (0, 1):
                self.states[side].append(states[side])
                self.steps[side].append(steps[side])

    def path(self, number: int, side: int) -> Path:
        """Return the way of one side to a pair."""
        path: Path = []
        while (before := self.came[number]) >= 0:
            path.append((self.states[side][before], self.steps[side][number]))
            number = before
        return path[::-1]


def walk(old: StateSpace, new: StateSpace, seen: Seen) -> Walk:
    """Return how two graphs compare, the ends being seen so."""
    known: dict[Label, int] = {}
    labels = [_labels(space, seen, known) for space in (old, new)]
    pairs = _Pairs(len(new))
    parted: list[tuple[int, int] | None] = [None, None]
    number = 0
    while number < len(pairs.came) <= PAIRS_MAX:
        i, j = (states[number] for states in pairs.states)
        if i < old.expanded and j < new.expanded:
            ours = {labels[0][old.move[step]]: step for step in old.steps(i)}
            theirs = {labels[1][new.move[step]]: step for step in new.steps(j)}
            for label, step in ours.items():
                other = theirs.get(label)
                if other is not None:
                    target = (int(old.target[step]), int(new.target[other]))
                    pairs.found(number, target, (step, other))
                elif parted[0] is None:
                    parted[0] = number, step
            if parted[1] is None:
                those = (step for label, step in theirs.items() if label not in ours)
                found = next(those, None)
                parted[1] = None if found is None else (number, found)
        number += 1
    runs: list[Parted | None] = [None, None]
    for side, space in enumerate((old, new)):
        there = parted[side]
        if there is not None:
            at, step = there
            path = [*pairs.path(at, side), (pairs.states[side][at], step)]
            runs[side] = Parted(executed(space, path))
    whole = old.complete and new.complete and number == len(pairs.came)
    return Walk(runs[0], runs[1], len(pairs.came), whole)


def _labels(space: StateSpace, seen: Seen, known: dict[Label, int]) -> list[int]:
    """Return the number of what is seen of each move; equal labels have equal numbers."""
    return [known.setdefault(_label(space, seen, move), len(known)) for move in space.moves]


def _label(space: StateSpace, seen: Seen, move: Move) -> Label:
    after = [seen(space.tcbs[n]) if n >= 0 else () for n in (move.after, move.b_after)]
    return (*move.action, move.sent, move.overflow, *after)


def branching_equal(old: StateSpace, new: StateSpace) -> bool | None:
    """Return whether two graphs are divergence-preserving branching bisimilar; None if too large.

    Visible are the states of both ends and what their users were told.  Both must be complete.
    """
    if len(old) + len(new) > BRANCHING_STATES_MAX:
        return None
    known: dict[Label, int] = {}
    seen = [known.setdefault(label, len(known)) for label in (*_visible(old), *_visible(new))]
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(seen)))
    loops, edges = set(), set()
    for first, space in ((0, old), (len(old), new)):
        for source in range(space.expanded):
            for step in space.steps(source):
                edge = (first + source, first + int(space.target[step]))
                edges.add(edge)
                if seen[edge[0]] != seen[edge[1]]:
                    continue
                if edge[0] == edge[1]:
                    loops.add(edge[0])
                else:
                    graph.add_edge(*edge)
    whole = nx.condensation(graph)
    member: dict[int, int] = whole.graph["mapping"]
    members: dict[int, set[int]] = {node: whole.nodes[node]["members"] for node in whole}
    goes_on = {node for node, inside in members.items() if len(inside) > 1 or loops & inside}
    order = list(reversed(list(nx.topological_sort(whole))))
    targets: dict[int, set[int]] = {node: set() for node in order}
    for source, target in edges:
        if member[source] != member[target]:
            targets[member[source]].add(member[target])
    block = {node: seen[next(iter(inside))] for node, inside in members.items()}
    block = _refined(order, targets, goes_on, block)
    return block[member[0]] == block[member[len(old)]]


def _refined(
    order: Sequence[int], targets: dict[int, set[int]], goes_on: set[int], block: dict[int, int]
) -> dict[int, int]:
    """Return the coarsest partition that is stable, by signatures (Blom and van de Pol, 2009).

    order: targets of hidden steps come before their sources; goes_on: where a run may stay.
    """
    count = len(set(block.values()))
    while True:
        signatures: dict[int, frozenset[int]] = {}
        for node in order:
            found = {-1} if node in goes_on else set()
            for target in targets[node]:
                if block[target] != block[node]:
                    found.add(block[target])
                else:
                    found |= signatures[target]
            signatures[node] = frozenset(found)
        numbers: dict[tuple[int, frozenset[int]], int] = {}
        block = {
            node: numbers.setdefault((block[node], signatures[node]), len(numbers))
            for node in order
        }
        if len(numbers) == count:
            return block
        count = len(numbers)


def _visible(space: StateSpace) -> list[Label]:
    tcbs = [outside(tcb) for tcb in space.tcbs]
    return [(*tcbs[a], *tcbs[b]) for a, b in zip(space.a, space.b, strict=True)]
