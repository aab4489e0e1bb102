"""Timestamps (RFC 7323), TIME-WAIT and newer SYNs (RFC 6191), active reuse, and SYNs that reset.

The verdicts of the catalogue's models are in test_catalogue.py; here are the rows, one by one, and
what decides between two readings.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from properties.check import Result, check
from properties.verdict import Answer
from tcpclose_model.errors import ModelError
from tcpclose_model.parts import Incarnations
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIRST_TSVAL,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    SYNCHRONIZED,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.registry import switched

STAMPED = switched("timestamps")
BEFORE, NOW, LATER = FIRST_TSVAL - 1, FIRST_TSVAL, FIRST_TSVAL + 1
OPEN: dict[str, Any] = {
    "state": ESTABLISHED,
    "snd_una": 6,
    "snd_nxt": 6,
    "snd_end": 6,
    "rcv_nxt": 9,
}
WAITING: dict[str, Any] = {
    "state": TIME_WAIT,
    "inc": 1,
    "snd_una": 4,
    "snd_nxt": 4,
    "snd_end": 3,
    "rcv_nxt": 9,
}


def tcb(protocol: Protocol, **fields: Any) -> TCB:  # Any: fields of the TCB
    """Return a TCB that has heard its peer's timestamp, in the second incarnation by default."""
    heard = {"inc": 2, "ts": NOW, "ts_recent": NOW, "ts_next": LATER}
    known = {name: value for name, value in heard.items() if name in dict(protocol.fields)}
    return Table(protocol).initial._replace(**{**known, **fields})


def arrives(
    seg: Segment, protocol: Protocol = STAMPED, **fields: Any
) -> tuple[Any, Segment | None]:
    """Return the TCB that an arrival leaves, and what is sent."""
    outcome = Table(protocol).arrival(tcb(protocol, **fields), seg)
    return outcome.tcb, outcome.sent


@cache
def result_of(name: str, *settings: str) -> Result:
    """Return the check of a model of the catalogue with some parameters changed."""
    return check(with_parameters(model_named(name), settings))


def answers(name: str, *settings: str) -> dict[str, Answer]:
    """Return what a check answers, by property."""
    return {v.property.name: v.answer for v in result_of(name, *settings).verdicts}


def violated(name: str, *settings: str) -> set[str]:
    """Return the requirements that a model violates."""
    observation = "time_wait_ends_only_by_its_timer_or_a_new_syn"
    found = {name for name, answer in answers(name, *settings).items() if answer is Answer.VIOLATED}
    return found - {observation}


# PAWS -------------------------------------------------------------------------------------------


def test_every_segment_but_a_reset_carries_its_senders_timestamp() -> None:
    table = Table(STAMPED)
    sent = table.local(tcb(STAMPED, **OPEN), Event.CLOSE)
    reset = table.local(tcb(STAMPED, **OPEN), Event.ABORT)
    assert sent is not None
    assert reset is not None
    assert [NOW, 0] == [seg and seg.ts for seg in (sent.sent, reset.sent)]


def test_an_older_segment_is_answered_and_dropped() -> None:
    after, sent = arrives(Segment(9, ack=6, text=1, ts=BEFORE, inc=1), **OPEN)
    assert (9, Segment(6, ack=9, ts=NOW, inc=2)) == (after.rcv_nxt, sent)


@pytest.mark.parametrize("ts", [NOW, LATER])
def test_a_segment_that_is_not_older_is_taken_and_its_timestamp_noted(ts: int) -> None:
    after, _ = arrives(Segment(9, ack=6, text=1, ts=ts, inc=2), **OPEN)
    assert (10, ts) == (after.rcv_nxt, after.ts_recent)


def test_the_timestamp_of_a_segment_behind_a_hole_is_not_noted() -> None:
    after, _ = arrives(Segment(10, ack=6, text=1, ts=LATER, inc=2), **OPEN)
    assert NOW == after.ts_recent


def test_a_reset_is_never_too_old() -> None:
    after, _ = arrives(Segment(9, rst=1, inc=1), **OPEN)
    assert CLOSED == after.state


def test_the_ack_field_of_an_older_segment_is_not_processed() -> None:
    fields = {**OPEN, "snd_una": 5}
    assert 5 == arrives(Segment(9, ack=6, ts=BEFORE, inc=1), **fields)[0].snd_una


@pytest.mark.parametrize("state", [SYN_RECEIVED, *SYNCHRONIZED])
def test_older_segments_are_refused_in_every_state_that_has_heard_a_timestamp(state: int) -> None:
    fields = {**OPEN, "state": state}
    after, _ = arrives(Segment(9, ack=6, fin=1, ts=BEFORE, inc=1), **fields)
    assert (state, 9) == (after.state, after.rcv_nxt)


def test_an_open_starts_the_clock_and_knows_no_timestamp_of_the_peer() -> None:
    outcome = Table(STAMPED).local(tcb(STAMPED, state=CLOSED, inc=1), Event.OPEN_ACTIVE)
    assert outcome is not None
    after: Any = outcome.tcb
    assert (LATER, LATER, 0) == (outcome.sent and outcome.sent.ts, after.ts, after.ts_recent)


