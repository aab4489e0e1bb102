"""The models of the catalogue, explored and judged once for all tests that look at one of them.

pytest-xdist gives all tests that are parametrized with the name of a model to one worker, one
after the other (tests/conftest.py), so few models are kept at a time.
"""

from __future__ import annotations

from functools import lru_cache

from properties.check import Result, check, properties_of
from properties.judge import judge
from properties.verdict import Verdict
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS

KEPT = 3


@lru_cache(KEPT)
def result_of(name: str) -> Result:
    """Return the verdicts of a model of the catalogue; its graph is kept with them."""
    return check(MODELS[name])


def graph_of(name: str) -> StateSpace:
    """Return the graph of a model of the catalogue, explored by the engine that a check takes."""
    space = result_of(name).space
    assert isinstance(space, StateSpace)
    return space


@lru_cache(KEPT)
def plain_graph_of(name: str) -> StateSpace:
    """Return the graph of a model of the catalogue, explored by the plain engine."""
    space = graph_of(name)
    return explore(MODELS[name], engine="plain") if space.is_fast else space


@lru_cache(KEPT)
def fast_graph_of(name: str) -> StateSpace:
    """Return the graph of a model of the catalogue, explored by the fast engine."""
    return explore(MODELS[name], engine="fast")


def verdicts_of(name: str) -> list[Verdict]:
    """Return the verdicts on a model of the catalogue over its plain graph."""
    if graph_of(name).is_fast:
        return [judge(plain_graph_of(name), prop) for prop in properties_of(MODELS[name])]
    return list(result_of(name).verdicts)
