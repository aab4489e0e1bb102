"""The hazards: what is known to go wrong when TCP connections close, each with models that show it.

A hazard has one or more cases.  A case names a small model and a property: the checker finds the
property violated, in a shortest run that ends as `ends` says; the standard's table, put right by
`fixed`, is free of it; and `repair` is the change that the checker itself proposes.
`tests/test_hazards.py` holds every case to all of that, and `docs/hazards.md` is made of the runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters

NO_DATA = "application.data_units=0"
A_FIRST = "application.closes=a_first"
TIMELY = "timers.retransmission=timely"
IDEAL = "timers.time_wait=ideal"
UNDOING = "undoing the edit: "
EAGER = "application.reading=eager"
FLOW_CONTROL = "protocol.flow_control=on"
NO_BOX = "middlebox.at=none"
ORPHANS_GIVE_UP = ("protocol.user_timeout_resets=on", "protocol.orphan_probes_count=on")


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a hazard shows.

    model, settings: where it occurs.  breaks: the property that finds it.
    ends: both ends' states where the run ends; steps: how long it is; loop: how many of its steps
    repeat for ever (0: nothing happens any more; None: it does not repeat).
    fixed: what, beside the standard's own table, makes the model right.
    repair: the change that the checker proposes.
    """

    title: str
    model: str
    settings: tuple[str, ...]
    breaks: str
    ends: tuple[str, str]
    steps: int
    repair: str
    loop: int | None = None
    fixed: tuple[str, ...] = ()

    def broken(self) -> Model:
        """Return the model in which it occurs."""
        return with_parameters(model_named(self.model), self.settings)

    def right(self) -> Model:
        """Return its twin: the standard's table under the same parameters, put right."""
        return with_parameters(replace(self.broken(), a=RFC9293, b=RFC9293), self.fixed)

    @property
    def command(self) -> str:
        """The command that shows it."""
        settings = "".join(f" --set {setting}" for setting in self.settings)
        return f"tcpclose check {self.model}{settings} --property {self.breaks}"


@dataclass(frozen=True, slots=True)
class Hazard:
    """A known hazard: what goes wrong, why, who has seen it, and the cases that show it."""

    name: str
    title: str
    says: str
    source: str
    cases: tuple[Case, ...]


