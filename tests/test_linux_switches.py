"""What Linux was seen to do otherwise than the standard: each switch alone, on one end."""

from __future__ import annotations

import pytest

from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Outcome, Table
from tcpclose_model.protocol.vocabulary import (
    ABORT_OK,
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    CONNECTION_RESET,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    NOTHING,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
    State,
)
from tcpclose_model.variants.switches import SWITCHES

SENT = {"snd_nxt": 1, "fin_queued": 1, "fin_sent": 1}
"""Our FIN is out, and nothing before it."""
QUEUED = {"snd_end": 1, "fin_queued": 1}
"""A unit of text and our FIN are queued."""


def table(switch: str = "") -> Table:
    return Table(SWITCHES[switch].on(RFC9293) if switch else RFC9293)


def tcb(state: State, **fields: int) -> TCB:
    return TCB(state=state)._replace(**fields)  # type: ignore[arg-type]  # fields given as ints


def called(switch: str, before: TCB, event: Event) -> Outcome:
    outcome = table(switch).local(before, event)
    assert outcome is not None
    return outcome


@pytest.mark.parametrize(
    ("switch", "after"), [("", NOTHING), ("reset_behind_fin", CONNECTION_RESET)]
)
@pytest.mark.parametrize("state", [CLOSE_WAIT, CLOSING, LAST_ACK])
def test_a_reset_numbered_as_the_fin_counts_only_with_the_switch(
    state: State, switch: str, after: int
) -> None:
    before = tcb(state, rcv_nxt=2, rcv_text=1)
    assert after == table(switch).arrival(before, Segment(seq=1, rst=1)).tcb.told


@pytest.mark.parametrize(
    ("state", "seq"), [(CLOSE_WAIT, 0), (FIN_WAIT_2, 1), (ESTABLISHED, 1), (TIME_WAIT, 1)]
)
def test_a_reset_further_below_or_without_a_fin_is_dropped(state: State, seq: int) -> None:
    before = tcb(state, rcv_nxt=2, rcv_text=2)
    outcome = table("reset_behind_fin").arrival(before, Segment(seq=seq, rst=1))
    assert (before, None) == (outcome.tcb, outcome.sent)


@pytest.mark.parametrize(("switch", "after"), [("", CLOSE_WAIT), ("last_ack_before_fin", LAST_ACK)])
@pytest.mark.parametrize("event", [Event.CLOSE, Event.SHUTDOWN])
def test_a_close_behind_text_in_close_wait_enters_last_ack_only_with_the_switch(
    event: Event, switch: str, after: State
) -> None:
    assert after == called(switch, tcb(CLOSE_WAIT, rcv_nxt=1, snd_end=1), event).tcb.state


def test_what_is_queued_in_last_ack_is_sent_text_first() -> None:
    before = tcb(LAST_ACK, rcv_nxt=1, **QUEUED)
    text = called("last_ack_before_fin", before, Event.TRANSMIT)
    fin = called("last_ack_before_fin", text.tcb, Event.TRANSMIT)
    assert (Segment(0, 1, text=1), Segment(1, 1, fin=1)) == (text.sent, fin.sent)
    assert (LAST_ACK, 1) == (fin.tcb.state, fin.tcb.fin_sent)


def test_last_ack_does_not_end_before_the_fin_is_sent() -> None:
    before = tcb(LAST_ACK, rcv_nxt=1, snd_nxt=1, **QUEUED)
    outcome = table("last_ack_before_fin").arrival(before, Segment(seq=1, ack=1))
    assert LAST_ACK == outcome.tcb.state


@pytest.mark.parametrize(
    ("switch", "fields", "sent"),
    [
        ("", QUEUED, None),
        ("abort_resets_before_fin", QUEUED, Segment(0, rst=1)),
        ("abort_resets_before_fin", SENT, None),
    ],
)
@pytest.mark.parametrize("state", [CLOSING, LAST_ACK])
def test_an_abort_in_closing_or_last_ack_resets_only_before_the_fin(
    state: State, switch: str, fields: dict[str, int], sent: Segment | None
) -> None:
    outcome = called(switch, tcb(state, rcv_nxt=1, **fields), Event.ABORT)
    assert (CLOSED, ABORT_OK, sent) == (outcome.tcb.state, outcome.tcb.told, outcome.sent)


