"""Laws of every step, whatever the model: what a TCB and a channel may look like, and how models
that differ in one parameter are related."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Bounds, Network, Timers
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import CLOSED, KEPT_WHEN_CLOSED, TCB, Event, Segment
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tests.strategies import applications, examples, mirrored, models, searched, tables

STEPS_MAX = 80
UNITS = [(0, 0), (1, 1), (2, 1), (0, 3), (3, 2)]
NETWORK_EVENTS = (Event.SEGMENT_IS_LOST, Event.SEGMENT_IS_DUPLICATED)


@st.composite
def large_models(draw: st.DrawFn) -> Model:
    """Draw a model that is too large to be explored, without mutants."""
    return replace(
        draw(models(wrong=False)),
        a=draw(tables(wrong=False)),
        network=Network(
            capacity=draw(st.integers(1, 4)),
            order=draw(st.sampled_from(["fifo", "any"])),
            loss=draw(st.booleans()),
            duplication=draw(st.booleans()),
        ),
        application=draw(applications(*UNITS)),
    )


seeds = st.integers(0, 2**32)


def walk(model: Model, seed: int) -> Iterator[tuple[ProductState, Transition]]:
    """Return the states and steps of a random run; changes are liked better than what is idle."""
    engine, random = PlainEngine(model), Random(seed)
    state = engine.initial
    for _ in range(STEPS_MAX):
        steps = engine.successors(state)
        changing = [step for step in steps if step.target != state]
        if not steps:
            return
        step = random.choice(changing if changing and random.random() < 0.9 else steps)
        yield state, step
        state = step.target


def last_number(tcb: TCB) -> int:
    """Return the number behind all that an end has sent, or may have sent if its TCB is gone."""
    return tcb.snd_end + 1 if tcb.state == CLOSED else tcb.snd_nxt


def wrongs_of(tcb: TCB, peer: TCB) -> list[str]:
    """Return what is wrong with the TCB of an end that keeps to RFC 9293."""
    marks = [n for n in range(tcb.held.bit_length()) if tcb.held >> n & 1]
    laws = {
        "snd_una <= snd_nxt": tcb.snd_una <= tcb.snd_nxt,
        "snd_nxt <= snd_end + fin_sent": tcb.snd_nxt <= tcb.snd_end + tcb.fin_sent,
        "a sent FIN is behind all text": not tcb.fin_sent or tcb.snd_nxt == tcb.snd_end + 1,
        "a sent FIN was queued": tcb.fin_sent <= tcb.fin_queued,
        "a FIN with text is a sent FIN": tcb.fin_with_text <= tcb.fin_sent,
        "a user who is gone has closed": tcb.released <= tcb.fin_queued,
        "rcv_nxt <= what the peer sent": tcb.rcv_nxt <= last_number(peer),
        "rcv_text <= the peer's text": tcb.rcv_text <= peer.snd_end,
        "rcv_nxt is rcv_text, or one more": tcb.rcv_text <= tcb.rcv_nxt <= tcb.rcv_text + 1,
        "read <= rcv_text": tcb.read <= tcb.rcv_text,
        "held text is ahead": all(tcb.rcv_nxt < n < peer.snd_end for n in marks),
        "a held FIN is ahead": tcb.held_fin == 0 or tcb.rcv_nxt < tcb.held_fin == peer.snd_end,
        "nothing is negative": all(value >= 0 for value in tcb),
        "a TCB's end is told": tcb.told == 0 or tcb.state == CLOSED or tcb.told == 3,
    }
    if tcb.state == CLOSED:
        kept = {*KEPT_WHEN_CLOSED, "state"}
        gone = {name: value for name, value in tcb._asdict().items() if name not in kept}
        laws["CLOSED keeps only what properties read"] = not any(gone.values())
    return [law for law, holds in laws.items() if not holds]


@examples(150)
@given(large_models(), seeds)
def test_every_step_leaves_both_tcbs_well_formed(model: Model, seed: int) -> None:
    for _, step in walk(model, seed):
        a, b = step.target.a, step.target.b
        assert ([], []) == (wrongs_of(a, b), wrongs_of(b, a)), step


@examples(100)
@given(large_models(), seeds)
def test_every_channel_stays_within_its_capacity(model: Model, seed: int) -> None:
    network = model.network
    for before, step in walk(model, seed):
        lengths = len(step.target.a_to_b), len(step.target.b_to_a)
        assert max(lengths) <= network.capacity
        if not network.loss:
            assert sum(lengths) <= network.capacity
            assert not step.overflow
            assert step.action.event is not Event.SEGMENT_IS_LOST
        if network.order == "any":
            assert (sorted(step.target.a_to_b), sorted(step.target.b_to_a)) == (
                list(step.target.a_to_b),
                list(step.target.b_to_a),
            )
        if not network.duplication:
            assert sum(lengths) <= len(before.a_to_b) + len(before.b_to_a) + (step.sent is not None)


@examples(80)
@given(large_models(), seeds)
def test_a_step_changes_its_actor_and_the_channels_only(model: Model, seed: int) -> None:
    for before, step in walk(model, seed):
        actor, event, segment = step.action
        assert before[1 - actor] == step.target[1 - actor]
        channels = before[2:4], step.target[2:4]
        inward, outward = (0, 1) if actor else (1, 0)
        kept = Counter[Segment | None](channels[0][inward])
        if event is Event.SEGMENT_IS_DUPLICATED:
            kept[segment] += 1
        elif segment is not None:
            kept[segment] -= 1
        assert +kept == Counter(channels[1][inward])
        sent = [] if step.sent is None or step.overflow else [step.sent]
        assert Counter([*channels[0][outward], *sent]) == Counter(channels[1][outward])
        assert bool(step.rules) or event in (*NETWORK_EVENTS, Event.SEGMENT_ARRIVES)


@examples(80)
@given(large_models(), seeds)
def test_every_fifo_run_is_a_run_of_a_network_that_reorders(model: Model, seed: int) -> None:
    fifo = replace(model, network=replace(model.network, order="fifo"))
    bag = PlainEngine(replace(model, network=replace(model.network, order="any")))
    state = bag.initial
    for _, step in walk(fifo, seed):
        a, b, a_to_b, b_to_a, _ = step.target
        target = ProductState(a, b, tuple(sorted(a_to_b)), tuple(sorted(b_to_a)))
        fits = [
            other
            for other in bag.successors(state)
            if other.target == target and other[:4] == step[:4]
        ]
        assert len(fits) == 1, step
        state = target


@examples(50)
@given(models())
def test_loss_takes_no_behaviour_away(model: Model) -> None:
    copies = model.network.duplication and model.network.order != "set"
    without = replace(model.network, loss=False, duplication=copies)
    space = searched(replace(model, network=without), 1_500)
    lossy = PlainEngine(replace(model, network=replace(without, loss=True)))
    lossless = PlainEngine(space.model)
    for number in range(len(space)):
        state = space.state(number)
        assert set(lossless.successors(state)) <= set(lossy.successors(state))


@examples(50)
@given(models(tiny=True))
def test_duplication_takes_no_behaviour_away(model: Model) -> None:
    assume(model.network.order != "set")  # what arrives stays there, so every step differs
    space = searched(replace(model, network=replace(model.network, duplication=False)), 1_500)
    copying = PlainEngine(replace(model, network=replace(model.network, duplication=True)))
    plain = PlainEngine(space.model)
    for number in range(len(space)):
        state = space.state(number)
        assert set(plain.successors(state)) <= set(copying.successors(state))


def mirror(state: ProductState) -> ProductState:
    """Return the state in which A and B have changed places."""
    return ProductState(state.b, state.a, state.b_to_a, state.a_to_b)


Edge = tuple[int, Event, object, tuple[str, ...], object, bool, bool, ProductState]


def edges(space: StateSpace, *, swap: bool) -> dict[ProductState, Counter[Edge]]:
    """Return the steps from each state, with A and B swapped if asked for."""
    found = {}
    for number in range(len(space)):
        steps: Counter[Edge] = Counter()
        for step in space.steps(number):
            move, target = space.moves[space.move[step]], space.state(space.target[step])
            actor, event, segment = move.action
            names = tuple(rule.name for rule in move.rules)
            actor, target = (1 - actor, mirror(target)) if swap else (actor, target)
            flags = move.sent, move.overflow, move.head
            steps[(actor, event, segment, names, *flags, target)] += 1
        state = space.state(number)
        found[mirror(state) if swap else state] = steps
    return found


@examples(40)
@given(models())
def test_swapping_a_and_b_swaps_the_graph(model: Model) -> None:
    space = searched(model, 1_500)
    swapped = explore(mirrored(model))
    assert space.depth == swapped.depth
    assert edges(space, swap=True) == edges(swapped, swap=False)


def test_the_graph_of_a_symmetric_model_is_its_own_mirror() -> None:
    space = explore(Model(network=Network(loss=False), application=Application(data_units=(1, 1))))
    assert mirrored(space.model) == replace(
        space.model, application=replace(space.model.application, closes=("any", "any"))
    )
    assert edges(space, swap=True) == edges(space, swap=False)


def states_of(model: Model, timers: Timers) -> set[ProductState]:
    """Return the reachable states under other timers."""
    space = searched(replace(model, timers=timers, bounds=Bounds()), 2_000)
    return {space.state(number) for number in range(len(space))}


@examples(30)
@given(models(bounded=False), st.sampled_from(["none", "timely"]))
def test_a_retransmission_timer_that_goes_off_less_reaches_no_more_states(
    model: Model, kind: str
) -> None:
    wild = states_of(model, replace(model.timers, retransmission="spurious"))
    assert states_of(model, replace(model.timers, retransmission=kind)) <= wild


@examples(30)
@given(models(bounded=False), st.sampled_from(["drained", "ideal"]))
def test_a_time_wait_that_ends_less_freely_reaches_no_more_states(model: Model, kind: str) -> None:
    free = states_of(model, replace(model.timers, time_wait="free"))
    assert states_of(model, replace(model.timers, time_wait=kind)) <= free


@pytest.mark.parametrize("field", sorted(KEPT_WHEN_CLOSED))
def test_what_properties_read_outlives_the_tcb(field: str) -> None:
    aborts = Application(data_units=(1, 1), aborts=(True, True))
    space = explore(Model(RFC9293, RFC9293, Network(capacity=1), application=aborts))
    closed = [tcb for tcb in space.tcbs if tcb.state == CLOSED]
    assert any(getattr(tcb, field) for tcb in closed)
