"""How far a check has come, on a terminal and in a log."""

from __future__ import annotations

import os
import pty
import sys
from contextlib import suppress

import pytest

from properties.check import check
from reports.progress import stage_line, watched
from tcpclose_model.limits import Stage
from tcpclose_model.variants.catalogue import MODELS

MEBI = 1 << 20
SEARCHING = Stage(7, 12_000, 340, 96 * MEBI)


def test_a_line_tells_depth_states_frontier_rate_and_memory() -> None:
    expected = "depth 7, 12,000 states, 340 to expand, 6,000 states/s, 96 MiB"
    assert expected == stage_line(SEARCHING, 2.0)


def test_a_line_tells_which_property_is_judged() -> None:
    stage = SEARCHING._replace(judging="no_deadlock")
    assert "judging no_deadlock over 12,000 states, 96 MiB" == stage_line(stage, 2.0)


def test_a_check_tells_of_its_search_and_then_of_each_property() -> None:
    stages: list[Stage] = []
    names = ("no_deadlock", "both_eventually_closed")
    result = check(MODELS["rfc9293"], only=names, progress=stages.append)
    judged = [stage.judging for stage in stages if stage.judging]
    assert [verdict.property.name for verdict in result.verdicts] == judged
    assert not stages[0].judging
    assert len(result.space) == stages[-1].states


def test_a_log_has_a_plain_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter([100.0, 109.0, 110.5, 111.0, 120.5])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    with watched("mine") as tell:
        for _ in range(4):
            tell(SEARCHING)
    lines = capsys.readouterr().err.splitlines()
    assert ["mine: 10 s:", "mine: 20 s:"] == [line[:11] for line in lines]
    assert stage_line(SEARCHING, 10.5) in lines[0]
    assert stage_line(SEARCHING, 20.5) in lines[1]


def written(terminal: int) -> str:
    """Return all that has been written to a pseudo-terminal whose other side is closed."""
    parts = []
    with suppress(OSError):  # EIO, which is how the end is told
        while part := os.read(terminal, 1 << 16):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def test_a_terminal_has_one_line_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with watched("mine") as tell:
            tell(SEARCHING)
    shown = written(ours)
    assert "\r" in shown
    assert "depth 7" in shown
