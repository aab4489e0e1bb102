"""What an edit means: rows, verdicts, counts, and the runs that only one of two models has."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import assume, event, given, reject
from hypothesis import strategies as st

from properties.equivalence import all_common, branching_equal, outside, walk
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import removed, rows
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.run import Run, check_run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import once, refused, tcpclose
from tests.strategies import examples, models, searched

SMALL = 400
"""States of a random graph that is compared by a slow definition, too."""


@cache
def graph_of(name: str) -> StateSpace:
    """Return the graph of a model of the catalogue."""
    return explore(model_named(name))


def is_run_of(run: Run, model: Model) -> bool:
    """Return whether a model allows the actions of a run, with the same segments and states."""
    try:
        check_run(replace(run, model=model))
    except Exception:
        return False
    return True


# Walking two graphs at once -----------------------------------------------------------------------


def test_a_model_has_the_same_runs_as_itself() -> None:
    space = graph_of("no_retransmission")
    found = walk(space, explore(model_named("no_retransmission")), all_common(space, space))
    assert (True, True, len(space)) == (found.equal, found.complete, found.pairs)


def test_a_graph_of_the_fast_engine_walks_as_that_of_the_plain_one() -> None:
    plain, fast = (
        graph_of("ideal_time_wait"),
        explore(model_named("ideal_time_wait"), engine="fast"),
    )
    found = walk(plain, fast, all_common(plain, fast))
    assert (True, len(plain)) == (found.equal, found.pairs)


def test_the_shortest_run_of_one_model_only_is_one_of_it_and_not_of_the_other() -> None:
    old, new = graph_of("ideal_time_wait"), graph_of("no_time_wait")
    found = walk(old, new, outside)
    for parted, own, other in ((found.only_old, old, new), (found.only_new, new, old)):
        assert parted is not None
        check_run(parted.run)
        assert parted.run.model == own.model
        assert not is_run_of(parted.run, other.model)
        assert is_run_of(
            replace(parted.run, states=parted.run.states[:-1], steps=parted.run.steps[:-1]),
            other.model,
        )


def test_fewer_rows_mean_fewer_runs() -> None:
    small = model_named("no_retransmission")
    table = RFC9293.edit(rows(name="close_after_peer"), removed(), why="a test")
    new = explore(replace(small, a=small.a, b=table, expect={}))
    found = walk(graph_of("no_retransmission"), new, outside)
    assert found.only_old is not None
    assert found.only_new is None


def test_what_was_not_explored_is_no_difference() -> None:
    model = model_named("ideal_time_wait")
    found = walk(graph_of("ideal_time_wait"), explore(model, max_states=500), outside)
    assert (True, False) == (found.equal, found.complete)


@examples(40)
@given(models(wrong=False, tiny=True), st.data())
def test_branching_bisimilarity_is_what_its_definition_says(
    model: Model, data: st.DataObject
) -> None:
    space = searched(model, SMALL)
    fired = {rule.name for move in space.moves for rule in move.rules if move.action.actor == 0}
    assume(fired)
    row = data.draw(st.sampled_from(sorted(fired)))
    table = model.a.edit(rows(name=row), removed(), why="a test")
    try:
        other = searched(replace(model, a=table, expect={}), SMALL)
    except ModelError:
        reject()  # the cell needs its row
    equal = branching_equal(space, other)
    strongly = walk(space, other, outside).equal
    event("equal" if equal else "different")
    event("branching only" if equal and not strongly else "")
    assert by_definition(space, other) == equal
    assert equal or not strongly


def by_definition(old: StateSpace, new: StateSpace) -> bool:
    """Return whether two graphs are branching bisimilar, by splitting until nothing splits."""
    spaces = (old, new)
    nodes = [(side, n) for side, space in enumerate(spaces) for n in range(len(space))]

    def successors(node: tuple[int, int]) -> set[tuple[int, int]]:
        side, n = node
        space = spaces[side]
        return {(side, int(space.target[step])) for step in space.steps(n)}

    def visible(node: tuple[int, int]) -> object:
        state = spaces[node[0]].state(node[1])
        return state.a.state, state.a.told, state.b.state, state.b.told

    block: dict[tuple[int, int], object] = {node: visible(node) for node in nodes}
    while True:
        inert: nx.DiGraph[tuple[int, int]] = nx.DiGraph()
        inert.add_nodes_from(nodes)
        inert.add_edges_from(
            (node, to) for node in nodes for to in successors(node) if block[node] == block[to]
        )
        for_ever = {
            node
            for inside in nx.strongly_connected_components(inert)
            if len(inside) > 1 or any(inert.has_edge(n, n) for n in inside)
            for node in inside
        }
        finer: dict[tuple[int, int], object] = {}
        for node in nodes:
            silent = {node, *nx.descendants(inert, node)}
            leaves = frozenset(
                block[to] for one in silent for to in successors(one) if block[to] != block[node]
            )
            finer[node] = (block[node], leaves, bool(silent & for_ever))
        if len({*finer.values()}) == len({*block.values()}):
            return block[0, 0] == block[1, 0]
        numbers: dict[object, int] = {}
        block = {node: numbers.setdefault(finer[node], len(numbers)) for node in nodes}


# The command --------------------------------------------------------------------------------------


def test_the_command_says_what_an_edit_means() -> None:
    said = once("diff", "ideal_time_wait", "no_time_wait")
    assert 1 == said.status
    assert "ideal_time_wait -> no_time_wait: different" in said.out
    assert "row changed " in said.out
    assert "verdict no_silent_data_loss" in said.out or "verdict " in said.out
    assert "each has runs that the other has not" in said.out
    assert "a shortest run of no_time_wait only: " in said.out


def test_the_command_says_that_two_models_are_identical() -> None:
    said = once("diff", "no_retransmission", "no_retransmission")
    assert 0 == said.status
    assert "no_retransmission -> no_retransmission: identical" in said.out
    assert "every run of one is a run of the other, TCB for TCB" in said.out


def test_a_limit_that_hides_a_difference_is_unknown() -> None:
    said = once("diff", "ideal_time_wait", "ideal_time_wait", "--max-states", "100")
    assert 3 == said.status
    assert "no difference in what was explored" in said.out


def test_the_command_gives_json_and_markdown() -> None:
    pair = ("diff", "ideal_time_wait", "no_time_wait")
    document = json.loads(once(*pair, "--format", "json").out)
    assert (False, False) == (document["equivalent"], document["identical"])
    assert document["only_new"]["steps"]
    assert document["counts"]["states"][0] == len(graph_of("ideal_time_wait"))
    text = once(*pair, "--format", "markdown").out
    assert "```mermaid" in text
    assert "| states |" in text


MODEL = """from tcpclose_model import RFC9293, Model, becomes, rows
from tcpclose_model import Timers
mine = Model(a=RFC9293, b=RFC9293, timers=Timers(retransmission="none"))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a file in a git repository with two revisions of it, and a third in the work tree."""
    file = tmp_path / "models" / "mine.py"
    file.parent.mkdir()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "trunk"], check=True)
    for text in (MODEL, MODEL.replace("none", "timely")):
        file.write_text(text, encoding="utf-8")
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "a revision"], check=True)
    file.write_text("broken(", encoding="utf-8")
    return file


def test_a_file_is_compared_at_two_revisions_and_the_work_tree_is_left_alone(
    repository: Path,
) -> None:
    said = tcpclose("diff", "--rev", "HEAD~1..HEAD", repository)
    assert 1 == said.status
    assert "mine@HEAD~1 -> mine@HEAD: different" in said.out
    assert "set timers.retransmission: none -> timely" in said.out
    assert "broken(" == repository.read_text(encoding="utf-8")


def test_a_file_is_equivalent_to_itself_at_the_same_revision(repository: Path) -> None:
    assert 0 == tcpclose("diff", "--rev", "HEAD..HEAD", f"{repository}:mine").status


def test_a_revision_that_is_not_there_is_named(repository: Path) -> None:
    refused(tcpclose("diff", "--rev", "nowhere..HEAD", repository), "nowhere")
    refused(tcpclose("diff", "--rev", "HEAD", repository), "expected BASE..HEAD")
    other = repository.with_name("other.py")
    refused(tcpclose("diff", "--rev", "HEAD~1..HEAD", other), "is not there at HEAD~1")


def test_one_model_alone_is_refused() -> None:
    refused(tcpclose("diff", "rfc9293"), "name two models, OLD and NEW")
