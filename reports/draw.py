"""Drawing an explored graph: as a picture, or as text for other tools."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.fold import endpoint_graph, joint_graph
from reports.pictures import Picture, picture
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.run import Run
from tcpclose_model.space import Path as StepPath
from tcpclose_model.space import StateSpace

if TYPE_CHECKING:
    import networkx as nx

PICTURE_NODES_MAX = 300
"""States of a product that a layout can draw so that a person can still read it."""

TEXT_NODES_MAX = 100_000
"""States of a product that are written as text for another tool."""

MERMAID_MAX = 50_000
"""Characters of a diagram that Mermaid draws (its maxTextSize, as it is delivered)."""

OF = ("joint", "product", "endpoint")
JOINT_LEGEND = (
    ("initial", "start"),
    ("final", "both CLOSED"),
    ("bad", "some state here cannot move on"),
    ("reset", "a RST arrives"),
)
ENDPOINT_LEGEND = (("never", "no run of this model takes it"), ("reset", "a RST arrives"))


def joint_picture(
    space: StateSpace, run: Run | None = None, run_is: str = "the counterexample"
) -> Picture:
    """Return the picture of the graph folded to pairs of states, with a run highlighted."""
    path = _steps_of(space, run) if run is not None else []
    legend = (*JOINT_LEGEND, ("highlight", run_is)) if path else JOINT_LEGEND
    return picture(
        joint_graph(space, path),
        title=f"{space.model.name}: states of A over states of B",
        subtitle=_subtitle(space),
        legend=legend,
    )


def endpoint_picture(space: StateSpace, end: int = 0) -> Picture:
    """Return one end's diagram, laid out as RFC 9293 Figure 5."""
    return picture(
        endpoint_graph(space, end),
        title=f"{space.model.name}: the states of {'AB'[end]}",
        subtitle="as RFC 9293 Figure 5; an edge is a row of the table",
        legend=ENDPOINT_LEGEND,
        figure5=True,
    )


def product_picture(space: StateSpace) -> Picture:
    """Return the picture of every state; ModelError if there are too many to read."""
    return picture(product_graph(space), title=space.model.name, subtitle=_subtitle(space))


def product_graph(space: StateSpace, limit: int = PICTURE_NODES_MAX) -> nx.MultiDiGraph[int]:
    """Return the whole explored graph, each node and edge with `label` and `kind`."""
    if len(space) > limit:
        others = ".graphml, .json or .dot" if limit == PICTURE_NODES_MAX else ".aut"
        raise ModelError(
            f"the product has {len(space):,} states, more than the {limit:,} that can be drawn so: "
            f"use --of joint, or write it as {others} for another tool"
        )
    graph = space.networkx()
    for _, data in graph.nodes(data=True):
        data["kind"] = "initial" if data["initial"] else "final" if data["final"] else "plain"
    for *_, data in graph.edges(data=True):
        data["label"] = data["action"]
        lost = data["event"] == "SEGMENT_IS_LOST"
        data["kind"] = "loss" if lost else "reset" if data["sent"].startswith("RST") else "normal"
    return graph


def _subtitle(space: StateSpace) -> str:
    return f"{len(space):,} states, {space.transitions:,} steps, depth {space.depth}"


def _steps_of(space: StateSpace, run: Run) -> StepPath:
    """Return a run of the same model as a path through the explored graph."""
    path: StepPath = []
    number = 0
    for state in run.states[1:]:
        reached = (s for s in space.steps(number) if space.state(space.target[s]) == state)
        step = next(reached, None)
        if step is None:
            raise ModelError(f"the run goes on where exploring stopped: {space.stopped}")
        path.append((number, step))
        number = space.target[step]
    return path


def check_suffix(suffix: str) -> None:
    """Raise ModelError unless there is a format of that ending."""
    known = [".svg", ".png", *WRITERS, ".aut"]
    if suffix not in known:
        raise ModelError(f"no format {suffix!r}{nearest(suffix, known)}; known: {', '.join(known)}")


