"""The rows of a model's two tables in TLA+: an operator for each row, and for what it asks.

A row of calls, output and timeouts is an action of the end `me`; a row of SEGMENT ARRIVES makes of
an arrival `x` (the TCB, the segment, what is sent, whether it is over) the arrival after it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.exports.rows import Net, Row, Send, net, rows_of, segment_fields, states_of
from reports.exports.terms import ZERO, Const, Field, Term, fields_in
from reports.exports.tla_terms import AND, COMPARISON, OR, WIDTH, Expressions, Names, marked_fields
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import AGAIN, DROP, DROPS, UNREACHABLE, Otherwise, Protocol
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    Event,
    Segment,
    State,
    Step,
)

BOTH = (0, 1)
LETTERS = {"tcb": "t", "seg": "s"}
"""What stands for the records that rows are about."""

KIND = ("text", "fin", "rst", "syn")
SEGMENTS = {
    (0, 0, 0, 0): "ACK",
    (1, 0, 0, 0): "TEXT",
    (0, 1, 0, 0): "FIN",
    (1, 1, 0, 0): "TEXT_AND_FIN",
    (0, 0, 0, 1): "SYN",
}
"""The operators that make segments, by `KIND`; a RST has one of its own."""


LIST_AND = "\n         /\\ "
"""Between the items of a list in a case."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A row, its operator's name, what it does, and the ends whose tables have it."""

    row: Row
    name: str
    net: Net
    ends: tuple[int, ...]

    @property
    def is_over(self) -> bool:
        """Whether the row ends the processing of a segment."""
        return self.row.then is DROP or self.row.deletes


def operators(model: Model, names: Names) -> tuple[Operator, ...]:
    """Return the rows of both tables; one that stands in both, and does the same, stands once."""
    ours, others = rows_of(model, 0), rows_of(model, 1)
    theirs = {row.name: (row, _net(row, model.b)) for row in others}
    found: list[tuple[Row, Net, tuple[int, ...]]] = []
    for row in ours:
        one = (row, _net(row, model.a))
        shared = theirs.get(row.name) == one
        found.append((*one, BOTH if shared else (0,)))
        if shared:
            del theirs[row.name]
    twice = {row.name for row, _, _ in found} & set(theirs)
    found += [(*one, (1,)) for one in theirs.values()]
    made = []
    for row, does, ends in found:
        name = f"{row.name}_of_{ENDS[ends[0]]}" if row.name in twice else row.name
        made.append(Operator(row, names.new(name), does, ends))
    return tuple(made)


def _net(row: Row, protocol: Protocol) -> Net:
    """Return what a row does; where it deletes the TCB, to the fields that outlive it."""
    does = net(row, protocol)
    if not row.deletes:
        return does
    kept = {name: term for name, term in does.fields.items() if name in protocol.kept}
    return Net(kept, does.sent)


def is_alike(model: Model) -> bool:
    """Return whether both ends have the same fields and forget the same ones in CLOSED."""
    return model.a.fields == model.b.fields and set(model.a.kept) == set(model.b.kept)


