"""The predicates and effects of opening a connection: see `words` and `effects` for the rules.

They read and change TCB fields that `opening` declares, which other tables do not have:

- `inc`, a ghost: which incarnation of the connection this end is in, from 1 on.  CLOSED keeps the
  last one; LISTEN already has the new one.  Effects pass it on, no predicate reads it.
- `iss`: the initial send sequence number that is selected at the next OPEN, and since then ISS.
- `passive`: 1 if the connection comes from LISTEN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcpclose_model.protocol.vocabulary import CONNECTION_RESET, NOTHING, TCB, Segment
from tcpclose_model.protocol.words import negation, seg_len

Extended = Any
"""A TCB with the fields above; they are known at run time only, so Any."""


# What the segment is --------------------------------------------------------------------------


def seg_has_syn(tcb: TCB, seg: Segment) -> bool:
    """The SYN bit is set."""
    return seg.syn == 1


def ack_bit_is_off(tcb: TCB, seg: Segment) -> bool:
    """The ACK bit is not set: a SYN or a RST that acknowledges nothing."""
    return ((seg.syn == 1) | (seg.rst == 1)) & (seg.ack == 0)


def ack_bit_is_on(tcb: TCB, seg: Segment) -> bool:
    """The ACK bit is set."""
    return negation(ack_bit_is_off(tcb, seg))


def seg_is_first_syn(tcb: TCB, seg: Segment) -> bool:
    """<CTL=SYN>: a SYN without an ACK, and no reset."""
    return (seg.syn == 1) & (seg.ack == 0) & (seg.rst == 0)


# The ACK field before a connection is synchronized ---------------------------------------------


def ack_is_acceptable(tcb: TCB, seg: Segment) -> bool:
    """The ACK bit is set, and SND.UNA < SEG.ACK =< SND.NXT."""
    return ack_bit_is_on(tcb, seg) & (tcb.snd_una < seg.ack) & (seg.ack <= tcb.snd_nxt)


def ack_is_bad(tcb: TCB, seg: Segment) -> bool:
    """The ACK bit is set, and SEG.ACK =< SND.UNA or SEG.ACK > SND.NXT."""
    return ack_bit_is_on(tcb, seg) & ((seg.ack <= tcb.snd_una) | (tcb.snd_nxt < seg.ack))


def ack_is_not_new(tcb: TCB, seg: Segment) -> bool:
    """SEG.ACK =< SND.UNA or SEG.ACK > SND.NXT."""
    return negation((tcb.snd_una < seg.ack) & (seg.ack <= tcb.snd_nxt))


# How the connection came about ------------------------------------------------------------------


def came_from_listen(tcb: Extended, seg: Segment) -> bool:
    """The connection was initiated with a passive OPEN."""
    passive: bool = tcb.passive == 1
    return passive


def came_from_syn_sent(tcb: Extended, seg: Segment) -> bool:
    """The connection was initiated with an active OPEN."""
    return negation(came_from_listen(tcb, seg))


# OPEN -------------------------------------------------------------------------------------------


def start_afresh(tcb: Extended, seg: Segment) -> Mapping[str, int]:
    """Create a TCB: nothing is sent, taken, read or told yet, and it is another incarnation."""
    return {
        "inc": tcb.inc + 1,
        "passive": 0,
        "snd_end": 0,
        "rcv_nxt": 0,
        "rcv_text": 0,
        "read": 0,
        "told": NOTHING,
    }


def listen(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The OPEN is passive."""
    return {"passive": 1}


def select_iss(tcb: Extended, seg: Segment) -> Mapping[str, int]:
    """SND.UNA <- ISS, SND.NXT <- ISS+1; text begins there."""
    return {"snd_una": tcb.iss, "snd_nxt": tcb.iss + 1, "snd_end": tcb.iss + 1}


