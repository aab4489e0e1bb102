"""Fair liveness against independent definitions of it.

`unfair_because` reads a lasso as its definition is written, over runs and the plain engine alone.
`fair_sets` is a naive recursion over networkx graphs.  Neither uses `properties.fair_cycles`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

import networkx as nx
import pytest
from hypothesis import assume, given

from properties.catalogue import (
    CATALOGUE,
    both_can_always_close,
    both_closed,
    both_eventually_closed,
)
from properties.fair_cycles import Fairness, fair_components
from properties.graph import backwards, states_with
from properties.judge import judge
from properties.kinds import Property, leads_to
from properties.verdict import Answer, Verdict
from properties.views import StatePredicate, View
from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Bounds, Network, Timers
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import CLOSED, FIN_WAIT_2, Event, Segment
from tcpclose_model.run import Run, check_run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS
from tests.explored import graph_of
from tests.strategies import examples, models, searched, switched

LOST, COPIED = Event.SEGMENT_IS_LOST, Event.SEGMENT_IS_DUPLICATED
ARRIVES = Event.SEGMENT_ARRIVES
TIMERS = {
    Event.RETRANSMISSION_TIMEOUT,
    Event.TIME_WAIT_TIMEOUT,
    Event.FIN_WAIT_2_TIMEOUT,
    Event.USER_TIMEOUT,
    Event.DELAYED_ACK_TIMEOUT,
    Event.KEEP_ALIVE_TIMEOUT,
    Event.PERSIST_TIMEOUT,
    Event.ACK_LIMIT_TIMEOUT,
}
NEVER_SEND = {
    Event.TIME_WAIT_TIMEOUT,
    Event.FIN_WAIT_2_TIMEOUT,
    Event.USER_TIMEOUT,
    Event.ACK_LIMIT_TIMEOUT,
}
OUTPUT = {Event.TRANSMIT: "OUTPUT", Event.TRANSMIT_WITH_FIN: "OUTPUT"}

each_end_closes = leads_to(
    "Each end is CLOSED in the end.",
    when=lambda s: True,
    then=lambda s: s.me.state == CLOSED,
    each_end=True,
)
a_close_is_answered = leads_to(
    "An end that has sent its FIN is CLOSED in the end, unless it waits in FIN-WAIT-2.",
    when=lambda s: s.me.fin_sent == 1,
    then=lambda s: s.me.state in (CLOSED, FIN_WAIT_2),
    each_end=True,
)
text_arrives = leads_to(
    "Text that is sent arrives, or its sender is CLOSED.",
    when=lambda s: s.a.snd_nxt > 0 and s.b.rcv_text < s.a.snd_end,
    then=lambda s: s.b.rcv_text == s.a.snd_end or s.a.state == CLOSED or s.b.state == CLOSED,
)
channels_drain = leads_to(
    "A channel that is not empty is empty in the end.",
    when=lambda s: len(s.to_me) > 0,
    then=lambda s: len(s.to_me) == 0,
    each_end=True,
)
LEADS_TO = (
    both_eventually_closed,
    each_end_closes,
    a_close_is_answered,
    text_arrives,
    channels_drain,
)


# The definition, over the states and steps that repeat ------------------------------------------


@dataclass
class Repeated:
    """What happens again and again: for fairness, the things that are due and that are done."""

    always: set[Hashable] | None = None
    ever: set[Hashable] = field(default_factory=set)
    done: set[Hashable] = field(default_factory=set)
    sent: set[Hashable] = field(default_factory=set)
    received: set[Hashable] = field(default_factory=set)
    copies: bool = False

    def visit(
        self, state: ProductState, steps: Iterable[Transition], model: Model
    ) -> set[Hashable]:
        due = due_in(state, steps, model)
        self.always = due if self.always is None else self.always & due
        self.ever |= due
        return due

    def take(self, state: ProductState, step: Transition, model: Model) -> None:
        actor, event, segment = step.action
        self.done.add((actor, OUTPUT.get(event, event)))
        inward = state.a_to_b if actor else state.b_to_a
        if model.network.order != "fifo":
            stays = model.network.order == "set" and model.network.duplication
            if event is LOST or (event is ARRIVES and not stays):
                self.done.add(("W3", actor, segment))
        elif event is ARRIVES or (event is LOST and takes_head(step, inward)):
            self.done.add(("W3", actor))
        if event is ARRIVES:
            self.received.add((actor, segment))
        if step.sent is not None:
            self.sent.add((1 - actor, step.sent))
        self.copies |= event is COPIED

    def missing(self, model: Model) -> tuple[set[Hashable], set[Hashable], set[Hashable]]:
        """Return what is due for ever, due again and again, and sent again and again, in vain."""
        strong = {due for due in self.ever if is_strong(due, model)} - self.done
        return (self.always or set()) - self.done - strong, strong, self.sent - self.received


def takes_head(step: Transition, inward: tuple[object, ...]) -> bool:
    after = step.target.a_to_b if step.action.actor else step.target.b_to_a
    return after == inward[1:]


def due_in(state: ProductState, steps: Iterable[Transition], model: Model) -> set[Hashable]:
    """Return what W1, W2 and W3 speak of that could happen in this state."""
    fair = TIMERS | set(OUTPUT) | {Event[call] for call in model.application.fair}
    found: set[Hashable] = {
        (step.action.actor, OUTPUT.get(step.action.event, step.action.event))
        for step in steps
        if step.action.event in fair
    }
    for actor, inward in ((0, state.b_to_a), (1, state.a_to_b)):
        if model.network.order != "fifo":
            found |= {("W3", actor, segment) for segment in inward}
        elif inward:
            found.add(("W3", actor))
    return found


def is_strong(due: Hashable, model: Model) -> bool:
    """Return whether the guard of a timer, an output or a call looks at the channels."""
    assert isinstance(due, tuple)
    if due[0] == "W3":
        return False
    event = due[1]
    repeats = (Event.RETRANSMISSION_TIMEOUT, Event.KEEP_ALIVE_TIMEOUT, Event.PERSIST_TIMEOUT)
    if event in repeats and model.timers.retransmission == "timely":
        return True
    if event is Event.TIME_WAIT_TIMEOUT and model.timers.time_wait == "drained":
        return True
    if event is Event.FIN_WAIT_2_TIMEOUT and model.timers.fin_wait_2 == "orphaned":
        return True
    waits = not model.network.loss or model.network.full == "waits"
    return waits and event not in NEVER_SEND


def unfair_because(run: Run) -> list[str]:
    """Return what makes a lasso unfair, by the definition; nothing if it is fair."""
    assert run.loop is not None
    model, engine, repeated = run.model, PlainEngine(run.model), Repeated()
    steps = run.steps[run.loop :]
    for state in run.states[run.loop : -1] if steps else [run.last]:
        repeated.visit(state, engine.successors(state), model)
    for state, step in zip(run.states[run.loop :], steps, strict=False):
        repeated.take(state, step, model)
    weak, strong, unheard = repeated.missing(model)
    reasons = [f"due for ever: {due}" for due in weak]
    reasons += [f"due again and again: {due}" for due in strong]
    reasons += [f"sent again and again, never received: {value}" for value in unheard]
    return reasons + ["duplication again and again"] * repeated.copies


def assert_fair_and_wrong(verdict: Verdict) -> None:
    """Check that a violated leads_to comes with a fair lasso that never pays what it owes."""
    run, prop = verdict.run, verdict.property
    assert run is not None
    assert run.loop is not None
    check_run(run)
    assert [] == unfair_because(run)
    assert any(owes_for_ever(run, prop, end) for end in ((0, 1) if prop.each_end else (0,)))


def owes_for_ever(run: Run, prop: Property, end: int) -> bool:
    assert prop.when is not None
    assert prop.state is not None
    owes = False
    for state in run.states:
        view = View(state.a, state.b, (state.a_to_b, state.b_to_a), end)
        if prop.state(view):
            owes = False
        elif prop.when(view):
            owes = True
    loop = [View(s.a, s.b, (s.a_to_b, s.b_to_a), end) for s in run.states[run.loop :]]
    return owes and not any(map(prop.state, loop))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_lasso_of_the_catalogue_is_fair_and_wrong(name: str) -> None:
    large = name in ("rfc9293", "user_timeout", "user_timeout_silent_reset", "silent_closed")
    bare = replace(MODELS[name].application, data_units=(0, 0))
    space = explore(replace(MODELS[name], application=bare)) if large else graph_of(name)
    for prop in LEADS_TO:
        verdict = judge(space, prop)
        if verdict.answer is Answer.VIOLATED:
            assert_fair_and_wrong(verdict)


@examples(60)
@given(models())
def test_every_lasso_of_a_random_model_is_fair_and_wrong(model: Model) -> None:
    space = searched(model, 1_500)
    for prop in LEADS_TO:
        verdict = judge(space, prop)
        if verdict.answer is Answer.VIOLATED:
            assert_fair_and_wrong(verdict)


def test_an_unfair_lasso_is_recognised() -> None:
    model = Model(application=Application(data_units=(0, 0)))
    stops = Run(model, (PlainEngine(model).initial,), (), 0)
    assert ["due for ever: (0, <Event.CLOSE: 0>)", "due for ever: (1, <Event.CLOSE: 0>)"] == sorted(
        unfair_because(stops)
    )


# Naive search for fair sets ---------------------------------------------------------------------


def fair_sets(
    space: StateSpace,
    region: set[int],
    banned: frozenset[Hashable] = frozenset(),
    reading: Model | None = None,
) -> set[frozenset[int]]:
    """Return the largest sets of states in which a fair run can stay, by naive recursion.

    `reading` is the model whose fairness is meant, where that is not the space's own.
    """
    model, engine = reading or space.model, PlainEngine(space.model)
    number = {space.state(n): n for n in range(len(space))}
    every = {n: engine.successors(space.state(n)) for n in region}
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.add_nodes_from(region)
    for n, steps in every.items():
        for step in steps:
            sends = step.sent is not None and (1 - step.action.actor, step.sent) in banned
            if number[step.target] in region and step.action.event is not COPIED and not sends:
                graph.add_edge(n, number[step.target], step=step)
    found: set[frozenset[int]] = set()
    for members in nx.strongly_connected_components(graph):
        inside, repeated = set(members), Repeated()
        due = {n: repeated.visit(space.state(n), every[n], model) for n in inside}
        for n, _, step in graph.subgraph(inside).edges(data="step"):
            repeated.take(space.state(n), step, model)
        weak, strong, unheard = repeated.missing(model)
        if weak:
            continue
        if strong:
            rest = {n for n in inside if not due[n] & strong}
            found |= fair_sets(space, rest, banned, reading)
        elif unheard:
            found |= fair_sets(space, inside, banned | unheard, reading)
        else:
            found.add(frozenset(inside))
    return found


REORDERS = Network(order="any", capacity=2)


ANSWERS = switched(RFC9293, ("time_wait_answers_ack",))
ENDLESS_ACKS = Model(
    ANSWERS,
    ANSWERS,
    REORDERS,
    Timers(time_wait="drained"),
    Application(data_units=(0, 0)),
)
"""Two ends in TIME-WAIT acknowledge each other's ACKs for ever, and the drain never comes."""


