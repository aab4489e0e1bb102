"""This project as a contender: `python -m benchmarks.ours SPEC --engine count --threads 1`.

Explores one instance in one of the ways below and prints what came of it as a line of JSON.  A
small instance, and the beginning of this one, are explored first, so that every kernel is compiled,
or read from the cache, for the words that this instance needs; that time is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.contender import Contender, Found, Ready
from benchmarks.instances import SMALL, Instance, instance_of
from benchmarks.missing import Missing
from tcpclose_model.model import Model
from tcpclose_model.search import explore, has_fast_engine

ROOT = Path(__file__).resolve().parent.parent
NO_FAST_ENGINE = "the extra `fast` is not installed"
LIVENESS = "both_eventually_closed"
REPLAY_BOUND = "ours, replay bound"


@dataclass(frozen=True, slots=True)
class Told:
    """What one way of exploring tells: counts, bytes of its data where it knows, a verdict."""

    states: int
    steps: int
    depth: int
    bytes: float | None = None
    answer: str = ""
    seconds: float | None = None


def count(model: Model, threads: int, most: int | None = None) -> Told:
    """Search without keeping the graph, nothing but counting: what SPIN does here."""
    from tcpclose_model.engines.fast.large import LargeSearch
    from tcpclose_model.engines.fast.tables import Tables
    from tcpclose_model.limits import Limits

    search = LargeSearch(Tables(model), Limits(most), threads=threads, counts_steps=False)
    counts = search.run()
    held = counts.bytes_a_state * counts.states
    return Told(counts.states, counts.transitions, counts.depth, held)


def check(model: Model, threads: int, most: int | None = None) -> Told:
    """Search as `tcpclose check --engine large` does: steps tallied by kind, symmetry used."""
    from tcpclose_model.large import explore_large
    from tcpclose_model.limits import Limits

    counts = explore_large(model, Limits(most), threads=threads).counts
    held = counts.bytes_a_state * counts.states
    return Told(counts.states, counts.transitions, counts.depth, held)


def keep(model: Model, threads: int, most: int | None = None) -> Told:
    """Search and keep every state and step, for liveness and for shortest runs."""
    space = explore(model, engine="fast", max_states=most)
    return Told(len(space), space.transitions, space.depth)


def tables(model: Model, threads: int, most: int | None = None) -> Told:
    """Search without numba: tables in plain Python, every state and step kept."""
    space = explore(model, engine="plain")
    return Told(len(space), space.transitions, space.depth)


def meaning(model: Model, threads: int, most: int | None = None) -> Told:
    """Search by the obvious loop over the plain engine, which defines what a model means."""
    from tcpclose_model.engines.plain import PlainEngine

    engine = PlainEngine(model)
    order, depths = [engine.initial], [0]
    known = set(order)
    steps = 0
    for number, state in enumerate(order):
        for step in engine.successors(state):
            steps += 1
            if step.target not in known:
                known.add(step.target)
                order.append(step.target)
                depths.append(depths[number] + 1)
    return Told(len(order), steps, depths[-1])


def networkx(model: Model, threads: int, most: int | None = None) -> Told:
    """Build the graph in networkx from one that is there already; only building is timed."""
    space = explore(model)
    began = time.perf_counter()
    graph = space.networkx()
    took = time.perf_counter() - began
    return Told(len(graph), graph.number_of_edges(), space.depth, seconds=took)


def replay(model: Model, threads: int, most: int | None = None) -> Told:
    """Put the successors of every state, known beforehand, into the set of visited states."""
    from benchmarks.replay import replayed

    space = explore(model, engine="fast", max_states=most)
    took, states, held = replayed(space)
    return Told(states, space.transitions, space.depth, held, seconds=took)


def live(model: Model, threads: int, most: int | None = None) -> Told:
    """Search, and judge whether every fair run leads both ends to CLOSED."""
    from properties import check as checking

    engine = "fast" if has_fast_engine() else "plain"
    result = checking.check(model, only=[LIVENESS], engine=engine, max_states=most)
    space = result.space
    return Told(len(space), space.transitions, space.depth, answer=result[LIVENESS].answer.value)


Engine = Callable[[Model, int, int | None], Told]
"""Explores a model with so many threads, at most so many states (None: all of them)."""

ENGINES: dict[str, Engine] = {
    "count": count,
    "check": check,
    "keep": keep,
    "tables": tables,
    "meaning": meaning,
    "networkx": networkx,
    "replay": replay,
    "live": live,
}
COMPILED = ("count", "check", "keep", "replay", "live")
"""What uses numba."""

BEGINNING = 200_000
"""States explored of an instance before it is measured: enough for every array to have grown."""


def main(arguments: list[str]) -> None:
    """Print what exploring one instance took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", help="D,K,R,order[,duplication]")
    parser.add_argument("--engine", choices=ENGINES, default="count")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cold", action="store_true", help="do not explore a small one first")
    options = parser.parse_args(arguments)
    engine = ENGINES[options.engine]
    model = instance_of(options.spec)
    began = time.perf_counter()
    if options.engine in COMPILED and not options.cold:
        engine(SMALL.model, options.threads, None)
        engine(model, options.threads, BEGINNING)
    compiling = time.perf_counter() - began
    print(json.dumps(_timed(engine, model, options.threads, compiling)))


