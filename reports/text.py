"""What a check prints: the first line, the verdicts, the counterexamples, the catalogue's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from properties.check import Result
from properties.kinds import Kind, Role
from properties.repair import Repairs
from properties.verdict import Answer, Verdict
from reports.ladder import Notes, ladder
from tcpclose_model.model import Model

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
WIDTH_OF_A_LOG = 140
"""Columns where the output is not a terminal."""

NOTES_BESIDE_WIDTH = 120
"""Columns that a terminal needs so that notes fit beside a ladder."""


def console() -> Console:
    """Return the console to print to: as wide as the terminal, plain and wide in a log."""
    screen = Console(highlight=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, width=WIDTH_OF_A_LOG)
    return screen


def where_notes(wanted: bool, *, to_file: bool) -> Notes:
    """Return where a ladder's notes go: beside it, or below on a terminal too narrow for that."""
    if not wanted:
        return "none"
    screen = console()
    narrow = screen.is_terminal and screen.width < NOTES_BESIDE_WIDTH and not to_file
    return "below" if narrow else "beside"


def headline(result: Result) -> str:
    """Return the first line: model, network, timers, application and counts."""
    model, space = result.model, result.space
    state = "complete" if space.complete else f"NOT COMPLETE ({space.stopped})"
    counts = f"{len(space):,} states, {space.transitions:,} steps, depth {space.depth}, {state}"
    return f"{model.name}: {described(model)}; {counts}"


def described(model: Model) -> str:
    """Return network, timers, application and bounds in words."""
    network, timers, user = model.network, model.timers, model.application
    wire = [f"{network.order.replace('any', 'any order')} network of capacity {network.capacity}"]
    wire.append("lossy" if network.loss else "lossless")
    wire += ["duplicating"] if network.duplication else []
    clocks = [f"retransmission {timers.retransmission}", f"TIME-WAIT {timers.time_wait}"]
    clocks += ["user timeout"] if timers.user_timeout else []
    closes = user.closes if isinstance(user.closes, str) else "/".join(user.closes)
    a, b = user.data_units
    acts = [f"closes {closes}", f"data {a}+{b}", f"reading {user.reading}"]
    acts += ["half-close"] if user.half_close else []
    acts += [f"{end} may abort" for end, may in zip("AB", user.aborts, strict=True) if may]
    most = model.bounds.retransmissions_max
    acts += [] if most is None else [f"at most {most} retransmissions"]
    return "; ".join(", ".join(part) for part in (wire, clocks, acts))


def print_result(screen: Console, result: Result, notes: Notes = "beside") -> None:
    """Print the verdicts of one model and a run for each requirement that is violated."""
    screen.print(Text(headline(result), style="bold"), soft_wrap=True)
    if result.model.title:
        screen.print(Text(result.model.title, style="dim"), soft_wrap=True)
    for line in _verdicts(result):
        screen.print(line, soft_wrap=True)
    for fairness in dict.fromkeys(v.fairness for v in result.verdicts if v.fairness):
        screen.print(Text("fairness assumed: " + "; ".join(fairness), style="dim"), soft_wrap=True)
    repairs = Repairs(result.space)
    for group in _runs(result):
        _print_run(screen, repairs, group, notes)


def _verdicts(result: Result) -> Iterator[Text]:
    """Return a line for each verdict: the answer, the property, what is to be said of it."""
    width = max((len(v.property.name) for v in result.verdicts), default=0)
    for verdict in result.verdicts:
        line = Text(f"{SHORT[verdict.answer]:<9}", style=COLOURS[verdict.answer])
        line.append(f"{verdict.property.name:<{width}}  ", style="default")
        yield line.append(_remark(result, verdict), style="default dim")


def _remark(result: Result, verdict: Verdict) -> str:
    """Return what is said beside a verdict: why, how often it was put to the test, if expected."""
    parts = [verdict.detail] if verdict.detail else []
    if verdict.answer is Answer.HOLDS and verdict.property.kind is not Kind.SOMETIMES:
        parts.append(f"put to the test {verdict.occurred:,} times")
    if verdict.property.role is Role.OBSERVATION:
        parts.append("an observation")
    expected = result.expected(verdict.property)
    if not result.is_as_expected(verdict):
        wanted = expected.value if expected is not None else "holds"
        parts.append(f"NOT AS EXPECTED ({wanted})")
    elif verdict.answer is Answer.VIOLATED and expected is Answer.VIOLATED:
        parts.append("as expected")
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


def _print_run(screen: Console, repairs: Repairs, group: Sequence[Verdict], notes: Notes) -> None:
    run = group[0].run
    assert run is not None
    names = ", ".join(verdict.property.name for verdict in group)
    kind = "lasso" if run.loop is not None else "run"
    screen.print()
    screen.print(Text(f"{names}: a {kind} of {len(run)} steps", style="bold"), soft_wrap=True)
    screen.print(Text(ladder(run, notes=notes).rstrip()), soft_wrap=True)
    for verdict in group:
        screen.print(Text(f"wrong: {verdict.detail}", style="red"), soft_wrap=True)
    requirement = next((v for v in group if v.property.role is Role.REQUIREMENT), None)
    if requirement is not None and requirement.answer is Answer.VIOLATED:
        screen.print(Text(repair_line(repairs, requirement), style="green"), soft_wrap=True)


def repair_line(repairs: Repairs, verdict: Verdict) -> str:
    """Return the nearest passing configuration in words."""
    repair = repairs.nearest(verdict)
    if repair is None:
        return "repair: no single switch or parameter that this tool knows"
    if repair.clean:
        return f"repair: {repair.change} (then every requirement holds)"
    return f"repair: {repair.change} (but then {', '.join(repair.breaks)} is violated)"


MARKS = {Answer.HOLDS: "+", Answer.VIOLATED: "X", Answer.VACUOUS: "-", Answer.UNKNOWN: "?"}


def print_table(screen: Console, results: Sequence[Result]) -> None:
    """Print many models as one table, a line for each and a numbered column for each property."""
    properties = [verdict.property for verdict in results[0].verdicts]
    width = max(len(result.model.name) for result in results)
    columns = "".join(f"{number:>3}" for number in range(1, len(properties) + 1))
    screen.print(Text(f"{'model':<{width}}{'states':>12}{columns}", style="bold"), soft_wrap=True)
    for result in results:
        line = Text(f"{result.model.name:<{width}}{len(result.space):>12,}")
        for verdict in result.verdicts:
            line.append(f"{MARKS[verdict.answer]:>3}", style=COLOURS[verdict.answer])
        wrong = [v.property.name for v in result.verdicts if not result.is_as_expected(v)]
        line.append(f"  UNEXPECTED: {', '.join(wrong)}" if wrong else "  as expected", style="dim")
        screen.print(line, soft_wrap=True)
    screen.print("+ holds, X violated, - vacuous, ? unknown; observations are marked o")
    for number, prop in enumerate(properties, 1):
        role = "o" if prop.role is Role.OBSERVATION else " "
        screen.print(Text(f"{number:>3} {role} {prop.name}: {prop.sentence}"), soft_wrap=True)
