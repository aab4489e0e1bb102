"""The predicates of the model: small named claims about a TCB and a segment.

A predicate says whether something is so.  It is a straight-line expression of comparisons, `+`, `-`,
`&`, `|` and the helpers of the first section, never `if`, `and`, `or`, `not` or `in`: the same
functions are run on ints, on solver terms and on symbols that print themselves, and only such
code means the same on all three.  `legality.check` refuses any other.
"""

from __future__ import annotations

from collections.abc import Callable

from tcpclose_model.protocol.vocabulary import RCV_WND, TCB, Segment

Predicate = Callable[[TCB, Segment], bool]


# Helpers that work on any kind of value -----------------------------------------------------


def negation(value: bool | int) -> bool:
    """Return the opposite of a truth value (`~True` is -2, so `~` will not do)."""
    return (not value) if isinstance(value, int) else ~value


def is_marked(marks: int, number: int) -> bool:
    """Return whether `number` is in the set `marks` (bit `number` of an int)."""
    return bool(marks >> number & 1) if isinstance(marks, int) else marks.is_marked(number)


def with_mark(marks: int, number: int) -> int:
    """Return the set `marks` with `number` in it."""
    return marks | 1 << number if isinstance(marks, int) else marks.with_mark(number)


def without_mark(marks: int, number: int) -> int:
    """Return the set `marks` with `number` taken out."""
    return marks & ~(1 << number) if isinstance(marks, int) else marks.without_mark(number)


# What the segment is ------------------------------------------------------------------------


def seg_len(seg: Segment) -> int:
    """Return SEG.LEN: units of text, and one each for the SYN and the FIN."""
    return seg.text + seg.fin + seg.syn


def fin_number(seg: Segment) -> int:
    """Return the sequence number that the segment's FIN takes, if it has one."""
    return seg.seq + seg.text


def seg_has_fin(tcb: TCB, seg: Segment) -> bool:
    """The FIN bit is set."""
    return seg.fin == 1


def seg_has_no_fin(tcb: TCB, seg: Segment) -> bool:
    """The FIN bit is not set."""
    return seg.fin == 0


def seg_is_rst(tcb: TCB, seg: Segment) -> bool:
    """The RST bit is set."""
    return seg.rst == 1


def seg_is_not_rst(tcb: TCB, seg: Segment) -> bool:
    """The RST bit is not set."""
    return seg.rst == 0


# First: the sequence number -----------------------------------------------------------------


def _in_window(tcb: TCB, number: int) -> bool:
    return (tcb.rcv_nxt <= number) & (number < tcb.rcv_nxt + RCV_WND)


def seg_is_acceptable(tcb: TCB, seg: Segment) -> bool:
    """Table 6: the segment begins or ends inside the receive window."""
    return _in_window(tcb, seg.seq) | (
        (seg_len(seg) > 0) & _in_window(tcb, seg.seq + seg_len(seg) - 1)
    )


def seg_is_unacceptable(tcb: TCB, seg: Segment) -> bool:
    """Table 6 refuses the segment."""
    return negation(seg_is_acceptable(tcb, seg))


def seg_starts_no_later_than_rcv_nxt(tcb: TCB, seg: Segment) -> bool:
    """The segment leaves no hole before it."""
    return seg.seq <= tcb.rcv_nxt


def seg_is_at_rcv_nxt(tcb: TCB, seg: Segment) -> bool:
    """SEG.SEQ is exactly RCV.NXT."""
    return seg.seq == tcb.rcv_nxt


def seg_is_not_at_rcv_nxt(tcb: TCB, seg: Segment) -> bool:
    """SEG.SEQ is not RCV.NXT."""
    return negation(seg.seq == tcb.rcv_nxt)


# Fifth: the ACK field -----------------------------------------------------------------------


def ack_is_new(tcb: TCB, seg: Segment) -> bool:
    """SND.UNA < SEG.ACK =< SND.NXT."""
    return (tcb.snd_una < seg.ack) & (seg.ack <= tcb.snd_nxt)


def ack_is_old(tcb: TCB, seg: Segment) -> bool:
    """SEG.ACK < SND.UNA."""
    return seg.ack < tcb.snd_una


def ack_is_beyond(tcb: TCB, seg: Segment) -> bool:
    """SEG.ACK > SND.NXT: it acknowledges something not yet sent."""
    return tcb.snd_nxt < seg.ack


def ack_is_within(tcb: TCB, seg: Segment) -> bool:
    """SEG.ACK =< SND.NXT."""
    return seg.ack <= tcb.snd_nxt


def ack_is_the_last_one_again(tcb: TCB, seg: Segment) -> bool:
    """SEG.ACK = SND.UNA."""
    return seg.ack == tcb.snd_una


def our_fin_is_acked(tcb: TCB, seg: Segment) -> bool:
    """Our FIN has been sent, and everything sent is acknowledged."""
    return (tcb.fin_sent == 1) & (tcb.snd_una == tcb.snd_nxt)


