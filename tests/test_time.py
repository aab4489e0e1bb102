"""Models with a clock: each timer, the age of segments, ticks, and how reports show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from properties.catalogue import CATALOGUE
from properties.check import check
from properties.judge import judge
from properties.kinds import never_a_step
from properties.verdict import Answer
from reports.ladder import ladder
from reports.replay import parse_json, parse_ladder
from reports.text import described
from reports.trace import mermaid, trace_text
from tcpclose_model.engines.plain import TIME, PlainEngine, ProductState, Transition
from tcpclose_model.errors import ModelError, TraceError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Bounds, Network, Time, Timers
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.timers import TIMERS
from tcpclose_model.protocol.vocabulary import (
    LAST_ACK,
    TCB,
    Event,
    State,
)
from tcpclose_model.run import Run, check_run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.switches import SWITCHES
from tests.command_line import refused, tcpclose
from tests.strategies import MUTANTS, examples, searched, timed_models

NO_DATA = Application(closes="a_first", data_units=(0, 0))


def timed(network: Network | None = None, **durations: Any) -> Model:  # Any: one type a duration
    """Return a small model with a clock, in which A closes first and nobody sends text."""
    time = Time(**{"segment_lifetime": 2, **durations})
    return Model(network=network or Network(), application=NO_DATA, time=time, name="timed")


def steps(space: StateSpace) -> Iterator[tuple[ProductState, Transition]]:
    """Return every step of a graph, as the plain engine takes it."""
    engine = PlainEngine(space.model)
    for number in range(space.expanded):
        state = space.state(number)
        for step in engine.successors(state):
            yield state, step


def follow(model: Model, text: str) -> Run:
    """Return the run of a ladder whose first line is the initial state's."""
    return parse_ladder("ESTABLISHED ESTABLISHED\n" + text, model)


def is_possible(model: Model, text: str) -> bool:
    """Return whether a ladder is a run of the model."""
    try:
        follow(model, text)
    except TraceError as error:
        if not error.impossible:
            raise
        return False
    return True


def ticks_before(model: Model, before: str, last: str) -> list[int]:
    """Return after how many ticks a line may follow the lines before it."""
    return [n for n in range(12) if is_possible(model, f"{before}\n{tick_line(n)}{last}")]


def tick_line(count: int) -> str:
    """Return a ladder's line for so many ticks, none for none."""
    return f"{count} TICKS\n" if count else ""


# Ticks ------------------------------------------------------------------------------------------


def test_an_untimed_model_has_no_tick_and_no_timer_in_its_tcb() -> None:
    space = explore(Model(application=NO_DATA))
    assert not any(move.action.event is Event.TICK for move in space.moves)
    assert not any(name.endswith("_timer") for name in space.tcbs[0]._fields)


def test_a_timed_tcb_has_a_field_for_each_timer_that_is_given_a_time() -> None:
    tcb = PlainEngine(timed(retransmission=(2,), time_wait=4)).initial.a
    assert ("retransmission_timer", "time_wait_timer") == tcb._fields[-2:]


def test_a_tick_is_the_step_of_neither_end() -> None:
    ticks = [s for _, s in steps(explore(timed())) if s.action.event is Event.TICK]
    assert ticks
    assert {(TIME, None, (), None)} == {
        (step.action.actor, step.action.segment, step.rules, step.sent) for step in ticks
    }


def test_a_tick_that_would_change_nothing_is_no_step() -> None:
    model = timed(retransmission=(2,))
    assert not is_possible(model, "TICK")
    assert is_possible(model, "A CLOSE\nTICK")


@examples(12)
@given(timed_models())
def test_a_tick_makes_timers_and_segments_one_tick_older_and_nothing_else(model: Model) -> None:
    engine = PlainEngine(model)
    for before, step in steps(explore(model, max_states=300)):
        if step.action.event is not Event.TICK:
            continue
        after = step.target
        assert before.losses == after.losses
        for old, new in zip(before[:2], after[:2], strict=True):
            for name, was, now in zip(old._fields, old, new, strict=True):
                assert max(was - 1, 0) == now if name.endswith("_timer") else was == now
        lifetime = model.time.segment_lifetime
        for old_channel, new_channel in zip(before[2:4], after[2:4], strict=True):
            older = [s._replace(age=s.age + 1) for s in old_channel if s.age != lifetime]
            assert older == list(new_channel)
        assert not engine.clock.due(before.a)
        assert not engine.clock.due(before.b)


