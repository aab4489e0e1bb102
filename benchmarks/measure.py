"""Runs one program and measures it from outside: wall clock, processor time, memory."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.missing import Failed

KIB = 1024
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a program took: wall and processor seconds, peak bytes of its largest process."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def adopt_orphans() -> None:
    """Make this process the parent of its descendants' orphans, where the system can (Linux).

    SPIN's parallel search does not wait for its workers, so their time would be lost.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def measured(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    seconds_max: float = 3_600,
) -> Measured:
    """Return what a command took, run in a folder.

    All its processes are counted.  Raises Failed, with what it printed last, if it fails.
    """
    # A process starts with its parent's peak as its own, so this one must stay small.
    with tempfile.TemporaryFile() as file:
        before = _cpu_of_children()
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        timer = threading.Timer(seconds_max, _kill_group, [child.pid])
        timer.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except KeyboardInterrupt:
            _kill_group(child.pid)
            raise
        finally:
            timer.cancel()
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        peak = max([usage.ru_maxrss, *_orphans()])
        file.seek(0)
        output = file.read().decode(errors="replace")
    if child.returncode:
        raise Failed(f"{Path(command[0]).name} ended with {child.returncode}: {_reason(output)}")
    scale = 1 if sys.platform == "darwin" else KIB
    return Measured(wall, _cpu_of_children() - before, peak * scale, output)


def _reason(output: str) -> str:
    """Return the last line that speaks of an error, or else the last."""
    lines = output.strip().splitlines() or ["it printed nothing"]
    return ([line for line in lines if "Error" in line] or lines)[-1]


def _orphans() -> list[int]:
    """Wait for the processes that the command left behind; return the peak of each."""
    peaks = []
    while True:
        try:
            peaks.append(os.wait4(-1, 0)[2].ru_maxrss)
        except ChildProcessError:
            return peaks


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
