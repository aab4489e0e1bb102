"""The fast search that keeps every state and every step: the same graph as the plain search's.

States are numbered in the order in which the plain search finds them, so whatever is judged on
this graph, and every run that is shown, is what the plain search would give.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np

from tcpclose_model.engines.fast.numbering import (
    FULL,
    MISSED,
    fill_table,
    find_misses,
    number_states,
    number_words,
    scratch,
)
from tcpclose_model.engines.fast.packing import Packing
from tcpclose_model.engines.fast.steps import STEPS_MAX
from tcpclose_model.engines.fast.tables import Tables, TooWideError
from tcpclose_model.limits import Limits
from tcpclose_model.model import Model
from tcpclose_model.space import StateSpace

STEPS_KEPT_MAX = 100_000_000
"""Steps of a graph that is kept; a larger model is searched without keeping it."""

SLICE = 1 << 16
"""States expanded between two looks at the limits."""

TOO_MANY_STEPS = f"the graph has more than {STEPS_KEPT_MAX:,} steps"

Array = np.ndarray[Any, np.dtype[Any]]


class FastSpace(StateSpace):
    """A state space whose lists are numpy arrays: `properties` judges it with kernels."""

    __slots__ = ()
    is_fast: ClassVar[bool] = True

    def source(self, step: int) -> int:
        """Return the number of the state that a step starts from."""
        return int(np.searchsorted(self.first_step, step, side="right")) - 1

    def steps_between(self, first: int, last: int, target: int) -> list[int]:
        """Return the steps to `target` from the states numbered first to last - 1."""
        begin, end = self.first_step[first], self.first_step[last]
        targets = cast(Array, self.target)[begin:end]
        return [int(begin) + step for step in np.flatnonzero(targets == target).tolist()]


def explore_numbered(model: Model, limits: Limits) -> FastSpace:
    """Return the state space of a model; what stopped it early is in `stopped`.

    Raises TooWideError if the model's numbers do not fit the words of the kernel.
    """
    tables = Tables(model)
    while True:
        search = _Search(tables, tables.packing(), limits)
        try:
            search.run()
        except KeyboardInterrupt:
            search.stopped = "interrupted"
        except MemoryError:
            search.stopped = limits.out_of_memory()
        if not search.outgrown:
            return search.space()


class _Search:
    def __init__(self, tables: Tables, packing: Packing, limits: Limits) -> None:
        self.tables, self.packing, self.limits = tables, packing, limits
        self.order = np.empty(1 << 14, np.int64)
        self.order[0] = packing.pack(0, 0, 0, 0)
        self.first_step = np.zeros(1 << 14, np.int64)
        self.target = np.empty(1 << 17, np.int32)
        self.code = np.empty(1 << 17, np.int32)
        self.counts = np.array([1, 0, 0], np.int64)
        self.table_bits = 15
        self.table = self._new_table()
        self.scratch = scratch()
        self.at = 0
        self.levels = [0]
        self.level_end = 1
        self.stopped = ""
        self.outgrown = False

    def run(self) -> None:
        """Expand states until none is left, a limit is hit, or a number outgrows its bits."""
        machine = self.tables.machine(self.packing, ordered=True)
        while self.at < self.counts[0] and not self.stopped:
            last = min(self.level_end, self.at + SLICE)
            self.at, status = number_states(
                machine, self.scratch, self.at, last, self.counts, self.order, self.table,
                64 - self.table_bits, self.first_step, self.target, self.code,
            )  # fmt: skip
            if status == MISSED:
                self._fill(machine, last)
                if self.outgrown:
                    return
                machine = self.tables.machine(self.packing, ordered=True)
            elif status == FULL:
                self._make_room()
            elif self.at == self.level_end:
                self._next_level()
            self._look()

    def _fill(self, machine: Any, last: int) -> None:
        missing = np.empty(1 << 10, np.int64)
        count = find_misses(machine, self.at, min(last, self.at + SLICE // 16), self.order, missing)
        self.tables.fill(set(missing[:count].tolist()))
        self.outgrown = not self.tables.fits(self.packing)

    def _next_level(self) -> None:
        if self.counts[0] > self.level_end:
            self.levels.append(self.level_end)
            self.level_end = int(self.counts[0])

    def _look(self) -> None:
        states, steps = int(self.counts[0]), int(self.counts[1])
        self.stopped = self.stopped or self.limits.hit(states)
        if steps > STEPS_KEPT_MAX:
            self.stopped = TOO_MANY_STEPS
        self.limits.tell(len(self.levels) - 1, states, states - self.at)

    def _make_room(self) -> None:
        """Make every array that may be too small for one more batch larger."""
        states, steps = int(self.counts[0]), int(self.counts[1])
        more = STEPS_MAX * 32
        grown = 2 * (states + more)
        if 8 * (2 * grown + 4 * grown) + 16 * steps > self.limits.room():
            self.stopped = self.limits.out_of_memory()
            return
        if steps + more > self.target.size:
            for array in (self.target, self.code):
                array.resize(2 * (steps + more), refcheck=False)
        if states + more > self.order.size:
            self.order.resize(grown, refcheck=False)
        if self.at + 64 > self.first_step.size:
            self.first_step.resize(2 * self.first_step.size, refcheck=False)
        if 2 * (states + more) > 1 << self.table_bits:
            while 3 * (states + more) > 1 << self.table_bits:
                self.table_bits += 1
            self.table = self._new_table()

    def _new_table(self) -> Array:
        table = np.full(2 << self.table_bits, -1, np.int64)
        fill_table(self.order, self.counts[0], table, 64 - self.table_bits)
        return table

    def space(self) -> FastSpace:
        """Return what has been found."""
        states, steps = int(self.counts[0]), int(self.counts[1])
        tables, packing = self.tables, self.packing
        self.table = np.empty(0, np.int64)
        order = self.order[:states]
        width = packing.channel_bits
        ends = order >> 2 * width
        a = (ends & (1 << packing.a_bits) - 1).astype(np.int32)
        b = (ends >> packing.a_bits).astype(np.int32)
        offset = 0 if tables.symmetric else len(tables.tcbs[0])
        channels, a_to_b, b_to_a = self._channels(order)
        moves, move = self._moves(steps, offset)
        arrays: dict[str, Any] = {  # Any: arrays, read as lists
            "a": a,
            "b": b + np.int32(offset),
            "a_to_b": a_to_b,
            "b_to_a": b_to_a,
            "first_step": self.first_step[: self.at + 1],
            "target": self.target[:steps],
            "move": move,
        }
        return FastSpace(
            **arrays,
            model=tables.engine.model,
            tcbs=tables.tcbs[0] if tables.symmetric else tables.tcbs[0] + tables.tcbs[1],
            channels=channels,
            moves=moves,
            levels=self.levels,
            cut=self._cut(a, b, a_to_b, b_to_a),
            stopped=self.stopped,
        )

    def _channels(self, order: Array) -> tuple[list[Any], Array, Array]:
        """Return the contents that occur, and which of them each channel of each state has."""
        width = self.packing.channel_bits
        mask = (1 << width) - 1
        words = np.concatenate([[0], order & mask, order >> width & mask])
        numbers = np.empty(words.size, np.int32)
        bits = 10
        count = -1
        while count < 0:
            bits += 2
            table = np.full(2 << bits, -1, np.int64)
            found = np.empty(1 << bits, np.int64)
            count = number_words(words, numbers, table, found)
        contents = [self.tables.channel(self.packing, word) for word in found[:count].tolist()]
        half = 1 + len(order)
        return contents, numbers[1:half], numbers[half:]

    def _moves(self, steps: int, offset: int) -> tuple[list[Any], Array]:
        """Return the moves that occur, and which of them each step makes."""
        code = self.code[:steps]
        least = int(code.min()) if steps else 0
        shifted = code - np.int32(least)
        occurring = np.flatnonzero(np.bincount(shifted)) if steps else np.empty(0, np.int64)
        number = np.zeros(int(occurring.max(initial=0)) + 1, np.int32)
        number[occurring] = np.arange(len(occurring))
        moves = [self.tables.move(int(code) + least, offset) for code in occurring]
        return moves, number[shifted]

    def _cut(self, a: Array, b: Array, a_to_b: Array, b_to_a: Array) -> frozenset[int]:
        """Return the states where a bound withholds a step (see `PlainEngine.is_cut`)."""
        model = self.tables.engine.model
        if model.bounds.retransmissions_max is None:
            return frozenset()
        cuts = [
            np.array([end.is_cut(tcb) for tcb in tcbs], np.bool_)
            for end, tcbs in zip(self.tables.engine.ends, self.tables.tcbs, strict=True)
        ]
        marks = cuts[0][a] | cuts[1][b]
        if model.timers.retransmission == "timely":
            marks &= (a_to_b == 0) & (b_to_a == 0)
        return frozenset(np.flatnonzero(marks).tolist())


__all__ = ["STEPS_KEPT_MAX", "TOO_MANY_STEPS", "FastSpace", "TooWideError", "explore_numbered"]
