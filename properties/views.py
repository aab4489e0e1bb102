"""What a predicate sees: a state from one end's side, and a step."""

from __future__ import annotations

from collections.abc import Callable

from tcpclose_model.engines.plain import ENDS, Channel
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.space import Move

StatePredicate = Callable[["View"], bool]
StepPredicate = Callable[["View", "StepView", "View"], bool]


class ChannelsNeededError(Exception):
    """A predicate looked at the channels, so knowing both TCBs is not enough to judge it."""


class View:
    """A state: `a`, `b`, `a_to_b`, `b_to_a`; and from one end: `me`, `peer`, `to_me`, `to_peer`.

    For a property about each end the predicate is asked twice, once with A as `me` and once
    with B; for any other property `me` is A.
    """

    __slots__ = ("_channels", "a", "b", "end")

    def __init__(
        self, a: TCB, b: TCB, channels: tuple[Channel, Channel] | None, end: int = 0
    ) -> None:
        self.a, self.b, self._channels, self.end = a, b, channels, end

    @property
    def a_to_b(self) -> Channel:
        """The segments in flight from A to B, the next to arrive first."""
        if self._channels is None:
            raise ChannelsNeededError
        return self._channels[0]

    @property
    def b_to_a(self) -> Channel:
        """The segments in flight from B to A, the next to arrive first."""
        if self._channels is None:
            raise ChannelsNeededError
        return self._channels[1]

    @property
    def me(self) -> TCB:
        """The TCB of the end that the property is about."""
        return self.b if self.end else self.a

    @property
    def peer(self) -> TCB:
        """The TCB of the other end."""
        return self.a if self.end else self.b

    @property
    def to_me(self) -> Channel:
        """The segments on their way to `me`."""
        return self.a_to_b if self.end else self.b_to_a

    @property
    def to_peer(self) -> Channel:
        """The segments on their way to `peer`."""
        return self.b_to_a if self.end else self.a_to_b


class StepView:
    """A step: `actor` ("A" or "B"), `event`, `segment` (arriving, lost or copied), `sent`, `rules`.

    `mine` says whether `me` is the actor; `overflow` that what was sent found the channel full.
    """

    __slots__ = ("_move", "end")

    def __init__(self, move: Move, end: int = 0) -> None:
        self._move, self.end = move, end

    @property
    def actor(self) -> str:
        """The end that acts; for a loss or a copy, the end that the segment was on its way to."""
        return ENDS[self._move.action.actor]

    @property
    def mine(self) -> bool:
        """Whether the actor is `me`."""
        return self._move.action.actor == self.end

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