def _timed(engine: Engine, model: Model, threads: int, compiling: float) -> dict[str, object]:
    held = _peak()
    began, busy = time.perf_counter(), time.process_time()
    told = engine(model, threads, None)
    took, worked = time.perf_counter() - began, time.process_time() - busy
    found = asdict(told)
    if told.bytes is None:
        found["bytes"] = max(_peak() - held, 0)
    if told.seconds is None:
        found["seconds"] = took
    # Where only a part was timed, that part ran on one processor.
    cpu = worked if told.seconds is None else told.seconds
    return {**found, "cpu_seconds": cpu, "compile_seconds": compiling}


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def contenders() -> list[Contender]:
    """Return every way of this project to explore an instance, the fastest first."""
    cores = len(os.sched_getaffinity(0))
    made = [_contender("ours, 1 thread", "count")]
    if cores > 1:
        made.append(_contender(f"ours, {cores} threads", "count", cores))
    return [
        *made,
        _contender(f"ours, {cores} threads, with symmetry", "check", cores),
        _contender("ours, graph kept", "keep", states_max=40_000_000),
        _contender(REPLAY_BOUND, "replay", states_max=40_000_000),
        _contender("ours, without numba", "tables", states_max=100_000),
        _contender("ours, the plain engine", "meaning", states_max=100_000),
        _contender("networkx, building only", "networkx", states_max=100_000),
    ]


def fastest() -> Contender:
    """Return the search that counts, on all processors."""
    cores = len(os.sched_getaffinity(0))
    return _contender(f"ours, {cores} threads", "count", cores)


def liveness_contender() -> Contender:
    """Return this project's judge of liveness, exploring included."""
    return _contender("ours, fair liveness", "live", states_max=40_000_000)


def _contender(name: str, engine: str, threads: int = 1, *, states_max: int = 1 << 62) -> Contender:
    def prepare(instance: Instance, folder: Path) -> Ready:
        if engine in COMPILED and engine != "live" and not has_fast_engine():
            raise Missing(NO_FAST_ENGINE)
        return Ready(command(instance, engine, threads), ROOT)

    return Contender(name, prepare, _read, is_ours=True, states_max=states_max)


def command(instance: Instance, engine: str, threads: int = 1, *more: str) -> tuple[str, ...]:
    """Return the command that explores an instance in a process of its own."""
    module = (sys.executable, "-m", "benchmarks.ours", instance.spec)
    return (*module, "--engine", engine, "--threads", str(threads), *more)


def _read(output: str) -> Found:
    told = json.loads(output.strip().splitlines()[-1])
    return Found(
        states=told["states"],
        steps=told["steps"],
        answer=told["answer"],
        seconds=told["seconds"],
        cpu_seconds=told["cpu_seconds"],
        compile_seconds=told["compile_seconds"],
        bytes=told["bytes"],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
