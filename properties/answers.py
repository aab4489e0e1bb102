"""What a predicate answers for every state, or every step, from a few questions.

A predicate reads a few fields of what it is shown.  It is asked about one case while its reading
is watched; every other case that has the same values there has the same answer.  So a predicate
over millions of steps is asked some ten or hundred times, and the rest is comparing columns.
Needs numpy: for the graphs of the fast engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

import numpy as np

from properties.views import StatePredicate, StepPredicate, StepView, View
from tcpclose_model.protocol.vocabulary import TCB
from tcpclose_model.space import Move

Array = np.ndarray[Any, np.dtype[Any]]

NO, YES, RAISES = 0, 1, 2
"""Answers; RAISES: the predicate raised, on a case that may not occur."""

MOVE, A, B = 0, 1, 2
"""The axes of a case: which move, which TCB of A, which of B."""

Read = tuple[int, Array, int]
"""What was read: along which axis, the column of codes there, and the code that was read."""


class WholeError(BaseException):
    """A predicate took a TCB as a whole (compared or copied it): no field tells its answer.

    No `Exception`, so that a predicate which catches those does not catch this.
    """


@dataclass
class Columns:
    """Columns of values along the three axes, as codes: equal values have equal codes."""

    moves: Sequence[Move]
    a: Sequence[TCB]
    b: Sequence[TCB]
    _known: dict[object, Array] = field(default_factory=dict)
    _kinds: frozenset[type] | None = None

    def column(self, key: object, values: Callable[[], list[Any]]) -> Array:
        """Return the codes of a column, worked out once."""
        if key not in self._known:
            codes: dict[object, int] = {}
            self._known[key] = np.array(
                [codes.setdefault(value, len(codes)) for value in values()], np.int64
            )
        return self._known[key]

    def kinds_of_tcb(self) -> frozenset[type]:
        """Return the classes of the TCBs, which have the fields that their tables have."""
        if self._kinds is None:
            self._kinds = frozenset(map(type, (*self.a, *self.b)))
        return self._kinds

    def acts(self, side: int) -> Array:
        """Return, for each move, whether that end's TCB is its actor's."""
        return self.column(
            ("acts", side),
            lambda: [m.before >= 0 and m.action.actor == side - A for m in self.moves],
        )


class _Watch:
    """One question: which case it is about, and what has been read so far."""

    def __init__(self, columns: Columns, tcbs: Sequence[TCB], case: tuple[int, int, int]) -> None:
        self.columns, self.tcbs, self.case = columns, tcbs, case
        self.reads: list[Read] = []

    def read(self, axis: int, column: Array) -> None:
        self.reads.append((axis, column, int(column[self.case[axis]])))

    def of_move(self, name: str, value: Callable[[Move], Any]) -> Any:
        """Read something of the move."""
        moves = self.columns.moves
        self.read(MOVE, self.columns.column(("move", name), lambda: [value(m) for m in moves]))
        return value(moves[self.case[MOVE]])

    def of_tcb(self, side: int, name: str, *, after: bool) -> Any:
        """Read a field of an end's TCB; where the end acts, the move tells it."""
        columns = self.columns
        move = columns.moves[self.case[MOVE]] if columns.moves else None
        if move is not None:
            self.read(MOVE, columns.acts(side))
            if move.before >= 0 and move.action.actor == side - A:
                tcb = self.tcbs[move.after if after else move.before]
                self.read(MOVE, columns.column((side, name, after), lambda: self._own(name, after)))
                return getattr(tcb, name)
        ends = columns.a if side == A else columns.b
        column = columns.column((side, name), lambda: [getattr(tcb, name, None) for tcb in ends])
        self.read(side, column)
        return getattr(ends[self.case[side]], name)

    def _own(self, name: str, after: bool) -> list[Any]:
        numbers = (m.after if after else m.before for m in self.columns.moves)
        return [getattr(self.tcbs[n], name, None) if n >= 0 else None for n in numbers]


def _whole(*_: object) -> NoReturn:
    raise WholeError


class _WatchedTcb:
    """Stands in for a TCB; tells which of its fields are read."""

    __class__ = property(_whole)  # isinstance asks for it

    def __init__(self, watch: _Watch, side: int, *, after: bool) -> None:
        self._watch, self._side, self._after = watch, side, after

    def __getattr__(self, name: str) -> Any:
        watch = self._watch
        if not any(name in tcb._fields for tcb in watch.tcbs):
            if any(hasattr(kind, name) for kind in watch.columns.kinds_of_tcb()):
                raise WholeError  # a method, such as _replace: the real TCB will tell
            raise AttributeError(name)  # of any TCB: no case differs from another
        return watch.of_tcb(self._side, name, after=self._after)


