"""The nouns of the model: states, events, segments and the TCB of one end.

Abstractions, and why each is sound for the question "does this close always work?":

- Sequence numbers are relative and never wrap: the first unit of text is 0, and a FIN takes the
  number behind the last unit.  A connection sends a handful of units, far from a wrap-around.
- Text is counted in units; one segment carries at most one unit.  Octets inside a segment share
  its fate.
- The receive window is never closed and never full (`RCV_WND`), but for the switch `flow_control`.
- Every run starts with both ends ESTABLISHED; there is one incarnation, and no SYN, but for the
  switch `reopens`.
- URG, PSH, security and options do not bear on the close and are left out.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

RCV_WND = 65_535
"""Receive window in units: wider than anything the model sends, so it never limits."""


class State(IntEnum):
    """The states of RFC 9293 3.3.2: the eight that take part in a close, then those of opening.

    Only a table that `opening` has been added to has the latter, and a second incarnation.
    """

    ESTABLISHED = 0
    FIN_WAIT_1 = 1
    FIN_WAIT_2 = 2
    CLOSING = 3
    TIME_WAIT = 4
    CLOSE_WAIT = 5
    LAST_ACK = 6
    CLOSED = 7
    LISTEN = 8
    SYN_SENT = 9
    SYN_RECEIVED = 10


ESTABLISHED = State.ESTABLISHED
FIN_WAIT_1 = State.FIN_WAIT_1
FIN_WAIT_2 = State.FIN_WAIT_2
CLOSING = State.CLOSING
TIME_WAIT = State.TIME_WAIT
CLOSE_WAIT = State.CLOSE_WAIT
LAST_ACK = State.LAST_ACK
CLOSED = State.CLOSED
LISTEN = State.LISTEN
SYN_SENT = State.SYN_SENT
SYN_RECEIVED = State.SYN_RECEIVED

SYNCHRONIZED = (
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    CLOSING,
    TIME_WAIT,
    CLOSE_WAIT,
    LAST_ACK,
)
"""The synchronized states: both ends know both sequence numbers (3.5.2, group 3)."""

OPENING = (LISTEN, SYN_SENT, SYN_RECEIVED)
"""The states before a connection is synchronized; only tables with the rows of `opening` have them."""


class Event(IntEnum):
    """What can happen at an end or to a segment; the value is the rank in the canonical order."""

    CLOSE = 0
    SHUTDOWN = 1
    SEND = 2
    RECEIVE = 3
    ABORT = 4
    OPEN_ACTIVE = 5
    OPEN_PASSIVE = 6
    CRASH = 7
    TRANSMIT = 8
    TRANSMIT_WITH_FIN = 9
    RETRANSMISSION_TIMEOUT = 10
    USER_TIMEOUT = 11
    TIME_WAIT_TIMEOUT = 12
    FIN_WAIT_2_TIMEOUT = 13
    DELAYED_ACK_TIMEOUT = 14
    KEEP_ALIVE_TIMEOUT = 15
    PERSIST_TIMEOUT = 16
    ACK_LIMIT_TIMEOUT = 17
    MIDDLEBOX_TIMEOUT = 18
    SEGMENT_ARRIVES = 19
    SEGMENT_IS_LOST = 20
    SEGMENT_IS_DUPLICATED = 21
    TICK = 22

    @property
    def words(self) -> str:
        """The event as a ladder writes it."""
        return _WORDS.get(self, self.name.replace("_", " "))


_WORDS = {
    Event.TIME_WAIT_TIMEOUT: "2MSL",
    Event.FIN_WAIT_2_TIMEOUT: "FIN_WAIT_2 TIMEOUT",
    Event.KEEP_ALIVE_TIMEOUT: "KEEP-ALIVE TIMEOUT",
}

CALLS = (
    Event.CLOSE,
    Event.SHUTDOWN,
    Event.SEND,
    Event.RECEIVE,
    Event.ABORT,
    Event.OPEN_ACTIVE,
    Event.OPEN_PASSIVE,
)
"""What the user of an end does (RFC 9293 3.10.1 to 3.10.5)."""

FAULTS = (Event.CRASH,)
"""What befalls an end: its host loses power or restarts, and forgets its connections (3.5.1)."""

OUTPUTS = (Event.TRANSMIT, Event.TRANSMIT_WITH_FIN)
"""What the end does by itself as soon as it can: segmentize and send what is queued."""

TIMEOUTS = (
    Event.RETRANSMISSION_TIMEOUT,
    Event.USER_TIMEOUT,
    Event.TIME_WAIT_TIMEOUT,
    Event.FIN_WAIT_2_TIMEOUT,
    Event.DELAYED_ACK_TIMEOUT,
    Event.KEEP_ALIVE_TIMEOUT,
    Event.PERSIST_TIMEOUT,
    Event.ACK_LIMIT_TIMEOUT,
)
"""The timers of RFC 9293 3.10.8 and 3.8, and those that real stacks add."""

LOCAL_EVENTS = CALLS + FAULTS + OUTPUTS + TIMEOUTS
"""What can happen at an end by itself; MIDDLEBOX_TIMEOUT happens at a box beside it."""


class Step(IntEnum):
    """The steps of SEGMENT ARRIVES (RFC 9293 3.10.7), in the standard's order.

    Security and URG (third, sixth) are outside the model.  The values differ from those of
    `Event`, because a cell is keyed by either.
    """

    CLOSED_STEP = 98
    LISTEN_STEP = 99
    SYN_SENT_STEP = 100
    SEQUENCE_STEP = 101
    RST_STEP = 102
    SYN_STEP = 104
    ACK_STEP = 105
    FIN_ACKED_STEP = 106
    TEXT_STEP = 107
    HELD_TEXT_STEP = 108
    FIN_STEP = 109


CLOSED_STEP = Step.CLOSED_STEP
LISTEN_STEP = Step.LISTEN_STEP
SYN_SENT_STEP = Step.SYN_SENT_STEP
SEQUENCE_STEP = Step.SEQUENCE_STEP
RST_STEP = Step.RST_STEP
SYN_STEP = Step.SYN_STEP
ACK_STEP = Step.ACK_STEP
FIN_ACKED_STEP = Step.FIN_ACKED_STEP
TEXT_STEP = Step.TEXT_STEP
HELD_TEXT_STEP = Step.HELD_TEXT_STEP
FIN_STEP = Step.FIN_STEP


class Told(IntEnum):
    """What the user of an end has been told of how the connection ended (MUST-12).

    A close by FINs needs no message of its own: NOTHING means "as you asked".  CRASHED says that
    nobody is left to be told: the user is gone with the host.
    """

    NOTHING = 0
    CONNECTION_RESET = 1
    USER_TIMEOUT = 2
    ABORT_OK = 3
    CRASHED = 4


NOTHING = Told.NOTHING
CONNECTION_RESET = Told.CONNECTION_RESET
USER_TIMEOUT_TOLD = Told.USER_TIMEOUT
ABORT_OK = Told.ABORT_OK
CRASHED = Told.CRASHED


class Segment(NamedTuple):
    """A segment; `text` counts units of text.

    Every segment carries an ACK but a SYN or a RST whose `ack` is 0: there the ACK bit is off
    (what follows a SYN has a number of at least 1, so that such an `ack` is never meant).
    `wnd0` is 1 if the window that it advertises is zero; only tables with `flow_control` look.
    """

    seq: int
    ack: int = 0
    text: int = 0
    fin: int = 0
    rst: int = 0
    wnd0: int = 0
    syn: int = 0
    ts: int = 0
    """TSval of the Timestamps option (RFC 7323), or 0 where the sender does not use it."""
    inc: int = 0
    """Ghost: which incarnation of the connection the sender was in, 0 where there is only one.

    A reset that is formed from a segment alone has that segment's.  No predicate reads it.
    """
    age: int = 0
    """Ticks since it was sent, in timed models; the network's, and never seen by a row."""


