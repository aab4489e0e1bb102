"""A symmetric model is asked from one end, and answers as if asked from both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from properties import judge as judging
from properties.catalogue import CATALOGUE
from properties.judge import judge
from properties.kinds import always
from properties.verdict import Verdict, violated
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import CLOSED, TIME_WAIT
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tests.explored import graph_of
from tests.strategies import examples, models, searched

MODELS = [
    "table_154",
    "user_timeout",
    "smoltcp_470",
    "smoltcp_112",
    "wild_network",
    "silent_closed",
]


def from_both_ends(space: StateSpace) -> list[Verdict]:
    """Return the verdicts of the catalogue with every property asked from both ends."""
    blind = replace(space, cache={"symmetric": False})
    return [judge(blind, prop) for prop in CATALOGUE]


@pytest.mark.parametrize("name", MODELS)
def test_the_catalogue_judges_as_from_both_ends(name: str) -> None:
    space = graph_of(name)
    assert from_both_ends(space) == [judge(space, prop) for prop in CATALOGUE]


@given(model=models())
@examples(30)
def test_random_models_are_judged_as_from_both_ends(model: Model) -> None:
    user = replace(model.application, closes="any", data_units=(1, 1), aborts=(False, False))
    space = searched(replace(model, b=model.a, application=user))
    assert from_both_ends(space) == [judge(space, prop) for prop in CATALOGUE]


def test_a_claim_about_each_end_that_names_an_end_is_asked_from_both() -> None:
    claim = always(
        "An end whose peer is closed is not A in TIME-WAIT.",
        lambda s: s.peer.state != CLOSED or s.a.state != TIME_WAIT,
        each_end=True,
    )
    crooked = always(
        "B is never closed while A is in TIME-WAIT.",
        lambda s: not (s.me is s.b and s.me.state == CLOSED and s.a.state == TIME_WAIT),
        each_end=True,
    )
    space = explore(model_named("table_154"))
    for prop in (claim, crooked):
        assert violated is judge(space, prop).answer
        last = judge(space, prop).run
        assert last is not None
        assert (TIME_WAIT, CLOSED) == (last.last.a.state, last.last.b.state)


def test_a_predicate_that_catches_errors_does_not_catch_the_question_for_more() -> None:
    def first_on_its_way_is_no_fin(s: object) -> bool:
        try:
            return bool(s.a_to_b[0].fin == 0)  # type: ignore[attr-defined]  # a View
        except Exception:
            return True

    claim = always("No FIN is ever first on its way to B.", first_on_its_way_is_no_fin)
    assert violated is judge(explore(model_named("table_154")), claim).answer


def test_a_model_with_two_kinds_of_ends_is_not_taken_for_symmetric() -> None:
    crooked = explore(replace(model_named("table_154"), b=model_named("rfc1337").b))
    even = explore(model_named("table_154"))
    closed = replace(even.model, application=replace(even.model.application, closes="a_first"))
    assert [True, False, False] == [
        judging._is_symmetric(space) for space in (even, crooked, explore(closed))
    ]