def test_an_abort_in_time_wait_leaves_it_waiting_and_can_be_made_once() -> None:
    outcome = called("abort_leaves_time_wait", tcb(TIME_WAIT, rcv_nxt=1), Event.ABORT)
    assert (TIME_WAIT, ABORT_OK, 1) == (*outcome.tcb[:1], outcome.tcb.told, outcome.tcb.released)
    assert None is table("abort_leaves_time_wait").local(outcome.tcb, Event.ABORT)
    assert CLOSED == called("", tcb(TIME_WAIT, rcv_nxt=1), Event.ABORT).tcb.state


@pytest.mark.parametrize("state", [FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK])
def test_a_close_after_a_shutdown_resets_if_text_is_unread(state: State) -> None:
    before = tcb(state, rcv_nxt=1, rcv_text=1, **SENT)
    outcome = called("reset_on_unread_after_shutdown", before, Event.CLOSE)
    assert (CLOSED, Segment(1, rst=1)) == (outcome.tcb.state, outcome.sent)


def test_a_close_after_a_shutdown_is_quiet_if_all_is_read() -> None:
    before = tcb(FIN_WAIT_2, rcv_nxt=1, rcv_text=1, read=1, **SENT)
    outcome = called("reset_on_unread_after_shutdown", before, Event.CLOSE)
    assert (FIN_WAIT_2, None) == (outcome.tcb.state, outcome.sent)


@pytest.mark.parametrize(
    ("switch", "read", "sent"),
    [
        ("", 0, None),
        ("abort_resets_on_unread", 0, Segment(1, rst=1)),
        ("abort_resets_on_unread", 1, None),
    ],
)
@pytest.mark.parametrize("state", [CLOSING, LAST_ACK])
def test_an_abort_in_closing_or_last_ack_resets_only_with_text_unread(
    state: State, switch: str, read: int, sent: Segment | None
) -> None:
    outcome = called(switch, tcb(state, rcv_nxt=2, rcv_text=1, read=read, **SENT), Event.ABORT)
    assert (CLOSED, ABORT_OK, sent) == (outcome.tcb.state, outcome.tcb.told, outcome.sent)


@pytest.mark.parametrize(
    ("state", "released", "answered"),
    [(CLOSING, 1, False), (LAST_ACK, 0, False), (FIN_WAIT_1, 1, False), (FIN_WAIT_1, 0, True)],
)
def test_a_repeat_that_acknowledges_our_fin_is_answered_only_by_who_stays(
    state: State, released: int, answered: bool
) -> None:
    before = tcb(state, rcv_nxt=1, rcv_text=1, released=released, **SENT)
    again = Segment(seq=0, ack=1, text=1)
    assert answered == (table("no_answer_to_last_ack").arrival(before, again).sent is not None)
    assert None is not table().arrival(before, again).sent


@pytest.mark.parametrize(("switch", "fin"), [("", 0), ("merges_on_retransmission", 1)])
def test_text_with_a_fin_behind_it_is_sent_again_in_one_segment_only_with_the_switch(
    switch: str, fin: int
) -> None:
    before = tcb(FIN_WAIT_1, snd_nxt=2, snd_end=1, fin_queued=1, fin_sent=1)
    sent = called(switch, before, Event.RETRANSMISSION_TIMEOUT).sent
    assert Segment(0, text=1, fin=fin) == sent


def test_text_without_a_fin_is_sent_again_alone() -> None:
    before = tcb(FIN_WAIT_1, snd_nxt=1, snd_end=1, fin_queued=1)
    sent = called("merges_on_retransmission", before, Event.RETRANSMISSION_TIMEOUT).sent
    assert Segment(0, text=1) == sent
