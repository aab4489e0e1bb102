"""Writes docs/reference.md out of the program itself:  python docs/make_reference.py [--check]

Everything in that file stands somewhere in the code; nothing is written twice by hand.  With
`--check` nothing is written, and the exit status is 1 if the file is not up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

import click  # noqa: E402  # after the path is set
from reference_markdown import code, codes, names, sentence, table  # noqa: E402
from reference_python import python  # noqa: E402

import reports.ladder  # noqa: E402
from properties.catalogue import CATALOGUE  # noqa: E402
from reports.cli import cli  # noqa: E402
from reports.scenarios import SCENARIOS  # noqa: E402
from reports.showing import meaning, plain  # noqa: E402
from reports.text import described  # noqa: E402
from tcpclose_model.model import Model, parameters  # noqa: E402
from tcpclose_model.parts import CLOSES  # noqa: E402
from tcpclose_model.protocol.notation import Rule, Then, words  # noqa: E402
from tcpclose_model.protocol.rules import RFC9293  # noqa: E402
from tcpclose_model.variants.catalogue import MODELS  # noqa: E402
from tcpclose_model.variants.switches import SWITCHES, Switch  # noqa: E402

REFERENCE = ROOT / "docs" / "reference.md"
STATUSES = {
    0: "as expected",
    1: "unexpected: a requirement is violated, or a verdict is not the expected one; no run reaches"
    " the state; a ladder or trace is not a run of the model",
    2: "unusable input: the message says what would be right, and nothing has been written",
    3: "unknown: a limit was hit, or an interrupt came, before an answer that was due",
    70: "a defect of this program; please report it",
}


def reference() -> str:
    """Return the whole text of docs/reference.md."""
    parts: dict[str, Callable[[], Iterable[str]]] = {
        "Command line": command_line,
        "Exit status": exit_status,
        "Model parameters": model_parameters,
        "Switches": switches,
        "Properties": properties,
        "Rules": rules,
        "Models": models,
        "Runs": runs,
        "Ladders": ladders,
        "Python": python,
        "JSON": json_schema,
    }
    lines = ["# Reference", "", "Made by `python docs/make_reference.py`; do not edit it.", ""]
    lines += [f"- [{name}](#{name.lower().replace(' ', '-')})" for name in parts]
    for name, part in parts.items():
        lines += ["", f"## {name}", "", *part()]
    text = "\n".join(line.rstrip() for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


# The command line -------------------------------------------------------------------------------


def command_line() -> Iterator[str]:
    """Yield every command with its help and options, as click has them."""
    yield from help_of(cli)
    for name, command in commands(cli):
        yield ""
        yield f"### `{usage(name, command)}`"
        yield ""
        yield from help_of(command)
        found = [param for param in command.params if isinstance(param, click.Option)]
        if found:
            yield ""
            yield from table(
                ["option", "meaning"], ([code(option(p)), p.help or ""] for p in found)
            )


def commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group by name, and those of the groups in it."""
    for name, command in group.commands.items():
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in commands(command))


