"""A middlebox beside one end: what it lets pass, what it forgets, and what that does to a close."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given

from properties.check import check, properties_of
from properties.judge import judge
from properties.verdict import Answer
from reports.ladder import ladder
from reports.replay import parse_ladder
from reports.trace import state_json
from tcpclose_model.engines.boxed import BoxedEnd, boxed
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model, is_symmetric
from tcpclose_model.parts import Middlebox
from tcpclose_model.protocol.middlebox import (
    FORGETS,
    FORGOTTEN,
    FORWARD,
    OUTBOUND,
    RESET_OUTSIDE,
    TELLS,
    UNKNOWN,
    Box,
    BoxEvent,
    BoxRule,
    BoxState,
)
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Outcome
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    TCB,
    Event,
    Segment,
)
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.parameters import with_parameters
from tests.command_line import refused, tcpclose
from tests.strategies import boxed_models, examples, searched
from tests.test_engines import assert_same, naive_search

BOXED = [name for name, model in MODELS.items() if model.middlebox.at != "none"]
FIN, TEXT, ACK, RST = Segment(0, fin=1), Segment(0, text=1), Segment(0), Segment(0, rst=1)


def end_beside(*, state: BoxState = BoxState.TRACKED, **box: str) -> tuple[BoxedEnd, Any]:
    """Return end A with a box of these parameters, and its TCB, the box in a state (so Any)."""
    end = BoxedEnd(Model(middlebox=Middlebox(at="a", **box)), 0)
    initial: Any = end.initial
    return end, initial._replace(box=state)


def local(end: BoxedEnd, tcb: TCB, event: Event) -> Outcome:
    """Return what an event that is enabled comes to."""
    return dict(end.local(tcb))[event]


def names(outcome: Outcome) -> list[str]:
    """Return the rows carried out."""
    return [rule.name for rule in outcome.rules]


@cache
def answers(name: str, *settings: str) -> dict[str, Answer]:
    """Return the verdicts on a model with some parameters changed."""
    result = check(with_parameters(model_named(name), settings))
    return {verdict.property.name: verdict.answer for verdict in result.verdicts}


# What passes ----------------------------------------------------------------------------------


def test_a_box_with_an_entry_lets_text_pass_without_a_row() -> None:
    end, tcb = end_beside()
    assert ["text"] == names(end.arrival(tcb, TEXT))


def test_a_box_notes_a_fin_that_goes_out() -> None:
    end, tcb = end_beside()
    found: Any = local(end, tcb, Event.CLOSE)
    assert (BoxState.FIN_OUT, FIN) == (found.tcb.box, found.sent)
    assert ["close", "box_sees_fin_out"] == names(found)


def test_a_box_notes_a_fin_before_the_end_takes_it() -> None:
    end, tcb = end_beside()
    assert ["box_sees_fin_in", "fin_in_established"] == names(end.arrival(tcb, FIN))


def test_fins_both_ways_leave_the_entry_transitory() -> None:
    end, tcb = end_beside(state=BoxState.FIN_IN)
    found: Any = local(end, tcb, Event.CLOSE)
    assert BoxState.TRANSITORY == found.tcb.box


def test_what_the_box_remembers_outlives_the_tcb() -> None:
    end, tcb = end_beside()
    found: Any = end.arrival(tcb, RST)
    assert (CLOSED, BoxState.TRANSITORY) == (found.tcb.state, found.tcb.box)


# What is forgotten ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forgets", "expected"),
    [
        ("at_last_ack", []),
        ("after_fins", ["TRANSITORY"]),
        ("after_a_fin", ["FIN_OUT", "FIN_IN", "TRANSITORY"]),
        ("when_idle", ["TRACKED", "FIN_OUT", "FIN_IN", "TRANSITORY"]),
    ],
)
def test_a_box_has_a_timer_where_it_may_forget(forgets: str, expected: list[str]) -> None:
    found = []
    for state in BoxState:
        end, tcb = end_beside(state=state, forgets=forgets)
        if Event.MIDDLEBOX_TIMEOUT in dict(end.local(tcb)):
            found.append(state.name)
    assert expected == found


def test_a_box_takes_the_first_ack_after_both_fins_for_the_last() -> None:
    end, tcb = end_beside(state=BoxState.TRANSITORY, forgets="at_last_ack")
    found: Any = end.arrival(tcb, ACK)
    assert FORGOTTEN == found.tcb.box


@pytest.mark.parametrize(("timeout", "expected"), [("drained", False), ("free", True)])
def test_a_box_waits_for_silence_unless_it_is_free_to_forget(timeout: str, expected: bool) -> None:
    space = explore(with_parameters(model_named("firewall_idle"), [f"middlebox.timeout={timeout}"]))
    engine_steps = (
        (space.state(number), space.moves[space.move[step]])
        for number in range(space.expanded)
        for step in space.steps(number)
    )
    in_flight = [
        bool(state.a_to_b or state.b_to_a)
        for state, move in engine_steps
        if move.action.event is Event.MIDDLEBOX_TIMEOUT
    ]
    assert in_flight
    assert expected is any(in_flight)


# What becomes of a segment that the box does not know -----------------------------------------


def test_a_box_that_drops_lets_nothing_in() -> None:
    end, tcb = end_beside(state=FORGOTTEN)
    assert (tcb, None) == end.arrival(tcb, TEXT)[:2]


def test_a_box_that_drops_lets_nothing_out() -> None:
    end, tcb = end_beside(state=FORGOTTEN)
    found = local(end, tcb, Event.CLOSE)
    assert (FIN_WAIT_1, None) == (found.tcb.state, found.sent)


def test_a_box_that_resets_tells_the_end_beside_it_within_the_step() -> None:
    end, tcb = end_beside(state=FORGOTTEN, unknown="resets")
    found = local(end, tcb, Event.CLOSE)
    assert (CLOSED, None) == (found.tcb.state, found.sent)
    assert ["close", "box_resets_inside", "reset"] == names(found)


def test_a_box_that_resets_tells_the_other_end_what_it_will_believe() -> None:
    end, tcb = end_beside(state=FORGOTTEN, unknown="resets")
    found = end.arrival(tcb, Segment(seq=0, ack=3, text=1))
    assert (ESTABLISHED, Segment(seq=3, rst=1)) == (found.tcb.state, found.sent)


def test_a_box_does_not_answer_a_reset() -> None:
    end, tcb = end_beside(state=FORGOTTEN, unknown="resets")
    assert end.arrival(tcb, RST).sent is None


def test_a_loose_box_picks_up_a_connection_by_its_text() -> None:
    end, tcb = end_beside(state=FORGOTTEN, unknown="tracks")
    found: Any = end.arrival(tcb, TEXT)
    assert (1, BoxState.TRACKED) == (found.tcb.rcv_text, found.tcb.box)


def test_a_loose_box_does_not_pick_up_a_connection_by_its_fin() -> None:
    end, tcb = end_beside(state=FORGOTTEN, unknown="tracks")
    assert local(end, tcb, Event.CLOSE).sent is None


def test_a_box_that_tells_both_resets_one_within_the_step_and_sends_to_the_other() -> None:
    end, tcb = end_beside(forgets="when_idle", tells="both")
    found = local(end, tcb, Event.MIDDLEBOX_TIMEOUT)
    assert (CLOSED, Segment(seq=0, rst=1)) == (found.tcb.state, found.sent)


def test_a_box_knows_what_an_end_has_sent_that_has_closed_since() -> None:
    end, tcb = end_beside(forgets="when_idle", tells="outside")
    closed = end.arrival(tcb._replace(snd_nxt=2, snd_end=2), RST).tcb
    assert Segment(seq=2, rst=1) == local(end, closed, Event.MIDDLEBOX_TIMEOUT).sent


# The rows -------------------------------------------------------------------------------------

EVERY_BOX = list(itertools.product(FORGETS, sorted(UNKNOWN), sorted(TELLS)))
SEGMENTS = [
    Segment(0, text=text, fin=fin, rst=rst)
    for text, fin, rst in itertools.product((0, 1), repeat=3)
    if not (rst and (text or fin))
]


@pytest.mark.parametrize(("forgets", "unknown", "tells"), EVERY_BOX)
def test_rows_of_a_box_exclude_each_other(forgets: str, unknown: str, tells: str) -> None:
    box, tcb = Box(forgets, unknown, tells), RFC9293
    assert tcb
    for state, on, seg in itertools.product(BoxState, BoxEvent, SEGMENTS):
        box.row(state, on, TCB(), seg)  # it raises ModelError if two rows fit


@pytest.mark.parametrize(("forgets", "unknown", "tells"), EVERY_BOX)
def test_no_segment_of_a_forgotten_connection_passes_unseen(
    forgets: str, unknown: str, tells: str
) -> None:
    box, ways = Box(forgets, unknown, tells), (BoxEvent.INBOUND, OUTBOUND)
    rows = [box.row(FORGOTTEN, on, TCB(), seg) for on, seg in itertools.product(ways, SEGMENTS)]
    assert None not in rows


def test_two_rows_that_fit_are_an_error() -> None:
    box = Box("when_idle", "drops", "nobody")
    box.rules = (*box.rules, BoxRule("again", at=FORGOTTEN, on=OUTBOUND, cite="none"))
    with pytest.raises(ModelError, match="box_drops_out and again both fit FORGOTTEN"):
        box.row(FORGOTTEN, OUTBOUND, TCB(), ACK)


def test_a_row_that_sends_two_segments_one_way_is_an_error() -> None:
    with pytest.raises(ModelError, match="one segment at a time"):
        BoxRule("odd", at=FORGOTTEN, on=OUTBOUND, acts=(FORWARD, RESET_OUTSIDE), cite="none")


def test_a_row_of_a_box_can_be_said_in_words() -> None:
    (row, *_) = UNKNOWN["resets"]
    assert "FORGOTTEN on OUTBOUND: when seg is not rst: reset the end beside it" == row.text()


def test_every_row_of_a_box_is_carried_out_in_some_model() -> None:
    spaces = [explore(model_named(name)) for name in BOXED]
    changed = ("middlebox.at=b", "middlebox.forgets=at_last_ack", "network.loss=true")
    spaces += [
        explore(with_parameters(model_named(name), settings))
        for name, settings in (
            ("firewall_at_last_ack", ["middlebox.at=b"]),
            ("firewall_half_closed_silent_reset", ["middlebox.at=b", "timers.user_timeout=on"]),
            ("firewall_idle_resets", ["middlebox.at=b", "application.closes=any"]),
            ("conntrack_loose", [*changed[2:], "timers.time_wait=free"]),
            ("conntrack_loose", ["middlebox.at=b", "application.aborts=true"]),
        )
    ]
    carried_out = {rule.name for space in spaces for move in space.moves for rule in move.rules}
    written = {rule.name for which in EVERY_BOX for rule in Box(*which).rules}
    assert set() == written - carried_out


# The engines and what people see --------------------------------------------------------------


def judged(space: StateSpace, model: Model) -> list[object]:
    """Return the verdicts of the catalogue on a graph, runs included."""
    return [judge(space, prop) for prop in properties_of(model)]


@given(boxed_models())
@examples(30)
def test_random_models_with_a_box_are_searched_as_by_the_plain_engine(model: Model) -> None:
    space = searched(model, 1_500)
    assert_same(naive_search(model, len(space)), space)


@given(boxed_models())
@examples(15)
def test_random_models_with_a_box_are_judged_alike_by_the_fast_engine(model: Model) -> None:
    pytest.importorskip("numba")
    plain = searched(model, 1_500)
    fast = explore(model, engine="fast")
    assert (len(plain), plain.transitions) == (len(fast), fast.transitions)
    assert judged(plain, model) == judged(fast, model)


@pytest.mark.parametrize("name", ["firewall_idle", "firewall_half_closed_silent_reset"])
def test_the_run_of_a_model_with_a_box_is_read_back(name: str) -> None:
    model = model_named(name)
    run = check(model, only=["both_eventually_closed"])["both_eventually_closed"].run
    assert run is not None
    assert run.steps == parse_ladder(ladder(run), model).steps


def test_a_ladder_names_the_rows_of_the_box() -> None:
    run = check(model_named("firewall_idle"), only=["no_half_open_end"])["no_half_open_end"].run
    assert run is not None
    assert "A MIDDLEBOX TIMEOUT" in ladder(run)
    assert "box_drops_out (a policy that lets only SYNs begin)" in ladder(run)


def test_a_trace_names_the_state_of_the_box() -> None:
    state: Any = state_json(explore(model_named("firewall_idle")).state(0))
    assert ("TRACKED", False) == (state["a"]["box"], "box" in state["b"])


def test_a_model_with_a_box_is_not_symmetric() -> None:
    symmetric = Model()
    assert is_symmetric(symmetric)
    assert not is_symmetric(replace(symmetric, middlebox=Middlebox(at="a")))


@pytest.mark.parametrize("to", ["promela", "tla"])
def test_a_model_with_a_box_is_not_exported(to: str) -> None:
    refused(tcpclose("export", "firewall_idle", "--to", to), "middlebox beside A", "middlebox.at")


def test_a_box_needs_a_side() -> None:
    refused(tcpclose("check", "table_154", "--set", "middlebox.at=c"), "middlebox.at", "'c'")


def test_a_field_of_the_users_called_box_is_refused_beside_a_box() -> None:
    with pytest.raises(ModelError, match="already has a field 'box'"):
        boxed(RFC9293.with_field("box", 1))


# What it comes to -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOXED)
def test_without_its_box_a_model_breaks_no_requirement(name: str) -> None:
    found = answers(name, "middlebox.at=none")
    wanted = {prop.name for prop in properties_of(Model()) if prop.role.value == "requirement"}
    assert [] == [prop for prop in sorted(wanted) if found[prop] is Answer.VIOLATED]


@pytest.mark.parametrize("at", ["a", "b"])
def test_where_nothing_is_lost_a_box_may_forget_after_both_fins(at: str) -> None:
    found = answers("firewall_after_fins", "network.loss=false", f"middlebox.at={at}")
    assert Answer.HOLDS is found["both_eventually_closed"]


def test_resets_to_both_ends_do_not_help_where_one_may_be_lost() -> None:
    settings = ("network.loss=true", "timers.user_timeout=off")
    assert Answer.VIOLATED is answers("firewall_idle_tells", *settings)["no_half_open_end"]


def test_text_before_the_fin_reopens_the_way_through_a_loose_box() -> None:
    run = check(model_named("conntrack_loose"), only=["no_half_open_end"])["no_half_open_end"].run
    assert run is not None
    assert Event.SEND not in {step.action.event for step in run.steps}
    rules = {r.name for move in explore(model_named("conntrack_loose")).moves for r in move.rules}
    assert "box_picks_up_out" in rules


def test_a_half_closed_connection_that_is_forgotten_loses_no_text_in_silence() -> None:
    # The sender is told, by its user timeout or a reset, as long as resets are told at all.
    for settings in (("timers.user_timeout=on",), ("middlebox.unknown=resets",)):
        assert Answer.HOLDS is answers("firewall_half_closed", *settings)["no_silent_data_loss"]


def test_a_box_that_waits_for_silence_forgets_in_the_end() -> None:
    # Weak fairness: B, idle behind it for ever, is reset, though A has given up without a word.
    settings = ("middlebox.at=b", "middlebox.tells=inside", "network.loss=true")
    assert Answer.HOLDS is answers("firewall_idle", *settings)["both_eventually_closed"]


def test_a_box_that_is_free_to_forget_need_not() -> None:
    settings = ("middlebox.at=b", "middlebox.tells=inside", "middlebox.timeout=free")
    found = answers("firewall_idle", *settings, "network.loss=true")
    assert Answer.VIOLATED is found["both_eventually_closed"]
