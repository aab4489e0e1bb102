"""Each kind of property: holds, violated by a shortest run, vacuous, unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given

from properties.catalogue import both_closed
from properties.judge import judge
from properties.kinds import (
    Kind,
    Property,
    StepView,
    View,
    always,
    can_always,
    can_always_avoiding,
    leads_to,
    named,
    never_a_step,
    never_stuck,
    no_cycle_of,
    only_after,
    sometimes,
)
from properties.verdict import Answer, Verdict
from tcpclose_model.errors import DefectError, ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Bounds, Network
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    TIME_WAIT,
    Event,
)
from tcpclose_model.run import Run, check_run, executed
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS
from tests.strategies import examples, models, searched

HOLDS, VIOLATED = Answer.HOLDS, Answer.VIOLATED
VACUOUS, UNKNOWN = Answer.VACUOUS, Answer.UNKNOWN
LOSSY = Model(network=Network(capacity=1), application=Application(data_units=(0, 0)))
ENDLESS = (Kind.LEADS_TO, Kind.NO_CYCLE_OF)
ONE_WAY = replace(LOSSY, application=Application(data_units=(0, 1)))
BOUNDED = replace(LOSSY, bounds=Bounds(retransmissions_max=0))


def yes(s: View) -> bool:
    return True


def no(s: View) -> bool:
    return False


def any_step(before: View, step: StepView, after: View) -> bool:
    return True


def no_step(before: View, step: StepView, after: View) -> bool:
    return False


def a_retransmits(before: View, step: StepView, after: View) -> bool:
    return step.actor == "A" and step.event is Event.RETRANSMISSION_TIMEOUT


def arrives(before: View, step: StepView, after: View) -> bool:
    return step.arrives


def a_reset_is_sent(before: View, step: StepView, after: View) -> bool:
    return step.sends_reset


def a_sends_a_reset(before: View, step: StepView, after: View) -> bool:
    return step.actor == "A" and step.sends_reset


def i_close(before: View, step: StepView, after: View) -> bool:
    return step.mine and step.event is Event.CLOSE


def a_in_time_wait(s: View) -> bool:
    return s.a.state == TIME_WAIT


def b_has_read(s: View) -> bool:
    return s.b.read == 1


def verdict_of(model: Model, prop: Property) -> Verdict:
    """Return the verdict; whatever run comes with it has been checked against the plain engine."""
    verdict = judge(explore(model), prop)
    if verdict.run is not None:
        check_run(verdict.run)
    return verdict


def labelled(space: StateSpace) -> nx.MultiDiGraph[int]:
    """Return the graph with the step's number on each edge."""
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for n in range(len(space)):
        graph.add_node(n)
        for step in space.steps(n):
            graph.add_edge(n, space.target[step], step=step)
    return graph


def view_of(space: StateSpace, number: int, end: int) -> View:
    state = space.state(number)
    return View(state.a, state.b, (state.a_to_b, state.b_to_a), end)


def nearest_state(
    space: StateSpace, wanted: Callable[[View], bool], end: int = 0, graph: object = None
) -> int:
    """Return the number of steps to the nearest state that is wanted, by networkx."""
    chosen = labelled(space) if graph is None else graph
    assert isinstance(chosen, nx.MultiDiGraph)
    far = nx.single_source_shortest_path_length(chosen, 0)
    return min(depth for n, depth in far.items() if wanted(view_of(space, n, end)))


# Each kind: what holds, what does not, what never came up ---------------------------------------

