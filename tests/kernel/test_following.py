"""What is seen of two kernels is followed by the model: told here without any kernel."""

from __future__ import annotations

import pytest

from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.protocol.vocabulary import Event
from tests.kernel.comparison import model_of
from tests.kernel.departures import CONGESTION
from tests.kernel.following import Followed, Follower
from tests.kernel.schedule import Done, Look
from tests.kernel.segments import Seen
from tests.kernel.two_kernels import ANYTHING

A, B = 0, 1
ENGINE = PlainEngine(model_of("linux", ANYTHING))
FIN, FIN_BACK = Seen("F.", 1, 0, 1), Seen("F.", 1, 0, 2)
ACK, LAST_ACK = Seen(".", 1, 0, 2), Seen(".", 2, 0, 2)
TEXT = Seen(".", 1, 100, 1)
Flying = tuple[Seen, ...]


def look(at: float, done: Done | None, states: str, to_a: Flying = (), to_b: Flying = ()) -> Look:
    """Return how all looks after something was done; states as A and B, with a space between."""
    a, b = states.split()
    return Look(at, done, (a, b), (to_a, to_b), 0)


def calls(end: int, event: Event) -> Done:
    return Done(end, event.words, None)


def passes(end: int, seg: Seen, event: Event = Event.SEGMENT_ARRIVES) -> Done:
    """Return that something befalls a segment on its way to an end."""
    return Done(end, event.words, seg)


CLOSE = [
    look(0.0, None, "ESTABLISHED ESTABLISHED"),
    look(0.1, calls(A, Event.CLOSE), "FIN_WAIT_1 ESTABLISHED", to_b=(FIN,)),
    look(0.2, passes(B, FIN), "FIN_WAIT_1 CLOSE_WAIT"),
    look(0.3, None, "FIN_WAIT_1 CLOSE_WAIT", to_a=(ACK,)),
    look(0.4, passes(A, ACK), "FIN_WAIT_2 CLOSE_WAIT"),
    look(0.5, calls(B, Event.CLOSE), "FIN_WAIT_2 LAST_ACK", to_a=(FIN_BACK,)),
    look(0.6, passes(A, FIN_BACK), "TIME_WAIT LAST_ACK", to_b=(LAST_ACK,)),
    look(0.7, passes(B, LAST_ACK), "TIME_WAIT CLOSED"),
]
"""A close in order; B's ACK of the FIN is delayed."""
RETRANSMITTED = [
    look(0.0, None, "ESTABLISHED ESTABLISHED"),
    look(0.1, calls(A, Event.SEND), "ESTABLISHED ESTABLISHED", to_b=(TEXT,)),
    look(0.2, passes(B, TEXT, Event.SEGMENT_IS_LOST), "ESTABLISHED ESTABLISHED"),
    look(0.4, None, "ESTABLISHED ESTABLISHED", to_b=(TEXT,)),
    look(0.5, calls(A, Event.CLOSE), "FIN_WAIT_1 ESTABLISHED", to_b=(TEXT,)),
]
"""Text is sent again, and then a FIN has to wait for the congestion window."""


def follow(log: list[Look], told: tuple[str | None, str | None] = (None, None)) -> Followed:
    return Follower(ENGINE, (0, 0), allows=False).follow(log, told)


def changed(number: int, **columns: object) -> list[Look]:
    """Return the close with one look changed."""
    log = list(CLOSE)
    log[number] = log[number]._replace(**columns)  # type: ignore[arg-type]  # fields of a look
    return log


def test_a_close_is_followed_to_its_end_with_what_both_ends_have_shown() -> None:
    one = follow(CLOSE)
    assert (8, None, "") == (one.looks, one.departs_at, one.stopped)
    assert ["close", "fin_acked_in_fin_wait_1", "fin_in_fin_wait_2"] == [
        rule.name for made in one.confirmed[A] for rule in made.rules if rule.to is not None
    ]
    assert (4, 0) == (one.relayed["SEGMENT ARRIVES"], one.relayed["SEGMENT IS LOST"])
    assert ("FIN_WAIT_2", "LAST_ACK") in one.pairs


@pytest.mark.parametrize(
    ("number", "columns"),
    [
        pytest.param(2, {"states": ("FIN_WAIT_1", "ESTABLISHED")}, id="a FIN that is not taken"),
        pytest.param(4, {"states": ("CLOSED", "CLOSE_WAIT")}, id="an end that is gone too early"),
        pytest.param(6, {"inbound": ((), ())}, id="a FIN that is not answered"),
        pytest.param(6, {"inbound": ((), (ACK,))}, id="an answer with another number"),
        pytest.param(7, {"inbound": ((LAST_ACK,), ())}, id="an ACK that nothing asks for"),
        pytest.param(7, {"states": ("CLOSED", "CLOSED")}, id="TIME-WAIT that is over at once"),
        pytest.param(5, {"error": "Broken pipe"}, id="a call that fails"),
    ],
)
def test_what_no_step_explains_is_a_departure(number: int, columns: dict[str, object]) -> None:
    assert number == follow(changed(number, **columns)).departs_at


@pytest.mark.parametrize(("seconds", "departs"), [(0.5, True), (1.5, False)])
def test_an_orphan_in_fin_wait_2_goes_only_once_its_timer_can_have_gone_off(
    seconds: float, departs: bool
) -> None:
    gone = look(0.4 + seconds, None, "CLOSED CLOSE_WAIT")
    assert departs == (follow([*CLOSE[:5], gone]).departs_at is not None)


@pytest.mark.parametrize(("timeout_ms", "departs"), [(0, True), (300, False)])
def test_an_end_gives_up_only_where_it_has_a_user_timeout(timeout_ms: int, departs: bool) -> None:
    log = [*CLOSE[:2], look(0.6, None, "CLOSED ESTABLISHED", to_b=(FIN,))]
    one = Follower(ENGINE, (timeout_ms, 0), allows=False).follow(log, (None, None))
    assert departs == (one.departs_at is not None)


@pytest.mark.parametrize(("told", "departs"), [("", False), ("Connection reset by peer", True)])
def test_what_the_user_is_told_at_the_end_counts(told: str, departs: bool) -> None:
    assert departs == (follow(CLOSE[:5], (None, told)).departs_at is not None)


def test_a_call_that_the_model_does_not_have_stops_the_run_and_is_no_departure() -> None:
    again = look(0.6, calls(B, Event.CLOSE), "FIN_WAIT_2 LAST_ACK", to_a=(FIN_BACK,))
    one = follow([*CLOSE[:6], again])
    assert ("CLOSE is not possible for B", None) == (one.stopped, one.departs_at)


def test_what_is_known_beside_the_model_is_allowed_only_if_asked_and_counted() -> None:
    assert 4 == follow(RETRANSMITTED).departs_at
    one = Follower(ENGINE, (0, 0), allows=True).follow(RETRANSMITTED, (None, None))
    assert (None, {CONGESTION: 1}) == (one.departs_at, dict(one.allowed))
