"""Everything that takes room in a layered drawing, in rows: nodes, labels and passing arrows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.layout_layers import layers
from reports.layout_order import ordered
from reports.layout_routes import LOOP_WIDTH

NODE_GAP = 24.0
LABEL_GAP = 10.0
LANE = 14.0  # width that a passing arrow needs
ROW_WIDTH = 1100.0  # what rows are filled up to, unless the graph is large
LABEL_ROWS_MAX = 4


@dataclass(frozen=True, slots=True)
class Node:
    """The size of a box; `layer` is its row, if all nodes have one; `first` ones go on top."""

    width: float
    height: float
    layer: int | None = None
    first: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two nodes, given by index, and the size of its label."""

    tail: int
    head: int
    label_width: float = 0.0
    label_height: float = 0.0


@dataclass(slots=True)
class Grid:
    """Rows of items. Items 0, 1, ... are the nodes; the others are labels and lanes.

    `reach` is the room of an item to the left and right of its x, `row` its row. `chains` has, for
    each arrow that is no loop, its items from node to node, the upper one first, and `labels` the
    item that carries its label.
    """

    nodes: int
    rows: list[list[int]]
    row: list[int]
    reach: list[tuple[float, float]]
    heights: list[float]
    chains: dict[int, list[int]]
    labels: dict[int, int]

    def add(self, row: int, width: float, height: float) -> int:
        """The number of a new item, put at the end of a row."""
        item = len(self.reach)
        self.rows[row].append(item)
        self.row.append(row)
        self.reach.append((width / 2, width / 2))
        self.heights.append(height)
        return item

    def holds_nodes(self, row: int) -> bool:
        """True if the row has a node in it."""
        return any(item < self.nodes for item in self.rows[row])

    def height_of_row(self, row: int) -> float:
        """The height of the tallest item of a row."""
        return max((self.heights[item] for item in self.rows[row]), default=0.0)

    def width_of_row(self, row: int) -> float:
        """The room that a row needs at least."""
        return sum(sum(self.reach[item]) for item in self.rows[row])

    def links(self) -> list[tuple[int, int, float]]:
        """(upper item, lower item, weight): long arrows weigh more, so that they run straight."""
        found = []
        for chain in self.chains.values():
            for a, b in pairwise(chain):
                weight = 6.0 if min(a, b) >= self.nodes else 2.0 if len(chain) > 3 else 1.0
                found.append((a, b, weight) if self.row[a] < self.row[b] else (b, a, weight))
        return found


def grid_of(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> Grid:
    """The items of a graph in good order, its labels in as many rows as their widths ask for."""
    reach = [(node.width / 2 + NODE_GAP / 2,) * 2 for node in nodes]
    heights = [node.height for node in nodes]
    for arrow in arrows:
        if arrow.tail == arrow.head:
            left, right = reach[arrow.tail]
            reach[arrow.tail] = left, right + LOOP_WIDTH + arrow.label_width
            heights[arrow.tail] = max(heights[arrow.tail], arrow.label_height)
    layer = _layers(nodes, arrows, [left + right for left, right in reach])
    rows: list[list[int]] = [[] for _ in range(2 * max(layer) + 2)]
    for index in range(len(nodes)):
        rows[2 * layer[index]].append(index)
    grid = Grid(len(nodes), rows, [2 * row for row in layer], reach, heights, {}, {})
    for index, arrow in enumerate(arrows):
        if arrow.tail != arrow.head:
            _add_chain(grid, index, arrow)
    grid.rows = ordered(grid.rows, [(a, b) for a, b, _ in grid.links()])
    return _with_label_rows(grid)


def _layers(nodes: Sequence[Node], arrows: Sequence[Arrow], widths: list[float]) -> list[int]:
    given = [node.layer for node in nodes if node.layer is not None]
    if len(given) == len(nodes):
        taken = sorted(set(given))
        return [taken.index(layer) for layer in given]
    width_max = max(ROW_WIDTH, math.sqrt(120.0 * sum(widths)))
    first = [index for index, node in enumerate(nodes) if node.first]
    return layers(widths, [(arrow.tail, arrow.head) for arrow in arrows], first, width_max)


def _add_chain(grid: Grid, index: int, arrow: Arrow) -> None:
    """Add a label and lanes for an arrow, in the rows between its nodes or just below both."""
    top, bottom = arrow.tail, arrow.head
    if grid.row[top] > grid.row[bottom]:
        top, bottom = bottom, top
    passed = range(grid.row[top] + 1, max(grid.row[bottom], grid.row[top] + 2))
    label_row = passed[len(passed) // 4 * 2]  # rows of labels are every other row
    chain = []
    for row in passed:
        if row == label_row and arrow.label_height:
            width = max(arrow.label_width + LABEL_GAP, LANE)
            grid.labels[index] = grid.add(row, width, arrow.label_height)
            chain.append(grid.labels[index])
        else:
            chain.append(grid.add(row, LANE, 0.0))
    grid.chains[index] = [top, *chain, bottom]


def _with_label_rows(old: Grid) -> Grid:
    """The grid with each row of labels that is too wide split into several, like roof tiles."""
    width_max = max(ROW_WIDTH, *(old.width_of_row(row) for row in range(0, len(old.rows), 2)))
    reach, heights = old.reach[: old.nodes], old.heights[: old.nodes]
    new = Grid(old.nodes, [], [0] * old.nodes, reach, heights, {}, {})
    flat = {chain[1] for chain in old.chains.values() if old.row[chain[0]] == old.row[chain[-1]]}
    parts: dict[int, list[int]] = {}  # what became of each item
    for number, items in enumerate(old.rows):
        base = len(new.rows)
        wanted = math.ceil(old.width_of_row(number) / width_max) if number % 2 and items else 1
        count = min(wanted, LABEL_ROWS_MAX)
        new.rows += [[] for _ in range(count)]
        turn = 0
        for item in items:
            if item < old.nodes:
                new.row[item] = base
                new.rows[base].append(item)
                parts[item] = [item]
                continue
            height, width = old.heights[item], sum(old.reach[item])
            at = 0 if item in flat or not height else turn % count
            parts[item] = [
                new.add(base + j, width if j == at else LANE, height if j == at else 0.0)
                for j in range(1 if item in flat else count)
            ]
            turn += height > 0
    for index, chain in old.chains.items():
        new.chains[index] = [part for item in chain for part in parts[item]]
        if index in old.labels:
            carriers = parts[old.labels[index]]
            new.labels[index] = next(item for item in carriers if new.heights[item])
    return new
