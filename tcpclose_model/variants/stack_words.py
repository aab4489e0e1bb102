"""Predicates and effects that only the switches of real stacks use, fields of their own included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcpclose_model.protocol.vocabulary import TCB, Segment
from tcpclose_model.protocol.words import negation, seg_len


def extra(tcb: TCB) -> Any:
    """Return the TCB as one that has the fields that a switch has added."""
    return tcb  # Any: those fields are known at run time only


# Keep-alive (RFC 9293 3.8.4) ------------------------------------------------------------------


def a_probe_is_out(tcb: TCB, seg: Segment) -> bool:
    """A keep-alive probe has not been answered."""
    return bool_of(extra(tcb).probed == 1)


def bool_of(value: Any) -> bool:
    """Return a comparison as it is; it may be a symbol."""
    made: bool = value  # Any: a truth value, or a symbol that stands for one
    return made


def send_probe(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=SND.NXT-1><ACK=RCV.NXT><CTL=ACK>: a number that the peer must refuse, and answer."""
    return Segment(seq=tcb.snd_nxt - 1, ack=tcb.rcv_nxt)


def note_probe(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """A probe is out."""
    return {"probed": 1}


def note_answer(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The peer is there; probes are counted anew."""
    return {"probed": 0, "retransmitted": 0}


# A CLOSE that waits (SO_LINGER with a time) --------------------------------------------------


def close_waits(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user waits in CLOSE until the connection is done."""
    return {"close_waits": 1}


def close_returns(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """A CLOSE that waits returns."""
    return {"close_waits": 0}


# A limit on the rate of ACKs (RFC 5961 7) -----------------------------------------------------


def acks_are_limited(tcb: TCB, seg: Segment) -> bool:
    """Such an ACK has been sent a short while ago."""
    return bool_of(extra(tcb).ack_limited == 1)


def acks_are_not_limited(tcb: TCB, seg: Segment) -> bool:
    """No such ACK has been sent lately."""
    return bool_of(extra(tcb).ack_limited == 0)


def seg_is_a_pure_ack(tcb: TCB, seg: Segment) -> bool:
    """The segment has neither text nor a FIN."""
    return seg_len(seg) == 0


def seg_has_text_or_fin(tcb: TCB, seg: Segment) -> bool:
    """SEG.LEN > 0."""
    return seg_len(seg) > 0


def limit_acks(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The next such ACK is withheld, until the limit is over."""
    return {"ack_limited": 1}


def lift_ack_limit(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The next such ACK may be sent."""
    return {"ack_limited": 0}


# Old segments (Linux tcp_sequence) ------------------------------------------------------------


def seg_ends_at_rcv_nxt(tcb: TCB, seg: Segment) -> bool:
    """The last number of the segment is the last one taken."""
    return seg.seq + seg_len(seg) == tcb.rcv_nxt


def seg_ends_elsewhere(tcb: TCB, seg: Segment) -> bool:
    """The segment does not end where RCV.NXT stands."""
    return negation(seg_ends_at_rcv_nxt(tcb, seg))


# A RECEIVE that waits -------------------------------------------------------------------------


def a_receive_is_pending(tcb: TCB, seg: Segment) -> bool:
    """The user waits for text in a RECEIVE."""
    return bool_of(extra(tcb).receive_pending == 1)


def no_receive_is_pending(tcb: TCB, seg: Segment) -> bool:
    """The user does not wait for text."""
    return bool_of(extra(tcb).receive_pending == 0)


def wait_for_text(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Queue the RECEIVE until there is text."""
    return {"receive_pending": 1}


def complete_receive(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Hand a unit over to a RECEIVE that waits, if there is one."""
    return {"read": tcb.read + extra(tcb).receive_pending, "receive_pending": 0}


def end_receive(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """A RECEIVE that waits is told of the end of the stream."""
    return {"receive_pending": 0}


# What Linux was seen to do --------------------------------------------------------------------


def seg_is_just_below_rcv_nxt(tcb: TCB, seg: Segment) -> bool:
    """SEG.SEQ = RCV.NXT - 1."""
    return seg.seq + 1 == tcb.rcv_nxt


def seg_is_elsewhere(tcb: TCB, seg: Segment) -> bool:
    """SEG.SEQ is not RCV.NXT - 1."""
    return negation(seg.seq + 1 == tcb.rcv_nxt)


def fin_has_been_sent(tcb: TCB, seg: Segment) -> bool:
    """Our FIN is out."""
    return tcb.fin_sent == 1


def fin_has_not_been_sent(tcb: TCB, seg: Segment) -> bool:
    """Our FIN is queued at most."""
    return tcb.fin_sent == 0


def seg_acks_our_fin(tcb: TCB, seg: Segment) -> bool:
    """The segment acknowledges our FIN, and nothing has before."""
    return (tcb.fin_sent == 1) & (tcb.snd_una < seg.ack) & (seg.ack == tcb.snd_nxt)


def seg_does_not_ack_our_fin(tcb: TCB, seg: Segment) -> bool:
    """The segment does not acknowledge our FIN, or one before has."""
    return negation(seg_acks_our_fin(tcb, seg))


def seg_does_not_ack_an_orphan(tcb: TCB, seg: Segment) -> bool:
    """The segment does not acknowledge our FIN, or the user is there."""
    return negation(seg_acks_our_fin(tcb, seg) & (tcb.released == 1))


def fin_is_behind_the_oldest(tcb: TCB, seg: Segment) -> bool:
    """Behind the unit at the front of the retransmission queue there is the FIN."""
    return (tcb.fin_sent == 1) & (tcb.snd_una + 1 == tcb.snd_end)


def fin_is_not_behind_the_oldest(tcb: TCB, seg: Segment) -> bool:
    """Behind the unit at the front of the retransmission queue there is no FIN."""
    return negation(fin_is_behind_the_oldest(tcb, seg))
