"""Is this table legal?  Checked before any engine runs it.

- every cell (state x event, state x step) is declared;
- every row stands in a cell that can be reached, has a clause and a name of its own, and its
  `then` makes sense;
- every predicate and effect is straight-line code: it is run once over symbols whose truth value
  cannot be taken, so `if`, `and`, `or`, `not` and `in` are found before they are wrong in silence.

That rows of one cell exclude each other is checked where a table is run (`step.Table`), on every
TCB and segment that occurs; `tests/test_legality.py` proves it for all values with z3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.notation import AGAIN, PASS_ON, Fallback, On, Protocol
from tcpclose_model.protocol.vocabulary import (
    LOCAL_EVENTS,
    SEGMENT_FIELDS,
    TCB,
    Segment,
    State,
    Step,
)

_CHECKED: set[object] = set()


class _BranchError(Exception):
    """The truth value of a symbol was asked for."""


class Symbol:
    """A value of which only the expression is known; taking its truth value is an error."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __bool__(self) -> bool:
        raise _BranchError(self.text)

    def __repr__(self) -> str:
        return self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __invert__(self) -> Symbol:
        return Symbol(f"not {self.text}")

    def is_marked(self, number: object) -> Symbol:
        """Return the symbol for "number is in this set"."""
        return Symbol(f"{number} in {self.text}")

    def with_mark(self, number: object) -> Symbol:
        """Return the symbol for this set with one number more."""
        return Symbol(f"{self.text} + {{{number}}}")

    def without_mark(self, number: object) -> Symbol:
        """Return the symbol for this set with one number less."""
        return Symbol(f"{self.text} - {{{number}}}")


def _binary(sign: str) -> Any:  # Any: a method made at run time, of one shape for all operators
    def method(self: Symbol, other: object) -> Symbol:
        return Symbol(f"({self} {sign} {other})")

    return method


def _reflected(sign: str) -> Any:  # Any: as above
    def method(self: Symbol, other: object) -> Symbol:
        return Symbol(f"({other} {sign} {self})")

    return method


for _name, _sign in {"add": "+", "sub": "-", "and": "&", "or": "|"}.items():
    setattr(Symbol, f"__{_name}__", _binary(_sign))
    setattr(Symbol, f"__r{_name}__", _reflected(_sign))
for _name, _sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(Symbol, f"__{_name}__", _binary(_sign))


class _Symbols:
    """Stands for a TCB or a segment whose every field is a symbol."""

    def __init__(self, prefix: str, names: frozenset[str]) -> None:
        self._prefix, self._names = prefix, names

    def __getattr__(self, name: str) -> Symbol:
        if name not in self._names:
            raise AttributeError(f"{self._prefix} has no field {name!r}")
        return Symbol(f"{self._prefix}.{name}")


def check(protocol: Protocol) -> None:
    """Raise ModelError, naming the row or the cell, unless the table is legal."""
    key = (protocol.rules, protocol.cells, protocol.fields, protocol.carries, protocol.stamps)
    if key in _CHECKED:
        return
    declared = _declared(protocol)
    names: set[str] = set()
    tcb: Any = _Symbols("tcb", frozenset(TCB._fields) | {name for name, _ in protocol.fields})
    seg: Any = _Symbols("seg", frozenset(SEGMENT_FIELDS))  # Any: stands in for the real records
    for field, predicate in protocol.carries:
        _run_on_symbols(f"{protocol.name}: carries {field}", predicate, tcb, seg)
    for rule in protocol.rules:
        where = f"{protocol.name}: rule {rule.name!r}"
        if rule.name in names:
            raise ModelError(f"{where} stands twice: give one of them another name")
        names.add(rule.name)
        if not rule.cite:
            raise ModelError(f"{where} has no clause: say where it comes from with cite=")
        for state in rule.at:
            if declared.get((state, rule.on)) in (None, Fallback.UNREACHABLE):
                raise ModelError(
                    f"{where} stands in a cell that is declared unreachable ({state.name} "
                    f"on {rule.on.name}): give the cell another Otherwise"
                )
        if rule.then is not PASS_ON and not isinstance(rule.on, Step):
            raise ModelError(f"{where}: `then` is for rows of SEGMENT ARRIVES only")
        if rule.then is AGAIN and not rule.when:
            raise ModelError(f"{where} is offered again without a condition: it would never end")
        for predicate in rule.when:
            if not isinstance(_run_on_symbols(where, predicate, tcb, seg), (Symbol, bool)):
                raise ModelError(f"{where}: {predicate.__name__} returns no truth value")
        for effect in rule.do:
            if not isinstance(_run_on_symbols(where, effect, tcb, seg), (Mapping, Segment)):
                raise ModelError(
                    f"{where}: {effect.__name__} returns neither a dict of changed fields nor a "
                    "Segment"
                )
    _CHECKED.add(key)


def _declared(protocol: Protocol) -> dict[tuple[State, On], Fallback]:
    declared: dict[tuple[State, On], Fallback] = {}
    for cell in protocol.cells:
        for state in cell.at:
            for on in cell.on:
                if (state, on) in declared:
                    raise ModelError(
                        f"{protocol.name}: cell {state.name} on {on.name} is declared twice"
                    )
                declared[state, on] = cell.does
    everything: list[On] = [*LOCAL_EVENTS, *Step]
    for state in State:
        for on in everything:
            if (state, on) not in declared:
                raise ModelError(
                    f"{protocol.name}: cell {state.name} on {on.name} is not declared: say what "
                    "happens there when no row fits"
                )
    return declared


def _run_on_symbols(where: str, function: Any, tcb: Any, seg: Any) -> object:  # Any: users' code
    name = getattr(function, "__name__", repr(function))
    try:
        result = function(tcb, seg)
    except _BranchError as error:
        raise ModelError(
            f"{where}: {name} takes the truth value of {error}: use &, | and negation() "
            "instead of if, and, or, not, in; write two rows where two things can happen"
        ) from None
    except Exception as error:  # the mistake of whoever wrote the row, whatever it is
        raise ModelError(f"{where}: {name}: {error}") from None
    if isinstance(result, Mapping):
        unknown = [field for field in result if field not in tcb._names]
        if unknown:
            raise ModelError(
                f"{where}: {name} changes {unknown}, which the TCB does not have: declare it "
                "with with_field()"
            )
    return result
