"""The catalogue, third part: the bugs of real stacks, and two mistakes nobody has made yet."""

from __future__ import annotations

from tcpclose_model.parts import Application, Timers
from tcpclose_model.variants import mutants
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
    NO_TIME_WAIT,
    ONE_WAY,
    REORDERING,
    RESETS,
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
    "picotcp issue 10; acorn issue 22",
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
add_model(
    "gvisor_3106",
    "a CLOSE after SHUTDOWN ends TIME-WAIT at once",
    "gVisor issue 3106",
    mutants.close_ends_time_wait,
    network=LOSSLESS,
    timers=TIMELY,
    application=Application(half_close=True, data_units=(0, 0)),
    violated=ASSASSINATED,
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "mirage_tcpip_489",
    "TIME-WAIT that is entered from CLOSING has no timer: after a simultaneous close it never ends",
    "mirage-tcpip pull request 489",
    mutants.closing_starts_no_timer,
    network=LOSSLESS,
    timers=TIMELY,
    application=NO_DATA,
    violated=(*STUCK, *UNCLEAN),
    vacuous=(*NO_TEXT, *UNTOLD),
)
add_model(
    "smoltcp_279",
    "a FIN that is still queued behind text when the peer's arrives is never sent",
    "smoltcp pull requests 279 and 398",
    mutants.closing_never_sends_fin,
    network=LOSSLESS,
    timers=TIMELY,
    application=ONE_WAY,
    violated=(*STUCK, *UNCLEAN),
    vacuous=UNTOLD,
)
add_model(
    "esp_lwip_91",
    "a CLOSE that waits is not woken when LAST-ACK ends; the wire shows nothing of it",
    "esp-lwip issue 84, pull request 91",
    mutants.last_ack_wakes_nobody,
    timers=TIMELY,
    application=NO_DATA,
    violated=(*RESETS, *UNCLEAN),
    vacuous=NO_TEXT,
)
