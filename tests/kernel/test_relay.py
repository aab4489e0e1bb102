"""Two kernels of this machine with a relay between them, against the model of both.

Skipped, with the reason, where it may not be.  Measured on Linux 6.18: what the kernels do that no
step of the model explains, and for no reason that is known, fails these tests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tcpclose_model.protocol.vocabulary import Event, Segment
from tests.kernel.departures import (
    ACK_RIDES,
    ALLOWED,
    ALLOWED_AS_THEY_ARE,
    CONGESTION,
    FINAL_ACK,
    LAST_ACK_SENT,
    NOT_THE_OLDEST,
    SENT_WITHIN,
    UNSEEN_THROUGH_RELAY,
)
from tests.kernel.following import Followed
from tests.kernel.plans import SMALL_MSS, WHOLE_MSS
from tests.kernel.relay_captures import verdicts
from tests.kernel.relayed import Wish, not_permitted
from tests.kernel.schedule import Intent
from tests.kernel.two_kernels import (
    AS_THEY_ARE,
    BY_PLAN,
    PART,
    WHOLE,
    Runs,
    compared,
    pairs_planned,
    played,
    played_by_suite,
    rows_planned,
    suites,
)

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(bool(not_permitted()), reason=not_permitted() or "it is permitted"),
]
RANDOM_COUNT = 100
A, B = 0, 1
FIN = Segment(0, 0, fin=1)


def does(end: int, event: Event, segment: Segment | None = None) -> Intent:
    """Return what a plan has an end do."""
    return Intent(end, event, segment)


def arrives(end: int, *numbers: int) -> Intent:
    """Return the arrival at an end of a segment with these numbers: seq, ack, text, FIN."""
    return Intent(end, Event.SEGMENT_ARRIVES, Segment(*numbers))


def lost(end: int, *numbers: int) -> Intent:
    """Return the loss of a segment on its way to an end."""
    return Intent(end, Event.SEGMENT_IS_LOST, Segment(*numbers))


def states(*plan: Intent) -> list[tuple[str, str]]:
    """Return the pairs of states that the kernels go through in a plan, each once in a row."""
    ((run, one),) = played([Wish("one", plan, mss=SMALL_MSS)])
    assert ("", None, "") == (run.failure, one.departure, one.stopped)
    pairs = [look.states for look in run.log]
    return [pair for n, pair in enumerate(pairs) if n == 0 or pair != pairs[n - 1]]


def test_a_lost_fin_is_sent_again_and_the_close_ends_in_time_wait_and_closed() -> None:
    assert [
        ("ESTABLISHED", "ESTABLISHED"),
        ("FIN_WAIT_1", "ESTABLISHED"),
        ("FIN_WAIT_1", "CLOSE_WAIT"),
        ("FIN_WAIT_1", "LAST_ACK"),
        ("TIME_WAIT", "LAST_ACK"),
        ("TIME_WAIT", "CLOSED"),
    ] == states(
        does(A, Event.CLOSE),
        lost(B, 0, 0, 0, 1),
        does(A, Event.RETRANSMISSION_TIMEOUT),
        arrives(B, 0, 0, 0, 1),
        does(B, Event.CLOSE),
        arrives(A, 0, 1, 0, 1),
        arrives(B, 1, 1),
    )


def test_fins_that_cross_lead_through_closing() -> None:
    assert ("CLOSING", "CLOSING") in states(
        does(A, Event.CLOSE), does(B, Event.CLOSE), arrives(A, 0, 0, 0, 1), arrives(B, 0, 0, 0, 1)
    )


def test_a_fin_that_overtakes_the_text_before_it_waits_for_it() -> None:
    assert [
        ("ESTABLISHED", "ESTABLISHED"),
        ("FIN_WAIT_1", "ESTABLISHED"),
        ("FIN_WAIT_1", "CLOSE_WAIT"),
    ] == states(
        does(A, Event.SEND), does(A, Event.CLOSE), arrives(B, 1, 0, 0, 1), arrives(B, 0, 0, 1)
    )[:3]


@pytest.mark.parametrize(("reads", "sent"), [((), ["R. 2 ack 102"]), (("RECEIVE",), [])])
def test_an_abort_in_last_ack_resets_if_text_is_unread(
    reads: tuple[str, ...], sent: list[str]
) -> None:
    plan = (
        does(A, Event.SEND),
        arrives(B, 0, 0, 1),
        *(does(B, Event[name]) for name in reads),
        does(A, Event.CLOSE),
        arrives(B, 1, 0, 0, 1),
        does(B, Event.SHUTDOWN),
        does(B, Event.ABORT),
    )
    ((run, one),) = played([Wish("one", plan, mss=SMALL_MSS)])
    at = next(n for n, look in enumerate(run.log) if look.done and look.done.event == "ABORT")
    before, after = run.log[at - 1], run.log[at]
    assert (None, "LAST_ACK", "CLOSED") == (one.departure, before.states[B], after.states[B])
    assert sent == [str(seg) for seg in after.inbound[A][len(before.inbound[A]) :]]


TEXT, SECOND, THIRD = (0, 0, 1), (1, 0, 1), (2, 0, 1)
BESIDES: dict[str, tuple[int, tuple[Intent, ...]]] = {
    CONGESTION: (
        SMALL_MSS,
        (
            does(A, Event.SEND),
            lost(B, *TEXT),
            does(A, Event.RETRANSMISSION_TIMEOUT),
            does(A, Event.CLOSE),
        ),
    ),
    LAST_ACK_SENT: (
        SMALL_MSS,
        (
            does(A, Event.SEND),
            arrives(B, *TEXT),
            does(B, Event.DELAYED_ACK_TIMEOUT),
            does(A, Event.SEGMENT_IS_DUPLICATED, Segment(0, 1)),
            does(B, Event.SEND),
            arrives(A, 0, 1),
            arrives(A, 0, 1, 1),
            arrives(A, 0, 1),
        ),
    ),
    NOT_THE_OLDEST: (
        WHOLE_MSS,
        (
            does(A, Event.SEND),
            arrives(B, *TEXT),
            does(B, Event.DELAYED_ACK_TIMEOUT),
            does(A, Event.SEND),
            does(A, Event.CLOSE),
            lost(B, *SECOND),
            lost(B, 2, 0, 0, 1),
            does(A, Event.RETRANSMISSION_TIMEOUT),
            arrives(A, 0, 1),
        ),
    ),
    SENT_WITHIN: (
        WHOLE_MSS,
        (
            does(A, Event.SEND),
            arrives(B, *TEXT),
            does(B, Event.SEND),
            does(A, Event.SEND),
            does(A, Event.SEND),
            lost(B, *SECOND),
            lost(B, *THIRD),
            does(A, Event.RETRANSMISSION_TIMEOUT),
            arrives(A, 0, 1, 1),
        ),
    ),
    ACK_RIDES: (
        SMALL_MSS,
        (
            does(A, Event.SEND),
            does(B, Event.SEND),
            arrives(A, *TEXT),
            does(A, Event.DELAYED_ACK_TIMEOUT),
            lost(B, 1, 1),
            does(A, Event.RETRANSMISSION_TIMEOUT),
            does(A, Event.CLOSE),
            lost(A, *TEXT),
            arrives(B, *TEXT),
            lost(B, 0, 1, 1),
            lost(A, 1, 1),
            does(B, Event.RETRANSMISSION_TIMEOUT),
            arrives(A, 0, 1, 1),
        ),
    ),
    FINAL_ACK: (
        WHOLE_MSS,
        (
            does(A, Event.SEND),
            lost(B, *TEXT),
            does(A, Event.SEND),
            arrives(B, *SECOND),
            does(A, Event.CLOSE),
            arrives(B, 2, 0, 0, 1),
            does(A, Event.RETRANSMISSION_TIMEOUT),
            arrives(B, *TEXT),
        ),
    ),
}
"""By reason the size of segments, and a plan that leads to what the profile does not have."""


@cache
def besides() -> dict[str, Followed]:
    """Return what came of these plans."""
    wishes = [
        Wish(why, plan, mss=mss, units=3 if mss == WHOLE_MSS else 1, reads_at_once=True)
        for why, (mss, plan) in BESIDES.items()
    ]
    return {run.wish.name: one for run, one in played(wishes)}


@pytest.mark.parametrize("why", ALLOWED)
def test_what_the_profile_does_not_have_is_known_by_its_reason(why: str) -> None:
    one = besides()[why]
    assert (None, "") == (one.departure, one.stopped)
    assert why in one.allowed


@cache
def all_runs() -> dict[str, Runs]:
    """Return what came of all runs, by suite."""
    return played_by_suite(suites(RANDOM_COUNT))


@pytest.mark.parametrize("name", [BY_PLAN, PART, WHOLE])
def test_runs_are_runs_of_the_model_but_for_what_is_known(name: str) -> None:
    came = compared(all_runs()[name])
    assert ({}, {}, {}) == (came.failures, came.stopped, came.departures)
    assert set(came.allowed) <= set(ALLOWED)


@pytest.mark.parametrize("name", [BY_PLAN + AS_THEY_ARE, PART + AS_THEY_ARE])
def test_runs_of_kernels_with_their_defaults_are_too_but_for_more_that_is_known(name: str) -> None:
    came = compared(all_runs()[name])
    assert ({}, {}, {}) == (came.failures, came.stopped, came.departures)
    assert set(came.allowed) <= set(ALLOWED_AS_THEY_ARE)


def test_the_kernels_show_all_that_plans_have_either_end_do_but_for_what_is_known() -> None:
    came = compared([run for runs in all_runs().values() for run in runs])
    assert pairs_planned() == came.pairs
    assert rows_planned() - came.rows <= set(UNSEEN_THROUGH_RELAY)


def test_all_closes_end_but_for_what_is_known_to_wait_longer() -> None:
    came = compared([run for runs in all_runs().values() for run in runs])
    assert came.ended > 0.98 * came.runs


@pytest.mark.parametrize("name", [BY_PLAN, PART, WHOLE])
def test_no_capture_of_the_relay_deviates_but_for_what_is_known(name: str, tmp_path: Path) -> None:
    runs = [run for run, _ in all_runs()[name]]
    found = verdicts(runs, tmp_path / "relay.pcap")
    assert [] == found.wrong
    assert found.counts["conforms"] > 0.9 * len(runs)
    assert found.states > 5 * len(runs)
