"""The effects of the model: what a row does to a TCB, and what it sends.

An effect returns either the fields it changes or the segment it sends.  Like a predicate (see
`words`) it is one straight-line expression; a row's effects run in order, each on the TCB that
the one before it left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tcpclose_model.protocol.vocabulary import (
    ABORT_OK,
    CONNECTION_RESET,
    CRASHED,
    TCB,
    USER_TIMEOUT_TOLD,
    Segment,
)
from tcpclose_model.protocol.words import fin_number, with_mark, without_mark

Effect = Callable[[TCB, Segment], "Segment | Mapping[str, int]"]


# Fifth: the ACK field -----------------------------------------------------------------------


def take_ack(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.UNA <- SEG.ACK; the retransmission count starts again."""
    return {"snd_una": seg.ack, "retransmitted": 0}


# Seventh: the text --------------------------------------------------------------------------


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


def take_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Advance RCV.NXT over the FIN."""
    return {"rcv_nxt": tcb.rcv_nxt + 1, "held_fin": 0}


def hold_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Hold the FIN for later (SHLD-31)."""
    return {"held_fin": fin_number(seg)}


# What the user has asked for ----------------------------------------------------------------


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
    return Segment(seq=seg.ack, rst=1, inc=seg.inc)


def send_reset(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=SND.NXT><CTL=RST>."""
    return Segment(seq=tcb.snd_nxt, rst=1)


# Timers -------------------------------------------------------------------------------------


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


def forget_all(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The host has crashed: the user is gone, and what it had not read with it."""
    return {"told": CRASHED}
