"""Writes docs/time_wait.md out of explored models:  python docs/make_time_wait.py [--check | --all]

    (nothing)  writes the page, with the figures of docs/time_wait.json
    --check    writes nothing; the exit status is 1 if the page, or one of its small figures, is not
               what a new search gives
    --all      searches for every figure again first, which takes some minutes

A part of the page is a function that yields lines; `PARTS` has them in order.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from reference_markdown import table  # noqa: E402  # after the path is set

from properties.time_wait import Question, threshold  # noqa: E402
from reports.ladder import ladder  # noqa: E402
from reports.time_wait import RESTARTS  # noqa: E402
from tcpclose_model.engines.plain import PlainEngine, Transition  # noqa: E402
from tcpclose_model.model import Model  # noqa: E402
from tcpclose_model.parts import Application, Network, Time  # noqa: E402
from tcpclose_model.protocol.vocabulary import Event  # noqa: E402
from tcpclose_model.run import Run  # noqa: E402
from tcpclose_model.search import explore  # noqa: E402
from tcpclose_model.space import StateSpace  # noqa: E402

PAGE = ROOT / "docs" / "time_wait.md"
FIGURES = ROOT / "docs" / "time_wait.json"

LIFETIMES, TIMEOUTS, LOSSES = (1, 2, 3), (1, 2, 3, 4, 5, 6), (0, 1, 2, 3)
STATES_MAX = 25_000
"""States of the largest model that is explored for one figure of the table."""

Figures = Mapping[str, int | None]
"""What was found, by `key`; null where a model was larger than that."""


def page(figures: Figures) -> str:
    """Return the whole text of docs/time_wait.md."""
    lines = [
        "# What TIME-WAIT buys",
        "",
        "Made by `python docs/make_time_wait.py` out of explored models; do not edit it.",
        "",
        "TIME-WAIT has two jobs (RFC 9293 3.6.1): the end that closes first stays to acknowledge",
        "its peer's FIN again, and no new connection uses the same ports and addresses before",
        "the old one's segments have died. Each asks for a length of its own.",
    ]
    for title, part in PARTS.items():
        lines += ["", f"## {title}", "", *part(figures)]
    return "\n".join(lines) + "\n"


FORMULA = """
If TIME-WAIT is over too soon, what the passive closer still sends meets CLOSED, and the reset that
answers it hits an end in LAST-ACK, whose user then hears of an error in a connection that was
closed in good order. How long is long enough depends on how many segments are lost: nothing is for
every number. In a network that loses at most n segments in a whole run and delivers every other
one within the MSL, in any order,

```text
a TIME-WAIT is too short up to   RTO(1) + ... + RTO(n) + MSL   and long enough above;
with an RTO that doubles:        (2^n - 1) RTO(1) + MSL
```

The last ACK and all but one of n FINs that are sent again are lost; the one that gets through comes
after n timeouts, and takes as long as a segment can. Two MSL are in it only by chance: 2MSL
survives n losses if the first n timeouts add up to less than one MSL.
"""

FOUND = """
The formula is theory; the tables below are found. Every entry is the longest TIME-WAIT, in ticks,
under which some run resets the passive closer. It is looked for from the top down in fully explored
models, since a claim that fails at one length need not fail at every shorter one; from the top on,
TIME-WAIT outlasts LAST-ACK in every run. `?`: a model has more than {most:,} states, and nothing is
claimed. That is where the RTO is so much shorter than a round trip that many needless copies are in
flight at once.
"""

CLOSE = """
The others (bold) are one MSL longer, and they are exactly those in which the next timeout is at
most two MSL: TIME-WAIT is over while its last ACK is still in flight, and a FIN that was sent again
needlessly brings a reset that overtakes the ACK. A restart would have kept TIME-WAIT for as long as
that ACK can take.
"""

# The last ACK -----------------------------------------------------------------------------------


def last_ack(figures: Figures) -> Iterator[str]:
    """Yield how long the last ACK, lost, needs TIME-WAIT."""
    yield from FORMULA.strip().splitlines()
    yield ""
    yield from seconds()
    yield from FOUND.format(most=STATES_MAX).rstrip().splitlines()
    for restart, said in SAID.items():
        yield from ["", f"**{said}**", ""]
        yield from table(
            ["losses", "RTO", "MSL", *(f"RTO(1) = {rto}" for rto in TIMEOUTS)],
            rows_of(figures, restart),
        )
        yield from ["", *summary(figures, restart)]


SAID = {
    "fin": "A retransmitted FIN restarts 2MSL (what 3.10.7.4 means).",
    "nothing": "Nothing restarts 2MSL (3.10.7.4 word for word, switch `literal_2msl`).",
    "any": "Every segment but a reset restarts 2MSL (Linux, switch `any_segment_restarts_2msl`).",
}


def seconds() -> Iterator[str]:
    """Yield how many losses usual lengths survive, by the formula."""
    yield "By the formula, with an RTO that starts at 1 s (RFC 6298 2.1) and doubles:"
    yield ""
    lengths = (
        (240, 120, "RFC 9293: 2MSL"),
        (60, 30, "2MSL of 30 s"),
        (60, 120, "Linux, MSL 120 s"),
    )
    found = []
    for wait, lifetime, name in lengths:
        most = [n for n in range(12) if Question(n, lifetime, doubling(n, 1)).formula < wait]
        found.append([name, f"{wait} s", f"{lifetime} s", str(max(most)) if most else "not even 0"])
    yield from table(["TIME-WAIT", "lasts", "MSL", "losses that it survives"], found)


def doubling(losses: int, first: int) -> tuple[int, ...]:
    """Return timeouts that double, as many as so many losses can use, and one more."""
    return tuple(first << n for n in range(losses + 1))


def rows_of(figures: Figures, restart: str) -> Iterator[list[str]]:
    """Yield the table's rows for what restarts 2MSL."""
    for losses, backoff in series():
        for lifetime in LIFETIMES:
            found = [
                cell(figures, restart, question(losses, rto, lifetime, backoff=backoff))
                for rto in TIMEOUTS
            ]
            yield [str(losses), "doubles" if backoff else "stays", str(lifetime), *found]