ANSWERS = [
    (HOLDS, LOSSY, always("it holds", yes)),
    (HOLDS, LOSSY, always("closed", lambda s: s.a.released == 0, when=lambda s: s.a.state == 7)),
    (VIOLATED, LOSSY, always("not TIME-WAIT", lambda s: s.a.state != TIME_WAIT)),
    (VACUOUS, LOSSY, always("text", no, when=b_has_read)),
    (HOLDS, LOSSY, never_a_step("no such step", no_step)),
    (VIOLATED, LOSSY, never_a_step("no reset", a_reset_is_sent)),
    (HOLDS, LOSSY, never_a_step("no reset then", a_sends_a_reset, when=a_in_time_wait)),
    (VIOLATED, LOSSY, never_a_step("no arrival then", arrives, when=a_in_time_wait)),
    (VACUOUS, LOSSY, never_a_step("no reset", a_reset_is_sent, when=b_has_read)),
    (VACUOUS, LOSSY, never_a_step("no reset", a_reset_is_sent, among=no_step)),
    (HOLDS, LOSSY, never_a_step("none", no_step, among=a_reset_is_sent)),
    (HOLDS, LOSSY, never_stuck("moves", unless=both_closed)),
    (VIOLATED, LOSSY, never_stuck("moves", unless=no)),
    (VACUOUS, LOSSY, never_stuck("moves", unless=yes)),
    (HOLDS, LOSSY, sometimes("TIME-WAIT", a_in_time_wait)),
    (VIOLATED, LOSSY, sometimes("text", b_has_read)),
    (HOLDS, LOSSY, leads_to("closes", when=yes, then=both_closed)),
    (VIOLATED, LOSSY, leads_to("TIME-WAIT", when=yes, then=a_in_time_wait)),
    (VACUOUS, LOSSY, leads_to("text", when=b_has_read, then=both_closed)),
    (HOLDS, LOSSY, can_always("closes", both_closed)),
    (VIOLATED, LOSSY, can_always("TIME-WAIT", a_in_time_wait)),
    (VACUOUS, LOSSY, can_always("text", no, when=b_has_read)),
    (HOLDS, LOSSY, can_always_avoiding("no reset", yes, avoiding=a_reset_is_sent)),
    (VIOLATED, LOSSY, can_always_avoiding("x", both_closed, avoiding=a_reset_is_sent)),
    (VACUOUS, LOSSY, can_always_avoiding("x", no, avoiding=any_step, when=a_in_time_wait)),
    (HOLDS, LOSSY, no_cycle_of("arrivals", arrives)),
    (VIOLATED, LOSSY, no_cycle_of("all", any_step)),
    (VACUOUS, LOSSY, no_cycle_of("none", no_step)),
    (HOLDS, LOSSY, only_after("close", state=lambda s: s.me.released == 1, step=i_close)),
    (VIOLATED, LOSSY, only_after("close", state=both_closed, step=a_retransmits)),
    (VACUOUS, LOSSY, only_after("text", state=b_has_read, step=arrives)),
]


@pytest.mark.parametrize(
    ("answer", "model", "prop"), ANSWERS, ids=[f"{p.kind.value}-{a.value}" for a, _, p in ANSWERS]
)
def test_a_kind_gives_its_answer(answer: Answer, model: Model, prop: Property) -> None:
    verdict = verdict_of(model, prop)
    assert answer is verdict.answer
    assert (answer is VACUOUS) <= (verdict.occurred == 0)
    shows = answer is VIOLATED and prop.kind is not Kind.SOMETIMES
    assert (shows or (answer is HOLDS and prop.kind is Kind.SOMETIMES)) == bool(verdict.run)
    assert verdict.detail or answer is HOLDS


def test_every_kind_is_tried_with_every_answer_that_it_can_give() -> None:
    tried = {(prop.kind, answer) for answer, _, prop in ANSWERS}
    possible = {(kind, answer) for kind in Kind for answer in (HOLDS, VIOLATED, VACUOUS)}
    assert {(Kind.SOMETIMES, VACUOUS)} == possible - tried


# The shortest run -------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [TIME_WAIT, CLOSING, LAST_ACK, CLOSED, FIN_WAIT_2])
def test_an_always_is_violated_by_a_shortest_run(wanted: int) -> None:
    verdict = verdict_of(LOSSY, always("never there", lambda s: s.b.state != wanted))
    space = explore(LOSSY)
    assert verdict.run is not None
    assert nearest_state(space, lambda s: s.b.state == wanted) == len(verdict.run)
    assert wanted == verdict.run.last.b.state


def test_a_sometimes_is_shown_by_a_shortest_run() -> None:
    verdict = verdict_of(ONE_WAY, sometimes("text", lambda s: any(x.text for x in s.b_to_a)))
    assert verdict.run is not None
    taken = [step.action.event for step in verdict.run.steps]
    assert [Event.SEND, Event.TRANSMIT] == taken


