"""Hazards H1 to H26: the standard's own gaps, and bugs that stacks are known for."""

from __future__ import annotations

from properties.hazards.case import (
    A_FIRST,
    EAGER,
    FLOW_CONTROL,
    IDEAL,
    NO_DATA,
    ORPHANS_GIVE_UP,
    TIMELY,
    UNDOING,
    Case,
    Hazard,
)

# fmt: off
LITERATURE = (
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
        "H12", "A reset on CLOSE destroys text in both directions",
        "To close with text unread resets the peer, to show that the text was lost. The reset destroys the other "
        "direction as well: text of the end that closes, acknowledged or not, that its peer's user has not read. "
        "Who closed is told of nothing. On a lossy network the reset may be lost, and with it the news.",
        "RFC 2525 2.17; RFC 9293 3.6.1 SHLD-3; Linux tcp_close",
        (
            Case("A's own text never leaves", "reset_on_unread_lossless", ("application.data_units=1",), "no_silent_data_loss",
                 ends=("CLOSED", "ESTABLISHED"), steps=5, repair="application.reading=eager"),
            Case("the reset finds no room, or is lost", "reset_on_unread", (), "no_half_open_end",
                 ends=("CLOSED", "FIN_WAIT_2"), steps=8, repair="application.reading=eager"),
        ),
    ),
    Hazard(
        "H13", "A clean close hides that text was not read",
        "A stack that sends its FIN although text is unread tells the peer that all is well. TCP has delivered "
        "everything; the user has not read it, and nobody is told.",
        "FreeBSD; RFC 2525 2.17",
        (
            Case("nothing is lost on the way", "fin_with_unread_text", ("network.loss=false",), "no_acknowledged_data_unread",
                 ends=("CLOSED", "CLOSED"), steps=11, fixed=("application.closes=b_after_eof",), repair="application.reading=eager"),
        ),
    ),
    Hazard(
        "H14", "A lost reset, or a crash, leaves the peer half open",
        "An abort sends its reset once, a crash none at all. If nothing arrives, and the peer has nothing to send "
        "that would provoke another reset, the peer never finds out. While the peer's user still may close it is "
        "not stuck: its FIN meets CLOSED. A keep-alive finds out without being asked.",
        "RFC 9293 3.5.1, 3.8.4; SO_LINGER with a time of 0",
        (
            Case("B waits in FIN-WAIT-2", "abort", (NO_DATA,), "no_half_open_end",
                 ends=("CLOSED", "FIN_WAIT_2"), steps=5, fixed=("application.aborts=false",), repair="protocol.fin_wait_2_timeout=on"),
            Case("B is idle", "abort", ("application.closes=b_never",), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=2, fixed=("application.aborts=false",), repair="protocol.keep_alive=on"),
            Case("A's host crashes, B waits in FIN-WAIT-2", "crash", (), "no_half_open_end",
                 ends=("CLOSED", "FIN_WAIT_2"), steps=4, fixed=("protocol.keep_alive=on",), repair="protocol.fin_wait_2_timeout=on"),
            Case("A's host crashes, B is idle", "crash", ("application.closes=b_never",), "no_half_open_end",
                 ends=("CLOSED", "ESTABLISHED"), steps=1, fixed=("protocol.keep_alive=on",), repair="protocol.keep_alive=on"),
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
        "H17", "CLOSING retransmits without its FIN, or never sends it",
        "The peer never gets the FIN that it lost, however often the segment is sent again. The pair of "
        "FIN-WAIT-1 opposite CLOSING is doomed; CLOSING's repeated ACK takes its peer to FIN-WAIT-2. Where the "
        "FIN was still queued behind text when the peer's arrived, nothing needs to be lost.",
        "demikernel issue 1537; smoltcp issues 398 and 279",
        (
            Case("no text", "demikernel_1537", (NO_DATA,), "both_eventually_closed",
                 ends=("CLOSING", "FIN_WAIT_2"), steps=7, loop=2, repair=UNDOING + "closing_forgets_fin"),
            Case("the FIN was still queued", "smoltcp_279", (), "no_deadlock",
                 ends=("CLOSING", "FIN_WAIT_2"), steps=5, repair=UNDOING + "closing_never_sends_fin"),
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
        "H23", "Two ends answer each other's ACKs for ever",
        "If a pure ACK is answered in TIME-WAIT, as 3.10.7.4 has it when read literally, two ends that are both "
        "there keep one ACK going until a timer ends it. A limit on the rate of such ACKs stops the storm as well.",
        "RFC 9293 3.10.7.4 fifth; RFC 1337 Figure 3; Linux commit 032ee423",
        (
            Case("both ends in TIME-WAIT", "rfc9293_literal", ("application.data_units=1,0",), "no_endless_chatter",
                 ends=("TIME_WAIT", "TIME_WAIT"), steps=15, loop=2, repair="protocol.time_wait_answers_ack=off"),
        ),
    ),
    Hazard(
        "H24", "TIME-WAIT is cut short",
        "A CLOSE after SHUTDOWN, or a limit on the number of TIME-WAITs, ends it before its time. What it is "
        "there for is then left undone: nobody but a reset can answer a FIN that comes again.",
        "gVisor issue 3106; Linux tcp_max_tw_buckets",
        (
            Case("a CLOSE ends it", "gvisor_3106", (A_FIRST,), "time_wait_ends_only_by_its_timer",
                 ends=("CLOSED", "LAST_ACK"), steps=6, repair=UNDOING + "a CLOSE after SHUTDOWN ends TIME-WAIT"),
            Case("there is no room for it", "no_time_wait", (NO_DATA, TIMELY, IDEAL), "a_clean_completion_stays_possible",
                 ends=("CLOSED", "CLOSING"), steps=6, repair="protocol.no_time_wait=off"),
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
)
# fmt: on
"""In the order of their numbers."""
