"""What a check prints: the first line, the verdicts, the counterexamples, the catalogue's table."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

import click

from properties.check import Result
from properties.kinds import Kind, Role
from properties.repair import Repairs
from properties.verdict import Answer, Verdict
from reports.ladder import Notes, ladder
from tcpclose_model.large import LargeSpace
from tcpclose_model.model import Model
from tcpclose_model.parts import Middlebox
from tcpclose_model.protocol.timers import TIMERS

COLOURS = {
    Answer.HOLDS: "green",
    Answer.VIOLATED: "red",
    Answer.VACUOUS: "yellow",
    Answer.UNKNOWN: "magenta",
}
SHORT = {
    Answer.HOLDS: "holds",
    Answer.VIOLATED: "VIOLATED",
    Answer.VACUOUS: "vacuous",
    Answer.UNKNOWN: "UNKNOWN",
}
ORDERS = {"fifo": "fifo", "any": "any order", "set": "set"}
NOTES_BESIDE_WIDTH = 120
"""Columns that a terminal needs so that notes fit beside a ladder."""


def on_terminal() -> bool:
    """Return whether a person watches the output."""
    return sys.stdout.isatty()


def where_notes(wanted: bool, *, to_file: bool) -> Notes:
    """Return where a ladder's notes go: beside it, or below on a terminal too narrow for that."""
    if not wanted:
        return "none"
    narrow = shutil.get_terminal_size().columns < NOTES_BESIDE_WIDTH
    return "below" if narrow and on_terminal() and not to_file else "beside"


def headline(result: Result) -> str:
    """Return the first line: model, network, timers, application and counts."""
    model, space = result.model, result.space
    state = "complete" if space.complete else f"NOT COMPLETE ({space.stopped})"
    counts = f"{len(space):,} states, {space.transitions:,} steps, depth {space.depth}, {state}"
    return f"{model.name}: {described(model)}; {counts}"


def described(model: Model) -> str:
    """Return network, timers, application and bounds in words."""
    network, timers, user = model.network, model.timers, model.application
    wire = [f"{ORDERS[network.order]} network of capacity {network.capacity}"]
    if model.time.is_timed and network.order == "set":
        wire = ["set network"]
    limited = network.losses_max is not None
    lossy = f"losing at most {network.losses_max}" if limited else "lossy"
    wire.append(lossy if network.loss else "lossless")
    wire += ["duplicating"] if network.duplication else []
    wire += ["senders wait for room"] if network.loss and network.full == "waits" else []
    clocks = []
    if not model.time.durations("retransmission"):
        clocks.append(f"retransmission {timers.retransmission}")
    if not model.time.durations("time_wait"):
        clocks.append(f"TIME-WAIT {timers.time_wait}")
    if not model.time.durations("user_timeout") and timers.user_timeout:
        clocks.append("user timeout")
    clocks += ["FIN-WAIT-2 timeout of orphans"] if timers.fin_wait_2 == "orphaned" else []
    clocks += list(_durations(model))
    closes = user.closes if isinstance(user.closes, str) else "/".join(user.closes)
    a, b = user.data_units
    acts = [f"closes {closes}", f"data {a}+{b}", f"reading {user.reading}"]
    acts += ["half-close"] if user.half_close else []
    acts += [f"{end} may abort" for end, may in zip("AB", user.aborts, strict=True) if may]
    acts += [f"{end} may crash" for end, may in zip("AB", user.crashes, strict=True) if may]
    most = model.bounds.retransmissions_max
    acts += [] if most is None else [f"at most {most} retransmissions"]
    parts = [wire, clocks, acts, _beside(model.middlebox)]
    return "; ".join(", ".join(part) for part in parts if part)


def _beside(box: Middlebox) -> list[str]:
    """Return a middlebox in words; nothing where there is none."""
    if box.at == "none":
        return []
    told = "" if box.tells == "nobody" else f", resets {box.tells}"
    forgets = box.forgets.replace("_", " ")
    return [f"a middlebox beside {box.at.upper()} forgets {forgets}{told}, {box.unknown}"]


def _durations(model: Model) -> Iterator[str]:
    """Return how long things last, in ticks, where the model has a clock."""
    if model.time.is_timed:
        yield f"MSL {model.time.segment_lifetime}"
        for timer in TIMERS:
            durations = model.time.durations(timer.name)
            if durations:
                yield f"{timer.event.words} after {'/'.join(map(str, durations))}"
        if model.time.slack:
            yield f"up to {model.time.slack} late"