@pytest.mark.parametrize("bad", [a_reset_is_sent, a_retransmits, arrives])
def test_a_step_that_must_not_be_is_the_last_of_a_shortest_run(
    bad: Callable[[View, StepView, View], bool],
) -> None:
    verdict, space = verdict_of(LOSSY, never_a_step("never", bad)), explore(LOSSY)
    far = nx.single_source_shortest_path_length(labelled(space), 0)
    wrong = [
        far[n] + 1
        for n in range(len(space))
        for s in space.steps(n)
        if bad(
            view_of(space, n, 0),
            StepView(space.moves[space.move[s]], 0),
            view_of(space, space.target[s], 0),
        )
    ]
    assert verdict.run is not None
    assert min(wrong) == len(verdict.run)


def test_the_way_to_an_only_after_avoids_the_step_and_is_shortest() -> None:
    space = explore(LOSSY)
    verdict = verdict_of(LOSSY, only_after("x", state=a_in_time_wait, step=b_closes_first))
    graph = labelled(space)
    for n in range(len(space)):
        for step in space.steps(n):
            closes = space.moves[space.move[step]].action[:2] == (1, Event.CLOSE)
            if closes and space.state(n).a.state == ESTABLISHED:
                graph.remove_edge(n, space.target[step])
    assert verdict.run is not None
    assert nearest_state(space, a_in_time_wait, graph=graph) == len(verdict.run)


def b_closes_first(before: View, step: StepView, after: View) -> bool:
    return step.actor == "B" and step.event is Event.CLOSE and before.a.state == ESTABLISHED


@examples(40)
@given(models())
def test_every_counterexample_of_a_random_model_is_a_run_of_it(model: Model) -> None:
    space = searched(model, 800)
    for _, _, prop in ANSWERS:
        verdict = judge(space, prop)
        if verdict.run is not None:
            check_run(verdict.run)
            assert (verdict.run.loop is not None) == (
                prop.kind in (Kind.LEADS_TO, Kind.NO_CYCLE_OF)
            )
        if prop.kind is Kind.ALWAYS and verdict.run is not None:
            assert prop.state is not None
            assert space.level_of(wrong_state(space, prop)) == len(verdict.run)


def wrong_state(space: StateSpace, prop: Property) -> int:
    assert prop.state is not None
    return next(
        n
        for n in range(len(space))
        if not prop.state(view_of(space, n, 0))
        and (prop.when is None or prop.when(view_of(space, n, 0)))
    )


# Both ends, and the channels --------------------------------------------------------------------


@pytest.mark.parametrize("end", [0, 1])
def test_a_claim_about_each_end_is_asked_of_both(end: int) -> None:
    units = (1, 0) if end else (0, 1)
    model = replace(LOSSY, application=Application(data_units=units))
    prop = always("nothing read", lambda s: s.me.read == 0, each_end=True)
    verdict = verdict_of(model, prop)
    assert VIOLATED is verdict.answer
    assert verdict.run is not None
    last = verdict.run.last
    assert (1, 0) == ((last.b if end else last.a).read, (last.a if end else last.b).read)
    assert (VIOLATED if not end else HOLDS) is verdict_of(
        model, replace(prop, each_end=False)
    ).answer
    assert 2 * len(explore(model)) == verdict.occurred


EACH_END = [
    always("x", lambda s: not (s.me.state == TIME_WAIT and s.peer.state == CLOSED)),
    never_a_step("x", lambda b, s, a: s.mine and b.me.state == LAST_ACK),
    leads_to("x", when=lambda s: s.me.state == FIN_WAIT_1, then=lambda s: s.me.state == TIME_WAIT),
    can_always("x", lambda s: s.me.state == TIME_WAIT, when=lambda s: len(s.to_me) == 0),
    can_always_avoiding("x", both_closed, avoiding=lambda b, s, a: s.mine and s.sends_reset),
    no_cycle_of("x", lambda b, s, a: s.mine and not s.arrives),
    only_after("x", state=lambda s: s.me.state == CLOSED, step=a_retransmits),
    sometimes("x", lambda s: len(s.to_peer) == 1 and s.to_peer[0].fin == 1 and s.peer.state == 4),
]