@examples(12)
@given(timed_models())
def test_time_never_stands_still_for_good(model: Model) -> None:
    # A timer runs only while a row of its event fits, so one that is due can go off, or waits for
    # room that the arrival of what is in flight will make.
    engine = PlainEngine(model)
    space = searched(model, 1_500)
    for state in map(space.state, range(0, len(space), 7)):
        if engine.clock.due(state.a) or engine.clock.due(state.b):
            assert any(step.target != state for step in engine.successors(state))


# The age of segments ----------------------------------------------------------------------------

LIFETIMES = pytest.mark.parametrize("lifetime", [1, 2, 3])
NETWORKS = pytest.mark.parametrize(
    "network",
    [
        Network(),
        Network(order="any"),
        Network(order="set"),
        Network(order="set", duplication=True),
        Network(loss=False),
        Network(order="any", loss=False),
        Network(order="any", losses_max=1),
    ],
    ids=str,
)
FIN_ARRIVES = "FIN_WAIT_1 -- FIN --> CLOSE_WAIT"


@NETWORKS
@LIFETIMES
def test_a_segment_arrives_at_any_age_up_to_its_lifetime(lifetime: int, network: Network) -> None:
    model = timed(network, segment_lifetime=lifetime)
    assert list(range(lifetime + 1)) == ticks_before(model, "A CLOSE", FIN_ARRIVES)


@LIFETIMES
def test_the_tick_after_its_lifetime_removes_a_segment(lifetime: int) -> None:
    run = follow(timed(segment_lifetime=lifetime), f"A CLOSE\n{tick_line(lifetime + 1)}")
    assert ((), lifetime) == (run.last.a_to_b, run.states[-2].a_to_b[0].age)


@pytest.mark.parametrize("network", [Network(loss=False), Network(order="any", losses_max=1)])
def test_no_tick_passes_while_a_segment_that_may_not_vanish_is_as_old_as_it_can_be(
    network: Network,
) -> None:
    model = timed(network, segment_lifetime=2)
    assert is_possible(model, "A CLOSE\n2 TICKS")
    assert not is_possible(model, "A CLOSE\n3 TICKS")


def test_an_arrival_leaves_the_segment_in_flight_in_a_timed_set_that_duplicates() -> None:
    model = timed(Network(order="set", duplication=True))
    assert 1 == len(follow(model, f"A CLOSE\n{FIN_ARRIVES}").last.a_to_b)


def test_in_a_timed_set_a_segment_sent_again_takes_the_place_of_the_older_copy() -> None:
    run = follow(timed(Network(order="set"), retransmission=(2,)), "A CLOSE\n2 TICKS")
    assert [2] == [seg.age for seg in run.last.a_to_b]
    again = follow(run.model, "A CLOSE\n2 TICKS\nA RETRANSMISSION TIMEOUT")
    assert [0] == [seg.age for seg in again.last.a_to_b]


def test_a_bag_holds_copies_of_different_ages_and_a_ladder_says_which_one_arrives() -> None:
    model = timed(Network(order="any"), retransmission=(1,))
    start = "A CLOSE\nTICK\nA RETRANSMISSION TIMEOUT\n"
    assert [0, 1] == [seg.age for seg in follow(model, start).last.a_to_b]
    with pytest.raises(TraceError, match="fits 2 steps"):
        follow(model, start + FIN_ARRIVES)
    older = follow(model, f"{start}FIN_WAIT_1 -- FIN seq=0 ack=0 age=1 --> CLOSE_WAIT")
    assert [0] == [seg.age for seg in older.last.a_to_b]
    assert older == parse_ladder(ladder(older), model)


def test_no_row_sees_the_age_of_a_segment() -> None:
    nosy = RFC9293.edit(
        rows(name="new_ack"), becomes(when=lambda tcb, seg: seg.age == 0), why="nosy"
    )
    with pytest.raises(ModelError, match="seg has no field 'age'"):
        explore(replace(timed(), a=nosy))


# Timers -----------------------------------------------------------------------------------------

RTX = "A RETRANSMISSION TIMEOUT"


def test_a_timer_goes_off_when_it_is_due_and_no_tick_passes_before_it_has() -> None:
    model = timed(retransmission=(3,))
    assert [3] == ticks_before(model, "A CLOSE", RTX)
    assert not is_possible(model, "A CLOSE\n4 TICKS")


def test_slack_lets_a_timer_be_late() -> None:
    assert [3, 4, 5] == ticks_before(timed(retransmission=(3,), slack=2), "A CLOSE", RTX)


