"""The catalogue, the part about middleboxes: firewalls and NATs that forget too early.

Most of them lose nothing and send nothing twice on the way, so that what goes wrong is the box's
doing.  Their sources say how long a box must remember; here it may forget whenever all is silent.
"""

from __future__ import annotations

from tcpclose_model.parts import Application, Middlebox
from tcpclose_model.variants.registry import (
    ASSASSINATED,
    GIVES_UP,
    HALF_OPEN,
    LIVENESS,
    LOSSLESS,
    NO_DATA,
    NO_TEXT,
    RESETS,
    STUCK,
    TIMELY,
    UNCLEAN,
    UNTOLD,
    add_model,
    switched,
)

A_FIRST = Application(closes="a_first", data_units=(0, 0))
B_STILL_SENDS = Application(closes="b_after_eof", data_units=(0, 1))
REAL_STACK = switched("fin_wait_2_timeout")

add_model(
    "firewall_after_fins",
    "a firewall beside A forgets once FINs have passed both ways: LAST-ACK asks in vain",
    "RFC 5382 REQ-5; Linux nf_conntrack_tcp_timeout_last_ack; opnsense/src issue 80",
    timers=TIMELY,
    application=A_FIRST,
    middlebox=Middlebox(at="a"),
    violated=(*LIVENESS, *HALF_OPEN, *RESETS, *UNCLEAN),
    vacuous=NO_TEXT,
)
add_model(
    "firewall_at_last_ack",
    "a firewall beside A takes the first segment after both FINs for the last, and forgets at once",
    "against RFC 5382 REQ-5",
    timers=TIMELY,
    application=A_FIRST,
    middlebox=Middlebox(at="a", forgets="at_last_ack"),
    violated=(*LIVENESS, *HALF_OPEN, *UNCLEAN),
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "firewall_after_fins_user_timeout",
    "as firewall_after_fins between real stacks: R2 and the FIN-WAIT-2 timeout end what is left",
    "Linux tcp_orphan_retries, tcp_fin_timeout",
    REAL_STACK,
    timers=GIVES_UP,
    application=NO_DATA,
    middlebox=Middlebox(at="a"),
    violated=(*ASSASSINATED, *RESETS),
    vacuous=NO_TEXT,
)
add_model(
    "firewall_idle",
    "a firewall beside A forgets an idle connection: A's FIN is dropped, B never learns",
    "RFC 5382 REQ-5: established idle-timeout; Linux nf_conntrack_tcp_timeout_established",
    REAL_STACK,
    network=LOSSLESS,
    timers=GIVES_UP,
    application=A_FIRST,
    middlebox=Middlebox(at="a", forgets="when_idle"),
    violated=(*STUCK, *HALF_OPEN, *ASSASSINATED, *RESETS, *UNCLEAN),
    vacuous=NO_TEXT,
)
add_model(
    "firewall_idle_keep_alive",
    "as firewall_idle, but both ends probe an idle connection, and give up if nobody answers",
    "RFC 9293 3.8.4",
    switched("fin_wait_2_timeout", "keep_alive"),
    network=LOSSLESS,
    timers=GIVES_UP,
    application=A_FIRST,
    middlebox=Middlebox(at="a", forgets="when_idle"),
    violated=(*ASSASSINATED, *RESETS, *UNCLEAN),
    vacuous=NO_TEXT,
)
add_model(
    "firewall_idle_resets",
    "the same, and the firewall answers what it does not know with a reset: only A learns",
    "iptables REJECT --reject-with tcp-reset",
    REAL_STACK,
    network=LOSSLESS,
    timers=GIVES_UP,
    application=A_FIRST,
    middlebox=Middlebox(at="a", forgets="when_idle", unknown="resets"),
    violated=(*STUCK, *HALF_OPEN, *ASSASSINATED, *RESETS, *UNCLEAN),
    vacuous=NO_TEXT,
)
add_model(
    "firewall_idle_tells",
    "a firewall that forgets an idle connection resets both ends, and both resets arrive",
    "draft-sivakumar-behave-nat-tcp-req, requirement 3",
    REAL_STACK,
    network=LOSSLESS,
    timers=GIVES_UP,
    application=A_FIRST,
    middlebox=Middlebox(at="a", forgets="when_idle", tells="both"),
    violated=(*ASSASSINATED, *RESETS),
    vacuous=NO_TEXT,
)
add_model(
    "conntrack_loose",
    "an idle connection is picked up again by an ACK or by text, but not by a FIN",
    "Linux nf_conntrack_tcp_loose=1, with a policy that drops what is INVALID",
    REAL_STACK,
    network=LOSSLESS,
    timers=GIVES_UP,
    application=Application(closes="a_first", data_units=(1, 0)),
    middlebox=Middlebox(at="a", forgets="when_idle", unknown="tracks"),
    violated=(*STUCK, *HALF_OPEN, *ASSASSINATED, *RESETS, *UNCLEAN),
)
add_model(
    "firewall_half_closed",
    "a firewall beside A forgets a connection half closed: what B still sends is dropped",
    "RFC 7857 2.1; Linux nf_conntrack_tcp_timeout_close_wait; haproxy issue 2520",
    network=LOSSLESS,
    timers=TIMELY,
    application=B_STILL_SENDS,
    middlebox=Middlebox(at="a", forgets="after_a_fin"),
    violated=(*LIVENESS, *UNCLEAN),
    vacuous=UNTOLD,
)
add_model(
    "firewall_half_closed_silent_reset",
    "the firewall resets B instead, B in LAST-ACK is not told, and its text is lost in silence",
    "as firewall_half_closed; RFC 9293 3.10.7.4 second, read without 3.5.3",
    switched("silent_reset"),
    network=LOSSLESS,
    timers=TIMELY,
    application=B_STILL_SENDS,
    middlebox=Middlebox(at="a", forgets="after_a_fin", unknown="resets"),
    violated=(*STUCK, *HALF_OPEN, "no_silent_data_loss", *UNTOLD, *RESETS, *UNCLEAN),
)