def turned(prop: Property) -> Property:
    """Return the property seen from B, written with `me` and `peer` exchanged by hand."""
    fields = {
        name: _seen_from_b(predicate)
        for name in ("when", "state", "step")
        if (predicate := getattr(prop, name)) is not None
    }
    return replace(prop, **fields)  # type: ignore[arg-type]  # predicates, by the name of their slot


def _seen_from_b(predicate: Callable[..., bool]) -> Callable[..., bool]:
    def seen(*views: View | StepView) -> bool:
        return predicate(*(_from_b(view) for view in views))

    return seen


def _from_b(view: View | StepView) -> View | StepView:
    if isinstance(view, StepView):
        return StepView(view._move, 1)
    return View(view.a, view.b, (view.a_to_b, view.b_to_a), 1)


@pytest.mark.parametrize("prop", EACH_END, ids=lambda prop: str(prop.kind.value))
@pytest.mark.parametrize("units", [(0, 1), (1, 0)])
def test_a_claim_about_each_end_is_the_worse_of_both(
    prop: Property, units: tuple[int, int]
) -> None:
    model = replace(LOSSY, application=Application(data_units=units, closes="a_first"))
    both = verdict_of(model, replace(prop, each_end=True))
    single = [verdict_of(model, prop), verdict_of(model, turned(prop))]
    known = VIOLATED if prop.kind is not Kind.SOMETIMES else HOLDS
    assert (known in [one.answer for one in single]) == (both.answer is known)
    assert both.occurred in (sum(one.occurred for one in single), *(one.occurred for one in single))
    if both.run is not None and prop.kind not in ENDLESS:
        assert min(len(one.run) for one in single if one.run is not None) == len(both.run)


def test_a_predicate_may_look_at_the_channels() -> None:
    full = sometimes("full", lambda s: len(s.a_to_b) == 2)
    assert VIOLATED is verdict_of(LOSSY, full).answer
    crossing = always("not crossing", lambda s: not (s.a_to_b and s.b_to_a))
    verdict = verdict_of(LOSSY, crossing)
    assert verdict.run is not None
    assert nearest_state(explore(LOSSY), lambda s: bool(s.a_to_b and s.b_to_a)) == len(verdict.run)


def test_a_step_predicate_may_look_at_the_channels() -> None:
    lost = never_a_step("x", lambda b, s, a: len(b.a_to_b) == 1 and len(a.a_to_b) == 0)
    verdict = verdict_of(LOSSY, lost)
    assert verdict.run is not None
    assert 2 == len(verdict.run)  # CLOSE; the FIN arrives or is lost


# Unknown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prop", [p for a, _, p in ANSWERS if a is HOLDS and p.kind is not Kind.SOMETIMES]
)
def test_what_holds_is_unknown_if_exploration_stopped(prop: Property) -> None:
    verdict = judge(explore(LOSSY, max_states=40), prop)
    assert UNKNOWN is verdict.answer
    assert "--max-states 40 was hit" in verdict.detail


@pytest.mark.parametrize("prop", [p for a, _, p in ANSWERS if a is VACUOUS])
def test_what_is_vacuous_is_unknown_if_exploration_stopped(prop: Property) -> None:
    assert UNKNOWN is judge(explore(LOSSY, max_states=40), prop).answer


def test_what_was_not_found_is_unknown_if_exploration_stopped() -> None:
    space = explore(LOSSY, max_states=40)
    assert UNKNOWN is judge(space, sometimes("both closed", both_closed)).answer


@pytest.mark.parametrize("states_max", [1, 5, 20, 50, 100, 150])
def test_an_answer_of_a_partial_search_is_never_wrong(states_max: int) -> None:
    partial = explore(LOSSY, max_states=states_max)
    for answer, _, prop in ANSWERS:
        verdict = judge(partial, prop)
        assert verdict.answer in (answer, UNKNOWN)
        if verdict.run is not None:
            check_run(verdict.run)


CUT = [
    (VIOLATED, never_stuck("moves", unless=both_closed)),
    (HOLDS, leads_to("closes", when=yes, then=both_closed)),
    (HOLDS, can_always("closes", both_closed)),
    (HOLDS, can_always_avoiding("x", both_closed, avoiding=no_step)),
    (HOLDS, sometimes("x", lambda s: s.a.retransmitted == 0 and len(s.a_to_b) == 9)),
]


