"""Writes docs/time_wait.md out of explored models:  python docs/make_time_wait.py [--check | --all]

    (nothing)  writes the page, with the figures of docs/time_wait.json
    --check    writes nothing; the exit status is 1 if the page, or one of its small figures, is not
               what a new search gives
    --all      searches for every figure again first, which takes two hours

A part of the page is a function that yields lines; `PARTS` has them in order.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from make_old_segments import old_figures, old_segments, small_old_figures  # noqa: E402
from reference_markdown import table  # noqa: E402  # after the path is set

from properties.one_tick_more import continued  # noqa: E402
from properties.time_wait import RESTARTS, Question, threshold  # noqa: E402
from reports.ladder import ladder  # noqa: E402
from reports.time_wait import is_answered  # noqa: E402
from tcpclose_model.model import Model  # noqa: E402
from tcpclose_model.parts import Application, Network, Time  # noqa: E402
from tcpclose_model.search import explore  # noqa: E402

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
The others (bold) are one MSL longer, and they are exactly those with a loss in which the next
timeout is at most two MSL: 2MSL is over while the ACK of the FIN that got through is still in
flight, and one more FIN brings a reset that overtakes the ACK. A restart keeps TIME-WAIT for as
long as that ACK can take.
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
        if any(plain(q) != found for q, found in known(figures, restart)) or restart == "fin":
            yield from table(
                ["losses", "RTO", "MSL", *(f"RTO(1) = {rto}" for rto in TIMEOUTS)],
                rows_of(figures, restart),
            )
            yield ""
        yield from summary(figures, restart)


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
        (240, 120, "RFC 9293, twice its MSL"),
        (60, 30, "Linux, if segments live 30 s"),
        (60, 59, "Linux, if segments live 59 s"),
        (60, 120, "Linux, if segments live 120 s"),
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
            asked = (Question(losses, lifetime, rtos(losses, rto, backoff)) for rto in TIMEOUTS)
            found = [cell(figures, replace(q, restart=restart)) for q in asked]
            yield [str(losses), "doubles" if backoff else "stays", str(lifetime), *found]


def series() -> Iterator[tuple[int, bool]]:
    """Yield numbers of losses, and whether the RTO doubles; with fewer than 2 it is all one."""
    for losses in LOSSES:
        yield from [(losses, False)] if losses < 2 else [(losses, False), (losses, True)]


def rtos(losses: int, first: int, doubles: bool) -> tuple[int, ...]:
    """Return the timeouts."""
    return doubling(losses, first) if doubles else (first,)


def key(asked: Question) -> str:
    """Return the name of a figure."""
    rto = "/".join(map(str, asked.timeouts))
    return (
        f"last ACK: restart {asked.restart}, losses {asked.losses}, RTO {rto}, MSL {asked.lifetime}"
    )


def cell(figures: Figures, asked: Question) -> str:
    """Return an entry: the figure, bold where it is not the sum of timeouts and MSL."""
    found = figures[key(asked)]
    if found is None:
        return "?"
    return str(found) if found == plain(asked) else f"**{found}**"


def plain(asked: Question) -> int:
    """Return the sum of timeouts and MSL, without what the literal reading adds."""
    return replace(asked, restart="fin").formula


def known(figures: Figures, restart: str) -> list[tuple[Question, int]]:
    """Return the questions of a table that have an answer, and the answers."""
    asked = (replace(q, restart=restart) for q in asked_all())
    return [(q, found) for q in asked if (found := figures[key(q)]) is not None]


def summary(figures: Figures, restart: str) -> Iterator[str]:
    """Yield how many entries agree with the formula, and what the others have in common."""
    entries = known(figures, restart)
    other = [q for q, found in entries if found != plain(q)]
    yield f"{len(entries) - len(other)} of {len(entries)} entries are what the formula says."
    assert all(found == q.formula for q, found in entries), restart
    if restart == "any" and not other:
        yield "They are those of the first table: for this job a restart by FINs is enough."
    if other:
        yield from CLOSE.strip().splitlines()


def asked_all() -> Iterator[Question]:
    """Yield every question of one table."""
    for losses, backoff in series():
        for lifetime in LIFETIMES:
            for rto in TIMEOUTS:
                yield Question(losses, lifetime, rtos(losses, rto, backoff))


# One run on each side ---------------------------------------------------------------------------

SHOWN = {
    "Two losses, MSL 2, an RTO of 4 that doubles": Question(2, 2, (4, 8, 16)),
    "One loss, MSL 2, an RTO of 4, and nothing restarts 2MSL": Question(
        1, 2, (4,), restart="nothing"
    ),
}
"""Questions whose runs are shown, on both sides of the threshold."""


def both_sides(figures: Figures) -> Iterator[str]:
    """Yield shortest runs that fail, and what becomes of them with one tick more."""
    for number, (said, asked) in enumerate(SHOWN.items()):
        found = threshold(asked)
        assert found.run is not None
        yield from [""] if number else []
        yield f"{said}: a TIME-WAIT of {found.fails} ticks is too short"
        yield f"(`{command(asked)}`). A shortest run:"
        yield from ["", "```text", ladder(found.run, notes="none").rstrip(), "```", ""]
        yield f"With {found.enough} ticks TIME-WAIT is still there for that FIN, and answers it:"
        saved = continued(found.run, asked.model(found.enough), is_answered)
        assert saved is not None
        yield from ["", "```text", ladder(saved, notes="none").rstrip(), "```"]


def command(asked: Question) -> str:
    """Return the command that asks a question."""
    words = ["tcpclose time-wait", f"--losses {asked.losses}", f"--msl {asked.lifetime}"]
    words += [f"--rto {asked.timeouts[0]}", *(["--backoff"] if len(asked.timeouts) > 1 else [])]
    words += [f"--restart {asked.restart}"] if asked.restart != "fin" else []
    return " ".join(words)


# The rest ---------------------------------------------------------------------------------------


def sizes(figures: Figures) -> Iterator[str]:
    """Yield how large models with a clock are."""
    yield "RFC 9293 without text, any end closes first, RTO 2, TIME-WAIT 2 MSL + 2, losses without"
    yield "limit, capacity 2 (a set has none):"
    yield ""
    yield from table(
        ["network", *(f"MSL {lifetime}: states, steps" for lifetime in LIFETIMES)],
        (
            [name, *(", ".join(size(figures, name, lifetime)) for lifetime in LIFETIMES)]
            for name in NETWORKS
        ),
    )


NETWORKS = {
    "fifo": Network(),
    "any order": Network(order="any"),
    "set": Network(order="set"),
    "set that duplicates": Network(order="set", duplication=True),
}


def size(figures: Figures, network: str, lifetime: int) -> list[str]:
    """Return a model's states and steps."""
    return [f"{figures[name]:,}" for name in size_keys(network, lifetime)]


