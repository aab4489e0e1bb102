"""`tcpclose draw`: the three graphs in every format, read back with other tools where they can."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import networkx as nx
import pytest
from PIL import Image

from reports.draw import product_graph
from reports.fold import endpoint_graph, joint_graph
from tcpclose_model.errors import ModelError
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import refused, tcpclose

OF = ("joint", "product", "endpoint")
every_graph = pytest.mark.parametrize("of", OF)
Graph = Any  # a networkx graph, of pairs of states, numbers or states


@cache
def space() -> StateSpace:
    """Return the explored textbook close."""
    return explore(model_named("table_154"))


def graph(of: str) -> Graph:
    """Return the graph that is drawn."""
    if of == "joint":
        return joint_graph(space())
    return endpoint_graph(space(), 0) if of == "endpoint" else space().networkx()


@cache
def drawn(of: str, end: str, model: str = "table_154", *options: str) -> bytes:
    """Return what `draw` writes."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / f"x.{end}"
        said = tcpclose("draw", model, "--of", of, "-o", out, *options)
        assert (0, "") == (said.status, said.out), said.err
        return out.read_bytes()


def size(found: Graph) -> tuple[int, int]:
    """Return how many nodes and edges a graph has."""
    return found.number_of_nodes(), found.number_of_edges()


def test_the_graphs_have_the_sizes_of_the_textbook_close() -> None:
    assert [(27, 38), (8, 10)] == [size(graph(of)) for of in ("product", "endpoint")]


@every_graph
def test_graphml_can_be_read_back(of: str) -> None:
    read: Graph = nx.read_graphml(io.BytesIO(drawn(of, "graphml")), force_multigraph=True)
    assert size(graph(of)) == size(read)
    assert all(data["label"] for _, data in read.nodes(data=True))


@every_graph
def test_node_link_json_can_be_read_back(of: str) -> None:
    read: Graph = nx.node_link_graph(json.loads(drawn(of, "json")), edges="links")
    assert size(graph(of)) == size(read)
    assert all(data["label"] for *_, data in read.edges(data=True))


@every_graph
def test_dot_has_a_line_for_each_node_and_edge(of: str) -> None:
    lines = drawn(of, "dot").decode("utf-8").splitlines()
    assert ('digraph "table_154" {', "}") == (lines[0], lines[-1])
    edges = [line for line in lines if re.match(r'  "[^"]+" -> "[^"]+" \[label="', line)]
    nodes = [line for line in lines if re.match(r'  "[^"]+" \[label="', line)]
    assert size(graph(of)) == (len(nodes), len(edges))
    assert 2 + 1 + len(nodes) + len(edges) == len(lines)


@every_graph
def test_mermaid_has_a_line_for_each_node_and_edge(of: str) -> None:
    lines = drawn(of, "mmd").decode("utf-8").splitlines()
    edges = [line for line in lines if re.match(r"    s\d+ --> s\d+ : [^:;#]+$", line)]
    nodes = [line for line in lines if re.match(r'    state "[^":;#]+" as s\d+$', line)]
    assert "stateDiagram-v2" == lines[0]
    assert 1 == sum("[*] -->" in line for line in lines)
    assert size(graph(of)) == (len(nodes), len(edges))


@every_graph
@pytest.mark.parametrize("end", ["dot", "graphml", "json", "mmd"])
def test_the_same_graph_is_written_the_same_twice(of: str, end: str) -> None:
    assert drawn(of, end) == drawn(of, end, "table_154", "--max-states", "1000")


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    assert 0 == tcpclose("draw", "table_154", "-o", tmp_path / "x.DOT").status


# What is refused --------------------------------------------------------------------------------


def test_a_product_that_is_too_large_to_draw_is_refused_with_the_way_out(tmp_path: Path) -> None:
    for end in ("svg", "png", "mmd"):
        out = tmp_path / f"x.{end}"
        said = tcpclose("draw", "no_time_wait_lossless", "--of", "product", "-o", out)
        refused(said, "353 states", "the 300 that", "--of joint", ".graphml, .json or .dot")
        assert not out.exists()


def test_a_diagram_that_mermaid_would_not_draw_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.draw.MERMAID_MAX", 1_000)
    said = tcpclose("draw", "table_154", "--of", "product", "-o", tmp_path / "x.mmd")
    refused(said, "characters, more than the 1,000 that Mermaid draws", "--of joint")
    assert [] == list(tmp_path.iterdir())


def test_a_product_too_large_for_text_is_refused_with_the_format_for_it() -> None:
    with pytest.raises(ModelError, match=r"353 states, more than the 352 .* write it as \.aut"):
        product_graph(explore(model_named("no_time_wait_lossless")), 352)


