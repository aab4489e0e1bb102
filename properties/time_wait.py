"""How long TIME-WAIT must last so that the passive closer is never reset, found by exploring.

The network loses at most so many segments in a whole run, and delivers every other one within its
lifetime, in any order.  One end closes first.  If TIME-WAIT is over too soon, a segment that the
passive closer sent meets CLOSED, and the reset that answers it hits an end that has done nothing
wrong: it is in LAST-ACK and waits for the ACK of its FIN.

Whether that can happen need not be monotone in the length of TIME-WAIT, so lengths are tried from
the top down.  The top is a length at which TIME-WAIT is never over while the peer is in LAST-ACK.
Every longer one is safe as well: a run in which it is over too soon would, up to the moment when it
had lasted as long as the top, be a run of the top, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from properties.judge import judge
from properties.kinds import Property, never_a_step
from properties.verdict import Answer, Verdict
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network, Time
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import LAST_ACK, Event
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.parameters import with_parameters

CAPACITY = 1_000
"""Segments that a channel holds: more than are ever in flight, since each must arrive in time."""

RESTARTS = {
    "fin": (),
    "nothing": ("protocol.literal_2msl=on",),
    "any": ("protocol.any_segment_restarts_2msl=on",),
}
"""What starts 2MSL anew, by name, as settings: a FIN that comes again (3.10.7.4 as it is meant),
nothing (3.10.7.4 word for word), any segment but a reset (Linux)."""

no_reset_in_last_ack = never_a_step(
    "No reset hits an end in LAST-ACK.",
    lambda before, step, after: (
        step.mine
        and step.arrives
        and step.segment is not None
        and step.segment.rst == 1
        and after.me.state != LAST_ACK
    ),
    when=lambda s: s.me.state == LAST_ACK,
    name="no_reset_in_last_ack",
    each_end=True,
    source="RFC 9293 3.6.1: TIME-WAIT stays to acknowledge the FIN again",
    says=lambda s: "an end in LAST_ACK is reset: TIME-WAIT was over too soon",
)

time_wait_outlasts_last_ack = never_a_step(
    "2MSL does not go off while the peer is in LAST-ACK.",
    lambda before, step, after: (
        step.mine and step.event is Event.TIME_WAIT_TIMEOUT and before.peer.state == LAST_ACK
    ),
    name="time_wait_outlasts_last_ack",
    each_end=True,
    source="the top of the lengths to try",
)


@dataclass(frozen=True, slots=True)
class Question:
    """For which network and which ends a length is asked; durations in ticks.

    losses: of the whole run; timeouts: the RTO before the first, second, ... retransmission, the
    last repeating; restart: a name of `RESTARTS`; settings: other parameters and switches of the
    model, as `--set` takes them.
    """

    losses: int = 1
    lifetime: int = 1
    timeouts: tuple[int, ...] = (2,)
    slack: int = 0
    restart: str = "fin"
    settings: tuple[str, ...] = ()

    def model(self, wait: int) -> Model:
        """Return the model in which TIME-WAIT lasts `wait` ticks."""
        network = Network(order="any", capacity=CAPACITY, losses_max=self.losses)
        time = Time(
            segment_lifetime=self.lifetime,
            retransmission=self.timeouts,
            slack=self.slack,
            time_wait=wait,
        )
        application = Application(closes="a_first", data_units=(0, 0))
        model = Model(
            a=RFC9293, b=RFC9293, network=network, application=application, time=time
        ).named(f"TIME-WAIT of {wait}")
        return with_parameters(model, (*RESTARTS[self.restart], *self.settings))

    def timeout(self, number: int) -> int:
        """Return the RTO before a retransmission; the first one is number 0."""
        return self.timeouts[min(number, len(self.timeouts) - 1)]

    @property
    def formula(self) -> int:
        """The longest TIME-WAIT that fails, as theory has it.

        The last ACK and all but one of the FINs sent again are lost; the one that gets through
        comes after so many timeouts, and takes as long as a segment can.
        """
        waited = sum(self.timeout(number) + self.slack for number in range(self.losses))
        return waited + self.lifetime * (2 if self.ack_is_overtaken else 1)

    @property
    def ack_is_overtaken(self) -> bool:
        """Whether TIME-WAIT must last until the ACK of that FIN has arrived, too.

        If nothing restarts 2MSL, it may be over while the ACK is in flight; if the next timeout
        comes soon enough, another FIN then brings a reset that overtakes the ACK.
        """
        soon = self.timeout(self.losses) <= 2 * self.lifetime
        return self.restart == "nothing" and self.losses > 0 and soon


@dataclass(frozen=True, slots=True)
class Threshold:
    """What was found: the longest TIME-WAIT that fails, and a shortest run that shows it.

    fails: in ticks; None if every length is long enough, even none at all.
    top: the length from which the search went down (see above).
    unknown: the limit that was hit before an answer was found, or "".
    explored, states: how many models were explored, and the states of the largest.
    """

    question: Question
    fails: int | None
    top: int
    run: Run | None
    unknown: str
    explored: int
    states: int

    @property
    def enough(self) -> int:
        """The shortest TIME-WAIT from which on every length is long enough."""
        return 0 if self.fails is None else self.fails + 1

    @property
    def agrees(self) -> bool:
        """Whether theory says the same."""
        return self.fails == self.question.formula


class _LimitHitError(Exception):
    """A limit was hit in one of the models."""


class _Asker:
    """Explores the models of a question, each once, and judges them."""

    def __init__(self, question: Question, search: Callable[[Model], StateSpace]) -> None:
        self._question, self._search = question, search
        self._known: dict[int, tuple[Verdict, Verdict]] = {}
        self.states = 0

    @property
    def explored(self) -> int:
        return len(self._known)

    def lasts(self, wait: int) -> bool:
        """Return whether TIME-WAIT outlasts LAST-ACK in every run."""
        return self._verdicts(wait)[0].answer is not Answer.VIOLATED

    def failure(self, wait: int) -> Run | None:
        """Return a shortest run in which an end in LAST-ACK is reset."""
        return self._verdicts(wait)[1].run

    def _verdicts(self, wait: int) -> tuple[Verdict, Verdict]:
        if wait not in self._known:
            space = self._search(self._question.model(wait))
            self.states = max(self.states, len(space))
            if space.stopped or space.cut:
                cut = "runs are cut off by bounds.retransmissions_max"
                raise _LimitHitError(f"TIME-WAIT of {wait}: {space.stopped or cut}")
            claims: tuple[Property, Property] = (time_wait_outlasts_last_ack, no_reset_in_last_ack)
            self._known[wait] = (judge(space, claims[0]), judge(space, claims[1]))
        return self._known[wait]


def threshold(question: Question, search: Callable[[Model], StateSpace] = explore) -> Threshold:
    """Return the longest TIME-WAIT under which the passive closer can be reset.

    search: explores a model; where it stops early, or a bound cuts runs off, the answer is unknown.
    """
    asker = _Asker(question, search)
    try:
        top = _top(asker, question.formula + 1)
        for wait in range(top - 1, -1, -1):
            run = asker.failure(wait)
            if run is not None:
                return Threshold(question, wait, top, run, "", asker.explored, asker.states)
    except _LimitHitError as error:
        return Threshold(question, None, 0, None, str(error), asker.explored, asker.states)
    return Threshold(question, None, top, None, "", asker.explored, asker.states)


def _top(asker: _Asker, guess: int) -> int:
    """Return the least length at which TIME-WAIT outlasts LAST-ACK, as every longer one does.

    guess: where to look first; a good one saves models to explore, and changes nothing else.
    """
    shorter, longer, reach = -1, guess, 1
    if asker.lasts(longer):
        while longer - reach > shorter and asker.lasts(longer - reach):
            longer, reach = longer - reach, 2 * reach
        shorter = max(longer - reach, shorter)
    else:
        while not asker.lasts(longer):
            shorter, longer, reach = longer, longer + reach, 2 * reach
    while longer - shorter > 1:
        middle = (shorter + longer) // 2
        if asker.lasts(middle):
            longer = middle
        else:
            shorter = middle
    return longer