def result_lines(result: Result, notes: Notes = "beside") -> Iterator[str]:
    """Return the verdicts of one model, and a run for each requirement that is violated.

    Lines come as soon as they are known: repairs are looked for after the verdicts are out.
    """
    yield click.style(headline(result), bold=True)
    if result.model.title:
        yield click.style(result.model.title, dim=True)
    width = max((len(v.property.name) for v in result.verdicts), default=0)
    for verdict in result.verdicts:
        answer = click.style(f"{SHORT[verdict.answer]:<9}", fg=COLOURS[verdict.answer])
        yield f"{answer}{verdict.property.name:<{width}}  {_remark(result, verdict)}"
    if isinstance(result.space, LargeSpace):
        for line in (*result.space.reductions, result.space.memory):
            yield click.style(line, dim=True)
    for fairness in dict.fromkeys(v.fairness for v in result.verdicts if v.fairness):
        yield click.style("fairness assumed: " + "; ".join(fairness), dim=True)
    repairs = Repairs(result.space)
    for group in _runs(result):
        yield ""
        yield from _run_lines(repairs, group, notes)


def _remark(result: Result, verdict: Verdict) -> str:
    """Return what is said beside a verdict, and whether it is what was expected."""
    parts = [told] if (told := remark(verdict)) else []
    expected = result.expected(verdict.property)
    if not result.is_as_expected(verdict):
        wanted = expected.value if expected is not None else "holds"
        parts.append(f"NOT AS EXPECTED ({wanted})")
    elif verdict.answer is Answer.VIOLATED and expected is Answer.VIOLATED:
        parts.append("as expected")
    return "; ".join(parts)


def remark(verdict: Verdict) -> str:
    """Return what there is to say of a verdict: why, or how often it was put to the test."""
    parts = [verdict.detail] if verdict.detail else []
    if verdict.answer is Answer.HOLDS and verdict.property.kind is not Kind.SOMETIMES:
        parts.append(f"put to the test {verdict.occurred:,} times")
    if verdict.property.role is Role.OBSERVATION:
        parts.append("an observation")
    return "; ".join(parts)


def shown(result: Result, verdict: Verdict) -> bool:
    """Return whether a check shows the run: a requirement violated, or anything unexpected."""
    if verdict.run is None:
        return False
    if verdict.property.role is Role.REQUIREMENT or not result.is_as_expected(verdict):
        return verdict.answer is Answer.VIOLATED
    return len(result.verdicts) == 1


def _runs(result: Result) -> list[list[Verdict]]:
    """Return the verdicts whose runs are shown, those with the same run together."""
    groups: list[list[Verdict]] = []
    for verdict in result.verdicts:
        if not shown(result, verdict):
            continue
        for group in groups:
            if group[0].run == verdict.run:
                group.append(verdict)
                break
        else:
            groups.append([verdict])
    return groups


def _run_lines(repairs: Repairs, group: Sequence[Verdict], notes: Notes) -> Iterator[str]:
    run = group[0].run
    assert run is not None
    names = ", ".join(verdict.property.name for verdict in group)
    kind = "lasso" if run.loop is not None else "run"
    yield click.style(f"{names}: a {kind} of {len(run)} steps", bold=True)
    yield ladder(run, notes=notes).rstrip()
    for verdict in group:
        yield click.style(f"wrong: {verdict.detail}", fg="red")
    requirement = next((v for v in group if v.property.role is Role.REQUIREMENT), None)
    if requirement is not None and requirement.answer is Answer.VIOLATED:
        yield click.style(repair_line(repairs, requirement), fg="green")


def repair_line(repairs: Repairs, verdict: Verdict) -> str:
    """Return the nearest passing configuration in words."""
    repair = repairs.nearest(verdict)
    if repair is None:
        return "repair: no single switch or parameter that this tool knows"
    if repair.clean:
        return f"repair: {repair.change} (then every requirement holds)"
    return f"repair: {repair.change} (but then {', '.join(repair.breaks)} is violated)"


MARKS = {Answer.HOLDS: "+", Answer.VIOLATED: "X", Answer.VACUOUS: "-", Answer.UNKNOWN: "?"}


def table_lines(results: Sequence[Result]) -> Iterator[str]:
    """Return many models as one table, a line for each and a numbered column for each property."""
    properties = [verdict.property for verdict in results[0].verdicts]
    width = max(len(result.model.name) for result in results)
    columns = "".join(f"{number:>3}" for number in range(1, len(properties) + 1))
    yield click.style(f"{'model':<{width}}{'states':>12}{columns}", bold=True)
    for result in results:
        marks = "".join(
            click.style(f"{MARKS[v.answer]:>3}", fg=COLOURS[v.answer]) for v in result.verdicts
        )
        wrong = [v.property.name for v in result.verdicts if not result.is_as_expected(v)]
        told = f"UNEXPECTED: {', '.join(wrong)}" if wrong else click.style("as expected", dim=True)
        yield f"{result.model.name:<{width}}{len(result.space):>12,}{marks}  {told}"
    yield "+ holds, X violated, - vacuous, ? unknown; observations are marked o"
    for number, prop in enumerate(properties, 1):
        role = "o" if prop.role is Role.OBSERVATION else " "
        yield f"{number:>3} {role} {prop.name}: {prop.sentence}"
