"""Which worker of pytest-xdist runs which tests: one, all that share what takes time to make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tcpclose_model.variants.catalogue import MODELS


class ByModel(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Gives the tests of a model of the catalogue to one worker, and the others by their files.

    So a model is explored once for all files (tests/explored.py), and what a file caches is
    computed once.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        name = test[test.find("[") + 1 : -1]
        return name if name in MODELS else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModel:  # Any: no public type
    """Return the scheduler of this project's tests."""
    return ByModel(config, log)


@pytest.fixture(scope="session", autouse=True)
def _each_worker_has_one_processor() -> Iterator[None]:
    """Let work that may go to several processes stay in this one, but where a test says how many.

    There are as many workers as processors, and to copy a worker costs more than most of the work.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("properties.forks.processors", lambda: 1)
        yield