LOOPING = {
    name: replace(
        MODELS[name],
        network=replace(MODELS[name].network, capacity=1),
        application=Application(data_units=(0, 0)),
    )
    for name in ("no_time_wait_silent_closed", "silent_closed", "demikernel_1537")
} | {"endless_acks": ENDLESS_ACKS}


def never(s: View) -> bool:
    return False


def a_to_b_is_empty(s: View) -> bool:
    return len(s.a_to_b) == 0


@pytest.mark.parametrize("goal", [both_closed, never, a_to_b_is_empty])
@examples(40)
@given(model=models(tiny=True))
def test_the_fair_sets_are_those_of_a_naive_search(goal: StatePredicate, model: Model) -> None:
    space = searched(model, 300)
    marks = states_with(space, goal, 0)
    region = {n for n in range(len(space)) if not marks[n]}
    found = [component.states for component in fair_components(Fairness(space), sorted(region))]
    assert len(found) == len(set(found))
    assert fair_sets(space, region) == set(found)


@pytest.mark.parametrize("name", sorted(LOOPING))
@pytest.mark.parametrize("goal", [both_closed, never, a_to_b_is_empty])
@pytest.mark.parametrize("order", ["fifo", "any", "set"])
@pytest.mark.parametrize("fair", [(), ("CLOSE",)])
def test_the_fair_sets_of_a_model_that_loops_are_those_of_a_naive_search(
    name: str, goal: StatePredicate, order: str, fair: tuple[str, ...]
) -> None:
    model = LOOPING[name]
    application = replace(model.application, fair=fair)
    space = explore(
        replace(model, network=replace(model.network, order=order), application=application)
    )
    marks = states_with(space, goal, 0)
    region = {n for n in range(len(space)) if not marks[n]}
    found = {component.states for component in fair_components(Fairness(space), sorted(region))}
    assert fair_sets(space, region) == found
    assert any(len(states) > 1 for states in found) or goal is a_to_b_is_empty


