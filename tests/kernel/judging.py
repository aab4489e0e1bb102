"""What was seen of the kernel, held against a table: whether it explains all that was seen.

Where the table leaves a choice (what is sent when, whether a FIN rides on text), any choice that
explains what was seen will do; which of them the kernel has made, the states are kept for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.covering import Behaviour
from reports.frames import UNIT_OCTETS
from tcpclose_model.engines.plain import End
from tcpclose_model.protocol.step import Outcome
from tcpclose_model.protocol.vocabulary import (
    CONNECTION_RESET,
    NOTHING,
    OUTPUTS,
    TCB,
    TIMEOUTS,
    USER_TIMEOUT_TOLD,
    Event,
    Segment,
)
from tests.kernel.segments import Seen
from tests.kernel.steps import WAITS, Noted, Wanted

BY_ITSELF_MAX = 3
"""Events that the kernel may have had by itself between two looks at it."""
AT_ONCE = frozenset((*OUTPUTS, Event.DELAYED_ACK_TIMEOUT))
"""What may happen as soon as it can; other timers take longer than a script that does not wait."""
IN_TIME = frozenset((*OUTPUTS, *TIMEOUTS))
EVENTS = {event.words: event for event in Event}
ERRORS = {
    NOTHING: ("",),
    CONNECTION_RESET: ("Connection reset by peer", "Broken pipe"),
    USER_TIMEOUT_TOLD: ("Connection timed out",),
}
"""What the socket tells a user of what the model tells it."""


class Possible(NamedTuple):
    """A TCB that the kernel may have, and what it has done since the last look to get there."""

    tcb: TCB
    behaviours: tuple[Behaviour, ...] = ()
    sent: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """How far a table explains what was seen.

    confirmed: the behaviours that the kernel has shown.
    deviates_in: the number of the script's event after which nothing explains it, or None.
    wanted: what the table has it do there, in words.  seen: what it did, in words.
    stopped: why the script could not be played to its end though nothing deviates, or "".
    """

    confirmed: tuple[Behaviour, ...]
    deviates_in: int | None = None
    wanted: str = ""
    seen: str = ""
    stopped: str = ""


def judged(end: End, script: Sequence[Wanted], log: Sequence[Noted]) -> Judged:
    """Return how far the table of an end explains what was seen when a script was played."""
    possible = [Possible(end.initial)]
    confirmed: list[Behaviour] = []
    done = -1
    for noted in log:
        if noted.event == len(script):
            return _at_the_end(possible, noted, confirmed)
        want = script[noted.event]
        given = None if noted.event == done else want
        done = noted.event
        start = list(_after(end, possible, given))
        if not start:
            why = f"{want.event} is not possible once the kernel has chosen otherwise"
            return Judged(tuple(confirmed), stopped=why)
        by_itself = IN_TIME if want.event in WAITS else AT_ONCE
        if _is_probe(noted):
            return Judged(tuple(confirmed), stopped="the window that the script has shut is probed")
        fits = [] if noted.error else list(_explanations(end, start, noted, by_itself))
        if not fits:
            wanted = " or ".join(dict.fromkeys(_told(one) for one in start))
            seen = told(noted.state, noted.sent, noted.error)
            return Judged(tuple(confirmed), done, wanted, seen)
        confirmed += min(fits, key=lambda one: len(one.behaviours)).behaviours
        possible = [Possible(tcb) for tcb in dict.fromkeys(one.tcb for one in fits)]
    return Judged(tuple(confirmed))


def _at_the_end(possible: list[Possible], noted: Noted, confirmed: list[Behaviour]) -> Judged:
    """Return the judgement where the last look was at what the user is told."""
    allowed = {error for one in possible for error in ERRORS.get(one.tcb.told, ("",))}
    if noted.error in allowed:
        return Judged(tuple(confirmed))
    wanted = "the user is told " + " or ".join(repr(error) for error in sorted(allowed))
    return Judged(tuple(confirmed), noted.event, wanted, f"it is told {noted.error!r}")


def _after(end: End, possible: Iterable[Possible], given: Wanted | None) -> Iterator[Possible]:
    """Return what may be so once a script's event has happened, if it is one that is given."""
    for one in possible:
        if given is None or EVENTS[given.event] in IN_TIME:
            yield one
        elif given.arrives is not None:
            yield _with(one, Event.SEGMENT_ARRIVES, end.arrival(one.tcb, in_units(given.arrives)))
        else:
            for event, outcome in end.local(one.tcb):
                if event is EVENTS[given.event]:
                    yield _with(one, event, outcome)