def series() -> Iterator[tuple[int, bool]]:
    """Yield numbers of losses, and whether the RTO doubles; with fewer than 2 it is all one."""
    for losses in LOSSES:
        yield from [(losses, False)] if losses < 2 else [(losses, False), (losses, True)]


def question(losses: int, rto: int, lifetime: int, *, backoff: bool) -> Question:
    """Return what an entry of the table asks."""
    return Question(losses, lifetime, doubling(losses, rto) if backoff else (rto,))


def key(restart: str, asked: Question) -> str:
    """Return the name of a figure."""
    rto = "/".join(map(str, asked.timeouts))
    return f"last ACK: restart {restart}, losses {asked.losses}, RTO {rto}, MSL {asked.lifetime}"


def cell(figures: Figures, restart: str, asked: Question) -> str:
    """Return an entry: the figure, bold where it is not what the formula says."""
    found = figures[key(restart, asked)]
    if found is None:
        return "?"
    return str(found) if found == asked.formula else f"**{found}**"


def summary(figures: Figures, restart: str) -> Iterator[str]:
    """Yield how many entries agree with the formula, and what the others have in common."""
    known = [(q, found) for q in asked_all() if (found := figures[key(restart, q)]) is not None]
    other = [(q, found) for q, found in known if found != q.formula]
    yield f"{len(known) - len(other)} of {len(known)} entries are what the formula says."
    if other:
        explained = [q for q, found in other if found == q.formula + q.lifetime and is_close(q)]
        missed = [q for q, found in known if is_close(q) and found == q.formula]
        assert len(explained) == len(other), [q for q, _ in other if q not in explained]
        assert not missed, missed
        yield from CLOSE.strip().splitlines()


def is_close(asked: Question) -> bool:
    """Return whether the timeout after the last one that counts is within two lifetimes."""
    following = asked.timeouts[min(asked.losses, len(asked.timeouts) - 1)]
    return following <= 2 * asked.lifetime


def asked_all() -> Iterator[Question]:
    """Yield every question of one table."""
    for losses, backoff in series():
        for lifetime in LIFETIMES:
            for rto in TIMEOUTS:
                yield question(losses, rto, lifetime, backoff=backoff)


# One run on each side ---------------------------------------------------------------------------

SHOWN = Question(2, 2, (4, 8, 16))


def both_sides(figures: Figures) -> Iterator[str]:
    """Yield a shortest run that fails, and what becomes of it with one tick more."""
    found = threshold(SHOWN)
    assert found.run is not None
    assert found.fails is not None
    yield f"Two losses, MSL 2, an RTO of 4 that doubles: a TIME-WAIT of {found.fails} ticks is too"
    yield "short (`tcpclose time-wait --losses 2 --msl 2 --rto 4 --backoff`). A shortest run:"
    yield from ["", "```text", ladder(found.run, notes="none").rstrip(), "```", ""]
    yield f"With {found.enough} ticks TIME-WAIT is still there when the FIN comes, and answers it:"
    saved = with_one_tick_more(found.run, SHOWN.model(found.enough))
    yield from ["", "```text", ladder(saved, notes="none").rstrip(), "```"]


