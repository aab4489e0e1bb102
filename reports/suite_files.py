"""A suite of runs as files: scripts, JSON, and which of them covers which row and clause."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reports.covering import Behaviour, Case, Suite
from reports.files import directory, write
from reports.packetdrill import packetdrill
from reports.suite_json import behaviour_json, case_json
from reports.text import described
from tcpclose_model.engines.plain import ENDS, OPENS
from tcpclose_model.errors import ModelError, TcpcloseError
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Rule
from tcpclose_model.protocol.vocabulary import Event, State

SCHEMA = "tcpclose/suite/1"
INDEX, PAGE = "suite.json", "README.md"


@dataclass(frozen=True, slots=True)
class Covered:
    """One row of the end's table: where it is carried out, in which cases, or why in none."""

    rule: Rule
    states: tuple[State, ...]
    cases: tuple[str, ...]
    why: str


def rows_covered(suite: Suite) -> tuple[Covered, ...]:
    """Return every row of the table of the end under test, with what covers it."""
    model = suite.space.model
    cases: dict[str, dict[str, None]] = {}
    for case in suite.cases:
        for name in {rule.name for one in case.covers for rule in one.rules}:
            cases.setdefault(name, {})[case.name] = None
    states = _states(suite.behaviours)
    elsewhere = _states(suite.elsewhere)
    found = []
    for rule in (model.b if suite.end else model.a).rules:
        here = states.get(rule.name, set())
        why = "" if here else _why_not(suite, rule, at_other_end=rule.name in elsewhere)
        at = tuple(state for state in rule.at if state in here)
        found.append(Covered(rule, at, tuple(cases.get(rule.name, ())), why))
    return tuple(found)


def _states(behaviours: tuple[Behaviour, ...]) -> dict[str, set[State]]:
    found: dict[str, set[State]] = {}
    for one in behaviours:
        for state, rule in one.cells():
            found.setdefault(rule.name, set()).add(state)
    return found


def _why_not(suite: Suite, rule: Rule, *, at_other_end: bool) -> str:
    """Return why no run has the end carry out a row."""
    if isinstance(rule.on, Event):
        off = _off(suite.space.model, suite.end, rule.on)
        if off:
            return off
    if at_other_end:
        return f"only {ENDS[1 - suite.end]} carries it out"
    if not suite.space.complete:
        return f"not in what was explored ({suite.space.stopped})"
    return "no run of this model carries it out"


def _off(model: Model, end: int, event: Event) -> str:
    """Return the parameter by which an event never happens at an end, or ""."""
    user, timers = model.application, model.timers
    wanted = {
        Event.CLOSE: ("application.closes", user.closes_of(end) != "never"),
        Event.SHUTDOWN: ("application.half_close", user.half_close),
        Event.SEND: ("application.data_units", user.data_units[end] > 0),
        Event.RECEIVE: ("application.reading", user.reading == "lazy"),
        Event.ABORT: ("application.aborts", user.aborts[end]),
        Event.CRASH: ("application.crashes", user.crashes[end]),
        Event.RETRANSMISSION_TIMEOUT: ("timers.retransmission", timers.retransmission != "none"),
        Event.USER_TIMEOUT: ("timers.user_timeout", timers.user_timeout),
    }
    for opens, how in OPENS.items():
        wanted[opens] = ("incarnations.opens", model.incarnations.opens[end] == how)
    name, is_on = wanted.get(event, ("", True))
    return "" if is_on else f"{name} rules it out"


def suite_files(suite: Suite) -> dict[str, str]:
    """Return the files of a suite by name: an index, a page, JSON and a script for each run."""
    files: dict[str, str] = {}
    unscripted: dict[str, str] = {}
    for case in suite.cases:
        files[f"{case.name}.json"] = case_json(case, suite.end)
        try:
            files[f"{case.name}.pkt"] = packetdrill(case.run, suite.end)
        except ModelError as error:
            unscripted[case.name] = str(error).removeprefix("packetdrill: ")
    files[PAGE] = "\n".join(_page(suite, unscripted)) + "\n"
    document = _index(suite, unscripted, [*sorted(files), INDEX])
    files[INDEX] = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return files


