"""What the relay has taken in, judged as `tcpclose conform` does.

No close may deviate, and what either kernel says of its state must be among the states that its end
may be in by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from reports.captures import Capture
from reports.conforming import Asked, Judge
from reports.connections import Connection, Follower
from reports.judged import CONFORMS, UNFINISHED, names
from reports.packets import Packet, packet_of
from reports.watching import Watch
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.protocol.vocabulary import CLOSED, FIN_WAIT_2
from tests.kernel.relayed import Played
from tests.wire import pcap

AN_OLD_ACK = (
    "a reset answers an ACK that was captured before the close began, and not all of what is still "
    "under way then is kept"
)


class Wrong(NamedTuple):
    """A verdict, or a state, that is not as it must be: in which run, and why."""

    name: str
    why: str


@dataclass(slots=True)
class Verdicts:
    """What came of it.

    counts: how often which verdict.  known: how often, by reason, it is a wrong one.
    states: how many states were compared.
    """

    counts: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    states: int = 0
    wrong: list[Wrong] = field(default_factory=list)


def verdicts(runs: Sequence[Played], file: Path) -> Verdicts:
    """Return what `conform` says of the captures of runs, which are written to a file."""
    found = Verdicts()
    file.write_bytes(pcap(packet for run in runs for packet in run.captured))
    judge = Judge(Asked(None, True, "text", False))
    connections = {one.first: one for one in _connections(file, judge)}
    first = 1
    for run in runs:
        judged = judge.judged(connections[first])
        watch = judged.connection.watch
        why = "" if watch is None else _why_not(watch)
        if judged.verdict in (CONFORMS, UNFINISHED):
            found.counts[judged.verdict] += 1
            if watch is not None:
                _compare(found, run, watch, first)
        elif why:
            found.known[why] += 1
        else:
            found.wrong.append(Wrong(run.wish.name, f"{judged.verdict}: {judged.ended}"))
        first += len(run.captured)
    return found


def _why_not(watch: Watch) -> str:
    """Return why a close is known to look as if it deviated, or ""."""
    return AN_OLD_ACK if watch.deviation is not None and watch.deviation.given.bare else ""


def _connections(path: Path, judge: Judge) -> Iterator[Connection]:
    """Return the connections of a capture."""
    follower = Follower(judge.begin)
    for frame in Capture(path):
        packet = packet_of(frame.link, frame.data)
        if isinstance(packet, Packet):
            yield from follower.take(frame.number, packet)
    yield from follower.rest()


def _compare(found: Verdicts, run: Played, watched: Watch, first: int) -> None:
    """Compare the states of a run with those that its capture allows, look by look."""
    watch = Watch(watched.pair, watched.now.begun, watched.complete, brief=True)
    left = list(watched.given)
    for look in run.log:
        while left and left[0].number < first + look.captured:
            watch.observe(left.pop(0))
        if watch.given:
            for end, name in enumerate(look.states):
                found.states += 1
                if not _may_be(watch, end, name):
                    now = names(watch.possible()[end])
                    why = f"{ENDS[end]} is in {name} at {look.at} s, but may only be in {now}"
                    found.wrong.append(Wrong(run.wish.name, why))


def _may_be(watch: Watch, end: int, name: str) -> bool:
    """Return whether an end may be in a state; CLOSED also where a timer leads to it.

    That is FIN-WAIT-2's too, which the tables that are tried first do not have, nor the standard.
    """
    now = [state.name for state in watch.possible()[end]]
    if name in now or name != CLOSED.name:
        return name in now
    return FIN_WAIT_2.name in now or CLOSED in watch.possible(later=True)[end]
