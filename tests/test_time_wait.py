"""How long TIME-WAIT must be: the threshold found by exploring, theory, and the command."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from properties.judge import judge
from properties.old_segments import OldSegments, opened
from properties.one_tick_more import continued
from properties.time_wait import (
    RESTARTS,
    Question,
    Threshold,
    no_reset_in_last_ack,
    threshold,
    time_wait_outlasts_last_ack,
)
from properties.verdict import Answer
from reports.ladder import ladder
from reports.replay import parse_ladder
from reports.time_wait import told
from tcpclose_model.protocol.vocabulary import CLOSED, LAST_ACK, NOTHING, TIME_WAIT, Event
from tcpclose_model.run import check_run
from tcpclose_model.search import explore
from tests.command_line import ROOT, refused, tcpclose

QUESTIONS = [
    Question(0, 1, (2,)),
    Question(0, 2, (5,)),
    Question(1, 1, (3,)),
    Question(1, 2, (5,)),
    Question(1, 1, (3,), slack=1),
    Question(2, 1, (3,)),
    Question(2, 1, (3, 6, 12)),
    Question(3, 1, (3, 6, 12, 24)),
    Question(0, 1, (2,), restart="nothing"),
    Question(1, 2, (4,), restart="nothing"),
    Question(1, 2, (5,), restart="nothing"),
    Question(1, 1, (3,), restart="any"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_a_time_wait_as_long_as_the_timeouts_and_the_lifetime_is_too_short(
    question: Question,
) -> None:
    found = threshold(question)
    assert question.formula == found.fails
    assert found.agrees


@pytest.mark.parametrize(
    ("losses", "timeouts", "longest"),
    [(0, (4,), 2), (1, (4,), 6), (3, (4,), 14), (3, (4, 8, 16), 30), (4, (4, 8), 30)],
)
def test_theory_adds_the_first_timeouts_to_the_lifetime(
    losses: int, timeouts: tuple[int, ...], longest: int
) -> None:
    assert longest == Question(losses, 2, timeouts).formula


def test_with_doubling_theory_is_a_power_of_two_less_one() -> None:
    for losses in range(6):
        doubling = tuple(3 << n for n in range(losses + 1))
        assert (2**losses - 1) * 3 + 2 == Question(losses, 2, doubling).formula


@pytest.mark.parametrize("question", QUESTIONS[:4], ids=str)
def test_the_claim_is_violated_at_the_threshold_and_holds_one_tick_above_and_further_up(
    question: Question,
) -> None:
    fails = threshold(question).fails
    assert fails is not None
    answers = [
        judge(explore(question.model(wait)), no_reset_in_last_ack).answer
        for wait in (fails, fails + 1, fails + 2, fails + 5)
    ]
    assert [Answer.VIOLATED, Answer.HOLDS, Answer.HOLDS, Answer.HOLDS] == answers


@pytest.mark.parametrize("question", QUESTIONS[:4], ids=str)
def test_from_the_top_on_every_length_outlasts_last_ack(question: Question) -> None:
    top = threshold(question).top
    answers = [
        judge(explore(question.model(wait)), time_wait_outlasts_last_ack).answer
        for wait in range(top + 4)
    ]
    assert [Answer.VIOLATED] * top + [Answer.HOLDS] * 4 == answers


def test_the_run_that_fails_ends_with_a_reset_in_last_ack_and_loses_no_more_than_allowed() -> None:
    question = Question(2, 1, (3, 6, 12))
    run = threshold(question).run
    assert run is not None
    check_run(run)
    before, after = run.states[-2:]
    assert (LAST_ACK, CLOSED) == (before.b.state, after.b.state)
    assert Event.TIME_WAIT_TIMEOUT in {step.action.event for step in run.steps}
    assert 2 == run.last.losses
    assert run == parse_ladder(ladder(run), run.model)


def test_a_literal_reading_needs_a_longer_time_wait_where_needless_fins_are_sent() -> None:
    # RFC 9293 3.10.7.4 taken word for word: a FIN that comes again does not restart 2MSL.
    found = {name: threshold(Question(1, 2, (4,), restart=name)).fails for name in RESTARTS}
    assert {"fin": 6, "nothing": 8, "any": 6} == found


def test_a_limit_that_is_hit_leaves_the_answer_unknown() -> None:
    found = threshold(Question(), lambda model: explore(model, max_states=50))
    assert "TIME-WAIT of 4: --max-states 50 was hit" == found.unknown
    assert (None, None) == (found.fails, found.run)


def test_a_bound_that_cuts_runs_off_leaves_the_answer_unknown() -> None:
    found = threshold(Question(settings=("bounds.retransmissions_max=0",)))
    assert "cut off by bounds.retransmissions_max" in found.unknown


def test_the_committed_page_and_its_small_figures_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_time_wait.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert "" == result.stderr
    assert 0 == result.returncode, "run: python docs/make_time_wait.py"


# The command ------------------------------------------------------------------------------------

ASKED = ("time-wait", "--losses", "2", "--msl", "1", "--rto", "3", "--backoff", "--no-notes")


def test_the_command_says_how_long_what_theory_says_and_the_run_one_tick_below() -> None:
    said = tcpclose(*ASKED)
    assert 0 == said.status
    assert "TIME-WAIT must last at least 11 ticks to survive 2 losses" == said.lines[0]
    assert "theory: more than RTO 3 + RTO 6 + MSL 1 = 10 ticks; it agrees" in said.lines
    assert "the shortest run that fails with a TIME-WAIT of 10 ticks: 22 steps" in said.lines
    text = said.out[said.out.index("ESTABLISHED ") : said.out.index("wrong:")]
    question = Question(2, 1, (3, 6, 12))
    assert threshold(question).run == parse_ladder(text, question.model(10))


def test_the_command_says_what_the_literal_reading_needs() -> None:
    said = tcpclose("time-wait", "--msl", "2", "--rto", "4", "--restart", "nothing", "--no-notes")
    assert "TIME-WAIT must last at least 9 ticks to survive 1 loss" == said.lines[0]
    assert "theory: more than RTO 4 + MSL 2 + MSL 2 = 8 ticks; it agrees" in said.lines


def test_a_report_says_where_theory_is_wrong() -> None:
    found = replace(threshold(Question(0, 1, (3,))), fails=5)
    assert any(line.endswith("= 1 tick; it DOES NOT AGREE") for line in told(found, "none"))


def test_the_command_is_unknown_where_a_limit_is_hit() -> None:
    said = tcpclose("time-wait", "--max-states", "50")
    assert 3 == said.status
    assert "unknown: TIME-WAIT of 4: --max-states 50 was hit" == said.lines[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--losses", "many"), ("--losses", "'many'")),
        (("--losses", "-1"), ("--losses", "-1")),
        (("--msl", "0"), ("--msl", "0")),
        (("--retransmissions", "2"), ("--retransmissions", "last-ack", "leave it out")),
        (("--question", "old-segments", "--losses", "1"), ("--losses", "old-segments")),
        (("--rto", "0"), ("--rto", "0")),
        (("--restart", "never"), ("--restart", "never")),
        (("--set", "network.capacity=1"), ("set network.capacity higher",)),
        (("--set", "time.wait=1"), ("no parameter 'time.wait'", "time.time_wait")),
    ],
)
def test_the_command_refuses_what_it_cannot_use(
    options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(tcpclose("time-wait", *options), *words)


def test_the_command_says_what_becomes_of_the_run_one_tick_above() -> None:
    said = tcpclose(*ASKED)
    start = said.lines.index("with 11 ticks TIME-WAIT is still there, and answers:")
    saved = parse_ladder("\n".join(said.lines[start + 1 :]), Question(2, 1, (3, 6, 12)).model(11))
    check_run(saved)
    assert (TIME_WAIT, CLOSED, NOTHING) == (
        saved.last.a.state,
        saved.last.b.state,
        saved.last.b.told,
    )


OLD = ("time-wait", "--question", "old-segments", "--no-notes")


def test_the_command_says_how_long_old_segments_need_and_a_run_on_either_side() -> None:
    said = tcpclose(*OLD, "--restart", "any")
    assert 0 == said.status
    answer = "TIME-WAIT must last at least 3 ticks so that no old segment changes a new connection"
    assert answer == said.lines[0]
    assert "theory: more than 2 MSL = 2 ticks; it agrees" in said.lines
    question = OldSegments(restart="any")
    wrong = said.lines.index(
        "wrong: a segment of the first connection has changed an end of the second"
    )
    first = said.lines.index("the shortest run that fails with a TIME-WAIT of 2 ticks: 14 steps")
    failing = parse_ladder("\n".join(said.lines[first + 1 : wrong]), question.model(2))
    saved = parse_ladder("\n".join(said.lines[wrong + 3 :]), question.model(3))
    assert (False, True) == (opened(failing.last), opened(saved.last))


def test_the_command_says_where_no_length_is_enough_for_old_segments() -> None:
    said = tcpclose(*OLD, "--restart", "any", "--set", "protocol.rfc1337=off")
    assert "no TIME-WAIT is long enough: an old segment does harm" == said.lines[0]
    assert Event.TIME_WAIT_TIMEOUT.words not in {line.strip() for line in said.lines}


def test_the_command_is_unknown_about_old_segments_where_a_limit_is_hit() -> None:
    said = tcpclose(*OLD, "--max-states", "50")
    assert 3 == said.status
    assert "unknown: TIME-WAIT of 4: --max-states 50 was hit" == said.lines[0]


def test_a_run_that_reaches_no_goal_in_the_other_model_is_none() -> None:
    run = threshold(Question(0, 1, (3,))).run
    assert run is not None
    assert continued(run, run.model, lambda state: False) is None


def test_an_answer_of_none_at_all_is_zero_ticks() -> None:
    found = Threshold(Question(), None, 0, None, "", 1, 1)
    assert 0 == found.enough
    assert "even a TIME-WAIT of 0 ticks is long enough" in list(told(found, "none"))
