"""The plain engine: two ends and two channels, one step at a time.  It defines the meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tcpclose_model.engines.channels import Channel as Channel
from tcpclose_model.engines.channels import distinct, pushed, renewed, stripped
from tcpclose_model.engines.clock import Clock
from tcpclose_model.engines.guards import REPEATS, Guard, conditions, guard, of_peer
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.step import Outcome, Table
from tcpclose_model.protocol.timers import Timer
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    FIRST_TSVAL,
    LOCAL_EVENTS,
    OPENING,
    TCB,
    Event,
    Segment,
)

ENDS = ("A", "B")
TIME = 2
"""The actor of a tick: neither end, nor the network."""
ACTORS = (*ENDS, "time")
OPENS = {Event.OPEN_ACTIVE: "active", Event.OPEN_PASSIVE: "passive"}
"""What `incarnations.opens` calls either OPEN."""

TSVALS = {"earlier": FIRST_TSVAL - 1, "same": FIRST_TSVAL, "later": FIRST_TSVAL + 1}
"""What `incarnations.tsval` calls the TSval of the second incarnation."""

FIRST_NUMBER = 1
"""Where the text of the first incarnation begins, in models that have a second: its SYN took 0."""


class ProductState(NamedTuple):
    """Both ends and what is in flight; tuples compare in this order, the canonical one."""

    a: TCB
    b: TCB
    a_to_b: Channel = ()
    b_to_a: Channel = ()
    losses: int = 0
    """The segments lost so far, where `network.losses_max` limits them."""


class Action(NamedTuple):
    """Who does what; for a segment, `actor` is the end it is travelling to, for a tick `TIME`."""

    actor: int
    event: Event
    segment: Segment | None = None


class Transition(NamedTuple):
    """One step of the model: the action, the rows it carried out, what was sent, the next state.

    `overflow` says that what was sent was lost at once because the channel was full; `head` that
    the step took the segment that was next in its channel (fairness asks for that).
    """

    action: Action
    rules: tuple[Rule, ...]
    sent: Segment | None
    overflow: bool
    head: bool
    target: ProductState


class End:
    """One end: its table, its user and its timers, as functions of its TCB alone, memoised."""

    def __init__(self, model: Model, end: int) -> None:
        self._clock = Clock(model)
        protocol = self._clock.with_fields(model.b if end else model.a)
        check(protocol)
        self._table = Table(protocol, reads_eagerly=model.application.reading == "eager")
        self._timers = model.timers
        self._user = model.application
        self._closes = model.application.closes_of(end)
        self._units = model.application.data_units[end]
        self._aborts = model.application.aborts[end]
        self._crashes = model.application.crashes[end]
        self._max = model.bounds.retransmissions_max
        self._counted = self._clock.backs_off if self._max is None else self._max
        self._gives_up_by_time = bool(model.time.durations("user_timeout"))
        self._again = model.incarnations
        self._end = end
        self._reopens = model.reopens
        self._local: dict[TCB, tuple[tuple[Event, Outcome], ...]] = {}
        self._arrivals: dict[tuple[TCB, Segment], Outcome] = {}
        start = self._first(self._table.initial)
        self.initial = self._settled(start, Event.TICK, Outcome(start, None, ())).tcb

    def _first(self, tcb: TCB) -> TCB:
        """Return the TCB that this end starts with: ESTABLISHED, with nothing sent."""
        if not reopens(self._table.protocol):
            if self._reopens:
                raise ModelError(
                    f"incarnations.opens: the table of {ENDS[self._end]} has no rows for opening a "
                    "connection: set protocol.reopens=on"
                )
            return tcb
        if has_timestamps(self._table.protocol):
            later = TSVALS[self._again.tsval[self._end]]
            stamps = {"ts": FIRST_TSVAL, "ts_recent": FIRST_TSVAL, "ts_next": later}
            tcb = tcb._replace(**stamps)  # type: ignore[arg-type]  # fields of the switch
        if not self._reopens:
            return tcb._replace(inc=1)  # type: ignore[call-arg]  # a field of the switch
        numbers = dict.fromkeys(("snd_una", "snd_nxt", "snd_end", "rcv_nxt"), FIRST_NUMBER)
        return tcb._replace(**numbers, inc=1, iss=self._again.iss[self._end])  # type: ignore[call-arg, arg-type]  # fields of the switch

    def local(self, tcb: TCB) -> tuple[tuple[Event, Outcome], ...]:
        """Return the calls and timeouts enabled here, as far as this end alone can tell."""
        known = self._local.get(tcb)
        if known is None:
            known = self._local[tcb] = tuple(self._enabled(tcb))
        return known

    def arrival(self, tcb: TCB, seg: Segment) -> Outcome:
        """Return what SEGMENT ARRIVES does here."""
        known = self._arrivals.get((tcb, seg))
        if known is None:
            outcome = self._table.arrival(tcb, seg)
            known = self._settled(tcb, Event.SEGMENT_ARRIVES, outcome)
            self._arrivals[tcb, seg] = known
        return known

    def is_cut(self, tcb: TCB) -> bool:
        """Return whether a retransmission, or a probe, is withheld only for the spent bound."""
        if not self._spent(tcb):
            return False
        by_count = self._timers.user_timeout and not self._gives_up_by_time
        gives_up = by_count and self._table.local(tcb, Event.USER_TIMEOUT)
        repeats = (event for event in REPEATS if self._repeats(event))
        return not gives_up and any(self._table.local(tcb, event) for event in repeats)

    def _enabled(self, tcb: TCB) -> Iterator[tuple[Event, Outcome]]:
        for event in LOCAL_EVENTS:
            if self.happens(event, tcb) and self._clock.lets_happen(event, tcb):
                outcome = self._table.local(tcb, event)
                if outcome is not None:
                    yield event, self._settled(tcb, event, outcome)

    def happens(self, event: Event, tcb: TCB) -> bool:
        """Return whether the user wants the call, or the timer may run, in this TCB."""
        if event is Event.CLOSE:
            return not tcb.released and self._may_close(tcb)
        if event is Event.SHUTDOWN:
            return self._user.half_close and not tcb.fin_queued and self._may_close(tcb)
        if event is Event.SEND:
            return tcb.snd_end < self._text_ends(tcb)
        if event is Event.RECEIVE:
            return self._user.reading == "lazy"
        if event is Event.ABORT:
            return self._aborts
        if event is Event.CRASH:
            return self._crashes
        if event in OPENS:
            return self._again.opens[self._end] == OPENS[event] and incarnation(tcb) == 1
        if event in REPEATS:
            return self._repeats(event) and not self._spent(tcb)
        if event is Event.USER_TIMEOUT and self._gives_up_by_time:
            return True
        if event is Event.USER_TIMEOUT:
            counted = self._max is not None and self._timers.retransmission != "none"
            return self._timers.user_timeout and (not counted or self._spent(tcb))
        return True

    def _repeats(self, event: Event) -> bool:
        """Return whether the timer runs at all: without retransmission, keep-alives still do."""
        return event is Event.KEEP_ALIVE_TIMEOUT or self._timers.retransmission != "none"

    def _text_ends(self, tcb: TCB) -> int:
        """Return the number behind the last unit of text that the user wants to send."""
        if not self._reopens:
            return self._units
        if incarnation(tcb) == 1:
            return FIRST_NUMBER + self._units
        return _iss(tcb) + 1 + self._again.data_units[self._end]

    def _may_close(self, tcb: TCB) -> bool:
        if self._reopens and tcb.state in OPENING:
            return self._again.gives_up[self._end]
        if tcb.fin_queued or self._closes == "any":
            return self._closes != "never"
        if self._closes == "after_fin":
            return tcb.state == CLOSE_WAIT
        if self._closes == "after_eof":
            return tcb.state == CLOSE_WAIT and tcb.read == tcb.rcv_text
        return False

    def _spent(self, tcb: TCB) -> bool:
        return self._max is not None and tcb.retransmitted >= self._max

    def _settled(self, before: TCB, event: Event, outcome: Outcome) -> Outcome:
        """Return the outcome with an eager user's reading done, and count and timers set."""
        tcb = outcome.tcb
        if tcb.retransmitted > self._counted:
            tcb = tcb._replace(retransmitted=self._counted)
        if self._user.reading == "eager" and tcb.read != tcb.rcv_text:
            tcb = tcb._replace(read=tcb.rcv_text)
        if self._clock.timers:
            effects: set[object] = {effect for rule in outcome.rules for effect in rule.do}
            tcb = self._clock.set_timers(before, tcb, (event, effects), self._runs)
        return outcome._replace(tcb=tcb)

    def _runs(self, timer: Timer, tcb: TCB) -> bool:
        """Return whether a timer runs: a row of its event fits, and the event is wanted."""
        return self.happens(timer.event, tcb) and self._table.local(tcb, timer.event) is not None


