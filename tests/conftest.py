"""Which worker of pytest-xdist runs which tests: one, all that share what takes time to make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tcpclose_model.variants.catalogue import MODELS

LONG = (
    "kernel", "docs", "export_promela", "fast_engine", "export_tla", "fairness", "any_capacity",
    "induction", "benchmarks", "hazards", "rule_diff", "explorer", "diff", "old_segments",
    "engines", "cli_process", "symmetry", "steps", "mutation", "legality", "kinds", "catalogue",
    "baseline", "pcapng", "time_wait",
)  # fmt: skip
"""Files whose tests take long, the longest first: they begin first, so none ends last alone."""


def scope_of(nodeid: str) -> str:
    """Return what a test shares its worker with: a model of the catalogue, or else its file."""
    file, _, test = nodeid.partition("::")
    name = test[test.find("[") + 1 : -1]
    return name if name in MODELS else file


class ByModel(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Gives the tests of a model of the catalogue to one worker, and the others by their files.

    So a model is explored once for all files (tests/explored.py), and what a file caches is
    computed once.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModel:  # Any: no public type
    """Return the scheduler of this project's tests."""
    config.option.loadscopereorder = False  # the order is that of the next function
    return ByModel(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what shares a worker together: long files first, then the others, then the models."""
    order: dict[str, tuple[int, int]] = {}
    for item in items:
        scope = scope_of(item.nodeid)
        order.setdefault(scope, (_turn(scope), len(order)))
    items.sort(key=lambda item: order[scope_of(item.nodeid)])


def _turn(scope: str) -> int:
    if scope in MODELS:
        return len(LONG) + 1
    name = scope.rpartition("/test_")[2].removesuffix(".py")
    return LONG.index(name) if name in LONG else len(LONG)


@pytest.fixture(scope="session", autouse=True)
def _each_worker_has_one_processor() -> Iterator[None]:
    """Let work that may go to several processes stay in this one, but where a test says how many.

    There are as many workers as processors, and to copy a worker costs more than most of the work.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("properties.forks.processors", lambda: 1)
        yield
