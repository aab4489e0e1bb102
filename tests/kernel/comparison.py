"""Suites of the model played against the kernel, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.covering import Behaviour, Suite, covering_suite
from reports.suite_json import events_json
from tcpclose_model.engines.plain import End
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.vocabulary import Event, State
from tcpclose_model.protocol.words import user_is_here
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.stacks import LINUX, LINUX_SWITCHES
from tests.kernel.departures import (
    ANY_ORDER,
    BOTH_WAYS,
    DEPARTURES,
    FROM_THE_STANDARD,
    UNREAD,
    Departure,
    Row,
)
from tests.kernel.judging import Judged, judged
from tests.kernel.processes import refusal, said_by
from tests.kernel.steps import Noted, Wanted

SLOW = "2MSL"
"""The event that takes 60 s; runs with it are played only on demand."""
TRIES = 3
"""A script that departs is played again alone: a busy machine can make any timer late."""

HALF_CLOSE = "application.half_close=true"
LAZY = "application.reading=lazy"
SUITES: Mapping[str, tuple[str, ...]] = {
    BOTH_WAYS: ("application.data_units=1,1", "network.capacity=1"),
    UNREAD: (HALF_CLOSE, LAZY, "application.aborts=true,true"),
    ANY_ORDER: (
        HALF_CLOSE,
        LAZY,
        "application.data_units=0,1",
        "network.order=set",
        "network.duplication=true",
    ),
}
"""What the model `linux` is changed by, for each of the suites."""
STANDARD = (HALF_CLOSE, LAZY, "application.aborts=true,true", "network.capacity=1")
"""What the model `rfc9293` is changed by for its suite."""
UNSEEABLE = {(state.name, "ack_limit_lifted") for state in State}
"""A limit on ACKs is lifted in silence; what is sent next may tell, or may not."""
PERMITTED = ("delayed_ack", "fin_with_text")
"""The options of the standard that Linux takes: to take one is no departure from it."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run of a suite: its script, and what was seen when it was played.

    departs_in: the number of the event of the script after which it departs, where it does.
    """

    name: str
    script: tuple[Wanted, ...]
    log: tuple[Noted, ...]
    failure: str = ""
    departs_in: int = -1


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of playing a suite: what was confirmed, and every departure with the first run."""

    suite: Suite
    played: int
    left_out: int
    confirmed: frozenset[Behaviour]
    departures: Mapping[Departure, Played]
    stopped: Mapping[str, str]
    failures: Mapping[str, str]

    @property
    def seen(self) -> list[Behaviour]:
        """The behaviours of the suite that the kernel has shown."""
        return [one for one in self.suite.behaviours if one in self.confirmed]

    @property
    def unseen(self) -> set[Row]:
        """Each state and row of the suite that it has not shown, but for what cannot be seen."""
        seen = {cell for one in self.seen for cell in one.cells()}
        every = {cell for one in self.suite.behaviours for cell in one.cells()}
        return {(state.name, rule.name) for state, rule in every - seen} - UNSEEABLE


def not_permitted() -> str:
    """Return why this machine does not let the kernel be played against, or "" if it does."""
    return refusal("player")


def play(scripts: Mapping[str, Sequence[Mapping[str, object]]]) -> list[Played]:
    """Return what was seen of each script, given as the events of a suite's file."""
    lines = [json.dumps({"name": name, "events": events}) for name, events in scripts.items()]
    found = []
    for line in said_by("player", "\n".join(lines)):
        said = json.loads(line)
        script = tuple(Wanted.of(event) for event in scripts[said["name"]])
        log = tuple(Noted.of(noted) for noted in said["log"])
        found.append(Played(said["name"], script, log, said["failure"]))
    if {one.name for one in found} != set(scripts):
        raise RuntimeError(f"the player has seen {len(found)} of {len(scripts)} scripts")
    return found


def model_of(name: str, settings: Iterable[str]) -> Model:
    """Return a model whose users abort only what they hold: a socket is closed once."""
    model = with_parameters(model_named(name), settings)
    return replace(model, a=_held(model.a), b=_held(model.b))