# fmt: off
_ALL = (
    Hazard(
        "H1", "A lost FIN is never sent again",
        "One lost FIN is enough where the peer's user waits for it before closing; where both users close "
        "by themselves, both FINs must be lost. Nothing is left that could happen.",
        "Zephyr issue 46350; tricep issue 27",
        (
            Case("both ends close", "zephyr_46350", (NO_DATA,), "no_deadlock",
                 ends=("FIN_WAIT_1", "FIN_WAIT_1"), steps=4, repair=UNDOING + "a lost FIN is never sent again"),
            Case("B waits for A's FIN", "zephyr_46350", (NO_DATA, A_FIRST), "no_deadlock",
                 ends=("FIN_WAIT_1", "ESTABLISHED"), steps=2, repair=UNDOING + "a lost FIN is never sent again"),
            Case("no retransmission timer at all", "no_retransmission", (NO_DATA,), "no_deadlock",
                 ends=("FIN_WAIT_1", "FIN_WAIT_1"), steps=4, fixed=(TIMELY,), repair=TIMELY),
        ),
    ),
    Hazard(
        "H2", "The last ACK is lost: two generals",
        "TIME-WAIT cannot know whether its last ACK has arrived. If it is lost and 2MSL is over, only a "
        "reset can finish the close. A TIME-WAIT that knows when its peer is done would repair the first "
        "case, and no implementation can have one; it does not keep every reset from being sent, since a "
        "stale ACK may still meet CLOSED.",
        "RFC 9293 3.6.1; the two generals' problem",
        (
            Case("no clean way on", "rfc9293", (NO_DATA, TIMELY, A_FIRST), "a_clean_completion_stays_possible",
                 ends=("CLOSED", "LAST_ACK"), steps=7, fixed=(IDEAL,), repair=IDEAL),
            Case("the reset itself", "rfc9293", (NO_DATA, TIMELY, A_FIRST), "no_reset_in_an_orderly_close",
                 ends=("CLOSED", "LAST_ACK"), steps=9, fixed=("network.loss=false",), repair="network.loss=false"),
        ),
    ),
    Hazard(
        "H3", "TIME-WAIT is assassinated",
        "A stale segment reaches the closed peer of a TIME-WAIT, which answers with a reset, and the reset "
        "ends TIME-WAIT before its time. No loss and no duplication are needed: a needless retransmission is "
        "enough, or an ACK that is overtaken.",
        "RFC 1337 Figure 1",
        (
            Case("a needless retransmission", "needless_retransmission", (NO_DATA, A_FIRST), "time_wait_ends_only_by_its_timer",
                 ends=("CLOSED", "CLOSED"), steps=10, fixed=("protocol.rfc1337=on",), repair="protocol.rfc1337=on"),
            Case("an ACK is overtaken", "reordering", (), "time_wait_ends_only_by_its_timer",
                 ends=("CLOSED", "CLOSED"), steps=8, fixed=("protocol.rfc1337=on",), repair="protocol.rfc1337=on"),
        ),
    ),
    Hazard(
        "H7", "Sequence validation livelocks a simultaneous close",
        "The standard's first step, taken literally, drops a segment with its ACK field. Each end retransmits "
        "text that the other has already, and neither ever takes the ACK that would let it go on. It takes "
        "text both ways, and loss.",
        "RFC 9293 Appendix A.2; draft-gont-tcpm-tcp-seq-validation",
        (
            Case("both ends have sent text", "rfc9293", (TIMELY, "protocol.literal_ack=on"), "both_eventually_closed",
                 ends=("FIN_WAIT_1", "FIN_WAIT_1"), steps=16, loop=6, repair="protocol.literal_ack=off"),
        ),
    ),
    Hazard(
        "H8", "FIN-WAIT-2 hangs when the peer gives up",
        "An end that gives up after R2 says nothing (3.10.8 sends no RST), and FIN-WAIT-2 has no timer in the "
        "standard.",
        "RFC 9293 3.8.3, 3.10.8",
        (
            Case("nothing can happen any more", "user_timeout", (NO_DATA,), "no_deadlock",
                 ends=("FIN_WAIT_2", "CLOSED"), steps=6, fixed=("protocol.fin_wait_2_timeout=on",), repair="protocol.fin_wait_2_timeout=on"),
            Case("half open", "user_timeout", (NO_DATA,), "no_half_open_end",
                 ends=("CLOSED", "FIN_WAIT_2"), steps=6, fixed=("protocol.fin_wait_2_timeout=on",), repair="protocol.fin_wait_2_timeout=on"),
        ),
    ),
    Hazard(
        "H9", "CLOSE-WAIT leaks",
        "The application never closes: its end stays in CLOSE-WAIT, and the peer in FIN-WAIT-2. TCP can do "
        "nothing about it.",
        "sockets that pile up in CLOSE-WAIT",
        (
            Case("B's user never closes", "close_wait_leak", (NO_DATA,), "both_eventually_closed",
                 ends=("FIN_WAIT_2", "CLOSE_WAIT"), steps=3, loop=0, fixed=("application.closes=any",), repair="application.closes=any"),
        ),
    ),
    Hazard(
        "H10", "An orphan's FIN-WAIT-2 timeout leaves CLOSE-WAIT half open",
        "As H9, and the end in FIN-WAIT-2 gives up. What is left is one end in CLOSE-WAIT opposite CLOSED.",
        "Linux tcp_fin_timeout; This is strictly a violation, Cloudflare 2016",
        (
            Case("B's user never closes", "orphan_fin_wait_2", (NO_DATA,), "no_half_open_end",
                 ends=("CLOSED", "CLOSE_WAIT"), steps=4, repair="application.closes=any"),
        ),
    ),
    Hazard(
        "H11", "A reset in LAST-ACK loses data in silence",
        "The text of 3.10.7.4 names no signal for a reset in LAST-ACK or CLOSING. If the user is not told, text "
        "that never arrived is lost without anybody knowing.",
        "RFC 9293 3.10.7.4 second, read without 3.5.3 and MUST-12",
        (
            Case("the peer's FIN-WAIT-2 has timed out", "silent_reset", (), "no_silent_data_loss",
                 ends=("CLOSED", "CLOSED"), steps=9, repair="protocol.silent_reset=off"),
            Case("the peer's R2 has expired", "user_timeout_silent_reset", ("application.data_units=1,0",), "no_silent_data_loss",
                 ends=("CLOSED", "CLOSED"), steps=7, repair="protocol.silent_reset=off"),
        ),
    ),
    Hazard(
        "H14", "A lost reset leaves the peer half open",
        "An abort sends its reset once. If it is lost, and the peer has nothing to send that would provoke "
        "another, the peer never finds out. While the peer's user still may close it is not stuck: its FIN "
        "meets CLOSED.",
        "RFC 9293 3.5.1; SO_LINGER with a time of 0",
        (
            Case("B waits in FIN-WAIT-2", "abort", (NO_DATA,), "no_half_open_end",
                 ends=("CLOSED", "FIN_WAIT_2"), steps=5, fixed=("application.aborts=false",), repair="protocol.fin_wait_2_timeout=on"),
            Case("B is idle", "abort", ("application.closes=b_never",), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=2, fixed=("application.aborts=false",), repair="network.loss=false"),
        ),
    ),
    Hazard(
        "H15", "A zero window holds up the close",
        "Text that the peer has no room for keeps the FIN behind it. As long as probes of the window are "
        "answered the sender must not give up (MUST-37), so an end can be kept in FIN-WAIT-1 or LAST-ACK for "
        "ever by a peer that never reads, R2 or not; stacks that let R2 count the probes of an end without a "
        "user (Linux: tcp_orphan_retries) are free of it. Without a persist timer one lost window update is "
        "enough, though the peer reads everything; with one, and a reader, all ends well.",
        "RFC 9293 3.8.6.1; FreeBSD-SA-15:13.tcp; CERT VU#723308",
        (
            Case("B's user never reads", "zero_window_never_read", (), "both_eventually_closed",
                 ends=("FIN_WAIT_1", "ESTABLISHED"), steps=11, loop=3, fixed=(FLOW_CONTROL, "application.reading=lazy"), repair=EAGER),
            Case("R2 is finite, and every probe is answered", "zero_window_user_timeout", (), "both_eventually_closed",
                 ends=("FIN_WAIT_1", "ESTABLISHED"), steps=13, loop=3, fixed=ORPHANS_GIVE_UP, repair=EAGER),
            Case("A closes and keeps its window zero", "last_ack_behind_zero_window", (), "both_eventually_closed",
                 ends=("FIN_WAIT_2", "LAST_ACK"), steps=14, loop=3, fixed=(FLOW_CONTROL,), repair=EAGER),
            Case("a FIN alone, which a zero window does not accept", "fin_in_zero_window", (), "both_eventually_closed",
                 ends=("FIN_WAIT_1", "ESTABLISHED"), steps=8, loop=3, fixed=(FLOW_CONTROL,), repair=EAGER),
            Case("no persist timer, and a window update is lost", "no_persist_timer", (), "no_deadlock",
                 ends=("FIN_WAIT_1", "ESTABLISHED"), steps=8, fixed=(FLOW_CONTROL,), repair="protocol.no_persist_timer=off"),
        ),
    ),
    Hazard(
        "H16", "A FIN behind a zero window leaves its end in ESTABLISHED",
        "The user has closed, but the state changes only when the FIN is sent, and it stands behind text that "
        "the peer has no room for. Whatever a stack does about orphans that are closing (here: R2 counts their "
        "probes) passes this end by. The standard enters FIN-WAIT-1 \"in any case\" (3.10.4).",
        "gVisor issue 13393",
        (
            Case("B's user waits for the end without reading", "gvisor_13393", (), "both_eventually_closed",
                 ends=("ESTABLISHED", "ESTABLISHED"), steps=13, loop=3, fixed=ORPHANS_GIVE_UP, repair=EAGER),
        ),
    ),
    Hazard(
        "H17", "CLOSING retransmits without its FIN",
        "The peer never gets the FIN that it lost, however often the segment is sent again. The pair of "
        "FIN-WAIT-1 opposite CLOSING is doomed; CLOSING's repeated ACK takes its peer to FIN-WAIT-2.",
        "demikernel issue 1537; smoltcp issues 398 and 279",
        (
            Case("no text", "demikernel_1537", (NO_DATA,), "both_eventually_closed",
                 ends=("CLOSING", "FIN_WAIT_2"), steps=7, loop=2, repair=UNDOING + "closing_forgets_fin"),
        ),
    ),
    Hazard(
        "H18", "Any ACK is taken for the ACK of our FIN",
        "An end believes its FIN acknowledged when it is not, and stops sending it. The shortest deadlock is "
        "half open; with text, data is lost as well.",
        "smoltcp issues 470 and 477",
        (
            Case("half open", "smoltcp_470", (NO_DATA,), "no_deadlock",
                 ends=("FIN_WAIT_2", "CLOSED"), steps=6, repair=UNDOING + "any ACK is taken for the ACK of our FIN"),
            Case("data is lost", "smoltcp_470", ("application.data_units=1,0",), "no_silent_data_loss",
                 ends=("CLOSED", "FIN_WAIT_1"), steps=6, repair=UNDOING + "any ACK is taken for the ACK of our FIN"),
        ),
    ),
    Hazard(
        "H19", "TIME-WAIT does not acknowledge a repeated FIN",
        "Hidden by the reset from CLOSED once TIME-WAIT is over, so that only an ideal TIME-WAIT shows it. A "
        "silent CLOSED does not: then the standard's own table fails as well.",
        "Zephyr issue 46407; ethersex issue 486",
        (
            Case("LAST-ACK repeats its FIN for ever", "zephyr_46407_unmasked", (NO_DATA, A_FIRST), "both_eventually_closed",
                 ends=("TIME_WAIT", "LAST_ACK"), steps=8, loop=2, repair=UNDOING + "TIME-WAIT does not acknowledge a retransmitted FIN"),
            Case("no clean way on", "zephyr_46407_unmasked", (NO_DATA,), "a_clean_completion_stays_possible",
                 ends=("TIME_WAIT", "CLOSING"), steps=6, repair=UNDOING + "TIME-WAIT does not acknowledge a retransmitted FIN"),
        ),
    ),
    Hazard(
        "H20", "A FIN in FIN-WAIT-1 or FIN-WAIT-2 leads to the passive states",
        "The end that closed first behaves as if it had been closed: it waits for a CLOSE of its user that has "
        "long been made. Nothing needs to be lost.",
        "FreeRTOS-Plus-TCP issue 1303",
        (
            Case("stuck", "freertos_1303", (), "no_deadlock",
                 ends=("CLOSE_WAIT", "CLOSED"), steps=6, repair=UNDOING + "fin_leads_astray"),
            Case("half open", "freertos_1303", (), "no_half_open_end",
                 ends=("CLOSED", "CLOSE_WAIT"), steps=6, repair=UNDOING + "fin_leads_astray"),
        ),
    ),
    Hazard(
        "H21", "A FIN with an old ACK field is dropped",
        "Reordering alone stops the close: the FIN was overtaken by an ACK, and is not sent again. "
        "Retransmission masks the bug, and on a FIFO network it cannot occur.",
        "Linux 5.10.112",
        (
            Case("reordering, no loss", "linux_5_10_old_ack_fin", (), "no_deadlock",
                 ends=("FIN_WAIT_2", "CLOSING"), steps=5, repair=UNDOING + "a segment with an old ACK field is dropped, and the FIN on it"),
        ),
    ),
    Hazard(
        "H22", "A FIN is taken over a hole in the text",
        "The receiver believes that it has everything, the sender too: text that was lost is never sent again.",
        "smoltcp issue 112",
        (
            Case("one unit of text is lost", "smoltcp_112", ("application.data_units=1,0", A_FIRST), "no_silent_data_loss",
                 ends=("CLOSED", "LAST_ACK"), steps=9, repair=UNDOING + "fin_over_a_hole"),
        ),
    ),
    Hazard(
        "H26", "A closed application is sent text for ever",
        "A has closed and reads no more, and B does not know: it sends, and A acknowledges. One unit stands "
        "for an endless stream here. A stack that answers text after a CLOSE with a reset (half_duplex_close) "
        "is free of it: the first unit that comes ends the connection.",
        "NuttX pull request 8915; RFC 2525 2.17; RFC 9293 3.6.1 SHLD-3",
        (
            Case("B sends and never closes", "nuttx_8915", (), "both_eventually_closed",
                 ends=("FIN_WAIT_2", "CLOSE_WAIT"), steps=7, loop=4, fixed=("application.closes=any",), repair="application.closes=any"),
        ),
    ),
    Hazard(
        "H27", "A firewall forgets the connection before its close is over",
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
        "H28", "A firewall forgets an idle connection",
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
        "H29", "A firewall forgets a half-closed connection",
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

HAZARDS: dict[str, Hazard] = {hazard.name: hazard for hazard in _ALL}
"""Every hazard that the catalogue reproduces, in their order."""


def hazard_named(name: str) -> Hazard:
    """Return the hazard of that name; a ModelError names the nearest ones."""
    if name not in HAZARDS:
        raise ModelError(f"no hazard {name!r}{nearest(name, HAZARDS)}")
    return HAZARDS[name]
