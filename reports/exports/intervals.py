"""Intervals: what the value of a term can be, given what the fields that it reads can be."""

from __future__ import annotations

from reports.exports.terms import (
    COMPARISONS,
    FALSE,
    OPPOSITE,
    TRUE,
    Binary,
    Const,
    Field,
    Not,
    Number,
    Term,
    binary,
    is_truth,
    negated,
    number,
)

Interval = tuple[int, int]
Box = dict[Field, Interval]
"""The interval of each field; a field that is not in it can be anything."""

FAR = 1 << 31
"""Stands for "no bound"."""


def interval(term: Term, box: Box) -> Interval:
    """Return the least and the largest value that a number can have (wider is allowed)."""
    match term:
        case Const():
            return int(term.value), int(term.value)
        case Field():
            return box.get(term, (-FAR, FAR))
        case Binary() if not is_truth(term):
            (low, high), (least, most) = interval(term.left, box), interval(term.right, box)
            return _operation(term.sign, low, high, least, most)
    return 0, 1


def _operation(sign: str, low: int, high: int, least: int, most: int) -> Interval:
    if sign == "+":
        return _within(low + least, high + most)
    if sign == "-":
        return _within(low - most, high - least)
    if min(low, least) < 0:
        return -FAR, FAR
    if sign == "&":
        return 0, min(high, most)
    if sign == "without":
        return 0, high
    if sign == "with":
        most = 1 << min(most, 31)
    return max(low, 0 if sign == "with" else least), _within(0, _ones(high) | _ones(most))[1]


def _within(low: int, high: int) -> Interval:
    return max(low, -FAR), min(high, FAR)


def _ones(value: int) -> int:
    """Return the largest number with as many bits."""
    return (1 << value.bit_length()) - 1


def hull(one: Box, other: Box) -> Box:
    """Return the least box that holds both; they have the same fields."""
    joined = {}
    for field, known in one.items():
        more = other[field]
        joined[field] = known if known == more else (min(known[0], more[0]), max(known[1], more[1]))
    return joined


def refined(box: Box, claim: Term, *, so: bool = True) -> Box | None:
    """Return the part of the box (wider is allowed) in which the claim is `so`; None if empty."""
    match claim:
        case Const():
            return box if bool(claim.value) == so else None
        case Not():
            return refined(box, claim.term, so=not so)
        case Binary("and" | "or") if (claim.sign == "and") == so:
            part = refined(box, claim.left, so=so)
            return None if part is None else refined(part, claim.right, so=so)
        case Binary("and" | "or"):
            left, right = refined(box, claim.left, so=so), refined(box, claim.right, so=so)
            if left is None or right is None:
                return right if left is None else left
            return hull(left, right)
        case Binary("marked"):
            marks = interval(claim.left, box)[1]
            return _limited(box, claim.right, 0, marks.bit_length() - 1) if so else box
        case Binary():
            sign = claim.sign if so else OPPOSITE[claim.sign]
            return _compared(box, sign, claim.left, claim.right)
    return box


def _compared(box: Box, sign: str, left: Term, right: Term) -> Box | None:
    if sign in (">", ">="):
        return _compared(box, "<" if sign == ">" else "<=", right, left)
    (low, high), (least, most) = interval(left, box), interval(right, box)
    if sign == "!=":
        if least == most and low == high == least:
            return None
        if least == most:
            return _limited(box, left, low + (low == least), high - (high == least))
        return box
    if sign == "==":
        part = _limited(box, left, least, most)
        return None if part is None else _limited(part, right, low, high)
    strict = sign == "<"
    part = _limited(box, left, -FAR, most - strict)
    return None if part is None else _limited(part, right, low + strict, FAR)


def _limited(box: Box, term: Term, low: int, high: int) -> Box | None:
    """Return the part of the box in which a number is from `low` to `high`."""
    now = interval(term, box)
    low, high = max(low, now[0]), min(high, now[1])
    if low > high:
        return None
    match term:
        case Field() if (low, high) != now:
            return {**box, term: (low, high)}
        case Binary("+"):
            (least, most), right = interval(term.right, box), term.right
            part = _limited(box, term.left, low - most, high - least)
            if part is None:
                return None
            least, most = interval(term.left, part)
            return _limited(part, right, low - most, high - least)
        case Binary("-"):
            least, most = interval(term.right, box)
            part = _limited(box, term.left, low + least, high + most)
            if part is None:
                return None
            least, most = interval(term.left, part)
            return _limited(part, term.right, least - high, most - low)
    return box


def folded(term: Term, box: Box) -> Term:
    """Return the term without the fields that are always 0 and what else is settled by the box."""
    match term:
        case Field() if box.get(term) == (0, 0):
            return Const(0)
        case Not():
            return negated(folded(term.term, box))
        case Number():
            return number(folded(term.term, box))
        case Binary():
            made = binary(term.sign, folded(term.left, box), folded(term.right, box))
            if isinstance(made, Binary) and made.sign in COMPARISONS:
                if refined(box, made) is None:
                    return FALSE
                if refined(box, made, so=False) is None:
                    return TRUE
            return made
    return term