def test_the_retransmission_timeout_backs_off_and_the_last_one_repeats() -> None:
    model = timed(retransmission=(1, 2, 4))
    run = "A CLOSE"
    for wait in (1, 2, 4, 4, 4):
        assert [wait] == ticks_before(model, run, RTX)
        run += f"\n{tick_line(wait)}{RTX}"


def test_a_bound_of_retransmissions_does_not_shorten_the_backoff() -> None:
    model = replace(timed(retransmission=(1, 2, 4)), bounds=Bounds(retransmissions_max=2))
    run = f"A CLOSE\nTICK\n{RTX}"
    assert [2] == ticks_before(model, run, RTX)
    assert [] == ticks_before(model, f"{run}\n2 TICKS\n{RTX}", RTX)


def test_a_new_ack_starts_the_retransmission_timer_anew_and_the_backoff_with_it() -> None:
    application = Application(closes="a_first", data_units=(1, 0))
    model = replace(timed(retransmission=(2, 5)), application=application)
    backed_off = f"""A SEND\nA TRANSMIT\nA CLOSE\n2 TICKS\n{RTX}
        FIN_WAIT_1 -- DATA 1 --> ESTABLISHED\nTICK"""
    acked = f"{backed_off}\nFIN_WAIT_1 <-- ACK of DATA 1 -- ESTABLISHED"
    assert [4] == ticks_before(model, backed_off, RTX)
    assert [2] == ticks_before(model, acked, RTX)


def test_an_ack_of_everything_stops_the_retransmission_timer() -> None:
    model = timed(retransmission=(2,))
    acked = f"A CLOSE\n{FIN_ARRIVES}\nFIN_WAIT_2 <-- ACK of FIN -- CLOSE_WAIT"
    assert [] == ticks_before(model, acked, RTX)
    assert 0 == value(follow(model, acked).last.a, "retransmission_timer")


IN_TIME_WAIT = f"""A CLOSE
    {FIN_ARRIVES}
    B CLOSE
    FIN_WAIT_2 <-- ACK of FIN -- LAST_ACK
    TIME_WAIT <-- FIN -- LAST_ACK"""
FIN_AGAIN = f"""{IN_TIME_WAIT}
    TIME_WAIT --x LAST_ACK
    2 TICKS
    B RETRANSMISSION TIMEOUT
    TIME_WAIT <-- FIN -- LAST_ACK""".replace("--x", "-- ACK of FIN --x")


@pytest.mark.parametrize("wait", [0, 1, 4])
def test_time_wait_lasts_as_long_as_it_is_given(wait: int) -> None:
    assert [wait] == ticks_before(timed(time_wait=wait), IN_TIME_WAIT, "A 2MSL")


OLD_ACK = f"""{IN_TIME_WAIT}
    TIME_WAIT -- ACK of FIN --x LAST_ACK
    TICK
    TIME_WAIT <-- ACK of FIN -- LAST_ACK""".replace("FIN_WAIT_2 <-- ACK of FIN -- LAST_ACK\n", "")


@pytest.mark.parametrize(
    ("switch", "waits"), [((), 4), (("literal_2msl",), 4), (("any_segment_restarts_2msl",), 5)]
)
def test_an_old_ack_starts_2msl_anew_only_if_any_segment_does(
    switch: tuple[str, ...], waits: int
) -> None:
    settings = [f"protocol.{name}=on" for name in switch]
    model = timed(Network(order="any"), retransmission=(9,), time_wait=5)
    model = with_parameters(model, settings)
    assert [waits] == ticks_before(model, OLD_ACK, "A 2MSL")


@pytest.mark.parametrize(
    ("switch", "waits"), [((), 5), (("literal_2msl",), 3), (("any_segment_restarts_2msl",), 5)]
)
def test_a_fin_that_comes_again_starts_2msl_anew_but_for_the_literal_reading(
    switch: tuple[str, ...], waits: int
) -> None:
    settings = [f"protocol.{name}=on" for name in switch]
    model = with_parameters(timed(retransmission=(2, 9), time_wait=5), settings)
    assert [waits] == ticks_before(model, FIN_AGAIN, "A 2MSL")


def test_fin_wait_2_ends_by_its_timer_where_the_table_has_one() -> None:
    table = SWITCHES["fin_wait_2_timeout"].on(RFC9293)
    model = replace(timed(fin_wait_2=3), a=table, b=table)
    reached = f"A CLOSE\n{FIN_ARRIVES}\nFIN_WAIT_2 <-- ACK of FIN -- CLOSE_WAIT"
    assert [3] == ticks_before(model, reached, "A FIN_WAIT_2 TIMEOUT")


