"""What an edit means: rows, verdicts, counts, and the runs that only one of two models has."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import assume, event, given, reject
from hypothesis import strategies as st

from properties import equivalence
from properties.equivalence import all_common, branching_equal, outside, walk
from reports.diff_html import diff_html
from reports.difference import difference
from reports.loading import one_model
from reports.row_places import place_of_row
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import removed, rows
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.run import Run, check_run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import Said, once, refused, tcpclose
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


def test_a_walk_that_gives_up_has_found_no_difference_and_is_not_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = graph_of("ideal_time_wait")
    monkeypatch.setattr(equivalence, "PAIRS_MAX", 100)
    found = walk(space, space, outside)
    assert (True, False) == (found.equal, found.complete)
    assert 100 < found.pairs < len(space)


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


# The rows of a file -------------------------------------------------------------------------------

EDITED = """from tcpclose_model import *


def fin_is_out(tcb, seg):
    return tcb.fin_sent == 1


table = (
    RFC9293.edit(rows(name="fin_in_fin_wait_2"), becomes(to=TIME_WAIT), why="as it is")
    .edit(
        rows(name="fin_acked_in_last_ack"),
        becomes(when=fin_is_out),
        why="any ACK will do",
    )
)
mine = Model(a=table, timers=Timers(retransmission="none"), application=Application(data_units=0))
""".replace("data_units=0", "data_units=(0, 0)")


@pytest.fixture
def file_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Return what writes two model files and names the pair for `diff`."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> str:
        Path(name).write_text(text, encoding="utf-8")
        return f"{name}:mine"

    return write


def annotated(said: Said) -> list[str]:
    """Return the workflow commands that were printed."""
    return [line for line in said.lines if line.startswith("::")]


def test_a_function_that_is_read_twice_is_the_same(file_of: Callable[[str, str], str]) -> None:
    old, new = file_of("old.py", EDITED), file_of("new.py", "# moved\n" + EDITED)
    said = tcpclose("diff", old, new)
    assert 0 == said.status
    assert "row changed" not in said.out


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (("== 1", "<= 1"), 4),
        (("becomes(when=fin_is_out)", "becomes(to=TIME_WAIT)"), 11),
    ],
)
def test_an_annotation_stands_on_the_line_of_the_row(
    file_of: Callable[[str, str], str], edit: tuple[str, str], line: int
) -> None:
    old, new = file_of("old.py", EDITED), file_of("new.py", EDITED.replace(*edit))
    (told,) = annotated(tcpclose("diff", old, new, "--format", "github"))
    assert f"file=new.py,line={line},title=mine -> mine%3A row fin_acked_in_last_ack of A" in told
    assert told.startswith("::warning " if "-> VIOLATED" in told else "::notice ")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("fin_in_fin_wait_2", 9),
        ("fin_acked_in_last_ack", 11),
        ("close", 16),
    ],
)
def test_the_place_of_a_row_is_its_last_edit_or_else_its_model(
    file_of: Callable[[str, str], str], row: str, line: int
) -> None:
    place = place_of_row(one_model(file_of("m.py", EDITED)), row)
    assert place is not None
    assert ("m.py", line) == (place.file, place.line)
    assert bool(place.instead) == (row == "close")


def test_a_row_of_a_switch_stands_where_the_switch_is_named(
    file_of: Callable[[str, str], str],
) -> None:
    text = "from tcpclose_model import *\n\nquiet = 'silent_closed'\n"
    text += "mine = Model(a=SWITCHES[quiet].on(RFC9293))\n"
    place = place_of_row(one_model(file_of("m.py", text)), "reset_from_closed")
    assert place is not None
    assert (3, "") == (place.line, place.instead)


def test_a_row_of_the_catalogue_has_no_place() -> None:
    assert place_of_row(model_named("no_time_wait"), "fin_in_fin_wait_2") is None


def test_a_file_at_two_revisions_is_annotated_under_its_own_name(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    said = tcpclose("diff", "--rev", "HEAD~1..HEAD", "models/mine.py", "--format", "github")
    (told,) = annotated(said)
    assert "file=models/mine.py,line=3," in told
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("## tcpclose diff\n")
    assert "```mermaid\nsequenceDiagram" in text


def test_what_is_the_same_is_not_annotated() -> None:
    pair = ("no_retransmission", "no_retransmission")
    assert [] == annotated(once("diff", *pair, "--format", "github"))


# As a page ----------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The tags of a page, with their attributes, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@cache
def page() -> str:
    """Return a page in which some runs differ, of models with odd names."""
    old, new = model_named("ideal_time_wait"), model_named("no_time_wait")
    return diff_html([difference(old, new.named('<script>"&'), {})])


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    found = Page(page())
    assert [] == found.open
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "iframe", "img", "object", "base", "form"}
    given = [(name, value) for _, attributes in found.tags for name, value in attributes.items()]
    assert [] == [name for name, _ in given if name.startswith("on") or name in ("src", "href")]
    policy = next(a["content"] for _, a in found.tags if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "style" not in [name for name, _ in given], "the policy allows the one style sheet only"


def test_the_policy_of_the_page_allows_its_own_style_sheet() -> None:
    text = page()
    sheet = text.split("<style>")[1].split("</style>")[0]
    digest = b64encode(sha256(sheet.encode()).digest()).decode()
    assert escape(f"'sha256-{digest}'") in text


def test_the_page_has_the_rows_the_verdicts_and_the_ladders_as_pictures() -> None:
    found = Page(page())
    assert 2 <= [tag for tag, _ in found.tags].count("svg")
    assert any('ideal_time_wait -> <script>"&: different' in text for text in found.texts)
    assert any(text.startswith("row changed ") for text in found.texts)
    assert "VIOLATED" in found.texts


def test_a_comparison_is_written_as_its_ending_says(tmp_path: Path) -> None:
    pair = ("diff", "ideal_time_wait", "no_time_wait", "-o")
    assert 1 == tcpclose(*pair, tmp_path / "diff.html").status
    assert (tmp_path / "diff.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    refused(tcpclose(*pair, tmp_path / "diff.pdf"), ".html")
    refused(tcpclose("diff", "rfc9293", "rfc1337", "--rules", "--format", "html"), "--rules")
