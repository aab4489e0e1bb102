"""Hypothesis strategies: small random models, and how long a test may search in one of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st

from tcpclose_model.engines.plain import has_timestamps, reopens
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import (
    CLOSES,
    CLOSES_OF_AN_END,
    Application,
    Bounds,
    Incarnations,
    Middlebox,
    Network,
    Time,
    Timers,
)
from tcpclose_model.protocol.middlebox import FORGETS, TELLS, UNKNOWN
from tcpclose_model.protocol.notation import On, Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants import mutants
from tcpclose_model.variants.switches import SWITCHES

MUTANTS: dict[str, Protocol] = {
    name: table for name, table in vars(mutants).items() if isinstance(table, Protocol)
}
del MUTANTS["RFC9293"]

OPENING = {
    "reopens",
    "time_wait_takes_syn",
    "time_wait_takes_syn_for_good",
    "timestamps",
    "rfc6191",
    "time_wait_reuse",
    "syn_resets",
    "closes_in_syn_received",
    "quiet_time",
}
"""The switches of a second connection; `reopening_models` has them on."""

SWITCHES_MAX = 3
STATES_MAX = 3_000
"""States that a test explores of a random model; a larger one is passed over."""


def examples(count: int) -> settings:
    """Return settings for a test over `count` examples, the same ones at every run."""
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(
            Phase.explicit,
            Phase.generate,
        ),  # a failing model is small; to shrink it takes long
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


@cache
def switched(base: Protocol, names: tuple[str, ...]) -> Protocol:
    """Return `base` with those of the switches on that can be put on top of the others."""
    table = base
    for name in names:
        try:
            table = SWITCHES[name].on(table)
        except ModelError:
            continue
    return table


@cache
def tables(*, wrong: bool) -> st.SearchStrategy[Protocol]:
    """Return a strategy of tables: RFC 9293 (or, with `wrong`, a mutant) with a few switches."""
    known = st.sampled_from(sorted(set(SWITCHES) - OPENING))
    names = st.lists(known, max_size=SWITCHES_MAX, unique=True)
    bases: st.SearchStrategy[Protocol] = st.just(RFC9293)
    if wrong:
        bases = bases | st.sampled_from([MUTANTS[name] for name in sorted(MUTANTS)])
    return st.builds(switched, bases, names.map(tuple))


@cache
def networks(capacity_max: int) -> st.SearchStrategy[Network]:
    """Return a strategy of networks of every kind."""
    return st.builds(
        _network,
        capacity=st.integers(1, capacity_max),
        order=st.sampled_from(["fifo", "any", "set"]),
        loss=st.booleans(),
        duplication=st.booleans(),
        full=st.sampled_from(["loses", "loses", "waits"]),
    )


def _network(**options: Any) -> Network:  # Any: one type an option
    """Return the network; a set that duplicates loses too."""
    if options["order"] == "set" and options["duplication"]:
        options["loss"] = True
    return Network(**options)


timers = st.builds(
    Timers,
    retransmission=st.sampled_from(["timely", "none", "spurious"]),
    time_wait=st.sampled_from(["free", "drained", "ideal"]),
    user_timeout=st.booleans(),
    fin_wait_2=st.sampled_from(["free", "free", "orphaned"]),
)
bounds = st.builds(Bounds, retransmissions_max=st.sampled_from([None, None, 0, 1, 2]))


@cache
def applications(*units: tuple[int, int]) -> st.SearchStrategy[Application]:
    """Return a strategy of users that send at most these units of text."""
    end = st.sampled_from(CLOSES_OF_AN_END)
    rarely = st.sampled_from([False, False, False, True])
    return st.builds(
        Application,
        closes=st.sampled_from(sorted(CLOSES)) | st.tuples(end, end),
        data_units=st.sampled_from(units),
        reading=st.sampled_from(["eager", "eager", "lazy", "never"]),
        half_close=rarely,
        aborts=st.tuples(rarely, rarely),
        crashes=st.tuples(rarely, rarely),
        fair=st.sampled_from([("CLOSE", "RECEIVE"), ("CLOSE",), (), ("CLOSE", "SHUTDOWN", "SEND")]),
    )


boxes = st.builds(
    Middlebox,
    at=st.sampled_from(["a", "b"]),
    forgets=st.sampled_from(FORGETS),
    timeout=st.sampled_from(["drained", "free"]),
    tells=st.sampled_from(sorted(TELLS)),
    unknown=st.sampled_from(sorted(UNKNOWN)),
)


@st.composite
def boxed_models(draw: st.DrawFn) -> Model:
    """Draw a model with a middlebox beside one end, and hardly any text."""
    return replace(draw(models(tiny=True)), middlebox=draw(boxes))


@st.composite
def models(
    draw: st.DrawFn, *, wrong: bool = True, tiny: bool = False, bounded: bool = True
) -> Model:
    """Draw a model: tables that may differ at the two ends, any network, timers, users, bounds.

    wrong: mutants too; tiny: hardly any text, so that most have some hundreds of states;
    bounded: with a limit of retransmissions in some.
    """
    a = draw(tables(wrong=wrong))
    b = a if draw(st.booleans()) else draw(tables(wrong=wrong))
    units = [(0, 0), (0, 1)] if tiny else [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)]
    return Model(
        a=a,
        b=b,
        network=draw(networks(2)),
        timers=draw(timers),
        application=draw(applications(*units)),
        bounds=draw(bounds) if bounded else Bounds(),
        name="random",
    )


@st.composite
def reopening_models(draw: st.DrawFn) -> Model:
    """Draw a tiny model whose users may open the connection a second time."""
    model = draw(models(wrong=False, tiny=True))
    how = draw(st.lists(st.sampled_from(sorted(OPENING)), max_size=SWITCHES_MAX, unique=True))
    a = switched(model.a, ("reopens", *(name for name in how if name != "reopens")))
    b = a if draw(st.booleans()) else switched(model.b, ("reopens",))
    b = switched(b, ("timestamps",)) if has_timestamps(a) and b is not a else b
    assume(reopens(a) and reopens(b) and has_timestamps(a) == has_timestamps(b))
    again = Incarnations(
        opens=draw(st.sampled_from([("active", "passive"), ("passive", "active")])),
        data_units=draw(st.sampled_from([(0, 0), (1, 0)])),
        iss=draw(st.sampled_from([(0, 0), (3, 3), (0, 3)])),
        gives_up=(draw(st.booleans()), False),
        tsval=draw(st.sampled_from([("later", "later"), ("same", "later"), ("later", "earlier")])),
    )
    return replace(model, a=a, b=b, incarnations=again)


TIMED_SWITCHES = (
    "fin_wait_2_timeout",
    "keep_alive",
    "flow_control",
    "delayed_ack",
    "literal_2msl",
    "rfc1337",
    "fin_with_text",
)


@st.composite
def timed_models(draw: st.DrawFn) -> Model:
    """Draw a model with a clock, each of its timers timed or not, on any network it goes with."""
    wanted = draw(st.lists(st.sampled_from(TIMED_SWITCHES), max_size=2, unique=True))
    base = draw(st.sampled_from([RFC9293, RFC9293, MUTANTS["last_ack_has_no_timer"]]))
    a = switched(base, tuple(wanted))
    b = a if draw(st.booleans()) else switched(RFC9293, tuple(wanted))
    order = draw(st.sampled_from(["fifo", "any", "set"]))
    free = order == "set" or draw(st.booleans())
    loss = free or draw(st.booleans())
    network = Network(
        capacity=draw(st.integers(1, 2)) if free else 3,
        order=order,
        loss=loss,
        duplication=draw(st.booleans()) and (free or order != "set"),
        full="waits" if loss and not free else "loses",
        losses_max=draw(st.integers(0, 2)) if loss and not free else None,
    )
    return Model(
        a=a,
        b=b,
        network=network,
        timers=Timers(user_timeout=draw(st.booleans())),
        application=draw(applications((0, 0), (0, 0), (1, 0))),
        bounds=draw(bounds),
        time=_time(draw, {rule.on for table in (a, b) for rule in table.rules}),
        name="random",
    )


def _time(draw: st.DrawFn, events: set[On]) -> Time:
    def perhaps(least: int) -> int | None:
        return draw(st.none() | st.integers(least, 4))

    return Time(
        segment_lifetime=draw(st.integers(1, 3)),
        retransmission=draw(st.sampled_from([None, (1,), (2,), (3,), (1, 2), (2, 1, 4)])),
        slack=draw(st.sampled_from([0, 0, 1, 2])),
        time_wait=perhaps(0),
        fin_wait_2=perhaps(0) if Event.FIN_WAIT_2_TIMEOUT in events else None,
        user_timeout=perhaps(1),
        delayed_ack=perhaps(0),
        keep_alive=perhaps(2) if Event.KEEP_ALIVE_TIMEOUT in events else None,
        persist=(2, 3) if Event.PERSIST_TIMEOUT in events else None,
    )


def searched(model: Model, states_max: int = STATES_MAX) -> StateSpace:
    """Return the whole state space; the example is passed over if it is larger than that."""
    space = explore(model, max_states=states_max)
    assume(space.complete)
    return space


def mirrored(model: Model) -> Model:
    """Return the model in which A and B have changed places."""
    old = model.application
    new = replace(
        old,
        closes=(old.closes_of(1), old.closes_of(0)),
        data_units=old.data_units[::-1],
        aborts=old.aborts[::-1],
        crashes=old.crashes[::-1],
    )
    return replace(model, a=model.b, b=model.a, application=new)
