"""What a contender is: something that is asked for the graph of one instance, and measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.instances import Instance
from benchmarks.measure import measured
from benchmarks.missing import Failed, Missing

REPEATED_BELOW = 10.0
"""Seconds; what takes less is run again, and the fastest run counts."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a contender says of an instance.

    states, steps: its counts, or None where it has none of that kind; answer: its verdict on
    liveness, or "".  seconds, cpu_seconds: of the search alone, where it measures them itself;
    otherwise the process is measured.  compile_seconds: what it spent on compiling, beside those.
    bytes: what it holds the states in, where it tells.
    """

    states: int | None = None
    steps: int | None = None
    answer: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    compile_seconds: float = 0.0
    bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A command that only has to be run."""

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to explore an instance.

    prepare: makes it ready in an empty folder (export, generate, compile); raises Missing.
    read: what its output says; raises Missing where it has not finished.
    is_ours: whether it belongs to this project; states_max: the largest instance that it is given.
    """

    name: str
    prepare: Callable[[Instance, Path], Ready]
    read: Callable[[str], Found]
    is_ours: bool = False
    states_max: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Score:
    """What one contender took for one instance.

    missing: why it took nothing, or ""; failed: whether that is because it broke down.
    compile_seconds: of preparing and compiling; process_seconds: of its process, as seen from
    outside.
    """

    contender: Contender
    instance: Instance
    missing: str = ""
    failed: bool = False
    states: int | None = None
    steps: int | None = None
    answer: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    process_seconds: float = 0.0
    compile_seconds: float = 0.0
    bytes_a_state: float | None = None
    peak_bytes: int = 0


def score(contender: Contender, instance: Instance, folder: Path, repeats: int = 1) -> Score:
    """Return what a contender takes: the fastest of some runs, or of one if that is long."""
    blank = Score(contender, instance)
    if instance.states > contender.states_max:
        return replace(blank, missing=f"not run on more than {contender.states_max:,} states")
    folder.mkdir()
    began = time.perf_counter()
    try:
        ready = contender.prepare(instance, folder)
        prepared = time.perf_counter() - began
        best = _run(blank, ready, prepared)
        for _ in range(repeats - 1):
            if best.process_seconds < REPEATED_BELOW:
                best = min(best, _run(blank, ready, prepared), key=lambda one: one.seconds)
    except Missing as reason:
        return replace(blank, missing=str(reason), failed=isinstance(reason, Failed))
    return best


def _run(blank: Score, ready: Ready, prepared: float) -> Score:
    took = measured(ready.command, ready.folder, environment=ready.environment)
    found = blank.contender.read(took.output)
    return replace(
        blank,
        states=found.states,
        steps=found.steps,
        answer=found.answer,
        seconds=took.wall_seconds if found.seconds is None else found.seconds,
        cpu_seconds=took.cpu_seconds if found.cpu_seconds is None else found.cpu_seconds,
        process_seconds=took.wall_seconds,
        compile_seconds=prepared + found.compile_seconds,
        bytes_a_state=None if found.bytes is None else found.bytes / blank.instance.states,
        peak_bytes=took.peak_bytes,
    )


def disagreements(scores: list[Score]) -> list[str]:
    """Return a line for each contender whose counts or answer are not those of the others.

    One of ours that breaks down is among them; a peer may.
    """
    lines = []
    for one in scores:
        size = one.instance
        for what, mine, pinned in (
            ("states", one.states, size.states),
            ("steps", one.steps, size.steps),
        ):
            if mine is not None and mine != pinned:
                lines.append(
                    f"{one.contender.name} on {size.words}: {mine:,} {what}, not {pinned:,}"
                )
        others = {other.answer for other in scores if other.instance == size and other.answer}
        if one.answer and len(others) > 1:
            lines.append(f"{one.contender.name} on {size.words}: {one.answer}")
        if one.failed and one.contender.is_ours:
            lines.append(f"{one.contender.name} on {size.words}: {one.missing}")
    return lines
