"""The catalogue: what a close of a TCP connection must satisfy, each claim with its source.

The order is that of the table a check prints.  Two ends are meant where a claim says "an end".
`broken_by` names a model of the catalogue that violates the claim; a test runs it.
"""

from __future__ import annotations

from properties.kinds import (
    Property,
    Role,
    always,
    can_always,
    can_always_avoiding,
    leads_to,
    never_a_step,
    never_stuck,
    no_cycle_of,
    only_after,
)
from properties.views import StepView, View
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.protocol.vocabulary import (
    ABORT_OK,
    CLOSED,
    CRASHED,
    ESTABLISHED,
    NOTHING,
    TIME_WAIT,
    USER_TIMEOUT_TOLD,
    Event,
)


def both_closed(s: View) -> bool:
    """Return whether both ends are CLOSED."""
    return s.me.state == CLOSED and s.peer.state == CLOSED


def one_closed(s: View) -> bool:
    """Return whether `me` is CLOSED."""
    return s.me.state == CLOSED


no_deadlock = never_stuck(
    "Until both ends are CLOSED something can still change.",
    name="no_deadlock",
    unless=both_closed,
    source="RFC 9293 3.6: a close completes",
    broken_by="no_retransmission",
)

both_eventually_closed = leads_to(
    "In every fair run both ends reach CLOSED.",
    name="both_eventually_closed",
    when=lambda s: True,
    then=both_closed,
    source="RFC 9293 3.6: CLOSE is an operation that ends",
    broken_by="rfc9293_literal",
)

both_can_always_close = can_always(
    "From every state that occurs, some run takes both ends to CLOSED.",
    both_closed,
    name="both_can_always_close",
    source="RFC 9293 3.6; AG EF, that is, with probability one if every choice keeps a chance",
    broken_by="silent_closed",
)

no_half_open_end = can_always(
    "When one end is CLOSED, the other can still get there.",
    both_closed,
    name="no_half_open_end",
    when=one_closed,
    each_end=True,
    source="RFC 9293 3.5.1: half-open connections",
    broken_by="user_timeout",
    says=lambda s: (
        f"one end is {s.me.state.name} and the other stays in {s.peer.state.name}: the connection "
        "is half open and nothing will ever resolve it"
    ),
)

no_silent_data_loss = always(
    "Text that an end sent has arrived if that end is CLOSED and was told of no error.",
    lambda s: s.peer.rcv_text >= s.me.snd_end,
    name="no_silent_data_loss",
    when=lambda s: s.me.state == CLOSED and s.me.told == NOTHING and s.me.snd_end > 0,
    each_end=True,
    source="RFC 9293 3.6: the normal close delivers buffered data reliably; MUST-12",
    broken_by="silent_reset",
    says=lambda s: (
        f"an end that sent {s.me.snd_end} unit(s) of text is CLOSED and was told of no error, but "
        f"its peer ({s.peer.state.name}) has taken only {s.peer.rcv_text}"
    ),
)

no_acknowledged_data_unread = always(
    "Text that an end sent has been read by its peer's user if both are CLOSED without an error.",
    lambda s: s.peer.read >= s.me.snd_end,
    name="no_acknowledged_data_unread",
    when=lambda s: both_closed(s) and s.me.told == s.peer.told == NOTHING and s.me.snd_end > 0,
    each_end=True,
    source="RFC 2525 2.17; RFC 9293 3.6.1 SHLD-3",
    broken_by="fin_with_unread_text",
    says=lambda s: (
        f"both ends are CLOSED and no user was told of an error, but of {s.me.snd_end} unit(s) of "
        f"text sent the peer's user has read only {s.peer.read}"
    ),
)

fin_acknowledged_only_if_received = always(
    "An end's FIN is acknowledged only if the peer has taken it.",
    lambda s: s.peer.rcv_nxt > s.me.snd_end,
    name="fin_acknowledged_only_if_received",
    when=lambda s: s.me.fin_sent == 1 and s.me.snd_una > s.me.snd_end,
    each_end=True,
    source="RFC 9293 3.4: an acknowledgment covers what has been received",
    broken_by="ack_everything_seen",
    says=lambda s: (
        f"an end in {s.me.state.name} holds its FIN for acknowledged, but its peer "
        f"({s.peer.state.name}) has not taken it"
    ),
)

