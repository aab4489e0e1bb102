"""Opening again: the rows of RFC 9293 3.10.1 and 3.10.7, and that nothing hangs on the ghost."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from properties.check import check
from properties.repair import nearest_repair
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Incarnations
from tcpclose_model.protocol.legality import Symbol
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    LISTEN,
    OPENING,
    SYN_RECEIVED,
    SYN_SENT,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.switches import SWITCHES

AGAIN = SWITCHES["reopens"].on(RFC9293)
TABLES = {
    "reopens": AGAIN,
    "MAY-2": SWITCHES["time_wait_takes_syn"].on(RFC9293),
    "for good": SWITCHES["time_wait_takes_syn_for_good"].on(RFC9293),
}
WITH_OTHERS = {
    name: SWITCHES[name].on(SWITCHES["time_wait_takes_syn"].on(RFC9293))
    for name in ("timestamps", "rfc6191", "time_wait_reuse", "syn_resets", "closes_in_syn_received")
}


def tcb(protocol: Protocol = AGAIN, **fields: Any) -> TCB:  # Any: fields of the TCB
    """Return a TCB of a table that reopens, in the second incarnation unless said otherwise."""
    return Table(protocol).initial._replace(**{"inc": 2, **fields})


def arrives(seg: Segment, protocol: Protocol = AGAIN, **fields: Any) -> tuple[Any, Segment | None]:
    """Return the TCB that an arrival leaves, and what is sent."""
    outcome = Table(protocol).arrival(tcb(protocol, **fields), seg)
    return outcome.tcb, outcome.sent


def syn_sent(seg: Segment) -> tuple[Any, Segment | None]:
    """Return what an arrival does in SYN-SENT, our SYN having taken 5."""
    return arrives(seg, state=SYN_SENT, snd_una=5, snd_nxt=6, snd_end=6)


def syn_received(seg: Segment, **fields: Any) -> tuple[Any, Segment | None]:
    """Return what an arrival does in SYN-RECEIVED, our SYN having taken 5, the peer's 8."""
    return arrives(seg, state=SYN_RECEIVED, snd_una=5, snd_nxt=6, snd_end=6, rcv_nxt=9, **fields)


def test_the_standards_table_is_in_no_state_of_opening() -> None:
    assert not set(OPENING) & set(RFC9293.states)
    assert set(OPENING) <= set(AGAIN.states)


def test_closed_answers_a_segment_without_an_ack_with_a_reset_that_has_one() -> None:
    after, sent = arrives(Segment(7, syn=1, inc=1), state=CLOSED)
    assert (CLOSED, Segment(0, ack=8, rst=1, inc=1)) == (after.state, sent)


def test_an_active_open_sends_a_syn_of_the_next_incarnation() -> None:
    outcome = Table(AGAIN).local(tcb(state=CLOSED, inc=1, iss=5), Event.OPEN_ACTIVE)
    assert outcome is not None
    assert (SYN_SENT, Segment(5, syn=1, inc=2)) == (outcome.tcb.state, outcome.sent)


def test_listen_answers_a_syn_and_resets_an_ack_and_ignores_a_reset() -> None:
    after, sent = arrives(Segment(8, syn=1, inc=2), state=LISTEN, iss=5)
    assert (SYN_RECEIVED, Segment(5, ack=9, syn=1, inc=2)) == (after.state, sent)
    after, sent = arrives(Segment(8, ack=3, inc=1), state=LISTEN)
    assert (LISTEN, Segment(3, rst=1, inc=1)) == (after.state, sent)
    after, sent = arrives(Segment(8, rst=1), state=LISTEN)
    assert (LISTEN, None) == (after.state, sent)


@pytest.mark.parametrize("ack", [5, 7])
def test_syn_sent_answers_a_bad_ack_with_a_reset_of_that_segments_incarnation(ack: int) -> None:
    after, sent = syn_sent(Segment(3, ack=ack, inc=1))
    assert (SYN_SENT, Segment(ack, rst=1, inc=1)) == (after.state, sent)


