"""Running the command line: in this process, which is fast, or in one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reports.cli import main

ROOT = Path(__file__).resolve().parent.parent
MODEL_FILES = ROOT / "tests" / "models"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left: its exit status and what it wrote to stdout and stderr."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout, without spaces at their ends."""
        return [line.rstrip() for line in self.out.splitlines()]


def tcpclose(*arguments: str | Path) -> Said:
    """Return what `tcpclose ARGUMENTS` says, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return Said(status, out.getvalue(), err.getvalue())


@cache
def once(*arguments: str) -> Said:
    """Return what a command says, run only once for all tests; for commands that write no file."""
    return tcpclose(*arguments)


def command_of(*arguments: str | Path) -> list[str]:
    """Return the words that start `tcpclose ARGUMENTS` as a process."""
    return [sys.executable, "-m", "tcpclose_model", *map(str, arguments)]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a process that finds the packages of this repository."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, **changes}


def process(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Said:
    """Return what `tcpclose ARGUMENTS` says, run as a process of its own."""
    result = subprocess.run(
        command_of(*arguments),
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        check=False,
        timeout=120,
    )
    out, err = (stream.decode("utf-8", "replace") for stream in (result.stdout, result.stderr))
    return Said(result.returncode, out, err)


def refused(said: Said, *words: str) -> None:
    """Assert that a command was refused as unusable: in one message with these words."""
    assert (2, "") == (said.status, said.out), said
    assert "Traceback" not in said.err, said.err
    missing = [word for word in words if word not in said.err]
    assert not missing, f"{missing} not in {said.err!r}"
