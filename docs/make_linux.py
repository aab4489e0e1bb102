"""Writes docs/linux.md out of what the kernel of this machine does:  python docs/make_linux.py

It needs Linux, and the right to make a network namespace with a TUN device in it; about five
minutes, four of which TIME-WAIT takes.  The test of the page holds it against what is pinned.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from linux_relay import section as two_kernels  # noqa: E402  # after the path is set

from tests.kernel.comparison import (  # noqa: E402
    STANDARD,
    SUITES,
    Compared,
    Played,
    explained_by,
    not_permitted,
    of_linux,
    of_the_standard,
)
from tests.kernel.departures import (  # noqa: E402
    DEPARTURES,
    UNSEEN,
    Departure,
    Row,
)
from tests.kernel.judging import told  # noqa: E402

PAGE = ROOT / "docs" / "linux.md"

HEAD = """\
# The Linux kernel as a second implementation

Made by `python docs/make_linux.py`; do not edit it.

First one kernel against scripts, then two kernels against each other.

A suite of runs is taken from the explored graph (the command `suite` with `--every-step` writes
the same): together they take the model's end A through every event, with every segment, in every
TCB. Each is played against a socket of the kernel, whose peer is a script behind a TUN device, in
a network namespace that nothing leaves. After each event the state that `sock_diag` says, and
what was sent, must be what the table allows; where the table leaves a choice, any will do. A run
is held against the table up to its first departure.
"""

STANDARD_HEAD = """\
## Departures from RFC 9293

Against the standard's table with two options that it permits (`delayed_ack`, `fin_with_text`).
Each departure is explained by a switch that the profile `linux` has on; where two are named,
either does.

| event | the standard | Linux | switch |
|---|---|---|---|"""

PROFILE_HEAD = """\
## Departures from the profile `linux`

| event | the profile | Linux | why the profile does not have it |
|---|---|---|---|"""

UNSEEN_HEAD = """\
## What the profile allows and Linux does not show

A limit on ACKs is lifted in silence, so that state and row of `ack_limit_lifted` are not counted.

| state | row | why |
|---|---|---|"""

NOTES = """\
## How it is played

- The peer's window ends one octet behind what the kernel has sent, until the run lets it
  TRANSMIT: so text waits, and a FIN does not.
- ACKs are delayed (`TCP_QUICKACK` off); tail-loss probes and F-RTO are off; an orphan waits 1 s
  in FIN-WAIT-2 (`tcp_fin_timeout`), challenge ACKs are limited to one in 50 ms
  (`tcp_invalid_ratelimit`), and a run in which the end gives up sets `TCP_USER_TIMEOUT` to 300
  ms.
- A reset that the standard sends without an ACK field may have one, and that of Linux has.
- A run that departs in a way that is not known is played twice more: a machine that is busy makes
  timers late.
- On another kernel than this one `pytest tests/kernel` says what has changed.
"""


def page() -> str:
    """Return the whole text of docs/linux.md."""
    with ThreadPoolExecutor() as pool:  # TIME-WAIT takes a minute each time: they wait side by side
        relayed = pool.submit(lambda: list(two_kernels(slow=True)))
        profile = {name: of_linux(name, slow=True) for name in SUITES}
        standard = of_the_standard(slow=True)
    lines = [HEAD, f"Kernel: Linux {platform.release().split('-')[0]}, {platform.machine()}.", ""]
    lines += ["## What was played", "", *_played(profile, standard), ""]
    lines += [STANDARD_HEAD, *_from_the_standard(standard), ""]
    lines += [PROFILE_HEAD, *_from_the_profile(profile), ""]
    lines += [UNSEEN_HEAD, *_unseen(profile), ""]
    lines += relayed.result()
    lines += ["## The runs", "", "Of each departure the first run that shows it.", ""]
    lines += [*_runs(profile, standard), NOTES.rstrip()]
    return "\n".join(lines) + "\n"


def _played(profile: Mapping[str, Compared], standard: Compared) -> Iterator[str]:
    yield "| suite | model | runs | behaviours seen | departures |"
    yield "|---|---|--:|--:|--:|"
    for name, came in profile.items():
        yield _line(name, "linux", SUITES[name], came)
    yield _line("the standard", "rfc9293", STANDARD, standard)
    yield ""
    yield (
        "A behaviour is a state, an event and the rows that are carried out: so many were seen, of "
        "so many that the end ever shows."
    )


def _line(name: str, model: str, settings: tuple[str, ...], came: Compared) -> str:
    words = " ".join(f"`{setting}`" for setting in settings)
    seen, every = len(came.seen), len(came.suite.behaviours)
    share = f"{seen} of {every} ({seen / every:.0%})"
    return f"| {name} | `{model}`: {words} | {came.played:,} | {share} | {len(came.departures)} |"


def _from_the_standard(standard: Compared) -> Iterator[str]:
    for one, run in sorted(standard.departures.items(), key=lambda item: explained_by(item[1])):
        switches = ", ".join(f"`{name}`" for name in explained_by(run)) or "none"
        yield f"| {' | '.join(one)} | {switches} |"


def _from_the_profile(profile: Mapping[str, Compared]) -> Iterator[str]:
    found = dict.fromkeys(one for came in profile.values() for one in came.departures)
    for one in found:
        why = DEPARTURES[one].why if one in DEPARTURES else "not known"
        yield f"| {' | '.join(one)} | {why} |"


def _unseen(profile: Mapping[str, Compared]) -> Iterator[str]:
    for row in _never(profile):
        why = UNSEEN[row].why if row in UNSEEN else "not known"
        yield f"| {' | '.join(row)} | {why} |"


def _never(profile: Mapping[str, Compared]) -> list[Row]:
    """Return the states and rows that no suite has shown."""
    unseen = {row for came in profile.values() for row in came.unseen}
    seen = {
        (state.name, rule.name)
        for came in profile.values()
        for one in came.seen
        for state, rule in one.cells()
    }
    return sorted(unseen - seen)


def _runs(profile: Mapping[str, Compared], standard: Compared) -> Iterator[str]:
    shown: dict[Departure, Played] = {}
    for came in (*profile.values(), standard):
        for one, run in came.departures.items():
            shown.setdefault(one, run)
    for one, run in shown.items():
        yield f"- {one[0]}, {one[1]}: Linux {one[2]}"
        for number, want in enumerate(run.script[: run.departs_in + 1]):
            said = [noted for noted in run.log if noted.event == number]
            what = f"{want.event} {want.arrives or ''}".strip()
            answers = "; ".join(told(noted.state, noted.sent, noted.error) for noted in said)
            yield f"    - {what}: {answers}"
    yield ""


if __name__ == "__main__":
    if not_permitted():
        sys.exit(f"this machine's kernel cannot be played against: {not_permitted()}")
    PAGE.write_text(page(), encoding="utf-8")