def test_syn_sent_drops_an_acceptable_ack_without_a_syn() -> None:
    after, sent = syn_sent(Segment(3, ack=6, inc=1))
    assert (SYN_SENT, None) == (after.state, sent)


def test_syn_sent_takes_a_syn_ack() -> None:
    after, sent = syn_sent(Segment(8, ack=6, syn=1, inc=2))
    assert (ESTABLISHED, Segment(6, ack=9, inc=2)) == (after.state, sent)


def test_syn_sent_takes_a_syn_of_a_peer_that_opens_at_the_same_time() -> None:
    after, sent = syn_sent(Segment(8, syn=1, inc=2))
    assert (SYN_RECEIVED, Segment(5, ack=9, syn=1, inc=2)) == (after.state, sent)


@pytest.mark.parametrize(("ack", "state"), [(6, CLOSED), (0, SYN_SENT), (3, SYN_SENT)])
def test_syn_sent_is_refused_by_a_reset_with_an_acceptable_ack_alone(ack: int, state: int) -> None:
    assert state == syn_sent(Segment(0, ack=ack, rst=1))[0].state


@pytest.mark.parametrize(("passive", "state"), [(1, LISTEN), (0, CLOSED)])
def test_a_reset_in_syn_received_leads_back_to_where_it_came_from(passive: int, state: int) -> None:
    assert state == syn_received(Segment(9, rst=1), passive=passive)[0].state


def test_an_ack_of_the_syn_establishes_and_what_it_carries_is_taken() -> None:
    after, _ = syn_received(Segment(9, ack=6, text=1, inc=2))
    assert (ESTABLISHED, 10) == (after.state, after.rcv_nxt)


def test_a_syn_that_comes_again_is_acknowledged_not_taken_for_a_new_one() -> None:
    after, sent = syn_received(Segment(8, syn=1, inc=2), passive=1)
    assert (SYN_RECEIVED, Segment(6, ack=9, inc=2)) == (after.state, sent)


def test_a_syn_on_a_synchronized_connection_is_challenged() -> None:
    after, sent = arrives(Segment(50, syn=1, inc=2), state=ESTABLISHED, snd_nxt=6, rcv_nxt=9)
    assert (ESTABLISHED, Segment(6, ack=9, inc=2)) == (after.state, sent)


def test_a_close_in_syn_received_sends_the_fin_and_repeats_the_syn_first() -> None:
    table = SWITCHES["closes_in_syn_received"].on(RFC9293)
    opening = {"state": SYN_RECEIVED, "snd_una": 5, "snd_nxt": 6, "snd_end": 6, "rcv_nxt": 9}
    closed = Table(table).local(tcb(table, **opening), Event.CLOSE)
    assert closed is not None
    assert (FIN_WAIT_1, Segment(6, ack=9, fin=1, inc=2)) == (closed.tcb.state, closed.sent)
    again = Table(table).local(closed.tcb, Event.RETRANSMISSION_TIMEOUT)
    assert again is not None
    assert Segment(5, ack=9, syn=1, inc=2) == again.sent


def test_once_the_syn_is_acknowledged_it_is_the_fin_that_is_repeated() -> None:
    table = SWITCHES["closes_in_syn_received"].on(RFC9293)
    opening = {"state": SYN_RECEIVED, "snd_una": 5, "snd_nxt": 6, "snd_end": 6, "rcv_nxt": 9}
    closed = Table(table).local(tcb(table, **opening), Event.CLOSE)
    assert closed is not None
    acked = Table(table).arrival(closed.tcb, Segment(9, ack=6, inc=2))
    again = Table(table).local(acked.tcb, Event.RETRANSMISSION_TIMEOUT)
    assert again is not None
    assert Segment(6, ack=9, fin=1, inc=2) == again.sent


WAITING = {"state": TIME_WAIT, "inc": 1, "snd_una": 4, "snd_nxt": 4, "snd_end": 3, "rcv_nxt": 9}


