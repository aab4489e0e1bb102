"""The catalogue, first part: RFC 9293 itself, over networks of every kind."""

from __future__ import annotations

from tcpclose_model.parts import Timers
from tcpclose_model.variants.registry import (
    AS_ANY_LOSSY,
    ASSASSINATED,
    DRAINED,
    HALF_OPEN,
    LIVENESS,
    LOSSLESS,
    NO_DATA,
    NO_RETRANSMISSION,
    NO_TEXT,
    REORDERING,
    RESETS,
    STUCK,
    TIMELY,
    TIMELY_IDEAL,
    UNCLEAN,
    UNTOLD,
    WILD,
    add_model,
    switched,
)

add_model(
    "rfc9293",
    "RFC 9293 as it is meant: a lossy FIFO network, needless retransmissions, one unit each way",
    "RFC 9293",
    violated=AS_ANY_LOSSY,
)
add_model(
    "rfc9293_literal",
    "every sentence of RFC 9293 as written: the first step drops ACK fields, TIME-WAIT answers ACKs",
    "RFC 9293 3.10.7.4; its Appendix A.2; draft-gont-tcpm-tcp-seq-validation",
    switched("literal_ack", "literal_2msl", "time_wait_answers_ack"),
    timers=TIMELY,
    violated=(*LIVENESS, "no_endless_chatter", *AS_ANY_LOSSY),
)
add_model(
    "table_154",
    "the textbook close: nothing is lost, nothing is sent twice, no data",
    "Kozierok, The TCP/IP Guide, Table 154; RFC 9293 Figures 12 and 13",
    network=LOSSLESS,
    timers=NO_RETRANSMISSION,
    application=NO_DATA,
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "needless_retransmission",
    "nothing is lost, but the retransmission timer is too short",
    "RFC 1337: TIME-WAIT assassination needs no loss",
    network=LOSSLESS,
    violated=(*ASSASSINATED, *RESETS),
    vacuous=UNTOLD,
)
add_model(
    "no_retransmission",
    "a lossy network and no retransmission timer",
    "RFC 9293 3.8.1 left out",
    timers=NO_RETRANSMISSION,
    violated=(*STUCK, *HALF_OPEN, *UNCLEAN),
    vacuous=UNTOLD,
)
add_model(
    "ideal_time_wait",
    "the cleanest lossy network: timely retransmission, a TIME-WAIT that knows when it is needed",
    "not implementable; separates what TIME-WAIT could do from what 2MSL does",
    timers=TIMELY_IDEAL,
    violated=(*ASSASSINATED, *RESETS),
    vacuous=UNTOLD,
)
add_model(
    "reordering",
    "nothing is lost or sent twice, but segments overtake each other",
    "RFC 9293 3.4",
    network=REORDERING,
    timers=DRAINED,
    application=NO_DATA,
    violated=AS_ANY_LOSSY,
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "reordering_with_data",
    "segments overtake each other, text among them: it is held until the hole is filled",
    "RFC 9293 3.10.7.4 SHLD-31",
    network=REORDERING,
    timers=DRAINED,
    violated=AS_ANY_LOSSY,
    vacuous=UNTOLD,
)
add_model(
    "wild_network",
    "segments are lost, duplicated and overtake each other",
    "RFC 9293 3.4: what IP may do",
    network=WILD,
    application=NO_DATA,
    violated=AS_ANY_LOSSY,
    vacuous=NO_TEXT,
)
add_model(
    "wild_network_ideal_time_wait",
    "the wild network with a TIME-WAIT that knows when it is needed",
    "not implementable",
    network=WILD,
    timers=Timers(time_wait="ideal"),
    application=NO_DATA,
    violated=(*ASSASSINATED, *RESETS),
    vacuous=(*NO_TEXT, *UNTOLD),
)
