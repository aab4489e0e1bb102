"""SPIN as a contender: on the model written by hand, and on the exported one.

What it is given to be at its best: the verifier is compiled with -O3, for safety only, without
array bounds checks and without the compression that only liveness needs; its hash table has a
slot for each state from the start, and its stack is no deeper than it must be.  Partial-order
reduction is off, because it would explore another, smaller graph.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from benchmarks.contender import Contender, Found, Ready
from benchmarks.instances import Instance
from benchmarks.missing import Failed, Missing
from reports.exports.promela import promela

HAND_WRITTEN = Path(__file__).with_name("tcp_close.pml")
COMPILER = shutil.which("gcc") or shutil.which("cc")
MIB = 1 << 20

SAFETY = ("-DSAFETY", "-DNOREDUCE", "-DNOBOUNDCHECK", "-DNOCOMP")
LIVENESS = ("-DNOREDUCE", "-DNOBOUNDCHECK")
DEEPEST = 10_000
"""Steps of a run for which SPIN's stack has room; where they are too few, `read` says so."""

BREADTH_FIRST_MAX = 40_000_000
"""States; breadth-first, SPIN takes two to three times the memory for each."""

DEPTH_FIRST_MAX = 40_000_000
"""States; what is larger would take a quarter of an hour and more."""


def by_hand(instance: Instance) -> tuple[str, ...]:
    """Return the options of `spin` that make the hand-written model this instance."""
    bag, copies = int(instance.order == "any"), int(instance.duplication)
    parameters = {"D": instance.D, "K": instance.K, "R": instance.R, "BAG": bag, "DUP": copies}
    return tuple(f"-D{name}={value}" for name, value in parameters.items())


def generated(
    instance: Instance, folder: Path, *, exported: bool, define: tuple[str, ...] = ()
) -> None:
    """Put the source of a verifier into a folder; its counts will have all their digits."""
    if not shutil.which("spin"):
        raise Missing("spin is not installed")
    if not COMPILER:
        raise Missing("there is no C compiler")
    text = _exported(instance) if exported else HAND_WRITTEN.read_text(encoding="utf-8")
    (folder / "model.pml").write_text(text, encoding="utf-8")
    options = () if exported else by_hand(instance)
    options += tuple(f"-D{name}" for name in define)
    _done(["spin", "-a", *options, "model.pml"], folder)
    source = folder / "pan.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("%9.8g", "%.0f").replace("time %.3g", "time %.6g"))


@cache
def _exported(instance: Instance) -> str:
    return promela(instance.model)


def compiled(folder: Path, flags: tuple[str, ...], level: str) -> None:
    """Compile the verifier in a folder."""
    assert COMPILER is not None, "`generated` has looked for it"
    _done([COMPILER, level, "-w", *flags, "-o", "pan", "pan.c"], folder)


def contenders(level: str = "-O3") -> list[Contender]:
    """Return SPIN's searches: both models; depth first, breadth first, in parallel.

    level: how hard the C compiler tries.
    """
    cores = len(os.sched_getaffinity(0))

    def prepared(
        *flags: str, exported: bool, arguments: Callable[[Instance], tuple[str, ...]]
    ) -> Callable[[Instance, Path], Ready]:
        def prepare(instance: Instance, folder: Path) -> Ready:
            define = ("BREADTH_FIRST",) if flags and exported else ()
            generated(instance, folder, exported=exported, define=define)
            compiled(folder, (*SAFETY, *flags), level)
            return Ready(("./pan", *arguments(instance)), folder)

        return prepare

    found = []
    for name, exported in (("by hand", False), ("exported", True)):
        found += [
            Contender(
                f"SPIN, {name}, depth first",
                prepared(exported=exported, arguments=_deep),
                read,
                states_max=DEPTH_FIRST_MAX,
            ),
            Contender(
                f"SPIN, {name}, breadth first",
                prepared("-DBFS", exported=exported, arguments=_hashed),
                read,
                states_max=BREADTH_FIRST_MAX,
            ),
            Contender(
                f"SPIN, {name}, breadth first, {cores} cores",
                prepared("-DBFS_PAR", exported=exported, arguments=_parallel),
                read_parallel,
                states_max=BREADTH_FIRST_MAX,
            ),
        ]
    return found


def liveness_contenders(level: str = "-O3") -> list[Contender]:
    """Return SPIN's searches for a run in which not both ends reach CLOSED."""

    def prepared(*fair: str) -> Callable[[Instance, Path], Ready]:
        def prepare(instance: Instance, folder: Path) -> Ready:
            generated(instance, folder, exported=False, define=("LIVENESS",))
            # The fair search keeps a state once for each process and twice more.
            compiled(folder, LIVENESS if fair else (*LIVENESS, "-DNOFAIR"), level)
            return Ready(("./pan", "-a", *fair, *_deep(instance)), folder)

        return prepare

    return [
        Contender("SPIN, pan -a", prepared(), read_liveness),
        Contender("SPIN, pan -a -f (weak fairness)", prepared("-f"), read_liveness),
    ]


def _hashed(instance: Instance) -> tuple[str, ...]:
    return (f"-w{max(instance.states.bit_length(), 16)}",)


def _deep(instance: Instance) -> tuple[str, ...]:
    return (f"-m{DEEPEST}", *_hashed(instance))


def _parallel(instance: Instance) -> tuple[str, ...]:
    # Its hash table cannot grow, so it gets twice the slots.
    bits = max(instance.states.bit_length(), 16) + 1
    return (f"-u{len(os.sched_getaffinity(0))}", f"-w{bits}")


def read(output: str) -> Found:
    """Return what a verifier says; it counts the way to the initial state as a transition."""
    if "errors: 0" not in output:
        raise Failed(f"SPIN stopped: {_last_line(output)}")
    if "max search depth too small" in output:
        raise Failed("SPIN's stack is too small")
    states = _number(r"(\d+) states, stored", output)
    steps = _number(r"(\d+) transitions", output) - 1
    memory = re.search(r"([\d.]+)\s+(?:total actual )?memory usage(?: \(Mbyte\))?$", output, re.M)
    held = float(memory[1]) * MIB if memory else None
    return Found(int(states), int(steps), bytes=held)


def read_parallel(output: str) -> Found:
    """Return what a parallel verifier says, and how long its search took by its own clock.

    Its processes sleep for a second at their end, which would not be fair to count.
    """
    shared = _number(r"([\d.]+)\s+total shared memory usage", output)
    # In hundredths of a second: what takes less is measured from outside after all.
    seconds = _number(r"elapsed time ([\d.]+)", output) or None
    return replace(read(output), seconds=seconds, bytes=shared * MIB)


def read_liveness(output: str) -> Found:
    """Return the verdict; the search has its own states, so it has no counts to compare."""
    answer = "holds" if "errors: 0" in output else "violated"
    return replace(
        read(output) if answer == "holds" else Found(), states=None, steps=None, answer=answer
    )


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if found is None:
        raise Failed(f"SPIN's output has changed: no {pattern!r} in it")
    return float(found[1])


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("pan:", "error", "Error"))]
    return (lines or output.strip().splitlines() or ["it printed nothing"])[0]


def _done(command: list[str], folder: Path) -> None:
    """Run a command; raise Missing with its first error if it fails."""
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        said = (result.stdout + result.stderr).strip().splitlines()
        errors = [line for line in said if "rror" in line] or said or ["it printed nothing"]
        raise Missing(f"{Path(command[0]).name} fails: {errors[0].split('error: ')[-1]}")
