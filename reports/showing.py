"""`tcpclose list` and `tcpclose show`: what there is, and what one thing means."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from properties.catalogue import CATALOGUE
from properties.hazards import HAZARDS, Hazard
from properties.kinds import Property
from reports.scenarios import SCENARIOS, Scenario
from reports.text import described
from tcpclose_model import parts as parts_module
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.catalogue import MODELS
from tcpclose_model.variants.parameters import values
from tcpclose_model.variants.switches import SWITCHES, Switch

WIDTH_OF_A_LOG = 140
"""Columns where a list does not go to a terminal."""

PROPERTIES = {prop.name: prop for prop in CATALOGUE}
RULES = {rule.name: rule for rule in RFC9293.rules}


def print_list(kind: str) -> None:
    """Print every thing of one kind, a line each."""
    lines: dict[str, Callable[[], Mapping[str, str]]] = {
        "models": lambda: {name: model.title for name, model in MODELS.items()},
        "properties": lambda: {p.name: f"{p.sentence} [{p.role.value}]" for p in CATALOGUE},
        "rules": lambda: {rule.name: f"{rule.text()} ({rule.cite})" for rule in RFC9293.rules},
        "runs": lambda: {name: scenario.title for name, scenario in SCENARIOS.items()},
        "parameters": _parameter_lines,
        "switches": lambda: {name: f"{s.says} ({s.cite})" for name, s in SWITCHES.items()},
        "hazards": lambda: {name: f"{h.title} ({h.source})" for name, h in HAZARDS.items()},
    }
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, said in lines[kind]().items():
        table.add_row(Text(name, no_wrap=True), Text(said))
    screen = Console(highlight=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, width=WIDTH_OF_A_LOG)
    screen.print(table)


def _parameter_lines() -> Mapping[str, str]:
    model = MODELS["rfc9293"]
    return {name: f"{plain(value)}  {meaning(name)}" for name, value in values(model).items()}


def plain(value: object) -> str:
    """Return a parameter's value as `--set` takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(plain, value)) if isinstance(value, tuple) else str(value)


def meaning(name: str) -> str:
    """Return what a parameter means, from the docstring of its record or from its switch."""
    part, _, slot = name.partition(".")
    if part == "protocol":
        return f"{SWITCHES[slot].says} ({SWITCHES[slot].cite})"
    doc = getattr(parts_module, part.capitalize()).__doc__ or ""
    found: list[str] = []
    for line in doc.splitlines():
        text = line.strip()
        if text.startswith(f"{slot}: "):
            found = [text.removeprefix(f"{slot}: ")]
        elif found and line.startswith("        ") and text:
            found.append(text)
        elif found:
            break
    return " ".join(found)


def print_one(name: str) -> None:
    """Explain the thing of that name; ModelError names the nearest ones if there is none."""
    shown: list[tuple[Mapping[str, object], Callable[..., str]]] = [
        (MODELS, _model_text),
        (PROPERTIES, _property_text),
        (RULES, _rule_text),
        (SCENARIOS, _scenario_text),
        (SWITCHES, _switch_text),
        (HAZARDS, _hazard_text),
        (values(MODELS["rfc9293"]), lambda value: f"{name} = {plain(value)}\n{meaning(name)}"),
    ]
    texts = [text(known[name]) for known, text in shown if name in known]
    if not texts:
        everything = [thing for known, _ in shown for thing in known]
        raise ModelError(f"nothing is called {name!r}{nearest(name, everything)}")
    click.echo("\n\n".join(texts))


def _model_text(model: Model) -> str:
    expected = {**model.expect}
    rest = expected.pop("*", None)
    lines = [f"model {model.name}: {model.title}", f"source: {model.source}", described(model)]
    lines += _edit_lines(model.a, "both ends" if model.a == model.b else "A")
    lines += [] if model.a == model.b else _edit_lines(model.b, "B")
    lines.append("expected:")
    lines += [f"  {getattr(said, 'value', said)}: {name}" for name, said in expected.items()]
    if rest is not None:
        lines.append(f"  {getattr(rest, 'value', rest)}: every other property")
    return "\n".join(lines)


def _edit_lines(protocol: Protocol, who: str) -> list[str]:
    """Return the edits against RFC 9293, and the rows as they are now."""
    lines = [f"protocol of {who}: RFC 9293" + (", edited:" if protocol.edits else "")]
    standard = set(RFC9293.rules)
    for edit in protocol.edits:
        lines.append(f"  {edit.name}: {edit.why}" + (f" ({edit.cite})" if edit.cite else ""))
    lines += [
        f"  - {rule.name}: {rule.text()}" for rule in RFC9293.rules if rule not in protocol.rules
    ]
    lines += [f"  + {rule.name}: {rule.text()}" for rule in protocol.rules if rule not in standard]
    return lines


def _property_text(prop: Property) -> str:
    return "\n".join(
        [
            f"property {prop.name} [{prop.role.value}; {prop.kind.value}]",
            prop.sentence,
            f"source: {prop.source}",
            f"broken by: tcpclose check {prop.broken_by}",
        ]
    )


def _rule_text(rule: Rule) -> str:
    return f"rule {rule.name} (RFC 9293 {rule.cite})\n{rule.text()}"


def _switch_text(switch: Switch) -> str:
    rows = _edit_lines(switch.on(RFC9293), "an end")[2:]
    return "\n".join([f"switch {switch.name}: {switch.says}", f"source: {switch.cite}", *rows])


def _scenario_text(scenario: Scenario) -> str:
    return f"run {scenario.name}: {scenario.title}\nsource: {scenario.source}\n{scenario.ladder}"


def _hazard_text(hazard: Hazard) -> str:
    lines = [f"hazard {hazard.name}: {hazard.title}", hazard.says, f"source: {hazard.source}"]
    for case in hazard.cases:
        found = f"{case.title}: {case.breaks}, {case.steps} steps; repair: {case.repair}"
        lines += [found, f"  {case.command}"]
    return "\n".join(lines)
