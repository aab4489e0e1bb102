"""Ranges: which values the fields of TCBs and segments can have, found without exploring.

Both ends are run together over intervals, one box for each state of an end and one for each kind
of segment that it sends, until nothing new appears (an abstract interpretation; bounds that keep
growing are moved to the next of a few likely values, and then to "no bound").  A field without a
bound is given one of its own, and every change that might break it is named in `unproven`, so
that an exporter can have it asserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress

from reports.exports.intervals import FAR, Box, Interval, hull, interval, refined
from reports.exports.rows import Change, Row, fields_of, first_tcbs, rows_of, wanted
from reports.exports.terms import Field, Term, all_of, fields_in
from tcpclose_model.engines.plain import FIRST_NUMBER
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import AGAIN, DROP, Fallback, On
from tcpclose_model.protocol.opening import ISS_MAX
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    ESTABLISHED,
    LOCAL_EVENTS,
    Event,
    State,
    Step,
)

PATIENCE = 3
"""Times that a bound may move before it is moved further than needed."""

LEAST = {Field("seg", "seq"): -1}
"""The fields that can be negative: a keep-alive probe may take the number before the first."""

Kind = tuple[Interval, ...]
Unproven = tuple[str, int, str]
"""The name of a row, the place of one of its effects, a field."""


@dataclass
class Ranges:
    """What can be.

    box: the values of every field, of either end and at any point of a step; settled: those of
        TCBs between steps; live: for each end, the names of the rows that can be carried out;
    bounds: the largest value of each field that has been given a bound; unproven: the changes
        that might break one.
    """

    box: Box = field(default_factory=dict)
    settled: Box = field(default_factory=dict)
    live: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    bounds: dict[Field, int] = field(default_factory=dict)
    unproven: set[Unproven] = field(default_factory=set)


def ranges_of(model: Model) -> Ranges:
    """Return what the fields of a model can be."""
    return _Search(model).run()


def fields_that_matter(model: Model, ranges: Ranges, rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the names of the TCB fields that a text needs, `state` among them.

    The others are 0 between steps, nothing reads them within one, and nothing that they are set to
    would have to be asserted.
    """
    read = {
        name for end in (0, 1) for on in LOCAL_EVENTS for name in fields_in(wanted(model, end, on))
    }
    for row in rows:
        read |= {name for term in row.when for name in fields_in(term)}
        for effect in row.do:
            if isinstance(effect, Change):
                for name, term in effect.fields:
                    read |= fields_in(term) - {Field("tcb", name)}
            else:
                read |= {name for _, term in effect.terms() for name in fields_in(term)}
    names = dict.fromkeys([*fields_of(model.a), *fields_of(model.b)])
    asserted = {"state", *(name for _, _, name in ranges.unproven)}
    matters = [
        name in asserted
        or ranges.settled[Field("tcb", name)] != (0, 0)
        or (ranges.box[Field("tcb", name)] != (0, 0) and Field("tcb", name) in read)
        for name in names
    ]
    return tuple(compress(names, matters))


def _likely(model: Model) -> list[int]:
    """Return values at which bounds are likely to stand still, in order."""
    units, most = model.application.data_units, model.bounds.retransmissions_max or 0
    values = {0, 1, 2, 3, most, most + 1}
    if model.reopens:
        return sorted(values | {*range(_number_max(model) + 1)})
    for count in units:
        values |= {count, count + 1, count + 2, (1 << min(count, 30)) - 1}
    return sorted(values)


def _number_max(model: Model) -> int:
    """Return the largest sequence number in a model that opens the connection again.

    A second connection begins with the ISS that is set, or above all that the first has used.
    """
    first, second = max(model.application.data_units), max(model.incarnations.data_units)
    used = FIRST_NUMBER + first + 1
    return max(used, *model.incarnations.iss) + 1 + second + 1


def _declared(model: Model) -> dict[Field, int]:
    """Return the bounds that fields have before anything is known of them."""
    bounds = {
        Field("tcb", name): maximum
        for protocol in (model.a, model.b)
        for name, maximum in protocol.fields
    }
    if model.reopens:
        number = _number_max(model)
        bounds |= {name: min(bound, number) for name, bound in bounds.items() if bound == ISS_MAX}
        bounds[Field("tcb", "held")] = (2 << number) - 1
    return bounds


