"""What TIME-WAIT does for a new incarnation: settled states, thresholds, quiet time, the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from properties.judge import judge
from properties.old_segments import (
    OldSegments,
    safe_wait,
    settled,
    time_wait_outlasts_the_old_connection,
)
from properties.reopening import no_old_segment_accepted
from properties.verdict import Answer
from reports.ladder import ladder
from reports.replay import parse_ladder
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Middlebox, Network, Time
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import CLOSED, LISTEN, Event, Segment
from tcpclose_model.run import check_run
from tcpclose_model.search import explore, explore_until
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.switches import SWITCHES
from tests.test_engines import assert_same, naive_search

TINY = (
    "incarnations.data_units=0",
    "network.duplication=false",
    "network.order=any",
    "network.capacity=1",
)
"""Settings under which every state of a timed model can be explored, settled or not."""

SMALL_MODELS = {
    **{
        name: model_named(name)
        for name in (
            "reopen_after_free_time_wait",
            "reopen_after_drained_time_wait",
            "reopen_fifo",
            "reopen_fifo_challenge_ack",
            "reopen_above",
            "reopen_simultaneously",
        )
    },
    "timed, long enough": OldSegments(1, 2, 1, "any", settings=TINY).model(3),
    "timed, too short": OldSegments(1, 2, 1, "any", settings=TINY).model(2),
}


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_nothing_is_missed_where_the_search_does_not_go_on_from_settled_states(name: str) -> None:
    model = SMALL_MODELS[name]
    whole, part = explore(model), explore_until(model, settled(model))
    assert whole.complete
    assert not part.stopped
    assert len(part) < len(whole)
    verdicts = [judge(space, no_old_segment_accepted) for space in (whole, part)]
    assert 1 == len({verdict.answer for verdict in verdicts})
    assert 1 == len({len(verdict.run) if verdict.run else None for verdict in verdicts})


def test_from_a_settled_state_on_nothing_old_is_in_flight() -> None:
    model = SMALL_MODELS["timed, too short"]
    is_settled, space = settled(model), explore(model)
    for number in range(len(space)):
        if is_settled(space.state(number)):
            for step in space.steps(number):
                assert is_settled(space.state(space.target[step]))


def test_a_search_that_goes_on_from_everywhere_is_the_search() -> None:
    model = SMALL_MODELS["reopen_fifo"]
    whole, same = explore(model), explore_until(model, lambda state: False)
    assert (len(whole), whole.transitions) == (len(same), same.transitions)


@pytest.mark.parametrize("name", ["table_154", "time_wait_takes_syn"])
def test_settled_states_are_refused_where_they_have_no_meaning(name: str) -> None:
    with pytest.raises(ModelError, match="old segments"):
        settled(model_named(name))


# Thresholds -------------------------------------------------------------------------------------

FOUND = {
    OldSegments(1, 2, 1, "any"): 2,
    OldSegments(1, 2, 1, "fin"): 3,
    OldSegments(1, 2, 1, "nothing"): 5,
    OldSegments(1, 3, 1, "nothing"): 6,
}


@pytest.mark.parametrize("question", FOUND, ids=str)
def test_the_longest_time_wait_that_fails_is_what_theory_says(question: OldSegments) -> None:
    found = safe_wait(question)
    assert (FOUND[question], "", False) == (found.fails, found.unknown, found.always)
    assert found.agrees


@pytest.mark.parametrize("restart", ["any", "fin", "nothing"])
def test_a_longer_time_wait_is_safe_as_far_up_as_one_looks(restart: str) -> None:
    question = OldSegments(restart=restart)
    fails = safe_wait(question).fails
    assert fails is not None
    answers = []
    for wait in (fails + 1, fails + 4):
        model = question.model(wait)
        space = explore_until(model, settled(model))
        answers.append((space.stopped, judge(space, no_old_segment_accepted).answer))
    assert [("", Answer.HOLDS)] * 2 == answers


@pytest.mark.parametrize("restart", ["any", "fin", "nothing"])
def test_from_the_top_on_no_time_wait_is_over_too_soon(restart: str) -> None:
    question = OldSegments(restart=restart)
    top = safe_wait(question).top
    for wait in (top, top + 3):
        model = question.model(wait)
        space = explore_until(model, settled(model))
        assert judge(space, time_wait_outlasts_the_old_connection).answer is not Answer.VIOLATED


def test_the_run_that_fails_ends_with_a_segment_of_the_first_connection() -> None:
    run = safe_wait(OldSegments(restart="any")).run
    assert run is not None
    check_run(run)
    last = run.steps[-1].action
    assert last.segment is not None
    assert (Event.SEGMENT_ARRIVES, 1) == (last.event, last.segment.inc)
    assert run == parse_ladder(ladder(run), run.model)


@pytest.mark.parametrize("setting", ["protocol.rfc1337=off", "protocol.quiet_time=off"])
@pytest.mark.parametrize("restart", ["any", "fin", "nothing"])
def test_no_time_wait_is_long_enough_without_what_the_thresholds_take_for_granted(
    setting: str, restart: str
) -> None:
    found = safe_wait(OldSegments(restart=restart, settings=(setting,)))
    assert found.always
    assert found.run is not None
    assert Event.TIME_WAIT_TIMEOUT not in {step.action.event for step in found.run.steps}


@pytest.mark.parametrize(
    ("restart", "fails"), [("fin", [1, 3, 6]), ("nothing", [1, 3, 6]), ("any", [1])]
)
def test_a_passive_closer_that_opens_during_time_wait_gets_a_fresh_old_ack(
    restart: str, fails: list[int]
) -> None:
    question = OldSegments(restart=restart, opens=("passive", "active"))
    violated = []
    for wait in (1, 3, 6):
        model = question.model(wait)
        space = explore_until(model, settled(model), max_states=12_000)
        answer = judge(space, no_old_segment_accepted).answer
        assert answer is Answer.VIOLATED or not space.stopped
        violated += [wait] if answer is Answer.VIOLATED else []
    assert fails == violated


def test_a_limit_that_is_hit_leaves_the_answer_unknown() -> None:
    found = safe_wait(OldSegments(), states_max=500)
    assert "--max-states 500 was hit" in found.unknown
    assert (None, None, False, False) == (found.fails, found.run, found.always, found.agrees)


# Quiet time -------------------------------------------------------------------------------------

QUIET = SWITCHES["quiet_time"].on(RFC9293)


def test_an_end_that_was_reset_may_not_open_until_its_quiet_time_is_over() -> None:
    table = Table(QUIET)
    established = table.initial._replace(inc=1)  # type: ignore[call-arg]  # a field of the switch
    closed = table.arrival(established, Segment(0, rst=1, inc=1)).tcb
    assert CLOSED == closed.state
    assert table.local(closed, Event.OPEN_PASSIVE) is None
    over = table.local(closed, Event.TIME_WAIT_TIMEOUT)
    assert over is not None
    opened = table.local(over.tcb, Event.OPEN_PASSIVE)
    assert opened is not None
    assert LISTEN == opened.tcb.state


def test_a_quiet_time_lasts_as_long_as_time_wait() -> None:
    model = OldSegments(1, 2, 1, settings=TINY).model(3)
    waits = set()
    space = explore(model)
    for tcb in space.tcbs:
        fields = tcb._asdict()
        if tcb.state == CLOSED:
            assert bool(fields["quiet"]) == bool(fields["time_wait_timer"])
            waits.add(fields["time_wait_timer"])
    assert {0, 1, 2, 3, 4} == waits


def test_a_closed_end_that_need_not_be_quiet_has_no_timer() -> None:
    closed = Table(QUIET).initial._replace(state=CLOSED)
    assert Table(QUIET).local(closed, Event.TIME_WAIT_TIMEOUT) is None


# The clock together with other parts of a model -------------------------------------------------

BOXED = Model(
    network=Network(order="any", capacity=1),
    application=Application(closes="a_first", data_units=(0, 0)),
    time=Time(segment_lifetime=1, retransmission=(2,), time_wait=3),
    middlebox=Middlebox(at="a", forgets="after_fins", timeout="free", unknown="resets"),
)
TOGETHER = {
    "clock and reopening": SMALL_MODELS["timed, too short"],
    "clock, reopening, set": OldSegments(1, 3, 1).model(3),
    "clock and middlebox beside A": BOXED,
    "clock and middlebox beside B": replace(BOXED, middlebox=replace(BOXED.middlebox, at="b")),
    "clock, middlebox, set": replace(BOXED, network=Network(order="set", duplication=True)),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_the_tabulated_search_finds_what_a_naive_one_finds(name: str) -> None:
    model = TOGETHER[name]
    assert_same(naive_search(model, 1_500), explore(model, engine="plain", max_states=1_500))


@pytest.mark.parametrize("name", ["clock and middlebox beside A", "clock and reopening"])
def test_a_tick_leaves_a_middlebox_and_an_incarnation_alone(name: str) -> None:
    space = explore(TOGETHER[name])
    ticks = 0
    for number in range(len(space)):
        before = space.state(number)
        for step in space.steps(number):
            if space.moves[space.move[step]].action.event is Event.TICK:
                after, ticks = space.state(space.target[step]), ticks + 1
                for old, new in zip(before[:2], after[:2], strict=True):
                    assert {
                        field
                        for field, value in old._asdict().items()
                        if getattr(new, field) != value
                    } <= {field for field in old._fields if field.endswith("_timer")}
    assert ticks > 100


def test_a_middlebox_forgets_in_no_time_and_the_clock_goes_on() -> None:
    space = explore(BOXED)
    assert space.complete
    events = {move.action.event for move in space.moves}
    assert {Event.MIDDLEBOX_TIMEOUT, Event.TICK, Event.TIME_WAIT_TIMEOUT} <= events