def _ends_of(model: Model) -> tuple[End, End]:
    """Return A and B, one of them with a middlebox beside it where the model has one."""
    if model.middlebox.at == "none":
        return End(model, 0), End(model, 1)
    from tcpclose_model.engines.boxed import ends_with_box  # it builds on End

    return ends_with_box(model)


def reopens(protocol: Protocol) -> bool:
    """Return whether a table can open a connection again, and so keeps incarnations apart."""
    return "inc" in protocol.stamps


def has_timestamps(protocol: Protocol) -> bool:
    """Return whether a table puts timestamps on its segments."""
    return any(name == "ts" for name, _ in protocol.carries)


def incarnation(tcb: Any) -> int:  # Any: a TCB of a table that reopens
    """Return which incarnation of the connection an end is in."""
    number: int = tcb.inc
    return number


def _iss(tcb: Any) -> int:  # Any: as above
    number: int = tcb.iss
    return number


class PlainEngine:
    """The steps of a model: `initial` and `successors(state)` are all that there is to it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        if reopens(model.a) != reopens(model.b):
            raise ModelError("protocol.reopens: both ends need it, or neither")
        if has_timestamps(model.a) != has_timestamps(model.b):
            raise ModelError("protocol.timestamps: both ends use them, or neither (RFC 7323 3.2)")
        self.clock = Clock(model)
        self.ends = _ends_of(model)
        self._vanishing = model.time.is_timed and model.network.order == "set"
        self.initial = ProductState(self.ends[0].initial, self.ends[1].initial)

    def successors(self, state: ProductState) -> list[Transition]:
        """Return every step from `state`, in canonical order: actor, event, segment."""
        return [*self.steps_of(0, state), *self.steps_of(1, state), *self.ticks(state)]

    def steps_of(self, actor: int, state: ProductState) -> Iterator[Transition]:
        """Return the steps of one end and of the channel towards it."""
        yield from self.local_steps(actor, state)
        yield from self.arrivals(actor, state)
        yield from self.network_steps(actor, state)

    def is_cut(self, state: ProductState) -> bool:
        """Return whether `bounds` withholds a step here that the protocol would take."""
        if self.model.timers.retransmission == "timely" and (state.a_to_b or state.b_to_a):
            return False
        return self.ends[0].is_cut(state.a) or self.ends[1].is_cut(state.b)

    def local_steps(self, actor: int, state: ProductState) -> Iterator[Transition]:
        """Return what an end does by itself: its user's calls, its output, its timeouts."""
        for event, outcome in self.ends[actor].local(state.b if actor else state.a):
            if self._may_happen(state, actor, event, outcome):
                yield self._step(state, Action(actor, event), outcome, None)

    def _may_happen(self, state: ProductState, actor: int, event: Event, outcome: Outcome) -> bool:
        """Return whether the guards that look at the channels or at the peer let it happen."""
        needs = guard(self.model, event, sends=outcome.sent is not None)
        return not needs or not needs & ~self.conditions(actor, state)

    def conditions(self, actor: int, state: ProductState) -> Guard:
        """Return everything that a guard may need and that is so in `state`."""
        inbound, outbound = state.a_to_b, state.b_to_a
        if not actor:
            inbound, outbound = outbound, inbound
        peer = state.a if actor else state.b
        return conditions(len(inbound), len(outbound), self.model.network.capacity) | of_peer(peer)

    def arrivals(self, actor: int, state: ProductState) -> Iterator[Transition]:
        """Return what happens to an end when one of the segments on its way to it arrives."""
        for seg, rest in self.next_arrivals(state.a_to_b if actor else state.b_to_a):
            outcome = self.ends[actor].arrival(state.b if actor else state.a, stripped(seg))
            yield self._step(state, Action(actor, Event.SEGMENT_ARRIVES, seg), outcome, rest)

    def next_arrivals(self, channel: Channel) -> list[tuple[Segment, Channel]]:
        """Return the segments that may arrive next, each with what then remains in the channel."""
        network = self.model.network
        if network.order == "fifo":
            return [(channel[0], channel[1:])] if channel else []
        if network.order == "set" and network.duplication:
            return [(seg, channel) for seg in channel]
        return [(channel[i], channel[:i] + channel[i + 1 :]) for i in distinct(channel)]

    def network_steps(self, actor: int, state: ProductState) -> Iterator[Transition]:
        """Return what the network does to the segments on their way to an end.

        In a timed set a loss is no step: a segment that never arrives dies of age.
        """
        limit = self.model.network.losses_max
        left = limit is None or state.losses < limit
        if self.model.network.loss and left and not self._vanishing:
            yield from self._losses(state, actor)
        if self.model.network.duplication and self.model.network.order != "set":
            yield from self._duplications(state, actor)

    def _losses(self, state: ProductState, actor: int) -> Iterator[Transition]:
        inbound = state.a_to_b if actor else state.b_to_a
        for position in distinct(inbound):
            rest = inbound[:position] + inbound[position + 1 :]
            action = Action(actor, Event.SEGMENT_IS_LOST, inbound[position])
            counted = self.model.network.losses_max is not None
            lost = state._replace(losses=state.losses + 1) if counted else state
            yield _moved(lost, action, rest, head=rest == inbound[1:])

    def _duplications(self, state: ProductState, actor: int) -> Iterator[Transition]:
        inbound = state.a_to_b if actor else state.b_to_a
        network = self.model.network
        both = len(state.a_to_b) + len(state.b_to_a)
        in_flight = both if network.senders_wait else len(inbound)
        if in_flight >= network.capacity:
            return
        for position in distinct(inbound):
            more = (*inbound[: position + 1], *inbound[position:])
            action = Action(actor, Event.SEGMENT_IS_DUPLICATED, inbound[position])
            yield _moved(state, action, more, head=False)

    def ticks(self, state: ProductState) -> Iterator[Transition]:
        """Return the passing of a tick, for both ends and channels at once, where it may pass.

        A tick that would change nothing is no step.
        """
        if not self.model.time.is_timed:
            return
        a, b = self.clock.later(state.a), self.clock.later(state.b)
        a_to_b = self.clock.later_channel(state.a_to_b)
        b_to_a = self.clock.later_channel(state.b_to_a)
        if a is None or b is None or a_to_b is None or b_to_a is None:
            return
        target = ProductState(a, b, a_to_b, b_to_a, state.losses)
        if target != state:
            yield Transition(Action(TIME, Event.TICK), (), None, False, False, target)

    def pushed(self, channel: Channel, seg: Segment | None) -> tuple[Channel, bool]:
        """Return the channel with `seg` in it, and whether there was no room for it."""
        if seg is not None and self._vanishing:
            return renewed(channel, seg), False
        return (channel, False) if seg is None else pushed(channel, seg, self.model.network)

    def _step(
        self, state: ProductState, action: Action, outcome: Outcome, inbound: Channel | None
    ) -> Transition:
        """Return the step in which the actor becomes `outcome`, having taken from its channel."""
        a, b, a_to_b, b_to_a, losses = state
        overflow = False
        if action.actor:
            b = outcome.tcb
            a_to_b = a_to_b if inbound is None else inbound
            b_to_a, overflow = self.pushed(b_to_a, outcome.sent)
        else:
            a = outcome.tcb
            b_to_a = b_to_a if inbound is None else inbound
            a_to_b, overflow = self.pushed(a_to_b, outcome.sent)
        target = ProductState(a, b, a_to_b, b_to_a, losses)
        head = inbound is not None
        return Transition(action, outcome.rules, outcome.sent, overflow, head, target)


def _moved(state: ProductState, action: Action, inbound: Channel, *, head: bool) -> Transition:
    """Return the step in which only the channel towards the actor changes."""
    target = state._replace(a_to_b=inbound) if action.actor else state._replace(b_to_a=inbound)
    return Transition(action, (), None, False, head, target)
