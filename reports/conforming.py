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
from reports.packets import LINKS, Packet, packet_of, segment_of
from reports.situations import Pair, Start
from reports.watching import Watch
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.registry import switched

OPTIONS = ("fin_with_text", "delayed_ack", "challenge_ack", "keep_alive", "half_duplex_close")
"""What the RFC lets a stack do and its plain reading does not."""
CAPPED = "there were more possibilities than are followed"
EXPLAINED_MAX = 100
"""Closes that differ for which the models that explain them are sought."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a model by name, whether nothing is missing, and how to say it."""

    model: str | None
    complete: bool
    form: str
    packets: bool


@cache
def default_tables() -> Pair:
    """Return RFC 9293 with what real stacks may do, for either end."""
    tables = Tables([switched(*OPTIONS)])
    return Pair(tables, tables)


@cache
def every_stack() -> Pair:
    """Return the default table and the profiles of real stacks, for either end."""
    # What few captures need is loaded when one does: it takes a third of a second.
    from tcpclose_model.variants.stacks import FREEBSD, LINUX, WINDOWS

    tables = Tables([switched(*OPTIONS), RFC9293, LINUX, FREEBSD, WINDOWS])
    return Pair(tables, tables)


@cache
def tables_of(a: Protocol, b: Protocol) -> Pair:
    """Return the tables of a model, the end that was seen first being A."""
    return Pair(Tables([a]), Tables([b]))


def candidates(asked: str | None, *, retry: bool) -> list[Pair]:
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
        self._sought: dict[object, tuple[str, ...]] = {}
        self._keep = asked.packets or asked.form in ("json", "html")

    def begin(self, start: Start) -> Watch:
        """Return the watch over a close that begins."""
        return Watch(self._first, start, self._asked.complete, self._keep)

    def judged(self, one: Connection) -> Judged:
        """Return the verdict on a connection that is over, or of which no more is known."""
        if one.watch is None:
            return _without_close(one)
        if not all(way.seen for way in one.directions):
            return Judged(one, OUT_OF_SCOPE, "only one direction was captured", undecided=True)
        watch = one.watch
        if watch.deviation is not None:
            others = [_again(watch, pair) for pair in self._other_tables()]
            explaining = (other for other in others if _explains(other, watch))
            watch = one.watch = next(explaining, watch)
            if watch.deviation is not None:
                return self._deviates(one, watch, others)
        watch.pair.expect_no_cut()
        states, later = watch.possible(), watch.possible(later=True)
        if watch.capped or watch.pair.was_cut():
            watch.notes.append(f"{CAPPED}: these may not be all states that the ends may be in")
        ended = ending(watch, states)
        verdict = CONFORMS if ended.done else UNFINISHED
        return Judged(one, verdict, ended.sentence, tuple(watch.notes), states, later)

    def _deviates(self, one: Connection, watch: Watch, others: Sequence[Watch]) -> Judged:
        """Return the verdict on a close that no watch explains, neither its own nor another."""
        assert watch.deviation is not None
        given = watch.deviation.given
        why = next(filter(None, (_undecidable(one, each) for each in (watch, *others))), "")
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

    def _other_tables(self) -> list[Pair]:
        return candidates(self._asked.model, retry=True)[1:]

    def _explaining(self, watch: Watch) -> tuple[str, ...] | None:
        """Return the models of the catalogue whose tables explain the whole close, if sought.

        What a stack does wrong it does again in its next connection, so it is sought once.
        """
        if watch.forgotten:
            return None
        begun, packets = watch.now.begun, tuple(one._replace(number=0) for one in watch.given)
        key = (begun, packets)
        if key not in self._sought and len(self._sought) < EXPLAINED_MAX:
            self._sought[key] = tuple(
                name
                for name, pairs in _explanations().items()
                if any(_explains(_again(watch, pair), watch) for pair in pairs)
            )
        return self._sought.get(key)


def _again(watch: Watch, pair: Pair) -> Watch:
    """Return what other tables make of the packets of a close that are kept."""
    other = Watch(pair, watch.now.begun, watch.complete, watch.keep_states, brief=True)
    for given in watch.given:
        other.observe(given)
    return other


def _explains(other: Watch, watch: Watch) -> bool:
    """Return whether other tables explain the whole of a close."""
    return other.deviation is None and not watch.forgotten


@cache
def _explanations() -> dict[str, list[Pair]]:
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
            found[name] = [Pair(a, b)] if a is b else [Pair(a, b), Pair(b, a)]
    return found


def _undecidable(one: Connection, watch: Watch) -> str:
    """Return why what looks impossible may be possible, or ""."""
    if watch.deviation is None:
        return "the close is too long to be tried by the other tables"
    unsure = watch.is_unsure()  # which may find that there is more than is followed
    if watch.capped:
        return CAPPED
    if unsure:
        return "it may have been overtaken by many, or others may be missing before it"
    if one.gap or watch.missed:
        return "segments before it, perhaps a FIN, were not captured"
    why = forgotten(one, watch, watch.deviation.given)
    if why:
        return why
    if one.closed_window:
        return "a window was zero: probes of a closed window are not followed"
    return "it has urgent data" if one.urgent else ""


def _without_close(one: Connection) -> Judged:
    if one.half_open:
        told = "a SYN met a connection that its peer still held (half open), and that one was reset"
        return Judged(one, OUT_OF_SCOPE, told)
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
    for number, time, link, _, data in capture:
        packet = packet_of(link, data)
        if isinstance(packet, Fragment):
            whole = notes.fragments.take(packet, time)
            if whole is None:
                continue
            packet = segment_of(whole)
        if isinstance(packet, Packet):
            over = follower.take(number, packet)
            if over:
                yield from over
        elif packet is not None:
            notes.damaged[packet] += 1
        elif link not in LINKS:
            notes.links[link] += 1
    yield from follower.rest()