def size_keys(network: str, lifetime: int) -> tuple[str, str]:
    """Return the names of two figures: a model's states, its steps."""
    return f"states: {network}, MSL {lifetime}", f"steps: {network}, MSL {lifetime}"


def sizes_at(lifetime: int) -> dict[str, int | None]:
    """Return the figures of the models whose segments live so long, counted anew."""
    found: dict[str, int | None] = {}
    for name, network in NETWORKS.items():
        time = Time(segment_lifetime=lifetime, retransmission=(2,), time_wait=2 * lifetime + 2)
        model = Model(network=network, application=Application(data_units=(0, 0)), time=time)
        space = explore(model)
        found |= dict(zip(size_keys(name, lifetime), (len(space), space.transitions), strict=True))
    return found


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
    for lifetime in LIFETIMES:
        found |= sizes_at(lifetime)
    for restart in RESTARTS:
        for asked in asked_all():
            question = replace(asked, restart=restart)
            found[key(question)] = searched(question)
            print(key(question), found[key(question)], file=sys.stderr, flush=True)
    return found | old_figures()


def searched(question: Question) -> int | None:
    """Return the longest TIME-WAIT that fails; -1 if none does, None where a model is too large."""
    found = threshold(question, lambda model: explore(model, max_states=STATES_MAX))
    return None if found.unknown else -1 if found.fails is None else found.fails


SMALL = [
    Question(losses, 1, (rto,), restart=restart)
    for losses in (0, 1)
    for rto in (3, 4)
    for restart in RESTARTS
]
"""What `--check` searches for again."""


def small_figures() -> dict[str, int | None]:
    """Return the figures that take no time, searched for anew."""
    found = {key(question): searched(question) for question in SMALL}
    return found | sizes_at(1) | small_old_figures()


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
