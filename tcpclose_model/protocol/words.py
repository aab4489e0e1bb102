"""The verbs of the model: small named predicates and effects over a TCB and a segment.

A predicate says whether something is so; an effect returns either the fields it changes or the
segment it sends.  Both are straight-line expressions of comparisons, `+`, `-`, `&`, `|` and the
helpers of the first section, never `if`, `and`, `or`, `not` or `in`: the same functions are run
on ints, on solver terms and on symbols that print themselves, and only such code means the same
on all three.  `legality.check` refuses any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tcpclose_model.protocol.vocabulary import (
    ABORT_OK,
    CONNECTION_RESET,
    RCV_WND,
    TCB,
    USER_TIMEOUT_TOLD,
    Segment,
)

Predicate = Callable[[TCB, Segment], bool]
Effect = Callable[[TCB, Segment], "Segment | Mapping[str, int]"]


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
    """Return SEG.LEN: units of text, and one for the FIN."""
    return seg.text + seg.fin


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


def our_fin_is_acked(tcb: TCB, seg: Segment) -> bool:
    """Our FIN has been sent, and everything sent is acknowledged."""
    return (tcb.fin_sent == 1) & (tcb.snd_una == tcb.snd_nxt)


def take_ack(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.UNA <- SEG.ACK; the retransmission count starts again."""
    return {"snd_una": seg.ack, "retransmitted": 0}


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


def take_text(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Advance RCV.NXT over the segment's text."""
    end = seg.seq + seg.text
    return {"rcv_nxt": end, "rcv_text": tcb.rcv_text + end - tcb.rcv_nxt}


def hold_text(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Hold the unit for later (SHLD-31)."""
    return {"held": with_mark(tcb.held, seg.seq)}


def take_held_text(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Advance RCV.NXT over one held unit."""
    return {
        "held": without_mark(tcb.held, tcb.rcv_nxt),
        "rcv_nxt": tcb.rcv_nxt + 1,
        "rcv_text": tcb.rcv_text + 1,
    }


# Eighth: the FIN ----------------------------------------------------------------------------


def fin_is_next(tcb: TCB, seg: Segment) -> bool:
    """A FIN stands at RCV.NXT: this segment's, or one that is held."""
    arrived = (seg.fin == 1) & (fin_number(seg) == tcb.rcv_nxt)
    return arrived | ((tcb.held_fin > 0) & (tcb.held_fin == tcb.rcv_nxt))


def fin_is_ahead(tcb: TCB, seg: Segment) -> bool:
    """The segment's FIN stands behind a hole."""
    return (seg.fin == 1) & (tcb.rcv_nxt < fin_number(seg))


def take_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Advance RCV.NXT over the FIN."""
    return {"rcv_nxt": tcb.rcv_nxt + 1, "held_fin": 0}


def hold_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Hold the FIN for later (SHLD-31)."""
    return {"held_fin": fin_number(seg)}


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


def text_is_unread(tcb: TCB, seg: Segment) -> bool:
    """Text has been taken that the user has not read."""
    return tcb.read < tcb.rcv_text


def queue_text(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Put one more unit behind the queue."""
    return {"snd_end": tcb.snd_end + 1}


def queue_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Put a FIN behind the queue; no text may follow."""
    return {"fin_queued": 1}


def release(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user lets go of the connection."""
    return {"released": 1}


def read_one(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user reads one unit."""
    return {"read": tcb.read + 1}


# What is sent -------------------------------------------------------------------------------


def send_ack(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt)


def send_text(tcb: TCB, seg: Segment) -> Segment:
    """The next unit of text."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt, text=1)


def send_fin(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=SND.NXT><ACK=RCV.NXT><CTL=FIN,ACK>."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt, fin=1)


def send_text_with_fin(tcb: TCB, seg: Segment) -> Segment:
    """The last unit of text and the FIN in one segment."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt, text=1, fin=1)


def count_text(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.NXT moves over the unit just sent."""
    return {"snd_nxt": tcb.snd_nxt + 1}


def count_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.NXT moves over the FIN just sent."""
    return {"snd_nxt": tcb.snd_nxt + 1, "fin_sent": 1}


def count_text_with_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.NXT moves over the last unit and the FIN."""
    return {"snd_nxt": tcb.snd_nxt + 2, "fin_sent": 1, "fin_with_text": 1}


def send_reset_for(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=SEG.ACK><CTL=RST>: a reset that the sender of this segment will accept."""
    return Segment(seq=seg.ack, rst=1)


def send_reset(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=SND.NXT><CTL=RST>."""
    return Segment(seq=tcb.snd_nxt, rst=1)


# Timers -------------------------------------------------------------------------------------


def something_is_unacknowledged(tcb: TCB, seg: Segment) -> bool:
    """The retransmission queue is not empty."""
    return tcb.snd_una < tcb.snd_nxt


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


def resend_text(tcb: TCB, seg: Segment) -> Segment:
    """The oldest unit again."""
    return Segment(seq=tcb.snd_una, ack=tcb.rcv_nxt, text=1)


def resend_text_with_fin(tcb: TCB, seg: Segment) -> Segment:
    """The last unit and the FIN again."""
    return Segment(seq=tcb.snd_una, ack=tcb.rcv_nxt, text=1, fin=1)


def resend_fin(tcb: TCB, seg: Segment) -> Segment:
    """The FIN again."""
    return Segment(seq=tcb.snd_una, ack=tcb.rcv_nxt, fin=1)


def count_retransmission(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """One more retransmission without a new ACK."""
    return {"retransmitted": tcb.retransmitted + 1}


def an_ack_is_due(tcb: TCB, seg: Segment) -> bool:
    """An ACK has been delayed."""
    return tcb.ack_due == 1


def delay_ack(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Owe an ACK; whatever is sent next carries it."""
    return {"ack_due": 1}


def start_2msl(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """(Re)start the 2MSL timer.

    An untimed model keeps no clock, so nothing changes; the row says where the timer starts.
    """
    return {}


# What the user is told ----------------------------------------------------------------------


def tell_reset(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user gets "connection reset"."""
    return {"told": CONNECTION_RESET}


def tell_user_timeout(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user gets "connection aborted due to user timeout"."""
    return {"told": USER_TIMEOUT_TOLD}


def tell_abort_ok(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user's ABORT is answered."""
    return {"told": ABORT_OK}