# Whatever Python looks up on a class: comparing, hashing, copying, `isinstance`.
for _name in (
    *("eq", "ne", "lt", "le", "gt", "ge", "hash", "bool", "repr", "str", "format"),
    *("iter", "len", "getitem", "contains", "reversed", "add", "mul"),
):
    setattr(_WatchedTcb, f"__{_name}__", _whole)


def _watched(watch: _Watch, end: int, *, after: bool) -> View:
    a, b = (cast(TCB, _WatchedTcb(watch, side, after=after)) for side in (A, B))
    return View(a, b, None, end)


class _WatchedStep(StepView):
    """A step view that tells what is read of it."""

    __slots__ = ("_watch",)

    def __init__(self, watch: _Watch, end: int) -> None:
        super().__init__(watch.columns.moves[watch.case[MOVE]], end)
        self._watch = watch

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return super().__getattribute__(name)
        watch, end = self._watch, self._end
        return watch.of_move(f"{name} {end}", lambda move: getattr(StepView(move, end), name))


@dataclass(frozen=True)
class Answers:
    """A predicate's answers by classes: table[of_move[m], of_a[a], of_b[b]]."""

    of_move: Array
    of_a: Array
    of_b: Array
    table: Array


def state_answers(
    predicate: StatePredicate, a: Sequence[TCB], b: Sequence[TCB], end: int
) -> Answers:
    """Return what a predicate answers for each pair of TCBs, seen from `end`.

    Raises WholeError if it looks at whole TCBs, and whatever `View` raises for the channels.
    """

    def ask(watch: _Watch) -> bool:
        return bool(predicate(_watched(watch, end, after=False)))

    return _answers(ask, Columns((), a, b), a, (1, len(a), len(b)))


def step_answers(
    predicate: StepPredicate,
    moves: Sequence[Move],
    tcbs: Sequence[TCB],
    a: Sequence[TCB],
    b: Sequence[TCB],
    end: int,
) -> Answers:
    """Return what a predicate answers for each move between each pair of TCBs, as above."""

    def ask(watch: _Watch) -> bool:
        before, after = (_watched(watch, end, after=late) for late in (False, True))
        return bool(predicate(before, _WatchedStep(watch, end), after))

    return _answers(ask, Columns(moves, a, b), tcbs, (len(moves), len(a), len(b)))


def _answers(
    ask: Callable[[_Watch], bool], columns: Columns, tcbs: Sequence[TCB], sizes: tuple[int, ...]
) -> Answers:
    boxes: list[tuple[list[Array], int]] = []
    todo = [[np.arange(size) for size in sizes]]
    while todo:
        box = todo.pop()
        if not all(len(members) for members in box):
            continue
        case = (int(box[MOVE][0]), int(box[A][0]), int(box[B][0]))
        watch = _Watch(columns, tcbs, case)
        try:
            answer = YES if ask(watch) else NO
        except Exception:
            answer = RAISES
        for axis, column, code in watch.reads:
            same = column[box[axis]] == code
            if not same.all():
                rest = list(box)
                rest[axis] = box[axis][~same]
                todo.append(rest)
                box[axis] = box[axis][same]
        if answer != NO:
            boxes.append((box, answer))
    return _classes(boxes, sizes)


def _classes(boxes: list[tuple[list[Array], int]], sizes: tuple[int, ...]) -> Answers:
    """Return the boxes as a table over classes: members that lie in the same boxes are one."""
    classes, rows = [], []
    for axis, size in enumerate(sizes):
        inside = np.zeros((size, max(len(boxes), 1)), np.uint8)
        for number, (box, _) in enumerate(boxes):
            inside[box[axis], number] = 1
        kinds, class_of = np.unique(inside, axis=0, return_inverse=True)
        classes.append(class_of.reshape(-1).astype(np.int32))
        rows.append(kinds)
    table = np.zeros([len(kinds) for kinds in rows], np.uint8)
    for number, (_, answer) in enumerate(boxes):
        m, a, b = (np.flatnonzero(kinds[:, number]) for kinds in rows)
        table[np.ix_(m, a, b)] = answer
    return Answers(classes[MOVE], classes[A], classes[B], table)
