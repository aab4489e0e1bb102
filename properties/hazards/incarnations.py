"""Hazards H5 and H6: what the first connection does to the second."""

from __future__ import annotations

from properties.hazards.case import Case, Hazard

DRAINED = ("timers.time_wait=drained",)

# fmt: off
INCARNATIONS = (
    Hazard(
        "H5", "The second connection is desynchronized by a segment of the first",
        "TIME-WAIT is over too soon, and an old FIN is taken for the new connection's. From then on either end "
        "answers what it cannot take, and is answered: ACKs go to and fro for ever, and the connection cannot "
        "close. A network that loses nothing repairs it because no FIN is sent twice; a TIME-WAIT that lasts until "
        "nothing is in flight does too.",
        "RFC 1337, hazard 2",
        (
            Case("what was never sent has been taken", "reopen_after_free_time_wait", (), "no_desynchronized_connection",
                 ends=("ESTABLISHED", "CLOSE_WAIT"), steps=13, fixed=DRAINED, repair="network.loss=false"),
            Case("ACKs for ever", "reopen_after_free_time_wait", (), "no_endless_chatter",
                 ends=("ESTABLISHED", "CLOSE_WAIT"), steps=15, loop=2, fixed=DRAINED, repair="network.loss=false"),
        ),
    ),
    Hazard(
        "H6", "A segment of the first connection ends the opening of the second",
        "An old ACK meets SYN-SENT, which answers its bad ACK with a reset, as 3.10.7.3 has it, and the reset meets "
        "the peer in SYN-RECEIVED. Nothing overtakes anything here: a network that keeps order is not enough. A "
        "reset that must be exact (RFC 5961) is.",
        "RFC 1337, hazard 3; RFC 9293 3.10.7.3 first",
        (
            Case("a reset for an old ACK", "reopen_fifo", (), "no_opening_ended_by_an_old_segment",
                 ends=("SYN_SENT", "LISTEN"), steps=14, fixed=DRAINED, repair="protocol.challenge_ack=on"),
        ),
    ),
)
# fmt: on
