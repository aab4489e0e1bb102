"""The section of docs/linux.md about two kernels with a relay between them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tcpclose_model.variants.stacks import LINUX_SWITCHES
from tests.kernel.departures import UNSEEN_THROUGH_RELAY
from tests.kernel.relay_captures import Verdicts, verdicts
from tests.kernel.two_kernels import (
    AS_THEY_ARE,
    BY_PLAN,
    PART,
    Compared,
    Runs,
    compared,
    is_needed,
    pairs_planned,
    played_by_suite,
    rows_planned,
    suites,
)

RANDOM_COUNT = 600

HEAD = """\
## Two kernels with a relay between them

Two namespaces have a TUN device each, and a relay between them that holds up to four packets each
way and changes none. It is told what becomes of each packet: it arrives, before those that were
sent earlier or after them, is lost, or there is one more of it. Plans are runs of the model (both
ends `linux`), taken from the explored graph so that together they take either end through all that
it ever does, and every kind of segment through a loss, a duplication and an arrival; beside them
what is done is drawn at random, by fixed seeds. After each step both kernels' states and what the
relay holds must be a state of the model that some run leads to: all such states are kept, and what
a kernel does by itself (a delayed ACK, a retransmission) is a step like any other. A run departs
once no state is left.
"""

KNOWN_HEAD = """\
What the kernels do beside the profile, each time for one of these reasons, and how often:

| why | options off | defaults |
|---|--:|--:|"""

UNSEEN_HEAD = """\
What plans have an end do, and neither kernel has shown (a limit on ACKs is lifted in silence):

| state | row | why |
|---|---|---|"""

NOTES = """\
- "Options off": no timestamps, SACK, tail-loss probes or F-RTO; "(defaults)": as Linux has them.
  In both an orphan waits 1 s in FIN-WAIT-2, and challenge ACKs are limited to one in 50 ms.
- Where a unit of text is a whole segment, the profile is used without `merges_on_retransmission`:
  Linux puts a FIN on text that is sent again only where the segment has room for more text.
- A timer that ends an end (2MSL, FIN-WAIT-2, the user timeout) explains nothing before it can have
  gone off.
- At the end of a run both users read and close, and everything arrives.
"""


def section(*, slow: bool) -> Iterator[str]:
    """Return the lines of the section; slow: with what takes a minute."""
    runs = played_by_suite(suites(RANDOM_COUNT, slow=slow))
    came = {name: compared(some) for name, some in runs.items()}
    yield from (HEAD, *_played(came), "")
    yield from (*_known(came), "", *_unseen(came), "")
    yield from (*_needed(runs), "", *_captured(runs), "", NOTES)


def _played(came: Mapping[str, Compared]) -> Iterator[str]:
    yield (
        "| runs | | steps | arrived | overtaking | lost | duplicated | no room | rows of A | of B "
        "| pairs of states | departures |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    pairs = len(pairs_planned())
    for name, one in came.items():
        relayed = one.relayed
        numbers = (
            one.runs,
            one.looks,
            relayed["SEGMENT ARRIVES"],
            relayed["OVERTAKES"],
            relayed["SEGMENT IS LOST"],
            relayed["SEGMENT IS DUPLICATED"],
            one.overflown,
            *(len(one.rows_of(end)) for end in (0, 1)),
        )
        told = " | ".join(f"{number:,}" for number in numbers)
        yield f"| {name} | {told} | {len(one.pairs)} of {pairs} | {len(one.departures)} |"
    every = came.values()
    count, ended = sum(one.runs for one in every), sum(one.ended for one in every)
    yield ""
    yield (
        "A row of an end is a state and the row that is carried out there; plans have an end do "
        f"{len(rows_planned())} of them. {ended:,} of {count:,} runs ended with both ends in "
        "CLOSED or TIME-WAIT. Never were more than "
        f"{max(one.most for one in every)} states of the model possible at once."
    )


def _known(came: Mapping[str, Compared]) -> Iterator[str]:
    plain, defaults = Counter[str](), Counter[str]()
    besides = sum(one.besides for one in came.values())
    for name, one in came.items():
        (defaults if name.endswith(AS_THEY_ARE) else plain).update(one.allowed)
    yield KNOWN_HEAD
    for why in sorted(plain | defaults, key=lambda why: (-plain[why], -defaults[why])):
        yield f"| {why} | {plain[why]:,} | {defaults[why]:,} |"
    yield ""
    yield f"That is in {besides:,} runs; all others are runs of the profile as it stands."


def _unseen(came: Mapping[str, Compared]) -> Iterator[str]:
    yield UNSEEN_HEAD
    seen = {row for one in came.values() for row in one.rows}
    for row in sorted(rows_planned() - seen):
        yield f"| {' | '.join(row)} | {UNSEEN_THROUGH_RELAY.get(row, 'not known')} |"


def _needed(runs: Mapping[str, Runs]) -> Iterator[str]:
    some = runs[BY_PLAN] + runs[PART]
    needed = {switch: is_needed(switch, some) for switch in LINUX_SWITCHES}
    idle = ", ".join(f"`{switch}`" for switch in LINUX_SWITCHES if not needed[switch])
    yield (
        f"The profile has {len(needed)} switches on. With any one of {sum(needed.values())} of "
        "them off, some of the first two suites' runs are explained no more; not so with "
        f"{idle}."
    )


def _captured(runs: Mapping[str, Runs]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "relay.pcap"
        all_found = [verdicts([run for run, _ in some], file) for some in runs.values()]
    found = Verdicts()
    for one in all_found:
        found.counts += one.counts
        found.known += one.known
        found.states += one.states
        found.wrong += one.wrong
    counts = ", ".join(f"{count:,} `{name}`" for name, count in sorted(found.counts.items()))
    yield (
        "What the relay has taken in of each run is judged as `conform --complete` does: "
        f"{counts}; {len(found.wrong)} deviate. Of {found.states:,} states of a kernel after the "
        "close began each is among those that `conform` says its end may be in by then."
    )
    for why, count in found.known.items():
        yield f"Not counted: {count:,} that it does not explain, since {why}."