def test_the_user_timeout_runs_from_the_first_transmission() -> None:
    model = timed(retransmission=(2,), user_timeout=5)
    run = f"A CLOSE\n2 TICKS\n{RTX}\n2 TICKS\n{RTX}"
    assert [1] == ticks_before(model, run, "A USER TIMEOUT")


def test_an_ack_is_delayed_for_as_long_as_it_may_be() -> None:
    model = with_parameters(timed(delayed_ack=1), ["protocol.delayed_ack=on"])
    run = f"A CLOSE\n{FIN_ARRIVES}"
    assert [1] == ticks_before(model, run, "B DELAYED ACK TIMEOUT")


def test_an_idle_end_probes_after_a_silence_and_whatever_arrives_ends_the_silence() -> None:
    table = SWITCHES["keep_alive"].on(RFC9293)
    model = replace(timed(keep_alive=4, segment_lifetime=3), a=table, b=RFC9293)
    probe = "A KEEP-ALIVE TIMEOUT"
    assert [4] == ticks_before(model, "", probe)
    heard = """B SEND
        B TRANSMIT
        3 TICKS
        ESTABLISHED <-- DATA 1 -- ESTABLISHED"""
    model = replace(model, application=Application(closes="never", data_units=(0, 1)))
    assert [4] == ticks_before(model, heard, probe)


def test_a_zero_window_is_probed_less_and_less_often_while_nothing_answers() -> None:
    application = Application(closes="never", data_units=(2, 0), reading="lazy")
    model = replace(timed(persist=(2, 4), segment_lifetime=1), application=application)
    model = with_parameters(model, ["protocol.flow_control=on"])
    run = """A SEND
        A SEND
        A TRANSMIT
        ESTABLISHED -- DATA 1 --> ESTABLISHED
        ESTABLISHED <-- ACK of DATA 1 -- ESTABLISHED"""
    probe = "A PERSIST TIMEOUT"
    for wait in (2, 2, 4, 4):  # the first probe is text that has never been sent
        assert [wait] == ticks_before(model, run, probe)
        run += f"\n{tick_line(wait)}{probe}"


def test_a_timer_without_a_time_goes_off_at_any_time() -> None:
    run = f"{IN_TIME_WAIT}\nTIME_WAIT -- ACK of FIN --x LAST_ACK"
    model = timed(retransmission=(4,))
    assert [0, 1, 2, 3, 4] == ticks_before(model, run, "A 2MSL")


def test_a_timer_runs_only_where_the_table_has_a_row_for_it() -> None:
    model = timed(retransmission=(2,), time_wait=2)
    model = replace(model, b=MUTANTS["last_ack_has_no_timer"])
    space = explore(model)
    assert {0} == {value(space.tcbs[n], "retransmission_timer") for n in last_acks(space)}
    assert Answer.VIOLATED is check(model)["no_deadlock"].answer


def value(tcb: TCB, field: str) -> int:
    """Return the value of a field that only timed models have."""
    found: int = tcb._asdict()[field]
    return found


def last_acks(space: StateSpace) -> list[int]:
    """Return the numbers of B's TCBs that are in LAST_ACK."""
    return [n for n in sorted(set(space.b)) if space.tcbs[n].state == LAST_ACK]


def test_each_timer_has_a_parameter_of_its_name_and_a_clause() -> None:
    assert {timer.name for timer in TIMERS} == set(Time.__dataclass_fields__) - {
        "segment_lifetime",
        "slack",
    }
    assert all(timer.cite for timer in TIMERS)


# Losses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 1, 2])
def test_at_most_so_many_segments_are_lost_over_both_directions(most: int) -> None:
    model = timed(Network(order="any", losses_max=most, capacity=9), retransmission=(3,))
    space = explore(model)
    assert set(range(most + 1)) == {space.state(n).losses for n in range(len(space))}
    for before, step in steps(space):
        lost = step.action.event is Event.SEGMENT_IS_LOST
        assert step.target.losses == before.losses + lost


def test_an_untimed_model_may_have_a_limit_of_losses_too() -> None:
    model = Model(
        network=Network(losses_max=0),
        timers=Timers(retransmission="none"),
        application=Application(data_units=(0, 0)),
    )
    lossless = replace(model, network=Network(loss=False))
    assert Answer.HOLDS is check(model)["no_deadlock"].answer
    assert states_of(explore(lossless)) <= states_of(explore(model))