class _Search:
    """The abstract run of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.found = Ranges(bounds=_declared(model))
        self.ends = (_End(model, 0), _End(model, 1))
        self.likely = _likely(model)
        self.moved: dict[object, int] = {}
        names = dict.fromkeys([*fields_of(model.a), *fields_of(model.b)])
        first = first_tcbs(model)
        starts = [{Field("tcb", name): (tcb.get(name, 0),) * 2 for name in names} for tcb in first]
        self.found.box = hull(*starts)
        self.found.settled = hull(*starts)
        self.boxes: list[dict[State, Box]] = [{ESTABLISHED: start} for start in starts]
        self.alike = self.ends[0].is_like(self.ends[1]) and starts[0] == starts[1]
        self.sent: list[dict[Kind, Box]] = [{}, {}]

    def run(self) -> Ranges:
        """Return what was found when nothing more can be."""
        done: dict[object, object] = {}
        changed = True
        alike = self.alike
        while changed:
            changed = False
            for number, end in enumerate(self.ends[: 1 if alike else 2]):
                for state, box in list(self.boxes[number].items()):
                    if done.get((number, state)) != box:
                        done[number, state] = box
                        changed = True
                        for row, claim in end.local.get(state, ()):
                            for _, after in self._carried_out(number, row, claim, box):
                                self._settle(number, after)
                    for kind, seg in list(self.sent[number if alike else 1 - number].items()):
                        if done.get((number, state, kind)) != (box, seg):
                            done[number, state, kind] = box, seg
                            changed = True
                            self._arrival(number, state, {**box, **seg})
        if alike:
            self.found.live[1].update(self.found.live[0])
        for boxes, sent in zip(self.boxes, self.sent, strict=True):
            for box in boxes.values():
                self._seen(box)
                self.found.settled = hull(self.found.settled, box)
            for seg in sent.values():
                self._seen(seg)
        return self.found

    def _carried_out(
        self, number: int, row: Row, claim: Term, box: Box
    ) -> Iterator[tuple[State, Box]]:
        """Give the box after a row, with its state, if the row can be carried out in `box`."""
        part = refined(box, claim)
        part = None if part is None else refined(part, claim)
        if part is None:
            return
        self.found.live[number].add(row.name)
        for place, effect in enumerate(row.do):
            if isinstance(effect, Change):
                values = {
                    Field("tcb", name): self._stored(row, place, Field("tcb", name), term, part)
                    for name, term in effect.fields
                }
                self._seen(values)
                part = {**part, **values}
            else:
                seg = {
                    Field("seg", name): self._stored(row, place, Field("seg", name), term, part)
                    for name, term in effect.terms()
                }
                kind = tuple(seg[Field("seg", name)] for name in ("text", "fin", "rst", "syn"))
                self._join(self.sent[number], kind, seg)
                part = {**part, Field("tcb", "ack_due"): (0, 0)}
        state = row.to
        if state is None:
            state = State(part[Field("tcb", "state")][0])
        part = {**part, Field("tcb", "state"): (int(state), int(state))}
        if state == CLOSED:
            kept = self.ends[number].kept
            part = {
                name: value if name.of == "seg" or name.name in kept else (0, 0)
                for name, value in part.items()
            }
        yield state, part

    def _stored(self, row: Row, place: int, name: Field, term: Term, box: Box) -> Interval:
        low, high = interval(term, box)
        least, wide = LEAST.get(name, 0), high >= FAR
        largest = self._bound(name) if low < least or wide else self.found.bounds.get(name, FAR)
        if low < least or high > largest:
            self.found.unproven.add((row.name, place, name.name))
            return min(max(low, least), largest), max(min(high, largest), least)
        return low, high

    def _bound(self, name: Field) -> int:
        """Return the bound of a field, which is given one now if it has none."""
        return self.found.bounds.setdefault(name, 2 * self.likely[-1] + 1)

    def _arrival(self, number: int, state: State, box: Box) -> None:
        """Carry a segment through the steps of SEGMENT ARRIVES."""
        end = self.ends[number]
        here = {state: box}
        for step in Step:
            here = self._step(number, end, step, here)
        for after in here.values():
            self._settle(number, after)

    def _step(self, number: int, end: _End, step: Step, here: dict[State, Box]) -> dict[State, Box]:
        """Return the boxes that go on to the next step; those that do not are settled."""
        onwards: dict[State, Box] = {}
        waiting = list(here.items())
        again: dict[State, Box] = dict(here)
        while waiting:
            state, box = waiting.pop()
            passed: Box | None = box
            for row, claim in end.arrivals.get((state, step), ()):
                passed = None if passed is None else refined(passed, claim, so=False)
                for after, changed in self._carried_out(number, row, claim, box):
                    if row.then is DROP or after == CLOSED:
                        self._settle(number, changed)
                    elif row.then is AGAIN:
                        if self._join(again, after, changed, (number, state, step)):
                            waiting.append((after, again[after]))
                    else:
                        self._join(onwards, after, changed, (number, step))
            if passed is None:
                continue
            if end.fallback[state, step] is Fallback.DROPS:
                self._settle(number, passed)
            elif end.fallback[state, step] is not Fallback.UNREACHABLE:
                self._join(onwards, state, passed, (number, step))
        return onwards

    def _settle(self, number: int, box: Box) -> None:
        """Add what an end can be between steps."""
        tcb = {name: value for name, value in box.items() if name.of == "tcb"}
        count, read = Field("tcb", "retransmitted"), Field("tcb", "read")
        limit = self.model.bounds.retransmissions_max or 0
        tcb[count] = min(tcb[count][0], limit), min(tcb[count][1], limit)
        if self.model.application.reading == "eager":
            tcb[read] = tcb[Field("tcb", "rcv_text")]
        state = State(tcb[Field("tcb", "state")][0])
        self._join(self.boxes[number], state, tcb)

    def _seen(self, box: Box) -> None:
        """Add what fields can be to what is known of them."""
        known = self.found.box
        known |= hull(box, {name: known.get(name, value) for name, value in box.items()})

    def _join(
        self, boxes: dict[State, Box] | dict[Kind, Box], key: object, box: Box, where: object = None
    ) -> bool:
        """Add a box to the one under `key`; return whether it has grown."""
        known = boxes.get(key)  # type: ignore[call-overload]  # the key is of the right kind
        if known is None:
            boxes[key] = box  # type: ignore[index]  # as above
            return True
        joined = hull(known, box)
        for name, (low, high) in joined.items():
            if (low, high) == known[name]:
                continue
            counter = (id(boxes) if where is None else where, key, name)
            self.moved[counter] = self.moved.get(counter, 0) + 1
            if self.moved[counter] > PATIENCE:
                joined[name] = self._far(name, low, high)
        boxes[key] = joined  # type: ignore[index]  # as above
        return bool(joined != known)

    def _far(self, name: Field, low: int, high: int) -> Interval:
        """Return an interval that leaves room to grow."""
        above = (value for value in self.likely if value >= high)
        return min(low, 0), next(above, None) or max(high, self._bound(name))


class _End:
    """One end's rows, each with all that must be true, by state, and its fallbacks."""

    def __init__(self, model: Model, number: int) -> None:
        protocol = model.b if number else model.a
        self.kept = {*protocol.kept, "state"}
        self.local: dict[State, list[tuple[Row, Term]]] = {}
        self.arrivals: dict[tuple[State, On], list[tuple[Row, Term]]] = {}
        self.fallback = {
            (state, on): cell.does for cell in protocol.cells for state in cell.at for on in cell.on
        }
        wants = {event: wanted(model, number, event) for event in LOCAL_EVENTS}
        self.rows: list[tuple[Row, Term]] = []
        for row in rows_of(model, number):
            wish = (wants[row.on],) if isinstance(row.on, Event) else ()
            self.rows.append((row, all_of((*wish, *row.when))))
            for state in row.at:
                if isinstance(row.on, Event):
                    self.local.setdefault(state, []).append(self.rows[-1])
                else:
                    self.arrivals.setdefault((state, row.on), []).append(self.rows[-1])

    def is_like(self, other: _End) -> bool:
        """Return whether another end has the same rows, and keeps the same of a deleted TCB."""
        return self.rows == other.rows and self.kept == other.kept
