"""The catalogue, third part: the bugs of real stacks, and two mistakes nobody has made yet."""

from __future__ import annotations

from tcpclose_model.model import Timers
from tcpclose_model.variants import mutants
from tcpclose_model.variants.registry import (
    AS_ANY_LOSSY,
    DRAINED,
    HALF_OPEN,
    LIVENESS,
    LOSSLESS,
    NO_DATA,
    NO_RETRANSMISSION,
    NO_TEXT,
    NO_TIME_WAIT,
    REORDERING,
    STUCK,
    TIMELY,
    TIMELY_IDEAL,
    UNCLEAN,
    UNTOLD,
    add_model,
)

add_model(
    "zephyr_46350",
    "a lost FIN is never sent again",
    "Zephyr issue 46350; tricep issue 27",
    mutants.fin_not_retransmitted,
    timers=TIMELY,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "demikernel_1537",
    "CLOSING retransmits without the FIN bit",
    "demikernel issue 1537; smoltcp issues 398 and 279",
    mutants.closing_forgets_fin,
    timers=TIMELY,
    violated=(*LIVENESS, *AS_ANY_LOSSY),
)
add_model(
    "zephyr_46407",
    "TIME-WAIT does not acknowledge a retransmitted FIN; the reset from CLOSED masks it",
    "Zephyr issue 46407",
    mutants.time_wait_is_mute,
    timers=TIMELY,
    violated=AS_ANY_LOSSY,
)
add_model(
    "zephyr_46407_unmasked",
    "the same with an ideal TIME-WAIT, where nothing masks it",
    "Zephyr issue 46407",
    mutants.time_wait_is_mute,
    timers=TIMELY_IDEAL,
    violated=(*LIVENESS, *AS_ANY_LOSSY),
    vacuous=UNTOLD,
)
add_model(
    "linux_5_10_old_ack_fin",
    "a FIN whose ACK field is old is dropped: reordering alone stops the close",
    "Linux 5.10.112",
    mutants.old_ack_drops_fin,
    network=REORDERING,
    timers=DRAINED,
    application=NO_DATA,
    violated=(*STUCK, *AS_ANY_LOSSY),
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "linux_5_10_old_ack_fin_masked",
    "the same where retransmission masks it",
    "Linux 5.10.112",
    mutants.old_ack_drops_fin,
    network=REORDERING,
    timers=Timers(retransmission="timely", time_wait="drained"),
    application=NO_DATA,
    violated=AS_ANY_LOSSY,
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "smoltcp_470",
    "any ACK is taken for the ACK of our FIN",
    "smoltcp issue 470",
    mutants.any_ack_will_do,
    timers=TIMELY,
    violated=(*STUCK, *HALF_OPEN, "no_silent_data_loss", *AS_ANY_LOSSY),
)
add_model(
    "freertos_1303",
    "a FIN in FIN-WAIT-1 or FIN-WAIT-2 leads to the passive side's states",
    "FreeRTOS-Plus-TCP issue 1303",
    mutants.fin_leads_astray,
    network=LOSSLESS,
    timers=NO_RETRANSMISSION,
    application=NO_DATA,
    violated=(*STUCK, *HALF_OPEN, *UNCLEAN),
    vacuous=(*NO_TEXT, *UNTOLD, *NO_TIME_WAIT),
)
add_model(
    "smoltcp_112",
    "a FIN is taken although text before it is missing",
    "smoltcp issue 112",
    mutants.fin_over_a_hole,
    timers=TIMELY,
    violated=("no_silent_data_loss", "no_acknowledged_data_unread", *AS_ANY_LOSSY),
)
add_model(
    "picotcp_10",
    "LAST-ACK does not retransmit",
    "picotcp issue 10",
    mutants.last_ack_has_no_timer,
    timers=TIMELY,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "ack_everything_seen",
    "a FIN behind a hole is acknowledged as if all had arrived",
    "against RFC 9293 3.4",
    mutants.ack_everything_seen,
    timers=TIMELY,
    violated=(
        *STUCK,
        *HALF_OPEN,
        "no_silent_data_loss",
        "fin_acknowledged_only_if_received",
        *AS_ANY_LOSSY,
    ),
)
add_model(
    "time_wait_for_everyone",
    "the passive closer waits in TIME-WAIT too",
    "against RFC 9293 Figure 5",
    mutants.time_wait_for_everyone,
    timers=TIMELY,
    violated=("time_wait_only_after_active_close", *AS_ANY_LOSSY),
)
