"""`tcpclose conform`: whether the close of each captured connection is a run of the model."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from reports.captures import Capture, CaptureError
from reports.connections import END, Connection, Follower
from reports.endings import ending
from reports.loading import one_model
from reports.observer import Seen, Tables
from reports.packets import LINKS, packet_of
from reports.watching import Start, Watch
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import State
from tcpclose_model.variants.catalogue import MODELS
from tcpclose_model.variants.registry import switched
from tcpclose_model.variants.stacks import FREEBSD, LINUX, WINDOWS

CONFORMS, DEVIATES, UNFINISHED = "conforms", "deviates", "unfinished"
OUT_OF_SCOPE = "out of scope"
OPTIONS = ("fin_with_text", "delayed_ack", "challenge_ack", "keep_alive", "half_duplex_close")
"""What the RFC lets a stack do and its plain reading does not."""
CAPPED = "there were more possibilities than are followed"
NOTES_MAX = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a model by name, whether nothing is missing, and how to say it."""

    model: str | None
    complete: bool
    form: str
    packets: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one connection.

    states: the possible states of A and B at the end; later: those that timers lead to from there.
    """

    connection: Connection
    verdict: str
    ended: str
    reasons: tuple[str, ...] = ()
    states: tuple[tuple[State, ...], tuple[State, ...]] | None = None
    later: tuple[tuple[State, ...], tuple[State, ...]] | None = None
    explained_by: tuple[str, ...] = ()


@cache
def default_tables() -> tuple[Tables, Tables]:
    """Return RFC 9293 with what real stacks may do, for either end."""
    tables = Tables([switched(*OPTIONS)])
    return tables, tables


@cache
def every_stack() -> tuple[Tables, Tables]:
    """Return the default table and the profiles of real stacks, for either end."""
    tables = Tables([switched(*OPTIONS), RFC9293, LINUX, FREEBSD, WINDOWS])
    return tables, tables


@cache
def tables_of(a: Protocol, b: Protocol) -> tuple[Tables, Tables]:
    """Return the tables of a model, the end that was seen first being A."""
    return Tables([a]), Tables([b])


def candidates(asked: str | None, *, retry: bool) -> list[tuple[Tables, Tables]]:
    """Return the tables by which a connection may be explained, in the order they are tried.

    retry: those after the first are wanted too; to make them ready takes a while.
    """
    if asked is None:
        return [default_tables(), every_stack()] if retry else [default_tables()]
    model = one_model(asked)
    both = [tables_of(model.a, model.b)]
    return both if model.a == model.b else [*both, tables_of(model.b, model.a)]


class Judge:
    """Judges connections by a model, or by the RFC and the real stacks."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._first = candidates(asked.model, retry=False)[0]
        self._keep = asked.packets or asked.form == "json"

    def begin(self, start: Start) -> Watch:
        """Return the watch over a close that begins."""
        return Watch(self._first, start, self._asked.complete, self._keep)

    def judged(self, one: Connection) -> Judged:
        """Return the verdict on a connection that is over, or of which no more is known."""
        if one.watch is None:
            return _without_close(one)
        if 0 in one.seen:
            return Judged(one, OUT_OF_SCOPE, "only one direction was captured")
        watch = one.watch
        if watch.deviation is not None:
            watch = self._again(watch, candidates(self._asked.model, retry=True)[1:])
        one.watch = watch
        if watch.deviation is not None:
            return self._deviates(one, watch)
        watch.expect_no_cut()
        states, later = watch.possible(), watch.possible(later=True)
        if watch.capped or watch.was_cut():
            watch.notes.append(f"{CAPPED}: these may not be all states that the ends may be in")
        ended = ending(watch, states)
        verdict = CONFORMS if ended.done else UNFINISHED
        return Judged(one, verdict, ended.sentence, tuple(watch.notes), states, later)

    def _again(self, watch: Watch, tables: Sequence[tuple[Tables, Tables]]) -> Watch:
        """Return the watch by the first tables that explain everything, or the one that was."""
        for pair in tables:
            other = Watch(pair, watch.start, watch.complete, watch.keep_states, brief=True)
            for given in watch.given:
                other.observe(given)
            if other.deviation is None and not watch.forgotten:
                return other
            watch.too_long |= other.deviation is None
            watch.capped |= other.capped
        return watch

    def _deviates(self, one: Connection, watch: Watch) -> Judged:
        assert watch.deviation is not None
        given = watch.deviation.given
        why = _undecidable(one, watch)
        if why:
            told = f"packet {given.number} is not explained, but {why}"
            return Judged(one, OUT_OF_SCOPE, told, tuple(watch.notes), watch.deviation.before)
        sender = "AB"[given.sender]
        told = f"no run explains packet {given.number}: {sender} sends {described(given.seg)}"
        could = ", ".join(dict.fromkeys(described(seg) for seg in watch.deviation.instead))
        reasons = (
            f"before it, A was in {names(watch.deviation.before[0])}, "
            f"B in {names(watch.deviation.before[1])}",
            f"{sender} could have sent: {could or 'nothing'}",
            *watch.notes,
        )
        return Judged(
            one, DEVIATES, told, reasons, watch.deviation.before, None, self._explaining(watch)
        )

    def _explaining(self, watch: Watch) -> tuple[str, ...]:
        """Return the models of the catalogue whose tables explain the whole close."""
        if watch.forgotten:
            return ()
        return tuple(
            name
            for name, pairs in _explanations().items()
            if self._again(watch, pairs) is not watch
        )


