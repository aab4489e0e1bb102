"""Hazards from H27 on: what users, hosts and firewalls do to a close, and more bugs of stacks."""

from __future__ import annotations

from properties.hazards.case import NO_BOX, UNDOING, Case, Hazard

# fmt: off
SURROUNDINGS = (
    Hazard(
        "H27", "TIME-WAIT never ends after a simultaneous close",
        "The timer of 2MSL is started where FIN-WAIT-2 ends, and forgotten where CLOSING does.",
        "mirage-tcpip pull request 489",
        (
            Case("both ends leak", "mirage_tcpip_489", (), "both_eventually_closed",
                 ends=("TIME_WAIT", "TIME_WAIT"), steps=6, loop=0, repair=UNDOING + "closing_starts_no_timer"),
        ),
    ),
    Hazard(
        "H28", "A CLOSE that resets loses text in silence",
        "A reset throws away whatever its sender had not had acknowledged. An ABORT asks for that; a CLOSE does "
        "not, and its user is told of nothing. Stacks do it when text arrives after CLOSE, when they keep no more "
        "orphans, and when a RECEIVE waits.",
        "RFC 9293 3.6.1 SHLD-3; Linux tcp_max_orphans; Windows: CAV 2016, section 4",
        (
            Case("text arrives after CLOSE", "half_duplex_close_both_ways", (), "no_silent_data_loss",
                 ends=("CLOSED", "ESTABLISHED"), steps=5, repair="protocol.half_duplex_close=off"),
            Case("no orphans are kept", "no_orphans", (), "no_silent_data_loss",
                 ends=("CLOSED", "ESTABLISHED"), steps=2, repair="protocol.no_orphans=off"),
            Case("a RECEIVE waits", "reset_on_pending_receive", (), "no_silent_data_loss",
                 ends=("CLOSED", "ESTABLISHED"), steps=3, repair="application.reading=eager"),
        ),
    ),
    Hazard(
        "H29", "A firewall forgets the connection before its close is over",
        "Once FINs have passed both ways, or what it takes for the last ACK, a firewall has an entry for a "
        "little longer, or for no longer. If the last ACK is lost behind it, or a FIN before it, what is sent "
        "again meets nobody: LAST-ACK repeats its FIN until R2, and the RST or ACK that would answer never "
        "comes. Where nothing is lost it does no harm.",
        "RFC 5382 REQ-5; Linux nf_conntrack_tcp_timeout_last_ack; opnsense/src issue 80",
        (
            Case("the last ACK is lost, and the entry times out", "firewall_after_fins", (), "both_eventually_closed",
                 ends=("CLOSED", "LAST_ACK"), steps=10, loop=2, fixed=(NO_BOX,), repair="network.loss=false"),
            Case("the entry goes with the last ACK", "firewall_at_last_ack", (), "both_eventually_closed",
                 ends=("CLOSED", "LAST_ACK"), steps=9, loop=2, fixed=(NO_BOX,), repair="network.loss=false"),
            Case("a FIN is lost behind the box of who sent it", "firewall_after_fins", ("middlebox.at=b",), "no_deadlock",
                 ends=("FIN_WAIT_2", "LAST_ACK"), steps=6, fixed=(NO_BOX,), repair="network.loss=false"),
        ),
    ),
    Hazard(
        "H30", "A firewall forgets an idle connection",
        "Neither end knows. The one that closes next asks in vain, or is reset, and the other waits for it "
        "for ever: half open. Picking the connection up again does not help a FIN, which Linux takes for "
        "INVALID where it has no entry; resets to both ends help if they arrive. A keep-alive (3.8.4) finds out.",
        "RFC 5382 REQ-5; Linux nf_conntrack_tcp_timeout_established, nf_conntrack_tcp_loose",
        (
            Case("what it does not know it drops", "firewall_idle", (), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=3, fixed=(NO_BOX,), repair="protocol.keep_alive=on"),
            Case("what it does not know it answers with a reset", "firewall_idle_resets", (), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=2, fixed=(NO_BOX,), repair="protocol.keep_alive=on"),
            Case("it would pick up anything but a FIN", "conntrack_loose", (), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=3, fixed=(NO_BOX,), repair="protocol.keep_alive=on"),
            Case("it resets both ends, and one reset is lost", "firewall_idle_tells", ("network.loss=true", "timers.user_timeout=off"), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=2, fixed=(NO_BOX,), repair="network.loss=false"),
        ),
    ),
    Hazard(
        "H31", "A firewall forgets a half-closed connection",
        "One FIN has passed, and for the firewall the connection is as good as over; but the other end still "
        "sends. Its text and its FIN are dropped. It is told, by R2 or by a reset, so nothing is lost in "
        "silence, unless a reset in LAST-ACK goes untold.",
        "RFC 7857 2.1; Linux nf_conntrack_tcp_timeout_close_wait; haproxy issue 2520",
        (
            Case("what B still sends is dropped", "firewall_half_closed", (), "both_eventually_closed",
                 ends=("FIN_WAIT_2", "LAST_ACK"), steps=7, loop=2, fixed=(NO_BOX,), repair=NO_BOX),
            Case("the firewall's reset is not told", "firewall_half_closed_silent_reset", (), "no_silent_data_loss",
                 ends=("FIN_WAIT_2", "CLOSED"), steps=9, repair=NO_BOX),
        ),
    ),
)
# fmt: on
"""In the order of their numbers."""
