"""Terms: small trees that say what Python functions over records say, for exporters to render.

A function is run on symbols that remember the expression.  Rows of a table are straight-line code
(`rows` runs them); where other code asks for a truth value (`and`, `or`, `if`, `in`), it is run
again for either answer (`decided`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.vocabulary import Segment
from tcpclose_model.protocol.words import is_marked, with_mark, without_mark

TRUTH_ASKED_MAX = 500
"""A predicate that asks for more truth values than this is not translated."""


# The nodes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const:
    """A number, or a truth value where `value` is a bool; states and `Told` keep their names."""

    value: int


class Field(NamedTuple):
    """A field of a record: `of` is "tcb" or "seg"; in properties "a", "b" and others."""

    of: str
    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a truth value."""

    term: Term


@dataclass(frozen=True, slots=True)
class Number:
    """1 where the truth value `term` is true, else 0."""

    term: Term


@dataclass(frozen=True, slots=True)
class Binary:
    """An operation; `sign` is one of `NUMBER_SIGNS`, `COMPARISONS` or `LOGIC`.

    `and` and `or` take and give truth values.  Comparisons and `marked` (bit `right` of `left` is
    set) take numbers and give truth values.  `+`, `-`, bitwise `&` and `|`, `with` and `without`
    (bit `right` of `left` set, or cleared) take and give numbers.
    """

    sign: str
    left: Term
    right: Term


Term = Const | Field | Not | Number | Binary

TRUE, FALSE, ZERO = Const(True), Const(False), Const(0)

NUMBER_SIGNS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "&": operator.and_,
    "|": operator.or_,
    "with": with_mark,
    "without": without_mark,
}
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "marked": is_marked,
}
LOGIC = ("and", "or")
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def is_truth(term: Term) -> bool:
    """Return whether a term is a truth value and not a number."""
    if isinstance(term, Const):
        return isinstance(term.value, bool)
    return isinstance(term, Not) or (
        isinstance(term, Binary) and (term.sign in COMPARISONS or term.sign in LOGIC)
    )


def truth(term: Term) -> Term:
    """Return the term as a truth value: a number is true unless it is 0."""
    return term if is_truth(term) else binary("!=", term, ZERO)


def number(term: Term) -> Term:
    """Return the term as a number: true is 1, false is 0."""
    if isinstance(term, Const):
        return Const(int(term.value)) if is_truth(term) else term
    return Number(term) if is_truth(term) else term


def negated(term: Term) -> Term:
    """Return the opposite of a truth value."""
    term = truth(term)
    if isinstance(term, Const):
        return Const(not term.value)
    if isinstance(term, Not):
        return term.term
    if isinstance(term, Binary) and term.sign in OPPOSITE:
        return binary(OPPOSITE[term.sign], term.left, term.right)
    return Not(term)


def binary(sign: str, left: Term, right: Term) -> Term:
    """Return the operation on two terms, worked out where both are constants."""
    if sign in ("&", "|") and is_truth(left) and is_truth(right):
        sign = "and" if sign == "&" else "or"
    if sign in LOGIC:
        return _logic(sign, truth(left), truth(right))
    left, right = number(left), number(right)
    if isinstance(left, Const) and isinstance(right, Const):
        known = COMPARISONS.get(sign) or NUMBER_SIGNS[sign]
        return Const(known(left.value, right.value))
    if sign in COMPARISONS and sign != "marked" and _ahead(right, left) is not None:
        return Const(COMPARISONS[sign](0, _ahead(right, left) or 0))
    if sign in ("+", "-", "|") and right == ZERO:
        return left
    if sign in ("+", "|") and left == ZERO:
        return right
    return Binary(sign, left, right)


def _ahead(term: Term, of: Term) -> int | None:
    """Return by how much a number is always greater than another, if that is plain to see."""
    if term == of:
        return 0
    if isinstance(term, Binary) and term.sign == "+" and term.left == of:
        return int(term.right.value) if isinstance(term.right, Const) else None
    return None


def _logic(sign: str, left: Term, right: Term) -> Term:
    unit, absorbing = (TRUE, FALSE) if sign == "and" else (FALSE, TRUE)
    if absorbing in (left, right):
        return absorbing
    if left in (unit, right):
        return right
    return left if right == unit else Binary(sign, left, right)


def all_of(terms: Iterable[Term]) -> Term:
    """Return the truth value of "every one of these"."""
    result: Term = TRUE
    for term in terms:
        result = binary("and", result, term)
    return result


def any_of(terms: Iterable[Term]) -> Term:
    """Return the truth value of "at least one of these"."""
    result: Term = FALSE
    for term in terms:
        result = binary("or", result, term)
    return result


def choice(test: Term, yes: Term, no: Term) -> Term:
    """Return the truth value that is `yes` where `test` is true, and else `no`."""
    if yes == no:
        return yes
    if yes == TRUE:
        return any_of((test, no))
    if no == FALSE:
        return all_of((test, yes))
    if yes == FALSE:
        return all_of((negated(test), no))
    if no == TRUE:
        return any_of((negated(test), yes))
    return any_of((all_of((test, yes)), all_of((negated(test), no))))


