"""Which worker of pytest-xdist runs which tests: one, all that share what takes time to make."""

from __future__ import annotations

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