class Rows:
    """Renders rows; `definitions` collects the predicates that they ask."""

    def __init__(self, model: Model, names: Names) -> None:
        self.operators = operators(model, names)
        marks = marked_fields([one.row for one in self.operators])
        self.terms = Expressions(LETTERS, marks=marks)
        self.definitions: list[str] = []
        self.states = states_of(model)
        self._names, self._is_alike = names, is_alike(model)
        self._segment_fields = segment_fields(model)
        self._predicates: dict[tuple[str, Term], str] = {}

    def of(self, on: Event | Step) -> list[Operator]:
        """Return the rows that stand in the cells of an event or a step."""
        return [one for one in self.operators if one.row.on == on]

    def fits(self, one: Operator, end: str) -> list[str]:
        """Return what must all be true for a row to fit; `end` is what stands for the end."""
        row = one.row
        asked = (
            self._asked(term, getattr(function, "__name__", ""), function.__doc__ or "")
            for term, function in zip(row.when, row.rule.when, strict=True)
        )
        return [
            *whose(one.ends, end),
            *_at(row.at, self.states),
            *(said for said in asked if said != "TRUE"),
        ]

    def local(self, one: Operator, needs: Sequence[str]) -> str:
        """Return a row of a call, an output or a timeout as an action of the end `me`."""
        asked = "".join(f"    /\\ {said}\n" for said in (*needs, *self.fits(one, "me")))
        parts = [
            f'Does(me, "{one.row.on.name}"',
            self._tcb(one, "me"),
            f"{self.sent(one.net.sent)})",
        ]
        does = ", ".join(parts)
        if "\n" in does or len(does) > WIDTH - 7:
            does = ",\n            ".join(parts)
        return f"{_heading(one)}{one.name}(me) == LET t == tcb[me] IN\n{asked}    /\\ {does}"

    def arriving(self, one: Operator) -> str:
        """Return a row of SEGMENT ARRIVES as what it makes of an arrival."""
        changes = []
        if one.row.deletes:
            changes.append(f"!.tcb = {self._tcb(one, 'x.me')}")
        else:
            changes += self._changes(one.net.fields, "!.tcb")
        if one.net.sent is not None:
            changes.append(f"!.sent = {self.sent(one.net.sent)}")
        if one.is_over:
            changes.append("!.over = TRUE")
        if not changes:
            return f"{_heading(one)}{one.name}(x) == x"
        body = listed("[x EXCEPT ", changes, 4)
        return f"{_heading(one)}{one.name}(x) =={_lets(body)}\n    {body}"

    def sent(self, sent: Send | None) -> str:
        """Return what a row sends, as a sequence of at most one segment."""
        if sent is None:
            return "Nothing"
        parts = [(name, term) for name, term in sent.terms() if name in self._segment_fields]
        return f"<<{segment(parts, self.terms)}>>"

    def _asked(self, term: Term, name: str, says: str) -> str:
        """Return a predicate by the name of an operator that is defined for it."""
        if isinstance(term, Const) or not name.isidentifier():
            return self.terms.text(term, COMPARISON)
        read = {field.of for field in fields_in(term)}
        letters = ", ".join(letter for of, letter in LETTERS.items() if of in read)
        arguments = f"({letters})"
        key = (name, term)
        if key not in self._predicates:
            named = self._predicates[key] = self._names.new(name)
            body = self.terms.laid_out(term, 4)
            on_one_line = f"{named}{arguments} == {body}"
            if "\n" in body or len(on_one_line) > WIDTH:
                on_one_line = f"{named}{arguments} ==\n    {body}"
            said = says.strip().split("\n")[0].replace("<-", "becomes")
            self.definitions.append(f"{comment(said)}{on_one_line}")
        return f"{self._predicates[key]}{arguments}"

    def _tcb(self, one: Operator, end: str) -> str:
        """Return the TCB after a row, as a change of the TCB before."""
        changes = self._changes(one.net.fields, "!")
        changed = listed("[t EXCEPT ", changes, 12) if changes else "t"
        if not one.row.deletes:
            return changed
        return f"Deleted({changed})" if self._is_alike else f"Deleted({changed}, {end})"

    def _changes(self, fields: Mapping[str, Term], of: str) -> list[str]:
        return [f"{of}.{name} = {self._value(name, term)}" for name, term in fields.items()]

    def _value(self, name: str, term: Term) -> str:
        return replace(self.terms, fields={Field("tcb", name): "@"}).value(name, term)


def segment(parts: Sequence[tuple[str, Term]], terms: Expressions) -> str:
    """Return a segment, by the operator for its kind where there is one."""
    values = dict(parts)
    said = {name: terms.text(term) for name, term in parts}
    of_reset = reset_fields(list(said))
    beside = [name for name in said if name not in (*of_reset, "rst")]
    if values["rst"] == Const(1) and all(values[name] == ZERO for name in beside):
        return f"RST({', '.join(said[name] for name in of_reset)})"
    flags = [values.get(name, ZERO) for name in KIND]
    kind = tuple(flag.value if isinstance(flag, Const) else -1 for flag in flags)
    if kind in SEGMENTS:
        shown = [said[name] for name in said if name not in KIND]
        return f"{SEGMENTS[kind]}({', '.join(shown)})"
    return f"Segment({', '.join(said.values())})"


def makers(fields: Sequence[str]) -> Iterator[str]:
    """Give the definitions of the operators that make segments with these fields."""
    known = {**SEGMENTS, (0, 0, 1, 0): "RST"}
    for kind, name in known.items():
        values = dict(zip(KIND, kind, strict=True))
        if values["syn"] and "syn" not in fields:
            continue
        taken = reset_fields(fields) if name == "RST" else [f for f in fields if f not in KIND]
        made = (f if f in taken else str(values.get(f, 0)) for f in fields)
        yield f"{name}({', '.join(taken)}) == Segment({', '.join(made)})"


def reset_fields(fields: Sequence[str]) -> list[str]:
    """Return what the operator of a RST takes, of the fields that the text has.

    Where a SYN may have to be answered a RST may have an ACK.
    """
    return [
        name for name in fields if name == "seq" or ("inc" in fields and name in ("ack", "inc"))
    ]


def constant_segment(seg: Segment, fields: Sequence[str]) -> str:
    """Return a segment whose fields, those that the text has, are known."""
    parts = [(name, Const(getattr(seg, name))) for name in fields]
    return segment(parts, Expressions({}))


