"""The part of docs/time_wait.md about old segments in a new connection; see make_time_wait.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from reference_markdown import table

from properties.judge import judge
from properties.old_segments import OldSegments, SafeWait, opened, safe_wait, settled
from properties.one_tick_more import continued
from properties.reopening import no_old_segment_accepted
from properties.time_wait import RESTARTS
from properties.verdict import Answer
from reports.ladder import ladder
from tcpclose_model.run import Run
from tcpclose_model.search import explore_until

Figures = Mapping[str, int | None]

LIFETIMES, TIMEOUTS, RETRANSMISSIONS = (1, 2, 3), (1, 2, 3, 4, 5, 6), (1, 2, 3)
STATES_MAX = 200_000
"""States of the largest model that is explored for one figure of the tables."""

RESTARTED_BY = {
    "any": "any segment but a reset (Linux)",
    "fin": "a FIN that comes again (what 3.10.7.4 means)",
    "nothing": "nothing (3.10.7.4 word for word)",
}

SAID = """
No old segment is to change a new incarnation (`no_old_segment_accepted`). Both ends open the same
pair of sockets again with the same numbers, the worst case, and may send more than before; the
network is a set that loses, reorders and duplicates without limit. By theory, and in every entry
that was found below, a TIME-WAIT is too short up to

| what restarts 2MSL | too short up to |
| --- | --- |
| any segment but a reset (Linux) | 2 MSL |
| a FIN that comes again (what 3.10.7.4 means) | 3 MSL |
| nothing (3.10.7.4 word for word) | 3 MSL + R RTO |

and long enough above. So 2MSL is just what is needed, and not a tick less: at exactly 2MSL the last
old reset can still arrive, and whoever waits longer is safe. But that is so only if

- whatever TIME-WAIT answers starts 2MSL anew: the answer is a fresh old segment, which may itself
  be answered with a reset, and each of the two takes an MSL;
- TIME-WAIT ignores resets (RFC 1337 F1, switch `rfc1337`);
- an end that leaves by a reset or by R2 keeps quiet as long (RFC 9293 3.4.3 asks for it after a
  crash; switch `quiet_time`): then it, too, opens only when its segments have died;
- an end gives up after R retransmissions: R2 comes a tick before another would.

TIME-WAIT may be over while the peer is still in LAST-ACK: this claim does not need that job done.

Where a reset ends TIME-WAIT, or nobody keeps quiet, **no length is enough**:
"""

METHOD = """
How it is found: the search does not go on from a *settled* state, in which nothing old is in
flight or can be sent any more, so that the claim cannot be violated; what the second incarnation
does by itself is never explored. Lengths are tried from the top down. At the top no TIME-WAIT is
over before the state is settled, and so at every longer one (the docstring of
`properties/old_segments.py` has the argument). `?`: a model has more than
{most:,} states before it fails, or is explored; nothing is claimed. `–`: not searched for.
"""


def old_segments(figures: Figures) -> Iterator[str]:
    """Yield what TIME-WAIT does for a new connection."""
    yield from SAID.strip().splitlines()
    for said, question in NEVER.items():
        found = safe_wait(question)
        assert found.always
        assert found.run is not None
        yield from ["", f"{said}. No wait ends in this run, so it is one for every longer wait:"]
        yield from ["", *fenced(found.run)]
    yield from ["", *passive_closer(), ""]
    yield from METHOD.format(most=STATES_MAX).strip().splitlines()
    for restart, by in RESTARTED_BY.items():
        yield from ["", f"**2MSL is restarted by {by}.**", ""]
        yield from table(
            ["R", "MSL", *(f"RTO = {rto}" for rto in TIMEOUTS)],
            (
                [str(most), str(lifetime), *cells(figures, restart, most, lifetime)]
                for most in RETRANSMISSIONS
                for lifetime in LIFETIMES
            ),
        )
        yield from ["", agreement(figures, restart)]
    for restart in RESTARTED_BY:
        yield from ["", *one_side_and_the_other(OldSegments(restart=restart))]
    yield from ["", *REST.strip().splitlines()]


NEVER = {
    "A reset ends TIME-WAIT": OldSegments(restart="any", settings=("protocol.rfc1337=off",)),
    "An end that has given up opens at once": OldSegments(
        restart="any", settings=("protocol.quiet_time=off",)
    ),
}

REST = """
With initial sequence numbers above the old ones no TIME-WAIT is needed: the untimed model
`reopen_above`, whose TIME-WAIT may end at any time, holds for
all durations as far as that model goes. A network that keeps order is not enough (`reopen_fifo`):
an old ACK can meet SYN-SENT, and the reset that answers it ends the peer's SYN-RECEIVED.

