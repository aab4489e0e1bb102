"""`tcpclose time-wait`: how long TIME-WAIT must last to survive so many losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from properties.one_tick_more import continued
from properties.time_wait import Question, Threshold, threshold
from reports.ladder import Notes, ladder
from reports.text import described
from tcpclose_model.engines.plain import ProductState
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import CLOSED, NOTHING
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace

UNKNOWN = 3


def run_time_wait(question: Question, limits: Mapping[str, Any], notes: Notes) -> int:
    """Find the threshold, print it, and return the exit status."""

    def search(model: Model) -> StateSpace:
        return explore(model, **limits)

    found = threshold(question, search)
    for line in told(found, notes):
        click.echo(line)
    return UNKNOWN if found.unknown else 0


def told(found: Threshold, notes: Notes) -> Iterator[str]:
    """Return the answer, how it was found, what theory says, and the run that fails."""
    question = found.question
    if found.unknown:
        yield f"unknown: {found.unknown}"
        yield f"theory: {sum_of(question)}"
        return
    losses = f"{question.losses} loss{'' if question.losses == 1 else 'es'}"
    yield click.style(
        f"TIME-WAIT must last at least {ticks(found.enough)} to survive {losses}", bold=True
    )
    yield f"model: {described(question.model(found.enough))}"
    yield (
        f"found by exploring {found.explored} models of at most {found.states:,} states: from "
        f"{ticks(found.top)} on, TIME-WAIT outlasts its peer's LAST-ACK in every run; shorter ones "
        "were tried from there down"
    )
    agrees = "agrees" if found.agrees else "DOES NOT AGREE"
    yield f"theory: {sum_of(question)}; it {agrees}"
    if found.run is None:
        yield "even a TIME-WAIT of 0 ticks is long enough"
        return
    fails = found.fails
    assert fails is not None
    yield ""
    yield click.style(
        f"the shortest run that fails with a TIME-WAIT of {ticks(fails)}: {len(found.run)} steps",
        bold=True,
    )
    yield ladder(found.run, notes=notes).rstrip()
    yield click.style("wrong: an end in LAST_ACK is reset: TIME-WAIT was over too soon", fg="red")
    yield from safe_side(
        continued(found.run, question.model(found.enough), is_answered),
        f"with {ticks(found.enough)} TIME-WAIT is still there, and answers:",
        notes,
    )


def safe_side(saved: Run | None, heading: str, notes: Notes) -> Iterator[str]:
    """Return the run that fails as it goes on where TIME-WAIT is long enough, if that is found."""
    if saved is not None:
        yield ""
        yield click.style(heading, bold=True)
        yield ladder(saved, notes=notes).rstrip()


def is_answered(state: ProductState) -> bool:
    """Return whether the passive closer is CLOSED in good order, and its FINs have arrived."""
    return state.b.state == CLOSED and state.b.told == NOTHING and not state.b_to_a


def ticks(count: int) -> str:
    """Return so many ticks in words."""
    return f"{count} tick{'' if count == 1 else 's'}"


def sum_of(question: Question) -> str:
    """Return what theory says, as the sum that it is."""
    rto = [question.timeout(number) for number in range(question.losses)]
    late = [f"{question.losses} x {question.slack} late"] if question.slack and rto else []
    lifetimes = [f"MSL {question.lifetime}"] * (2 if question.ack_is_overtaken else 1)
    parts = [*(f"RTO {timeout}" for timeout in rto), *late, *lifetimes]
    return f"more than {' + '.join(parts)} = {ticks(question.formula)}"