def step(rows: Rows, model: Model, on: Step) -> str:
    """Return one step of SEGMENT ARRIVES; empty where no row stands and nothing is dropped."""
    arms, recursive = [], ""
    for one in rows.of(on):
        does = f"{one.name}(x)"
        if one.row.then is AGAIN and not one.is_over:
            recursive, does = f"RECURSIVE {on.name}(_)\n", f"{on.name}({does})"
        fits = rows.fits(one, "x.me") or ["TRUE"]
        arm = f"{AND.join(fits)} -> {does}"
        if len(arm) > WIDTH - 9:
            arm = f"/\\ {LIST_AND.join(fits)}\n            -> {does}"
        arms.append(arm)
    drops = _dropped(model, on)
    if not arms and not drops:
        return ""
    otherwise = f"IF {drops} THEN [x EXCEPT !.over = TRUE] ELSE x" if drops else "x"
    cases = "\n      [] ".join([*arms, f"OTHER -> {otherwise}"])
    body = f"CASE {cases}" if arms else otherwise
    said = "".join(comment(_said(cell, end)) for cell, end in _otherwise(model, on))
    return f"{said}{recursive}{on.name}(x) =={_lets(body)}\n    IF x.over THEN x ELSE\n    {body}"


def _otherwise(model: Model, on: Step) -> Iterator[tuple[Otherwise, tuple[int, ...]]]:
    """Return what cells of a step do when no row fits, and at which ends."""
    for cell in model.a.cells:
        if on in cell.on and cell.does is not UNREACHABLE:
            yield cell, BOTH if cell in model.b.cells else (0,)
    for cell in model.b.cells:
        if on in cell.on and cell.does is not UNREACHABLE and cell not in model.a.cells:
            yield cell, (1,)


def _said(cell: Otherwise, ends: tuple[int, ...]) -> str:
    at = ", ".join(state.name for state in cell.at)
    only = f"at end {ENDS[ends[0]]} " if ends != BOTH else ""
    return f"Otherwise {only}in {at}: {cell.does.value}: {cell.why}  [{cell.cite}]"


def _dropped(model: Model, on: Step) -> str:
    """Return where a segment that no row fits is dropped."""
    dropped = [
        AND.join([*whose(ends, "x.me"), *_at(cell.at, states_of(model))]) or "TRUE"
        for cell, ends in _otherwise(model, on)
        if cell.does is DROPS
    ]
    return dropped[0] if len(dropped) == 1 else OR.join(f"({one})" for one in dropped)


def whose(ends: tuple[int, ...], end: str) -> list[str]:
    """Return the test that the end is the one whose table it is; none where both have it."""
    return [] if ends == BOTH else [f'{end} = "{ENDS[ends[0]]}"']


def _at(states: tuple[State, ...], known: tuple[State, ...]) -> list[str]:
    """Return the test that the state is one of these."""
    missing = [state for state in known if state not in states]
    if missing == [CLOSED]:
        return ['t.state # "CLOSED"']
    if len(states) == 1:
        return [f't.state = "{states[0].name}"']
    named = ", ".join(f'"{state.name}"' for state in states)
    return [f"t.state \\in {{{named}}}"] if missing else []


def _heading(one: Operator) -> str:
    """Return a row's comment: what it says, its clause, and why it is not the standard's."""
    rule = one.row.rule
    only = f" Only end {ENDS[one.ends[0]]}." if one.ends != BOTH else ""
    edit = f" Not the standard's row: {rule.edit}." if rule.edit else ""
    return comment(f"{rule.text()}  [{rule.cite}]{only}{edit}")


def _lets(body: str) -> str:
    """Return the LET for the letters that a body reads."""
    known = {"t": "x.tcb", "s": "x.segment"}
    read = [letter for letter in known if re.search(rf"(?<![\w.]){letter}(?!\w)", body)]
    lets = "  ".join(f"{letter} == {known[letter]}" for letter in read)
    return f" LET {lets} IN" if read else ""


def listed(head: str, items: Sequence[str], column: int) -> str:
    """Return a bracketed list that starts at a column, over several lines if it is long."""
    lines = [head]
    for number, item in enumerate(items):
        item += "]" if number == len(items) - 1 else ", "
        if column + len(lines[-1]) + len(item.rstrip()) > WIDTH and lines[-1].strip():
            lines.append(" " * (column + len(head)))
        lines[-1] += item
    return "\n".join(line.rstrip() for line in lines)


def comment(text: str) -> str:
    """Return the text as comment lines; nothing for no text."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    lines = textwrap.wrap(plain, WIDTH - 3, break_long_words=False, break_on_hyphens=False)
    return "".join(f"\\* {line}\n" for line in lines)
