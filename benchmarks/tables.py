"""The tables that a comparison prints, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.contender import Score

MIB = 1 << 20
MILLION = 1e6
NONE = "–"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table: its first column to the left, the others to the right."""
    lines = [heads, ["---", *(["---:"] * (len(heads) - 1))], *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def graph_table(scores: Sequence[Score]) -> list[str]:
    """Return what each contender took to explore one instance, and beside it what was not run.

    Ratios are to the first of the scores that has run.
    """
    ran = [one for one in scores if not one.missing]
    heads = (
        "",
        "seconds",
        "CPU s",
        "M states/s",
        "M steps/s",
        "bytes a state",
        "peak MiB",
        "seconds ÷ ours",
        "CPU ÷ ours",
        "made ready in s",
    )
    lines = table(heads, (_graph_row(one, ran[0]) for one in ran))
    return [*lines, *_not_run(scores)]


def _graph_row(one: Score, ours: Score) -> list[str]:
    seconds = max(one.seconds, 1e-9)
    return [
        one.contender.name,
        number(one.seconds),
        number(one.cpu_seconds),
        number(one.instance.states / seconds / MILLION),
        number(one.instance.steps / seconds / MILLION),
        held(one),
        f"{one.peak_bytes / MIB:,.0f}",
        ratio(one.seconds, ours.seconds),
        ratio(one.cpu_seconds, ours.cpu_seconds),
        number(one.compile_seconds),
    ]


def ratio_table(sizes: Sequence[Sequence[Score]], *, peer: str, bound: str) -> list[str]:
    """Return how many times faster ours are than a peer, and how near they are to a bound.

    Ours are the contenders whose names begin with "ours" and end with their threads.
    """
    rows = []
    for scores in sizes:
        ran = {one.contender.name: one for one in scores if not one.missing}
        other, least = ran.get(peer), ran.get(bound)
        for name, one in ran.items():
            if not (name.startswith("ours") and name.endswith(("thread", "threads"))):
                continue
            rows.append(
                [
                    f"{one.instance.words}: {name}",
                    ratio(other.seconds, one.seconds) if other else NONE,
                    f"{100 * least.seconds / one.seconds:.0f} %" if least else NONE,
                    f"{one.bytes_a_state:.1f}" if one.bytes_a_state else NONE,
                ]
            )
    heads = ("", "times as fast as SPIN", "share of the replay bound", "bytes a state")
    return table(heads, rows)


def liveness_table(scores: Sequence[Score]) -> list[str]:
    """Return what each contender took to judge liveness, and its verdict."""
    ran = [one for one in scores if not one.missing]
    heads = ("", "verdict", "seconds", "CPU s", "peak MiB", "seconds ÷ ours", "CPU ÷ ours")
    rows = [
        [
            one.contender.name,
            one.answer,
            number(one.seconds),
            number(one.cpu_seconds),
            f"{one.peak_bytes / MIB:,.0f}",
            ratio(one.seconds, ran[0].seconds),
            ratio(one.cpu_seconds, ran[0].cpu_seconds),
        ]
        for one in ran
    ]
    return [*table(heads, rows), *_not_run(scores)]


def growth_table(pairs: Sequence[Sequence[Score]]) -> list[str]:
    """Return, for each instance, what the same two contenders took."""
    names = [one.contender.name for one in pairs[0]]
    heads = ["", "states", "steps"]
    for name in names:
        heads += [f"{name}: s", "M steps/s", "bytes a state"]
    rows = []
    for scores in pairs:
        size = scores[0].instance
        row = [size.words, f"{size.states:,}", f"{size.steps:,}"]
        for one in scores:
            if one.missing:
                row += [NONE] * 3
                continue
            speed = size.steps / max(one.seconds, 1e-9) / MILLION
            row += [number(one.seconds), number(speed), held(one)]
        rows.append(row)
    return [*table(heads, rows), *_not_run([one for scores in pairs[:1] for one in scores])]


def _not_run(scores: Sequence[Score]) -> list[str]:
    missing = [f"- not run: {one.contender.name}: {one.missing}" for one in scores if one.missing]
    return ["", *missing] if missing else []


def held(one: Score) -> str:
    """Return the bytes that a contender held a state in, if it tells."""
    return f"{one.bytes_a_state:,.0f}" if one.bytes_a_state else NONE


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def ratio(one: float, other: float) -> str:
    """Return how many times larger one number is than another."""
    return number(one / other) if other > 0 else NONE
