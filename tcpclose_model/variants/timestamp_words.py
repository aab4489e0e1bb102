"""Predicates and effects of the Timestamps option (RFC 7323) and of what TIME-WAIT makes of it.

The clock is abstract: an end's TSval is one number for all of an incarnation, and the next
incarnation's is a later, the same or an earlier one (`incarnations.tsval`).  So a timestamp tells
incarnations apart, or it does not; segments of one incarnation are never told apart by it.  The
option is on every segment but a RST, which no check of timestamps looks at (RFC 7323 5.2).

The TCB fields, which other tables do not have:

- `ts`: the TSval of this incarnation; `ts_next`: that of the next one.
- `ts_recent`: TS.Recent, or 0 where there is none yet (LISTEN, SYN-SENT).
- `old_ts_recent`: TS.Recent of the connection that was waiting, as `old_rcv_nxt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcpclose_model.protocol.opening_words import seg_is_first_syn, syn_is_after, syn_is_beyond
from tcpclose_model.protocol.vocabulary import FIRST_TSVAL, TCB, Segment
from tcpclose_model.protocol.words import negation

Extended = Any
"""A TCB with the fields above; they are known at run time only, so Any."""


def tsval(tcb: Extended, seg: Segment) -> int:
    """TSval: what the timestamp clock shows."""
    shown: int = tcb.ts
    return shown


# What a segment's timestamp says ----------------------------------------------------------------


def ts_is_older(tcb: Extended, seg: Segment) -> bool:
    """SEG.TSval < TS.Recent."""
    older: bool = seg.ts < tcb.ts_recent
    return older


def ts_is_not_older(tcb: Extended, seg: Segment) -> bool:
    """SEG.TSval >= TS.Recent."""
    return negation(ts_is_older(tcb, seg))


def ts_is_newer(tcb: Extended, seg: Segment) -> bool:
    """SEG.TSval > TS.Recent."""
    newer: bool = tcb.ts_recent < seg.ts
    return newer


def ts_is_the_same(tcb: Extended, seg: Segment) -> bool:
    """SEG.TSval = TS.Recent."""
    same: bool = seg.ts == tcb.ts_recent
    return same


def ts_is_to_be_noted(tcb: Extended, seg: Segment) -> bool:
    """SEG.TSval > TS.Recent and SEG.SEQ =< Last.ACK.sent, which is RCV.NXT here.

    With a delayed ACK Last.ACK.sent lags behind; that is for the measuring of round-trip times.
    """
    noted: bool = ts_is_newer(tcb, seg) & (seg.seq <= tcb.rcv_nxt)
    return noted


def nothing_is_to_be_noted(tcb: Extended, seg: Segment) -> bool:
    """TS.Recent stays as it is."""
    return negation(ts_is_to_be_noted(tcb, seg))


# The clock and TS.Recent ------------------------------------------------------------------------


def start_clock(tcb: Extended, seg: Segment) -> Mapping[str, int]:
    """The connection's TSval is that of its own time; nothing has been heard of the peer's."""
    return {"ts": tcb.ts_next, "ts_recent": 0}


def note_ts(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """TS.Recent <- SEG.TSval."""
    return {"ts_recent": seg.ts}


def forget_ts(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """There is no TS.Recent any more."""
    return {"ts_recent": 0}


# TIME-WAIT --------------------------------------------------------------------------------------


def seg_has_no_syn(tcb: TCB, seg: Segment) -> bool:
    """The SYN bit is not set."""
    return seg.syn == 0


def syn_has_ack(tcb: TCB, seg: Segment) -> bool:
    """A SYN that acknowledges something (or a reset): no request for a connection."""
    return (seg.syn == 1) & negation(seg_is_first_syn(tcb, seg))


def syn_is_newer(tcb: TCB, seg: Segment) -> bool:
    """<CTL=SYN> with a timestamp greater than the last one seen."""
    return seg_is_first_syn(tcb, seg) & ts_is_newer(tcb, seg)


def syn_is_neither_newer_nor_beyond(tcb: TCB, seg: Segment) -> bool:
    """<CTL=SYN> with an older timestamp, or with the same one and an old number."""
    welcome = ts_is_newer(tcb, seg) | (ts_is_the_same(tcb, seg) & syn_is_beyond(tcb, seg))
    return seg_is_first_syn(tcb, seg) & negation(welcome)


def syn_is_neither_newer_nor_after(tcb: TCB, seg: Segment) -> bool:
    """The same where a number of exactly RCV.NXT is an old one, as Linux has it."""
    welcome = ts_is_newer(tcb, seg) | (ts_is_the_same(tcb, seg) & syn_is_after(tcb, seg))
    return seg_is_first_syn(tcb, seg) & negation(welcome)


def remember_ts(tcb: Extended, seg: Segment) -> Mapping[str, int]:
    """Remember TS.Recent of the connection that waits."""
    return {"old_ts_recent": tcb.ts_recent}


def forget_old_ts(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The old connection is over for good."""
    return {"old_ts_recent": 0}


def resume_ts(tcb: Extended, seg: Segment) -> Mapping[str, int]:
    """The timestamps are again those of the connection that was waiting."""
    return {"ts": FIRST_TSVAL, "ts_recent": tcb.old_ts_recent, "old_ts_recent": 0}


def clock_has_ticked(tcb: Extended, seg: Segment) -> bool:
    """A new connection's timestamps would be greater than those of the one that waits."""
    ticked: bool = tcb.ts < tcb.ts_next
    return ticked


def choose_iss_above(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Choose an ISS above all that the connection that waits has used."""
    return {"iss": tcb.snd_nxt}
