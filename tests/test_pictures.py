"""Pictures of graphs: what is in them, and that nothing covers anything else."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from PIL import Image

from benchmarks.layouts import boxes, holds, measure, overlapping, patches
from reports.draw import joint_picture
from reports.layout_figure5 import PLACES
from reports.lettering import spelled, text_width
from reports.pictures import Picture, picture
from reports.scene import Box, Curve, Scene, Text, dashes, flattened
from reports.scene_png import png
from tcpclose_model.errors import TcpcloseError
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS, model_named

Graph = nx.MultiDiGraph  # of nodes of any type

LAYOUTS = Path(__file__).resolve().parent.parent / "docs" / "layouts.md"
SVG = "{http://www.w3.org/2000/svg}"

# Half of the lossless close; the other half is the same with A and B exchanged.
HANDSHAKE = """
ESTABLISHED ESTABLISHED: B CLOSE -> ESTABLISHED FIN_WAIT_1
ESTABLISHED FIN_WAIT_1: A gets FIN -> CLOSE_WAIT FIN_WAIT_1
ESTABLISHED FIN_WAIT_1: A CLOSE -> FIN_WAIT_1 FIN_WAIT_1
FIN_WAIT_1 FIN_WAIT_1: A gets FIN -> CLOSING FIN_WAIT_1
CLOSE_WAIT FIN_WAIT_1: B gets ACK -> CLOSE_WAIT FIN_WAIT_2
CLOSE_WAIT FIN_WAIT_1: A CLOSE -> LAST_ACK FIN_WAIT_1
CLOSE_WAIT FIN_WAIT_2: A CLOSE -> LAST_ACK FIN_WAIT_2
LAST_ACK FIN_WAIT_1: B gets ACK -> LAST_ACK FIN_WAIT_2
LAST_ACK FIN_WAIT_2: B gets FIN -> LAST_ACK TIME_WAIT
LAST_ACK TIME_WAIT: A gets ACK -> CLOSED TIME_WAIT
LAST_ACK TIME_WAIT: B 2MSL -> LAST_ACK CLOSED
LAST_ACK CLOSED: A gets ACK -> CLOSED CLOSED
CLOSING FIN_WAIT_1: B gets FIN -> CLOSING CLOSING
CLOSING CLOSING: B gets ACK -> CLOSING TIME_WAIT
CLOSING TIME_WAIT: A gets ACK -> TIME_WAIT TIME_WAIT
CLOSING TIME_WAIT: B 2MSL -> CLOSING CLOSED
CLOSING CLOSED: A gets ACK -> TIME_WAIT CLOSED
TIME_WAIT TIME_WAIT: A 2MSL -> CLOSED TIME_WAIT
CLOSED TIME_WAIT: B 2MSL -> CLOSED CLOSED
"""

FIGURE_5 = """
ESTABLISHED -> FIN_WAIT_1
ESTABLISHED -> CLOSE_WAIT
FIN_WAIT_1 -> FIN_WAIT_2
FIN_WAIT_1 -> CLOSING
FIN_WAIT_1 -> TIME_WAIT
FIN_WAIT_2 -> TIME_WAIT
CLOSING -> TIME_WAIT
TIME_WAIT -> CLOSED
CLOSE_WAIT -> LAST_ACK
LAST_ACK -> CLOSED
TIME_WAIT -> TIME_WAIT
"""


def handshake() -> Graph[Any]:
    """The folded graph of a close without loss, simultaneous close included."""
    graph: Graph[Any] = nx.MultiDiGraph()
    for line in HANDSHAKE.strip().splitlines():
        pair, rest = line.split(": ")
        label, after = rest.split(" -> ")
        tail, head = tuple(pair.split()), tuple(after.split())
        graph.add_edge(tail, head, label=label)
        exchanged = {"A": "B", "B": "A"}[label[0]] + label[1:]
        graph.add_edge(tail[::-1], head[::-1], label=exchanged)
    for node in graph:
        graph.nodes[node].update(label="\n".join(node), note="2 states")
    graph.nodes["ESTABLISHED", "ESTABLISHED"]["kind"] = "initial"
    graph.nodes["CLOSED", "CLOSED"]["kind"] = "final"
    return graph


def tangled(nodes: int, edges: int, *, layers: int = 0) -> Graph[Any]:
    """A graph with cycles, loops, parallel edges and edges of every kind, always the same."""
    draw = random.Random(nodes)
    graph: Graph[Any] = nx.MultiDiGraph()
    for number in range(nodes):
        graph.add_node(number, label=f"NODE\n{number}", kind=draw.choice(["plain", "bad"]))
        if layers:
            graph.nodes[number]["layer"] = draw.randrange(layers)
    for number in range(edges):
        kind = draw.choice(["normal", "reset", "loss", "never", "highlight"])
        tail, head = draw.randrange(nodes), draw.randrange(nodes)
        graph.add_edge(tail, head, label=f"step {number}", kind=kind)
    return graph


def endpoint() -> Graph[Any]:
    """One endpoint's diagram, with resets and loops, and a state that Figure 5 does not place."""
    graph: Graph[Any] = nx.MultiDiGraph()
    for state in [*PLACES, "SOMETHING_ELSE"]:
        graph.add_node(state, label=state.replace("_", "-"))
    for line in FIGURE_5.strip().splitlines():
        tail, head = line.split(" -> ")
        graph.add_edge(tail, head, label=f"{tail[:4]}\nto {head[:4]}")
    for state in ("ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSING", "CLOSE_WAIT"):
        graph.add_edge(state, "CLOSED", label="rcv RST", kind="reset")
    return graph


