"""What was seen of two kernels and of what is between them, followed by the model of both.

All states of the model are kept that may explain what has been seen so far: a state of both ends
and both channels, which must be what the relay holds.  What was done is a step of the model, and so
is whatever a kernel has done by itself: output, and timers that can have gone off by then.  Once no
state is left, the kernels depart from the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reports.covering import Behaviour
from tcpclose_model.engines.plain import ENDS, Channel, PlainEngine, ProductState, Transition
from tcpclose_model.protocol.step import Outcome
from tcpclose_model.protocol.vocabulary import (
    FIN_WAIT_2,
    OUTPUTS,
    TCB,
    TIME_WAIT,
    TIMEOUTS,
    Event,
    Segment,
)
from tests.kernel.allowances import by_itself, of_a_call, of_an_arrival, of_an_option
from tests.kernel.departures import SENT_AGAIN
from tests.kernel.judging import ERRORS, EVENTS, in_units, segment_words
from tests.kernel.schedule import ARRIVES, IS_DUPLICATED, IS_LOST, Done, Look, wire
from tests.kernel.segments import Seen

BY_ITSELF_MAX = 4
"""Events that the kernels may have had by themselves between two looks."""
BY_ITSELF = frozenset((*OUTPUTS, *TIMEOUTS))
STATES_MAX = 20_000
LEAST_SECONDS = {
    Event.FIN_WAIT_2_TIMEOUT: (FIN_WAIT_2, 0.9),
    Event.TIME_WAIT_TIMEOUT: (TIME_WAIT, 55.0),
}
"""By timer a state, and how long an end must have been in it before the timer can have gone off."""
NO_TIMEOUT_SECONDS = 60.0
"""Where no user timeout is set, no kernel gives up earlier."""
Bag = tuple[Segment, ...]
Departure = tuple[str, str, str]
"""What was done, and at which end; what the model has then; what was seen."""


@dataclass(slots=True)
class Followed:
    """How far the model explains what was seen of a run.

    confirmed: of either end, the behaviours that it has shown.
    pairs: the pairs of states that both ends were in at once.
    relayed: how often the relay has done what.
    departs_at: the number of the look that nothing explains, or None.
    stopped: why it could not be followed to its end though nothing departs, or "".
    looks: how many were explained.  most: the most states that were possible at once.
    allowed: how often the kernels did what the profile does not have, for a known reason.
    """

    confirmed: tuple[list[Behaviour], list[Behaviour]] = field(default_factory=lambda: ([], []))
    pairs: dict[tuple[str, str], None] = field(default_factory=dict)
    relayed: Counter[str] = field(default_factory=Counter)
    departs_at: int | None = None
    departure: Departure | None = None
    stopped: str = ""
    looks: int = 0
    most: int = 1
    allowed: Counter[str] = field(default_factory=Counter)


class Possible(NamedTuple):
    """A state that may be, and which end has done what since the last look to get there.

    done: whether what was done since then is among it.  allowed: the reasons why the profile does
    not have it, where it does not.
    """

    state: ProductState
    behaviours: tuple[tuple[int, Behaviour], ...] = ()
    done: bool = False
    allowed: tuple[str, ...] = ()


class Follower:
    """Follows what was seen by a model.

    allows: whether either end may do what it is known to do beside the model (see `allowances`).
    as_they_are: whether they have their defaults, so that there is more of it.

    _seen: of either end, the state that it was seen in last, and the earliest time at which it can
    have entered it.
    """

    def __init__(
        self,
        engine: PlainEngine,
        user_timeouts_ms: tuple[int, int],
        *,
        allows: bool,
        as_they_are: bool = False,
    ) -> None:
        self._engine = engine
        self._gives_up_after = [ms * 0.9 / 1000 or NO_TIMEOUT_SECONDS for ms in user_timeouts_ms]
        self._allows, self._as_they_are = allows, as_they_are
        self._seen = [("", 0.0), ("", 0.0)]
        self._last = 0.0

    def follow(self, log: Sequence[Look], tells: Sequence[str | None]) -> Followed:
        """Return how far the model explains a log, and what the sockets said at its end."""
        found = Followed()
        possible = [self._engine.initial]
        for number, look in enumerate(log):
            explained = [] if look.error else self._explained(possible, look)
            if not explained:
                self._nothing_explains(found, possible, number, look)
                return found
            _count(found, look, explained)
            possible = [one.state for one in explained]
            if len(possible) > STATES_MAX:
                found.stopped = "more states are possible than are followed"
                return found
            for end in (0, 1):
                if look.states[end] != self._seen[end][0]:
                    self._seen[end] = look.states[end], self._last
            self._last = look.at
        for end, said in enumerate(tells):
            tolds = {(one.b if end else one.a).told for one in possible}
            allowed = {error for one in tolds for error in ERRORS.get(one, ("",))}
            if said is not None and said not in allowed:
                found.departs_at = len(log)
                wanted = " or ".join(repr(error) for error in sorted(allowed))
                found.departure = f"{ENDS[end]}: the user is told", wanted, repr(said)
        return found

    def _explained(self, possible: Iterable[ProductState], look: Look) -> list[Possible]:
        """Return the states that what was seen leads to, each with a shortest way to it."""
        final = _bag(look.inbound[0]), _bag(look.inbound[1])
        before = _with(final, look.done)
        layer = [Possible(state, done=look.done is None) for state in possible]
        known: set[tuple[ProductState, bool]] = set()
        found: dict[ProductState, Possible] = {}
        for _ in range(BY_ITSELF_MAX + 2):
            later: list[Possible] = []
            for one in layer:
                key = one.state, one.done
                if key in known or not _is_within(one.state, final if one.done else before):
                    continue
                known.add(key)
                if one.done and _is_so(one.state, look, final):
                    found.setdefault(one.state, one)
                later += self._after(one, look)
            layer = later
        return list(found.values())

    def _after(self, one: Possible, look: Look) -> Iterator[Possible]:
        state = one.state
        if not one.done and look.done is not None:
            for step in self._steps_of(state, look.done):
                yield _further(one, step.target, _behaviour(state, step), done=True)
        for end in (0, 1):
            for step in self._engine.local_steps(end, state):
                event = step.action.event
                if event in BY_ITSELF and self._may_have_gone_off(event, end, look):
                    yield _further(one, step.target, _behaviour(state, step), done=one.done)
        if self._allows:
            yield from self._allowed(one, look)

    def _allowed(self, one: Possible, look: Look) -> Iterator[Possible]:
        """Return what may come next of what the model does not have."""
        state, done, engine = one.state, look.done, self._engine
        for number, actor in enumerate(engine.ends) if self._as_they_are else ():
            for why, outcomes in by_itself(actor, state.b if number else state.a):
                yield self._as_allowed(one, number, why, outcomes, None)
        if one.done or done is None:
            return
        end, tcb = engine.ends[done.end], state.b if done.end else state.a
        if done.segment is None:
            for why, outcomes in of_a_call(end, tcb, EVENTS[done.event]):
                yield self._as_allowed(one, done.end, why, outcomes, None)
        elif done.event == ARRIVES.words:
            wanted = wire(in_units(done.segment))
            for seg, rest in engine.next_arrivals(state.a_to_b if done.end else state.b_to_a):
                if wire(seg) == wanted:
                    ways = list(of_an_arrival(end, tcb, seg))
                    ways += of_an_option(end, tcb, seg) if self._as_they_are else ()
                    for why, outcomes in ways:
                        yield self._as_allowed(one, done.end, why, outcomes, rest)

    def _as_allowed(
        self, one: Possible, end: int, why: str, outcomes: list[Outcome], rest: Channel | None
    ) -> Possible:
        """Return what is possible once an end has done something that is allowed."""
        a, b, a_to_b, b_to_a, losses = one.state
        inbound, outbound = (a_to_b, b_to_a) if end else (b_to_a, a_to_b)
        inbound = inbound if rest is None else rest
        for outcome in outcomes:
            outbound, _ = self._engine.pushed(outbound, outcome.sent)
        tcb = outcomes[-1].tcb
        state = (
            ProductState(a, tcb, inbound, outbound, losses)
            if end
            else ProductState(tcb, b, outbound, inbound, losses)
        )
        done = one.done or why != SENT_AGAIN
        return one._replace(state=state, done=done, allowed=(*one.allowed, why))

    def _may_have_gone_off(self, event: Event, end: int, look: Look) -> bool:
        """Return whether a timer that ends an end can have gone off by then."""
        if event is Event.USER_TIMEOUT:
            return look.at >= self._gives_up_after[end]
        if event not in LEAST_SECONDS:
            return True
        state, seconds = LEAST_SECONDS[event]
        seen, since = self._seen[end]
        return look.at - (since if seen == state.name else self._last) >= seconds

    def _steps_of(self, state: ProductState, done: Done) -> Iterator[Transition]:
        """Return the steps of the model that are what was done."""
        event, engine = EVENTS[done.event], self._engine
        if done.segment is None:
            calls = engine.local_steps(done.end, state)
            yield from (step for step in calls if step.action.event is event)
            return
        seg = wire(in_units(done.segment))
        ways = engine.arrivals if event is ARRIVES else engine.network_steps
        for step in ways(done.end, state):
            known = step.action.segment
            if step.action.event is event and known is not None and wire(known) == seg:
                yield step

    def _nothing_explains(
        self, found: Followed, possible: list[ProductState], number: int, look: Look
    ) -> None:
        """Note that the kernels depart, or that what was done is not possible in the model."""
        done = look.done
        steps = [
            step for state in possible if done is not None for step in self._steps_of(state, done)
        ]
        if done is not None and not steps and not look.error:
            found.stopped = f"{done.event} is not possible for {ENDS[done.end]}"
            return
        found.departs_at = number
        event = f"{ENDS[done.end]} {done.event}" if done is not None else "BY ITSELF"
        wanted = dict.fromkeys(_told_step(step) for step in steps)
        found.departure = event, " or ".join(wanted) or "nothing", _told_look(look)


def _count(found: Followed, look: Look, explained: list[Possible]) -> None:
    found.looks += 1
    found.most = max(found.most, len(explained))
    found.pairs[look.states] = None
    if look.done is not None and look.done.segment is not None:
        found.relayed[look.done.event] += 1
        found.relayed["OVERTAKES"] += look.done.overtakes
    likely = min(explained, key=lambda one: (len(one.allowed), len(one.behaviours)))
    found.allowed.update(likely.allowed)
    for end, behaviour in likely.behaviours:
        found.confirmed[end].append(behaviour)


def _further(
    one: Possible, state: ProductState, more: tuple[tuple[int, Behaviour], ...], *, done: bool
) -> Possible:
    return Possible(state, (*one.behaviours, *more), done, one.allowed)


def _behaviour(state: ProductState, step: Transition) -> tuple[tuple[int, Behaviour], ...]:
    """Return what an end does in a step, and which; nothing where only the relay acts."""
    end, event = step.action.actor, step.action.event
    if event in (IS_LOST, IS_DUPLICATED):
        return ()
    before = state.b if end else state.a
    return ((end, Behaviour(before.state, event, step.rules)),)


def _bag(inbound: Sequence[Seen]) -> Bag:
    """Return what is on its way to an end, in the model's numbers, without an order."""
    return tuple(sorted(wire(in_units(seg)) for seg in inbound))


