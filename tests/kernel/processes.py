"""The players as processes of their own: what they say, and why they may not play here."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

from tests.command_line import ROOT, environment
from tests.kernel.player import NOT_PERMITTED

SECONDS_MAX = 300


def said_by(player: str, scripts: str) -> list[str]:
    """Return the lines that a player of this folder writes about scripts, one a line."""
    done = _done(player, scripts)
    if done.returncode:
        raise RuntimeError(f"the player ended with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


@cache
def refusal(player: str) -> str:
    """Return why this machine does not let a player play, or "" if it does."""
    if not sys.platform.startswith("linux"):
        return f"the kernel of {sys.platform} is not Linux"
    done = _done(player, "")
    if done.returncode == 0:
        return ""
    told = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return told[-1] if done.returncode == NOT_PERMITTED else f"the player fails: {told[-1]}"


def _done(player: str, scripts: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tests.kernel.{player}"],
        input=scripts,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=SECONDS_MAX,
        check=False,
    )