SAMPLES = {
    "handshake": handshake(),
    "tangled": tangled(20, 45),
    "dense": tangled(30, 70),
    "given layers": tangled(16, 24, layers=4),
    "no edges": tangled(9, 0),
}
every_sample = pytest.mark.parametrize("name", SAMPLES)


def drawn(graph: Graph[Any], *, figure5: bool = False) -> Picture:
    """The picture of a graph under some title."""
    return picture(graph, title="A graph", figure5=figure5)


@cache
def scene_of(name: str) -> Scene:
    """What is drawn of a sample."""
    return drawn(SAMPLES[name]).scene


def middles(scene: Scene) -> dict[str, tuple[float, float]]:
    """Where each text stands."""
    return {shape.text: (shape.x, shape.y) for shape in scene.shapes if isinstance(shape, Text)}


def texts(svg: str) -> list[str]:
    """The texts that an SVG document shows."""
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@every_sample
def test_no_box_covers_another(name: str) -> None:
    assert len(SAMPLES[name]) == len(boxes(scene_of(name)))
    assert [] == overlapping(boxes(scene_of(name)))


@every_sample
def test_no_label_covers_a_box_or_another_label(name: str) -> None:
    assert [] == overlapping(boxes(scene_of(name)) + patches(scene_of(name)))


@every_sample
def test_no_arrow_runs_through_a_box(name: str) -> None:
    curves = [shape for shape in scene_of(name).shapes if isinstance(shape, Curve)]
    points = [point for curve in curves for point in flattened(curve.points)]
    framed = boxes(scene_of(name))
    assert [] == [point for point in points for box in framed if holds(box, point, -2)]


@pytest.mark.parametrize("name", ["handshake", "tangled", "given layers"])
def test_everything_is_on_the_page(name: str) -> None:
    scene = scene_of(name)
    page = Box(0, 0, scene.width, scene.height, "none")
    for shape in scene.shapes:
        if isinstance(shape, Curve):
            assert all(holds(page, point) for point in flattened(shape.points))
        elif isinstance(shape, Box):
            assert holds(page, (shape.x, shape.y))
            assert holds(page, (shape.x + shape.width, shape.y + shape.height))
        else:
            assert holds(page, (shape.x + shape.width / 2, shape.y))


@every_sample
def test_the_same_graph_gives_the_same_bytes_in_whatever_order_it_was_built(name: str) -> None:
    graph = SAMPLES[name]
    other: Graph[Any] = nx.MultiDiGraph()
    other.add_nodes_from(reversed(list(graph.nodes(data=True))))
    other.add_edges_from((t, h, d) for t, h, d in reversed(list(graph.edges(data=True))))
    one, two = drawn(graph), drawn(other)
    assert one.svg() == two.svg()
    assert one.png(0.5) == two.png(0.5)


# Run in another process: what is drawn must depend neither on it nor on its fonts.
PROGRAM = """
import hashlib
from tests.test_pictures import SAMPLES, drawn, endpoint
for found in (drawn(SAMPLES["handshake"]), drawn(endpoint(), figure5=True)):
    print(hashlib.sha256(found.svg().encode()).hexdigest())
"""


