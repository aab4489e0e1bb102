"""TLA+ expressions: terms as a reader of TLA+ would write them, and names that a module may use.

A set of marks (`held`) is a set of numbers in TLA+; states and `Told` are strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reports.exports.rows import Change, Row
from reports.exports.terms import (
    LOGIC,
    Binary,
    Const,
    Field,
    Not,
    NotTranslatableError,
    Number,
    Term,
)
from tcpclose_model.protocol.vocabulary import RCV_WND, Event, State, Told

WIDTH = 98
"""Columns of the text; a longer expression is laid out as a list."""

EVENT = Field("step", "event")
"""In claims about steps: what happens."""

ENUMS: Mapping[str, type[State | Told]] = {"state": State, "told": Told}
SIGNS = {"==": "=", "!=": "#", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
AND, OR = " /\\ ", " \\/ "
LIST, COMPARISON, SUM, ATOM = range(4)
"""How tightly an expression binds."""

KEYWORDS = re.findall(
    r"\w+",
    """
    ASSUME ASSUMPTION AXIOM BOOLEAN CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT
    EXTENDS FALSE IF IN INSTANCE LAMBDA LET LOCAL MODULE NEW OTHER PROOF RECURSIVE SF_ STRING
    SUBSET THEN THEOREM TRUE UNCHANGED UNION VARIABLE VARIABLES WF_ WITH
    Append Bag BagCardinality BagToSet Cardinality EmptyBag Head Int Len Nat Real Seq SelectSeq
    SetToBag SubSeq Tail Bags FiniteSets Integers Naturals Sequences
    BagIn BagOfAll BagUnion CopiesIn IsABag IsFiniteSet SqSubseteq SubBag
    t s i me x x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 segment left event channel
    """,
)
"""What TLA+, its standard modules and the parameters of operators are called."""


class Names:
    """Gives each thing of a module a name of its own that TLA+ allows."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*KEYWORDS, *taken}

    def new(self, wanted: str) -> str:
        """Return the name, changed as little as is needed to be allowed and not yet taken."""
        name = re.sub(r"\W", "_", wanted, flags=re.ASCII)
        if not re.search(r"[A-Za-z]", name) or name.startswith(("WF_", "SF_")):
            name = f"a_{name}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def marked_fields(rows: Iterable[Row]) -> frozenset[str]:
    """Return the fields that hold sets of marks: rows ask or change single marks of them."""
    terms = [(name, term) for row in rows for name, term in _changes(row)]
    terms += [("", term) for row in rows for term in row.when]
    found: set[str] = set()
    while True:
        known = len(found)
        for name, term in terms:
            found |= set(_marked(term))
            if name and (_is_marks(term, found) or (name in found and isinstance(term, Field))):
                found |= {name, *([term.name] if isinstance(term, Field) else [])}
        if len(found) == known:
            return frozenset(found)


def _changes(row: Row) -> Iterator[tuple[str, Term]]:
    for effect in row.do:
        if isinstance(effect, Change):
            yield from effect.fields


def _marked(term: Term) -> Iterator[str]:
    match term:
        case Not() | Number():
            yield from _marked(term.term)
        case Binary():
            if term.sign in ("marked", "with", "without") and isinstance(term.left, Field):
                yield term.left.name
            yield from _marked(term.left)
            yield from _marked(term.right)


def _is_marks(term: Term, fields: Iterable[str]) -> bool:
    if isinstance(term, Field):
        return term.name in fields
    if isinstance(term, Binary) and term.sign in ("&", "|"):
        return _is_marks(term.left, fields) or _is_marks(term.right, fields)
    return isinstance(term, Binary) and term.sign in ("with", "without")


