"""Mutants: wrong tables, each one mistake away from the standard, most of them made for real."""

from __future__ import annotations

from collections.abc import Mapping

from tcpclose_model.protocol.edits import becomes, removed, rows
from tcpclose_model.protocol.effects import (
    count_retransmission,
    hold_fin,
    send_ack,
    start_2msl,
)
from tcpclose_model.protocol.notation import DROP, Protocol, Rule
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    FIN_ACKED_STEP,
    FIN_STEP,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.protocol.words import ack_is_old, fin_is_ahead, fin_is_next, fin_number, seg_len
from tcpclose_model.variants.stack_words import bool_of, extra
from tcpclose_model.variants.switches import SWITCHES


def fin_is_out(tcb: TCB, seg: Segment) -> bool:
    """Our FIN has been sent, acknowledged or not."""
    return tcb.fin_sent == 1


def fin_is_not_old(tcb: TCB, seg: Segment) -> bool:
    """The segment has a FIN that has not been taken, hole or no hole."""
    return fin_is_next(tcb, seg) | fin_is_ahead(tcb, seg)


def take_fin_over_the_hole(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Move RCV.NXT behind the FIN, over text that never came."""
    return {"rcv_nxt": fin_number(seg) + 1, "held_fin": 0}


def ack_all_that_arrived(tcb: TCB, seg: Segment) -> Segment:
    """An ACK that covers this segment, hole or no hole."""
    return Segment(seq=tcb.snd_nxt, ack=seg.seq + seg_len(seg))


fin_not_retransmitted: Protocol = RFC9293.edit(
    rows(name="retransmit_fin"),
    removed(),
    why="a lost FIN is never sent again",
    cite="Zephyr issue 46350",
)

closing_forgets_fin: Protocol = RFC9293.together(
    "closing_forgets_fin",
    lambda p: p.edit(
        rows(on=Event.RETRANSMISSION_TIMEOUT, at=CLOSING),
        becomes(do=(send_ack, count_retransmission)),
        count=2,
        why="the flags are those of a pure ACK",
    ),
    why="CLOSING retransmits without the FIN bit",
    cite="demikernel issue 1537; smoltcp issues 398 and 279",
)

time_wait_is_mute: Protocol = RFC9293.edit(
    rows(name="fin_again_in_time_wait"),
    becomes(do=()),
    why="TIME-WAIT does not acknowledge a retransmitted FIN",
    cite="Zephyr issue 46407",
)

old_ack_drops_fin: Protocol = RFC9293.add(
    Rule(
        "old_ack",
        at=(FIN_WAIT_1, FIN_WAIT_2, CLOSING, CLOSE_WAIT, LAST_ACK),
        on=ACK_STEP,
        when=ack_is_old,
        then=DROP,
        cite="Linux 5.10.112",
    ),
    why="a segment with an old ACK field is dropped, and the FIN on it",
    cite="Linux 5.10.112",
)

any_ack_will_do: Protocol = RFC9293.edit(
    rows(on=FIN_ACKED_STEP),
    becomes(when=fin_is_out),
    count=3,
    why="any ACK is taken for the ACK of our FIN",
    cite="smoltcp issue 470",
)

fin_leads_astray: Protocol = RFC9293.together(
    "fin_leads_astray",
    lambda p: p.edit(
        rows(name="fin_in_fin_wait_1"), becomes(to=LAST_ACK), why="the passive side's state"
    ).edit(rows(name="fin_in_fin_wait_2"), becomes(to=CLOSE_WAIT), why="the passive side's state"),
    why="a FIN in FIN-WAIT-1 or FIN-WAIT-2 leads to the passive side's states",
    cite="FreeRTOS-Plus-TCP issue 1303",
)

fin_over_a_hole: Protocol = RFC9293.together(
    "fin_over_a_hole",
    lambda p: (
        p.edit(rows(name="fin_ahead"), removed(), why="not held")
        .edit(
            rows(name="fin_in_established"),
            becomes(when=fin_is_not_old, do=(take_fin_over_the_hole, send_ack)),
            why="taken at once",
        )
        .edit(
            rows(name="fin_in_fin_wait_1"),
            becomes(when=fin_is_not_old, do=(take_fin_over_the_hole, send_ack)),
            why="taken at once",
        )
        .edit(
            rows(name="fin_in_fin_wait_2"),
            becomes(when=fin_is_not_old, do=(take_fin_over_the_hole, send_ack, start_2msl)),
            why="taken at once",
        )
    ),
    why="a FIN is taken although text before it is missing",
    cite="smoltcp issue 112",
)

last_ack_has_no_timer: Protocol = RFC9293.edit(
    rows(on=Event.RETRANSMISSION_TIMEOUT, at=LAST_ACK),
    removed(),
    count=2,
    why="LAST-ACK does not retransmit",
    cite="picotcp issue 10",
)

ack_everything_seen: Protocol = RFC9293.edit(
    rows(on=FIN_STEP, when=fin_is_ahead),
    becomes(do=(hold_fin, ack_all_that_arrived)),
    why="a FIN behind a hole is acknowledged as if all had arrived",
    cite="against 3.4",
)

time_wait_for_everyone: Protocol = RFC9293.edit(
    rows(name="fin_acked_in_last_ack"),
    becomes(to=TIME_WAIT),
    why="the passive closer waits in TIME-WAIT too",
    cite="against Figure 5",
)

close_ends_time_wait: Protocol = RFC9293.add(
    Rule("close_ends_time_wait", at=TIME_WAIT, on=Event.CLOSE, to=CLOSED, cite="gVisor issue 3106"),
    why="a CLOSE after SHUTDOWN ends TIME-WAIT",
    cite="gVisor issue 3106",
)


def timer_is_missing(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """No 2MSL timer is started."""
    return {"no_timer": 1}


def timer_is_running(tcb: TCB, seg: Segment) -> bool:
    """The 2MSL timer has been started."""
    return bool_of(extra(tcb).no_timer == 0)


closing_starts_no_timer: Protocol = RFC9293.together(
    "closing_starts_no_timer",
    lambda p: (
        p.with_field("no_timer", 1)
        .edit(rows(name="fin_acked_in_closing"), becomes(do=timer_is_missing), why="no timer")
        .edit(rows(name="time_wait_timeout"), becomes(when=timer_is_running), why="no timer")
    ),
    why="TIME-WAIT that is entered from CLOSING never ends",
    cite="mirage-tcpip pull request 489",
)

closing_never_sends_fin: Protocol = RFC9293.together(
    "closing_never_sends_fin",
    lambda p: p.edit(
        rows(on=Event.TRANSMIT, at=CLOSING), removed(), count=2, why="nothing is sent in CLOSING"
    ).edit(
        rows(on=Event.RETRANSMISSION_TIMEOUT, at=CLOSING),
        removed(),
        count=2,
        why="nothing is sent in CLOSING",
    ),
    why="CLOSING sends neither the text nor the FIN that was still queued",
    cite="smoltcp pull requests 279 and 398",
)

last_ack_wakes_nobody: Protocol = (
    SWITCHES["lingering_close"]
    .on(RFC9293)
    .edit(
        rows(name="fin_acked_in_last_ack"),
        becomes(do=()),
        why="a CLOSE that waits is not woken when LAST-ACK ends",
        cite="esp-lwip issue 84, pull request 91",
    )
)
