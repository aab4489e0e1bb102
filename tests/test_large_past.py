"""What comes only after a step, judged without the graph: the plain verdict and run, or unknown."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given

pytest.importorskip("numba", reason="the extra `fast` is not installed")

from properties import large_past
from properties.judge import judge
from properties.kinds import Property, only_after
from properties.large_past import way_past
from properties.verdict import Answer
from tcpclose_model.large import LargeSpace, explore_large
from tcpclose_model.limits import Limits
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import CLOSED, FIN_WAIT_2, LAST_ACK, TIME_WAIT, Event, State
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS
from tests.strategies import examples, models, searched

EVENTS = (Event.CLOSE, Event.SEGMENT_ARRIVES, Event.RETRANSMISSION_TIMEOUT, Event.SEGMENT_IS_LOST)


def claim(state: State, event: Event, *, mine: bool, each_end: bool = True) -> Property:
    """Return the claim: an end is in a state only after such an event, its own or the peer's."""
    return only_after(
        f"{state.name} only after {event.name}",
        state=lambda s: s.me.state == state,
        step=lambda before, step, after: step.event is event and step.mine == mine,
        each_end=each_end,
    )


CLAIMS = [
    claim(state, event, mine=mine)
    for state, event, mine in product((FIN_WAIT_2, LAST_ACK, CLOSED), EVENTS, (True, False))
]
b_retransmits = only_after(
    "A is in TIME-WAIT only after B retransmitted with a segment on its way.",
    state=lambda s: s.a.state == TIME_WAIT,
    step=lambda before, step, after: (
        step.event is Event.RETRANSMISSION_TIMEOUT and len(before.a_to_b) > 0
    ),
)


def large(model: Model, *, reduce: bool = True) -> LargeSpace:
    """Return what is known of a model without its graph."""
    return explore_large(model, Limits(), threads=1, reduce=reduce)


@pytest.mark.parametrize("name", ["table_154", "half_duplex_close", "crash"])
@pytest.mark.parametrize("reduce", [True, False])
def test_each_claim_has_the_plain_verdict_and_run(name: str, reduce: bool) -> None:
    plain, counted = explore(MODELS[name]), large(MODELS[name], reduce=reduce)
    found = {judge(plain, prop).answer for prop in CLAIMS}
    assert {Answer.HOLDS, Answer.VIOLATED} <= found
    for prop in CLAIMS:
        assert judge(plain, prop) == judge(counted, prop), prop.sentence


@given(models(tiny=True))
@examples(25)
def test_on_random_models_too(model: Model) -> None:
    plain, counted = searched(model), large(model)
    for prop in CLAIMS:
        assert judge(plain, prop) == judge(counted, prop), prop.sentence


def test_what_pairs_of_tcbs_leave_open_is_looked_for_among_states(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some pairs lead past the step to a marked one, though no run does."""
    found: list[Run | None] = []

    def noting(*asked: Any) -> Run | None:  # Any: whatever it is asked
        found.append(way_past(*asked))
        return found[-1]

    monkeypatch.setattr("properties.large.way_past", noting)
    verdict = judge(large(MODELS["crash"]), claim(LAST_ACK, Event.CLOSE, mine=False))
    assert ([None], Answer.HOLDS) == (found, verdict.answer)


def test_a_search_that_grows_too_large_leaves_the_verdict_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_past, "LOOKED_AT_MAX", 2)
    prop = claim(CLOSED, Event.RETRANSMISSION_TIMEOUT, mine=True)
    verdict = judge(large(MODELS["table_154"]), prop)
    assert Answer.UNKNOWN is verdict.answer
    assert "was not found out" in verdict.detail


def test_a_claim_about_channels_is_unknown_without_the_graph() -> None:
    verdict = judge(large(MODELS["half_duplex_close"]), b_retransmits)
    assert Answer.UNKNOWN is verdict.answer
