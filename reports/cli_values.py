"""The commands that look beyond one bounded model: `prove`, `diff` and `time-wait`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from reports.cli_options import NOTES, OUT, SET, limits_of, model_options
from tcpclose_model.errors import ModelError


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--property", "only", multiple=True, metavar="NAME", help="Prove only this; repeatable."
)
@click.option(
    "--second-solver", "again", is_flag=True, help="Ask cvc5 again what the proof rests on."
)
@click.option(
    "--as-modelled", is_flag=True, help="Leave out what the model's users and timers never do."
)
@click.option(
    "--find-claims", is_flag=True, help="Try, too, whatever is so in every explored state."
)
@click.option(
    "--capacity",
    type=click.Choice(["any"]),
    help="Prove instead that verdicts stay the same at every larger capacity.",
)
@click.option(
    "--max-elements",
    type=click.IntRange(min=1),
    help="With --capacity: the most elements of a backward search; default: a million.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default=None)
@model_options
def prove(
    names: Sequence[str],
    only: Sequence[str],
    again: bool,
    as_modelled: bool,
    find_claims: bool,
    capacity: str | None,
    max_elements: int | None,
    form: str | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Prove safety of MODELs for all values, not just within bounds, by induction with z3.

    A property that cannot be proved is shown with the way through the rows that does not keep it,
    and with a run where the model, as it is bounded, has one: then it is refuted, else unknown.

    With --capacity any: prove that what is judged at the model's capacity is so at every larger
    one, or show a run at a larger capacity to something that this one does not reach.
    """
    limits = limits_of(max_states, max_seconds, max_memory)
    if capacity is not None:
        from reports.capacity import run_capacity

        if again or as_modelled or find_claims:
            raise ModelError(
                "--second-solver, --as-modelled and --find-claims are of induction: leave "
                "them out, or --capacity"
            )
        return run_capacity(names, only, form, settings, limits, max_elements)
    if max_elements is not None or any(limit is not None for limit in limits.values()):
        raise ModelError("--max-... options of prove go with --capacity any")
    from reports.proving import Asked, run_prove

    asked = Asked(only, again=again, as_modelled=as_modelled, find_claims=find_claims)
    return run_prove(names, asked, form, settings)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="OLD NEW | FILE")
@click.option(
    "--rev", metavar="BASE..HEAD", help="Compare one FILE at two revisions of git instead."
)
@click.option(
    "--rules", is_flag=True, help="Compare the tables for all values, not the bounded models."
)
@click.option(
    "--any-state", is_flag=True, help="With --rules: values, too, that no run can come to."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html", "github"]),
    default=None,
)
@OUT
@model_options
def diff(
    names: Sequence[str],
    rev: str | None,
    rules: bool,
    any_state: bool,
    form: str | None,
    out: Path | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Say what the edit from the model OLD to NEW means.

    Which rows and parameters changed, which verdicts moved, what became of the counts, whether both
    have the same runs, and if not, a shortest run that only one of them has.  Exit status: 0
    equivalent, 1 different, 3 where a limit hides it.

    -o FILE writes .txt, .json, .md or .html, one page without scripts.  --format github adds
    annotations on the rows, and a summary where GITHUB_STEP_SUMMARY names its file.

    --rules holds the tables against each other cell by cell, for all values: equal, or a TCB and a
    segment with what each table makes of them, and a run that comes to such a difference.
    """
    from reports.diffing import Asked, run_diffs

    limits = limits_of(max_states, max_seconds, max_memory)
    return run_diffs(names, rev, Asked(rules, any_state, form, settings, limits, out))


@click.command()
@click.argument("name", required=False, metavar="[MODEL]")
@click.option(
    "--row", "rows", multiple=True, metavar="NAME", help="Edit only this row; repeatable."
)
@click.option(
    "--processes", type=click.IntRange(min=0), default=0, help="How many; 0: all processors."
)
@click.option("--every", is_flag=True, help="List every mutant, not only those that survive.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default=None)
@SET
def mutate(
    name: str | None,
    rows: Sequence[str],
    processes: int,
    every: bool,
    form: str | None,
    settings: Sequence[str],
) -> int:
    """Edit every row of a MODEL in every small way, and say which edits its properties notice.

    A row is dropped, led to another state, loses an effect, or has a predicate negated. An edit is
    killed by the properties whose answers are others then; refused if rows no longer exclude each
    other; equivalent if no run differs as seen from outside. Exit status: 1 if any survive.
    """
    from reports.loading import one_model
    from reports.mutating import run_mutate

    model = one_model(name, settings)
    return run_mutate(model, rows, form, processes=processes, verbose=every)


@click.command(name="time-wait")
@click.option(
    "--question",
    type=click.Choice(["last-ack", "old-segments"]),
    default="last-ack",
    help="What it is for: the ACK of the peer's FIN (default), or the next connection.",
)
@click.option("--losses", type=click.IntRange(0, 20), default=1, help="Segments lost in a run.")
@click.option(
    "--msl", type=click.IntRange(1, 100), default=1, help="Lifetime of a segment, in ticks."
)
@click.option("--rto", type=click.IntRange(1, 1000), default=2, help="First RTO, in ticks.")
@click.option("--backoff", is_flag=True, help="Each retransmission doubles the RTO.")
@click.option("--slack", type=click.IntRange(0, 100), default=0, help="Ticks a timer may be late.")
@click.option(
    "--restart",
    type=click.Choice(["fin", "nothing", "any"]),
    default="fin",
    help="What starts 2MSL anew: a FIN, nothing (the literal reading), any segment (Linux).",
)
@click.option(
    "--retransmissions",
    type=click.IntRange(0, 100),
    default=1,
    help="After how many an end gives up (only for old-segments).",
)
@NOTES
@model_options
@click.pass_context
def time_wait(
    context: click.Context,
    question: str,
    retransmissions: int,
    losses: int,
    msl: int,
    rto: int,
    backoff: bool,
    slack: int,
    restart: str,
    notes: bool,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Say how long TIME-WAIT must last so that the passive closer is never reset in LAST-ACK.

    Found by exploring models with a clock, whose network loses at most so many segments and
    delivers the others within the MSL in any order; with the run that fails one tick below, what
    becomes of it where TIME-WAIT is long enough, and what theory says.

    With --question old-segments: so that no segment of this connection changes the next one
    between the same sockets, with the same numbers, on a network that loses, reorders and
    duplicates without limit. TIME-WAIT ignores resets there, and an end that gives up keeps quiet
    as long (--set protocol.rfc1337=off, protocol.quiet_time=off take that back).
    """
    from reports.text import where_notes

    limits = limits_of(max_states, max_seconds, max_memory)
    how = where_notes(notes, to_file=False)
    _refuse(context, NOT_FOR[question], question)
    if question == "old-segments":
        from properties.old_segments import OldSegments
        from reports.time_wait_old import run_old_segments

        asked = OldSegments(msl, rto, retransmissions, restart, settings=tuple(settings))
        return run_old_segments(asked, limits, how)
    from properties.time_wait import Question
    from reports.time_wait import run_time_wait

    timeouts = tuple(rto << n for n in range(losses + 1)) if backoff else (rto,)
    return run_time_wait(
        Question(losses, msl, timeouts, slack, restart, tuple(settings)), limits, how
    )


NOT_FOR = {"last-ack": ("retransmissions",), "old-segments": ("losses", "backoff", "slack")}
"""The options of `time-wait` that say nothing about a question."""


def _refuse(context: click.Context, names: Sequence[str], question: str) -> None:
    """Raise UsageError for an option that is given and says nothing about the question."""
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} has no part in --question {question}: leave it out")
