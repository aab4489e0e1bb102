"""The kernel of this machine against the model; skipped, with the reason, where it may not be.

Pinned on Linux 6.18: a departure that is new fails these tests, and so does one that is gone.
"""

from __future__ import annotations

import pytest

from tests.kernel.comparison import (
    SUITES,
    explained_by,
    not_permitted,
    of_linux,
    of_the_standard,
    play,
)
from tests.kernel.departures import DEPARTURES, FROM_THE_STANDARD, UNSEEN
from tests.kernel.steps import Noted

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(bool(not_permitted()), reason=not_permitted() or "it is permitted"),
]


def event(name: str, state: str, **columns: object) -> dict[str, object]:
    """Return an event of a script."""
    said: dict[str, object] = {"event": name, "state": state, "arrives": None, "sends": None}
    return {**said, "reads": 0, **columns}


def segment(flags: str, seq: int, ack: int | None, length: int = 0) -> dict[str, object]:
    return {"flags": flags, "seq": seq, "length": length, "ack": ack}


def seen(*script: dict[str, object]) -> list[tuple[str, list[str]]]:
    """Return the states, and what was sent, after each event of a script."""
    (played,) = play({"one": script})
    assert "" == played.failure
    return [(noted.state, [str(seg) for seg in noted.sent]) for noted in played.log]


def test_a_close_that_the_peer_answers_ends_in_time_wait() -> None:
    assert [
        ("FIN_WAIT_1", ["F. 1 ack 1"]),
        ("FIN_WAIT_2", []),
        ("TIME_WAIT", [". 2 ack 2"]),
    ] == seen(
        event("CLOSE", "FIN_WAIT_1"),
        event("SEGMENT ARRIVES", "FIN_WAIT_2", arrives=segment(".", 1, 2)),
        event("SEGMENT ARRIVES", "TIME_WAIT", arrives=segment("F.", 1, 2)),
    )


def test_text_waits_until_the_script_lets_it_be_sent() -> None:
    text = segment(".", 1, 1, 100)
    assert [
        ("ESTABLISHED", []),
        ("ESTABLISHED", [". 1(100) ack 1"]),
        ("ESTABLISHED", []),
    ] == seen(
        event("SEND", "ESTABLISHED"),
        event("TRANSMIT", "ESTABLISHED", sends=text),
    )


def test_what_the_user_is_told_of_a_reset_is_seen_at_the_end() -> None:
    (played,) = play({"one": [event("SEGMENT ARRIVES", "CLOSED", arrives=segment("R", 1, None))]})
    assert Noted(1, (), "CLOSED", "Connection reset by peer") == played.log[-1]


def test_many_scripts_are_played_side_by_side_and_none_sees_another() -> None:
    script = [event("CLOSE", "FIN_WAIT_1"), event("RETRANSMISSION TIMEOUT", "FIN_WAIT_1")]
    fin = segment("F.", 1, 1)
    script[1]["sends"] = fin
    logs = [one.log for one in play({str(number): script for number in range(20)})]
    assert 20 == len(logs)
    assert all(log == logs[0] for log in logs)
    assert ["F. 1 ack 1"] == [str(seg) for seg in logs[0][1].sent]


@pytest.mark.parametrize("name", SUITES)
def test_the_kernel_does_what_its_profile_does_but_for_what_is_known(name: str) -> None:
    came = of_linux(name)
    known = {one for one, pin in DEPARTURES.items() if name in pin.suites}
    unseen = {one for one, pin in UNSEEN.items() if name in pin.suites}
    assert ({}, {}) == (came.failures, came.stopped)
    assert (known, unseen) == (set(came.departures), came.unseen)


def test_each_departure_from_the_standard_is_known_and_a_switch_of_the_profile() -> None:
    came = of_the_standard()
    found = {one: tuple(explained_by(run)) for one, run in came.departures.items()}
    assert found == FROM_THE_STANDARD
    assert all(found.values())
