"""`tcpclose time-wait --question old-segments`: how long until no old segment does harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from properties.old_segments import STATES_MAX, OldSegments, SafeWait, opened, safe_wait
from properties.one_tick_more import continued
from reports.ladder import Notes, ladder
from reports.text import described
from reports.time_wait import UNKNOWN, safe_side, ticks


def run_old_segments(question: OldSegments, limits: Mapping[str, Any], notes: Notes) -> int:
    """Find the threshold, print it, and return the exit status."""
    states_max = limits["max_states"] or STATES_MAX
    others = {name: limits[name] for name in ("max_seconds", "max_memory")}
    found = safe_wait(question, states_max, others)
    for line in told(found, notes):
        click.echo(line)
    return UNKNOWN if found.unknown else 0


def told(found: SafeWait, notes: Notes) -> Iterator[str]:
    """Return the answer, how it was found, what theory says, and a run on either side."""
    question = found.question
    if found.unknown:
        yield f"unknown: {found.unknown}"
        yield f"theory: {sum_of(question)}"
        return
    if found.always:
        yield click.style("no TIME-WAIT is long enough: an old segment does harm", bold=True)
    else:
        safe = ticks(0 if found.fails is None else found.fails + 1)
        yield click.style(
            f"TIME-WAIT must last at least {safe} so that no old segment changes a new connection",
            bold=True,
        )
    shown = found.top if found.fails is None else found.fails + 1
    yield f"model: {described(question.model(shown))}"
    yield from how(found)
    if found.run is None:
        yield "even a TIME-WAIT of 0 ticks is long enough"
        return
    yield ""
    length = "any TIME-WAIT" if found.always else f"a TIME-WAIT of {ticks(found.fails or 0)}"
    yield click.style(
        f"the shortest run that fails with {length}: {len(found.run)} steps", bold=True
    )
    yield ladder(found.run, notes=notes).rstrip()
    yield click.style(
        "wrong: a segment of the first connection has changed an end of the second", fg="red"
    )
    if found.fails is not None:
        wait = found.fails + 1
        yield from safe_side(
            continued(found.run, question.model(wait), opened),
            f"with {ticks(wait)} nothing old is left when A opens again, and both ends are "
            "connected:",
            notes,
        )


def how(found: SafeWait) -> Iterator[str]:
    """Return how the answer was found, and what theory says."""
    if found.always:
        yield "no wait ends in the run below, so it is one for every longer wait, too"
        return
    yield (
        f"found by exploring {found.explored} models of at most {found.states:,} states: from "
        f"{ticks(found.top)} on, no TIME-WAIT is over while anything old can be in flight; shorter "
        "ones were tried from there down"
    )
    agrees = "agrees" if found.agrees else "DOES NOT AGREE"
    yield f"theory: {sum_of(found.question)}; it {agrees}"


def sum_of(question: OldSegments) -> str:
    """Return what theory says, as the sum that it is."""
    lifetimes = 2 if question.restart == "any" else 3
    late = f" + {question.retransmissions} RTO" if question.restart == "nothing" else ""
    return f"more than {lifetimes} MSL{late} = {ticks(question.formula)}"
