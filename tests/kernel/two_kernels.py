"""Runs of two kernels held against the model of both, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from reports.covering import Behaviour
from tcpclose_model.engines.plain import PlainEngine
from tests.kernel.comparison import UNSEEABLE, model_of
from tests.kernel.departures import Row
from tests.kernel.following import Departure, Followed, Follower
from tests.kernel.pair import ROOM
from tests.kernel.plans import (
    NETWORK,
    PLANNED,
    SMALL_MSS,
    WHOLE_MSS,
    at_random,
    behaviours_of,
    pairs_of,
    planned,
)
from tests.kernel.relayed import Played, Wish, play
from tests.kernel.schedule import OVER

FOLLOWED_BY: Mapping[int, tuple[str, ...]] = {
    SMALL_MSS: (),
    WHOLE_MSS: ("protocol.merges_on_retransmission=off",),
}
"""What the model `linux` is changed by to follow runs: Linux puts no FIN on a full segment."""
ANYTHING = (
    *NETWORK,
    f"network.capacity={ROOM}",
    "timers.retransmission=spurious",
    "application.data_units=3,3",
    "application.half_close=true",
    "application.reading=lazy",
    "application.aborts=true,true",
)
"""Besides: the users may do anything that a run can have them do, and timers go off at any time."""

Runs = list[tuple[Played, Followed]]
"""Runs, and how far the model explains each."""


@dataclass(slots=True)
class Compared:
    """What came of playing runs through the relay.

    confirmed: the behaviours that either end has shown.  pairs: of states, both at once.
    relayed: how often the relay has done what.  overflown: how often there was no room in it.
    allowed: how often, by reason, they did what the profile does not have.
    besides: in how many runs.
    departures: each, with the name of the first run that shows it.
    ended: how often both ends were in CLOSED or TIME-WAIT at the end.
    """

    runs: int = 0
    looks: int = 0
    confirmed: tuple[set[Behaviour], set[Behaviour]] = field(default_factory=lambda: (set(), set()))
    pairs: set[tuple[str, str]] = field(default_factory=set)
    relayed: Counter[str] = field(default_factory=Counter)
    overflown: int = 0
    allowed: Counter[str] = field(default_factory=Counter)
    besides: int = 0
    departures: dict[Departure, str] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    ended: int = 0
    most: int = 0

    @property
    def rows(self) -> set[Row]:
        """Each state and row that either end has shown."""
        return _rows(*self.confirmed)

    def rows_of(self, end: int) -> set[Row]:
        """Return each state and row that one end has shown."""
        return _rows(self.confirmed[end])


def _rows(*behaviours: Iterable[Behaviour]) -> set[Row]:
    cells = {cell for some in behaviours for one in some for cell in one.cells()}
    return {(state.name, rule.name) for state, rule in cells} - UNSEEABLE


def rows_planned() -> set[Row]:
    """Return each state and row that the plans have either end do, but for what cannot be seen."""
    return _rows(*(some for name in PLANNED for some in behaviours_of(name)))


def pairs_planned() -> set[tuple[str, str]]:
    """Return the pairs of states that both ends are ever in in the graphs of the plans."""
    return {pair for name in PLANNED for pair in pairs_of(name)}


BY_PLAN, PART, WHOLE = (
    "by plan",
    "at random, a unit is part of a segment",
    "at random, a whole segment",
)
AS_THEY_ARE = " (defaults)"


def suites(random_count: int, *, slow: bool = False) -> dict[str, list[Wish]]:
    """Return all runs, by what they are called together; so many at random of each kind.

    slow: those that take a minute, too.
    """
    found = {
        BY_PLAN: [wish for name in PLANNED for wish in planned(name, slow=slow)],
        PART: list(at_random(SMALL_MSS, random_count)),
        WHOLE: list(at_random(WHOLE_MSS, random_count)),
    }
    # With SACK a segment has less room than a unit of text where that is all it has room for.
    for name in (BY_PLAN, PART):
        more = [
            replace(wish, name=wish.name + AS_THEY_ARE, as_they_are=True) for wish in found[name]
        ]
        found[name + AS_THEY_ARE] = more
    return found


@cache
def _engine(mss: int, off: str = "") -> PlainEngine:
    without = (f"protocol.{off}=off",) if off else ()
    return PlainEngine(model_of("linux", (*ANYTHING, *FOLLOWED_BY[mss], *without)))


def followed(run: Played, off: str = "") -> Followed:
    """Return how far the model explains a run; if not to its end, with what is known beside it.

    off: a switch of the profile that is turned off.
    """
    wish = run.wish
    for allows in (False, True):
        follower = Follower(
            _engine(wish.mss, off),
            wish.user_timeouts_ms,
            allows=allows,
            as_they_are=wish.as_they_are,
        )
        found = follower.follow(run.log, run.told)
        if not _is_lost(found):
            break
    return found


def played(wishes: Iterable[Wish]) -> Runs:
    """Return what came of runs."""
    return [(run, followed(run)) for run in play(list(wishes))]


def played_by_suite(wishes: Mapping[str, list[Wish]]) -> dict[str, Runs]:
    """Return what came of the runs of several suites; all are played side by side."""
    came = iter(played(wish for some in wishes.values() for wish in some))
    return {name: [next(came) for _ in some] for name, some in wishes.items()}


def is_needed(switch: str, runs: Runs) -> bool:
    """Return whether some run is explained by the profile only with a switch that it has on."""
    return any(not _is_lost(one) and _is_lost(followed(run, switch)) for run, one in runs)


def _is_lost(one: Followed) -> bool:
    return one.departure is not None or one.stopped != ""


def compared(runs: Runs) -> Compared:
    """Return what came of runs, summed up."""
    came = Compared()
    for run, one in runs:
        name = run.wish.name
        came.runs += 1
        came.looks += one.looks
        for end in (0, 1):
            came.confirmed[end].update(one.confirmed[end])
        came.pairs.update(one.pairs)
        came.relayed.update(one.relayed)
        came.overflown += run.overflown
        came.allowed.update(one.allowed)
        came.besides += bool(one.allowed)
        came.ended += bool(run.log) and set(run.log[-1].states) <= set(OVER)
        came.most = max(came.most, one.most)
        if one.departure is not None:
            came.departures.setdefault(one.departure, name)
        if one.stopped:
            came.stopped[name] = one.stopped
        if run.failure:
            came.failures[name] = run.failure
    return came
