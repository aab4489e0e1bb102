"""The catalogue, the part about flow control: zero windows, and those who never stop."""

from __future__ import annotations

from tcpclose_model.parts import Application, Bounds
from tcpclose_model.variants.endless import endless_sender
from tcpclose_model.variants.registry import (
    GIVES_UP,
    HALF_OPEN,
    LIVENESS,
    LOSSLESS,
    NO_TEXT,
    NO_TIME_WAIT,
    RESETS,
    STUCK,
    TIMELY,
    UNCLEAN,
    UNTOLD,
    add_model,
    switched,
)

UNREAD = ("no_acknowledged_data_unread",)
READS_AND_CLOSES = Application(closes=("any", "after_eof"), data_units=(2, 0), reading="lazy")
NEVER_READS = Application(closes=("any", "after_fin"), data_units=(2, 0), reading="never")
MUCH_TO_A_WALL = Application(closes=("any", "after_fin"), data_units=(3, 0), reading="never")
TO_A_CLOSED_USER = Application(closes="a_first", data_units=(0, 2), reading="never")
TWO_PROBES = Bounds(retransmissions_max=2)

add_model(
    "zero_window",
    "B's user reads when it likes: the window closes, opens, and is probed; all ends well",
    "RFC 9293 3.8.6, 3.8.6.1",
    switched("flow_control"),
    timers=TIMELY,
    application=READS_AND_CLOSES,
    violated=(*RESETS, *UNCLEAN),
)
add_model(
    "no_persist_timer",
    "the window update is lost, and nobody asks for the window",
    "RFC 9293 3.8.6.1 MUST-36 left out",
    switched("flow_control", "no_persist_timer"),
    timers=TIMELY,
    application=READS_AND_CLOSES,
    violated=(*STUCK, *RESETS, *UNCLEAN),
)
add_model(
    "zero_window_never_read",
    "B's user waits for the end without reading: A is stuck in FIN-WAIT-1 behind a zero window",
    "RFC 9293 3.8.6.1 MAY-8; CERT VU#723308",
    switched("flow_control"),
    timers=TIMELY,
    application=NEVER_READS,
    violated=(*LIVENESS, *UNREAD, *RESETS, *UNCLEAN),
)
add_model(
    "fin_in_zero_window",
    "the same with one unit of text, in the literal reading: a FIN too waits for the window",
    "RFC 9293 3.10.7.4 first",
    switched("flow_control", "fin_needs_window"),
    timers=TIMELY,
    application=Application(closes=("any", "after_fin"), data_units=(1, 0), reading="never"),
    violated=(*LIVENESS, *RESETS, *UNCLEAN),
    vacuous=NO_TEXT,
)
add_model(
    "zero_window_user_timeout",
    "R2 is finite, but an end must not give up as long as its probes are answered",
    "RFC 9293 3.8.6.1 MUST-37",
    switched("user_timeout_resets", "flow_control"),
    network=LOSSLESS,
    timers=GIVES_UP,
    application=MUCH_TO_A_WALL,
    bounds=TWO_PROBES,
    violated=(*LIVENESS, *UNREAD, *UNCLEAN),
    vacuous=UNTOLD,
)
add_model(
    "orphan_probes_count",
    "as zero_window_user_timeout, but R2 counts the probes of an end whose user has gone",
    "Linux ip-sysctl tcp_orphan_retries; CERT VU#723308",
    switched("user_timeout_resets", "flow_control", "orphan_probes_count"),
    network=LOSSLESS,
    timers=GIVES_UP,
    application=MUCH_TO_A_WALL,
    bounds=TWO_PROBES,
    violated=(*UNREAD, *UNCLEAN),
)
add_model(
    "gvisor_13393",
    "as orphan_probes_count, but CLOSE leaves ESTABLISHED only with the FIN, which cannot be sent",
    "gVisor issue 13393",
    switched(
        "state_changes_with_fin", "user_timeout_resets", "flow_control", "orphan_probes_count"
    ),
    network=LOSSLESS,
    timers=GIVES_UP,
    application=MUCH_TO_A_WALL,
    bounds=TWO_PROBES,
    violated=(*LIVENESS, *UNREAD, *UNCLEAN),
)
add_model(
    "last_ack_behind_zero_window",
    "A closes with text unread and keeps its window zero: B is stuck in LAST-ACK",
    "FreeBSD-SA-15:13.tcp; CERT VU#723308",
    switched("flow_control", "window_kept_shut"),
    timers=TIMELY,
    application=TO_A_CLOSED_USER,
    violated=(*LIVENESS, *UNREAD, *RESETS, *UNCLEAN),
)
add_model(
    "nuttx_8915",
    "A has closed, B sends for ever, and A acknowledges it all",
    "NuttX pull request 8915; RFC 2525 2.17",
    endless_sender,
    network=LOSSLESS,
    timers=TIMELY,
    application=Application(closes="b_never", data_units=(0, 1), fair=("CLOSE", "RECEIVE", "SEND")),
    violated=(*LIVENESS, *UNCLEAN),
    vacuous=(*HALF_OPEN, *NO_TEXT, *UNTOLD, *NO_TIME_WAIT),
)
