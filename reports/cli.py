"""The command line: `tcpclose check | run | list | show | new | draw | export | prove | ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reports.cli_gate import baseline, interop, sweep
from reports.cli_options import NOTES, OUT, RUN_FORMATS, SET, limits_of, model_options
from reports.cli_reality import conform, diagnose, suite
from reports.cli_report import report
from reports.cli_values import diff, mutate, prove, time_wait
from reports.cli_walk import walk
from tcpclose_model import __version__
from tcpclose_model.errors import ModelError, TcpcloseError, TraceError

USABLE, UNEXPECTED, UNUSABLE, UNKNOWN, DEFECT = 0, 1, 2, 3, 70


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tcpclose")
def cli() -> None:
    """Check how TCP connections end: every run of a model, not just a few.

    MODEL is a name of the catalogue, path/to/file.py or file.py:name; default: rfc9293.

    Exit status: 0 as expected, 1 unexpected, 2 unusable input, 3 unknown (a limit was hit), 70 a
    defect of this program.
    """


@cli.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="Check the whole catalogue, as a table.")
@click.option(
    "--property", "only", multiple=True, metavar="NAME", help="Judge only this; repeatable."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "github"]), default=None
)
@click.option(
    "--strict",
    is_flag=True,
    help="Fail what is vacuous, too, and an edited row never carried out.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "plain", "fast", "large"]),
    default="auto",
    help="Which engine explores; auto chooses by the model's size. large keeps no graph.",
)
@click.option(
    "--threads", type=click.IntRange(min=0), default=0, help="Of engine large; 0: all processors."
)
@click.option(
    "--reductions/--no-reductions", default=True, help="Whether engine large may use symmetry."
)
@NOTES
@OUT
@model_options
def check(
    names: Sequence[str],
    everything: bool,
    only: Sequence[str],
    form: str | None,
    strict: bool,
    engine: str,
    threads: int,
    reductions: bool,
    notes: bool,
    out: Path | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Explore MODELs and judge their properties.

    For each requirement that is violated: the shortest run, or a short lasso, what is wrong at its
    end, and the nearest change that repairs it.  -o FILE.json, FILE.txt or FILE.xml (JUnit) writes
    the report, -o DIRECTORY each counterexample in every format that `tcpclose run` writes.
    --format github adds annotations, and a summary where GITHUB_STEP_SUMMARY names its file.
    """
    from reports.checking import Asked, run_check

    limits = limits_of(max_states, max_seconds, max_memory)
    limits |= {"engine": engine, "threads": threads, "reduce": reductions}
    asked = Asked(names, everything, only, form, notes, out, settings, limits, strict)
    return run_check(asked)


