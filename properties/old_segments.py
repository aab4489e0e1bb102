"""How long TIME-WAIT must last so that no old segment changes a new incarnation, by exploring.

Both ends open the same pair of sockets again, with the same numbers: the worst case.  The network
is the timed set, which loses, reorders and (by default) duplicates freely.  An end that has not
heard of its last segment for R timeouts gives up (R2), and whoever leaves by R2 or by a reset keeps
quiet for as long as TIME-WAIT lasts (switch `quiet_time`).

A state is *settled* if nothing old can ever be in flight again; the search does not go on from
there, since the claim cannot be violated any more.  That makes the models small: what the second
incarnation does by itself is never explored.

The claim is not monotone in the length, so lengths are tried from the top down.  The top is a
length at which no TIME-WAIT is over before the state is settled.  If the claim holds there it
holds for every longer wait too.  Take a run with longer waits.  Until some TIME-WAIT has lasted
as long as the top it is a run of the top (a quiet time that is over earlier only lets the user open
earlier, and no user must); at that moment the state is settled, so the rest breaks nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from properties.judge import judge
from properties.kinds import Property, never_a_step
from properties.reopening import SECOND, is_synchronized, no_old_segment_accepted
from properties.time_wait import RESTARTS
from properties.verdict import Answer
from tcpclose_model.engines.channels import Channel
from tcpclose_model.engines.plain import ProductState, incarnation
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Incarnations, Network, Time
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import CLOSED, LISTEN, TIME_WAIT, Event
from tcpclose_model.run import Run
from tcpclose_model.search import explore_until
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.parameters import with_parameters

STATES_MAX = 60_000
"""States of the largest model that is explored, where nothing else is said."""

FIRST_STATES = 12_000
"""States after which a model is first looked at: a short run that fails is found among them."""

LONGEST = 100
"""A length beyond which none is tried."""

SAFER = ("protocol.reopens=on", "protocol.rfc1337=on", "protocol.quiet_time=on")
"""Settings of every question: they can be taken back by further settings."""

time_wait_outlasts_the_old_connection = never_a_step(
    "2MSL does not go off in TIME-WAIT before nothing old can be in flight any more.",
    lambda before, step, after: (
        step.mine and step.event is Event.TIME_WAIT_TIMEOUT and before.me.state == TIME_WAIT
    ),
    name="time_wait_outlasts_the_old_connection",
    each_end=True,
    source="the top of the lengths to try; to be judged where settled states are not explored",
)

IsSettled = Callable[[ProductState], bool]


def settled(model: Model) -> IsSettled:
    """Return whether, in a state of the model, no old segment can ever be in flight again.

    Nothing of the first incarnation is in flight, and neither end can send anything of it:

    - An end in the second incarnation stamps what it sends with that.  A reset that is formed from
      a segment alone has the segment's incarnation, and that is the second.
    - In CLOSED an end sends nothing but such resets, until it opens again.
    - TIME-WAIT answers with ACKs of the first incarnation, but only what arrives: nothing does if
      nothing is in flight and the peer is in CLOSED, LISTEN or TIME-WAIT, and never opens actively.

    Raises ModelError for a model in which TIME-WAIT takes a SYN: there an incarnation can be taken
    back.
    """
    if not model.reopens:
        raise ModelError("old segments: no end opens the connection again (incarnations.opens)")
    for protocol in (model.a, model.b):
        if any(name == "from_time_wait" for name, _ in protocol.fields):
            raise ModelError("old segments: in this model a SYN may end TIME-WAIT and be refused")
    calls = tuple(opens == "active" for opens in model.incarnations.opens)

    def is_settled(state: ProductState) -> bool:
        if _has_old(state.a_to_b) or _has_old(state.b_to_a):
            return False
        nothing = not state.a_to_b and not state.b_to_a
        return _is_done(state.a, nothing and _is_silent(state.b, calls[1])) and _is_done(
            state.b, nothing and _is_silent(state.a, calls[0])
        )

    return is_settled


def _has_old(channel: Channel) -> bool:
    return any(seg.inc < SECOND for seg in channel)


def _is_silent(peer: Any, calls: bool) -> bool:  # Any: a TCB of a table that reopens
    """Return whether an end sends nothing unless something arrives, and never will."""
    return peer.state in (CLOSED, LISTEN, TIME_WAIT) and not calls


def _is_done(tcb: Any, nothing_comes: bool) -> bool:  # Any: as above
    """Return whether an end sends nothing of the first incarnation any more."""
    if incarnation(tcb) >= SECOND or tcb.state == CLOSED:
        return True
    return tcb.state == TIME_WAIT and nothing_comes


@dataclass(frozen=True, slots=True)
class OldSegments:
    """For which network and which ends a length is asked; durations in ticks.

    lifetime: MSL.  timeout: RTO, which stays.  retransmissions: R; R2 is a tick less than R + 1
    timeouts, so that there are no more.  restart: a name of `RESTARTS`.  opens: how either end
    opens again; A closes first.  settings: other parameters and switches, as `--set` takes them.
    """

    lifetime: int = 1
    timeout: int = 2
    retransmissions: int = 1
    restart: str = "fin"
    opens: tuple[str, str] = ("active", "passive")
    settings: tuple[str, ...] = ()

    def model(self, wait: int) -> Model:
        """Return the model in which TIME-WAIT, and a quiet time, last `wait` ticks."""
        model = Model(
            a=RFC9293,
            b=RFC9293,
            network=Network(order="set", duplication=True),
            application=Application(closes="a_first", data_units=(0, 0)),
            incarnations=Incarnations(opens=self.opens, data_units=(1, 1)),
            time=Time(
                segment_lifetime=self.lifetime,
                retransmission=(self.timeout,),
                user_timeout=(self.retransmissions + 1) * self.timeout - 1,
                time_wait=wait,
            ),
        ).named(f"TIME-WAIT of {wait}")
        return with_parameters(model, (*SAFER, *RESTARTS[self.restart], *self.settings))

    @property
    def formula(self) -> int:
        """The longest TIME-WAIT that fails, as theory has it, where the end that waits opens.

        After whatever starts 2MSL for the last time something old may still arrive after one MSL
        and be answered; the answer, and the reset that answers it in turn, take an MSL each.  If
        FINs alone start it anew, the first of the three is another segment.  If nothing does, it is
        the last FIN, R timeouts later.  If all that is answered starts it anew, it is none.
        """
        last = {"any": 0, "fin": self.lifetime, "nothing": self.lifetime}[self.restart]
        late = self.retransmissions * self.timeout if self.restart == "nothing" else 0
        return last + late + 2 * self.lifetime


@dataclass(frozen=True, slots=True)
class SafeWait:
    """What was found: the longest wait that fails, and a shortest run that shows it.

    fails: in ticks; None if none does, or if `always`.
    always: no wait is long enough: `run` has none that ends, so it is a run for every longer one.
    top: the length from which the search went down; every longer one is safe as well.
    unknown: the limit that was hit before an answer was found, or "".
    explored, states: how many models were explored, and the states of the largest.
    """

    question: OldSegments
    fails: int | None
    always: bool
    top: int
    run: Run | None
    unknown: str
    explored: int
    states: int

    @property
    def agrees(self) -> bool:
        """Whether theory says the same."""
        return not self.unknown and not self.always and self.fails == self.question.formula


class _LimitHitError(Exception):
    """A limit was hit in one of the models."""


class _Asker:
    """Explores the models of a question as far as it needs to, and judges them."""

    def __init__(
        self, question: OldSegments, states_max: int, limits: Mapping[str, Any] | None
    ) -> None:
        self._question, self._states_max, self._limits = question, states_max, limits or {}
        self._spaces: dict[int, StateSpace] = {}
        self.states = 0

    @property
    def explored(self) -> int:
        return len(self._spaces)

    def lasts(self, wait: int) -> bool:
        """Return whether no TIME-WAIT is over before the state is settled."""
        return self._run(wait, time_wait_outlasts_the_old_connection) is None

    def failure(self, wait: int) -> Run | None:
        """Return a shortest run in which an old segment changes a new incarnation."""
        return self._run(wait, no_old_segment_accepted)

    def _run(self, wait: int, claim: Property) -> Run | None:
        """Return a shortest run that violates a claim; a part of the states may be enough."""
        limit = FIRST_STATES
        while True:
            space = self._explored(wait, min(limit, self._states_max))
            verdict = judge(space, claim)
            if verdict.answer is Answer.VIOLATED or not space.stopped:
                return verdict.run
            if limit >= self._states_max or len(space) < limit:
                raise _LimitHitError(f"TIME-WAIT of {wait}: {space.stopped}")
            limit *= 5

    def _explored(self, wait: int, limit: int) -> StateSpace:
        known = self._spaces.get(wait)
        if known is None or (known.stopped and len(known) < limit):
            model = self._question.model(wait)
            known = self._spaces[wait] = explore_until(
                model, settled(model), max_states=limit, **self._limits
            )
            self.states = max(self.states, len(known))
        return known


def safe_wait(
    question: OldSegments, states_max: int = STATES_MAX, limits: Mapping[str, Any] | None = None
) -> SafeWait:
    """Return the longest TIME-WAIT under which an old segment can change a new incarnation.

    states_max: states of the largest model that is explored; if that is not enough, the answer is
    unknown.  limits: others of `explore_until`, for each model.
    """
    asker = _Asker(question, states_max, limits)

    def answer(fails: int | None, top: int, run: Run | None, *, always: bool = False) -> SafeWait:
        return SafeWait(question, fails, always, top, run, "", asker.explored, asker.states)

    try:
        start = question.formula + 1
        run = asker.failure(start)
        if run is not None and not _has_a_wait_that_ends(run):
            return answer(None, start, run, always=True)
        top = _top(asker, start)
        for wait in range(top, -1, -1):
            run = asker.failure(wait)
            if run is not None:
                return answer(wait, top, run)
    except _LimitHitError as error:
        return SafeWait(question, None, False, 0, None, str(error), asker.explored, asker.states)
    return answer(None, top, None)


def opened(state: ProductState) -> bool:
    """Return whether both ends are in the second connection, and have agreed upon its numbers."""
    ends = (state.a, state.b)
    return all(is_synchronized(end) and incarnation(end) == SECOND for end in ends)


def _has_a_wait_that_ends(run: Run) -> bool:
    return any(step.action.event is Event.TIME_WAIT_TIMEOUT for step in run.steps)


def _top(asker: _Asker, guess: int) -> int:
    """Return a length from `guess` on that is the top: nothing at it or above it fails."""
    for wait in range(guess, LONGEST):
        if asker.lasts(wait) and asker.failure(wait) is None:
            return wait
    raise _LimitHitError(f"no TIME-WAIT of less than {LONGEST} outlasts the old connection")
