"""`tcpclose conform`: whether the close of each captured connection is a run of the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reports.captures import Capture, CaptureError
from reports.conform_output import Html, Json, Text
from reports.connections import Connection, Follower
from reports.earlier import forgotten
from reports.encapsulation import link_name
from reports.endings import ending, still_open
from reports.fragments import Fragment, Fragments
from reports.judged import (
    CONFORMS,
    DEVIATES,
    OUT_OF_SCOPE,
    UNFINISHED,
    Judged,
    described,
    names,
)
from reports.observer import Tables
from reports.packets import LINKS, packet_of, segment_of
from reports.watching import Start, Watch
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.registry import switched

CAPPED = "there were more possibilities than are followed"
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


@cache
def default_tables() -> tuple[Tables, Tables]:
    """Return RFC 9293 with what real stacks may do, for either end."""
    tables = Tables([switched(*OPTIONS)])
    return tables, tables


@cache
def every_stack() -> tuple[Tables, Tables]:
    """Return the default table and the profiles of real stacks, for either end."""
    # What few captures need is loaded when one does: it takes a third of a second.
    from tcpclose_model.variants.stacks import FREEBSD, LINUX, WINDOWS

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
    from reports.loading import one_model

    model = one_model(asked)
    both = [tables_of(model.a, model.b)]
    return both if model.a == model.b else [*both, tables_of(model.b, model.a)]


class Judge:
    """Judges connections by a model, or by the RFC and the real stacks."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._first = candidates(asked.model, retry=False)[0]
        self._keep = asked.packets or asked.form in ("json", "html")

    def begin(self, start: Start) -> Watch:
        """Return the watch over a close that begins."""
        return Watch(self._first, start, self._asked.complete, self._keep)

    def judged(self, one: Connection) -> Judged:
        """Return the verdict on a connection that is over, or of which no more is known."""
        if one.watch is None:
            return _without_close(one)
        if 0 in one.seen:
            return Judged(one, OUT_OF_SCOPE, "only one direction was captured", undecided=True)
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
            before = watch.deviation.before
            return Judged(one, OUT_OF_SCOPE, told, tuple(watch.notes), before, undecided=True)
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
    from tcpclose_model.variants.catalogue import MODELS

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
    if watch.unsure:
        return "it may have been overtaken by many, or others may be missing before it"
    if watch.too_long:
        return "the close is too long to be tried by the other tables"
    if one.gap or watch.missed:
        return "segments before it, perhaps a FIN, were not captured"
    if watch.deviation is not None and (why := forgotten(one, watch, watch.deviation.given)):
        return why
    if one.closed_window:
        return "a window was zero: probes of a closed window are not followed"
    return "it has urgent data" if one.urgent else ""


def _without_close(one: Connection) -> Judged:
    if one.refused:
        return Judged(one, OUT_OF_SCOPE, "it was refused, or reset before anything else was seen")
    if not one.opened:
        return Judged(one, OUT_OF_SCOPE, "only an opening was captured")
    told, states = still_open(one)
    return Judged(one, UNFINISHED, told, (), states)


def run_conform(paths: Sequence[Path], asked: Asked) -> int:
    """Judge every connection of the captures, print the verdicts, return the exit status.

    That is 1 if a close deviates, else 3 if one could not be judged or there is none at all.
    """
    judge = Judge(asked)
    counts: Counter[str] = Counter()
    printer = {"json": Json, "html": Html}.get(asked.form, lambda: Text(asked.packets))()
    printer.opening()
    undecided = 0
    for path in paths:
        capture = Capture(path)
        printer.begin(capture.name)
        notes = _Notes(capture)
        follower = Follower(judge.begin)
        try:
            for one in _connections(capture, follower, notes):
                judged = judge.judged(one)
                counts[judged.verdict] += 1
                undecided += judged.undecided
                printer.show(judged)
        except CaptureError:
            printer.broken()
            raise
        printer.end(notes.lines(follower))
    printer.summary(counts)
    if counts[DEVIATES]:
        return 1
    return 3 if undecided or not counts else 0


class _Notes:
    """What of a capture was left out, counted."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self.damaged: Counter[str] = Counter()
        self.links: Counter[int] = Counter()
        self.fragments = Fragments()

    def lines(self, follower: Follower) -> list[str]:
        """Return the notes as lines."""
        found = list(self._capture.notes)
        found += [f"{count:,} packets left out: {why}" for why, count in self.damaged.items()]
        for link, count in self.links.items():
            found.append(f"{count:,} packets left out: {link_name(link)} is not read here")
        found += self.fragments.lines()
        if follower.dropped:
            found.append(
                f"{follower.dropped:,} connections, silent longest, were judged before the "
                "capture's end to make room for others"
            )
        return found


def _connections(capture: Capture, follower: Follower, notes: _Notes) -> Iterator[Connection]:
    for frame in capture:
        packet = packet_of(frame.link, frame.data)
        if isinstance(packet, Fragment):
            whole = notes.fragments.take(packet, frame.time)
            if whole is None:
                continue
            packet = segment_of(whole)
        if packet is None:
            if frame.link not in LINKS:
                notes.links[frame.link] += 1
        elif isinstance(packet, str):
            notes.damaged[packet] += 1
        else:
            yield from follower.take(frame.number, packet)
    yield from follower.rest()
