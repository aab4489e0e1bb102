"""What is done to a pair of sockets and to what is between them: by a plan, or at random.

Whatever is done, and whatever the kernels do by themselves meanwhile, is written down, with how
both ends and the relay look after it; it is judged elsewhere (see `following`).  A plan is a run of
a model: where the kernels have chosen otherwise, what is not possible any more is left out.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tcpclose_model.protocol.vocabulary import Event, Segment
from tests.kernel.judging import in_units
from tests.kernel.pair import ROOM, Pair
from tests.kernel.segments import Seen

STEPS_MAX = 60
"""Of a run at random."""
AT_RANDOM_SECONDS = (0.05, 0.25)
"""For an ACK that is delayed, or for a retransmission."""
POLL_SECONDS = 0.02
WAITS = {
    Event.RETRANSMISSION_TIMEOUT: 1.0,
    Event.DELAYED_ACK_TIMEOUT: 0.3,
    Event.USER_TIMEOUT: 1.5,
    Event.FIN_WAIT_2_TIMEOUT: 3.0,
    Event.TIME_WAIT_TIMEOUT: 65.0,
    Event.ACK_LIMIT_TIMEOUT: 0.06,
}
"""Seconds that a plan waits for the kernel's timer."""
ENDING = (Event.USER_TIMEOUT, Event.FIN_WAIT_2_TIMEOUT, Event.TIME_WAIT_TIMEOUT)
MAY_SEND = ("ESTABLISHED", "CLOSE_WAIT")
MAY_READ = ("ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT")
SHUT_DOWN = ("FIN_WAIT_1", "FIN_WAIT_2")
"""Where a CLOSE after a SHUTDOWN means something; elsewhere 3.10.4 has it fail."""
CLOSES_UNREAD = ("CLOSING", "LAST_ACK")
"""Where it does if there is text unread: it resets."""
OVER = ("CLOSED", "TIME_WAIT")
ARRIVES, IS_LOST, IS_DUPLICATED = (
    Event.SEGMENT_ARRIVES,
    Event.SEGMENT_IS_LOST,
    Event.SEGMENT_IS_DUPLICATED,
)


class Intent(NamedTuple):
    """A step of a plan: at which end, or to what is on its way to it.

    segment: in units, as the model numbers it.
    """

    end: int
    event: Event
    segment: Segment | None = None


class Done(NamedTuple):
    """What was done: to an end, or to a packet on its way to it."""

    end: int
    event: str
    segment: Seen | None
    overtakes: bool = False
    """Whether a packet arrives before another one that was sent earlier."""


class Look(NamedTuple):
    """How all looks after something was done, or (None) after a while.

    at: in seconds since the pair was made.  states: of both ends.
    inbound: of either end, what is on its way to it.  captured: how many packets the relay has
    taken in.  error: what a call has said; "" if nothing.
    """

    at: float
    done: Done | None
    states: tuple[str, str]
    inbound: tuple[tuple[Seen, ...], tuple[Seen, ...]]
    captured: int
    error: str = ""

    @classmethod
    def of(cls, said: Sequence[Any]) -> Look:  # Any: JSON
        """Return what the player has written."""
        at, done, states, inbound, captured, error = said
        if done is not None:
            end, event, segment, overtakes = done
            done = Done(end, event, None if segment is None else Seen(*segment), overtakes)
        a, b = (tuple(Seen(*one) for one in way) for way in inbound)
        return cls(at, done, (states[0], states[1]), (a, b), captured, error)


def wire(seg: Segment) -> Segment:
    """Return what of a segment is compared: of a reset, its number."""
    return Segment(seg.seq, rst=1) if seg.rst else Segment(*seg[:5])