def _held(protocol: Protocol) -> Protocol:
    for rule in protocol.rules:
        if rule.on is Event.ABORT and user_is_here not in rule.when:
            change = becomes(when=(*rule.when, user_is_here))
            protocol = protocol.edit(rows(name=rule.name), change, why="a socket is closed once")
    return protocol


def scripts_of(suite: Suite, *, slow: bool) -> dict[str, list[Mapping[str, object]]]:
    """Return the events of each run of a suite for A, those that take a minute only if asked."""
    found = {case.name: events_json(case.run, 0) for case in suite.cases}
    return {
        name: events
        for name, events in found.items()
        if slow or all(event["event"] != SLOW for event in events)
    }


def of_linux(name: str, *, slow: bool = False) -> Compared:
    """Return what comes of playing one of `SUITES`, every step of it, held against the profile."""
    model = model_of("linux", SUITES[name])
    return compare(model, model, every_step=True, known=DEPARTURES, slow=slow)


def of_the_standard(*, slow: bool = False) -> Compared:
    """Return what comes of playing the suite of RFC 9293, held against it and what it permits."""
    model = model_of("rfc9293", STANDARD)
    judge = with_switches(model, PERMITTED)
    return compare(model, judge, every_step=True, known=FROM_THE_STANDARD, slow=slow)


def with_switches(model: Model, names: Iterable[str]) -> Model:
    """Return a model with switches on at both ends."""
    return with_parameters(model, [f"protocol.{name}=on" for name in names])


def explained_by(played: Played) -> list[str]:
    """Return the switches of `linux` each of which explains how a run departs from the standard."""
    model = model_of("rfc9293", STANDARD)
    at = judged(End(with_switches(model, PERMITTED), 0), played.script, played.log).deviates_in
    found = []
    for name in LINUX_SWITCHES:
        if name not in PERMITTED:
            switched = with_switches(model, (*PERMITTED, name))
            end = End(replace(switched, a=_numbering_resets(switched.a)), 0)
            now = judged(end, played.script, played.log).deviates_in
            if at is not None and (now is None or now > at):
                found.append(name)
    return found


def _numbering_resets(protocol: Protocol) -> Protocol:
    """Return a table that numbers its resets as that of Linux does."""
    return next(e for e in LINUX.edits if e.name == "resets_take_the_ack_field").redo(protocol)


def compare(
    model: Model,
    judge: Model,
    *,
    every_step: bool,
    known: Container[Departure] = (),
    slow: bool = False,
) -> Compared:
    """Return what comes of playing the suite of A of a model, held against A of another.

    known: the departures that need not be seen again to be believed.
    """
    suite = covering_suite(explore(model), 0, every_step=every_step)
    scripts = scripts_of(suite, slow=slow)
    end = End(judge, 0)
    again = set(scripts)
    found: dict[str, tuple[Played, Judged]] = {}
    for _ in range(TRIES):
        for one in play({name: scripts[name] for name in sorted(again)}):
            found[one.name] = one, judged(end, one.script, one.log)
        again = {name for name in again if _is_odd(*found[name], known)}
        if not again:
            break
    return _summed(suite, found, len(suite.cases) - len(scripts))


def _is_odd(played: Played, one: Judged, known: Container[Departure]) -> bool:
    if played.failure or one.deviates_in is None:
        return bool(played.failure)
    return departure_of(played, one) not in known


def _summed(suite: Suite, found: Mapping[str, tuple[Played, Judged]], left_out: int) -> Compared:
    departures: dict[Departure, Played] = {}
    for name in sorted(found):
        played, one = found[name]
        if one.deviates_in is not None:
            run = replace(played, departs_in=one.deviates_in)
            departures.setdefault(departure_of(played, one), run)
    return Compared(
        suite,
        len(found),
        left_out,
        frozenset(behaviour for _, one in found.values() for behaviour in one.confirmed),
        departures,
        {name: one.stopped for name, (_, one) in found.items() if one.stopped},
        {name: played.failure for name, (played, _) in found.items() if played.failure},
    )


def departure_of(played: Played, one: Judged) -> Departure:
    """Return what a departure is known by: the event, what was wanted, what was seen."""
    assert one.deviates_in is not None
    end = one.deviates_in == len(played.script)
    event = "THE END" if end else played.script[one.deviates_in].event
    return event, one.wanted, one.seen