@examples(60)
@given(models(tiny=True, bounded=False))
def test_a_leads_to_is_violated_where_the_naive_search_finds_a_fair_set(model: Model) -> None:
    space = searched(model, 300)
    closed = states_with(space, both_closed, 0)
    naive = fair_sets(space, {n for n in range(len(space)) if not closed[n]})
    answer = Answer.VIOLATED if naive else Answer.HOLDS
    assert answer is judge(space, both_eventually_closed).answer


# Fairness and possibility -----------------------------------------------------------------------


@examples(50)
@given(models())
def test_what_every_fair_run_does_can_always_be_done(model: Model) -> None:
    space = searched(model, 1_000)
    assume(judge(space, both_eventually_closed).answer is Answer.HOLDS)
    assert Answer.HOLDS is judge(space, both_can_always_close).answer


@examples(60)
@given(models(bounded=False))
def test_the_states_from_which_a_goal_can_be_reached_are_its_ancestors(model: Model) -> None:
    space = searched(model, 1_000)
    graph: nx.DiGraph[int] = nx.DiGraph(space.networkx())
    goals = states_with(space, both_closed, 0)
    closed = {n for n in range(len(space)) if goals[n]}
    able = closed.union(*(nx.ancestors(graph, n) for n in closed))
    assert able == {n for n, can in enumerate(backwards(space, goals)) if can}
    verdict = judge(space, both_can_always_close)
    assert (Answer.HOLDS if len(able) == len(space) else Answer.VIOLATED) is verdict.answer
    if verdict.run is not None:
        depths = nx.single_source_shortest_path_length(graph, 0)
        assert min(d for n, d in depths.items() if n not in able) == len(verdict.run)
        assert f"(nor from {len(space) - len(able) - 1} other states)" in verdict.detail