class Script:
    """Does things to a pair and writes down what is seen.

    units: the most units of text that an end sends.
    reads_at_once: whether the users read text as soon as it has arrived.
    """

    def __init__(self, pair: Pair, log: list[Look], units: int, *, reads_at_once: bool) -> None:
        self._pair, self._log, self._units = pair, log, units
        self._reads_at_once = reads_at_once
        self._sent = [0, 0]
        self._asked: tuple[set[Event], set[Event]] = set(), set()

    def planned(self, plan: Sequence[Intent]) -> Iterator[float]:
        """Follow a plan as far as it can be, then settle; yield until when to wait."""
        self._pair.open()
        self._look(None)
        for intent in plan:
            if intent.event in WAITS:
                yield from self._wait_for(intent)
            elif intent.segment is not None:
                self._pass_on(intent)
            else:
                self._call(intent.end, intent.event)
        yield from self._settled()

    def wandering(self, seed: int) -> Iterator[float]:
        """Do things at random, then settle; yield until when to wait."""
        chance = random.Random(seed)
        self._pair.open()
        self._look(None)
        for _ in range(STEPS_MAX):
            flying = [(end, place) for end in (0, 1) for place in range(self._flying(end))]
            what = chance.random()
            if what < (0.25 if flying else 0.7):
                events = (Event.SEND, Event.SEND, Event.RECEIVE, Event.CLOSE, Event.SHUTDOWN)
                rare = (Event.ABORT,) if chance.random() < 0.1 else events
                self._call(chance.randrange(2), chance.choice(rare))
            elif what < 0.3 or not flying:
                yield from self._waited(chance.choice(AT_RANDOM_SECONDS), self._has_changed())
            else:
                end, place = chance.choice(flying)
                event = chance.choices((ARRIVES, IS_LOST, IS_DUPLICATED), (6, 2, 1))[0]
                place = 0 if event is ARRIVES and chance.random() < 0.5 else place
                self._do(end, event, place)
            if not any(self._pair.inbound) and all(one in OVER for one in self._states()):
                break
        yield from self._settled()

    def _settled(self) -> Iterator[float]:
        """Let both users read and close, and everything arrive, until nothing comes any more."""
        self._reads_at_once = True
        for end in (0, 1):
            self._read_all(end)
            self._call(end, Event.CLOSE)
        for _ in range(STEPS_MAX):
            end = 0 if self._flying(0) else 1
            if self._flying(end):
                self._do(end, ARRIVES, 0)
            elif all(one in OVER for one in self._states()):
                return
            else:
                before = len(self._log)
                yield from self._waited(2.0, self._has_changed())
                if len(self._log) == before:
                    return

    def told(self) -> list[str | None]:
        """Return what either socket tells its user now: None where nobody holds it any more."""
        found: list[str | None] = []
        for held in self._pair.sockets:
            if held is None:
                found.append(None)
                continue
            code = held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            found.append(os.strerror(code) if code else "")
        return found

    def _flying(self, end: int) -> int:
        return len(self._pair.inbound[end])

    def _states(self) -> tuple[str, str]:
        return self._log[-1].states

    def _look(self, done: Done | None, error: str = "") -> None:
        """Write down how all looks; of a mere look, only if something has changed."""
        pair = self._pair
        pair.pump()
        a, b = (tuple(one.seg for one in way) for way in pair.inbound)
        states = pair.states()
        now = Look(
            round(pair.now, 4), done, (states[0], states[1]), (a, b), len(pair.captured), error
        )
        pair.has_news = False
        if done is None and self._log and self._log[-1][2:4] == now[2:4]:
            return
        self._log.append(now)

    def _do(self, end: int, event: Event, place: int) -> None:
        """Deliver, lose or duplicate a packet on its way to an end."""
        pair = self._pair
        seg = pair.inbound[end][place].seg
        overtakes = event is ARRIVES and any(one.seg != seg for one in pair.inbound[end][:place])
        if event is IS_DUPLICATED and self._flying(end) >= ROOM:
            return
        does = {ARRIVES: pair.deliver, IS_LOST: pair.lose, IS_DUPLICATED: pair.duplicate}
        does[event](end, place)
        self._look(Done(end, event.words, seg, overtakes))
        if self._reads_at_once and event is ARRIVES:
            self._read_all(end)

    def _read_all(self, end: int) -> None:
        while self._call(end, Event.RECEIVE):
            pass

    def _pass_on(self, intent: Intent) -> None:
        """Do to a packet what the plan wants, if it is there."""
        assert intent.segment is not None
        wanted = wire(intent.segment)
        here = [wire(in_units(one.seg)) for one in self._pair.inbound[intent.end]]
        if wanted in here:
            self._do(intent.end, intent.event, here.index(wanted))
            return
        near = [n for n, one in enumerate(here) if one._replace(ack=0) == wanted._replace(ack=0)]
        if near:
            self._do(intent.end, intent.event, near[0])

    def _may(self, end: int, event: Event) -> bool:
        """Return whether the user may make the call, as far as a user can know."""
        state = self._states()[end]
        if self._pair.sockets[end] is None or state == "CLOSED":
            return False
        if event is Event.SEND:
            closed = self._asked[end] & {Event.SHUTDOWN, Event.CLOSE}
            return state in MAY_SEND and not closed and self._sent[end] < self._units
        if event is Event.SHUTDOWN:
            return Event.SHUTDOWN not in self._asked[end]
        if event is Event.CLOSE and Event.SHUTDOWN in self._asked[end]:
            return state in SHUT_DOWN or (state in CLOSES_UNREAD and self._pair.has_text(end))
        return state in MAY_READ if event is Event.RECEIVE else True

    def _call(self, end: int, event: Event) -> bool:
        """Make a call of a user, if it is one that may be made; return whether it was."""
        if not self._may(end, event):
            return False
        pair, error = self._pair, ""
        try:
            if event is Event.CLOSE:
                pair.close(end)
            elif event is Event.ABORT:
                pair.close(end, abort=True)
            elif event is Event.SHUTDOWN:
                pair.shutdown(end)
            elif event is Event.SEND:
                pair.send(end)
                self._sent[end] += 1
            elif event is not Event.RECEIVE or not pair.read(end):
                return False
        except OSError as refused:
            error = os.strerror(refused.errno) if refused.errno else str(refused)
        self._asked[end].add(event)
        self._look(Done(end, event.words, None), error)
        return True

    def _has_changed(self) -> Callable[[], bool]:
        before = len(self._log)
        return lambda: len(self._log) > before

    def _waited(self, seconds: float, enough: Callable[[], bool]) -> Iterator[float]:
        """Wait, and write down each change, until it is enough, or the time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not enough():
            yield min(until, time.monotonic() + POLL_SECONDS)
            self._look(None)

    def _wait_for(self, intent: Intent) -> Iterator[float]:
        """Wait for a timer of the kernel, as long as it may take."""
        end, event = intent.end, intent.event
        enough = self._has_changed()
        if event is Event.RETRANSMISSION_TIMEOUT:
            sent = self._pair.queued_sent[end]
            yield from self._waited(WAITS[event], lambda: self._pair.queued_sent[end] > sent)
        elif event in ENDING:
            yield from self._waited(WAITS[event], lambda: self._states()[end] == "CLOSED")
        elif event is Event.ACK_LIMIT_TIMEOUT:
            yield from self._waited(WAITS[event], lambda: False)
        else:
            yield from self._waited(WAITS[event], enough)
