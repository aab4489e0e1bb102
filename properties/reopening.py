"""The properties of models that open the connection again: what the first leaves to the second.

These are judged instead of the catalogue's, which speak of one connection; the endless chatter is
in both.  `old` means: sent in an earlier incarnation than the one that the receiver is in, or a
reset that was formed from such a segment.
"""

from __future__ import annotations

from typing import Any

from properties.catalogue import no_endless_chatter
from properties.kinds import Property, Role, always, can_always, never_a_step
from properties.views import StepView, View
from tcpclose_model.engines.plain import incarnation
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    LISTEN,
    OPENING,
    SYN_RECEIVED,
    SYN_SENT,
    SYNCHRONIZED,
    TIME_WAIT,
    Event,
)

SECOND = 2

CHANGES = ("state", "snd_una", "rcv_nxt", "held", "held_fin", "told")
"""What an old segment could change at an end; the answer that it provokes is no change."""


def is_synchronized(tcb: Any) -> bool:  # Any: a TCB of a table that reopens
    """Return whether the end has a connection whose numbers are agreed upon."""
    return tcb.state in SYNCHRONIZED


def _old_arrives(before: View, step: StepView, after: View) -> bool:
    """Return whether an old segment arrives at `me`, which is not CLOSED or in LISTEN."""
    arrives = step.mine and step.arrives and before.me.state not in (CLOSED, LISTEN)
    return arrives and step.segment is not None and step.segment.inc < incarnation(before.me)


def _is_changed(before: View, after: View) -> bool:
    return any(getattr(before.me, name) != getattr(after.me, name) for name in CHANGES)


no_old_segment_accepted = never_a_step(
    "An old segment changes nothing in a new incarnation; at most it provokes an answer.",
    lambda before, step, after: _old_arrives(before, step, after) and _is_changed(before, after),
    among=_old_arrives,
    name="no_old_segment_accepted",
    each_end=True,
    source="RFC 9293 3.4.1, 3.6.1: what TIME-WAIT is for; RFC 1337",
    broken_by="reopen_after_free_time_wait",
    says=lambda s: (
        f"a segment of the first connection has changed an end of the second, now in "
        f"{s.me.state.name}"
    ),
)

no_old_text_accepted = never_a_step(
    "No end takes text that was sent in an earlier incarnation, or holds it to take it later.",
    lambda before, step, after: (
        _old_arrives(before, step, after)
        and (after.me.rcv_text > before.me.rcv_text or after.me.held > before.me.held)
    ),
    among=lambda before, step, after: (
        _old_arrives(before, step, after) and step.segment is not None and step.segment.text > 0
    ),
    name="no_old_text_accepted",
    each_end=True,
    source="RFC 1337: old data accepted",
    broken_by="reopen_with_old_text",
    says=lambda s: (
        "text of the first connection is held as if it were of the second"
        if s.me.held
        else "a user is given text of the first connection as if it were of the second"
    ),
)

no_opening_ended_by_an_old_segment = never_a_step(
    "An old segment does not end an attempt to open the connection.",
    lambda before, step, after: (
        _old_arrives(before, step, after)
        and before.me.state in (SYN_SENT, SYN_RECEIVED)
        and after.me.state in (CLOSED, LISTEN)
    ),
    among=lambda before, step, after: (
        _old_arrives(before, step, after) and before.me.state in (SYN_SENT, SYN_RECEIVED)
    ),
    name="no_opening_ended_by_an_old_segment",
    each_end=True,
    source="RFC 1337: a new connection is refused because of an old segment",
    broken_by="reopen_after_free_time_wait",
    says=lambda s: (
        f"an old segment has ended the opening of the second connection: {s.me.state.name}"
    ),
)

no_desynchronized_connection = always(
    "Of two synchronized ends of one incarnation neither has taken what the other never sent.",
    lambda s: s.me.rcv_nxt <= s.peer.snd_nxt,
    name="no_desynchronized_connection",
    when=lambda s: (
        is_synchronized(s.me)
        and is_synchronized(s.peer)
        and incarnation(s.me) == incarnation(s.peer) == SECOND
    ),
    each_end=True,
    source="RFC 9293 3.5.2: synchronized; RFC 1337: de-synchronization",
    broken_by="reopen_after_free_time_wait",
    says=lambda s: (
        f"an end in {s.me.state.name} expects {s.me.rcv_nxt} next, but its peer in "
        f"{s.peer.state.name} has sent only what lies before {s.peer.snd_nxt}"
    ),
)


