"""Fingerprints: of an explored graph, as an observer sees it, and of the rows of a table."""

from __future__ import annotations

import hashlib
import inspect
import io
import tokenize
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise

from tcpclose_model.graphs import move_text, segment_text
from tcpclose_model.large import LargeSpace
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.space import Move, StateSpace

SEMANTICS = 1
"""The version of the semantics, which a baseline names.

It is raised by whoever changes this program so that the same model, unedited, has another graph,
other verdicts or another fingerprint than before.
"""

STEPS_MAX = 10_000_000
"""Steps beyond which a graph has no fingerprint: it would take minutes."""

SIZE = 12
"""Bytes of a digest."""

REST = ("(cells)", "(fields)", "(segments)")
"""What a table has beside its rows: cells without a row, fields of the TCB, fields of segments."""


def graph_fingerprint(space: StateSpace | LargeSpace) -> str:
    """Return the fingerprint of a graph, or "none" where it is not complete or was not kept.

    Seen are the states of both TCPs, what their users have been told, and of each step who acts,
    on what, and the segment that is sent.  Two graphs have the same fingerprint if and (but for
    a collision of 96 bits) only if they are strongly bisimilar under these labels; so it does not
    depend on the engine, on the order of the states, or on the names of rows and fields.
    """
    if isinstance(space, LargeSpace) or space.stopped or space.transitions > STEPS_MAX:
        return "none"
    shown = [_digest(f"{tcb.state.name} {tcb.told.name}") for tcb in space.tcbs]
    ends = zip(_plain(space.a), _plain(space.b), strict=True)
    seen = [_digest(shown[a] + shown[b]) for a, b in ends]
    labels = [_digest(_label(move)) for move in space.moves]
    steps = list(zip(_plain(space.move), _plain(space.target), strict=True))
    first = _plain(space.first_step)
    known = len(set(seen))
    while True:
        seen = [
            _digest(own + b"".join(sorted({labels[m] + seen[to] for m, to in steps[begin:end]})))
            for own, (begin, end) in zip(seen, pairwise(first), strict=True)
        ]
        classes = len(set(seen))
        if classes == known:
            # The first state alone has seen only as many steps ahead as there were rounds.
            return _digest(seen[0] + b"".join(sorted(set(seen)))).hex()
        known = classes


def _label(move: Move) -> str:
    sent = segment_text(move.sent) if move.sent is not None else ""
    return f"{move_text(move)} / {sent}"


def _digest(what: str | bytes) -> bytes:
    data = what.encode() if isinstance(what, str) else what
    return hashlib.blake2b(data, digest_size=SIZE).digest()


def _plain(numbers: Sequence[int]) -> list[int]:
    """Return numbers as a list; the fast engine has them in arrays."""
    return numbers.tolist() if hasattr(numbers, "tolist") else list(numbers)


def row_digests(protocol: Protocol) -> dict[str, str]:
    """Return a digest of every row of a table by its name, and of the rest of the table (`REST`).

    A row's digest sees where it stands, on what, its predicates and effects (their names and
    their own source, comments and layout apart), its target and what becomes of the segment; as
    `row_changes`, it does not see clauses.  Nor does it see what those functions call, or values
    that they take from outside: that is seen in the graph.
    """
    found = {rule.name: _of_row(rule) for rule in protocol.rules}
    cells = sorted(
        f"{state.name} {on.name} {cell.does.value}"
        for cell in protocol.cells
        for state in cell.at
        for on in cell.on
    )
    carried = [f"{name} {_function(when)}" for name, when in protocol.carries]
    rest = (cells, [f"{protocol.fields} {protocol.kept}"], [*carried, *protocol.stamps])
    return found | {name: _short(lines) for name, lines in zip(REST, rest, strict=True)}


def _of_row(rule: Rule) -> str:
    return _short(
        [
            " ".join(sorted(state.name for state in rule.at)),
            rule.on.name,
            *("when " + _function(predicate) for predicate in rule.when),
            *("do " + _function(effect) for effect in rule.do),
            "to " + ("" if rule.to is None else rule.to.name),
            "then " + rule.then.value,
        ]
    )


def _short(lines: Iterable[str]) -> str:
    return _digest("\n".join(lines)).hex()[:SIZE]


@cache
def _function(function: Callable[..., object]) -> str:
    """Return a function's name and the tokens of its source, where that can be read."""
    name = str(getattr(function, "__name__", type(function).__name__))
    try:
        source = inspect.getsource(function)
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        return " ".join([name, *(token.string.strip() for token in tokens if _counts(token))])
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return name


def _counts(token: tokenize.TokenInfo) -> bool:
    return token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