def help_of(command: click.Command) -> Iterator[str]:
    """Yield a command's help, a line for each paragraph."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ""
        yield " ".join(paragraph.split())


def usage(name: str, command: click.Command) -> str:
    """Return how a command is written."""
    arguments = [
        param.metavar or choices(param) or str(param.name).upper()
        for param in command.params
        if isinstance(param, click.Argument)
    ]
    if isinstance(command, click.Group):
        arguments.append("COMMAND")
    return " ".join(["tcpclose", name, *arguments])


def choices(param: click.Parameter) -> str:
    """Return what a parameter lets choose from; nothing if it is no choice."""
    if not isinstance(param.type, click.Choice):
        return ""
    return f"[{'|'.join(map(str, param.type.choices))}]"


def option(param: click.Option) -> str:
    """Return how an option is written."""
    names = "/".join([", ".join(param.opts), *param.secondary_opts])
    if param.is_flag:
        return names
    kinds = {"integer range": "NUMBER", "float range": "NUMBER", "path": "PATH"}
    return f"{names} {choices(param) or param.metavar or kinds[param.type.name]}"


def exit_status() -> Iterator[str]:
    """Yield what each exit status means."""
    yield from table(["status", "meaning"], ([str(n), says] for n, says in STATUSES.items()))
    yield ""
    yield "Of several models the first of 2, 1, 3 that occurs is the exit status."


# What a model is made of ------------------------------------------------------------------------


def model_parameters() -> Iterator[str]:
    """Yield the parameters of a model."""
    yield "Set by `--set NAME=VALUE`, or as arguments of `Network`, `Timers`, `Application`,"
    yield "`Bounds` and `Time`. A pair is written `1,0`; one value stands for both ends. `none` is"
    yield "no limit, or not timed. Durations are in ticks."
    yield ""
    yield from table(
        ["parameter", "default", "meaning"],
        ([code(name), code(plain(value)), meaning(name)] for name, value in defaults()),
    )
    yield ""
    yield "What each end does under the names of `application.closes`:"
    yield ""
    yield from table(
        ["name", "A closes", "B closes"], ([code(name), *ends] for name, ends in CLOSES.items())
    )


def defaults() -> Iterable[tuple[str, object]]:
    """Return every parameter with its default."""
    return parameters(Model()).items()


def switches() -> Iterator[str]:
    """Yield the switches."""
    yield "Set by `--set protocol.NAME=on` for both ends, `--set a.NAME=on` or `b.NAME=on` for one."
    yield "All are off in `rfc9293`; `tcpclose show NAME` prints the rows before and after."
    yield ""
    yield from table(
        ["switch", "what it stands for", "source", "rows changed or added"],
        ([code(name), s.says, s.cite, codes(rows_of(s))] for name, s in SWITCHES.items()),
    )


def rows_of(switch: Switch) -> list[str]:
    """Return the names of the rows that a switch changes, removes or adds."""
    changed = switch.on(RFC9293).rules
    gone = [rule.name for rule in RFC9293.rules if rule not in changed]
    new = [rule.name for rule in changed if rule not in RFC9293.rules]
    return list(dict.fromkeys([*gone, *new]))


def properties() -> Iterator[str]:
    """Yield the properties of the catalogue."""
    for prop in CATALOGUE:
        yield f"### `{prop.name}`"
        yield ""
        yield prop.sentence
        yield ""
        yield f"- {prop.role.value}, of the kind “{prop.kind.value}”"
        yield f"- source: {prop.source}"
        yield f"- broken by `tcpclose check {prop.broken_by} --property {prop.name}`"
        yield ""


def rules() -> Iterator[str]:
    """Yield the table of RFC 9293, and what its cells do where no row fits."""
    yield "The rows of an end's table (`tcpclose_model/protocol/rules.py`). What a row does not"
    yield "name keeps its value. Clauses are RFC 9293's."
    yield ""
    head = ["rule", "states", "on", "when", "do", "to", "clause"]
    yield from table(head, (rule_row(rule) for rule in RFC9293.rules))
    yield ""
    yield "Where no row fits:"
    yield ""
    head = ["states", "on", "what happens", "why", "clause"]
    yield from table(
        head,
        ([names(c.at), names(c.on), c.does.value, c.why, c.cite] for c in RFC9293.cells),
    )


def rule_row(rule: Rule) -> list[str]:
    """Return a rule's cells."""
    done = [words(effect) for effect in rule.do]
    done += {Then.DROP: ["drop the segment"], Then.AGAIN: ["this step again"]}.get(rule.then, [])
    return [
        code(rule.name),
        names(rule.at),
        rule.on.name,
        " and ".join(words(predicate) for predicate in rule.when),
        "; ".join(done),
        rule.to.name if rule.to is not None else "",
        rule.cite,
    ]


def models() -> Iterator[str]:
    """Yield the models of the catalogue."""
    for model in MODELS.values():
        yield f"### `{model.name}`"
        yield ""
        yield f"{sentence(model.title)}"
        yield ""
        yield f"- source: {model.source}"
        yield f"- {described(model)}"
        edits = [edit.name for edit in model.a.edits]
        if edits:
            yield f"- edits: {codes(edits)}"
        if model.a != model.b:
            yield f"- edits of B: {codes(edit.name for edit in model.b.edits) or 'none'}"
        yield f"- expected: {expected(model)}"
        yield ""


def expected(model: Model) -> str:
    """Return the verdicts that a model expects, by verdict."""
    by_answer: dict[str, list[str]] = {}
    for name, said in model.expect.items():
        by_answer.setdefault(str(getattr(said, "value", said)), []).append(name)
    parts = []
    for answer in ("violated", "vacuous", "unknown", "holds"):
        found = by_answer.get(answer, [])
        named = codes(name for name in found if name != "*")
        if named:
            parts.append(f"{answer} {named}")
        if "*" in found:
            parts.append(f"everything else {answer}")
    return "; ".join(parts)


def runs() -> Iterator[str]:
    """Yield the named runs."""
    yield "Shown by `tcpclose run NAME`."
    yield ""
    yield from table(
        ["run", "what happens", "model", "source"],
        ([code(s.name), s.title, code(s.model.name), s.source] for s in SCENARIOS.values()),
    )


def ladders() -> Iterator[str]:
    """Yield the format of a ladder, out of the docstring of the module that writes them."""
    for number, paragraph in enumerate(
        inspect.cleandoc(reports.ladder.__doc__ or "").split("\n\n")
    ):
        lines = paragraph.splitlines()
        if number:
            yield ""
        if paragraph.startswith("    "):
            yield from ["```text", *(line.removeprefix("    ") for line in lines), "```"]
        else:
            yield " ".join(" ".join(lines).split())


def json_schema() -> Iterator[str]:
    """Yield where the schema of the JSON report is."""
    yield "`tcpclose check --format json` prints a document of schema `tcpclose/check/1`, which is"
    yield "[`reports/check.schema.json`](../reports/check.schema.json) (JSON Schema 2020-12). The"
    yield "`trace` in it is what `tcpclose run --format json` prints, and `tcpclose run FILE.json`"
    yield "reads."


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(REFERENCE.read_text(encoding="utf-8") != reference())
    REFERENCE.write_text(reference(), encoding="utf-8")
