"""The verdicts on captured connections as text, JSON, and a page of HTML, as they are found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import click

from reports.html_page import TAIL, head, plain
from reports.judged import (
    CONFORMS,
    DEVIATES,
    ORDER,
    UNFINISHED,
    Judged,
    address,
    described,
    names,
)
from tcpclose_model.protocol.vocabulary import State

NOTES_MAX = 20


class Printer:
    """Writes what is found of each capture to standard output."""

    def opening(self) -> None:
        """Say what comes before all captures."""

    def begin(self, name: str) -> None:
        """A capture begins."""
        raise NotImplementedError

    def broken(self) -> None:
        """An error follows, and nothing more of this capture."""

    def show(self, judged: Judged) -> None:
        """Say what became of a connection."""
        raise NotImplementedError

    def end(self, notes: list[str]) -> None:
        """A capture is over; `notes` are about what was left out of it."""
        raise NotImplementedError

    def summary(self, counts: Counter[str]) -> None:
        """Say how many connections got each verdict."""
        raise NotImplementedError


def totals(counts: Counter[str]) -> str:
    """Return how many connections got each verdict, in words."""
    told = ", ".join(f"{counts[name]:,} {name}" for name in ORDER if counts[name])
    return f"{sum(counts.values()):,} connections: {told or 'no TCP in it'}"


class Text(Printer):
    """Prints verdicts as text."""

    def __init__(self, packets: bool) -> None:
        self._packets = packets

    def begin(self, name: str) -> None:
        click.echo(name)

    def show(self, judged: Judged) -> None:
        one = judged.connection
        a, b = map(address, one.ends)
        lines = [f"{judged.verdict}  A {a}  B {b}", judged.ended, *_said(judged)]
        if self._packets and one.watch is not None:
            for given, *states in one.watch.states:
                sent = f"{'AB'[given.sender]} sends {described(given.seg)}"
                of_a, of_b = map(names, states)
                lines.append(f"packet {given.number}: {sent}; A: {of_a}; B: {of_b}")
        click.echo("\n  ".join(lines))

    def end(self, notes: list[str]) -> None:
        for note in notes:
            click.echo(f"note: {note}")

    def summary(self, counts: Counter[str]) -> None:
        click.echo(totals(counts))


class Json(Printer):
    """Prints verdicts as one JSON object a line, as they are found."""

    def __init__(self) -> None:
        self._name = ""

    def begin(self, name: str) -> None:
        self._name = name

    def show(self, judged: Judged) -> None:
        one, states = judged.connection, judged.states
        steps = one.watch.states if one.watch is not None else []
        document = {
            "capture": self._name,
            "a": address(one.ends[0]),
            "b": address(one.ends[1]),
            "packets": one.packets,
            "first_packet": one.first,
            "verdict": judged.verdict,
            "undecided": judged.undecided,
            "ended": judged.ended,
            "reasons": list(judged.reasons),
            "explained_by": None if judged.explained_by is None else list(judged.explained_by),
            "states": None if states is None else _named(states),
            "states_later": None if judged.later is None else _named(judged.later),
            "steps": [
                {
                    "packet": given.number,
                    "sender": "AB"[given.sender],
                    "segment": given.seg._asdict(),
                    "states": _named((a, b)),
                }
                for given, a, b in steps
            ],
        }
        click.echo(json.dumps(document))

    def end(self, notes: list[str]) -> None:
        click.echo(json.dumps({"capture": self._name, "notes": notes}))

    def summary(self, counts: Counter[str]) -> None:
        click.echo(json.dumps({"connections": sum(counts.values()), "verdicts": dict(counts)}))


def _named(states: tuple[tuple[State, ...], tuple[State, ...]]) -> dict[str, list[str]]:
    return {end: [state.name for state in of] for end, of in zip("AB", states, strict=True)}


class Html(Printer):
    """Writes one page: a section for each capture, in which a connection can be folded open."""

    def opening(self) -> None:
        click.echo(head("tcpclose conform"))

    def begin(self, name: str) -> None:
        click.echo(f"<h1>{plain(name)}</h1>")

    def broken(self) -> None:
        click.echo('<p class="violated">The rest of the capture could not be read.</p>')
        click.echo(TAIL)

    def show(self, judged: Judged) -> None:
        kind = ' class="violated"' if judged.verdict == DEVIATES else ""
        a, b = map(address, judged.connection.ends)
        lines = [
            "<details open>" if judged.verdict == DEVIATES else "<details>",
            f"<summary><b{kind}>{judged.verdict}</b> A {a}, B {b}: {plain(judged.ended)}",
            "</summary>",
            *(f"<p>{plain(line)}</p>" for line in _said(judged)),
        ]
        if judged.connection.watch is not None:
            lines += _table(judged)
        click.echo("\n".join([*lines, "</details>"]))

    def end(self, notes: list[str]) -> None:
        for note in notes:
            click.echo(f"<p>note: {plain(note)}</p>")

    def summary(self, counts: Counter[str]) -> None:
        click.echo(f"<p><b>{totals(counts)}</b></p>")
        click.echo(TAIL)


def _said(judged: Judged) -> Iterator[str]:
    """Yield what is said of a connection beside its verdict, a line each."""
    if judged.states is not None and judged.verdict in (CONFORMS, UNFINISHED):
        yield f"A: {names(judged.states[0])}; B: {names(judged.states[1])}"
    yield from judged.reasons[:NOTES_MAX]
    if judged.verdict == DEVIATES:
        if judged.explained_by is None:
            yield "models that explain it: not sought (it is too long, or comes after many others)"
        else:
            told = ", ".join(judged.explained_by) or "none of the catalogue"
            yield f"models that explain it: {told}"


def _table(judged: Judged) -> Iterator[str]:
    """Yield the packets of a close as rows, with the states that both ends may be in after each."""
    watch = judged.connection.watch
    assert watch is not None
    yield "<table>"
    yield "<thead><tr><th>A may be in</th><th>packet</th><th></th><th>B may be in</th></tr></thead>"
    yield "<tbody>"
    rows = [(given, names(a), names(b), "") for given, a, b in watch.states]
    if judged.verdict == DEVIATES and watch.deviation is not None:
        no_state = "no run explains it"
        rows.append((watch.deviation.given, no_state, no_state, ' class="violated"'))
    for given, a, b, kind in rows:
        seg = plain(described(given.seg))
        way = f"{seg} →" if given.sender == 0 else f"← {seg}"
        number = f'<td class="number">{given.number}</td>'
        cells = f'<td>{a}</td>{number}<td class="way">{way}</td><td>{b}</td>'
        yield f"<tr{kind}>{cells}</tr>"
    yield "</tbody>"
    yield "</table>"