@pytest.mark.parametrize("prop", [p for _, p in CUT], ids=lambda prop: str(prop.kind.value))
def test_what_hangs_on_a_withheld_retransmission_is_unknown(prop: Property) -> None:
    assert explore(BOUNDED).cut
    verdict = verdict_of(BOUNDED, prop)
    assert UNKNOWN is verdict.answer
    assert "0 retransmissions (bounds.retransmissions_max)" in verdict.detail


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_liveness_verdict_under_a_bound_is_never_the_opposite_of_the_unbounded_one(
    most: int,
) -> None:
    claims = [
        p for _, _, p in ANSWERS if p.kind in (Kind.NEVER_STUCK, Kind.LEADS_TO, Kind.CAN_ALWAYS)
    ]
    for name in ("silent_closed", "zephyr_46350", "close_wait_leak", "no_retransmission"):
        free = replace(MODELS[name], application=Application(data_units=(0, 0)))
        bounded = replace(free, bounds=Bounds(retransmissions_max=most))
        for prop in claims:
            assert verdict_of(bounded, prop).answer in (verdict_of(free, prop).answer, UNKNOWN)


# Runs that the plain engine does not take -------------------------------------------------------


def broken(space: StateSpace, step: int, target: int) -> StateSpace:
    """Return the space as an engine with a mistake in one step would give it."""
    targets = space.target[:]
    targets[step] = target
    return replace(space, target=targets, cache={})


def test_a_step_that_leads_elsewhere_is_refused() -> None:
    space = explore(LOSSY)
    path = space.path_to(len(space) - 1)
    assert len(path) == len(executed(space, path))
    source, step = path[0]
    with pytest.raises(DefectError, match="plain engine does not take"):
        executed(broken(space, step, path[3][0]), [(source, step)])


def test_a_path_with_a_gap_is_refused() -> None:
    space = explore(LOSSY)
    path = space.path_to(len(space) - 1)
    with pytest.raises(DefectError, match="does not start where the run is"):
        executed(space, path[:1] + path[2:])


def test_a_loop_that_does_not_close_is_refused() -> None:
    space = explore(LOSSY)
    path = space.path_to(len(space) - 1)
    with pytest.raises(DefectError, match="loop does not close"):
        executed(space, path[:1], path[1:3])


def test_a_verdict_on_a_broken_graph_is_refused() -> None:
    space = explore(LOSSY)
    one, other = space.steps(0)[:2]
    crossed = broken(broken(space, one, space.target[other]), other, space.target[one])
    a_closed = sometimes("A has closed", lambda s: s.a.state == FIN_WAIT_1)
    assert HOLDS is judge(space, a_closed).answer
    with pytest.raises(DefectError, match="plain engine does not take"):
        judge(crossed, a_closed)


def test_a_run_with_another_state_in_it_is_refused() -> None:
    run = executed(explore(LOSSY), explore(LOSSY).path_to(50))
    check_run(run)
    swapped = (*run.states[:-1], run.states[0])
    with pytest.raises(DefectError, match="does not take"):
        check_run(replace(run, states=swapped))
    with pytest.raises(DefectError, match="initial state"):
        check_run(Run(run.model, run.states[1:], run.steps[1:]))
    with pytest.raises(DefectError, match="loop"):
        check_run(replace(run, loop=0))


def test_a_run_of_another_model_is_refused() -> None:
    run = executed(explore(LOSSY), explore(LOSSY).path_to(50))
    with pytest.raises(DefectError):
        check_run(replace(run, model=replace(LOSSY, application=Application(closes="never"))))


# What a property may not be ---------------------------------------------------------------------


def test_a_sentence_names_its_property() -> None:
    assert "an_end_s_fin_1_arrives" == named("An end's FIN (1) arrives!")


def test_what_is_no_property_is_refused() -> None:
    with pytest.raises(ModelError, match="sentence in English"):
        always("!", yes)
    with pytest.raises(ModelError, match="is not a predicate"):
        always("It holds.", True)  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(ModelError, match=r"no option \['weight'\]"):
        always("It holds.", yes, weight=3)
