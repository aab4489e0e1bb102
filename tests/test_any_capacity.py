"""What holds at every capacity: compared with larger capacities, and with slow searches."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from properties.any_capacity import any_capacity
from properties.beyond import AnyCapacity
from properties.judge import judge
from properties.kinds import (
    Property,
    always,
    can_always,
    can_always_avoiding,
    never_a_step,
    only_after,
    sometimes,
)
from properties.verdict import Answer
from tcpclose_model.engines.coverability import Backward, Element, asked_at
from tcpclose_model.engines.guards import Guard
from tcpclose_model.engines.plain import Channel, PlainEngine, ProductState
from tcpclose_model.engines.unbounded import Pair, Step, Unbounded
from tcpclose_model.engines.views import Views
from tcpclose_model.errors import ModelError
from tcpclose_model.limits import Limits
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network, Time
from tcpclose_model.protocol.vocabulary import CLOSED, SYNCHRONIZED, TCB, TIME_WAIT, Event, State
from tcpclose_model.run import check_run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS
from tests.command_line import once, tcpclose
from tests.strategies import boxed_models, examples, models, reopening_models, searched

SMALL = 5_000
"""States of a model that is small enough to be explored at a larger capacity as well."""

LOSES = [
    name
    for name, model in MODELS.items()
    if model.network.loss and model.network.losses_max is None and not model.time.is_timed
]


def at_capacity(model: Model, capacity: int) -> Model:
    """The model with channels of that capacity."""
    return replace(model, network=replace(model.network, capacity=capacity), expect={})


def losing(model: Model) -> Model:
    """The model over channels of capacity 1 that lose."""
    return replace(model, network=replace(model.network, capacity=1, loss=True), expect={})


def pairs_of(space: StateSpace) -> set[tuple[TCB, TCB]]:
    """The pairs of TCBs of the reached states."""
    both = set(zip(map(int, space.a), map(int, space.b), strict=True))
    return {(space.tcbs[a], space.tcbs[b]) for a, b in both}


def assert_larger_capacities_agree(found: AnyCapacity, spaces: Iterable[StateSpace]) -> None:
    """Compare what was found with the state spaces of larger capacities."""
    model = found.model
    here = pairs_of(explore(model))
    if found.run is not None:
        check_run(found.run)
        last = found.run.last
        assert found.error or (last.a, last.b) not in here
    for space in spaces:
        if found.is_cut_off:
            assert here == pairs_of(space)
        for one in found.properties:
            answer = judge(space, one.verdict.property).answer
            if one.everywhere:
                assert one.verdict.answer is answer, one.verdict.property.name
            if one.run is not None and one.run.model.network == space.model.network:
                assert one.verdict.answer is not answer, one.verdict.property.name


@pytest.mark.parametrize("name", LOSES)
def test_what_is_proved_of_a_catalogue_model_is_so_at_the_next_capacity(name: str) -> None:
    model = at_capacity(MODELS[name], 1)
    space = explore(at_capacity(model, 2), max_states=SMALL)
    if not space.complete:
        return  # it would take too long
    found = any_capacity(model, limits=Limits(max_seconds=60))
    assert found.is_cut_off is not None or found.stopped
    assert_larger_capacities_agree(found, [space])


@examples(40)
@given(models(tiny=True))
def test_what_is_proved_of_a_random_model_is_so_at_the_next_two_capacities(model: Model) -> None:
    model = losing(model)
    spaces = [searched(at_capacity(model, 2))]
    third = explore(at_capacity(model, 3), max_states=SMALL)
    spaces += [third] if third.complete else []
    found = any_capacity(model, limits=Limits(max_seconds=60))
    assert_larger_capacities_agree(found, spaces)


EVENTS = (
    Event.CLOSE,
    Event.TRANSMIT,
    Event.SEGMENT_ARRIVES,
    Event.TIME_WAIT_TIMEOUT,
    Event.RETRANSMISSION_TIMEOUT,
)


def about(event: Event, state: State) -> list[Property]:
    """Properties about an event of an end that goes on to a state, or that answers."""
    return [
        can_always_avoiding(
            "CLOSED can be reached without it",
            lambda s: s.a.state == CLOSED,
            avoiding=lambda before, step, after: step.event is event and after.me.state == state,
        ),
        can_always_avoiding(
            "a FIN can be taken without it",
            lambda s: s.me.rcv_nxt > s.peer.snd_end or s.me.state == CLOSED,
            avoiding=lambda before, step, after: step.event is event and step.sent is not None,
            each_end=True,
        ),
        only_after(
            "the state comes after it",
            state=lambda s: s.me.state == state,
            step=lambda before, step, after: step.mine and step.event is event,
            each_end=True,
        ),
        never_a_step(
            "it never answers from there",
            lambda before, step, after: step.event is event and step.sent is not None,
            among=lambda before, step, after: after.peer.state == state,
        ),
        can_always("the state can be left", lambda s: s.b.state != state),
        sometimes(
            "the state occurs with the peer in it", lambda s: s.a.state == s.b.state == state
        ),
    ]


@examples(30)
@given(models(tiny=True), st.sampled_from(EVENTS), st.sampled_from(sorted(SYNCHRONIZED)))
def test_what_is_proved_of_random_properties_is_so_at_the_next_capacities(
    model: Model, event: Event, state: State
) -> None:
    model = replace(losing(model), properties=about(event, state))
    spaces = [searched(at_capacity(model, 2))]
    third = explore(at_capacity(model, 3), max_states=SMALL)
    spaces += [third] if third.complete else []
    assert_larger_capacities_agree(any_capacity(model), spaces)


@examples(10)
@given(boxed_models() | reopening_models())
def test_a_middlebox_and_a_second_connection_change_nothing_about_that(model: Model) -> None:
    model = losing(model)
    space = searched(at_capacity(model, 2))
    found = any_capacity(model, limits=Limits(max_seconds=60))
    assert_larger_capacities_agree(found, [space])


# Views, by their definition ----------------------------------------------------------------------


def slow_views(model: Model) -> set[ProductState]:
    """The views: states whose own views are all known are taken for reached, until none is new."""
    engine = PlainEngine(at_capacity(model, 5))
    known = {engine.initial}
    todo = {engine.initial}
    taken: set[ProductState] = set()
    while todo:
        found = {
            view
            for state in todo
            for step in engine.successors(state)
            for view in views_of(step.target)
        }
        taken |= todo
        known |= found
        larger = {state for view in known for state in with_one_more(model, view, known)}
        todo = {state for state in known | larger if views_of(state) <= known} - taken
    return known


def with_one_more(
    model: Model, view: ProductState, known: set[ProductState]
) -> Iterator[ProductState]:
    """States with one segment more, of those that are in flight in some view of the pair."""
    both = (view.a_to_b, view.b_to_a)
    for other in known:
        if other[:2] == view[:2] and len(other.a_to_b) + len(other.b_to_a) == 1:
            way = 0 if other.a_to_b else 1
            (more,) = (other.a_to_b, other.b_to_a)[way]
            for place in range(len(both[way]) + 1):
                channels = list(both)
                channels[way] = (*both[way][:place], more, *both[way][place:])
                if model.network.order != "fifo":
                    channels[way] = tuple(sorted(channels[way]))
                if model.network.order != "set" or more not in both[way]:
                    yield ProductState(view.a, view.b, channels[0], channels[1])


def views_of(state: ProductState) -> set[ProductState]:
    """The parts of a state with at most two segments in flight."""
    to_b, to_a = (
        [part for size in range(3) for part in combinations(channel, size)]
        for channel in state[2:4]
    )
    return {
        ProductState(state.a, state.b, x, y) for x in to_b for y in to_a if len(x) + len(y) <= 2
    }


def fast_views(views: Views, system: Unbounded) -> set[ProductState]:
    """The same of the rows of bits."""
    found = set()
    for pair, known in views.known.items():
        words = [((x, 0), (y, 0)) for y, mask in known.across.items() for x in all_bits(mask)]
        words += [((w, x), (0, 0)) for w, mask in known.to_b.items() for x in all_bits(mask)]
        words += [((0, 0), (w, y)) for w, mask in known.to_a.items() for y in all_bits(mask)]
        for both in words:
            channels = [tuple(system.segments[n] for n in word if n) for word in both]
            if system.model.network.order != "fifo":
                channels = [tuple(sorted(channel)) for channel in channels]
            a, b = system.tcbs[0][pair[0]], system.tcbs[1][pair[1]]
            if system.model.network.order != "set" or all(map(has_no_copies, channels)):
                found.add(ProductState(a, b, channels[0], channels[1]))
    return found


def has_no_copies(channel: Channel) -> bool:
    """Whether no segment is in a channel twice: what arrives and stays in a set is written so."""
    return len(set(channel)) == len(channel)


def all_bits(mask: int) -> list[int]:
    """The numbers of the bits that are set."""
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


@examples(25)
@given(models(tiny=True))
def test_views_are_what_their_definition_says(model: Model) -> None:
    model = losing(model)
    assume(len(searched(model)) < 120)
    system = Unbounded(model)
    views = Views(system, None, Limits())
    assume(not views.exits and len(views) < 400)
    assert slow_views(model) == fast_views(views, system)


# The backward search, without any index ----------------------------------------------------------

Configuration = tuple[int, int, tuple[int, ...], tuple[int, ...]]


class AllViews(Views):
    """Views that leave nothing out."""

    def may_be(self, pair: Pair, to_b: tuple[int, ...], to_a: tuple[int, ...]) -> bool:
        return True


def slow_search(
    system: Unbounded, pairs: Iterable[Pair], asked: Iterable[Element], most: int
) -> list[Configuration] | None:
    """All least configurations from which one that is asked for is reached, or None if too many."""
    order, copies = system.model.network.order, system.model.network.duplication
    found = [(*element.pair, element.to_b, element.to_a) for element in asked]
    todo = list(found)
    while todo:
        a, b, to_b, to_a = todo.pop()
        for end, own, step in system.steps:
            if step.after != (b if end else a):
                continue
            pair = (a, own) if end else (own, b)
            if pair not in pairs or not system.lets(pair, end, step):
                continue
            out, into = (to_a, to_b) if end else (to_b, to_a)
            for less in _before_sending(out, step.sent, order):
                for more in _before_arriving(into, step.segment, order, copies=copies):
                    if _lets(step, more, less):
                        both = (more, less) if end else (less, more)
                        _keep((*pair, *both), found, todo, order)
        if copies and order != "set":
            for n in range(1, len(to_b)):
                if to_b[n] == to_b[n - 1]:
                    _keep((a, b, to_b[:n] + to_b[n + 1 :], to_a), found, todo, order)
            for n in range(1, len(to_a)):
                if to_a[n] == to_a[n - 1]:
                    _keep((a, b, to_b, to_a[:n] + to_a[n + 1 :]), found, todo, order)
        if len(found) > most:
            return None
    return [one for one in found if not any(_less(o, one, order) for o in found if o != one)]


def _before_sending(out: tuple[int, ...], sent: int, order: str) -> list[tuple[int, ...]]:
    """What was in flight before: all of it, for what is sent may be lost; or all but that."""
    if not sent:
        return [out]
    places = [n for n, segment in enumerate(out) if segment == sent]
    if order == "fifo":
        places = [n for n in places if n == len(out) - 1]
    return [out, *(out[:n] + out[n + 1 :] for n in places)]


def _before_arriving(
    into: tuple[int, ...], arrives: int, order: str, *, copies: bool
) -> list[tuple[int, ...]]:
    if not arrives:
        return [into]
    if order == "fifo":
        return [(arrives, *into)]
    if order == "set" and arrives in into:
        return [into] if copies else []
    return [tuple(sorted((arrives, *into)))]


def _lets(step: Step, into: tuple[int, ...], out: tuple[int, ...]) -> bool:
    blocked = (step.needs & Guard.NOTHING_INBOUND and into) or (
        step.needs & Guard.NOTHING_OUTBOUND and out
    )
    return not blocked


def _keep(
    one: Configuration, found: list[Configuration], todo: list[Configuration], order: str
) -> None:
    if not any(_less(other, one, order) for other in found):
        found.append(one)
        todo.append(one)


def _less(one: Configuration, other: Configuration, order: str) -> bool:
    """Whether a configuration stands for all that the other one does."""
    if one[:2] != other[:2]:
        return False
    for word, of in zip(one[2:], other[2:], strict=True):
        if order == "fifo":
            if word not in combinations(of, len(word)):
                return False
        elif Counter(word) - Counter(of):
            return False
    return True


def some_word(system: Unbounded, numbers: list[int]) -> tuple[int, ...]:
    """Some of the segments that there are, as they may stand in a channel."""
    known = len(system.segments) - 1
    word = [number % known + 1 for number in numbers] if known else []
    if system.model.network.order == "fifo":
        return tuple(word)
    return tuple(sorted(set(word) if system.model.network.order == "set" else word))


words = st.lists(st.integers(0, 30), max_size=3)


@examples(80)
@given(models(tiny=True), st.integers(0, 1_000), words, words)
def test_the_backward_search_finds_what_one_without_an_index_finds(
    model: Model, number: int, to_b: list[int], to_a: list[int]
) -> None:
    model = losing(model)
    assume(len(searched(model)) < 400)
    system = Unbounded(model)
    everything = Views(system, None, Limits())
    pairs = sorted(everything.known)
    pair = pairs[number % len(pairs)]
    asked = [Element(pair, some_word(system, to_b), some_word(system, to_a))]
    slow = slow_search(system, pairs, asked, 250)
    assume(slow is not None)
    views = AllViews(system, None, Limits())
    fast = Backward(system, views, asked, [(-1, -1)], Limits())
    least = {
        (*fast.elements[n].pair, *fast.elements[n][1:3])
        for numbers in fast._least.values()
        for n in numbers
    }
    assert set(slow or ()) == least


@examples(25)
@given(models(tiny=True))
def test_leaving_out_what_no_view_allows_changes_no_answer(model: Model) -> None:
    model = losing(model)
    space = searched(model)
    system = Unbounded(model)
    inside = system.pairs(pairs_of(space))
    views, all_views = (kind(system, inside, Limits()) for kind in (Views, AllViews))
    assume(views.exits)
    asked = asked_at(views.exits)
    pruned = Backward(system, views, asked, [system.start], Limits(), elements_max=2_000)
    whole = Backward(system, all_views, asked, [system.start], Limits(), elements_max=500)
    assume(not pruned.stopped and not whole.stopped)
    assert whole.found == pruned.found


# Known answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["fifo", "any", "set"])
def test_capacity_1_is_a_cut_off_for_the_standard(order: str) -> None:
    found = any_capacity(Model(network=Network(capacity=1, order=order), name=order))
    assert (True, 489) == (found.is_cut_off, found.pairs)
    assert all(one.everywhere for one in found.properties)


def test_a_single_slot_hides_what_two_can_hold() -> None:
    found = any_capacity(at_capacity(MODELS["no_retransmission"], 1))
    assert found.is_cut_off is False
    assert any_capacity(MODELS["no_retransmission"]).is_cut_off


def test_a_way_that_avoids_steps_is_not_taken_for_granted_at_larger_capacities() -> None:
    prop = can_always_avoiding(
        "without 2MSL some end can be in another state than TIME-WAIT",
        lambda s: not s.a.state == s.b.state == TIME_WAIT,
        avoiding=lambda before, step, after: step.event is Event.TIME_WAIT_TIMEOUT,
    )
    model = replace(MODELS["no_retransmission"], properties=[prop], expect={})
    model = replace(model, application=Application(data_units=(0, 0)))
    (one,) = any_capacity(at_capacity(model, 1)).properties
    assert (Answer.HOLDS, False) == (one.verdict.answer, one.everywhere)
    assert Answer.VIOLATED is judge(explore(at_capacity(model, 2)), prop).answer


def test_what_capacity_1_does_not_show_is_shown_at_capacity_2() -> None:
    found = any_capacity(MODELS["reopen_simultaneously"])
    assert found.is_cut_off is False
    assert found.run is not None
    assert 2 == found.run.model.network.capacity
    (changed,) = [one for one in found.properties if one.changes]
    assert "no_desynchronized_connection" == changed.verdict.property.name
    assert Answer.HOLDS is changed.verdict.answer
    assert changed.run is not None
    check_run(changed.run)
    assert 1 == found.exit_status


def test_a_limit_that_is_hit_leaves_it_unknown() -> None:
    found = any_capacity(MODELS["reopen_simultaneously"], elements_max=5)
    assert (None, "--max-elements 5 was hit") == (found.is_cut_off, found.stopped)
    assert 3 == found.exit_status
    found = any_capacity(MODELS["rfc9293"], limits=Limits(max_states=10))
    assert found.stopped.startswith("exploration at capacity 2")
    assert 3 == found.exit_status


def test_a_verdict_that_is_not_expected_exits_with_1() -> None:
    assert 1 == any_capacity(replace(MODELS["user_timeout"], expect={})).exit_status
    assert 0 == any_capacity(MODELS["user_timeout"]).exit_status


def with_property(prop: Property) -> AnyCapacity:
    """What is found of one property of a small model."""
    return any_capacity(replace(MODELS["abort"], properties=[prop], expect={}))


def test_a_property_that_looks_at_the_channels_is_left_out() -> None:
    for prop in (
        always("little in flight", lambda s: len(s.a_to_b) < 3),
        can_always("drained", lambda s: not s.a_to_b),
        sometimes("full", lambda s: len(s.a_to_b) == 2),
        never_a_step("never full", lambda before, step, after: step.overflow),
        only_after("full first", state=lambda s: True, step=lambda b, step, a: step.overflow),
    ):
        found = with_property(prop)
        assert [prop.name] == list(found.left_out)
        assert "looks at what is in flight" in found.left_out[prop.name]


def test_a_property_that_asks_for_runs_without_losses_is_left_out() -> None:
    found = with_property(
        only_after(
            "a loss comes first",
            state=lambda s: s.a.state == CLOSED,
            step=lambda before, step, after: step.event is Event.SEGMENT_IS_LOST,
        )
    )
    assert ["a_loss_comes_first"] == list(found.left_out)


def test_a_loss_is_a_step_like_any_other() -> None:
    prop = never_a_step(
        "no RST is lost",
        lambda b, step, a: (
            step.event is Event.SEGMENT_IS_LOST and bool(step.segment and step.segment.rst)
        ),
    )
    (one,) = with_property(prop).properties
    assert (Answer.VIOLATED, True) == (one.verdict.answer, one.everywhere)


# The command -------------------------------------------------------------------------------------


def test_the_command_proves_the_standard() -> None:
    said = once("prove", "--capacity", "any", "--set", "network.capacity=1")
    assert 0 == said.status
    assert "proved   the 489 pairs of TCBs reached at capacity 1 are all" in said.out
    assert "holds    both_can_always_close              at every capacity" in said.out
    assert "not covered: both_eventually_closed" in said.out


def test_the_command_shows_the_run_to_a_new_pair() -> None:
    said = once("prove", "reopen_simultaneously", "--capacity", "any")
    assert 1 == said.status
    assert "capacity 1 is no cut-off: capacity 2 reaches more" in said.out
    assert "CHANGES  no_desynchronized_connection" in said.out
    assert said.out.count("ESTABLISHED                                 ESTABLISHED") == 2


def test_the_command_gives_json_for_capacities() -> None:
    said = once("prove", "reopen_simultaneously", "--capacity", "any", "--format", "json")
    (model,) = json.loads(said.out)["models"]
    assert model["is_cut_off"] is False
    assert 2 == model["new_pair"]["capacity"]
    changes = [prop["name"] for prop in model["properties"] if prop["changes"]]
    assert ["no_desynchronized_connection"] == changes


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MODELS["table_154"], "lose nothing stay bounded"),
        (Model(network=Network(losses_max=1, full="waits")), "losses_max=none"),
        (Model(time=Time(segment_lifetime=1), name="timed"), "with a clock"),
    ],
)
def test_a_network_that_must_deliver_is_refused(model: Model, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        any_capacity(model)


def test_a_property_of_what_must_happen_is_refused() -> None:
    said = tcpclose("prove", "--capacity", "any", "--property", "both_eventually_closed")
    assert 2 == said.status
    assert "undecidable" in said.err


def test_limits_go_with_a_capacity() -> None:
    assert 2 == tcpclose("prove", "--max-elements", "5").status
