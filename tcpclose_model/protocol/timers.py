"""The timers of an end as rows: what happens when one goes off, and what starts it anew.

A timer runs for as long as a row of its event fits the TCB (and the model lets the event happen):
that stands in the protocol's table, once.  It starts when that begins to be so, starts anew when
it has gone off and the row still fits, when one of `restarted_by` has been carried out (or, if it
measures silence, when a segment has arrived), and stops when no row fits any more.  How long it runs is a parameter of the model (`model.Time`, under
the timer's name); no row and no effect names a duration.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpclose_model.protocol.effects import Effect, start_2msl, take_ack
from tcpclose_model.protocol.vocabulary import Event


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer: its name (and its parameter's), its event, what starts it anew, and the clause.

    backs_off: its timeout grows with what has been sent again since the last new ACK.
    measures_silence: whatever arrives starts it anew.
    """

    name: str
    event: Event
    restarted_by: tuple[Effect, ...]
    cite: str
    backs_off: bool = False
    measures_silence: bool = False

    @property
    def field(self) -> str:
        """The field of the TCB that holds it: 0 if it does not run, n if it is due in n - 1 ticks."""
        return f"{self.name}_timer"


# fmt: off
TIMERS = (
    # Started with what is sent if it does not run (5.1), stopped when all is acknowledged (5.2), started
    # anew by a new ACK (5.3) and by a retransmission, with the timeout backed off (5.4 to 5.6).
    Timer("retransmission", Event.RETRANSMISSION_TIMEOUT, (take_ack,),   "RFC 6298 5.1 to 5.6; 3.8.1", backs_off=True),
    # Started on entering TIME-WAIT, and anew where a row says so.
    Timer("time_wait",      Event.TIME_WAIT_TIMEOUT,      (start_2msl,), "3.6.1 MUST-13, 3.10.7.4, 3.10.8"),
    # Not in RFC 9293: for a table that has the row `fin_wait_2_timeout`.
    Timer("fin_wait_2",     Event.FIN_WAIT_2_TIMEOUT,     (),            "Linux ip-sysctl tcp_fin_timeout"),
    # R2 as a duration: it runs while something is unacknowledged, and progress starts it anew.
    Timer("user_timeout",   Event.USER_TIMEOUT,           (take_ack,),   "3.8.3 R2, 3.10.8; RFC 5482"),
    # An ACK is owed for at most so long.
    Timer("delayed_ack",    Event.DELAYED_ACK_TIMEOUT,    (),            "3.8.6.3 MUST-40"),
    # For a table that has the row `keep_alive_probe`: idle, and nothing heard for so long.
    Timer("keep_alive",     Event.KEEP_ALIVE_TIMEOUT,     (),            "3.8.4 MUST-26", measures_silence=True),
    # For a table that has flow control: the window has been zero for so long, backed off with each probe
    # that nothing answers (SHLD-29, SHLD-30).
    Timer("persist",        Event.PERSIST_TIMEOUT,        (take_ack,),   "3.8.6.1 MUST-36", backs_off=True),
)
# fmt: on
"""Every timer, in the order of their events."""
