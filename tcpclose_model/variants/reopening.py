"""The catalogue, fourth part: models in which the connection is opened again after its close.

A closes first and opens again; B, once it is CLOSED, listens.  The second connection's numbers
coincide with the first's (`incarnations.iss` 0) where nothing else is said: the worst case, which
a clock-driven choice of the ISS (RFC 9293 3.4.1) makes rare and does not exclude.
"""

from __future__ import annotations

from tcpclose_model.parts import Application, Incarnations, Network, Timers
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import count_retransmission, resend_fin
from tcpclose_model.variants.registry import (
    LOSSLESS,
    TIMELY,
    add_model,
    switched,
)
from tcpclose_model.variants.stacks import LINUX_REOPENS

NO_TEXT_A_FIRST = Application(closes="a_first", data_units=(0, 0))
REORDERING_LOSSY = Network(order="any")
TIMELY_DRAINED = Timers(retransmission="timely", time_wait="drained")
AGAIN = Incarnations(opens=("active", "passive"), data_units=(1, 0))
ABOVE = Incarnations(opens=("active", "passive"), data_units=(0, 0), iss=(4, 4))
B_OPENS = Incarnations(
    opens=("passive", "active"), data_units=(0, 1), iss=(0, 4), gives_up=(False, True)
)
B_OPENS_AS_BEFORE = Incarnations(
    opens=("passive", "active"), data_units=(0, 1), gives_up=(False, True)
)
AGAIN_TABLE = switched("reopens")
STAMPING = switched("reopens", "timestamps")

NO_OLD_TEXT = ("no_old_text_accepted",)
STUCK_OPENING = ("an_opening_can_always_end",)
NO_SYN_REFUSED = ("a_refused_syn_leads_back_to_time_wait",)
OLD_ACCEPTED = ("no_old_segment_accepted", "no_opening_ended_by_an_old_segment")
ASSASSINATED = ("time_wait_ends_only_by_its_timer_or_a_new_syn",)
DESYNCHRONIZED = (
    "no_desynchronized_connection",
    "the_second_connection_can_always_close",
    "no_endless_chatter",
)

