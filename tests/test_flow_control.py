"""Flow control: windows that close and open, probes, and users who do not read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from properties.catalogue import both_closed
from properties.check import check
from properties.kinds import always, leads_to
from properties.verdict import Answer
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import (
    ESTABLISHED,
    FIN_WAIT_1,
    TCB,
    Event,
    Segment,
)
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.endless import endless_sender
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.registry import switched
from tcpclose_model.variants.switches import SWITCHES
from tests.test_catalogue import rows_carried_out, rows_made_by

FLOW_CONTROL = switched("flow_control")
TABLE = Table(FLOW_CONTROL)
DATA_1, DATA_2 = Segment(seq=0, text=1), Segment(seq=1, text=1)

# Rows of the wide edits that the models of the catalogue leave out, and models that carry them out.
ELSEWHERE = (
    ("zero_window", ("timers.user_timeout=on", "bounds.retransmissions_max=1")),
    ("zero_window", ("a.flow_control=off", "application.closes=any")),
    ("nuttx_8915", ("application.closes=any", "application.half_close=on")),
)


def model(name: str, *settings: str) -> Model:
    """Return a model of the catalogue with some parameters changed."""
    return with_parameters(model_named(name), settings)


def answer(changed: Model, breaks: str) -> Answer:
    """Return what a check of one property says."""
    return check(changed, only=[breaks])[breaks].answer


def tcb(protocol: Protocol = FLOW_CONTROL, **fields: int) -> TCB:
    """Return a TCB in ESTABLISHED with some fields set."""
    return Table(protocol).initial._replace(**fields)  # type: ignore[arg-type]  # ints by name


def sent(found: object) -> Segment:
    """Return what an outcome sends."""
    segment = getattr(found, "sent", None)
    assert isinstance(segment, Segment)
    return segment


# The receiver ---------------------------------------------------------------------------------


def test_text_that_nobody_has_read_closes_the_window() -> None:
    assert 1 == sent(TABLE.arrival(tcb(), DATA_1)).wnd0


def test_an_eager_user_never_lets_the_window_close() -> None:
    eager = Table(FLOW_CONTROL, reads_eagerly=True)
    assert 0 == sent(eager.arrival(tcb(), DATA_1)).wnd0


def test_reading_opens_the_window_and_says_so() -> None:
    full = TABLE.arrival(tcb(), DATA_1).tcb
    assert Segment(seq=0, ack=1) == sent(TABLE.local(full, Event.RECEIVE))


def test_reading_after_the_peers_fin_says_nothing_of_the_window() -> None:
    full = TABLE.arrival(tcb(), DATA_1).tcb
    closed = TABLE.arrival(full, Segment(seq=1, fin=1)).tcb
    found = TABLE.local(closed, Event.RECEIVE)
    assert found is not None
    assert (None, 1) == (found.sent, found.tcb.read)


def test_text_that_finds_no_room_is_answered_and_forgotten() -> None:
    full = TABLE.arrival(tcb(), DATA_1).tcb
    found = TABLE.arrival(full, DATA_2)
    assert (full, Segment(seq=0, ack=1, wnd0=1)) == (found.tcb, found.sent)


def test_a_fin_needs_no_room() -> None:
    full = TABLE.arrival(tcb(), DATA_1).tcb
    assert 2 == sent(TABLE.arrival(full, Segment(seq=1, fin=1))).ack


def test_in_the_literal_reading_a_fin_needs_a_window() -> None:
    literal = Table(switched("flow_control", "fin_needs_window"))
    full = literal.arrival(literal.initial, DATA_1).tcb
    assert 1 == sent(literal.arrival(full, Segment(seq=1, fin=1))).ack


@pytest.mark.parametrize(("switches", "wnd0"), [((), 0), (("window_kept_shut",), 1)])
def test_a_close_throws_away_what_is_unread_unless_it_is_kept(
    switches: tuple[str, ...], wnd0: int
) -> None:
    table = Table(switched("flow_control", *switches))
    full = table.arrival(table.initial, DATA_1).tcb
    assert wnd0 == sent(table.local(full, Event.CLOSE)).wnd0


def test_a_reset_carries_no_window() -> None:
    full = TABLE.arrival(tcb(), DATA_1).tcb
    assert Segment(seq=0, rst=1) == sent(TABLE.local(full, Event.ABORT))


# The sender -----------------------------------------------------------------------------------


def test_text_is_not_sent_into_a_window_that_is_zero() -> None:
    assert TABLE.local(tcb(snd_end=1, snd_wnd0=1), Event.TRANSMIT) is None


def test_one_unit_fills_a_window() -> None:
    assert TABLE.local(tcb(snd_end=2, snd_nxt=1), Event.TRANSMIT) is None


def test_a_window_that_is_zero_is_probed_with_the_next_unit() -> None:
    assert Segment(seq=0, text=1) == sent(
        TABLE.local(tcb(snd_end=1, snd_wnd0=1), Event.PERSIST_TIMEOUT)
    )


def test_a_probe_is_repeated_by_the_persist_timer_alone() -> None:
    probing = tcb(snd_end=1, snd_nxt=1, snd_wnd0=1)
    events = (Event.PERSIST_TIMEOUT, Event.RETRANSMISSION_TIMEOUT)
    assert [True, False] == [TABLE.local(probing, event) is not None for event in events]


def test_an_open_window_is_not_probed() -> None:
    assert TABLE.local(tcb(snd_end=1, snd_nxt=1), Event.PERSIST_TIMEOUT) is None


def test_an_answer_to_a_probe_makes_the_count_start_again() -> None:
    probing = tcb(snd_end=1, snd_nxt=1, snd_wnd0=1, retransmitted=2)
    assert 0 == TABLE.arrival(probing, Segment(seq=0, wnd0=1)).tcb.retransmitted


def test_an_orphans_answered_probes_count_where_they_are_to() -> None:
    table = Table(switched("flow_control", "orphan_probes_count"))
    probing = tcb(snd_end=1, snd_nxt=1, snd_wnd0=1, retransmitted=2)
    orphan = probing._replace(state=FIN_WAIT_1, fin_queued=1, released=1)
    assert 2 == table.arrival(orphan, Segment(seq=0, wnd0=1)).tcb.retransmitted


def test_an_end_gives_up_only_if_its_probes_are_unanswered() -> None:
    answered = tcb(snd_end=1, snd_nxt=1, snd_wnd0=1)
    ends = (answered, answered._replace(retransmitted=1))
    assert [False, True] == [TABLE.local(end, Event.USER_TIMEOUT) is not None for end in ends]


def test_a_window_update_lets_text_go_on() -> None:
    waiting = TABLE.arrival(tcb(snd_end=1, snd_wnd0=1), Segment(seq=0)).tcb
    assert DATA_1 == sent(TABLE.local(waiting, Event.TRANSMIT))


def test_an_end_without_flow_control_always_has_an_open_window() -> None:
    found = explore(model("zero_window", "b.flow_control=off"))
    segments = {seg for channel in found.channels for seg in channel if seg.text == 0}
    from_b = [move.sent for move in found.moves if move.action.actor == 1 and move.sent]
    assert segments
    assert {0} == {seg.wnd0 for seg in from_b}


# Fields that a switch adds --------------------------------------------------------------------


def test_the_field_of_a_switch_goes_with_the_switch() -> None:
    assert RFC9293.fields == SWITCHES["flow_control"].off(FLOW_CONTROL).fields


def test_a_field_of_the_users_own_stays_when_a_switch_goes() -> None:
    own = SWITCHES["flow_control"].on(RFC9293.with_field("mine", 3))
    assert (("mine", 3),) == SWITCHES["flow_control"].off(own).fields


def test_tcbs_with_other_fields_are_never_the_same() -> None:
    one, other = (Table(RFC9293.with_field(name, 1)).initial for name in ("mine", "yours"))
    assert tuple(one) == tuple(other)
    assert one != other


def test_tcbs_of_two_tables_with_the_same_fields_are_the_same() -> None:
    tables = (RFC9293, switched("delayed_ack"))
    one, other = (Table(table.with_field("mine", 1)).initial for table in tables)
    assert (one, hash(one)) == (other, hash(other))


def test_a_switch_that_changes_flow_control_brings_it_along() -> None:
    assert FLOW_CONTROL.fields == SWITCHES["no_persist_timer"].on(RFC9293).fields


@pytest.mark.parametrize(
    "name", ["no_persist_timer", "fin_needs_window", "window_kept_shut", "orphan_probes_count"]
)
def test_a_switch_means_the_same_with_flow_control_on_or_not(name: str) -> None:
    assert switched("flow_control", name).rules == SWITCHES[name].on(RFC9293).rules


def test_what_segments_carry_is_checked_for_branches() -> None:
    def branches(tcb: TCB, seg: Segment) -> bool:
        return tcb.read == 0 and tcb.rcv_text == 0

    wrong = replace(RFC9293, carries=(("wnd0", branches),))
    with pytest.raises(ModelError, match=r"carries wnd0.*truth value"):
        explore(Model(a=wrong))


# What it comes to -----------------------------------------------------------------------------


def test_without_loss_no_window_needs_a_probe() -> None:
    changed = model("no_persist_timer", "network.loss=false")
    assert Answer.HOLDS is answer(changed, "both_eventually_closed")


def test_the_literal_reading_of_a_fin_is_harmless_where_the_user_reads() -> None:
    changed = model("zero_window", "protocol.fin_needs_window=on")
    assert Answer.HOLDS is answer(changed, "both_eventually_closed")


def test_one_unit_of_text_and_a_fin_need_no_second_window() -> None:
    changed = model("zero_window_never_read", "application.data_units=1,0")
    assert Answer.HOLDS is answer(changed, "both_eventually_closed")


@pytest.mark.parametrize(("name", "expected"), [("gvisor_13393", 1), ("orphan_probes_count", 0)])
def test_a_user_who_has_closed_leaves_established_unless_the_fin_must_be_sent_first(
    name: str, expected: int
) -> None:
    claim = always(
        "An end whose user has closed is not ESTABLISHED.",
        lambda s: not (s.me.fin_queued and s.me.state == ESTABLISHED),
        each_end=True,
    )
    found = check(replace(model_named(name), properties=[claim], expect={}))[claim.name].answer
    assert [Answer.HOLDS, Answer.VIOLATED][expected] is found


def test_a_closed_user_is_not_sent_text_for_ever_if_text_after_a_close_is_reset() -> None:
    table = SWITCHES["half_duplex_close"].on(endless_sender)
    right = replace(model_named("nuttx_8915"), a=table, expect={})
    assert Answer.HOLDS is answer(right, "both_eventually_closed")


def test_the_endless_sender_stands_in_the_states_that_long_streams_stand_in() -> None:
    def pairs(changed: Model) -> set[tuple[object, ...]]:
        space = explore(changed)
        states = (space.state(number) for number in range(len(space)))
        return {(s.a.state, s.b.state, len(s.a_to_b), len(s.b_to_a)) for s in states}

    real = replace(
        with_parameters(model_named("nuttx_8915"), ["application.data_units=0,3"]),
        a=switched("flow_control"),
        b=switched("flow_control"),
    )
    assert pairs(real) == pairs(model_named("nuttx_8915"))


def test_every_row_of_the_wide_edits_is_carried_out_somewhere() -> None:
    edits = {"flow_control", "endless_sender"}
    spaces = [explore(model_named(name)) for name in MODELS if has(edits, MODELS[name])]
    spaces += [explore(model(name, *settings)) for name, settings in ELSEWHERE]
    carried_out = set[str]().union(*(rows_carried_out(space) for space in spaces))
    made = rows_made_by(FLOW_CONTROL, edits) | rows_made_by(endless_sender, edits)
    assert set() == made - carried_out


def has(edits: set[str], one: Model) -> bool:
    """Return whether a model's table has been through one of these edits."""
    return any(edit.name in edits for edit in one.a.edits)


def test_both_ends_close_under_flow_control_whatever_the_reader_of_a_whole_stream() -> None:
    claim = leads_to("Both ends close.", when=lambda s: True, then=both_closed)
    changed = model("zero_window", "timers.retransmission=spurious")
    found = check(replace(changed, properties=[claim], expect={}))[claim.name]
    assert Answer.HOLDS is found.answer
