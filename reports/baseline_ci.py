"""What has moved since a baseline, as CI shows it: JUnit XML, and what GitHub shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from properties.baseline import Moved
from properties.verdict import Answer, Verdict
from reports.ci_formats import xml_text
from reports.diff_formats import folded
from reports.github import command
from reports.ladder import ladder
from reports.loading import origin_of
from reports.markdown import escaped
from reports.row_places import place_of_row
from tcpclose_model.model import Model

CASES = {
    "parameter": "parameters",
    "row": "rows",
    "verdict": "verdicts",
    "count": "counts",
    "graph": "graph",
}
"""The test cases of a model in JUnit XML, by the kind of what may move."""

STANDARD = "RFC 9293"
"""The name of the suite of the standard's table."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A model held against its baseline.

    name: as the baseline names it; moved: what is not as it was; verdicts: those of now;
    stopped: the limit that was hit, or "": then nothing was compared.
    """

    name: str
    model: Model
    moved: tuple[Moved, ...]
    verdicts: tuple[Verdict, ...]
    stopped: str

    @property
    def broken(self) -> list[Verdict]:
        """The verdicts that have moved and are violated now."""
        names = {one.name for one in self.moved if one.kind == "verdict"}
        return [
            verdict
            for verdict in self.verdicts
            if verdict.property.name in names and verdict.answer is Answer.VIOLATED
        ]


def baseline_junit(file: Path, found: Sequence[Compared], standard: Sequence[str]) -> str:
    """Return JUnit XML: a suite for each model, a case for each kind of thing that may move."""
    root = ElementTree.Element("testsuites", name="tcpclose baseline")
    rows = ElementTree.SubElement(root, "testsuite", name=STANDARD)
    _case(rows, STANDARD, "rows", standard, "")
    for one in found:
        suite = ElementTree.SubElement(root, "testsuite", name=xml_text(one.name))
        origin = origin_of(one.model)
        if origin is not None:
            suite.set("file", xml_text(origin.file))
            suite.set("line", str(origin.line))
        if one.stopped:
            case = ElementTree.SubElement(
                suite, "testcase", name="explored", classname=xml_text(one.name)
            )
            ElementTree.SubElement(case, "error", type="unknown", message=xml_text(one.stopped))
            continue
        for kind, name in CASES.items():
            lines = [what.says for what in one.moved if what.kind == kind]
            runs = "".join(ladder(v.run, notes="none") for v in one.broken if v.run is not None)
            _case(suite, one.name, name, lines, runs if kind == "verdict" else "")
    for suite in root:
        for name, kind in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(name, str(sum(1 for _ in suite.iter(kind))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(
    suite: ElementTree.Element, model: str, name: str, lines: Sequence[str], runs: str
) -> None:
    case = ElementTree.SubElement(suite, "testcase", name=name, classname=xml_text(model))
    if lines:
        failure = ElementTree.SubElement(
            case, "failure", type="moved", message=xml_text("; ".join(lines))
        )
        failure.text = xml_text("\n".join([*lines, runs]).rstrip())


def commands(file: Path, found: Sequence[Compared], standard: Sequence[str]) -> Iterator[str]:
    """Yield an annotation for each row that has moved, on its line; without one, on the model's.

    What no model file has, a model of the catalogue or a row of the standard's, is told where the
    baseline has it.
    """
    text = file.read_text(encoding="utf-8").splitlines()
    for one in found:
        if one.stopped:
            body = f"not explored to the end: {one.stopped}"
            yield command("error", f"{one.name}: unknown", body, *_beside(text, file, one))
        elif one.moved:
            yield from _moved_commands(text, file, one)
    for line in standard:
        yield command("error", STANDARD, line, str(file), _line_of(text, "standard"))


def _moved_commands(text: Sequence[str], file: Path, one: Compared) -> Iterator[str]:
    body = "\n".join(what.says for what in one.moved)
    for verdict in one.broken[:1]:
        if verdict.run is not None:
            body += f"\n{verdict.property.name}: {verdict.detail}\n"
            body += ladder(verdict.run, notes="none").rstrip()
    rows = [what for what in one.moved if what.kind == "row"]
    for row in rows:
        place = place_of_row(one.model, row.name)
        where = _beside(text, file, one) if place is None else (place.file, place.line)
        instead = "" if place is None or not place.instead else f"(shown at {place.instead})\n"
        title = f"{one.name}: row {row.name}"
        yield command("error", title, f"{instead}{body}", *where)
    if not rows:
        yield command("error", one.name, body, *_beside(text, file, one))


def _beside(text: Sequence[str], file: Path, one: Compared) -> tuple[str, int]:
    """Return the line of a model in its file, or else in the baseline."""
    origin = origin_of(one.model)
    if origin is not None:
        return origin.file, origin.line
    return str(file), _line_of(text, f"model {one.name}")


def _line_of(text: Sequence[str], line: str) -> int:
    return text.index(line) + 1 if line in text else 1


def summary(file: Path, found: Sequence[Compared], standard: Sequence[str]) -> str:
    """Return in Markdown what has moved, with a sequence diagram of what is violated now."""
    lines = ["## tcpclose baseline check", ""]
    lines += [f"- {escaped(line)}" for line in standard]
    for one in found:
        if not (one.moved or one.stopped):
            continue
        lines += ["", f"### {'❔' if one.stopped else '❌'} {escaped(one.name)}", ""]
        lines += [f"- not explored to the end: {escaped(one.stopped)}"] if one.stopped else []
        lines += [f"- {escaped(what.says)}" for what in one.moved]
        for verdict in one.broken:
            if verdict.run is not None:
                what = f"{verdict.property.name} is violated now: {verdict.detail}"
                lines += folded(what, verdict.run)
    same = sum(1 for one in found if not (one.moved or one.stopped))
    lines += ["", f"{same} of {len(found)} models are as in {escaped(str(file))}.", ""]
    return "\n".join(lines)