What would falsify the table: a run above a threshold in which a step of the model is not what the
standard says; or a model with text in the first connection, with more text, or with an RTO that
grows, in which a shorter wait than above the threshold fails. Those were not searched for.
"""


PASSIVE_CLOSER = """
Nor was any length enough where the *passive* closer opens again while its peer is in TIME-WAIT,
unless any segment restarts 2MSL: the ACK that challenges its SYN is a fresh old segment, and
TIME-WAIT may be over right behind it. RFC 1337 3 holds that ignoring resets (F1) avoids all three
of its hazards if segments live no longer than an MSL; here they do not, and F1 does not avoid them.
A run with a TIME-WAIT of 4; where it is longer, the opener waits so much longer (tried for 1, 3 and
6 ticks by a test):
"""


def passive_closer() -> Iterator[str]:
    """Yield what happens where the passive closer opens during TIME-WAIT."""
    yield from PASSIVE_CLOSER.strip().splitlines()
    question = OldSegments(restart="fin", opens=("passive", "active"))
    yield from ["", *fenced(run_of(question, 4))]


def run_of(question: OldSegments, wait: int) -> Run:
    """Return a shortest run that fails, which is among the first states."""
    model = question.model(wait)
    space = explore_until(model, settled(model), max_states=12_000)
    run = judge(space, no_old_segment_accepted).run
    assert run is not None
    return run


def fenced(run: Run) -> list[str]:
    """Return a run as a ladder in Markdown."""
    return ["```text", ladder(run, notes="none").rstrip(), "```"]


def one_side_and_the_other(question: OldSegments) -> Iterator[str]:
    """Yield a shortest run at the threshold, and that the claim holds one tick above."""
    found = safe_wait(question)
    assert found.run is not None
    assert found.fails is not None
    model = question.model(found.fails + 1)
    space = explore_until(model, settled(model))
    assert not space.stopped
    assert judge(space, no_old_segment_accepted).answer is Answer.HOLDS
    by = "" if question.restart == "fin" else f" --restart {question.restart}"
    yield f"MSL 1, RTO 2, R 1, 2MSL restarted by {RESTARTED_BY[question.restart]}:"
    yield f"a TIME-WAIT of {found.fails} ticks is too short, and with {found.fails + 1} the claim"
    yield f"holds (`tcpclose time-wait --question old-segments{by}`). A shortest run that fails:"
    yield from ["", *fenced(found.run)]
    saved = continued(found.run, model, opened)
    assert saved is not None
    yield ""
    yield f"With {found.fails + 1} ticks the old segment has died when A opens again:"
    yield from ["", *fenced(saved)]


def key(question: OldSegments) -> str:
    """Return the name of a figure."""
    return (
        f"old segments: restart {question.restart}, R {question.retransmissions}, "
        f"RTO {question.timeout}, MSL {question.lifetime}"
    )


def cells(figures: Figures, restart: str, most: int, lifetime: int) -> Iterator[str]:
    """Yield the entries of a row, bold where theory says something else."""
    for timeout in TIMEOUTS:
        question = OldSegments(lifetime, timeout, most, restart)
        if key(question) not in figures:
            yield "–"
            continue
        found = figures[key(question)]
        agrees = found == question.formula
        yield "?" if found is None else str(found) if agrees else f"**{found}**"


def agreement(figures: Figures, restart: str) -> str:
    """Return how many entries are what the formula says."""
    asked = [q for q in asked_all() if q.restart == restart and figures.get(key(q)) is not None]
    agree = [q for q in asked if figures[key(q)] == q.formula]
    return f"{len(agree)} of {len(asked)} entries are what the formula says."


def asked_all() -> Iterator[OldSegments]:
    """Yield every question of the tables."""
    for most in RETRANSMISSIONS:
        for lifetime in LIFETIMES:
            for timeout in TIMEOUTS:
                for restart in RESTARTS:
                    yield OldSegments(lifetime, timeout, most, restart)


def figure(found: SafeWait) -> int | None:
    """Return what is written down: -1 if no length fails, None if it is unknown."""
    if found.unknown or found.always:
        return None
    return -1 if found.fails is None else found.fails


def old_figures() -> dict[str, int | None]:
    """Return every figure, searched for anew."""
    found: dict[str, int | None] = {}
    for question in asked_all():
        found[key(question)] = figure(safe_wait(question, STATES_MAX))
        print(key(question), found[key(question)], file=sys.stderr, flush=True)
    return found


def small_old_figures() -> dict[str, int | None]:
    """Return the figures that take no time, searched for anew."""
    return {key(q): figure(safe_wait(q)) for q in (OldSegments(restart=r) for r in RESTARTS)}