# Seventh: the text --------------------------------------------------------------------------


def text_is_next(tcb: TCB, seg: Segment) -> bool:
    """The segment's text covers RCV.NXT."""
    return (seg.seq <= tcb.rcv_nxt) & (tcb.rcv_nxt < seg.seq + seg.text)


def text_is_ahead(tcb: TCB, seg: Segment) -> bool:
    """The segment has text behind a hole."""
    return (seg.text > 0) & (tcb.rcv_nxt < seg.seq)


def held_text_is_next(tcb: TCB, seg: Segment) -> bool:
    """The unit at RCV.NXT is held already."""
    return is_marked(tcb.held, tcb.rcv_nxt)


# Eighth: the FIN ----------------------------------------------------------------------------


def fin_is_next(tcb: TCB, seg: Segment) -> bool:
    """A FIN stands at RCV.NXT: this segment's, or one that is held."""
    arrived = (seg.fin == 1) & (fin_number(seg) == tcb.rcv_nxt)
    return arrived | ((tcb.held_fin > 0) & (tcb.held_fin == tcb.rcv_nxt))


def fin_is_ahead(tcb: TCB, seg: Segment) -> bool:
    """The segment's FIN stands behind a hole, and no FIN that is held is next."""
    held = (tcb.held_fin > 0) & (tcb.held_fin == tcb.rcv_nxt)
    return (seg.fin == 1) & (tcb.rcv_nxt < fin_number(seg)) & negation(held)


# What the user has asked for ----------------------------------------------------------------


def text_is_queued(tcb: TCB, seg: Segment) -> bool:
    """The user has sent text that has not been segmentized."""
    return tcb.snd_nxt < tcb.snd_end


def no_text_is_queued(tcb: TCB, seg: Segment) -> bool:
    """All preceding SENDs have been segmentized."""
    return negation(tcb.snd_nxt < tcb.snd_end)


def user_has_not_closed(tcb: TCB, seg: Segment) -> bool:
    """No CLOSE or SHUTDOWN yet."""
    return tcb.fin_queued == 0


def fin_is_next_to_send(tcb: TCB, seg: Segment) -> bool:
    """A FIN is queued, unsent, and no text stands before it."""
    return (tcb.fin_queued == 1) & (tcb.fin_sent == 0) & (tcb.snd_nxt == tcb.snd_end)


def last_unit_and_fin_are_queued(tcb: TCB, seg: Segment) -> bool:
    """One unit of text and the FIN are all that is queued."""
    return (tcb.fin_queued == 1) & (tcb.snd_nxt + 1 == tcb.snd_end)


def user_is_gone(tcb: TCB, seg: Segment) -> bool:
    """The user has called CLOSE: nobody will read what still arrives."""
    return tcb.released == 1


def user_is_here(tcb: TCB, seg: Segment) -> bool:
    """The user has not called CLOSE (a SHUTDOWN leaves it here)."""
    return tcb.released == 0


def text_is_new(tcb: TCB, seg: Segment) -> bool:
    """The segment has text that has not been taken, in order or not."""
    return text_is_next(tcb, seg) | text_is_ahead(tcb, seg)


def all_text_is_read(tcb: TCB, seg: Segment) -> bool:
    """The user has read all text that was taken."""
    return tcb.read == tcb.rcv_text


def text_is_unread(tcb: TCB, seg: Segment) -> bool:
    """Text has been taken that the user has not read."""
    return tcb.read < tcb.rcv_text


# Timers -------------------------------------------------------------------------------------


def something_is_unacknowledged(tcb: TCB, seg: Segment) -> bool:
    """The retransmission queue is not empty."""
    return tcb.snd_una < tcb.snd_nxt


def nothing_is_unacknowledged(tcb: TCB, seg: Segment) -> bool:
    """The retransmission queue is empty."""
    return tcb.snd_una == tcb.snd_nxt


def text_is_oldest(tcb: TCB, seg: Segment) -> bool:
    """The front of the retransmission queue is a unit of text, by itself."""
    rides = (tcb.fin_with_text == 1) & (tcb.snd_una + 1 == tcb.snd_end)
    return (tcb.snd_una < tcb.snd_nxt) & (tcb.snd_una < tcb.snd_end) & negation(rides)


def text_with_fin_is_oldest(tcb: TCB, seg: Segment) -> bool:
    """The front of the retransmission queue is the last unit together with the FIN."""
    return (tcb.fin_with_text == 1) & (tcb.snd_una + 1 == tcb.snd_end)


def fin_is_oldest(tcb: TCB, seg: Segment) -> bool:
    """The front of the retransmission queue is the FIN."""
    return (tcb.fin_sent == 1) & (tcb.snd_una == tcb.snd_end)


def an_ack_is_due(tcb: TCB, seg: Segment) -> bool:
    """An ACK has been delayed."""
    return tcb.ack_due == 1
