"""The plain engine: two ends and two channels, one step at a time.  It defines the meaning."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from typing import NamedTuple

from tcpclose_model.model import Model, Network
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.step import Outcome, Table
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    LOCAL_EVENTS,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)

Channel = tuple[Segment, ...]
ENDS = ("A", "B")


class ProductState(NamedTuple):
    """Both ends and what is in flight; tuples compare in this order, the canonical one."""

    a: TCB
    b: TCB
    a_to_b: Channel = ()
    b_to_a: Channel = ()


class Action(NamedTuple):
    """Who does what; for a segment, `actor` is the end it is travelling to."""

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


class Guard(IntFlag):
    """What a step may need of the product state beyond its own end's TCB."""

    OWN_ROOM = 1
    """There is room in the channel to the peer."""
    ROOM = 2
    """Fewer segments than `network.capacity` are in flight over both directions."""
    NOTHING_INBOUND = 4
    NOTHING_OUTBOUND = 8
    PEER_DONE = 16
    """The peer is CLOSED or in TIME-WAIT (see `peer_is_done`)."""
    PEER_CLOSED = 32


NOTHING_IN_FLIGHT = Guard.NOTHING_INBOUND | Guard.NOTHING_OUTBOUND
READS_CHANNELS = Guard.OWN_ROOM | Guard.ROOM | NOTHING_IN_FLIGHT
REPEATS = (Event.RETRANSMISSION_TIMEOUT, Event.PERSIST_TIMEOUT)
"""The timers that send again; `bounds` limits how often."""


def guard(model: Model, event: Event, *, sends: bool) -> Guard:
    """Return what a call, an output or a timeout needs, all of it, before it may happen."""
    needs = Guard(0)
    timers, network = model.timers, model.network
    if event in REPEATS and timers.retransmission == "timely":
        needs |= NOTHING_IN_FLIGHT
    if event is Event.TIME_WAIT_TIMEOUT and timers.time_wait == "drained":
        needs |= NOTHING_IN_FLIGHT
    if event is Event.TIME_WAIT_TIMEOUT and timers.time_wait == "ideal":
        needs |= Guard.PEER_DONE
    if event is Event.FIN_WAIT_2_TIMEOUT and timers.fin_wait_2 == "orphaned":
        needs |= Guard.PEER_CLOSED | Guard.NOTHING_INBOUND
    if sends and not network.loss:
        needs |= Guard.ROOM
    if sends and network.loss and network.full == "waits":
        needs |= Guard.OWN_ROOM
    return needs


class End:
    """One end: its table, its user and its timers, as functions of its TCB alone, memoised."""

    def __init__(self, model: Model, end: int) -> None:
        protocol = model.b if end else model.a
        check(protocol)
        self._table = Table(protocol, reads_eagerly=model.application.reading == "eager")
        self._timers = model.timers
        self._user = model.application
        self._closes = model.application.closes_of(end)
        self._units = model.application.data_units[end]
        self._aborts = model.application.aborts[end]
        self._max = model.bounds.retransmissions_max
        self._local: dict[TCB, tuple[tuple[Event, Outcome], ...]] = {}
        self._arrivals: dict[tuple[TCB, Segment], Outcome] = {}
        self.initial = self._table.initial

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
            known = self._settled(self._table.arrival(tcb, seg))
            self._arrivals[tcb, seg] = known
        return known

    def is_cut(self, tcb: TCB) -> bool:
        """Return whether a retransmission is withheld only because the bound is spent."""
        if self._timers.retransmission == "none" or not self._spent(tcb):
            return False
        gives_up = self._timers.user_timeout and self._table.local(tcb, Event.USER_TIMEOUT)
        return not gives_up and any(self._table.local(tcb, event) for event in REPEATS)

    def _enabled(self, tcb: TCB) -> Iterator[tuple[Event, Outcome]]:
        for event in LOCAL_EVENTS:
            if self.happens(event, tcb):
                outcome = self._table.local(tcb, event)
                if outcome is not None:
                    yield event, self._settled(outcome)

    def happens(self, event: Event, tcb: TCB) -> bool:
        """Return whether the user wants the call, or the timer may run, in this TCB."""
        if event is Event.CLOSE:
            return not tcb.released and self._may_close(tcb)
        if event is Event.SHUTDOWN:
            return self._user.half_close and not tcb.fin_queued and self._may_close(tcb)
        if event is Event.SEND:
            return tcb.snd_end < self._units
        if event is Event.RECEIVE:
            return self._user.reading == "lazy"
        if event is Event.ABORT:
            return self._aborts
        if event in REPEATS:
            return self._timers.retransmission != "none" and not self._spent(tcb)
        if event is Event.USER_TIMEOUT:
            counted = self._max is not None and self._timers.retransmission != "none"
            return self._timers.user_timeout and (not counted or self._spent(tcb))
        return True

    def _may_close(self, tcb: TCB) -> bool:
        if tcb.fin_queued or self._closes == "any":
            return self._closes != "never"
        if self._closes == "after_fin":
            return tcb.state == CLOSE_WAIT
        if self._closes == "after_eof":
            return tcb.state == CLOSE_WAIT and tcb.read == tcb.rcv_text
        return False

    def _spent(self, tcb: TCB) -> bool:
        return self._max is not None and tcb.retransmitted >= self._max

    def _settled(self, outcome: Outcome) -> Outcome:
        """Return the outcome with an eager user's reading done and the count kept in its bound."""
        tcb = outcome.tcb
        if tcb.retransmitted and (self._max is None or tcb.retransmitted > self._max):
            tcb = tcb._replace(retransmitted=self._max or 0)
        if self._user.reading == "eager" and tcb.read != tcb.rcv_text:
            tcb = tcb._replace(read=tcb.rcv_text)
        return outcome._replace(tcb=tcb)