FIRST_TSVAL, TSVAL_MAX = 2, 3
"""TSval of either end in the first incarnation, and the latest that a second one may have."""


BASIC_FIELDS = Segment._fields[:6]
"""The fields that a segment of a model with one incarnation has; the others are 0 there."""


SEGMENT_FIELDS = tuple(name for name in Segment._fields if name != "age")
"""The fields of a segment that a row may read, and an effect may set."""

NO_SEGMENT = Segment(0)
"""Stands in for the segment when a row is not about one (calls and timeouts)."""


class TCB(NamedTuple):
    """What one end remembers; numbers are relative sequence numbers in units of text.

    CLOSED means that the TCB is deleted: only the fields in `KEPT_WHEN_CLOSED` survive, as
    ghosts that properties read and no row does.
    """

    state: State = ESTABLISHED
    snd_una: int = 0
    """SND.UNA: the oldest number sent and not yet acknowledged."""
    snd_nxt: int = 0
    """SND.NXT: the next number to be sent."""
    snd_end: int = 0
    """The number behind the last unit the user has sent; the FIN's own number."""
    fin_queued: int = 0
    """1 once the user has closed: a FIN stands behind the text."""
    fin_sent: int = 0
    """1 once the FIN has been transmitted: SND.NXT has passed it."""
    fin_with_text: int = 0
    """1 if the FIN was sent on the segment of the last unit, and so is sent again with it."""
    rcv_nxt: int = 0
    """RCV.NXT: the next number expected."""
    rcv_text: int = 0
    """Units of text taken in order; equals RCV.NXT less the FIN unless a rule is wrong."""
    held: int = 0
    """Out-of-order text held (SHLD-31), one bit per unit."""
    held_fin: int = 0
    """The number of an out-of-order FIN that is held, or 0 (a FIN numbered 0 is in order)."""
    read: int = 0
    """Units of text that the user has read."""
    released: int = 0
    """1 once the user has called CLOSE (not just SHUTDOWN) and will not come back."""
    ack_due: int = 0
    """1 while an ACK is delayed."""
    retransmitted: int = 0
    """Retransmissions since the last new ACK; counted only where a model bounds them."""
    told: Told = NOTHING
    """What the user was told of the connection's end."""


KEPT_WHEN_CLOSED = ("snd_end", "rcv_nxt", "rcv_text", "read", "told")
"""Fields that outlive the TCB, for properties to read."""
