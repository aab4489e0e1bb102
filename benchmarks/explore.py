"""How fast a model is explored and judged: `python benchmarks/explore.py [MODEL]...`.

Prints, from one run and for the same models, the tabulated search against the plain loop over
`PlainEngine.successors` (the meaning), against building the networkx graph, and against judging
every property of the catalogue.  Ratios are what to look at; seconds belong to the machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from properties.check import properties_of
from properties.judge import judge
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.model import Model
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named

T = TypeVar("T")


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that a call took, and what it returned."""
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def plain_search(model: Model) -> tuple[int, int]:
    """Return states and steps, found by the obvious loop."""
    engine = PlainEngine(model)
    order = [engine.initial]
    known = set(order)
    steps = 0
    for state in order:
        for step in engine.successors(state):
            steps += 1
            if step.target not in known:
                known.add(step.target)
                order.append(step.target)
    return len(order), steps


def main(names: list[str]) -> None:
    """Print a line for each model."""
    print(
        f"{'model':32}{'states':>9}{'steps':>10}{'plain':>8}{'tables':>8}{'ratio':>7}"
        f"{'steps/s':>11}{'judging':>9}{'networkx':>10}"
    )
    for name in names or ["table_154", "ideal_time_wait", "user_timeout", "rfc9293"]:
        model = model_named(name)
        plain, counts = timed(lambda model=model: plain_search(model))
        tables, space = timed(lambda model=model: explore(model))
        assert counts == (len(space), space.transitions), "the two searches differ"
        properties = properties_of(model)
        judging, _ = timed(lambda space=space, all=properties: [judge(space, p) for p in all])
        graph, _ = timed(space.networkx)
        print(
            f"{name:32}{len(space):>9,}{space.transitions:>10,}{plain:>8.2f}{tables:>8.2f}"
            f"{plain / tables:>7.1f}{space.transitions / tables:>11,.0f}"
            f"{judging:>9.2f}{graph:>10.2f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