def substituted(term: Term, known: Mapping[Field, Term]) -> Term:
    """Return the term with fields replaced, worked out as far as it then can be."""
    match term:
        case Field():
            return known.get(term, term)
        case Not():
            return negated(substituted(term.term, known))
        case Number():
            return number(substituted(term.term, known))
        case Binary():
            left, right = substituted(term.left, known), substituted(term.right, known)
            return binary(term.sign, left, right)
    return term


def fields_in(term: Term) -> frozenset[Field]:
    """Return the fields that a term reads."""
    match term:
        case Field():
            return frozenset((term,))
        case Not() | Number():
            return fields_in(term.term)
        case Binary():
            return fields_in(term.left) | fields_in(term.right)
    return frozenset()


# Running code on symbols --------------------------------------------------------------------


class NotTranslatableError(ModelError):
    """A function is no expression over the fields of its arguments."""


class _TruthAskedError(BaseException):
    """A truth value was asked for that is not settled; no `Exception`: users may catch those."""

    def __init__(self, term: Term) -> None:
        super().__init__(term)
        self.term = term


class Symbol:
    """A value of which only the term is known; `answers` are the truth values that are settled."""

    __slots__ = ("_answers", "term")
    __hash__ = None  # type: ignore[assignment]  # a look-up in a set or dict is no expression

    def __init__(self, term: Term, answers: Mapping[Term, bool]) -> None:
        self.term, self._answers = term, answers

    def __bool__(self) -> bool:
        asked = settled(self.term, self._answers)
        if isinstance(asked, Const):
            return bool(asked.value)
        raise _TruthAskedError(asked)

    def __repr__(self) -> str:
        return f"<{self.term}>"

    def __invert__(self) -> Symbol:
        return Symbol(negated(self.term), self._answers)

    def of(self, sign: str, left: object, right: object) -> Symbol:
        """Return the symbol of an operation; one of the two is this symbol."""
        return Symbol(binary(sign, term_of(left), term_of(right)), self._answers)

    def is_marked(self, mark: object) -> Symbol:
        """Return the symbol for "this number is in the set"."""
        return self.of("marked", self, mark)

    def with_mark(self, mark: object) -> Symbol:
        """Return the symbol for the set with one number more."""
        return self.of("with", self, mark)

    def without_mark(self, mark: object) -> Symbol:
        """Return the symbol for the set with one number less."""
        return self.of("without", self, mark)


def _method(sign: str, *, reflected: bool = False) -> Callable[[Symbol, object], Symbol]:
    if reflected:
        return lambda self, other: self.of(sign, other, self)
    return lambda self, other: self.of(sign, self, other)


for _name, _sign in {"add": "+", "sub": "-", "and": "&", "or": "|"}.items():
    setattr(Symbol, f"__{_name}__", _method(_sign))
    setattr(Symbol, f"__r{_name}__", _method(_sign, reflected=True))
for _name, _sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(Symbol, f"__{_name}__", _method(_sign))


class Record:
    """Stands for a TCB or a segment whose every field is a symbol; it is no tuple."""

    __hash__ = None  # type: ignore[assignment]  # as for a symbol

    def __init__(self, of: str, names: Iterable[str], answers: Mapping[Term, bool]) -> None:
        self._of, self._fields, self._answers = of, tuple(names), answers

    def __getattr__(self, name: str) -> Symbol:
        if name.startswith("_") or name not in self._fields:
            raise AttributeError(f"{self._of} has no field {name!r}")
        return Symbol(Field(self._of, name), self._answers)

    def __eq__(self, other: object) -> bool:
        raise NotTranslatableError(f"it compares {self._of} as a whole")


class SegmentRecord(Record):
    """Stands for a segment; the fields that no segment of the model has are 0."""

    def __getattr__(self, name: str) -> Symbol:
        if name in Segment._fields and name not in self._fields:
            return Symbol(ZERO, self._answers)
        return super().__getattr__(name)


def settled(term: Term, answers: Mapping[Term, bool]) -> Term:
    """Return a term as a truth value, TRUE or FALSE where that has been answered."""
    asked = truth(term)
    if asked in answers:
        return Const(answers[asked])
    opposite = negated(asked)
    return Const(not answers[opposite]) if opposite in answers else asked


def term_of(value: object) -> Term:
    """Return the term of a symbol or of a number."""
    if isinstance(value, Symbol):
        return value.term
    if isinstance(value, int):
        return Const(value)
    raise NotTranslatableError(f"{value!r} is no number")


def decided(function: Callable[[Mapping[Term, bool]], object]) -> Term:
    """Return, as one term, the truth value that a function gives on symbols.

    `function` makes its symbols with the answers it is given, and is run again for either answer
    to each truth value that it asks for.  Raises NotTranslatableError where it is no expression.
    """
    asked = 0

    def tree(answers: Mapping[Term, bool]) -> Term:
        nonlocal asked
        try:
            return settled(term_of(function(answers)), answers)
        except _TruthAskedError as question:
            test = question.term
        except Exception as error:  # the function is a user's; whatever it is that it cannot do
            raise NotTranslatableError(str(error)) from None
        asked += 1
        if asked > TRUTH_ASKED_MAX:
            raise NotTranslatableError("it asks for too many truth values")
        return choice(test, tree({**answers, test: True}), tree({**answers, test: False}))

    return tree({})
