"""The runs that two kernels are played through: some that cover the model of both, and at random.

A plan is a run of the model through the explored graph.  Together the plans take either end through
everything it ever does, and whatever is sent through a loss, a duplication, an arrival.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import cache

from reports.covering import OF_AN_END, Behaviour, behaviour, covering_paths
from tcpclose_model.protocol.vocabulary import Event, Segment, State
from tcpclose_model.search import explore
from tcpclose_model.space import Move, Path, StateSpace
from tests.kernel.comparison import model_of
from tests.kernel.relayed import Wish
from tests.kernel.schedule import Intent

NETWORK = ("network.order=any", "network.duplication=true")
AT_ONCE = "protocol.send_at_once=on"
"""No text waits to be sent: nothing holds it back at first."""
PLANNED: Mapping[str, tuple[str, ...]] = {
    "one way": (*NETWORK, AT_ONCE, "application.data_units=1,0"),
    "both ways": (
        *NETWORK,
        AT_ONCE,
        "network.capacity=1",
        "application.data_units=1,1",
        "application.half_close=true",
        "application.reading=lazy",
    ),
    "aborts": (
        *NETWORK,
        AT_ONCE,
        "network.capacity=1",
        "application.data_units=1,1",
        "application.half_close=true",
        "application.aborts=true,true",
    ),
}
"""What the model `linux` is changed by, for each set of plans."""
SMALL_MSS, WHOLE_MSS = 150, 100
"""With the former, a unit is less than a segment can hold, so that a FIN may be put on it later."""
USER_TIMEOUT_MS = 300
RANDOM_UNITS = {SMALL_MSS: 1, WHOLE_MSS: 3}
"""Where a unit is less than a segment, two of them could be sent in one; so there is only one."""


@cache
def space_of(name: str) -> StateSpace:
    """Return the explored graph that the plans of a set are taken from."""
    return explore(model_of("linux", PLANNED[name]))


def goal(space: StateSpace, move: Move) -> Hashable:
    """Return what a plan is to show in a move: what an end does, or what befalls a segment."""
    actor, event, seg = move.action
    if event in OF_AN_END:
        return actor, behaviour(space, move)
    return (actor, event, _kind(seg)) if seg is not None else None


def _kind(seg: Segment) -> tuple[int, int, int]:
    return seg.text, seg.fin, seg.rst


def planned(name: str, *, slow: bool = False) -> Iterator[Wish]:
    """Return the runs by plan of one set; those that take a minute only if asked."""
    space = space_of(name)
    for number, path in enumerate(covering_paths(space, goal), start=1):
        plan = tuple(_intents(space, path))
        if slow or all(one.event is not Event.TIME_WAIT_TIMEOUT for one in plan):
            gives_up = {one.end for one in plan if one.event is Event.USER_TIMEOUT}
            a_ms, b_ms = (USER_TIMEOUT_MS * (end in gives_up) for end in (0, 1))
            eager = space.model.application.reading == "eager"
            yield Wish(
                f"{name} {number}",
                plan,
                mss=SMALL_MSS,
                user_timeouts_ms=(a_ms, b_ms),
                reads_at_once=eager,
            )


def _intents(space: StateSpace, path: Path) -> Iterator[Intent]:
    for _, step in path:
        actor, event, seg = space.moves[space.move[step]].action
        yield Intent(actor, event, seg)


def at_random(mss: int, count: int) -> Iterator[Wish]:
    """Return runs at random, the same ones each time."""
    for seed in range(count):
        units = RANDOM_UNITS[mss]
        yield Wish(f"random {mss} {seed}", seed=seed, units=units, mss=mss, nodelay=seed % 2 == 0)


def behaviours_of(name: str) -> list[set[Behaviour]]:
    """Return all that either end ever does in the graph of a set."""
    space = space_of(name)
    found: list[set[Behaviour]] = [set(), set()]
    for move in space.moves:
        if move.action.event in OF_AN_END:
            found[move.action.actor].add(behaviour(space, move))
    return found


def pairs_of(name: str) -> set[tuple[str, str]]:
    """Return the pairs of states that both ends are ever in in the graph of a set."""
    space = space_of(name)
    states: list[State] = [tcb.state for tcb in space.tcbs]
    return {(states[a].name, states[b].name) for a, b in set(zip(space.a, space.b, strict=True))}