def back_to_listen(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Flush the retransmission queue and forget the peer's numbers."""
    return {"snd_una": 0, "snd_nxt": 0, "snd_end": 0, "rcv_nxt": 0, "retransmitted": 0}


# The SYN ----------------------------------------------------------------------------------------


def take_syn(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """RCV.NXT <- SEG.SEQ+1."""
    return {"rcv_nxt": seg.seq + 1}


def send_syn(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=ISS><CTL=SYN>; nothing of ours is acknowledged yet, so SND.UNA is ISS."""
    return Segment(seq=tcb.snd_una, syn=1)


def send_syn_ack(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>."""
    return Segment(seq=tcb.snd_una, ack=tcb.rcv_nxt, syn=1)


def send_reset_for_syn(tcb: TCB, seg: Segment) -> Segment:
    """<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>: for a segment without an ACK."""
    return Segment(seq=0, ack=seg.seq + seg_len(seg), rst=1, inc=seg.inc)


def tell_refused(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The user gets "connection refused" (or "reset"): the OPEN has failed."""
    return {"told": CONNECTION_RESET}


# CLOSE in SYN-RECEIVED --------------------------------------------------------------------------
#
# One more field, of the switch that lets a user close there: `syn_unacked`, 1 in FIN-WAIT-1 while
# our SYN is not acknowledged and is the front of the retransmission queue.


def keep_syn(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The SYN stays at the front of the retransmission queue, the FIN behind it."""
    return {"syn_unacked": 1}


def drop_syn(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Whatever is acknowledged, our SYN is."""
    return {"syn_unacked": 0}


def syn_is_oldest(tcb: Extended, seg: Segment) -> bool:
    """The front of the retransmission queue is our SYN."""
    oldest: bool = tcb.syn_unacked == 1
    return oldest


def syn_is_not_oldest(tcb: Extended, seg: Segment) -> bool:
    """Our SYN is acknowledged."""
    return negation(syn_is_oldest(tcb, seg))


# TIME-WAIT and a new SYN ------------------------------------------------------------------------
#
# Two more fields, of the switches that let a SYN end TIME-WAIT: `from_time_wait`, 1 in SYN-RECEIVED
# if the connection comes from there; `old_rcv_nxt`, RCV.NXT of the connection that was waiting.


def syn_is_beyond(tcb: TCB, seg: Segment) -> bool:
    """<CTL=SYN> with a number above all that was received: acceptable by the first step."""
    return seg_is_first_syn(tcb, seg) & (tcb.rcv_nxt <= seg.seq)


def syn_is_not_beyond(tcb: TCB, seg: Segment) -> bool:
    """A SYN that is not so: an old number, or an ACK with it."""
    return (seg.syn == 1) & negation(syn_is_beyond(tcb, seg))


def syn_is_after(tcb: TCB, seg: Segment) -> bool:
    """<CTL=SYN> with SEG.SEQ > RCV.NXT."""
    return seg_is_first_syn(tcb, seg) & (tcb.rcv_nxt < seg.seq)


def syn_is_not_after(tcb: TCB, seg: Segment) -> bool:
    """A SYN that is not so."""
    return (seg.syn == 1) & negation(syn_is_after(tcb, seg))


def came_from_time_wait(tcb: Extended, seg: Segment) -> bool:
    """The SYN was taken in TIME-WAIT."""
    comes: bool = tcb.from_time_wait == 1
    return comes


def did_not_come_from_time_wait(tcb: Extended, seg: Segment) -> bool:
    """The SYN was not taken in TIME-WAIT."""
    return negation(came_from_time_wait(tcb, seg))


def leave_time_wait(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Remember the connection that waits, and choose an ISS above all that it has used."""
    return {"from_time_wait": 1, "old_rcv_nxt": tcb.rcv_nxt, "iss": tcb.snd_nxt}


def clear_tcb(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The new connection has neither a FIN nor a user who has closed it."""
    return {"fin_queued": 0, "fin_sent": 0, "fin_with_text": 0, "released": 0, "ack_due": 0}


def forget_time_wait(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The SYN was a new one: the old connection is over for good."""
    return {"from_time_wait": 0, "old_rcv_nxt": 0}


def resume_time_wait(tcb: Extended, seg: Segment) -> Mapping[str, int]:
    """The SYN was an old duplicate: the TCB is again that of the connection that was waiting."""
    return {
        "inc": tcb.inc - 1,
        "passive": 0,
        "from_time_wait": 0,
        "old_rcv_nxt": 0,
        "snd_una": tcb.iss,
        "snd_nxt": tcb.iss,
        "snd_end": tcb.iss - 1,
        "rcv_nxt": tcb.old_rcv_nxt,
        "fin_queued": 1,
        "fin_sent": 1,
        "released": 1,
        "retransmitted": 0,
    }


# Quiet time -------------------------------------------------------------------------------------
#
# One more field, of the switch `quiet_time`: `quiet`, 1 in CLOSED until the quiet time is over.


def end_is_quiet(tcb: Extended, seg: Segment) -> bool:
    """The end must still keep quiet before it assigns sequence numbers."""
    quiet: bool = tcb.quiet == 1
    return quiet


def end_is_not_quiet(tcb: Extended, seg: Segment) -> bool:
    """The end need not keep quiet."""
    return negation(end_is_quiet(tcb, seg))


def keep_quiet(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Keep quiet: what was sent may be in flight still, and nothing else remembers it."""
    return {"quiet": 1}


def end_quiet_time(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The quiet time is over."""
    return {"quiet": 0}
