"""Baselines: what a model is known to do, kept so that a later check can say what has moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from properties.check import Result
from properties.fingerprint import SEMANTICS, graph_fingerprint, row_digests
from tcpclose_model.model import Model, parameters
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293

COUNTS = ("states", "steps", "depth")
GONE = ""
"""The digest of a row of the standard's that a table does not have."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What is kept of one model.

    settings: the `--set` settings that it was checked with.
    parameters: those that are not the default of `Model`, as text.
    counts: states, steps and depth; graph: the graph's fingerprint.
    rows: of end "a" and end "b", the digests of the rows that the standard's table has otherwise
        or not at all, by name; `GONE` stands for a row of the standard's that is not there.
    verdicts: by the property's name.
    """

    settings: tuple[str, ...]
    parameters: Mapping[str, str]
    counts: Mapping[str, int]
    graph: str
    rows: Mapping[str, Mapping[str, str]]
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Models by the names that they are asked for with, and the rows of the standard's table."""

    pins: Mapping[str, Pin]
    standard: Mapping[str, str] = field(default_factory=lambda: row_digests(RFC9293))
    semantics: int = SEMANTICS


def pin(result: Result, settings: tuple[str, ...] = ()) -> Pin:
    """Return what is to be kept of a checked model."""
    model, space = result.model, result.space
    return Pin(
        settings,
        _parameters(model),
        dict(zip(COUNTS, (len(space), space.transitions, space.depth), strict=True)),
        graph_fingerprint(space),
        {"a": _otherwise(model.a), "b": _otherwise(model.b)},
        {verdict.property.name: verdict.answer.value for verdict in result.verdicts},
    )


def _parameters(model: Model) -> dict[str, str]:
    usual = parameters(Model())
    return {name: _text(value) for name, value in parameters(model).items() if value != usual[name]}


def _text(value: object) -> str:
    """Return a parameter's value on one line."""
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return " ".join(text.split())


def _otherwise(protocol: Protocol) -> dict[str, str]:
    standard, here = row_digests(RFC9293), row_digests(protocol)
    changed = {name: digest for name, digest in here.items() if standard.get(name) != digest}
    return changed | {name: GONE for name in standard if name not in here}


def standard_moved(old: Baseline) -> Iterator[str]:
    """Yield what is not as it was in the standard's table, which every model starts from."""
    for name, what in _rows_moved(old.standard, row_digests(RFC9293)):
        yield f"row {name} of RFC 9293 {what}"


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that is not as it was: its kind ("row", "verdict", ...), its name, and a line."""

    kind: str
    name: str
    says: str


def moved(old: Pin, new: Pin) -> Iterator[str]:
    """Yield what is not as it was, a line each: parameters, rows, verdicts, counts, the graph."""
    return (one.says for one in moves(old, new))


def moves(old: Pin, new: Pin) -> Iterator[Moved]:
    """Yield what is not as it was: parameters, rows, verdicts, counts, the graph."""
    usual = {name: _text(value) for name, value in parameters(Model()).items()}
    for name in sorted({*old.parameters, *new.parameters}):
        was, now = (pin.parameters.get(name, usual.get(name)) for pin in (old, new))
        if was != now:
            yield Moved("parameter", name, f"parameter {name}: {now}, was {was}")
    yield from _tables_moved(old, new)
    for name in sorted({*old.verdicts, *new.verdicts}):
        was, now = (pin.verdicts.get(name, "not judged") for pin in (old, new))
        if was != now:
            yield Moved("verdict", name, f"verdict {name}: {now}, was {was}")
    for name in COUNTS:
        if old.counts[name] != new.counts[name]:
            was_many, many = old.counts[name], new.counts[name]
            line = f"{name}: {many:,}, was {was_many:,} ({many - was_many:+,})"
            yield Moved("count", name, line)
    if old.graph != new.graph:
        line = f"graph: {new.graph}, was {old.graph}: what can be observed is not the same"
        yield Moved("graph", "graph", line)


def _tables_moved(old: Pin, new: Pin) -> Iterator[Moved]:
    found = {end: list(_rows_moved(old.rows[end], new.rows[end])) for end in ("a", "b")}
    if found["a"] == found["b"]:
        found = {"both ends": found["a"]}
    for end, changes in found.items():
        for name, what in changes:
            line = f"row {name} of {end.upper() if len(end) == 1 else end} {what}"
            yield Moved("row", name, line)


def _rows_moved(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the rows that differ, and what became of each.

    A row that is in one of the two alone is, in the other, the standard's or not there either.
    """
    standard = {rule.name for rule in RFC9293.rules}
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if now == GONE or (now is None and name not in standard):
            yield name, "was removed"
        elif was == GONE or (was is None and name not in standard):
            yield name, "was added"
        elif now is None:
            yield name, "is the standard's again"
        else:
            yield name, "has changed"