def _explanations(
    end: End, start: list[Possible], noted: Noted, by_itself: frozenset[Event]
) -> Iterator[Possible]:
    """Return every way in which what was seen may have come about."""
    layer = start
    for _ in range(BY_ITSELF_MAX + 1):
        layer = [one for one in layer if _begins(one.sent, noted.sent)]
        for one in layer:
            if len(one.sent) == len(noted.sent) and one.tcb.state.name == noted.state:
                yield one
        layer = [
            _with(one, event, outcome)
            for one in layer
            for event, outcome in end.local(one.tcb)
            if event in by_itself
        ]


def _with(one: Possible, event: Event, outcome: Outcome) -> Possible:
    behaviour = Behaviour(one.tcb.state, event, outcome.rules)
    sent = one.sent if outcome.sent is None else (*one.sent, outcome.sent)
    return Possible(outcome.tcb, (*one.behaviours, behaviour), sent)


def _begins(wanted: Sequence[Segment], sent: Sequence[Seen]) -> bool:
    """Return whether what was sent begins with what is wanted."""
    return len(wanted) <= len(sent) and all(
        _is_like(one, seen) for one, seen in zip(wanted, sent, strict=False)
    )


def _is_like(wanted: Segment, sent: Seen) -> bool:
    """Return whether a segment is as wanted; a reset's ACK field is for nobody to see."""
    if not _is_whole(sent):
        return False
    segment = in_units(sent)
    if wanted.rst and segment.rst:
        return wanted.seq == segment.seq
    return wanted[:5] == segment[:5]


def _is_probe(noted: Noted) -> bool:
    """Return whether a single octet was sent: text that the peer's window does not let pass."""
    return any(one.length == 1 for one in noted.sent)


def _is_whole(seen: Seen) -> bool:
    return seen.length % UNIT_OCTETS == 0 and (seen.seq - 1) % UNIT_OCTETS < 2


def in_units(seen: Seen) -> Segment:
    """Return a segment as the model numbers it: behind whole units of text there is a FIN only."""
    return Segment(
        seq=_units(seen.seq),
        ack=_units(seen.ack) if seen.ack else 0,
        text=seen.length // UNIT_OCTETS,
        fin=int("F" in seen.flags),
        rst=int("R" in seen.flags),
        syn=int("S" in seen.flags),
    )


def _units(number: int) -> int:
    return (number - 1) // UNIT_OCTETS + (number - 1) % UNIT_OCTETS


def _told(one: Possible) -> str:
    sent = ", ".join(segment_words(seg) for seg in one.sent)
    rules = ", ".join(rule.name for made in one.behaviours for rule in made.rules)
    return f"{one.tcb.state.name}, {sent or 'nothing sent'}" + (f" ({rules})" if rules else "")


def segment_words(seg: Segment) -> str:
    """Return a segment in words."""
    parts = [
        word for word, is_set in (("RST", seg.rst), ("DATA", seg.text), ("FIN", seg.fin)) if is_set
    ]
    return " + ".join(parts) or f"ACK {seg.ack}"


def told(state: str, sent: Sequence[Seen], error: str) -> str:
    """Return what was seen in words."""
    segments = ", ".join(
        segment_words(in_units(one)) if _is_whole(one) else str(one) for one in sent
    )
    return f"{state}, {segments or 'nothing sent'}" + (f", {error}" if error else "")