def test_a_syn_is_heard_and_going_back_to_listen_forgets_it() -> None:
    listening: dict[str, Any] = {"state": LISTEN, "iss": 5, "ts_recent": 0}
    taken, _ = arrives(Segment(8, syn=1, ts=LATER, inc=2), **listening)
    back = Table(STAMPED).arrival(taken._replace(passive=1), Segment(9, rst=1)).tcb
    assert (SYN_RECEIVED, LATER) == (taken.state, taken.ts_recent)
    assert (LISTEN, 0) == (back.state, back.ts_recent)  # type: ignore[attr-defined]  # a field of the switch


def test_a_tsval_is_one_of_three() -> None:
    with pytest.raises(ModelError, match=r"incarnations\.tsval"):
        Incarnations(tsval=("later", "newer"))


def test_one_end_alone_cannot_use_timestamps() -> None:
    model = with_parameters(model_named("reopen_fifo"), ["a.timestamps=on"])
    with pytest.raises(ModelError, match=r"protocol\.timestamps"):
        explore(model)


# What timestamps are worth ----------------------------------------------------------------------

BY_OLD_TEXT = {
    "no_old_text_accepted",
    "no_desynchronized_connection",
    "an_opening_can_always_end",
    "the_second_connection_can_always_close",
    "no_endless_chatter",
}
BY_OLD_RESETS = {"no_old_segment_accepted", "no_opening_ended_by_an_old_segment"}


def test_timestamps_keep_old_text_out_and_old_resets_in() -> None:
    assert BY_OLD_TEXT | BY_OLD_RESETS == violated("reopen_with_old_text")
    assert BY_OLD_RESETS == violated("reopen_with_timestamps")


@pytest.mark.parametrize("tsval", ["same", "earlier"])
def test_a_clock_that_has_not_ticked_keeps_nothing_out(tsval: str) -> None:
    settings = f"incarnations.tsval={tsval}"
    assert BY_OLD_TEXT | BY_OLD_RESETS == violated("reopen_with_timestamps", settings)


def test_a_clock_that_has_not_ticked_changes_no_count() -> None:
    without, same = result_of("reopen_with_old_text"), result_of("reopen_with_same_timestamps")
    assert len(without.space) == len(same.space)
    assert without.space.transitions == same.space.transitions


def test_the_clocks_of_both_ends_must_tick() -> None:
    # A sends all the text here, so that it is A's clock that keeps old text out.
    assert "no_old_text_accepted" in violated(
        "reopen_with_timestamps", "incarnations.tsval=same,later"
    )
    assert "no_old_text_accepted" not in violated(
        "reopen_with_timestamps", "incarnations.tsval=later,same"
    )


def test_a_reset_that_kills_the_second_connection_is_of_the_first() -> None:
    run = result_of("reopen_with_timestamps_challenge_ack")["no_old_segment_accepted"].run
    assert run is not None
    last = run.steps[-1].action.segment
    assert last is not None
    assert (1, 1) == (last.rst, last.inc)


@pytest.mark.parametrize(
    ("model", "old"), [("reopen_with_held_text", True), ("reopen_with_timestamps", False)]
)
def test_text_of_the_first_connection_is_held_for_the_second(model: str, old: bool) -> None:
    space = explore(with_parameters(model_named(model), ["application.data_units=2,0"]))
    holds = {
        move.action.segment.inc
        for move in space.moves
        if move.action.segment is not None
        and any(rule.name == "text_ahead" for rule in move.rules)
        and getattr(space.tcbs[move.after], "inc", 0) == 2
    }
    assert old is (1 in holds)


# TIME-WAIT and a new SYN ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "seq", "ts", "state", "answered"),
    [
        (("rfc6191",), 3, LATER, SYN_RECEIVED, True),
        (("rfc6191",), 9, NOW, SYN_RECEIVED, True),
        (("rfc6191",), 8, NOW, TIME_WAIT, False),
        (("rfc6191",), 20, BEFORE, TIME_WAIT, False),
        (("time_wait_takes_syn_for_good", "rfc6191"), 3, LATER, SYN_RECEIVED, True),
        (("time_wait_takes_syn_for_good", "rfc6191"), 10, NOW, SYN_RECEIVED, True),
        (("time_wait_takes_syn_for_good", "rfc6191"), 9, NOW, TIME_WAIT, True),
        (("time_wait_takes_syn_for_good", "rfc6191"), 20, BEFORE, TIME_WAIT, True),
        (("timestamps",), 20, LATER, TIME_WAIT, True),
    ],
)
def test_time_wait_judges_a_syn_by_its_timestamp_first(
    switches: tuple[str, ...], seq: int, ts: int, state: int, answered: bool
) -> None:
    after, sent = arrives(Segment(seq, syn=1, ts=ts, inc=2), switched(*switches), **WAITING)
    assert (state, answered) == (after.state, sent is not None)


