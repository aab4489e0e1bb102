"""A check as JSON, schema tcpclose/check/1 (`reports/check.schema.json`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files

from properties.check import Result
from properties.verdict import Verdict
from reports.trace import Json, trace_json
from tcpclose_model.variants.parameters import values

SCHEMA = "tcpclose/check/1"


def check_json(results: Iterable[Result]) -> str:
    """Return the results as a JSON document of that schema."""
    document = {"schema": SCHEMA, "runs": [_run(result) for result in results]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def schema() -> Json:
    """Return the JSON Schema of that document."""
    text = files("reports").joinpath("check.schema.json").read_text(encoding="utf-8")
    read: Json = json.loads(text)
    return read


def _run(result: Result) -> Json:
    space = result.space
    return {
        "model": result.model.name,
        "parameters": _parameters(result),
        "states": len(space),
        "transitions": space.transitions,
        "depth": space.depth,
        "complete": space.complete,
        "as_expected": result.as_expected,
        "properties": [_verdict(result, verdict) for verdict in result.verdicts],
    }


def _parameters(result: Result) -> Json:
    found: dict[str, object] = {"a": result.model.a.name, "b": result.model.b.name}
    found["a.edits"] = [edit.why for edit in result.model.a.edits]
    found["b.edits"] = [edit.why for edit in result.model.b.edits]
    for name, value in values(result.model).items():
        if not name.startswith("protocol."):
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _verdict(result: Result, verdict: Verdict) -> Json:
    expected = result.expected(verdict.property)
    return {
        "name": verdict.property.name,
        "kind": verdict.property.kind.value,
        "role": verdict.property.role.value,
        "verdict": verdict.answer.value,
        "expected": None if expected is None else expected.value,
        "detail": verdict.detail,
        "occurred": verdict.occurred,
        "fairness": list(verdict.fairness),
        "trace": None if verdict.run is None else trace_json(verdict.run),
    }