def conditions(inbound: int, outbound: int, capacity: int) -> Guard:
    """Return what is so of the channels, given how many segments each of them holds."""
    found = Guard(0)
    if outbound < capacity:
        found |= Guard.OWN_ROOM
    if inbound + outbound < capacity:
        found |= Guard.ROOM
    if not inbound:
        found |= Guard.NOTHING_INBOUND
    if not outbound:
        found |= Guard.NOTHING_OUTBOUND
    return found


def of_peer(peer: TCB) -> Guard:
    """Return what is so of a peer."""
    found = Guard(0)
    if peer_is_done(peer):
        found |= Guard.PEER_DONE
    if peer.state == CLOSED:
        found |= Guard.PEER_CLOSED
    return found


def peer_is_done(peer: TCB) -> bool:
    """Return whether an ideal TIME-WAIT may end: the peer is CLOSED or in TIME-WAIT itself.

    Waiting for CLOSED alone would keep both ends of a simultaneous close waiting for ever.
    """
    return peer.state in (CLOSED, TIME_WAIT)


class PlainEngine:
    """The steps of a model: `initial` and `successors(state)` are all that there is to it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.ends = (End(model, 0), End(model, 1))
        self.initial = ProductState(self.ends[0].initial, self.ends[1].initial)

    def successors(self, state: ProductState) -> list[Transition]:
        """Return every step from `state`, in canonical order: actor, event, segment."""
        return [*self.steps_of(0, state), *self.steps_of(1, state)]

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
            outcome = self.ends[actor].arrival(state.b if actor else state.a, seg)
            yield self._step(state, Action(actor, Event.SEGMENT_ARRIVES, seg), outcome, rest)

    def next_arrivals(self, channel: Channel) -> list[tuple[Segment, Channel]]:
        """Return the segments that may arrive next, each with what then remains in the channel."""
        network = self.model.network
        if network.order == "fifo":
            return [(channel[0], channel[1:])] if channel else []
        if network.order == "set" and network.duplication:
            return [(seg, channel) for seg in channel]
        return [(channel[i], channel[:i] + channel[i + 1 :]) for i in _distinct(channel)]

    def network_steps(self, actor: int, state: ProductState) -> Iterator[Transition]:
        """Return what the network does to the segments on their way to an end."""
        if self.model.network.loss:
            yield from self._losses(state, actor)
        if self.model.network.duplication and self.model.network.order != "set":
            yield from self._duplications(state, actor)

    def _losses(self, state: ProductState, actor: int) -> Iterator[Transition]:
        inbound = state.a_to_b if actor else state.b_to_a
        for position in _distinct(inbound):
            rest = inbound[:position] + inbound[position + 1 :]
            action = Action(actor, Event.SEGMENT_IS_LOST, inbound[position])
            yield _moved(state, action, rest, head=rest == inbound[1:])

    def _duplications(self, state: ProductState, actor: int) -> Iterator[Transition]:
        inbound = state.a_to_b if actor else state.b_to_a
        network = self.model.network
        in_flight = len(inbound) if network.loss else len(state.a_to_b) + len(state.b_to_a)
        if in_flight >= network.capacity:
            return
        for position in _distinct(inbound):
            more = (*inbound[: position + 1], *inbound[position:])
            action = Action(actor, Event.SEGMENT_IS_DUPLICATED, inbound[position])
            yield _moved(state, action, more, head=False)

    def _step(
        self, state: ProductState, action: Action, outcome: Outcome, inbound: Channel | None
    ) -> Transition:
        """Return the step in which the actor becomes `outcome`, having taken from its channel."""
        a, b, a_to_b, b_to_a = state
        overflow = False
        if action.actor:
            b = outcome.tcb
            a_to_b = a_to_b if inbound is None else inbound
            b_to_a, overflow = pushed(b_to_a, outcome.sent, self.model.network)
        else:
            a = outcome.tcb
            b_to_a = b_to_a if inbound is None else inbound
            a_to_b, overflow = pushed(a_to_b, outcome.sent, self.model.network)
        target = ProductState(a, b, a_to_b, b_to_a)
        head = inbound is not None
        return Transition(action, outcome.rules, outcome.sent, overflow, head, target)


def _distinct(channel: Channel) -> list[int]:
    """Return one position for each segment, equal neighbours counted once, in segment order."""
    places = [i for i, seg in enumerate(channel) if i == 0 or seg != channel[i - 1]]
    return sorted(places, key=lambda i: (channel[i], i))


def pushed(channel: Channel, seg: Segment | None, network: Network) -> tuple[Channel, bool]:
    """Return the channel with `seg` in it, and whether there was no room for it."""
    if seg is None or (network.order == "set" and seg in channel):
        return channel, False
    if len(channel) >= network.capacity:
        assert network.loss, "a lossless network makes every sender wait for room"
        return channel, True
    if network.order == "fifo":
        return (*channel, seg), False
    return tuple(sorted((*channel, seg))), False


def _moved(state: ProductState, action: Action, inbound: Channel, *, head: bool) -> Transition:
    """Return the step in which only the channel towards the actor changes."""
    target = state._replace(a_to_b=inbound) if action.actor else state._replace(b_to_a=inbound)
    return Transition(action, (), None, False, head, target)
