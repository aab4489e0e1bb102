"""The clock of a timed model: what starts and stops timers, and what one tick does.

Time is a whole number of ticks, and passes for both ends and both channels together.  It is
urgent: no tick passes while a timer is due, nor, where segments may not vanish, while one in
flight has reached its lifetime.  What happens within a tick takes no time, in any order.
"""

from __future__ import annotations

from collections.abc import Callable

from tcpclose_model.engines.channels import Channel
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.timers import TIMERS, Timer
from tcpclose_model.protocol.vocabulary import TCB, Event

Runs = Callable[[Timer, TCB], bool]
"""Whether a timer runs in a TCB: whether a row of its event fits there."""


class Clock:
    """The clock of one model; an untimed one has no timers, and no tick ever passes."""

    def __init__(self, model: Model) -> None:
        self._time = model.time
        self._lifetime = model.time.segment_lifetime
        self._must_deliver = model.network.must_deliver
        _check(model)
        self.timers = tuple(t for t in TIMERS if model.time.durations(t.name))
        self._of = {timer.event: timer for timer in self.timers}
        self.backs_off = max(
            (len(model.time.durations(t.name)) - 1 for t in self.timers if t.backs_off), default=0
        )
        """Retransmissions that must be told apart, so that the timeout can grow."""

    def with_fields(self, protocol: Protocol) -> Protocol:
        """Return the table with a field in its TCB for each timer."""
        for timer in self.timers:
            longest = max(self._time.durations(timer.name)) + self._time.slack
            protocol = protocol.with_field(timer.field, longest + 1)
        return protocol

    def lets_happen(self, event: Event, tcb: TCB) -> bool:
        """Return whether an event may happen now: it is not timed, or its timer may go off."""
        timer = self._of.get(event)
        return timer is None or 1 <= getattr(tcb, timer.field) <= 1 + self._time.slack

    def set_timers(
        self, before: TCB, after: TCB, doing: tuple[Event, set[object]], runs: Runs
    ) -> TCB:
        """Return `after` with its timers as an event leaves them.

        doing: the event, and the effects that were carried out.
        """
        event, effects = doing
        values = {}
        for timer in self.timers:
            value = 0
            if runs(timer, after):
                value = getattr(before, timer.field)
                heard = timer.measures_silence and event is Event.SEGMENT_ARRIVES
                if not value or heard or event is timer.event or effects & {*timer.restarted_by}:
                    value = self._started(timer, after)
            values[timer.field] = value
        return after._replace(**values)  # type: ignore[arg-type]  # fields of timed models

    def _started(self, timer: Timer, tcb: TCB) -> int:
        durations = self._time.durations(timer.name)
        times = min(tcb.retransmitted, len(durations) - 1) if timer.backs_off else 0
        return durations[times] + self._time.slack + 1

    def later(self, tcb: TCB) -> TCB | None:
        """Return the TCB a tick later, or None if no tick may pass: a timer is due."""
        values = {}
        for timer in self.timers:
            value = getattr(tcb, timer.field)
            if value == 1:
                return None
            if value:
                values[timer.field] = value - 1
        return tcb._replace(**values) if values else tcb

    def due(self, tcb: TCB) -> tuple[Timer, ...]:
        """Return the timers that are due, so that no tick may pass."""
        return tuple(timer for timer in self.timers if getattr(tcb, timer.field) == 1)

    def later_channel(self, channel: Channel) -> Channel | None:
        """Return what is in flight a tick later, or None if no tick may pass: one must arrive.

        What outlives its lifetime vanishes, if the network may lose it.
        """
        if self._lifetime is None:
            return None
        alive = tuple(seg for seg in channel if seg.age < self._lifetime)
        if self._must_deliver and len(alive) < len(channel):
            return None
        return tuple(seg._replace(age=seg.age + 1) for seg in alive)


def is_timed(model: Model, event: Event) -> bool:
    """Return whether the clock says when a timeout comes."""
    return any(t.event is event and model.time.durations(t.name) for t in TIMERS)


def _check(model: Model) -> None:
    """Raise ModelError where a model's clock does not go with its other parameters."""
    time, timers, network = model.time, model.timers, model.network
    if not time.is_timed:
        given = [t.name for t in TIMERS if getattr(time, t.name) is not None]
        if given or time.slack:
            name = given[0] if given else "slack"
            raise ModelError(
                f"time.{name} is given in a model without a clock: set time.segment_lifetime too"
            )
        return
    said = (
        ("retransmission", timers.retransmission, "spurious"),
        ("time_wait", timers.time_wait, "free"),
        ("fin_wait_2", timers.fin_wait_2, "free"),
    )
    for name, discipline, free in said:
        if time.durations(name) and discipline != free:
            raise ModelError(
                f"time.{name} and timers.{name}={discipline} both say when this timer goes off: "
                f"set timers.{name}={free}, or leave time.{name} out"
            )
    for timer in TIMERS:
        rows = (*model.a.rules, *model.b.rules)
        if time.durations(timer.name) and not any(rule.on is timer.event for rule in rows):
            raise ModelError(
                f"time.{timer.name} is given, but no table has a row for {timer.event.words}: "
                "turn a switch on that adds one (see: tcpclose list switches)"
            )
    if network.order == "set" and (network.must_deliver or network.full == "waits"):
        raise ModelError(
            "network.order=set in a timed model loses freely and has no capacity, so it needs "
            "network.loss=true, network.full=loses and no network.losses_max"
        )
