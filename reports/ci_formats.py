"""A check as CI shows it: JUnit XML; annotations and a job summary of GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from properties.check import Result
from properties.strictness import untested
from properties.verdict import Answer, Verdict
from reports.github import append, command
from reports.ladder import ladder
from reports.loading import place_of
from reports.markdown import escaped
from reports.text import headline
from reports.trace import mermaid

NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that an XML document cannot hold."""

STRICT = "strict"
"""The name of the test case, and of the annotation, of what was never put to the test."""


def junit(results: Sequence[Result], *, strict: bool = False) -> str:
    """Return the results as JUnit XML: a suite for each model, a case for each property.

    A verdict that is not as expected is a failure, an unknown one an error; its text is the run.
    """
    root = ElementTree.Element("testsuites", name="tcpclose")
    for result in results:
        model = xml_text(result.model.name)
        file, line = _file_and_line(result)
        where = {"file": file, "line": line} if file else {}
        suite = ElementTree.SubElement(root, "testsuite", {"name": model, **where})
        usual = {"classname": model, **where}
        for verdict in result.verdicts:
            named = {"name": xml_text(verdict.property.name), **usual}
            case = ElementTree.SubElement(suite, "testcase", named)
            if _is_wrong(result, verdict):
                kind = "error" if verdict.answer is Answer.UNKNOWN else "failure"
                says = {"type": verdict.answer.value, "message": xml_text(_told(result, verdict))}
                ElementTree.SubElement(case, kind, says).text = xml_text(_run_text(verdict))
        for what in untested(result) if strict else ():
            case = ElementTree.SubElement(suite, "testcase", {"name": STRICT, **usual})
            ElementTree.SubElement(case, "failure", {"type": STRICT, "message": xml_text(what)})
        for name, kind in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(name, str(sum(1 for _ in suite.iter(kind))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def workflow_commands(results: Sequence[Result], *, strict: bool = False) -> Iterator[str]:
    """Yield a workflow command of GitHub for each verdict that is not as expected.

    It stands on the line of the model; one of the catalogue has none.
    """
    for result in results:
        for verdict in result.verdicts:
            if _is_wrong(result, verdict):
                body = f"{_told(result, verdict)}\n{_run_text(verdict)}".rstrip()
                yield _annotation(result, verdict.property.name, body)
        for what in untested(result) if strict else ():
            yield _annotation(result, STRICT, what)


def summary(results: Sequence[Result], *, strict: bool = False) -> str:
    """Return the results in Markdown, runs as sequence diagrams, for the summary of a job."""
    lines = ["## tcpclose check", ""]
    for result in results:
        wrong = [v for v in result.verdicts if _is_wrong(result, v)]
        missing = list(untested(result)) if strict else []
        sign = "❌" if wrong or missing else "✅"
        lines += [f"### {sign} {escaped(result.model.name)}", "", escaped(headline(result)), ""]
        lines += ["| | property | |", "|---|---|---|"]
        for verdict in result.verdicts:
            told = _told(result, verdict) if verdict in wrong else verdict.detail
            name = escaped(verdict.property.name)
            lines.append(f"| {escaped(verdict.answer.value)} | {name} | {escaped(told)} |")
        lines += ["", *(f"- strict: {escaped(what)}" for what in missing)]
        for verdict in wrong:
            if verdict.run is not None:
                title = f"{escaped(verdict.property.name)}: {escaped(verdict.detail)}"
                lines += ["", title, "", "```mermaid", mermaid(verdict.run).rstrip(), "```"]
        lines.append("")
    return "\n".join(lines)


def append_summary(results: Sequence[Result], *, strict: bool = False) -> None:
    """Append the summary to the file that GITHUB_STEP_SUMMARY names, if it names one."""
    append(summary(results, strict=strict))


def _is_wrong(result: Result, verdict: Verdict) -> bool:
    """Return whether a verdict fails: not as expected, or unknown because a limit was hit."""
    hidden = bool(result.space.stopped) and verdict.answer is Answer.UNKNOWN
    return hidden or not result.is_as_expected(verdict)


def _told(result: Result, verdict: Verdict) -> str:
    expected = result.expected(verdict.property)
    wanted = expected.value if expected is not None else Answer.HOLDS.value
    told = f"{verdict.answer.value}, expected {wanted}"
    return f"{told}: {verdict.detail}" if verdict.detail else told


def _run_text(verdict: Verdict) -> str:
    return "" if verdict.run is None else ladder(verdict.run, notes="none")


def _file_and_line(result: Result) -> tuple[str, str]:
    file, _, line = place_of(result.model).rpartition(":")
    return xml_text(file), line


def _annotation(result: Result, name: str, body: str) -> str:
    file, line = _file_and_line(result)
    return command("error", f"{result.model.name}: {name}", body, file, line)


def xml_text(text: str) -> str:
    """Return text that an XML document can hold."""
    return NOT_IN_XML.sub("?", text)