def test_a_refused_newer_syn_leads_back_to_time_wait_where_may_2_does() -> None:
    table = switched("time_wait_takes_syn", "rfc6191")
    before = tcb(table, **WAITING)
    taken = Table(table).arrival(before, Segment(3, syn=1, ts=LATER, inc=2)).tcb
    after: Any = Table(table).arrival(taken, Segment(4, rst=1, inc=2)).tcb
    same = (*WAITING, "ts", "ts_recent")
    assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]


@pytest.mark.parametrize(
    ("iss", "tsval", "broken"),
    [
        ("0", "later", BY_OLD_RESETS | {"a_refused_syn_leads_back_to_time_wait"}),
        ("0,4", "later", {"a_refused_syn_leads_back_to_time_wait"}),
        ("0,4", "same", {"a_refused_syn_leads_back_to_time_wait"}),
        ("0", "same", set[str]()),
        ("0,4", "earlier", set[str]()),
    ],
)
def test_a_newer_syn_with_an_old_number_is_what_lets_old_resets_in(
    iss: str, tsval: str, broken: set[str]
) -> None:
    settings = (f"incarnations.iss={iss}", f"incarnations.tsval={tsval}")
    assert broken == violated("time_wait_takes_newer_syn", *settings)


# Active reuse -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("ts_next", "reuses"), [(LATER, True), (NOW, False), (BEFORE, False)])
def test_time_wait_is_reused_only_once_the_clock_has_ticked(ts_next: int, reuses: bool) -> None:
    table = switched("time_wait_reuse")
    outcome = Table(table).local(tcb(table, **WAITING, ts_next=ts_next), Event.OPEN_ACTIVE)
    assert reuses is (outcome is not None)


def test_a_reused_time_wait_sends_a_syn_above_all_that_it_has_used() -> None:
    table = switched("time_wait_reuse")
    outcome = Table(table).local(tcb(table, **WAITING), Event.OPEN_ACTIVE)
    assert outcome is not None
    assert (SYN_SENT, Segment(4, syn=1, ts=LATER, inc=2)) == (outcome.tcb.state, outcome.sent)


def test_reuse_lets_old_resets_in_and_old_text_not() -> None:
    assert BY_OLD_RESETS == violated("time_wait_reuse")
    assert Answer.HOLDS is answers("time_wait_reuse")["no_old_text_accepted"]


def test_without_a_tick_there_is_no_reuse_and_time_wait_is_worth_what_it_was() -> None:
    without = violated("reopen_with_old_text", "timers.time_wait=drained")
    assert without == violated("time_wait_reuse", "incarnations.tsval=same")
    no_text = "application.data_units=0"
    assert set() == violated("time_wait_reuse", "incarnations.tsval=same", no_text)


def test_numbers_that_lie_above_repair_reuse_where_there_is_no_text() -> None:
    settings = ("application.data_units=0", "incarnations.iss=0,4")
    assert set() == violated("time_wait_reuse", *settings)
    assert BY_OLD_RESETS == violated("time_wait_reuse", settings[1])


# A SYN where a connection is synchronized -------------------------------------------------------


@pytest.mark.parametrize(("seq", "state"), [(9, CLOSED), (50, CLOSED), (8, CLOSE_WAIT)])
def test_a_syn_in_the_window_resets_if_switched_so(seq: int, state: int) -> None:
    fields = {**OPEN, "state": CLOSE_WAIT}
    after, sent = arrives(Segment(seq, syn=1, inc=2), switched("syn_resets"), **fields)
    closed, answer = Segment(0, ack=seq + 1, rst=1, inc=2), Segment(6, ack=9, inc=2)
    assert (state, closed if state == CLOSED else answer) == (after.state, sent)


@pytest.mark.parametrize(
    ("model", "opens"), [("reopen_half_open", True), ("reopen_half_open_syn_resets", False)]
)
def test_a_peer_that_resets_for_a_syn_refuses_whoever_has_crashed(model: str, opens: bool) -> None:
    settings = ["application.closes=never"]
    space = explore(with_parameters(model_named(model), settings))
    found = {(n.state, getattr(n, "inc", 0)) for n in (space.tcbs[a] for a in {*space.a})}
    assert opens is ((ESTABLISHED, 2) in found)


@pytest.mark.parametrize("name", ["reopen_with_timestamps", "time_wait_reuse", "linux_reopens"])
def test_the_fast_engine_agrees_where_segments_carry_timestamps(name: str) -> None:
    pytest.importorskip("numba")
    said = [
        [
            (v.answer, v.occurred, v.run)
            for v in check(
                model_named(name), engine=engine, only=["no_old_segment_accepted"]
            ).verdicts
        ]
        for engine in ("plain", "fast")
    ]
    assert said[0] == said[1]


def test_timestamps_change_nothing_where_nobody_opens_again() -> None:
    base = with_parameters(model_named("rfc9293"), ["application.data_units=0"])
    plain = explore(base)
    stamped = explore(with_parameters(base, ["protocol.timestamps=on"]))
    assert (len(plain), plain.transitions) == (len(stamped), stamped.transitions)
    assert RFC9293 == base.a