@cache
def _explanations() -> dict[str, list[tuple[Tables, Tables]]]:
    """Return the models of the catalogue that a close may be explained by, each end being A."""
    made: dict[Protocol, Tables] = {}
    found = {}
    for name, model in MODELS.items():
        if model.middlebox.at == "none" and not model.reopens and not model.time.is_timed:
            for protocol in (model.a, model.b):
                if protocol not in made:
                    made[protocol] = Tables([protocol])
            a, b = made[model.a], made[model.b]
            found[name] = [(a, b)] if a is b else [(a, b), (b, a)]
    return found


def _undecidable(one: Connection, watch: Watch) -> str:
    """Return why what looks impossible may be possible, or ""."""
    if watch.capped:
        return CAPPED
    if watch.too_long:
        return "the close is too long to be tried by the other tables"
    if one.gap or watch.missed:
        return "segments before it, perhaps a FIN, were not captured"
    seg = watch.deviation.given.seg if watch.deviation is not None else None
    if seg is not None and not seg.rst and not watch.complete:
        again = seg.seq < 0 and seg.end <= 0 and not seg.fin
        if again or (seg.ack < 0 and watch.notes):
            return "it counts numbers from before the close, and an earlier one may be missing"
    if one.closed_window:
        return "a window was zero: probes of a closed window are not followed"
    return "it has urgent data" if one.urgent else ""


def _without_close(one: Connection) -> Judged:
    if one.refused:
        return Judged(one, OUT_OF_SCOPE, "it was refused, or reset before anything else was seen")
    if not one.opened:
        return Judged(one, OUT_OF_SCOPE, "only an opening was captured")
    both = ((State.ESTABLISHED,), (State.ESTABLISHED,))
    told = "neither FIN nor RST was captured: both ends were ESTABLISHED when it ended"
    return Judged(one, UNFINISHED, told, (), both)


def names(states: Sequence[State]) -> str:
    """Return states as text: A or B or C."""
    return " or ".join(state.name for state in states) or "no state that the model has"


def described(seg: Seen) -> str:
    """Return a segment as a report names it; numbers are relative to where the close began."""
    if seg.rst:
        return f"RST (seq {seg.seq})"
    kind = " and ".join([f"{seg.text:,} octets"] * bool(seg.text) + ["FIN"] * seg.fin) or "ACK"
    return f"{kind} (seq {seg.seq}, ack {seg.ack})"