def states_of(space: StateSpace) -> set[tuple[State, State]]:
    """Return the pairs of states of a graph."""
    return {(space.state(n).a.state, space.state(n).b.state) for n in range(len(space))}


def test_a_channel_that_overflows_is_no_uncounted_loss() -> None:
    model = Model(network=Network(capacity=1, losses_max=1), application=NO_DATA)
    with pytest.raises(ModelError, match="would be a loss that"):
        explore(model)


# What a model with a clock does not go with -----------------------------------------------------

REFUSED = {
    "without a clock": (("time.time_wait=4",), "set time.segment_lifetime too"),
    "slack without a clock": (("time.slack=1",), "set time.segment_lifetime too"),
    "two disciplines": (
        ("time.segment_lifetime=2", "time.retransmission=2", "timers.retransmission=timely"),
        "set timers.retransmission=spurious, or leave time.retransmission out",
    ),
    "no such row": (
        ("time.segment_lifetime=2", "time.fin_wait_2=2"),
        "no table has a row for FIN_WAIT_2 TIMEOUT",
    ),
    "a set that delivers": (
        ("time.segment_lifetime=2", "network.order=set", "network.loss=false"),
        "it needs network.loss=true",
    ),
    "no lifetime": (("time.segment_lifetime=0",), "not a whole number of at least 1"),
    "no timeout": (("time.retransmission=1,0",), "not a whole number of at least 1"),
    "no number": (("time.retransmission=soon",), "'soon' is not a whole number"),
    "losses without loss": (
        ("network.loss=false", "network.losses_max=1"),
        "it needs network.loss=true",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_go_together_is_refused_with_what_would(what: str) -> None:
    settings, said = REFUSED[what]
    with pytest.raises(ModelError, match=said):
        explore(with_parameters(Model(), settings))


@pytest.mark.parametrize("engine", ["fast", "large"])
@pytest.mark.parametrize("setting", ["time.segment_lifetime=2", "network.losses_max=1"])
def test_engines_that_do_not_know_it_refuse(engine: str, setting: str) -> None:
    with pytest.raises(ModelError, match=f"--engine {engine} does not know .*--engine plain"):
        check(with_parameters(Model(), [setting]), engine=engine)


def test_parameters_may_be_set_in_any_order_and_taken_back() -> None:
    settings = ["time.time_wait=4", "time.retransmission=1,2", "time.segment_lifetime=2"]
    expected = Time(segment_lifetime=2, retransmission=(1, 2), time_wait=4)
    assert expected == with_parameters(Model(), settings).time
    taken_back = [f"{setting.split('=')[0]}=none" for setting in settings]
    assert Time() == with_parameters(Model(), [*settings, *taken_back]).time


# Judging ----------------------------------------------------------------------------------------


def test_a_predicate_sees_both_ends_as_they_are_before_and_after_a_tick() -> None:
    claim = never_a_step(
        "No tick.",
        lambda before, step, after: (
            step.event is Event.TICK
            and step.actor == "time"
            and before.me.time_wait_timer == 3  # type: ignore[attr-defined]  # of timed models
            and after.me.time_wait_timer == 2  # type: ignore[attr-defined]  # of timed models
            and before.peer.retransmission_timer == after.peer.retransmission_timer + 1 > 1  # type: ignore[attr-defined]  # of timed models
        ),
        each_end=True,
    )
    space = explore(timed(time_wait=3, retransmission=(4,)))
    verdict = judge(space, claim)
    assert Answer.VIOLATED is verdict.answer
    assert verdict.run is not None
    assert Event.TICK is verdict.run.steps[-1].action.event


def test_the_fairness_of_a_timed_model_says_that_time_passes() -> None:
    verdict = check(timed(retransmission=(2,), time_wait=4))["both_eventually_closed"]
    assert "W4: time passes again and again if it always can" in verdict.fairness
    assert Answer.HOLDS is verdict.answer


def test_without_time_passing_a_timer_would_never_be_due() -> None:
    # Nothing is lost here, so nothing but 2MSL and the ticks before it can end TIME-WAIT.
    model = timed(Network(loss=False), retransmission=(9,), time_wait=4)
    assert Answer.HOLDS is check(model)["both_eventually_closed"].answer


def test_what_dies_of_age_again_and_again_is_not_fairly_lost() -> None:
    model = timed(Network(order="set"), retransmission=(4,), time_wait=8)
    verdict = check(model)["both_eventually_closed"]
    assert Answer.HOLDS is verdict.answer
    assert not any(said.startswith("W3") for said in verdict.fairness)


@examples(8)
@given(timed_models())
def test_runs_of_timed_models_are_taken_again_and_read_back(model: Model) -> None:
    space = searched(model, 1_500)
    for prop in CATALOGUE:
        run = judge(space, prop).run
        if run is None:
            continue
        check_run(run)
        assert run == parse_ladder(ladder(run), model)
        assert run == parse_json(trace_text(run), model)


@examples(8)
@given(timed_models())
def test_the_fair_verdict_of_timed_models_implies_possibility(model: Model) -> None:
    space = searched(model, 1_500)
    fair, possible = (
        judge(space, prop).answer
        for prop in CATALOGUE
        if prop.name in ("both_eventually_closed", "both_can_always_close")
    )
    assert (fair, possible) != (Answer.HOLDS, Answer.VIOLATED)


# Reports ----------------------------------------------------------------------------------------


def test_ticks_in_a_row_are_one_line_of_a_ladder_that_says_what_is_due() -> None:
    run = follow(timed(retransmission=(3,)), f"A CLOSE\n3 TICKS\n{RTX}")
    lines = [" ".join(line.split()) for line in ladder(run).splitlines()]
    assert "3 TICKS # FIN dies of age; A RETRANSMISSION TIMEOUT is due" == lines[2]
    assert 6 == len(run.states)


def test_one_tick_is_a_line_without_a_number() -> None:
    run = follow(timed(retransmission=(1,)), "A CLOSE\nTICK")
    assert "TICK" == ladder(run, notes="none").splitlines()[2]


def test_ticks_before_and_inside_a_loop_are_two_lines() -> None:
    model = replace(timed(retransmission=(2,)), application=NO_DATA)
    run = follow(model, f"A CLOSE\n2 TICKS\nLOOP\n{RTX}\n2 TICKS")
    assert ["2 TICKS", "LOOP", RTX, "2 TICKS"] == ladder(run, notes="none").splitlines()[2:-1]
    moved = follow(model, f"A CLOSE\n2 TICKS\n{RTX}\nTICK\nLOOP\nTICK\n{RTX}\nTICK")
    assert moved == parse_ladder(ladder(moved), model)


def test_a_sequence_diagram_says_how_long_nothing_happens() -> None:
    run = follow(timed(retransmission=(3,)), "A CLOSE\n3 TICKS")
    assert "    Note over A,B: 3 TICKS" in mermaid(run).splitlines()


def test_a_graph_labels_ticks() -> None:
    graph = explore(timed(retransmission=(2,))).networkx()
    ticks = [data for *_, data in graph.edges(data=True) if data["event"] == "TICK"]
    assert {("TICK", "time", "TICK")} == {(d["action"], d["actor"], d["label"]) for d in ticks}


def test_the_first_line_of_a_check_says_how_long_things_last() -> None:
    model = timed(retransmission=(1, 2), time_wait=4, slack=1)
    assert "MSL 2, RETRANSMISSION TIMEOUT after 1/2, 2MSL after 4, up to 1 late" in described(model)


def test_a_run_may_be_asked_to_where_a_timer_is_due() -> None:
    clock = ("--set", "time.segment_lifetime=2", "--set", "time.time_wait=3")
    reach = ("--reach", "A.time_wait_timer=1", "--no-notes")
    said = tcpclose("run", "table_154", *clock, *reach)
    assert "3 TICKS" in said.lines
    refused(tcpclose("run", "table_154", *reach), "no field 'time_wait_timer'")


def test_the_exports_refuse_a_clock_and_a_limit_of_losses() -> None:
    for setting in ("time.segment_lifetime=2", "network.losses_max=1"):
        for language in ("promela", "tla"):
            said = tcpclose("export", "rfc9293", "--to", language, "--set", setting)
            refused(said, setting.split("=")[0], "cannot be exported")


def test_a_picture_of_a_model_with_a_clock_can_be_drawn(tmp_path: Path) -> None:
    out = tmp_path / "timed.dot"
    said = tcpclose(
        *("draw", "table_154", "--of", "product", "-o", out),
        *("--set", "time.segment_lifetime=1"),
    )
    assert 0 == said.status
    assert 'TICK"' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["0 TICKS", "-1 TICKS", "TICKS 3", "3 TICK S"])
def test_what_is_no_number_of_ticks_is_refused(line: str) -> None:
    with pytest.raises(TraceError):
        follow(timed(retransmission=(9,)), f"A CLOSE\n{line}")