def test_a_large_product_is_written_for_other_tools(tmp_path: Path) -> None:
    out = tmp_path / "x.dot"
    said = tcpclose("draw", "no_time_wait_lossless", "--of", "product", "-o", out)
    assert 0 == said.status
    assert "product graph of no_time_wait_lossless, 353 states" in said.err


@pytest.mark.parametrize("name", ["x.gif", "x", "x.dott"])
def test_an_unknown_ending_is_refused_with_the_known_ones(name: str, tmp_path: Path) -> None:
    said = tcpclose("draw", "table_154", "-o", tmp_path / name)
    refused(said, ".svg, .png, .dot, .graphml, .json, .mmd, .aut")
    assert [] == list(tmp_path.iterdir())


def test_a_file_must_be_named() -> None:
    refused(tcpclose("draw", "table_154"), "--out")


def test_an_unknown_graph_is_refused(tmp_path: Path) -> None:
    refused(tcpclose("draw", "--of", "whole", "-o", tmp_path / "x.dot"), "'joint'", "'endpoint'")


def test_a_graph_that_is_not_complete_is_written_and_exits_with_3(tmp_path: Path) -> None:
    out = tmp_path / "x.dot"
    said = tcpclose("draw", "rfc9293", "--max-states", "50", "-o", out)
    assert (3, True) == (said.status, out.exists())
    assert "not complete: --max-states 50 was hit" in said.err


# A counterexample in it -------------------------------------------------------------------------


def test_a_propertys_counterexample_is_highlighted() -> None:
    text = drawn("joint", "json", "freertos_1303", "--property", "no_deadlock")
    read: Graph = nx.node_link_graph(json.loads(text), edges="links")
    lit = [(a, b) for a, b, data in read.edges(data=True) if data["kind"] == "highlight"]
    # Of the six steps of the run each changes a state.
    assert 6 == len(lit)
    assert [] == [a for a, _ in lit[1:] if a not in {b for _, b in lit}]


def test_without_a_property_nothing_is_highlighted() -> None:
    assert b"highlight" not in drawn("joint", "json", "freertos_1303")


def test_a_property_that_holds_has_nothing_to_highlight(tmp_path: Path) -> None:
    said = tcpclose("draw", "table_154", "--property", "no_deadlock", "-o", tmp_path / "x.dot")
    refused(said, "no_deadlock holds: there is no counterexample to highlight")


def test_a_property_that_is_misspelt_is_answered_with_the_nearest(tmp_path: Path) -> None:
    said = tcpclose("draw", "table_154", "--property", "no_deadlok", "-o", tmp_path / "x.dot")
    refused(said, "did you mean no_deadlock")


@pytest.mark.parametrize("chosen", ["normal_close", "file"])
def test_a_chosen_run_is_highlighted(chosen: str, tmp_path: Path) -> None:
    out = tmp_path / "x.svg"
    if chosen == "file":
        chosen = str(tmp_path / "run.json")
        assert 0 == tcpclose("run", "normal_close", "-o", chosen).status
    said = tcpclose("draw", "table_154", "--run", chosen, "-o", out)
    assert 0 == said.status, said
    assert ">the run<" in out.read_text("utf-8")


def test_a_named_run_is_drawn_in_its_own_model_unless_another_is_asked_for(tmp_path: Path) -> None:
    said = tcpclose("draw", "--run", "half_close", "-o", tmp_path / "x.svg")
    assert 0 == said.status, said
    assert "table_154" in said.err or "half_close" in said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--property", "no_deadlock"), "choose one"),
        (("--of", "endpoint"), "in the joint graph only"),
        (("--max-states", "5"), "where exploring stopped"),
    ],
)
def test_a_run_that_cannot_be_highlighted_is_refused(
    options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    out = tmp_path / "x.svg"
    refused(tcpclose("draw", "table_154", "--run", "normal_close", "-o", out, *options), words)
    assert not out.exists()


# Pictures ---------------------------------------------------------------------------------------


@every_graph
def test_a_picture_is_written_as_svg(of: str) -> None:
    text = drawn(of, "svg").decode("utf-8")
    assert text.startswith("<svg")
    assert "{http://www.w3.org/2000/svg}svg" == ElementTree.fromstring(text).tag


@every_graph
def test_a_picture_is_written_as_png(of: str) -> None:
    content = drawn(of, "png")
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert min(image.size) > 100


def test_the_counterexample_is_named_in_a_pictures_legend() -> None:
    text = drawn("joint", "svg", "freertos_1303", "--property", "no_deadlock").decode("utf-8")
    assert "the counterexample" in text
