"""Runs SPIN on a Promela text: a verifier is made, compiled and run in a folder of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

COMPILER = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
MISSING = ", ".join(
    name for name, path in (("spin", shutil.which("spin")), ("a C compiler", COMPILER)) if not path
)
"""What is needed and is not installed."""

SECONDS_MAX = 600
HASH_BITS_LEAST = 12


class Found(NamedTuple):
    """What SPIN reports: distinct states, transitions, errors (0 or 1: it stops at the first)."""

    states: int
    transitions: int
    errors: int
    text: str


def run(
    text: str,
    folder: Path,
    *,
    states: int,
    define: Sequence[str] = (),
    fast: bool = False,
    breadth_first: str = "",
) -> Found:
    """Return what SPIN finds in a Promela text.

    states: how many there are, about; define: macros of the text to define; fast: whether to have
    the verifier optimised (compiling then takes longer); breadth_first: "BFS", or "BFS_PAR" for the
    search in parallel, which must come to its end, or "" for depth first.
    """
    assert COMPILER is not None
    (folder / "model.pml").write_text(text, encoding="utf-8")
    names = [*define, *(["BREADTH_FIRST"] if breadth_first else [])]
    _done(folder, "spin", "-a", *(f"-D{name}" for name in names), "model.pml")
    level = "-O2" if fast else "-O0"
    search = [f"-D{breadth_first}"] if breadth_first else []
    _done(folder, COMPILER, level, "-w", "-DSAFETY", "-DNOREDUCE", *search, "-o", "pan", "pan.c")
    bits = max(states.bit_length(), HASH_BITS_LEAST) + 1
    deep = [] if breadth_first else [f"-m{states + 1_000}"]
    report = _done(folder, "./pan", *deep, f"-w{bits}")
    assert "max search depth too small" not in report, report
    numbers = [
        re.search(pattern, report)
        for pattern in (r"(\d+) states, stored", r"(\d+) transitions", r"errors: (\d+)")
    ]
    stored, transitions, errors = (int(found[1]) for found in numbers if found is not None)
    return Found(stored, transitions, errors, report)


def _done(folder: Path, *command: str) -> str:
    """Return what a command prints; AssertionError with it where it fails."""
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}"
    return result.stdout
