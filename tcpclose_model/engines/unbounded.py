"""A model over channels without a bound: what an end does, as numbers, and what that needs.

Every run over channels of some capacity is a run over channels without a bound that lose any
segment at any position (what overflows is sent and lost), and every run over those, being finite,
fits some capacity.  So what is reached there is what is reached at the capacities taken together.
It holds no rule of TCP: the plain engine says what happens, once for each TCB and segment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tcpclose_model.engines.guards import NOTHING_IN_FLIGHT, Guard, guard, of_peer
from tcpclose_model.engines.plain import PlainEngine, ProductState
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.space import Move

Pair = tuple[int, int]
"""Both ends: the number of A's TCB and of B's."""

NOTHING = 0
"""The number of no segment."""

OF_THE_PEER = Guard.PEER_DONE | Guard.PEER_CLOSED


class Step(NamedTuple):
    """What one end does: the event, the arriving segment, its TCB after it, what it sends.

    needs: what must be so of the rest; that there is room is always so.  rules: the rows.
    """

    event: Event
    segment: int
    after: int
    sent: int
    needs: Guard
    rules: tuple[Rule, ...]


Ban = Callable[[Pair, int, Step], bool]
"""Which steps are left out: from which pair, of which end."""


class Unbounded:
    """Both ends of a model as numbers, filled on demand.

    moves, network_moves: steps as predicates see them, by end, TCB before, event and segment, or by
    end and segment; kept by whoever makes them.

    Raises ModelError for a model whose network does not lose what it likes, or which has a clock.
    """

    def __init__(self, model: Model) -> None:
        refuse_what_does_not_lose(model)
        self.model = model
        self._plain = PlainEngine(model)
        self.tcbs: tuple[list[TCB], list[TCB]] = ([], [])
        self.segments: list[Segment] = [Segment(-1)]  # number 0 is no segment
        self._tcb_numbers: tuple[dict[TCB, int], dict[TCB, int]] = ({}, {})
        self._segment_numbers: dict[Segment, int] = {}
        self._local: dict[tuple[int, int], tuple[Step, ...]] = {}
        self._arrivals: dict[tuple[int, int, int], Step | None] = {}
        self._of_peer: dict[tuple[int, int], Guard] = {}
        self.moves: dict[tuple[int, int, Event, int], Move] = {}
        self.network_moves: dict[tuple[int, int], list[Move]] = {}
        initial = self._plain.initial
        self.start: Pair = (self.number(0, initial.a), self.number(1, initial.b))

    def number(self, end: int, tcb: TCB) -> int:
        """Return the number of an end's TCB; a new one gets the next."""
        numbers = self._tcb_numbers[end]
        known = numbers.get(tcb)
        if known is None:
            known = numbers[tcb] = len(self.tcbs[end])
            self.tcbs[end].append(tcb)
        return known

    def segment(self, seg: Segment | None) -> int:
        """Return the number of a segment, 0 for none; a new one gets the next."""
        if seg is None:
            return NOTHING
        known = self._segment_numbers.get(seg)
        if known is None:
            known = self._segment_numbers[seg] = len(self.segments)
            self.segments.append(seg)
        return known

    def pairs(self, both: Iterable[tuple[TCB, TCB]]) -> set[Pair]:
        """Return pairs of TCBs as numbers."""
        return {(self.number(0, a), self.number(1, b)) for a, b in both}

    def local(self, end: int, own: int) -> tuple[Step, ...]:
        """Return the calls, the output and the timeouts of an end's TCB."""
        known = self._local.get((end, own))
        if known is None:
            steps = []
            for event, outcome in self._plain.ends[end].local(self.tcbs[end][own]):
                needs = guard(self.model, event, sends=outcome.sent is not None)
                needs &= NOTHING_IN_FLIGHT | OF_THE_PEER
                after, sent = self.number(end, outcome.tcb), self.segment(outcome.sent)
                steps.append(Step(event, NOTHING, after, sent, needs, outcome.rules))
            known = self._local[end, own] = tuple(steps)
        return known

    def arrival(self, end: int, own: int, segment: int) -> Step | None:
        """Return what the arrival of a segment does to a TCB, or None where the rows fail.

        What is asked need not be reachable, so a row may find values there that it was not
        written for, or no row may fit.
        """
        key = (end, own, segment)
        if key not in self._arrivals:
            try:
                outcome = self._plain.ends[end].arrival(self.tcbs[end][own], self.segments[segment])
            except Exception:
                self._arrivals[key] = None
            else:
                after, sent = self.number(end, outcome.tcb), self.segment(outcome.sent)
                self._arrivals[key] = Step(
                    Event.SEGMENT_ARRIVES, segment, after, sent, Guard(0), outcome.rules
                )
        return self._arrivals[key]

    def failure(self, end: int, own: int, segment: int) -> str:
        """Return what the rows complain of when a segment arrives, or ""."""
        try:
            self._plain.ends[end].arrival(self.tcbs[end][own], self.segments[segment])
        except Exception as error:
            return str(error)
        return ""

    def lets(self, pair: Pair, end: int, step: Step) -> bool:
        """Return whether the peer is what a step of `end` needs it to be."""
        needs = step.needs & OF_THE_PEER
        if not needs:
            return True
        peer = (1 - end, pair[1 - end])
        if peer not in self._of_peer:
            self._of_peer[peer] = of_peer(self.tcbs[1 - end][pair[1 - end]])
        return not needs & ~self._of_peer[peer]

    def is_cut(self, pair: Pair) -> bool:
        """Return whether, with nothing in flight, a bound withholds a step."""
        if self.model.bounds.retransmissions_max is None:
            return False
        return self._plain.is_cut(ProductState(self.tcbs[0][pair[0]], self.tcbs[1][pair[1]]))

    @property
    def steps(self) -> Iterable[tuple[int, int, Step]]:
        """Every step that was asked for so far: the end, its TCB before, the step."""
        for (end, own), steps in self._local.items():
            for step in steps:
                yield end, own, step
        for (end, own, _), arrives in self._arrivals.items():
            if arrives is not None:
                yield end, own, arrives


def after(pair: Pair, end: int, step: Step) -> Pair:
    """Return the pair after a step of an end."""
    return (pair[0], step.after) if end else (step.after, pair[1])


def refuse_what_does_not_lose(model: Model) -> None:
    """Raise ModelError unless the network may lose any segment at any time, and has no clock."""
    network = model.network
    what = ""
    if model.time.is_timed:
        what = "a model with a clock bounds how long a segment is on its way"
    elif not network.loss:
        what = (
            "channels that lose nothing stay bounded: without loss most questions about channels "
            "of any capacity are undecidable (with it: --set network.loss=true)"
        )
    elif network.losses_max is not None:
        what = (
            "a network that may lose only so much is bounded by that (without the limit: --set "
            "network.losses_max=none)"
        )
    if what:
        raise ModelError(f"{model.name}: {what}; tcpclose check judges it as it is")
