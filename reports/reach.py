"""Conditions on states, as `--reach` takes them: `A=CLOSING & B=CLOSING`, `A.snd_una>0 | B=CLOSED`.

`&` binds tighter than `|`.  A comparison is `A`, `B` (the state), `A.FIELD`, `B.FIELD` (a field of
the TCB) or `in_flight` (segments in both channels), one of = != < <= > >=, and a state's or a
message's name or a number.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from tcpclose_model.engines.plain import ProductState
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.protocol.vocabulary import TCB, State, Told

Condition = Callable[[ProductState], bool]

COMPARISON = re.compile(r"^\s*(A|B|in_flight)(?:\.(\w+))?\s*(==|=|!=|<=|>=|<|>)\s*(\w+)\s*$")
DIGITS_MAX = 9
OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def condition(text: str, fields: Sequence[str] = TCB._fields) -> Condition:
    """Return the condition that a text states; ModelError says which part is wrong and how.

    fields: those that a TCB of the model has.
    """
    ways = [[_comparison(part, fields) for part in way.split("&")] for way in text.split("|")]
    return lambda state: any(all(holds(state) for holds in way) for way in ways)


def _comparison(text: str, fields: Sequence[str]) -> Condition:
    found = COMPARISON.match(text)
    if not found:
        raise ModelError(
            f"--reach: {text.strip()!r} is not a comparison such as A=CLOSING, B.snd_una>0 or "
            "in_flight=0"
        )
    who, field, sign, value = found.groups()
    if who == "in_flight" and field is not None:
        raise ModelError(f"--reach: in_flight counts segments and has no field {field!r}")
    compare, wanted = OPERATORS[sign], _value(field, value, who)
    if who == "in_flight":
        return lambda state: compare(len(state.a_to_b) + len(state.b_to_a), wanted)
    slot = field or "state"
    if slot not in fields:
        raise ModelError(f"--reach: the TCB has no field {slot!r}{nearest(slot, fields)}")
    if who == "A":
        return lambda state: compare(getattr(state.a, slot), wanted)
    return lambda state: compare(getattr(state.b, slot), wanted)


def _value(field: str | None, text: str, who: str) -> int:
    if text.isascii() and text.isdigit():
        if len(text) > DIGITS_MAX:
            raise ModelError(f"--reach: a number of {len(text)} digits is too large")
        return int(text)
    names: dict[str, int] = {}
    if who != "in_flight" and field in (None, "state", "told"):
        kind = Told if field == "told" else State
        names = {member.name: int(member) for member in kind}
    wanted = text.upper()
    if wanted not in names:
        known = nearest(wanted, names)
        what = f"{who}.{field}" if field else who
        raise ModelError(f"--reach: {what}: {text!r} is neither a number nor a name{known}")
    return names[wanted]