def _is_willing(tcb: Any) -> bool:  # Any: as above
    """Return whether an end has the second connection still before it, or is opening it."""
    return incarnation(tcb) < SECOND or tcb.state in OPENING


the_second_connection_can_always_open = can_always(
    "While an end is in SYN-SENT and its peer has not given up, some run synchronizes both.",
    lambda s: (
        is_synchronized(s.me)
        and is_synchronized(s.peer)
        and incarnation(s.me) == incarnation(s.peer) == SECOND
    ),
    name="the_second_connection_can_always_open",
    when=lambda s: s.me.state == SYN_SENT and _is_willing(s.peer),
    each_end=True,
    source="RFC 9293 3.5: the three-way handshake recovers from old segments",
    broken_by="reopen_without_retransmission",
)

an_opening_can_always_end = can_always(
    "From SYN-SENT and SYN-RECEIVED some run leads on to a connection, to CLOSED or to LISTEN.",
    lambda s: s.me.state not in (SYN_SENT, SYN_RECEIVED),
    name="an_opening_can_always_end",
    when=lambda s: s.me.state in (SYN_SENT, SYN_RECEIVED),
    each_end=True,
    source="RFC 9293 3.8.3 MUST-23; Han and Billington 2005: a release before it is established",
    broken_by="reopen_without_retransmission",
)

the_second_connection_can_always_close = can_always(
    "Once both ends are synchronized in the second incarnation, some run takes both to CLOSED.",
    lambda s: (
        s.me.state == s.peer.state == CLOSED and incarnation(s.me) == incarnation(s.peer) == SECOND
    ),
    name="the_second_connection_can_always_close",
    when=lambda s: (
        is_synchronized(s.me)
        and is_synchronized(s.peer)
        and incarnation(s.me) == incarnation(s.peer) == SECOND
    ),
    source="RFC 9293 3.6",
    broken_by="reopen_after_free_time_wait",
)


def _is_refused(before: View, step: StepView, after: View) -> bool:
    """Return whether a reset arrives at an end in SYN-RECEIVED that comes from TIME-WAIT."""
    resets = step.mine and step.arrives and step.segment is not None and step.segment.rst == 1
    waited = bool(getattr(before.me, "from_time_wait", 0))
    return resets and waited and after.me.state != before.me.state


def _is_new_syn(before: View, step: StepView) -> bool:
    segment = step.segment
    is_syn = step.arrives and segment is not None and segment.syn == 1
    return is_syn and segment is not None and segment.inc > incarnation(before.me)


time_wait_ends_only_by_its_timer_or_a_new_syn = never_a_step(
    "TIME-WAIT ends by its timer, its user's ABORT or the SYN of a new incarnation.",
    lambda before, step, after: (
        before.me.state == TIME_WAIT
        and after.me.state != TIME_WAIT
        and step.event not in (Event.TIME_WAIT_TIMEOUT, Event.ABORT)
        and not _is_new_syn(before, step)
    ),
    when=lambda s: s.me.state == TIME_WAIT,
    name="time_wait_ends_only_by_its_timer_or_a_new_syn",
    each_end=True,
    role=Role.OBSERVATION,
    source="RFC 9293 3.6.1 MAY-2; RFC 1337: TIME-WAIT assassination",
    broken_by="reopen_after_free_time_wait",
    says=lambda s: f"TIME_WAIT has ended before its time: the end is now in {s.me.state.name}",
)

a_refused_syn_leads_back_to_time_wait = never_a_step(
    "A SYN that was taken in TIME-WAIT and turns out to be old leads back to TIME-WAIT.",
    lambda before, step, after: after.me.state != TIME_WAIT and _is_refused(before, step, after),
    among=lambda before, step, after: _is_refused(before, step, after),
    name="a_refused_syn_leads_back_to_time_wait",
    each_end=True,
    source="RFC 9293 3.6.1 MAY-2 (2)",
    broken_by="time_wait_takes_syn_for_good",
    says=lambda s: (
        f"the SYN was refused, and the end that was in TIME_WAIT is now in {s.me.state.name}"
    ),
)

REOPENING: tuple[Property, ...] = (
    no_old_segment_accepted,
    no_old_text_accepted,
    no_opening_ended_by_an_old_segment,
    no_desynchronized_connection,
    the_second_connection_can_always_open,
    an_opening_can_always_end,
    the_second_connection_can_always_close,
    a_refused_syn_leads_back_to_time_wait,
    no_endless_chatter,
    time_wait_ends_only_by_its_timer_or_a_new_syn,
)
"""What is judged of a model in which an end opens the connection again, requirements first."""
