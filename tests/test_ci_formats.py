"""JUnit XML, annotations and summaries of GitHub, and strict checks."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from properties.check import check
from reports.ci_formats import junit, summary, workflow_commands
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import refused, tcpclose

WRONG = ("check", "crash", "--set", "network.capacity=1", "--property", "no_half_open_end")


def test_a_check_as_expected_is_a_suite_without_failures() -> None:
    said = tcpclose("check", "table_154", "--format", "junit")
    (suite,) = ElementTree.fromstring(said.out)
    assert 0 == said.status
    assert ("table_154", "13", "0", "0") == tuple(
        suite.get(name) for name in ("name", "tests", "failures", "errors")
    )


def test_a_violation_is_a_failure_with_its_ladder(tmp_path: Path) -> None:
    said = tcpclose(*WRONG, "-o", tmp_path / "report.xml")
    root = ElementTree.parse(tmp_path / "report.xml").getroot()
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (1, "violated") == (said.status, failure.get("type"))
    assert "A CRASH" in str(failure.text)


def test_what_is_unknown_is_an_error() -> None:
    said = tcpclose("check", "table_154", "--max-states", "5", "--format", "junit")
    (suite,) = ElementTree.fromstring(said.out)
    assert 3 == said.status
    assert 0 < int(str(suite.get("errors")))


def test_the_names_of_a_model_cannot_break_the_xml() -> None:
    result = check(model_named("table_154").named('<"&\0\x1b]]>'), only=["no_deadlock"])
    (suite,) = ElementTree.fromstring(junit([result]))
    assert '<"&??]]>' == suite.get("name")


def test_an_annotation_stands_on_the_line_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "from tcpclose_model import *\n\nquiet = Application(data_units=(0, 0), crashes=(1, 0))\n"
        "mine = Model(network=Network(capacity=1), application=quiet)\n"
    ).replace("(1, 0)", "(True, False)")
    Path("m.py").write_text(text, encoding="utf-8")
    said = tcpclose("check", "m.py", "--property", "no_half_open_end", "--format", "github")
    (line,) = [line for line in said.lines if line.startswith("::error ")]
    assert 1 == said.status
    assert line.startswith("::error file=m.py,line=4,title=mine%3A no_half_open_end::violated")
    assert "%0AA CRASH%0A" in line


def test_a_name_cannot_end_an_annotation() -> None:
    model = model_named("crash").named("a,b::c\n::error::d%")
    result = check(model, only=["no_deadlock"], max_states=5)
    (line,) = workflow_commands([result])
    assert "title=a%2Cb%3A%3Ac%0A%3A%3Aerror%3A%3Ad%25%3A no_deadlock::unknown" in line
    assert "\n" not in line


def test_a_summary_is_appended_with_a_diagram_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    tcpclose(*WRONG, "--format", "github")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n## tcpclose check\n")
    assert "```mermaid\nsequenceDiagram\n" in text


def test_a_summary_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    said = tcpclose(*WRONG, "--format", "github")
    assert 2 == said.status
    assert "GITHUB_STEP_SUMMARY" in said.err


def test_a_name_is_no_markup_in_a_summary() -> None:
    result = check(model_named("table_154").named("<b>|`x`"), only=["no_deadlock"])
    assert r"\<b\>\|\`x\`" in summary([result])


# Strict ---------------------------------------------------------------------------------------


def test_a_strict_check_fails_what_is_vacuous() -> None:
    vacuous = ("check", "table_154", "--set", "network.capacity=1", "--property")
    assert 0 == tcpclose(*vacuous, "no_silent_data_loss").status
    said = tcpclose(*vacuous, "no_silent_data_loss", "--strict")
    assert 1 == said.status
    assert "STRICT: table_154: no_silent_data_loss is vacuous" in said.out


def test_what_a_model_expects_to_be_vacuous_passes_a_strict_check() -> None:
    assert 0 == tcpclose("check", "table_154", "--strict").status


def test_a_strict_check_fails_an_edited_row_that_is_never_carried_out() -> None:
    edited = ("--set", "protocol.keep_alive=on", "--property", "no_deadlock")
    said = tcpclose("check", "table_154", *edited, "--strict")
    assert 1 == said.status
    assert "STRICT: table_154: row keep_alive" in said.out


def test_a_report_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    refused(tcpclose("check", "-o", tmp_path / "x.pdf"), ".json, .txt, .xml")
