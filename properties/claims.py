"""Claims about two ends and everything ever sent between them, for proofs by induction.

Each claim says, in words, what is so in every state that any run reaches: of an end and its peer,
of any segment that was ever sent, of text that is held, or of a single step.  They are written like
predicates of a row (see `protocol.words`), so that numbers and solver terms both will do.  A proof
shows that the initial state satisfies them all, and that every way through the rows keeps them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    NOTHING,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
    State,
)
from tcpclose_model.protocol.words import is_marked, negation

Truth = Any  # a bool, or a solver term of one
ACTIVE = (FIN_WAIT_1, FIN_WAIT_2, CLOSING, TIME_WAIT)
"""The states of an end whose user has closed it in ESTABLISHED."""


class About(Enum):
    """What a claim speaks of, and so what its predicate takes."""

    ENDS = "an end and its peer"
    SEGMENT = "a segment that was sent, its sender and its receiver"
    HELD = "a number that is held, the end that holds it and its peer"
    STEP = "a step: event, TCB before, TCB after, arriving segment"


@dataclass(frozen=True, slots=True)
class Claim:
    """A named claim; `says` is a sentence, `holds` takes what `about` says."""

    name: str
    about: About
    says: str
    holds: Callable[..., Truth]


CLAIMS: dict[str, Claim] = {}


def _claim(about: About, says: str) -> Callable[[Callable[..., Truth]], Claim]:
    def register(holds: Callable[..., Truth]) -> Claim:
        claim = Claim(holds.__name__, about, says, holds)
        CLAIMS[claim.name] = claim
        return claim

    return register


def implies(one: Truth, other: Truth) -> Truth:
    """Return that `one` is not so, or `other` is."""
    return negation(one) | other


def is_in(tcb: TCB, *states: State) -> Truth:
    """Return that an end is in one of these states."""
    found = tcb.state == states[0]
    for state in states[1:]:
        found = found | (tcb.state == state)
    return found


def is_open(tcb: TCB) -> Truth:
    """Return that an end has a TCB."""
    return negation(tcb.state == CLOSED)


def is_flag(value: Truth) -> Truth:
    """Return that a value is 0 or 1."""
    return (value == 0) | (value == 1)


def fin_is_out(tcb: TCB) -> Truth:
    """Return that an end that has a TCB has sent its FIN: what it sends cannot grow any more."""
    return implies(is_open(tcb), tcb.fin_sent == 1)


def has_taken_fin(tcb: TCB) -> Truth:
    """Return that an end has taken its peer's FIN."""
    return tcb.rcv_nxt == tcb.rcv_text + 1


# One end ----------------------------------------------------------------------------------------


@_claim(About.ENDS, "flags are 0 or 1")
def flags_are_flags(me: TCB, peer: TCB) -> Truth:
    """The fields that are yes or no."""
    sending = is_flag(me.fin_queued) & is_flag(me.fin_sent) & is_flag(me.fin_with_text)
    return sending & is_flag(me.released) & is_flag(me.ack_due)


@_claim(About.ENDS, "SND.UNA is not beyond SND.NXT, and no number is negative")
def numbers_are_in_order(me: TCB, peer: TCB) -> Truth:
    """0 =< SND.UNA =< SND.NXT."""
    sent = (me.snd_una >= 0) & (me.snd_una <= me.snd_nxt) & (me.snd_end >= 0)
    return sent & (me.rcv_text >= 0) & (me.held_fin >= 0)


@_claim(About.ENDS, "SND.NXT has passed the FIN once it is sent, and no more than the text before")
def snd_nxt_counts_what_was_sent(me: TCB, peer: TCB) -> Truth:
    """A FIN takes the number behind the last unit of text."""
    out = implies(me.fin_sent == 1, (me.snd_nxt == me.snd_end + 1) & (me.fin_queued == 1))
    unsent = implies(me.fin_sent == 0, me.snd_nxt <= me.snd_end)
    return implies(is_open(me), out & unsent & implies(me.fin_with_text == 1, me.fin_sent == 1))