def test_neither_the_hash_seed_nor_the_fonts_of_the_machine_change_a_byte() -> None:
    said = set()
    for seed in "012":
        fonts = {} if seed == "0" else {"FONTCONFIG_FILE": f"no-such-file-{seed}"}
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONHASHSEED": seed, **fonts},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (0, "") == (ran.returncode, ran.stderr)
        said.add(ran.stdout)
    assert 1 == len(said)


@every_sample
def test_a_layout_prints_nothing(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    drawn(SAMPLES[name])
    assert ("", "") == capfd.readouterr()


def test_without_pygraphviz_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(TcpcloseError, match=r"drawing needs .* pip install pygraphviz"):
        drawn(handshake())


def test_an_arrow_leads_from_its_tail_to_its_head_also_against_the_stream() -> None:
    graph: Graph[Any] = nx.MultiDiGraph()
    for state in ("ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2"):
        graph.add_node(state, label=state)
    for tail, head, label in [
        ("ESTABLISHED", "FIN_WAIT_1", "down"),
        ("FIN_WAIT_1", "FIN_WAIT_2", ""),
        ("FIN_WAIT_2", "ESTABLISHED", "up again"),
        ("FIN_WAIT_2", "FIN_WAIT_1", ""),
        ("FIN_WAIT_2", "FIN_WAIT_2", "round"),
    ]:
        graph.add_edge(tail, head, label=label)
    scene = drawn(graph).scene
    box = dict(zip(sorted(graph), boxes(scene), strict=True))
    curves = [shape.points for shape in scene.shapes if isinstance(shape, Curve)]
    for (tail, head), points in zip(sorted(graph.edges()), curves, strict=True):
        assert holds(box[tail], points[0], 1.5)
        assert holds(box[head], points[-1], 1.5)


def test_the_svg_has_every_label_and_note_and_names_itself() -> None:
    found = picture(handshake(), title="Both ends", subtitle="FIFO, 2 segments")
    root = ElementTree.fromstring(found.svg())
    assert ("img", "Both ends") == (root.get("role"), root.findtext(f"{SVG}title"))
    assert f"0 0 {found.width} {found.height}" == root.get("viewBox")
    shown = texts(found.svg())
    assert 54 == sum(text in PLACES for text in shown)
    assert 27 == shown.count("2 states")
    assert {"B CLOSE", "A gets FIN", "B 2MSL", "FIFO, 2 segments"} <= set(shown)
    assert found.svg() == found._repr_svg_()


def test_markup_in_texts_is_escaped_and_forbidden_characters_are_marked() -> None:
    graph: Graph[Any] = nx.MultiDiGraph()
    graph.add_node(0, label='<b> & "x"', note="a < b")
    graph.add_edge(0, 0, label="</svg>\x00")
    shown = texts(picture(graph, title="<&>", legend=[("plain", "<i>")]).svg())
    assert {'<b> & "x"', "a < b", "<&>", "<i>", "</svg>\N{REPLACEMENT CHARACTER}"} == set(shown)


def test_parallel_edges_are_one_arrow_that_counts_what_it_cannot_show() -> None:
    graph: Graph[Any] = nx.MultiDiGraph()
    graph.add_nodes_from([0, 1], label="X")
    for number in range(5):
        graph.add_edge(0, 1, label=f"step {number}", kind="loss")
    graph.add_edge(0, 1, label="run", kind="highlight")
    graph.add_edge(0, 1, label="run", kind="highlight")
    scene = drawn(graph).scene
    assert 1 == sum(isinstance(shape, Curve) for shape in scene.shapes)
    labels = [shape.text for shape in scene.shapes if isinstance(shape, Text) and shape.halo]
    assert ["run", "step 0", "step 1", "+ 3 more"] == labels


@pytest.mark.parametrize("model", ["table_154", "firewall_idle", "linger_0"])
def test_in_a_joint_graph_nothing_covers_anything(model: str) -> None:
    found = measure(model, joint_picture(explore(model_named(model))).scene)
    assert 0 == found.covered
    assert f"| `{model}` | {found.boxes} | {found.arrows} | " in LAYOUTS.read_text("utf-8")


def test_the_page_of_layouts_has_every_model_and_nothing_covered() -> None:
    rows = [line.split(" | ") for line in LAYOUTS.read_text("utf-8").splitlines() if "| `" in line]
    assert sorted(f"| `{name}`" for name in MODELS) == sorted(row[0] for row in rows)
    assert {"0"} == {row[5] for row in rows}


def test_a_joint_graph_fits_a_laptop() -> None:
    assert drawn(handshake()).width <= 1000


def test_arrows_fall_from_the_initial_node_down_to_the_final_one() -> None:
    scene = drawn(handshake()).scene
    curves = [shape for shape in scene.shapes if isinstance(shape, Curve)]
    assert all(curve.points[0][1] < curve.points[-1][1] for curve in curves)


def test_nodes_stand_in_the_layers_they_ask_for() -> None:
    graph: Graph[Any] = nx.MultiDiGraph()
    for name, layer in [("TOP", 3), ("LEFT", 7), ("RIGHT", 7), ("LOW", 9)]:
        graph.add_node(name, label=name, layer=layer)
    graph.add_edge("LEFT", "RIGHT", label="level")
    graph.add_edge("LOW", "TOP", label="up")
    at = middles(drawn(graph).scene)
    assert at["TOP"][1] < at["LEFT"][1] == at["RIGHT"][1] < at["LOW"][1]


def test_figure_5_has_the_active_close_left_and_the_passive_close_right() -> None:
    at = middles(drawn(endpoint(), figure5=True).scene)
    for left, right in [
        ("FIN-WAIT-1", "CLOSE-WAIT"),
        ("FIN-WAIT-2", "CLOSING"),
        ("CLOSING", "LAST-ACK"),
        ("TIME-WAIT", "CLOSED"),
    ]:
        assert at[left][0] < at[right][0]
    for upper, lower in [
        ("ESTABLISHED", "FIN-WAIT-1"),
        ("FIN-WAIT-1", "FIN-WAIT-2"),
        ("CLOSING", "TIME-WAIT"),
        ("CLOSE-WAIT", "LAST-ACK"),
        ("LAST-ACK", "CLOSED"),
        ("CLOSED", "SOMETHING-ELSE"),
    ]:
        assert at[upper][1] < at[lower][1]
    assert at["FIN-WAIT-1"][1] == at["CLOSE-WAIT"][1]
    assert at["CLOSE-WAIT"][0] == at["LAST-ACK"][0] == at["CLOSED"][0]


def test_figure_5_covers_nothing_either() -> None:
    scene = drawn(endpoint(), figure5=True).scene
    assert [] == overlapping(boxes(scene) + patches(scene))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_png_has_the_pictures_size_times_the_scale(scale: float) -> None:
    found = drawn(handshake())
    with Image.open(BytesIO(found.png(scale))) as image:
        assert ("PNG", "RGB") == (image.format, image.mode)
        assert (round(found.width * scale), round(found.height * scale)) == image.size
        assert (255, 255, 255) == image.getpixel((0, 0))


@pytest.mark.parametrize("scale", [0, -1, float("nan"), 1e-9, 1000])
def test_a_png_of_no_size_or_of_a_monstrous_one_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        png(Scene(500, 400, "page", ()), scale)


def test_an_empty_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="no nodes; a picture needs at least one"):
        picture(nx.MultiDiGraph(), title="Nothing")


