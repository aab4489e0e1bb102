"""How a close ended, said so that an operator can act on it; and states that a queued FIN hides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_conform import BEFORE, CLOSE, judged
from tests.wire import ACK, FIN, RST, Sent

RESETS = {
    "A aborted instead of closing: text unread, SO_LINGER 0, or a timeout": (
        Sent(0, 101, 301, RST | ACK),
    ),
    "B aborted instead of closing after A's FIN: text unread, or SO_LINGER 0": (
        *CLOSE[:2],
        Sent(1, 301, 102, RST | ACK),
    ),
    "A had sent its FIN, and did not wait for B's any longer": (
        *CLOSE[:2],
        Sent(0, 102, 301, RST | ACK),
    ),
    "A had closed already, and text of B came that nobody will read; not acknowledged, so perhaps "
    "lost: 50 octets of B": (
        *CLOSE[:2],
        Sent(1, 301, 102, ACK, 50),
        Sent(0, 102, 0, RST),
    ),
    "both had sent their FIN, and A no longer knew the connection, or gave up": (
        *CLOSE[:3],
        Sent(0, 102, 0, RST),
    ),
    "B knew no such connection any more (restarted, timed out), or a firewall did it; not "
    "acknowledged, so perhaps lost: 50 octets of A": (
        Sent(0, 101, 301, ACK, 50),
        Sent(1, 301, 0, RST),
    ),
    "A answered a later segment with a RST, nothing is lost": (
        *CLOSE,
        CLOSE[2],
        Sent(0, 102, 0, RST),
    ),
}


@pytest.mark.parametrize("told", RESETS)
def test_a_reset_is_told_with_its_reason_and_what_is_lost(told: str, tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *RESETS[told])
    assert "conforms" == seen["verdict"]
    assert seen["ended"].endswith(f"; {told}")


def test_an_answer_from_a_host_that_is_done_leaves_the_close_as_it_was(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *CLOSE, CLOSE[2], Sent(0, 102, 0, RST))
    assert seen["ended"].startswith("A closed first and waits in TIME-WAIT; B is CLOSED once")


def test_who_closed_first_is_not_guessed_from_which_fin_was_captured(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *CLOSE[1:])
    assert seen["ended"].startswith("A closed first and waits in TIME-WAIT")
    seen = judged(tmp_path, *BEFORE, CLOSE[3], Sent(1, 302, 102))
    assert "who closed first was not captured" in seen["ended"]


def test_a_close_of_many_packets_is_told_whole(tmp_path: Path) -> None:
    texts = [Sent(1, 301 + 10 * n, 102, ACK, 10) for n in range(300)]
    last = (Sent(1, 3301, 102, FIN | ACK), Sent(0, 102, 3302))
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2], *texts, *last)
    assert seen["ended"].startswith("A closed first and waits in TIME-WAIT; B is CLOSED once")


CROSSED = (
    Sent(0, 101, 301, ACK, 1000),
    Sent(1, 301, 101, FIN | ACK),
    Sent(0, 1101, 302, ACK, 1000),
    Sent(1, 302, 1101),
    Sent(0, 2101, 302, FIN | ACK),
)


def test_a_fin_queued_behind_text_may_have_crossed_the_peers(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *CROSSED)
    assert ["CLOSING", "LAST_ACK"] == seen["states"]["A"]
    seen = judged(tmp_path, *BEFORE, *CROSSED, Sent(1, 302, 2102))
    assert {"LAST_ACK", "CLOSED", "CLOSING", "TIME_WAIT"} == set(seen["states"]["A"])
    assert "or in TIME-WAIT, too, if it had closed before" in seen["ended"]


def test_a_fin_that_waits_for_the_ack_of_what_was_lost_may_have_crossed_the_peers(
    tmp_path: Path,
) -> None:
    text = Sent(1, 301, 101, ACK, 100)
    close = (
        Sent(0, 101, 401, FIN | ACK),
        Sent(1, 401, 102),
        Sent(1, 401, 102, FIN | ACK),
        Sent(0, 102, 402),
    )
    seen = judged(tmp_path, *BEFORE, text, text, *close)
    assert {"LAST_ACK", "CLOSED", "CLOSING", "TIME_WAIT"} == set(seen["states"]["B"])
    seen = judged(tmp_path, *BEFORE, text, *close)
    assert {"LAST_ACK", "CLOSED"} == set(seen["states"]["B"])


def test_a_fin_may_wait_for_an_ack_that_is_captured_and_under_way(tmp_path: Path) -> None:
    text, fin = Sent(0, 101, 301, ACK, 100), Sent(1, 301, 201, FIN | ACK)
    assert "FIN_WAIT_1" in judged(tmp_path, *BEFORE, text, text, fin)["states"]["A"]
    assert "FIN_WAIT_1" not in judged(tmp_path, *BEFORE, text, fin)["states"]["A"]
    new = Sent(0, 201, 301, ACK, 100), Sent(1, 301, 301, FIN | ACK)
    assert "FIN_WAIT_1" not in judged(tmp_path, *BEFORE, text, text, *new)["states"]["A"]


def test_text_that_was_sent_again_leaves_open_whether_its_sender_has_closed(
    tmp_path: Path,
) -> None:
    text, ack = Sent(1, 301, 102, ACK, 100), Sent(0, 102, 401)
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2], text, text, ack)
    assert ["CLOSE_WAIT", "LAST_ACK"] == sorted(seen["states"]["B"])
    assert "its FIN waits for the ACK of text that it sent again (LAST-ACK)" in seen["ended"]
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2], text, ack)
    assert ["CLOSE_WAIT"] == seen["states"]["B"]


def test_an_end_that_a_reset_has_not_reached_may_close_behind_its_text(tmp_path: Path) -> None:
    reset, text = Sent(0, 101, 301, RST | ACK), Sent(1, 301, 101, ACK, 100)
    assert ["ESTABLISHED", "CLOSED"] == judged(tmp_path, *BEFORE, reset)["states"]["B"]
    states = judged(tmp_path, *BEFORE, reset, text)["states"]["B"]
    assert {"ESTABLISHED", "FIN_WAIT_1", "CLOSED"} == set(states)


def test_an_end_that_was_idle_when_the_fin_came_had_nothing_queued(tmp_path: Path) -> None:
    answer = (Sent(1, 301, 102, ACK, 1000), Sent(0, 102, 1301), Sent(1, 1301, 102, FIN | ACK))
    assert ["LAST_ACK"] == judged(tmp_path, *BEFORE, *CLOSE[:2], *answer)["states"]["B"]


def test_an_end_with_text_under_way_may_have_closed_behind_it(tmp_path: Path) -> None:
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2], Sent(1, 301, 102, ACK, 1000))
    assert ["CLOSE_WAIT", "LAST_ACK"] == sorted(seen["states"]["B"])
    assert "B has received A's FIN and is not done sending: 1,000 octets" in seen["ended"]


def test_a_reset_may_find_a_fin_that_is_queued(tmp_path: Path) -> None:
    text = Sent(1, 301, 102, ACK, 1000)
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2], text, Sent(0, 102, 0, RST))
    assert {"CLOSE_WAIT", "LAST_ACK", "CLOSED"} == set(seen["states"]["B"])


def test_a_window_that_is_shut_is_named(tmp_path: Path) -> None:
    shut = "A's window is zero, its application does not read: B can send no text, and no FIN"
    text = Sent(1, 301, 102, ACK, 1000)
    seen = judged(tmp_path, *BEFORE, *CLOSE[:2], text, Sent(0, 102, 1301, window=0))
    assert "LAST_ACK" in seen["states"]["B"]
    assert shut in seen["ended"]
    seen = judged(tmp_path, *BEFORE, Sent(0, 101, 301, window=0))
    assert {"A": ["ESTABLISHED"], "B": ["ESTABLISHED", "FIN_WAIT_1"]} == seen["states"]
    assert shut in seen["ended"]