@_claim(About.ENDS, "a FIN is sent in the states that say so, and only there")
def states_tell_of_the_fin(me: TCB, peer: TCB) -> Truth:
    """ESTABLISHED and CLOSE-WAIT have sent none; LAST-ACK, FIN-WAIT-2 and TIME-WAIT have."""
    unasked = implies(me.fin_queued == 0, is_in(me, ESTABLISHED, CLOSE_WAIT))
    unsent = implies(is_in(me, ESTABLISHED, CLOSE_WAIT), me.fin_sent == 0)
    sent = implies(is_in(me, LAST_ACK, FIN_WAIT_2, TIME_WAIT), me.fin_sent == 1)
    return implies(is_open(me), unasked & unsent & sent)


@_claim(About.ENDS, "our FIN is acknowledged in FIN-WAIT-2 and TIME-WAIT, and in no other state")
def states_tell_of_its_ack(me: TCB, peer: TCB) -> Truth:
    """FIN-WAIT-1, CLOSING and LAST-ACK wait for that ACK."""
    acked = (me.fin_sent == 1) & (me.snd_una == me.snd_nxt)
    known = implies(is_in(me, FIN_WAIT_2, TIME_WAIT), acked)
    return known & implies(is_in(me, FIN_WAIT_1, CLOSING, LAST_ACK), negation(acked))


@_claim(About.ENDS, "the peer's FIN is taken in CLOSE-WAIT, CLOSING, LAST-ACK, TIME-WAIT, only")
def states_tell_of_the_peers_fin(me: TCB, peer: TCB) -> Truth:
    """RCV.NXT counts the text that was taken, and the FIN."""
    taken = is_in(me, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT)
    waiting = is_in(me, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)
    ended = (me.rcv_text <= me.rcv_nxt) & (me.rcv_nxt <= me.rcv_text + 1)
    return implies(taken, has_taken_fin(me)) & implies(waiting, me.rcv_nxt == me.rcv_text) & ended


# An end and its peer ----------------------------------------------------------------------------


@_claim(About.ENDS, "an end has taken only what its peer has sent")
def taken_was_sent(me: TCB, peer: TCB) -> Truth:
    """RCV.NXT =< the peer's SND.NXT."""
    return (me.rcv_text <= peer.snd_end) & implies(is_open(peer), me.rcv_nxt <= peer.snd_nxt)


@_claim(About.ENDS, "an end that has taken the FIN has all text before it")
def the_fin_comes_last(me: TCB, peer: TCB) -> Truth:
    """RCV.NXT passes the FIN only behind the peer's last unit, and the peer sends no more."""
    return implies(has_taken_fin(me), (me.rcv_text == peer.snd_end) & fin_is_out(peer))


@_claim(About.ENDS, "a FIN that is held stands behind the peer's last unit")
def a_held_fin_comes_last(me: TCB, peer: TCB) -> Truth:
    """SHLD-31: a FIN behind a hole."""
    held = is_open(me) & (me.held_fin > 0)
    return implies(held, (me.held_fin == peer.snd_end) & fin_is_out(peer))


@_claim(About.ENDS, "what is acknowledged has been taken by the peer")
def acknowledged_was_taken(me: TCB, peer: TCB) -> Truth:
    """SND.UNA =< the peer's RCV.NXT."""
    return implies(is_open(me), me.snd_una <= peer.rcv_nxt)


@_claim(About.ENDS, "an end's FIN is acknowledged only if the peer has taken it")
def acknowledged_fin_was_taken(me: TCB, peer: TCB) -> Truth:
    """P5."""
    acked = is_open(me) & (me.fin_sent == 1) & (me.snd_una > me.snd_end)
    return implies(acked, peer.rcv_nxt > me.snd_end)


@_claim(About.ENDS, "text has arrived if its sender is CLOSED and was told of no error")
def no_loss_in_silence(me: TCB, peer: TCB) -> Truth:
    """P3."""
    return implies((me.state == CLOSED) & (me.told == NOTHING), peer.rcv_text >= me.snd_end)