def test_a_node_without_a_label_is_named() -> None:
    graph: Graph[Any] = nx.MultiDiGraph()
    graph.add_edge("FIN_WAIT_1", "FIN_WAIT_2")
    with pytest.raises(ValueError, match="node FIN_WAIT_1 has no label; give it one"):
        picture(graph, title="Unlabelled")


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    graph: Graph[Any] = nx.MultiDiGraph()
    graph.add_node(1, label="X", kind="evil")
    with pytest.raises(ValueError, match="'evil'; it must be one of plain, initial, final, bad"):
        picture(graph, title="Kinds")
    graph.nodes[1]["kind"] = "bad"
    with pytest.raises(ValueError, match="'odd'; it must be one of plain, initial"):
        picture(graph, title="Kinds", legend=[("odd", "?")])
    graph.add_edge(1, 1, kind="wild")
    with pytest.raises(ValueError, match="edge 1 -> 1 has the kind 'wild'"):
        picture(graph, title="Kinds")


def test_characters_that_the_built_in_font_lacks_are_spelled_out() -> None:
    assert "A -> B, e, ?" == spelled("A → B, é, 語")
    assert text_width("A → B", 11) == text_width("A -> B", 11)


def test_a_dash_pattern_leaves_its_gaps_open() -> None:
    parts = dashes([(0.0, 0.0), (10.0, 0.0)], (3.0, 2.0))
    assert [(0.0, 3.0), (5.0, 8.0)] == [(part[0][0], part[-1][0]) for part in parts]