def _with(final: tuple[Bag, Bag], done: Done | None) -> tuple[Bag, Bag]:
    """Return the most that can have been on its way before something was done."""
    if done is None or done.segment is None or done.event == IS_DUPLICATED.words:
        return final
    more = tuple(sorted((*final[done.end], wire(in_units(done.segment)))))
    return (final[0], more) if done.end else (more, final[1])


def _bags(state: ProductState) -> tuple[Bag, Bag]:
    a, b = (tuple(sorted(wire(seg) for seg in way)) for way in (state.b_to_a, state.a_to_b))
    return a, b


def _is_within(state: ProductState, bags: tuple[Bag, Bag]) -> bool:
    """Return whether all that is on its way in a state is in these bags."""
    return all(not Counter(own) - Counter(bag) for own, bag in zip(_bags(state), bags, strict=True))


def _is_so(state: ProductState, look: Look, final: tuple[Bag, Bag]) -> bool:
    """Return whether a state is what was seen."""
    return (state.a.state.name, state.b.state.name) == look.states and _bags(state) == final


def _told_step(step: Transition) -> str:
    """Return what the model has an end do, in words."""
    tcb: TCB = step.target.b if step.action.actor else step.target.a
    sent = "nothing sent" if step.sent is None else segment_words(step.sent)
    rules = ", ".join(rule.name for rule in step.rules)
    return f"{tcb.state.name}, {sent} ({rules})"


def _told_look(look: Look) -> str:
    """Return what was seen, in words."""
    flying = [", ".join(str(seg) for seg in way) or "nothing" for way in look.inbound]
    told = f"A {look.states[0]}, B {look.states[1]}; to A {flying[0]}; to B {flying[1]}"
    return f"{told}; {look.error}" if look.error else told
