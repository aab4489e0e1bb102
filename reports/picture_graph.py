"""A networkx graph as the boxes and arrows that a picture of it has, in one fixed order."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import networkx as nx

from reports.layout import Arrow, Node
from reports.lettering import block_size

LABEL_SIZE, NOTE_SIZE, EDGE_SIZE = 13.0, 11.0, 11.0
PADDING = 10.0
TEXTS_MAX = 3  # on one arrow; the others are counted

NODE_KINDS = ("plain", "initial", "final", "bad")
EDGE_KINDS = ("highlight", "normal", "reset", "loss", "never")  # the first decides for an arrow


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A box: its lines of text, a small note below them (or none), and its kind."""

    name: str
    lines: tuple[str, ...]
    note: str
    kind: str
    layer: int | None

    def order(self) -> tuple[bool, str, tuple[str, ...], str, str]:
        """What nodes are sorted by; an initial one comes first."""
        return self.kind != "initial", self.name, self.lines, self.note, self.kind

    def size(self) -> Node:
        """What the layout needs to know of it."""
        width, height = block_size(self.lines, LABEL_SIZE)
        if self.note:
            note_width, note_height = block_size((self.note,), NOTE_SIZE)
            width, height = max(width, note_width), height + note_height + 2
        return Node(width + 2 * PADDING, height + 1.4 * PADDING, self.layer)


@dataclass(frozen=True, slots=True)
class DrawnArrow:
    """An arrow from one node to another (by index), and (text, kind) for each line of its label."""

    tail: int
    head: int
    kind: str
    lines: tuple[tuple[str, str], ...]

    def size(self) -> Arrow:
        """What the layout needs to know of it."""
        width, height = block_size(tuple(text for text, _ in self.lines), EDGE_SIZE)
        return Arrow(self.tail, self.head, width + 4 if width else 0.0, height)


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """All boxes and arrows of a picture."""

    nodes: tuple[DrawnNode, ...]
    arrows: tuple[DrawnArrow, ...]


# The type of nodes is Any, as graphs of any nodes are drawn and MultiDiGraph is invariant.
def drawn_graph(graph: nx.MultiDiGraph[Any]) -> DrawnGraph:
    """The boxes and arrows of a graph, sorted; ValueError if it cannot be drawn."""
    if not len(graph):
        raise ValueError("the graph has no nodes; a picture needs at least one")
    found = sorted(
        ((node, _drawn_node(node, data)) for node, data in graph.nodes(data=True)),
        key=lambda pair: pair[1].order(),
    )
    index: dict[Hashable, int] = {node: i for i, (node, _) in enumerate(found)}
    texts: dict[tuple[int, int], set[tuple[int, str]]] = {}
    for tail, head, data in graph.edges(data=True):
        kind = _kind(data, EDGE_KINDS, "normal", f"the edge {tail!s} -> {head!s}")
        text = (EDGE_KINDS.index(kind), str(data.get("label") or ""))
        texts.setdefault((index[tail], index[head]), set()).add(text)
    return DrawnGraph(
        tuple(node for _, node in found),
        tuple(_merged(tail, head, sorted(texts[tail, head])) for tail, head in sorted(texts)),
    )


def _drawn_node(node: Hashable, data: dict[str, object]) -> DrawnNode:
    label = data.get("label")
    if not isinstance(label, str) or not label.strip():
        raise ValueError(
            f"the node {node!s} has no label; give it one, as in"
            f" graph.add_node({node!r}, label='FIN_WAIT_1')"
        )
    layer = data.get("layer")
    if layer is not None and not isinstance(layer, int):
        raise ValueError(f"the layer of node {node!s} is {layer!r}; it must be a whole number")
    return DrawnNode(
        name=str(node),
        lines=tuple(label.strip("\n").splitlines()),
        note=" ".join(str(data.get("note") or "").split()),
        kind=_kind(data, NODE_KINDS, "plain", f"the node {node!s}"),
        layer=layer,
    )


def _kind(data: dict[str, object], known: tuple[str, ...], default: str, whose: str) -> str:
    kind = data.get("kind") or default
    if kind not in known:
        raise ValueError(f"{whose} has the kind {kind!r}; it must be one of {', '.join(known)}")
    return str(kind)


def _merged(tail: int, head: int, texts: list[tuple[int, str]]) -> DrawnArrow:
    """One arrow for parallel edges: the texts of its first edges, then how many more there are."""
    shown = [(text, EDGE_KINDS[kind]) for kind, text in texts if text]
    lines = [(line, kind) for text, kind in shown[:TEXTS_MAX] for line in text.strip().splitlines()]
    if len(shown) > TEXTS_MAX:
        lines.append((f"+ {len(shown) - TEXTS_MAX} more", "never"))
    return DrawnArrow(tail, head, EDGE_KINDS[texts[0][0]], tuple(lines))