def with_one_tick_more(run: Run, model: Model) -> Run:
    """Return the run as far as it goes with a longer TIME-WAIT, and how it then closes."""
    engine = PlainEngine(model)
    states, steps = [engine.initial], list[Transition]()

    def take(fits: Callable[[Transition], bool]) -> None:
        step = next(step for step in engine.successors(states[-1]) if fits(step))
        steps.append(step)
        states.append(step.target)

    for old in run.steps:
        if old.action.event is Event.TIME_WAIT_TIMEOUT:
            break
        take(lambda step, old=old: step.action == old.action)
    take(lambda step: step.action[:2] == (0, Event.SEGMENT_ARRIVES))
    take(lambda step: step.action[:2] == (1, Event.SEGMENT_ARRIVES))
    return Run(model, tuple(states), tuple(steps))


# The rest ---------------------------------------------------------------------------------------


def old_segments(figures: Figures) -> Iterator[str]:
    """Yield what TIME-WAIT does for a new connection."""
    yield "This needs a second incarnation of the connection, which these models do not have yet."


def sizes(figures: Figures) -> Iterator[str]:
    """Yield how large models with a clock are."""
    yield "RFC 9293 without text, any end closes first, RTO 2, TIME-WAIT 2 MSL + 2, losses without"
    yield "limit, capacity 2 (a set has none):"
    yield ""
    yield from table(
        ["network", *(f"MSL {lifetime}: states, steps" for lifetime in LIFETIMES)],
        (
            [name, *(counts(explored(network, lifetime)) for lifetime in LIFETIMES)]
            for name, network in NETWORKS.items()
        ),
    )


NETWORKS = {
    "fifo": Network(),
    "any order": Network(order="any"),
    "set": Network(order="set"),
    "set that duplicates": Network(order="set", duplication=True),
}


@cache
def explored(network: Network, lifetime: int) -> StateSpace:
    """Return the graph of a model with a clock."""
    time = Time(segment_lifetime=lifetime, retransmission=(2,), time_wait=2 * lifetime + 2)
    return explore(Model(network=network, application=Application(data_units=(0, 0)), time=time))


def counts(space: StateSpace) -> str:
    """Return how many states and steps a graph has."""
    return f"{len(space):,}, {space.transitions:,}"


PARTS: dict[str, Callable[[Figures], Iterator[str]]] = {
    "The last ACK": last_ack,
    "One run on each side": both_sides,
    "Old segments in a new connection": old_segments,
    "Sizes": sizes,
}


# Figures ----------------------------------------------------------------------------------------


def all_figures() -> dict[str, int | None]:
    """Return every figure, searched for anew."""
    found: dict[str, int | None] = {}
    for restart in RESTARTS:
        for asked in asked_all():
            found[key(restart, asked)] = searched(restart, asked)
            print(key(restart, asked), found[key(restart, asked)], file=sys.stderr, flush=True)
    return found


def searched(restart: str, asked: Question) -> int | None:
    """Return the longest TIME-WAIT that fails; -1 if none does, None where a model is too large."""
    found = threshold(
        replace(asked, settings=RESTARTS[restart]),
        lambda model: explore(model, max_states=STATES_MAX),
    )
    return None if found.unknown else -1 if found.fails is None else found.fails


SMALL = [question(losses, rto, 1, backoff=False) for losses in (0, 1) for rto in (3, 4)]
"""What `--check` searches for again."""


def small_figures() -> dict[str, int | None]:
    """Return the figures that take no time, searched for anew."""
    return {key(restart, q): searched(restart, q) for restart in RESTARTS for q in SMALL}


def main(arguments: list[str]) -> int:
    """Write or check the page, and return the exit status."""
    if arguments == ["--all"]:
        text = json.dumps(all_figures(), indent=0) + "\n"
        FIGURES.write_text(text, encoding="utf-8")
    figures: dict[str, int | None] = json.loads(FIGURES.read_text(encoding="utf-8"))
    if arguments == ["--check"]:
        stale = page(figures) != PAGE.read_text(encoding="utf-8")
        return int(stale or figures != {**figures, **small_figures()})
    PAGE.write_text(page(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