def drawn(
    space: StateSpace,
    of: str,
    suffix: str,
    run: Run | None = None,
    run_is: str = "the counterexample",
) -> str | bytes:
    """Return the content of a file that shows `of`, in the format that its suffix names.

    run_is: what the legend calls the run that is highlighted.
    Raises ModelError for a format that there is not, or a graph too large for it.
    """
    if suffix in (".svg", ".png"):
        shown = {
            "joint": lambda: joint_picture(space, run, run_is),
            "product": lambda: product_picture(space),
            "endpoint": lambda: endpoint_picture(space),
        }[of]()
        return shown.svg() if suffix == ".svg" else shown.png()
    check_suffix(suffix)
    graph: Any  # the nodes of the three kinds of graph differ
    if of == "joint":
        graph = joint_graph(space, _steps_of(space, run) if run is not None else [])
    elif of == "endpoint":
        graph = endpoint_graph(space, 0)
    else:
        limit = PICTURE_NODES_MAX if suffix == ".mmd" else TEXT_NODES_MAX
        graph = product_graph(space, limit)
    return WRITERS[suffix](graph)


def _plain_nodes(graph: nx.MultiDiGraph[Any]) -> nx.MultiDiGraph[str]:
    """Return the graph with nodes named by text; a pair's name is "A | B"."""
    import networkx as nx

    def name(node: object) -> str:
        return " | ".join(node) if isinstance(node, tuple) else str(node)

    named: nx.MultiDiGraph[str] = nx.relabel_nodes(graph, {node: name(node) for node in graph})
    return named


def _graphml(graph: nx.MultiDiGraph[Any]) -> bytes:
    import networkx as nx

    out = io.BytesIO()
    nx.write_graphml_xml(_plain_nodes(graph), out)
    return out.getvalue()


def _node_link(graph: nx.MultiDiGraph[Any]) -> str:
    import networkx as nx

    return json.dumps(nx.node_link_data(_plain_nodes(graph), edges="links"), indent=1) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _dot(graph: nx.MultiDiGraph[Any]) -> str:
    lines = [f"digraph {_quoted(graph.name)} {{", "  node [shape=box];"]
    named = _plain_nodes(graph)
    for node, data in named.nodes(data=True):
        lines.append(f"  {_quoted(node)} [label={_quoted(data['label'])}];")
    for source, target, data in named.edges(data=True):
        style = " style=dashed" if data["kind"] == "never" else ""
        label = _quoted(data["label"])
        lines.append(f"  {_quoted(source)} -> {_quoted(target)} [label={label}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _mermaid(graph: nx.MultiDiGraph[Any]) -> str:
    named = _plain_nodes(graph)
    number = {node: f"s{i}" for i, node in enumerate(named)}
    lines = ["stateDiagram-v2"]
    for node, data in named.nodes(data=True):
        text = data["label"].replace("\n", " / ").replace(":", " ")
        lines.append(f'    state "{text}" as {number[node]}')
        if data["kind"] == "initial":
            lines.append(f"    [*] --> {number[node]}")
    for source, target, data in named.edges(data=True):
        lines.append(f"    {number[source]} --> {number[target]} : {data['label']}")
    text = "\n".join(lines) + "\n"
    if len(text) > MERMAID_MAX:
        raise ModelError(
            f"the graph takes {len(text):,} characters, more than the {MERMAID_MAX:,} that Mermaid "
            "draws: use --of joint, or write it as .svg or .dot"
        )
    return text


WRITERS: dict[str, Callable[[nx.MultiDiGraph[Any]], str | bytes]] = {
    ".dot": _dot,
    ".graphml": _graphml,
    ".json": _node_link,
    ".mmd": _mermaid,
}


def suffix_of(path: Path) -> str:
    """Return the ending of a file name, in small letters."""
    return path.suffix.lower()