@pytest.mark.parametrize(
    ("name", "seq", "state"),
    [
        ("reopens", 9, TIME_WAIT),
        ("MAY-2", 8, TIME_WAIT),
        ("MAY-2", 9, SYN_RECEIVED),
        ("for good", 9, TIME_WAIT),
        ("for good", 10, SYN_RECEIVED),
    ],
)
def test_a_syn_ends_time_wait_where_it_may(name: str, seq: int, state: int) -> None:
    assert state == arrives(Segment(seq, syn=1, inc=2), TABLES[name], **WAITING)[0].state


@pytest.mark.parametrize(("name", "state"), [("MAY-2", TIME_WAIT), ("for good", LISTEN)])
def test_a_refused_syn_leads_back_to_time_wait_under_may_2(name: str, state: int) -> None:
    table = Table(TABLES[name])
    taken = table.arrival(tcb(TABLES[name], **WAITING), Segment(20, syn=1, inc=2)).tcb
    assert state == table.arrival(taken, Segment(21, rst=1, inc=2)).tcb.state


def test_what_resumes_time_wait_is_the_connection_that_was_waiting() -> None:
    table = Table(TABLES["MAY-2"])
    before = tcb(TABLES["MAY-2"], **WAITING)
    taken = table.arrival(before, Segment(20, syn=1, inc=2)).tcb
    after: Any = table.arrival(taken, Segment(21, rst=1, inc=2)).tcb
    assert all(getattr(after, name) == value for name, value in WAITING.items())


# The ghost --------------------------------------------------------------------------------------


def symbols(names: list[str]) -> Any:
    """Return a record of symbols (Any: it stands for a TCB or a segment)."""
    return SimpleNamespace(**{name: Symbol(name) for name in names})


@pytest.mark.parametrize("name", [*TABLES, *WITH_OTHERS])
def test_no_predicate_reads_which_incarnation_it_is(name: str) -> None:
    table = (TABLES | WITH_OTHERS)[name]
    fields = [*TCB._fields, *(field for field, _ in table.fields)]
    blind = symbols([field for field in fields if field != "inc"])
    seg = symbols([field for field in Segment._fields if field != "inc"])
    for rule in table.rules:
        for holds in rule.when:
            assert holds(blind, seg) is not None  # reading `inc` would raise


def test_a_user_who_opens_again_needs_a_table_that_can() -> None:
    model = Model(incarnations=Incarnations(opens=("active", "passive")))
    with pytest.raises(ModelError, match=r"set protocol\.reopens=on"):
        explore(model)


def test_a_table_that_can_open_again_makes_no_difference_if_nobody_does() -> None:
    base = model_named("table_154")
    plain, again = (
        explore(Model(a=t, b=t, network=base.network, timers=base.timers)) for t in (RFC9293, AGAIN)
    )
    assert (len(plain), plain.transitions) == (len(again), again.transitions)


@pytest.mark.parametrize("name", ["reopen_fifo", "time_wait_takes_syn"])
def test_the_fast_engine_agrees_where_a_connection_is_opened_again(name: str) -> None:
    pytest.importorskip("numba")
    said = [
        [(v.answer, v.occurred, v.run) for v in check(MODELS[name], engine=engine).verdicts]
        for engine in ("plain", "fast")
    ]
    assert said[0] == said[1]


def repair_of(model: Model, breaks: str) -> str | None:
    """Return the change that the checker proposes for a property that a model breaks."""
    result = check(replace(model, expect={}), only=[breaks])
    repair = nearest_repair(result.space, result[breaks])
    return repair.change if repair is not None else None


def test_a_repair_that_leaves_users_unable_to_open_is_passed_over() -> None:
    # The table has the rows of opening only because of the switch that a repair turns off.
    table = SWITCHES["syn_resets"].on(RFC9293)
    model = replace(model_named("reopen_fifo"), a=table, b=table)
    assert "protocol.challenge_ack=on" == repair_of(model, "no_opening_ended_by_an_old_segment")


def test_a_repair_that_an_edit_of_the_model_does_not_allow_is_passed_over() -> None:
    # The edit is about a row of a switch, which is made after it once another is on.
    model = model_named("reopen_closed_early_syn_forgotten")
    model = with_parameters(model, ["network.order=any"])
    observation = "time_wait_ends_only_by_its_timer_or_a_new_syn"
    assert "network.order=fifo" == repair_of(model, observation)