# Any segment that was ever sent -----------------------------------------------------------------


@_claim(About.SEGMENT, "a segment has at most one unit of text, and a RST neither text nor FIN")
def segments_are_well_formed(seg: Segment, sender: TCB, receiver: TCB) -> Truth:
    """The shape of a segment."""
    flags = is_flag(seg.text) & is_flag(seg.fin) & is_flag(seg.rst)
    return flags & implies(seg.rst == 1, (seg.text == 0) & (seg.fin == 0))


@_claim(About.SEGMENT, "no SYN is sent: there is one connection")
def there_is_no_syn(seg: Segment, sender: TCB, receiver: TCB) -> Truth:
    """Both ends are synchronized from the start."""
    return seg.syn == 0


@_claim(About.SEGMENT, "an ACK field covers only what its sender has taken")
def acks_are_true(seg: Segment, sender: TCB, receiver: TCB) -> Truth:
    """SEG.ACK =< the sender's RCV.NXT."""
    return implies(seg.rst == 0, (seg.ack >= 0) & (seg.ack <= sender.rcv_nxt))


@_claim(About.SEGMENT, "text and FINs on the wire are the sender's own, at their numbers")
def segments_are_the_senders_own(seg: Segment, sender: TCB, receiver: TCB) -> Truth:
    """Text below SND.NXT and before the FIN; a FIN behind the last unit."""
    text = implies(seg.text == 1, seg.seq + 1 <= sender.snd_end)
    sent = implies((seg.rst == 0) & is_open(sender), seg.seq + seg.text + seg.fin <= sender.snd_nxt)
    fin = implies(seg.fin == 1, (seg.seq + seg.text == sender.snd_end) & fin_is_out(sender))
    return text & sent & fin


@_claim(About.HELD, "text that is held was sent by the peer")
def held_text_was_sent(number: int, me: TCB, peer: TCB) -> Truth:
    """SHLD-31: text behind a hole."""
    held = is_open(me) & is_marked(me.held, number)
    sent = (number < peer.snd_end) & implies(is_open(peer), number < peer.snd_nxt)
    return implies(held, (number >= 0) & sent)


# Single steps -----------------------------------------------------------------------------------


@_claim(About.STEP, "an end gets into the states of an active close only by its user's CLOSE")
def only_a_close_is_active(event: Event, before: TCB, after: TCB, seg: Segment | None) -> Truth:
    """P6: from ESTABLISHED, and no other way."""
    closed = before.state == ESTABLISHED and event in (Event.CLOSE, Event.SHUTDOWN)
    return after.state not in ACTIVE or before.state in ACTIVE or closed


@_claim(About.STEP, "TIME-WAIT ends by its timer or its user's ABORT, or in a crash")
def time_wait_lasts(event: Event, before: TCB, after: TCB, seg: Segment | None) -> Truth:
    """P9."""
    allowed = event in (Event.TIME_WAIT_TIMEOUT, Event.ABORT, Event.CRASH)
    return before.state != TIME_WAIT or after.state == TIME_WAIT or allowed


@_claim(About.STEP, "an end that a reset closes tells its user, but for TIME-WAIT")
def resets_are_told(event: Event, before: TCB, after: TCB, seg: Segment | None) -> Truth:
    """P11."""
    if seg is None or after.state != CLOSED or before.state in (CLOSED, TIME_WAIT):
        return True
    return implies(seg.rst == 1, negation(after.told == NOTHING))


PROVES: dict[str, str] = {
    "no_silent_data_loss": "no_loss_in_silence",
    "fin_acknowledged_only_if_received": "acknowledged_fin_was_taken",
    "time_wait_only_after_active_close": "only_a_close_is_active",
    "time_wait_ends_only_by_its_timer": "time_wait_lasts",
    "no_reset_goes_untold": "resets_are_told",
}
"""The properties of the catalogue that a claim proves."""