@dataclass(frozen=True, slots=True)
class Expressions:
    """Renders terms.

    places: what stands for a record, by the name that terms have for it; fields: for one field.
    marks: the fields that hold sets of marks; truths: what stands for a truth value.
    bounds: the parameter that a field is compared with, instead of a number.
    bitwise: collects the operators on bits that the text needs (`BitAnd`, `BitOr`).
    """

    places: Mapping[str, str]
    fields: Mapping[Field, str] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    truths: frozenset[Field] = frozenset()
    bounds: Mapping[str, str] = field(default_factory=dict)
    bitwise: set[str] = field(default_factory=set)

    def text(self, term: Term, least: int = LIST) -> str:
        """Return the term on one line, in parentheses if it binds less tightly than `least`."""
        said, binds = self._said(term)
        return said if binds >= least else f"({said})"

    def laid_out(self, term: Term, column: int) -> str:
        """Return the term, as a list over several lines if it is long, starting at a column."""
        said = self.text(term)
        if column + len(said) <= WIDTH:
            return said
        if isinstance(term, Not):
            return f"~({self.laid_out(term.term, column + 2)})"
        if not isinstance(term, Binary) or term.sign not in LOGIC:
            return said
        bullet = _BULLETS[term.sign]
        lines = (self.laid_out(part, column + 3) for part in _parts(term.sign, term))
        return f"\n{' ' * column}".join(f"{bullet} {line}" for line in lines)

    def value(self, name: str, term: Term) -> str:
        """Return what a field is set to."""
        if name in self.marks and isinstance(term, Const):
            return _marks(term)
        if name in ENUMS and isinstance(term, Const):
            return _enum(ENUMS[name], term)
        if (name in self.marks) != _is_marks(term, self.marks):
            raise NotTranslatableError(
                f"field {name!r} is a set of marks in one row and a number in another, which "
                "cannot be exported to TLA+"
            )
        return self.text(term)

    def _said(self, term: Term) -> tuple[str, int]:
        match term:
            case Const():
                return _constant(term), ATOM
            case Field():
                return self.fields.get(term) or f"{self.places[term.of]}.{term.name}", ATOM
            case Not():
                return f"~{self.text(term.term, ATOM)}", COMPARISON
            case Number():
                return f"(IF {self.text(term.term)} THEN 1 ELSE 0)", ATOM
        if term.sign in LOGIC:
            parts = (self.text(part, COMPARISON) for part in _parts(term.sign, term))
            return f" {_BULLETS[term.sign]} ".join(parts), LIST
        if term.sign in SIGNS:
            return self._comparison(term)
        return self._operation(term)

    def _comparison(self, term: Binary) -> tuple[str, int]:
        sign, left, right = term.sign, term.left, term.right
        if isinstance(left, Const):
            turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
            sign, left, right = turned, right, left
        if isinstance(right, Const):
            known = self._with_constant(sign, left, right)
            if known is not None:
                return known
        elif sign not in ("==", "!=") and (self._is_set(left) or self._is_set(right)):
            raise NotTranslatableError(f"{term} compares a set of marks with a number")
        return f"{self.text(left, SUM)} {SIGNS[sign]} {self.text(right, SUM)}", COMPARISON

    def _with_constant(self, sign: str, left: Term, right: Const) -> tuple[str, int] | None:
        """Return the comparison with a constant, where it is not just one of two numbers."""
        equal = sign == "=="
        if isinstance(left, Field) and left in self.truths and sign in ("==", "!="):
            said = self.text(left)
            return said if equal == bool(right.value) else f"~({said})", COMPARISON
        names = _names_of(left)
        if names is not None:
            if sign not in ("==", "!="):
                raise NotTranslatableError(f"{left} is compared by order: in TLA+ it is a string")
            return f"{self.text(left)} {SIGNS[sign]} {_enum(names, right)}", COMPARISON
        if self._is_set(left):
            if sign == ">" and not right.value:
                sign = "!="
            if sign not in ("==", "!="):
                raise NotTranslatableError(f"{left} is a set of marks, compared by order")
            return f"{self.text(left, SUM)} {SIGNS[sign]} {_marks(right)}", COMPARISON
        if isinstance(left, Field) and left.name in self.bounds:
            return f"{self.text(left)} {SIGNS[sign]} {self.bounds[left.name]}", COMPARISON
        return None

    def _operation(self, term: Binary) -> tuple[str, int]:
        left, right = term.left, term.right
        if term.sign in ("+", "-"):
            loose = SUM if term.sign == "+" else ATOM
            return f"{self.text(left, SUM)} {term.sign} {self.text(right, loose)}", SUM
        if term.sign in ("&", "|") and not self._is_set(term):
            name = "BitAnd" if term.sign == "&" else "BitOr"
            self.bitwise.add(name)
            return f"{name}({self.text(left)}, {self.text(right)})", ATOM
        if term.sign in ("&", "|"):
            sign = r"\cap" if term.sign == "&" else r"\cup"
            return f"{self._set(left)} {sign} {self._set(right)}", SUM
        marks = self._set(left)
        if not isinstance(left, Const) and not self._is_set(left):
            raise NotTranslatableError(f"{left} is a number that is asked for single marks")
        if term.sign == "marked":
            return f"{self.text(right, SUM)} \\in {marks}", COMPARISON
        sign = r"\cup" if term.sign == "with" else "\\"
        return f"{marks} {sign} {{{self.text(right)}}}", SUM

    def _set(self, term: Term) -> str:
        return _marks(term) if isinstance(term, Const) else self.text(term, ATOM)

    def _is_set(self, term: Term) -> bool:
        return _is_marks(term, self.marks)


_BULLETS = {"and": "/\\", "or": "\\/"}


def _parts(sign: str, term: Term) -> list[Term]:
    """Return what an `and` or `or` joins, however it is nested."""
    if isinstance(term, Binary) and term.sign == sign:
        return [*_parts(sign, term.left), *_parts(sign, term.right)]
    return [term]


def _constant(term: Const) -> str:
    if isinstance(term.value, bool):
        return str(term.value).upper()
    return "RCV_WND" if term.value == RCV_WND else str(int(term.value))


def _marks(term: Const) -> str:
    """Return a set of marks, given as a number, as the set of the numbers of its bits."""
    return f"{{{', '.join(str(n) for n in range(term.value.bit_length()) if term.value >> n & 1)}}}"


def _names_of(term: Term) -> type[State | Told | Event] | None:
    """Return the enumeration that names a field's values, if one does."""
    if not isinstance(term, Field):
        return None
    return Event if term == EVENT else ENUMS.get(term.name)


def _enum(names: type[State | Told | Event], term: Const) -> str:
    try:
        return f'"{names(term.value).name}"'
    except ValueError:
        raise NotTranslatableError(f"no {names.__name__} is {term.value}") from None
