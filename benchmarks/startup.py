"""How long it takes from a command to an answer: with nothing compiled before, and again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import ours, spin, tlc
from benchmarks.contender import Contender
from benchmarks.instances import TINY
from benchmarks.measure import measured
from benchmarks.missing import Missing
from benchmarks.tables import NONE, number, table
from tcpclose_model.search import has_fast_engine


def lines(folder: Path, level: str, *, cold: bool) -> list[str]:
    """Return the table: seconds with nothing compiled beforehand, seconds when all is.

    cold: whether to measure what takes long, too: numba's kernels the first time, and TLC.
    """
    folder.mkdir()
    ways: list[tuple[str, Callable[[], tuple[float, float]]]] = [
        ("ours", lambda: _of_kernels(folder, cold=cold)),
        ("ours, without numba", _of_tables),
        ("SPIN, by hand", lambda: _of_peer(spin.contenders(level)[0], folder / "spin")),
    ]
    if cold:
        ways.append(("TLC, exported", lambda: _of_peer(tlc.contenders()[0], folder / "tlc")))
    rows = []
    for name, measure in ways:
        try:
            first, again = measure()
        except Missing as reason:
            rows.append([f"{name} (not run: {reason})", NONE, NONE])
            continue
        rows.append([name, number(first) if first else NONE, number(again)])
    shutil.rmtree(folder)
    return table(("", "first time, s", "again, s"), rows)


def _of_kernels(folder: Path, *, cold: bool) -> tuple[float, float]:
    if not has_fast_engine():
        raise Missing(ours.NO_FAST_ENGINE)
    command = ours.command(TINY, "count", 1, "--cold")
    if not cold:
        return 0.0, _seconds(command, ours.ROOT)
    cache = {"NUMBA_CACHE_DIR": str(folder / "kernels")}
    return _seconds(command, ours.ROOT, cache), _seconds(command, ours.ROOT, cache)


def _of_tables() -> tuple[float, float]:
    command = ours.command(TINY, "tables")
    return _seconds(command, ours.ROOT), _seconds(command, ours.ROOT)


def _of_peer(peer: Contender, folder: Path) -> tuple[float, float]:
    """Return the seconds of generating, compiling and running a peer, and of running it."""
    folder.mkdir()
    began = time.perf_counter()
    ready = peer.prepare(TINY, folder)
    prepared = time.perf_counter() - began
    again = _seconds(ready.command, ready.folder)
    return prepared + again, again


def _seconds(
    command: tuple[str, ...], folder: Path, environment: Mapping[str, str] | None = None
) -> float:
    return measured(command, folder, environment=environment).wall_seconds
