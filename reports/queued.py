"""What an end may still have to send: text that is queued, and a FIN behind it that nobody sees.

A user may close while text waits for the peer's window, or for the congestion window.  The end then
has left ESTABLISHED or CLOSE-WAIT long before its FIN is seen; and if the peer's FIN arrived in
between, the two have crossed.  That is possible only while some of its text is not acknowledged, or
the peer's window is zero: otherwise the FIN would have been sent at once.  Where text was lost one
segment may be all that is allowed out, so that the peer's FIN itself, or an ACK that has been
captured and is under way, lets go what waits.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from enum import IntEnum

from reports.observer import Seen
from tcpclose_model.protocol.vocabulary import State


class Crossing(IntEnum):
    """Whether an end may have closed before its peer's FIN arrived, its own not yet sent."""

    NO = 0
    IF_TEXT_FOLLOWS = 1
    MAYBE = 2


@dataclass(slots=True)
class Queued:
    """What was seen of both ends; of resets only what was seen before the first (`at_reset`).

    sent: the number behind all text and FIN.  acked: the highest number that each acknowledges.
    shut: whether the window that it offers is zero.  fins: the number behind its FIN.
    lost: whether it has sent its last text again.
    _covered: what its peer had sent before it acknowledged all: what is acknowledged behind that
    has come with that ACK, or after it.
    first: whose FIN was seen first.  at_once: the other one was sent before that had arrived.
    """

    acked: list[int]
    shut: list[bool]
    lost: list[bool]
    sent: list[int] = field(default_factory=lambda: [0, 0])
    fins: list[int | None] = field(default_factory=lambda: [None, None])
    first: int | None = None
    at_once: bool = False
    at_reset: Queued | None = None
    _text: list[bool] = field(default_factory=lambda: [False, False])
    _covered: list[int | None] = field(init=False)
    _waited: list[bool] = field(default_factory=lambda: [False, False])
    _crossing: list[Crossing] = field(default_factory=lambda: [Crossing.NO, Crossing.NO])

    def after(self, end: int, seg: Seen, *, shut: bool) -> Queued:
        """Return what has been seen once an end has sent a segment, too."""
        now = deepcopy(self)
        if not seg.rst:
            now._take(end, seg, shut=shut)
        elif self.at_reset is None:
            now.at_reset = deepcopy(self)
        return now

    def _take(self, end: int, seg: Seen, *, shut: bool) -> None:
        fin = self.fins[1 - end]
        if self.fins[end] is None and fin is not None and seg.ack >= fin:
            self._crossing[end] = self._crosses(end, seg, first=self.acked[end] < fin)
        if self._covered[1 - end] is None and seg.ack >= self.sent[1 - end]:
            self._covered[1 - end] = self.sent[end]
        if seg.end > self.sent[end]:
            self._covered[end] = None
        if seg.fin and self.fins[end] is None:
            self._waited[1 - end] = self.lost[1 - end] and self.waits(1 - end)
        self.lost[end] |= bool(seg.text) and seg.seq < self.sent[end]
        self.acked[end] = max(self.acked[end], seg.ack)
        self.sent[end] = max(self.sent[end], seg.end)
        self.shut[end] = shut
        self._text[end] = bool(seg.text)
        if seg.fin:
            if self.fins[end] is None:
                self.at_once = fin is not None and seg.ack < fin
                self.first = end if self.first is None else self.first
            self.fins[end] = seg.end

    def __post_init__(self) -> None:
        self._covered = [None if acked < 0 else 0 for acked in reversed(self.acked)]

    def _crosses(self, end: int, seg: Seen, *, first: bool) -> Crossing:
        """Return whether the two FINs may cross, now that the end acknowledges its peer's."""
        if first:
            if self.waits(end) or self._waited[end]:
                return Crossing.MAYBE
            return Crossing.IF_TEXT_FOLLOWS if self._text[end] else Crossing.NO
        if self._crossing[end] is Crossing.IF_TEXT_FOLLOWS:
            return Crossing.MAYBE if seg.text else Crossing.NO
        still = self.waits(end) or seg.text or (seg.fin and self._waited[end])
        return self._crossing[end] if still else Crossing.NO

    def unacknowledged(self, end: int) -> int:
        """Return how many octets of an end's text are not acknowledged."""
        fin = self.fins[end]
        return max(0, self.sent[end] - (fin is not None) - self.acked[1 - end])

    def waits(self, end: int) -> bool:
        """Return whether text or a FIN of the end may be queued.

        An ACK that was captured may be under way yet, which matters where text was sent again.
        """
        if self.sent[end] > self.acked[1 - end] or self.shut[1 - end]:
            return True
        covered = self._covered[end]
        return self.lost[end] and (covered is None or self.acked[end] <= covered)

    def crossed(self, end: int) -> bool:
        """Return whether an end may have closed before its peer's FIN arrived, unseen."""
        return self._crossing[end] is Crossing.MAYBE

    def widened(self, end: int, states: tuple[State, ...]) -> tuple[State, ...]:
        """Return the states that an end may be in, a FIN being queued, beside those given."""
        crossed, unsent = self.crossed(end), self.fins[end] is None
        if not crossed and not (unsent and self.waits(end)):
            return states
        found = set(states)
        if unsent and self.waits(end):
            if State.ESTABLISHED in found:
                found.add(State.FIN_WAIT_1)
            if State.CLOSE_WAIT in found:
                found |= {State.LAST_ACK, State.CLOSING} if crossed else {State.LAST_ACK}
        elif not unsent:
            if State.LAST_ACK in found:
                found.add(State.CLOSING)
            if State.CLOSED in found and self.at_reset is None:
                found.add(State.TIME_WAIT)
        return tuple(sorted(found))