@cli.command()
@click.argument("what", required=False, metavar="[MODEL | RUN | FILE]")
@click.option("--reach", metavar="CONDITION", help="Such as 'A=CLOSING & B=CLOSING'.")
@click.option("--model", "model_name", metavar="MODEL", help="The model of a ladder or trace file.")
@click.option("--format", "form", type=click.Choice(RUN_FORMATS), default=None)
@click.option(
    "--end", type=click.Choice(["a", "b"]), default="a", help="Which end a .pkt script tests."
)
@NOTES
@OUT
@model_options
def run(
    what: str | None,
    reach: str | None,
    model_name: str | None,
    form: str | None,
    end: str,
    notes: bool,
    out: Path | None,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Show a run: to a state (--reach), one of the standard's by name, or from a FILE, replayed.

    A FILE is a ladder, a JSON trace or an .itf.json; the first step that the model does not allow
    is named, with what was possible instead.  -o FILE writes the run: .txt, .json, .mmd (Mermaid),
    .pcapng (Wireshark), .pkt (packetdrill), .itf.json (Apalache, Quint), .svg or .png.
    """
    from reports.running import Request, run_command
    from reports.text import where_notes

    limits = limits_of(max_states, max_seconds, max_memory)
    request = Request(what, reach, model_name, tuple(settings), limits)
    notes_at = where_notes(notes, to_file=out is not None)
    return run_command(request, form, out, notes=notes_at, end="ab".index(end))


@cli.command(name="list")
@click.argument(
    "kind",
    type=click.Choice(
        ["models", "properties", "rules", "runs", "parameters", "switches", "hazards"]
    ),
)
def list_command(kind: str) -> int:
    """List what there is."""
    from reports.showing import print_list

    print_list(kind)
    return USABLE


@cli.command()
@click.argument("name")
def show(name: str) -> int:
    """Explain a model, a property, a rule, a run, a switch, a parameter or a hazard by NAME."""
    from reports.showing import print_one

    print_one(name)
    return USABLE


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> int:
    """Write a commented model FILE to start from."""
    from reports.files import write
    from reports.template import template

    if file.suffix != ".py":
        raise ModelError(f"{file}: a model file is a Python file, with the ending .py")
    if file.exists():
        raise ModelError(f"{file}: is there already; choose another name, or remove it first")
    write(file, template(file.name))
    click.echo(f"wrote {file}; now: tcpclose check {file}")
    return USABLE


@cli.command()
@click.argument("name", required=False, metavar="[MODEL]")
@click.option(
    "--of",
    "of",
    type=click.Choice(["joint", "product", "endpoint"]),
    default=None,
    help="Default: joint, but for .aut product.",
)
@click.option(
    "--property", "prop", metavar="NAME", help="Highlight this property's counterexample."
)
@click.option(
    "--run", "chosen", metavar="RUN", help="Highlight this run: a name (see: list runs), or a file."
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A file: .svg, .png, .dot, .graphml, .json, .mmd or .aut.",
)
@click.option(
    "--hide",
    multiple=True,
    type=click.Choice(["network", "segments", "timers", "time"]),
    help="Steps of an .aut file that are internal; repeatable.",
)
@click.option(
    "--internal", default="i", metavar="LABEL", help="Their label: i (CADP) or tau (mCRL2)."
)
@model_options
def draw(
    name: str | None,
    of: str | None,
    prop: str | None,
    chosen: str | None,
    out: Path,
    hide: Sequence[str],
    internal: str,
    settings: Sequence[str],
    max_states: int | None,
    max_seconds: float | None,
    max_memory: int | None,
) -> int:
    """Draw a MODEL: folded to pairs of states, the whole product, or one endpoint as Figure 5."""
    from reports.drawing import Labels, draw_command

    limits = limits_of(max_states, max_seconds, max_memory)
    labels = Labels(tuple(hide), internal)
    return draw_command(name, of, prop, out, settings, limits, labels, chosen)


@cli.command()
@click.argument("name", required=False, metavar="[MODEL]")
@click.option("--to", type=click.Choice(["promela", "tla"]), required=True, help="The language.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="The file to write; default: print it."
)
@SET
def export(name: str | None, to: str, out: Path | None, settings: Sequence[str]) -> int:
    """Write a MODEL in Promela (for SPIN) or TLA+ (for TLC), to be checked there too.

    The text has the same states and steps; its first lines say how to run it and what to expect.
    """
    from reports.exporting import run_export

    return run_export(name, to, out, settings)


for command in (
    *(report, walk, prove, diff, mutate, time_wait, baseline, interop, sweep),
    *(conform, diagnose, suite),
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        status = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="tcpclose",
            standalone_mode=False,
        )
        return int(status or 0)
    except click.ClickException as error:
        error.show()
        return UNUSABLE
    except click.Abort:
        click.echo("tcpclose: interrupted", err=True)
        return UNKNOWN
    except KeyboardInterrupt:
        click.echo("tcpclose: interrupted", err=True)
        return UNKNOWN
    except TraceError as error:
        click.echo(f"tcpclose: {error}", err=True)
        return UNEXPECTED if error.impossible else UNUSABLE
    except TcpcloseError as error:
        click.echo(f"tcpclose: {error}", err=True)
        return UNUSABLE
    except SystemExit:
        return USABLE  # click leaves so when the reader of the output has gone
    except OSError as error:
        click.echo(f"tcpclose: {error.strerror}", err=True)
        return UNUSABLE
    except Exception:
        import traceback

        click.echo(traceback.format_exc(), err=True)
        click.echo(
            "tcpclose: this is a defect of tcpclose; please report it with the above", err=True
        )
        return DEFECT


def entry() -> None:
    """Run the command line and leave with its exit status (the console script)."""
    sys.exit(main())