add_model(
    "reopen_after_free_time_wait",
    "TIME-WAIT may end at any time: old segments meet the second connection",
    "RFC 1337; RFC 9293 3.6.1: what TIME-WAIT is for",
    AGAIN_TABLE,
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=NO_TEXT_A_FIRST,
    incarnations=AGAIN,
    violated=(*OLD_ACCEPTED, *DESYNCHRONIZED, *ASSASSINATED),
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_after_drained_time_wait",
    "TIME-WAIT lasts until nothing is in flight: the second connection is safe",
    "RFC 9293 3.6.1 MUST-13",
    AGAIN_TABLE,
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=AGAIN,
    violated=ASSASSINATED,
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_fifo",
    "on a network that keeps order an old ACK still provokes a reset that the new connection takes",
    "RFC 9293 3.10.7.3 first: a bad ACK in SYN-SENT is answered with a RST",
    AGAIN_TABLE,
    timers=TIMELY,
    application=NO_TEXT_A_FIRST,
    incarnations=AGAIN,
    violated=OLD_ACCEPTED,
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_fifo_challenge_ack",
    "the same where only an exact RST resets",
    "RFC 5961 3.2",
    switched("reopens", "challenge_ack"),
    timers=TIMELY,
    application=NO_TEXT_A_FIRST,
    incarnations=AGAIN,
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_above",
    "the second connection's numbers lie above the first's: no TIME-WAIT is needed",
    "RFC 9293 3.4.1; RFC 6528",
    AGAIN_TABLE,
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=ABOVE,
    violated=ASSASSINATED,
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "reopen_with_old_text",
    "a unit of text of the first connection is given to the user of the second",
    "RFC 1337: old data accepted",
    AGAIN_TABLE,
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=AGAIN,
    violated=(*OLD_ACCEPTED, *NO_OLD_TEXT, *DESYNCHRONIZED, *STUCK_OPENING, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "reopen_without_retransmission",
    "a lost SYN is not sent again",
    "RFC 9293 3.8.1 left out",
    AGAIN_TABLE,
    network=Network(),
    timers=Timers(retransmission="none", time_wait="drained"),
    application=NO_TEXT_A_FIRST,
    incarnations=AGAIN,
    violated=(
        "the_second_connection_can_always_open",
        "the_second_connection_can_always_close",
        *STUCK_OPENING,
    ),
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "time_wait_takes_syn",
    "B opens again while A is in TIME-WAIT, which takes the SYN; if it was given up, A waits on",
    "RFC 9293 3.6.1 MAY-2",
    switched("reopens", "time_wait_takes_syn"),
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_OPENS,
    violated=ASSASSINATED,
    vacuous=NO_OLD_TEXT,
)
add_model(
    "time_wait_takes_syn_for_good",
    "the same where a SYN that was given up has ended TIME-WAIT all the same",
    "Linux tcp_minisocks.c, its RED-PEN comment",
    switched("reopens", "time_wait_takes_syn_for_good"),
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_OPENS,
    violated=(*NO_SYN_REFUSED, *ASSASSINATED),
    vacuous=NO_OLD_TEXT,
)
add_model(
    "reopen_simultaneously",
    "both ends open again, at the same time or one after the other; either may give up, A may abort",
    "RFC 9293 3.5 Figure 7, 3.10.4, 3.10.5, 3.10.8",
    AGAIN_TABLE,
    network=Network(capacity=1, order="any"),
    timers=Timers(retransmission="timely", time_wait="drained", user_timeout=True),
    application=Application(data_units=(0, 0), aborts=(True, False)),
    incarnations=Incarnations(opens=("active", "active"), data_units=(0, 0), gives_up=(True, True)),
    violated=(*OLD_ACCEPTED, "the_second_connection_can_always_open", *ASSASSINATED),
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_after_assassination",
    "a TIME-WAIT that lasts until nothing is in flight, but is assassinated by a reset before",
    "RFC 1337: assassination, and then old data accepted",
    AGAIN_TABLE,
    network=Network(capacity=2, order="any", duplication=True),
    timers=TIMELY_DRAINED,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=Incarnations(opens=("active", "passive"), data_units=(0, 0)),
    violated=(*OLD_ACCEPTED, *NO_OLD_TEXT, *DESYNCHRONIZED, *STUCK_OPENING, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "reopen_with_held_text",
    "text of the first connection is held behind a hole, and taken once the second fills it",
    "RFC 1337: old data accepted; RFC 9293 SHLD-31",
    AGAIN_TABLE,
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=Application(closes="a_first", data_units=(2, 0)),
    incarnations=AGAIN,
    violated=(*OLD_ACCEPTED, *NO_OLD_TEXT, *DESYNCHRONIZED, *STUCK_OPENING, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)

# Timestamps -------------------------------------------------------------------------------------

add_model(
    "reopen_with_timestamps",
    "as reopen_with_old_text, with timestamps: no old text; resets have none, and still do harm",
    "RFC 7323 5.2, 5.3",
    STAMPING,
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=AGAIN,
    violated=(*OLD_ACCEPTED, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "reopen_with_timestamps_challenge_ack",
    "the same where only an exact RST resets: an old one may be exact",
    "RFC 7323 5.2; RFC 5961 3.2",
    switched("reopens", "timestamps", "challenge_ack"),
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=AGAIN,
    violated=(*OLD_ACCEPTED, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "reopen_with_same_timestamps",
    "the clock has not ticked between the connections: timestamps change nothing",
    "RFC 7323 5.4: the clock must tick at least once for each 2^31 octets",
    STAMPING,
    network=REORDERING_LOSSY,
    timers=TIMELY,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=Incarnations(
        opens=("active", "passive"), data_units=(1, 0), tsval=("same", "same")
    ),
    violated=(*OLD_ACCEPTED, *NO_OLD_TEXT, *DESYNCHRONIZED, *STUCK_OPENING, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "time_wait_takes_newer_syn",
    "A's TIME-WAIT takes a SYN for its timestamp though its number is old, and an old RST ends it",
    "RFC 6191 2",
    switched("reopens", "rfc6191"),
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_OPENS_AS_BEFORE,
    violated=(*OLD_ACCEPTED, *NO_SYN_REFUSED, *ASSASSINATED),
    vacuous=NO_OLD_TEXT,
)
add_model(
    "time_wait_takes_newer_syn_and_resumes",
    "the same where a SYN that is refused leads back to TIME-WAIT: ACKs go to and fro",
    "RFC 6191 2; RFC 9293 3.6.1 MAY-2 (2)",
    switched("reopens", "time_wait_takes_syn", "rfc6191"),
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_OPENS_AS_BEFORE,
    violated=("no_old_segment_accepted", "no_endless_chatter", *ASSASSINATED),
    vacuous=NO_OLD_TEXT,
)
add_model(
    "time_wait_reuse",
    "A's user opens again in TIME-WAIT: no old text, but TIME-WAIT no longer outlasts old resets",
    "Linux ip-sysctl tcp_tw_reuse",
    switched("reopens", "time_wait_reuse"),
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=Application(closes="a_first", data_units=(1, 0)),
    incarnations=AGAIN,
    violated=(*OLD_ACCEPTED, *ASSASSINATED),
    vacuous=NO_SYN_REFUSED,
)
add_model(
    "linux_reopens",
    "Linux: B opens again while A is in TIME-WAIT, which takes newer SYNs, for good",
    "Linux 6.18 tcp_minisocks.c, its RED-PEN comment",
    LINUX_REOPENS,
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_OPENS_AS_BEFORE,
    violated=(*OLD_ACCEPTED, *NO_SYN_REFUSED, *ASSASSINATED),
    vacuous=NO_OLD_TEXT,
)
add_model(
    "linux_time_wait_reuse",
    "Linux with tcp_tw_reuse=1: A opens again in TIME-WAIT",
    "Linux ip-sysctl tcp_tw_reuse",
    switched("time_wait_reuse", protocol=LINUX_REOPENS),
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=AGAIN,
    violated=("no_old_segment_accepted", *ASSASSINATED),
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)

# A SYN that meets a connection ------------------------------------------------------------------

A_CRASHES = Application(closes="a_first", data_units=(0, 0), crashes=(True, False))
add_model(
    "reopen_half_open",
    "A's host crashes and opens again: A resets what B challenges it with, and B may listen in time",
    "RFC 9293 3.5.1 Figure 9; RFC 5961 4.2",
    AGAIN_TABLE,
    network=LOSSLESS,
    timers=TIMELY_DRAINED,
    application=A_CRASHES,
    incarnations=ABOVE,
    violated=("the_second_connection_can_always_open", *ASSASSINATED),
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_half_open_syn_resets",
    "the same where a SYN in the window resets, and so is refused: A never opens before B's close",
    "RFC 793 3.9, fourth check",
    switched("reopens", "syn_resets"),
    network=LOSSLESS,
    timers=TIMELY_DRAINED,
    application=A_CRASHES,
    incarnations=ABOVE,
    violated=("the_second_connection_can_always_open", *ASSASSINATED),
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)

# A CLOSE before the connection is established ---------------------------------------------------

CLOSES_EARLY = switched("reopens", "closes_in_syn_received")
SYN_FORGOTTEN = CLOSES_EARLY.edit(
    rows(name="retransmit_syn_ack_in_fin_wait_1"),
    becomes(do=(resend_fin, count_retransmission)),
    why="the SYN is forgotten, and only the FIN is sent again",
)
B_CLOSES_EARLY = Incarnations(
    opens=("active", "passive"), data_units=(1, 0), gives_up=(False, True)
)
add_model(
    "reopen_closed_early",
    "B's user closes in SYN-RECEIVED; the SYN is sent again before the FIN",
    "RFC 9293 3.10.4; Han and Billington 2005",
    CLOSES_EARLY,
    network=REORDERING_LOSSY,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_CLOSES_EARLY,
    violated=ASSASSINATED,
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
add_model(
    "reopen_closed_early_syn_forgotten",
    "B's user closes in SYN-RECEIVED, and only the FIN is sent again: A is in SYN-SENT for ever",
    "Han and Billington 2005: a deadlock where release starts before the connection is established",
    SYN_FORGOTTEN,
    timers=TIMELY_DRAINED,
    application=NO_TEXT_A_FIRST,
    incarnations=B_CLOSES_EARLY,
    violated=STUCK_OPENING,
    vacuous=(*NO_OLD_TEXT, *NO_SYN_REFUSED),
)
