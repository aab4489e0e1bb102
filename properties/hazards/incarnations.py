"""Hazards H4 to H6, H25 and H32: what the first connection does to the second, and its opening."""

from __future__ import annotations

from properties.hazards.case import NO_DATA, TIMELY, UNDOING, Case, Hazard

STAMPS = ("protocol.timestamps=on",)
CLOSES_EARLY = "protocol.closes_in_syn_received=on"
DRAINED = ("timers.time_wait=drained",)

# fmt: off
INCARNATIONS = (
    Hazard(
        "H4", "Text of the first connection is taken for the second's",
        "TIME-WAIT is over too soon, and text that was sent twice, or went astray, arrives in a connection with the same "
        "numbers. Its user is given it. Text behind a hole is held first, and taken once the second connection's own "
        "text fills the hole. A TIME-WAIT of any length does not help where a reset may end it; a TIME-WAIT that ignores "
        "resets (RFC 1337) does, and so do timestamps, as long as the clock ticks between the two connections.",
        "RFC 1337, hazard 1; RFC 9293 3.4.1; RFC 7323 5",
        (
            Case("TIME-WAIT is too short", "reopen_with_old_text", (), "no_old_text_accepted",
                 ends=("SYN_SENT", "ESTABLISHED"), steps=15, fixed=STAMPS, repair=STAMPS[0]),
            Case("TIME-WAIT is assassinated first", "reopen_after_assassination", (), "no_old_text_accepted",
                 ends=("SYN_SENT", "ESTABLISHED"), steps=17, fixed=("protocol.rfc1337=on",), repair=STAMPS[0]),
        ),
    ),
    Hazard(
        "H5", "The second connection is desynchronized by a segment of the first",
        "TIME-WAIT is over too soon, and an old FIN is taken for the new connection's. From then on either end "
        "answers what it cannot take, and is answered: ACKs go to and fro for ever, and the connection cannot "
        "close. A TIME-WAIT that lasts until nothing is in flight repairs it; so do timestamps, which know an old FIN.",
        "RFC 1337, hazard 2",
        (
            Case("what was never sent has been taken", "reopen_after_free_time_wait", (), "no_desynchronized_connection",
                 ends=("ESTABLISHED", "CLOSE_WAIT"), steps=13, fixed=DRAINED, repair=STAMPS[0]),
            Case("ACKs for ever", "reopen_after_free_time_wait", (), "no_endless_chatter",
                 ends=("ESTABLISHED", "CLOSE_WAIT"), steps=15, loop=2, fixed=DRAINED, repair=STAMPS[0]),
        ),
    ),
    Hazard(
        "H6", "A segment of the first connection ends the opening of the second",
        "An old ACK meets SYN-SENT, which answers its bad ACK with a reset, as 3.10.7.3 has it, and the reset meets "
        "the peer in SYN-RECEIVED. Nothing overtakes anything here: a network that keeps order is not enough. A "
        "reset that must be exact (RFC 5961) is. With a clock, a TIME-WAIT of exactly 2MSL is too short by a tick "
        "(`reopen_after_two_msl`), and a tick more is enough (`reopen_after_more_than_two_msl`).",
        "RFC 1337, hazard 3; RFC 9293 3.10.7.3 first",
        (
            Case("a reset for an old ACK", "reopen_fifo", (), "no_opening_ended_by_an_old_segment",
                 ends=("SYN_SENT", "LISTEN"), steps=14, fixed=DRAINED, repair="protocol.challenge_ack=on"),
        ),
    ),
    Hazard(
        "H25", "The close begins before the connection is established",
        "B's user closes in SYN-RECEIVED, and B goes to FIN-WAIT-1 at once (3.10.4). The front of its retransmission queue "
        "is still the SYN. If only the FIN is sent again, a peer whose SYN-ACK was lost drops it in SYN-SENT, again and "
        "again. Where nothing is ever sent again, a FIN that overtakes the SYN-ACK is enough.",
        "Han and Billington 2005; RFC 9293 3.10.4, 3.10.7.3 fifth",
        (
            Case("the SYN is forgotten", "reopen_closed_early_syn_forgotten", (), "an_opening_can_always_end",
                 ends=("SYN_SENT", "FIN_WAIT_1"), steps=12, fixed=(CLOSES_EARLY,),
                 repair=UNDOING + "the SYN is forgotten, and only the FIN is sent again"),
            Case("the FIN overtakes the SYN-ACK", "reopen_closed_early",
                 ("network.loss=false", "timers.retransmission=none"), "the_second_connection_can_always_close",
                 ends=("ESTABLISHED", "FIN_WAIT_1"), steps=13, fixed=(CLOSES_EARLY, TIMELY),
                 repair="protocol.closes_in_syn_received=off"),
        ),
    ),
    Hazard(
        "H32", "A newer timestamp ends TIME-WAIT before the resets of the first connection are gone",
        "RFC 6191 takes a SYN in TIME-WAIT for its timestamp, and tcp_tw_reuse opens there. Timestamps keep old text out of "
        "the new connection, but a reset is never too old for PAWS. TIME-WAIT's own ACKs, which find the peer CLOSED, "
        "come back as such resets. Where a refused SYN leads back to TIME-WAIT as well, the old reset leaves TIME-WAIT "
        "opposite an established end, and each finds the other's ACKs too old, and answers them. Initial sequence "
        "numbers above the old ones are what repairs it; the checker tries single switches only.",
        "RFC 6191 2; RFC 7323 5.2; Linux ip-sysctl tcp_tw_reuse",
        (
            Case("TIME-WAIT takes a SYN with an old number", "time_wait_takes_newer_syn", (), "no_old_segment_accepted",
                 ends=("LISTEN", "SYN_SENT"), steps=10, repair="protocol.rfc6191=off"),
            Case("ACKs for ever", "time_wait_takes_newer_syn_and_resumes", (), "no_endless_chatter",
                 ends=("TIME_WAIT", "ESTABLISHED"), steps=13, loop=2, repair="protocol.rfc6191=off"),
            Case("a user opens in TIME-WAIT", "time_wait_reuse", (NO_DATA,), "no_old_segment_accepted",
                 ends=("CLOSED", "SYN_RECEIVED"), steps=12, repair="protocol.time_wait_reuse=off"),
        ),
    ),
)
# fmt: on
