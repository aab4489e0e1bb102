"""`tcpclose mutate`: which small edits of a row the properties notice, and which they do not."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import click

from properties.mutation import Fate, Judged, mutate
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model

ALL_KILLED, SURVIVORS, UNKNOWN = 0, 1, 3
SHOWN = {
    Fate.SURVIVES: "the same model to every property, but not to an observer",
    Fate.UNKNOWN: "not judged",
}
COLOURS = {Fate.SURVIVES: "red", Fate.UNKNOWN: "magenta"}


def run_mutate(
    model: Model, only_rows: Sequence[str], form: str | None, *, processes: int, verbose: bool
) -> int:
    """Judge every mutant, print, and return the exit status: 1 if some survive."""
    known = [rule.name for rule in (*model.a.rules, *model.b.rules)]
    for row in only_rows:
        if row not in known:
            raise ModelError(f"no rule {row!r} in {model.name}{nearest(row, known)}")
    began = time.monotonic()
    wanted = set(only_rows)
    found = mutate(
        model, processes=processes, only=lambda mutant: not wanted or mutant.row in wanted
    )
    if form == "json":
        click.echo(json.dumps(_json(model, found), indent=1))
    else:
        for line in mutation_lines(model, found, verbose=verbose):
            click.echo(line)
        click.echo(click.style(f"{time.monotonic() - began:.0f} s", dim=True), err=True)
    fates = {one.fate for one in found}
    return SURVIVORS if Fate.SURVIVES in fates else UNKNOWN if Fate.UNKNOWN in fates else ALL_KILLED


def mutation_lines(model: Model, found: Sequence[Judged], *, verbose: bool) -> Iterator[str]:
    """Yield the counts, how many each property kills, and the survivors; verbose: every mutant."""
    fates = Counter(one.fate for one in found)
    counts = ", ".join(f"{fates[fate]} {fate.value}" for fate in Fate if fates[fate])
    yield click.style(f"{model.name}: {len(found)} mutants: {counts}", bold=True)
    kills = Counter(prop for one in found for prop, _ in one.killers)
    alone = Counter(one.killers[0][0] for one in found if len(one.killers) == 1)
    width = max((len(prop) for prop in kills), default=0)
    for prop, count in sorted(kills.items(), key=lambda kill: (-kill[1], kill[0])):
        yield f"{count:>4} killed by {prop:<{width}}  {alone[prop]} by nothing else"
    for fate, says in SHOWN.items():
        those = [one for one in found if one.fate is fate]
        if those:
            yield click.style(f"{fate.value}: {says}", fg=COLOURS[fate])
            yield from (f"  {one.name} ({one.says})" for one in those)
    if verbose:
        for one in found:
            if one.fate not in SHOWN:
                why = ", ".join(prop for prop, _ in one.killers) or one.says
                yield f"{one.fate.value:<11}{one.name}: {why}"


def _json(model: Model, found: Sequence[Judged]) -> object:
    return {
        "schema": "tcpclose/mutate/1",
        "model": model.name,
        "mutants": [
            {
                "name": one.name,
                "fate": one.fate.value,
                "killed_by": [{"property": prop, "verdict": now} for prop, now in one.killers],
                "says": one.says,
            }
            for one in found
        ],
    }
