"""Where a row of a model's table is written in the model's file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.loading import origin_of
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; instead: what stands there, if it is not the row itself, or ""."""

    file: str
    line: int
    instead: str = ""


def place_of_row(model: Model, row: str, functions: Sequence[str] = ()) -> Place | None:
    """Return where a row is edited or added in the model's file; None if it is in no file.

    functions: those of the row's predicates and effects that alone have changed; then the place is
    the first of them that the file defines.  Otherwise it is the edit that touched the row last
    (found by its `why`), or wherever the row's name or that of a switch that made it stands; else
    the line of the model.
    """
    origin = origin_of(model)
    if origin is None:
        return None
    tree = ast.parse(origin.text)
    for line in _lines(tree, model, row, functions):
        return Place(origin.file, line)
    return Place(origin.file, origin.line, f"the model, whose file does not name row {row}")


def _lines(tree: ast.Module, model: Model, row: str, functions: Sequence[str]) -> Iterator[int]:
    """Yield the likely lines, the likeliest first."""
    yield from _definitions(tree, functions)
    whys, names = _edits_of((model.a, model.b), row)
    for why in whys:
        calls = [call for call in _calls(tree) if why in _reasons(call)]
        yield from (line for call in calls for line in _strings(_arguments(call), (row,)))
        # The line of the last name of what is called: a chain of edits begins further up.
        yield from (call.func.end_lineno or call.lineno for call in calls)
    yield from _strings(tree.body, (row,))
    yield from _strings(tree.body, names)
    tables = (model.a, model.b)
    rules = [rule for table in tables for rule in table.rules if rule.name == row]
    used = [getattr(f, "__name__", "") for rule in rules for f in (*rule.when, *rule.do)]
    yield from _definitions(tree, used)


def _edits_of(tables: Sequence[Protocol], row: str) -> tuple[list[str], list[str]]:
    """Return the reasons and the names of the edits that touched a row, the last one first."""
    whys: dict[str, None] = {}
    names: dict[str, None] = {}
    for table in tables:
        for rule in table.rules:
            if rule.name == row and rule.edit:
                whys[rule.edit] = None
        for edit in reversed(table.edits):
            if any(row == name or row.startswith(f"{name}_in_") for name in edit.touched):
                whys[edit.why] = names[edit.name] = None
    return list(whys), list(names)


def _definitions(tree: ast.Module, names: Sequence[str]) -> Iterator[int]:
    for name in names:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                yield node.lineno


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _reasons(call: ast.Call) -> list[object]:
    values = [word.value for word in call.keywords if word.arg == "why"]
    return [value.value for value in values if isinstance(value, ast.Constant)]


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords)]


def _strings(nodes: Sequence[ast.AST], texts: Sequence[str]) -> Iterator[int]:
    """Yield the lines on which one of these texts stands as a string, or as a setting of it."""
    for text in texts:
        for top in nodes:
            for node in ast.walk(top):
                if isinstance(node, ast.Constant) and node.value == text:
                    yield node.lineno