def _index(suite: Suite, unscripted: Mapping[str, str], files: list[str]) -> Mapping[str, object]:
    model, space = suite.space.model, suite.space
    return {
        "schema": SCHEMA,
        "model": model.name,
        "parameters": described(model),
        "end": ENDS[suite.end],
        "complete": space.complete,
        "stopped": space.stopped,
        "behaviours": [
            {**behaviour_json(one), "cases": [c.name for c in suite.cases if one in c.covers]}
            for one in suite.behaviours
        ],
        "rows": [
            {
                "row": row.rule.name,
                "clause": row.rule.cite,
                "states": [state.name for state in row.states],
                "cases": list(row.cases),
                "why_not": row.why,
            }
            for row in rows_covered(suite)
        ],
        "cases": [_case(case, unscripted) for case in suite.cases],
        "files": files,
    }


def _case(case: Case, unscripted: Mapping[str, str]) -> Mapping[str, object]:
    return {
        "name": case.name,
        "steps": len(case.run),
        "no_script": unscripted.get(case.name, ""),
    }


def _page(suite: Suite, unscripted: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of the page that people read."""
    space, rows = suite.space, rows_covered(suite)
    covered = [row for row in rows if row.cases]
    yield f"# Runs that cover what {ENDS[suite.end]} does in {space.model.name or 'a model'}"
    yield ""
    yield f"{described(space.model)}."
    yield ""
    yield (
        f"{len(suite.cases)} runs cover all {len(suite.behaviours)} behaviours of "
        f"{ENDS[suite.end]} (in a state an event happens, and these rows are carried out), and "
        f"{len(covered)} of the {len(rows)} rows of its table. Each is a packetdrill script for a "
        "stack under test, and JSON; `tcpclose run FILE.json --model MODEL` shows it as a ladder."
    )
    if not space.complete:
        yield ""
        yield f"Not every run of the model has been looked at: {space.stopped}."
    yield ""
    yield "| row | clause | carried out in | runs |"
    yield "|---|---|---|---|"
    for row in covered:
        states = ", ".join(state.name for state in row.states)
        yield f"| {row.rule.name} | {row.rule.cite} | {states} | {_numbers(row.cases)} |"
    yield from _left_out(rows, unscripted)


def _left_out(rows: tuple[Covered, ...], unscripted: Mapping[str, str]) -> Iterator[str]:
    if any(not row.cases for row in rows):
        yield from ("", "## Rows that no run covers", "", "| row | clause | why |", "|---|---|---|")
        for row in rows:
            if not row.cases:
                yield f"| {row.rule.name} | {row.rule.cite} | {row.why} |"
    if unscripted:
        yield from ("", "## Runs that packetdrill cannot say", "", "| run | why |", "|---|---|")
        for name, why in unscripted.items():
            yield f"| {name} | {why} |"


def _numbers(cases: tuple[str, ...]) -> str:
    """Return the numbers of the first few cases, and how many there are more."""
    shown = ", ".join(case.split("_", 1)[0] for case in cases[:5])
    return f"{shown} and {len(cases) - 5} more" if len(cases) > 5 else shown


def write_suite(folder: Path, files: Mapping[str, str]) -> None:
    """Write a suite's folder: whole, or as it was before; an older suite there is replaced.

    Raises TcpcloseError if it cannot be written, or holds files that are of no suite.
    """
    directory(folder.absolute().parent)
    if folder.exists():
        _refuse_foreign(folder)
    try:
        made = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise TcpcloseError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        new = made / "new"
        new.mkdir()
        for name, text in files.items():
            write(new / name, text)
        if folder.exists():
            os.replace(folder, made / "old")
        os.replace(new, folder)
    except OSError as error:
        if not folder.exists() and (made / "old").exists():
            os.replace(made / "old", folder)
        raise TcpcloseError(f"{folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """Raise TcpcloseError if a folder holds anything but a suite's files."""
    if not folder.is_dir():
        raise TcpcloseError(f"{folder}: is a file; a suite is written into a directory")
    there = sorted(path.name for path in folder.iterdir())
    ours = {INDEX, *_files_of(folder / INDEX)}
    foreign = [name for name in there if name not in ours or (folder / name).is_dir()]
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise TcpcloseError(
            f"{folder}: holds {foreign[0]}{more}, which no suite has written; name a new or an "
            "empty directory"
        )


def _files_of(index: Path) -> set[str]:
    """Return the names of the files that an older suite says are its own; none if it is none."""
    try:
        said = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        return set()
    files = said.get("files")
    return {name for name in files if isinstance(name, str)} if isinstance(files, list) else set()