time_wait_only_after_active_close = only_after(
    "An end is in TIME-WAIT only if its user closed it in ESTABLISHED (both, if at the same time).",
    state=lambda s: s.me.state == TIME_WAIT,
    step=lambda before, step, after: (
        step.mine and step.event in (Event.CLOSE, Event.SHUTDOWN) and before.me.state == ESTABLISHED
    ),
    name="time_wait_only_after_active_close",
    each_end=True,
    source="RFC 9293 3.6.1 MUST-13: TIME-WAIT is for the end that closes actively",
    broken_by="time_wait_for_everyone",
    says=lambda s: "an end is in TIME_WAIT though its user did not close it in ESTABLISHED",
)

time_wait_ends_only_by_its_timer = never_a_step(
    "TIME-WAIT ends by its timer (or its user's ABORT, or a crash), not by a segment.",
    lambda before, step, after: (
        before.me.state == TIME_WAIT
        and after.me.state != TIME_WAIT
        and step.event not in (Event.TIME_WAIT_TIMEOUT, Event.ABORT, Event.CRASH)
    ),
    when=lambda s: s.me.state == TIME_WAIT,
    name="time_wait_ends_only_by_its_timer",
    each_end=True,
    role=Role.OBSERVATION,
    source="RFC 1337: TIME-WAIT assassination",
    broken_by="rfc9293",
    says=lambda s: "TIME_WAIT has ended before its time: it is assassinated",
)


def _a_reset_closes(before: View, step: StepView, after: View) -> bool:
    arrives = step.mine and step.arrives and step.segment is not None and step.segment.rst == 1
    return arrives and before.me.state not in (CLOSED, TIME_WAIT) and after.me.state == CLOSED


no_reset_goes_untold = never_a_step(
    "An end that a reset closes tells its user (but for TIME-WAIT, where all is done).",
    lambda before, step, after: after.me.told == NOTHING and _a_reset_closes(before, step, after),
    among=_a_reset_closes,
    name="no_reset_goes_untold",
    each_end=True,
    source="RFC 9293 3.5.3, MUST-12",
    broken_by="silent_reset",
    says=lambda s: "a reset has closed an end, and its user was not told",
)


def _orderly(s: View) -> bool:
    aborted = (ABORT_OK, USER_TIMEOUT_TOLD, CRASHED)
    return s.a.told not in aborted and s.b.told not in aborted


no_reset_in_an_orderly_close = never_a_step(
    "No RST is sent as long as no user aborts, no user timeout expires and no host crashes.",
    lambda before, step, after: step.sends_reset and _orderly(after),
    when=_orderly,
    name="no_reset_in_an_orderly_close",
    role=Role.OBSERVATION,
    source="characterises the network: correct TCP sends resets on almost any lossy one",
    broken_by="rfc9293",
    says=lambda s: "a RST is sent although nobody aborted the connection",
)

a_clean_completion_stays_possible = can_always_avoiding(
    "As long as no RST has been sent, some run completes the close without one.",
    both_closed,
    avoiding=lambda before, step, after: step.sends_reset,
    name="a_clean_completion_stays_possible",
    role=Role.OBSERVATION,
    source="characterises the network; shows what an answer from CLOSED masks",
    broken_by="rfc9293",
)

no_endless_chatter = no_cycle_of(
    "No two ends go on answering each other's answers for ever.",
    lambda before, step, after: step.arrives and step.sent is not None,
    name="no_endless_chatter",
    source="RFC 1337 Figure 3: the ACK loop; RFC 5961 7",
    broken_by="rfc9293_literal",
)

CATALOGUE: tuple[Property, ...] = (
    no_deadlock,
    both_eventually_closed,
    both_can_always_close,
    no_half_open_end,
    no_silent_data_loss,
    no_acknowledged_data_unread,
    no_reset_goes_untold,
    fin_acknowledged_only_if_received,
    time_wait_only_after_active_close,
    no_endless_chatter,
    time_wait_ends_only_by_its_timer,
    no_reset_in_an_orderly_close,
    a_clean_completion_stays_possible,
)
"""Every property of the catalogue, requirements first."""


def property_named(name: str, among: tuple[Property, ...] = CATALOGUE) -> Property:
    """Return the property of that name; a ModelError names the nearest ones."""
    for prop in among:
        if prop.name == name:
            return prop
    raise ModelError(f"no property {name!r}{nearest(name, [prop.name for prop in among])}")
