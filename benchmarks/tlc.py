"""TLC as a contender, on the exported module; it stores a 64-bit fingerprint of each state."""

from __future__ import annotations

import os
import re
from pathlib import Path

from benchmarks.contender import Contender, Found, Ready
from benchmarks.instances import Instance
from benchmarks.missing import Failed, Missing

STATES_MAX = 2_000_000
NAME = "fixed_instance"


def contenders() -> list[Contender]:
    """Return TLC with one worker for each core."""
    name = f"TLC, exported, {_cores()} workers"
    return [Contender(name, _prepare, _read, states_max=STATES_MAX)]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _prepare(instance: Instance, folder: Path) -> Ready:
    try:
        from reports.exports.tla import exported_model
        from tests.tlc import JAR, JAVA, MISSING, with_claims
    except ImportError as error:
        raise Missing(f"the export to TLA+ cannot be loaded: {error}") from None
    if MISSING:
        raise Missing(f"not installed: {MISSING}")
    exported = exported_model(instance.model, name=NAME)
    (folder / f"{NAME}.tla").write_text(exported.module, encoding="utf-8")
    # Only the graph is asked for, as of everyone else: no claims.
    configuration = with_claims(exported.configurations[""], ())
    (folder / "graph.cfg").write_text(configuration, encoding="utf-8")
    virtual_machine = (str(JAVA), "-XX:+UseParallelGC", f"-Djava.io.tmpdir={folder}")
    what = ("-cp", str(JAR), "tlc2.TLC", "-deadlock", "-checkpoint", "0", "-config", "graph.cfg")
    how = ("-workers", str(_cores()), "-metadir", str(folder / "meta"), f"{NAME}.tla")
    return Ready((*virtual_machine, *what, *how), folder)


def _read(output: str) -> Found:
    """Return TLC's counts; it counts the initial state as generated."""
    counts = re.findall(r"(\d+) states generated, (\d+) distinct states found", output)
    if not counts or "No error has been found" not in output:
        raise Failed(f"TLC stopped: {output.strip().splitlines()[-1]}")
    generated, states = counts[-1]
    return Found(int(states), int(generated) - 1)