def run_conform(paths: Sequence[Path], asked: Asked) -> int:
    """Judge every connection of the captures, print the verdicts, return the exit status."""
    judge = Judge(asked)
    counts: Counter[str] = Counter()
    printer = _Json() if asked.form == "json" else _Text(asked.packets)
    for path in paths:
        capture = Capture(path)
        printer.begin(capture.name)
        notes = _Notes(capture)
        follower = Follower(judge.begin)
        try:
            for one in _connections(capture, follower, notes):
                judged = judge.judged(one)
                counts[judged.verdict] += 1
                printer.show(judged)
        except CaptureError:
            printer.broken()
            raise
        printer.end(notes.lines(follower))
    printer.summary(counts)
    return 1 if counts[DEVIATES] else 0


class _Notes:
    """What of a capture was left out, counted."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self.damaged: Counter[str] = Counter()
        self.links: Counter[int] = Counter()

    def lines(self, follower: Follower) -> list[str]:
        """Return the notes as lines."""
        found = list(self._capture.notes)
        found += [f"{count:,} packets left out: {why}" for why, count in self.damaged.items()]
        for link, count in self.links.items():
            found.append(f"{count:,} packets left out: link type {link} is not read here")
        if follower.dropped:
            found.append(
                f"{follower.dropped:,} connections, silent longest, were judged before the "
                "capture's end to make room for others"
            )
        return found


def _connections(capture: Capture, follower: Follower, notes: _Notes) -> Iterator[Connection]:
    for frame in capture:
        packet = packet_of(frame.link, frame.data)
        if packet is None:
            if frame.link not in LINKS:
                notes.links[frame.link] += 1
        elif isinstance(packet, str):
            notes.damaged[packet] += 1
        else:
            yield from follower.take(frame.number, packet)
    yield from follower.rest()


def address(end: END) -> str:
    """Return an end's address and port as text."""
    packed, port = end
    text = ipaddress.ip_address(packed)
    return f"[{text}]:{port}" if text.version == 6 else f"{text}:{port}"


class _Text:
    """Prints verdicts as text."""

    def __init__(self, packets: bool) -> None:
        self._packets = packets

    def begin(self, name: str) -> None:
        click.echo(name)

    def broken(self) -> None:
        """Say nothing more: an error follows."""

    def show(self, judged: Judged) -> None:
        one = judged.connection
        click.echo(f"{judged.verdict}  A {address(one.ends[0])}  B {address(one.ends[1])}")
        click.echo(f"  {judged.ended}")
        if judged.states is not None and judged.verdict in (CONFORMS, UNFINISHED):
            click.echo(f"  A: {names(judged.states[0])}; B: {names(judged.states[1])}")
        for reason in judged.reasons[:NOTES_MAX]:
            click.echo(f"  {reason}")
        if judged.verdict == DEVIATES:
            told = ", ".join(judged.explained_by) or "none of the catalogue"
            click.echo(f"  models that explain it: {told}")
        if self._packets and one.watch is not None:
            for given, a, b in one.watch.states:
                sent = f"{'AB'[given.sender]} sends {described(given.seg)}"
                click.echo(f"  packet {given.number}: {sent}; A: {names(a)}; B: {names(b)}")

    def end(self, notes: list[str]) -> None:
        for note in notes:
            click.echo(f"note: {note}")

    def summary(self, counts: Counter[str]) -> None:
        order = (CONFORMS, DEVIATES, UNFINISHED, OUT_OF_SCOPE)
        told = ", ".join(f"{counts[name]:,} {name}" for name in order if counts[name])
        click.echo(f"{sum(counts.values()):,} connections: {told or 'no TCP in it'}")


class _Json:
    """Prints verdicts as one JSON object a line, as they are found."""

    def __init__(self) -> None:
        self._name = ""

    def begin(self, name: str) -> None:
        self._name = name

    def broken(self) -> None:
        """Say nothing more: an error follows."""

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
            "ended": judged.ended,
            "reasons": list(judged.reasons),
            "explained_by": list(judged.explained_by),
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
