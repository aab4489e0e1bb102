"""What a predicate sees: a state from one end's side, and a step."""

from __future__ import annotations

from collections.abc import Callable

from tcpclose_model.engines.plain import ACTORS, Channel
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.space import Move

StatePredicate = Callable[["View"], bool]
StepPredicate = Callable[["View", "StepView", "View"], bool]


class ChannelsNeededError(BaseException):
    """A predicate looked at the channels, so knowing both TCBs is not enough to judge it.

    Like the next one no `Exception`, so that a predicate which catches those does not catch this.
    """


class AbsoluteNameError(BaseException):
    """A predicate named A or B, so what it says of one end is not what it says of the other."""


FROM_A, FROM_B, FROM_EITHER = 0, 1, 2
"""Where a predicate looks from.  FROM_EITHER is from A, and naming A or B is an error."""


class View:
    """A state: `a`, `b`, `a_to_b`, `b_to_a`; and from one end: `me`, `peer`, `to_me`, `to_peer`.

    For a property about each end the predicate is asked twice, once with A as `me` and once
    with B; for any other property `me` is A.
    """

    __slots__ = ("_a", "_b", "_channels", "_end")

    def __init__(
        self, a: TCB, b: TCB, channels: tuple[Channel, Channel] | None, end: int = FROM_A
    ) -> None:
        self._a, self._b, self._channels, self._end = a, b, channels, end

    @property
    def a(self) -> TCB:
        """The TCB of end A."""
        if self._end == FROM_EITHER:
            raise AbsoluteNameError
        return self._a

    @property
    def b(self) -> TCB:
        """The TCB of end B."""
        if self._end == FROM_EITHER:
            raise AbsoluteNameError
        return self._b

    @property
    def a_to_b(self) -> Channel:
        """The segments in flight from A to B, the next to arrive first."""
        if self._end == FROM_EITHER:
            raise AbsoluteNameError
        return self._in_flight(0)

    @property
    def b_to_a(self) -> Channel:
        """The segments in flight from B to A, the next to arrive first."""
        if self._end == FROM_EITHER:
            raise AbsoluteNameError
        return self._in_flight(1)

    def _in_flight(self, direction: int) -> Channel:
        if self._channels is None:
            raise ChannelsNeededError
        return self._channels[direction]

    @property
    def me(self) -> TCB:
        """The TCB of the end that the property is about."""
        return self._b if self._end == FROM_B else self._a

    @property
    def peer(self) -> TCB:
        """The TCB of the other end."""
        return self._a if self._end == FROM_B else self._b

    @property
    def to_me(self) -> Channel:
        """The segments on their way to `me`."""
        return self._in_flight(0 if self._end == FROM_B else 1)

    @property
    def to_peer(self) -> Channel:
        """The segments on their way to `peer`."""
        return self._in_flight(1 if self._end == FROM_B else 0)


class StepView:
    """A step: `actor` ("A", "B"; "time" for a tick), `event`, `segment`, `sent`, `rules`.

    `segment` arrives, is lost or is copied; `mine` says whether `me` is the actor; `overflow` that
    what was sent found the channel full.
    """

    __slots__ = ("_end", "_move")

    def __init__(self, move: Move, end: int = FROM_A) -> None:
        self._move, self._end = move, end

    @property
    def actor(self) -> str:
        """The end that acts; for a loss or a copy, the one that the segment was on its way to.

        It is "time" for a tick.
        """
        if self._end == FROM_EITHER:
            raise AbsoluteNameError
        return ACTORS[self._move.action.actor]

    @property
    def mine(self) -> bool:
        """Whether the actor is `me`."""
        return self._move.action.actor == (1 if self._end == FROM_B else 0)

    @property
    def event(self) -> Event:
        """What happens."""
        return self._move.action.event

    @property
    def segment(self) -> Segment | None:
        """The segment that arrives, is lost or is copied."""
        return self._move.action.segment

    @property
    def sent(self) -> Segment | None:
        """The segment that the actor sends."""
        return self._move.sent

    @property
    def overflow(self) -> bool:
        """Whether what was sent was lost at once, the channel being full."""
        return self._move.overflow

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rows that were carried out."""
        return tuple(rule.name for rule in self._move.rules)

    @property
    def sends_reset(self) -> bool:
        """Whether a RST is sent."""
        return self._move.sent is not None and self._move.sent.rst == 1

    @property
    def arrives(self) -> bool:
        """Whether a segment arrives."""
        return self._move.delivers
