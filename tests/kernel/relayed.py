"""Runs of two kernels with a relay between them: played, and read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from reports.frames import UNIT_OCTETS
from tests.kernel.processes import refusal, said_by
from tests.kernel.schedule import Intent, Look


@dataclass(frozen=True, slots=True)
class Wish:
    """A run that is to be played: by a plan, or, where that is empty, at random by a seed.

    units: the most units of text that an end sends.
    reads_at_once: whether the users read text as soon as it has arrived.
    as_they_are: whether the kernels have their defaults, and not `pair.PLAIN`.
    The rest is as in `pair.Options`.
    """

    name: str
    plan: tuple[Intent, ...] = ()
    seed: int = 0
    units: int = 1
    mss: int = UNIT_OCTETS
    nodelay: bool = True
    user_timeouts_ms: tuple[int, int] = (0, 0)
    reads_at_once: bool = False
    as_they_are: bool = False

    def json(self) -> str:
        """Return the wish as the player reads it."""
        plan = [(one.end, one.event, one.segment) for one in self.plan]
        said = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**said, "plan": plan})


@dataclass(frozen=True, slots=True)
class Played:
    """A run that was played, and what was seen of it.

    told: what either socket tells its user at the end; None where nobody holds it any more.
    captured: the packets that the relay has taken in, in this order.
    overflown: the packets that were lost because there was no room for them in the relay.
    """

    wish: Wish
    log: tuple[Look, ...]
    told: tuple[str | None, str | None]
    captured: tuple[bytes, ...]
    overflown: int
    failure: str


def play(wishes: Sequence[Wish]) -> list[Played]:
    """Return what was seen of each run."""
    by_name = {wish.name: wish for wish in wishes}
    lines = said_by("relay_player", "\n".join(wish.json() for wish in wishes))
    found = [_read(line, by_name) for line in lines]
    if {one.wish.name for one in found} != set(by_name):
        raise RuntimeError(f"the player has seen {len(found)} of {len(wishes)} runs")
    return sorted(found, key=lambda one: list(by_name).index(one.wish.name))


def not_permitted() -> str:
    """Return why this machine lets no two kernels be played, or "" if it does."""
    return refusal("relay_player")


def _read(line: str, by_name: dict[str, Wish]) -> Played:
    said = json.loads(line)
    captured = tuple(bytes.fromhex(data) for data in said["captured"])
    told = said["told"]
    log = tuple(Look.of(one) for one in said["log"])
    return Played(
        by_name[said["name"]],
        log,
        (told[0], told[1]),
        captured,
        said["overflown"],
        said["failure"],
    )