# The two traps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["table_154", "no_time_wait_lossless", "wild_network"])
def test_without_a_fair_application_nobody_needs_to_close(name: str) -> None:
    idle = replace(MODELS[name].application, fair=())
    verdict = judge(explore(replace(MODELS[name], application=idle)), both_eventually_closed)
    assert Answer.VIOLATED is verdict.answer
    assert verdict.run is not None
    assert (0, 0) == (len(verdict.run), verdict.run.loop)
    assert Answer.HOLDS is judge(explore(MODELS[name]), both_eventually_closed).answer


@pytest.mark.parametrize("retransmission", ["spurious", "timely"])
@pytest.mark.parametrize("duplication", [False, True])
@pytest.mark.parametrize("units", [(0, 0), (1, 0)])
def test_a_bag_delivers_every_segment_in_the_end(
    retransmission: str, duplication: bool, units: tuple[int, int]
) -> None:
    model = Model(
        network=replace(REORDERS, duplication=duplication),
        timers=Timers(retransmission=retransmission),
        application=Application(data_units=units),
    )
    assert Answer.HOLDS is judge(explore(model), both_eventually_closed).answer


def test_fairness_to_a_bag_as_a_whole_would_let_acks_overtake_a_fin_for_ever() -> None:
    space = explore(ENDLESS_ACKS)
    fin = Segment(seq=0, ack=0, fin=1)
    region = {n for n in range(len(space)) if fin in space.channels[space.a_to_b[n]]}
    as_a_whole = replace(ENDLESS_ACKS, network=replace(REORDERS, order="fifo"))
    assert set() != fair_sets(space, region, reading=as_a_whole)
    assert set() == fair_sets(space, region)
    assert [] == fair_components(Fairness(space), sorted(region))


def test_a_lasso_through_a_cut_state_is_unknown_and_not_violated() -> None:
    model = replace(MODELS["rfc9293"], bounds=Bounds(1), application=Application(data_units=(0, 0)))
    verdict = judge(explore(model), both_eventually_closed)
    assert Answer.UNKNOWN is verdict.answer
    assert "1 retransmissions" in verdict.detail


def test_a_verdict_that_needs_fairness_says_which() -> None:
    space = explore(MODELS["table_154"])
    said = {p.name: judge(space, p).fairness for p in CATALOGUE}
    assert {"both_eventually_closed"} == {name for name, fairness in said.items() if fairness}
    assert {"W1", "W2", "W3", "S"} == {
        sentence.split(":")[0].split(" ")[0] for sentence in said["both_eventually_closed"]
    }
