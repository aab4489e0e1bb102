"""The report's page: one HTML file that holds its style, its script and its data.

No text of a model can become markup: what stands in HTML is escaped, and data stands in script
elements that are not run, with `<`, `>` and `&` written as escapes of JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template

from properties.check import Result
from properties.kinds import Role
from properties.repair import Repairs
from properties.verdict import Answer, Verdict
from reports.explorer_folded import folded_json
from reports.explorer_graph import STATES_MAX, Json, choices, graph_json, held
from reports.html_page import source
from reports.scene_svg import visible
from reports.text import described, remark, repair_line
from tcpclose_model import __version__

SCRIPTS = (
    *("graph", "run", "ladder", "folded", "canvas", "places", "product", "search", "inspector"),
    *("page", "events"),
)
"""The files of the script, in the order in which they stand in the page."""


def page(results: Sequence[Result]) -> str:
    """Return the HTML of a report; the same results give the same text."""
    script = "\n".join(['"use strict";', *(_text(f"{name}.js") for name in SCRIPTS)])
    style = _text("explorer.css")
    models = [_model(result) for result in results]
    data: Json = {"version": __version__, "models": [model for model, _ in models]}
    blocks = [_block("report", data)]
    blocks += [_block(f"graph-{n}", graph) for n, (_, graph) in enumerate(models)]
    names = ", ".join(result.model.name for result in results)
    return Template(_text("page.html")).substitute(
        title=_escaped(f"{names} – tcpclose"),
        style=style,
        style_source=source(style),
        script=script,
        script_source=source(script),
        verdicts="\n".join(_all_verdicts(results)),
        data="\n".join(blocks),
        version=_escaped(__version__),
    )


def _text(name: str) -> str:
    return files("reports").joinpath("explorer", name).read_text(encoding="utf-8")


def _escaped(text: str) -> str:
    return escape(visible(text))


def _block(name: str, data: Json) -> str:
    """Return a script element that is data and never run."""
    text = json.dumps(data, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'


# What is said of a model ------------------------------------------------------------------------


def _model(result: Result) -> tuple[Json, Json]:
    """Return what the page says of a model, and its graph; the graph is read when it is shown."""
    space = result.space
    found = [verdict for verdict in result.verdicts if verdict.run is not None]
    graph = held(space, [verdict.run for verdict in found if verdict.run is not None])
    graph_data = graph_json(graph) | {"folded": folded_json(space, graph)}
    mark = hashlib.sha256(json.dumps(graph_data).encode()).hexdigest()[:8]
    model: Json = {
        "name": visible(result.model.name),
        "title": visible(result.model.title),
        "mark": mark,
        "states": len(space),
        "steps": space.transitions,
        "limit": STATES_MAX,
        "complete": space.complete,
        "runs": [
            {
                "property": visible(verdict.property.name),
                "answer": verdict.answer.value,
                "detail": visible(verdict.detail),
                "choices": choices(graph, verdict.run),
                "loop": verdict.run.loop,
            }
            for verdict in found
            if verdict.run is not None
        ],
    }
    return model, graph_data


MARKS = {Answer.HOLDS: "✓", Answer.VIOLATED: "✗", Answer.VACUOUS: "–", Answer.UNKNOWN: "?"}


def _all_verdicts(results: Sequence[Result]) -> Iterator[str]:
    """Yield the verdicts of every model, which need no script to be read; of several, a list."""
    if len(results) > 1:
        yield '<nav aria-label="Models"><ul class="models">'
        for number, result in enumerate(results):
            name, counted = _escaped(result.model.name), _counted(result)
            yield f'<li><a href="#model-{number}"><bdi>{name}</bdi></a> {counted}</li>'
        yield "</ul></nav>"
    for number, result in enumerate(results):
        yield from _verdicts(result, number)


def _counted(result: Result) -> str:
    """Return how many verdicts there are of each kind, and whether they are as expected."""
    answers = [verdict.answer for verdict in result.verdicts]
    kinds = [f"{answers.count(kind)} {kind.value}" for kind in MARKS if kind in answers]
    alarm = "" if result.as_expected else ', <strong class="alarm">NOT as expected</strong>'
    return ", ".join(kinds) + alarm


def _verdicts(result: Result, number: int) -> Iterator[str]:
    """Yield the section of a model's verdicts."""
    space, name = result.space, _escaped(result.model.name)
    yield f'<section class="model" id="model-{number}" aria-label="{name}">'
    yield f"<h2><bdi>{name}</bdi></h2>"
    if result.model.title:
        yield f'<p class="lead"><bdi>{_escaped(result.model.title)}</bdi></p>'
    counts = f"{len(space):,} states, {space.transitions:,} steps, depth {space.depth}"
    ends = "complete" if space.complete else f"NOT COMPLETE ({space.stopped})"
    yield f'<p class="facts">{_escaped(described(result.model))}<br>{_escaped(counts)}, '
    yield f"<strong>{_escaped(ends)}</strong></p>"
    yield '<div class="scroll"><table><thead><tr><th scope="col">verdict</th>'
    yield '<th scope="col">property</th><th scope="col">what there is to say</th>'
    yield '<th scope="col">run</th><th scope="col">expected</th></tr></thead><tbody>'
    repairs = Repairs(space)
    run = 0
    for verdict in result.verdicts:
        yield from _row(result, verdict, run, repairs)
        run += verdict.run is not None
    yield "</tbody></table></div>"
    for sentence in dict.fromkeys(v.fairness for v in result.verdicts if v.fairness):
        yield f'<p class="facts">fairness assumed: {_escaped("; ".join(sentence))}</p>'
    yield "</section>"


def _row(result: Result, verdict: Verdict, run: int, repairs: Repairs) -> Iterator[str]:
    prop, answer = verdict.property, verdict.answer
    name = _escaped(prop.name)
    yield f'<tr class="{answer.value}"><td class="verdict"><span class="mark" aria-hidden="true">'
    yield f"{MARKS[answer]}</span> {answer.value}</td>"
    yield f'<th scope="row"><bdi>{name}</bdi><small><bdi>{_escaped(prop.sentence)}</bdi></small>'
    yield f"</th><td><bdi>{_escaped(remark(verdict))}</bdi>{_repair(verdict, repairs)}</td>"
    yield f"<td>{_run_cell(verdict, run, name)}</td>"
    yield f"<td>{_expectation(result, verdict)}</td></tr>"


def _repair(verdict: Verdict, repairs: Repairs) -> str:
    if verdict.answer is not Answer.VIOLATED or verdict.property.role is not Role.REQUIREMENT:
        return ""
    return f"<small>{_escaped(repair_line(repairs, verdict))}</small>" if verdict.run else ""


def _run_cell(verdict: Verdict, run: int, name: str) -> str:
    """Return how long the run is, with the control that shows it; a script makes it a button."""
    if verdict.run is None:
        return ""
    kind = "lasso" if verdict.run.loop is not None else "run"
    words = f"{kind} of {len(verdict.run)} steps"
    return (
        f'<button type="button" data-run="{run}" aria-label="show {words}: {name}">{words}</button>'
    )


def _expectation(result: Result, verdict: Verdict) -> str:
    if result.is_as_expected(verdict):
        return "as expected"
    expected = result.expected(verdict.property)
    return f'<strong class="alarm">NO: {expected.value if expected else "holds"}</strong>'
