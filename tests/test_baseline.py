"""`tcpclose baseline`: what has moved is named, and a broken file is refused."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from properties.baseline import Baseline, moved, pin
from properties.check import check
from properties.fingerprint import SEMANTICS, graph_fingerprint, row_digests
from reports import baselining
from reports.baseline_file import baseline_text, read_baseline
from tcpclose_model.errors import TcpcloseError
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import becomes, removed, rows
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import CLOSED, TIME_WAIT
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tests.command_line import Said, command_of, environment, refused, tcpclose

MODEL_FILE = """\
from tcpclose_model import *

two_ends = Model(network=Network(loss=False), application=Application(data_units=(0, 0)))
"""
EDITED = MODEL_FILE + (
    'edited = RFC9293.edit(rows(to=TIME_WAIT), becomes(to=CLOSED), count=2, why="skip 2MSL")\n'
    "two_ends = Model(a=edited, network=two_ends.network, application=two_ends.application)\n"
)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A baseline of one small model of the catalogue."""
    path = tmp_path / "kept.baseline"
    assert 0 == tcpclose("baseline", "write", path, "table_154").status
    return path


def checked(path: Path, *options: str) -> Said:
    """Return what a check of a baseline says."""
    return tcpclose("baseline", "check", path, *options)


def with_line(path: Path, old: str, new: str) -> Path:
    """Change a line of a baseline."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


# What has moved -------------------------------------------------------------------------------


def test_nothing_has_moved_where_nothing_was_edited(kept: Path) -> None:
    assert Said(0, f"1 model as in {kept}\n", "") == checked(kept)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("states 27", "states 26", "states: 27, was 26 (+1)"),
        ("depth 7", "depth 9", "depth: 7, was 9 (-2)"),
        ("holds no_deadlock", "violated no_deadlock", "verdict no_deadlock: holds, was violated"),
        (" holds no_deadlock\n", "", "verdict no_deadlock: holds, was not judged"),
        ("network.loss=False", "network.capacity=7", "parameter network.capacity: 2, was 7"),
        (" states 27", " a - close\n states 27", "row close of A is the standard's again"),
        (
            " states 27",
            " both 0123456789ab close\n states 27",
            "row close of both ends is the standard's again",
        ),
    ],
)
def test_what_has_moved_is_named(kept: Path, old: str, new: str, told: str) -> None:
    said = checked(with_line(kept, old, new))
    wanted = told.replace("is the standard's again", "was added") if " a - " in new else told
    assert 1 == said.status
    assert f"  {wanted}" in said.lines


def test_an_edit_of_a_file_is_told_with_its_rows_and_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL_FILE, encoding="utf-8")
    assert 0 == tcpclose("baseline", "write", "kept", "m.py").status
    assert 0 == checked(Path("kept")).status
    Path("m.py").write_text(EDITED, encoding="utf-8")
    said = checked(Path("kept"))
    assert 1 == said.status
    assert "m.py:two_ends: (m.py:5)" == said.lines[0]
    assert "  row fin_in_fin_wait_2 of A has changed" in said.lines
    assert any(line.startswith("  graph: ") for line in said.lines)


def test_a_row_of_the_standards_table_that_has_changed_is_named_once(kept: Path) -> None:
    digest = row_digests(RFC9293)["close"]
    said = checked(with_line(kept, f" row {digest} close\n", " row 0123456789ab close\n"))
    assert (1, ["row close of RFC 9293 has changed"]) == (said.status, said.lines)


def test_another_version_of_the_semantics_is_told_apart_from_an_edit(kept: Path) -> None:
    said = checked(with_line(kept, "semantics 1", "semantics 999"))
    assert 0 == said.status
    assert "semantics 999, this program 1" in said.lines[0]


def test_a_limit_that_was_hit_is_unknown(kept: Path) -> None:
    said = checked(kept, "--max-states", "5")
    assert 3 == said.status
    assert "table_154: UNKNOWN: not explored to the end" in said.out


def test_nothing_is_written_where_a_limit_was_hit(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    said = tcpclose("baseline", "write", path, "table_154", "--max-states", "5")
    assert (3, False) == (said.status, path.exists())


def test_settings_are_kept_with_the_model(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    settings = ("--set", "network.capacity=1", "--set", "network.capacity=3")
    assert 0 == tcpclose("baseline", "write", path, "table_154", *settings).status
    assert ("network.capacity=3",) == read_baseline(path).pins["table_154"].settings
    assert 0 == checked(path).status


# A file that is broken ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tcpclose baseline 1", "tcpclose baseline 2", ":1: not a baseline"),
        ("semantics 1", "semantics one", ":2: semantics: 'one' is not a whole number"),
        (" states 27", " states -3", "states: '-3' is not a whole number"),
        (" states 27\n", "", "states: is missing of model table_154"),
        (" states 27", " states 27\n states 27", "states: states stands twice"),
        (" states 27", " stats 27", "stats: is not a field of a model (did you mean states"),
        (" holds no_deadlock", " vacuous no_deadlock x", "vacuous: a name is missing or has"),
        (" holds no_deadlock", ' holds "no_deadlock', "is not a quoted name"),
        (" states 27", " a 12 close\n states 27", "a: '12' is not a digest"),
        (" states 27", " graph 12\n states 27", "graph: '12' is not 24 hexadecimal digits"),
        (" states 27", " set x\n states 27", "set: 'x' is not NAME=VALUE"),
        (" states 27", " set no.such=1\n states 27", "no parameter 'no.such'"),
        ("model table_154", "model table_999", "model table_999: no model 'table_999'"),
        ("model table_154", "model nowhere.py", "model nowhere.py: nowhere.py: cannot be read"),
        ("standard\n", "standard\n close 1\n", "close: is not a field of the standard's table"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(kept: Path, old: str, new: str, told: str) -> None:
    refused(checked(with_line(kept, old, new)), str(kept), told)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\0", b"tcpclose baseline 1\n"])
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept"
    path.write_bytes(content)
    refused(checked(path), str(path))


@pytest.mark.parametrize("part", range(20))
def test_a_file_that_is_cut_off_is_never_a_traceback(kept: Path, part: int) -> None:
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text[: len(text) * part // 20], encoding="utf-8")
    said = checked(kept)
    assert said.status in (0, 1, 2)
    assert "Traceback" not in said.err


def test_the_text_reads_back_as_it_was_written(tmp_path: Path) -> None:
    odd = 'a row "of"\nmine'
    pins = {odd: pin(check(model_named("linux_rfc1337"))), "x": pin(check(skips_time_wait()))}
    path = tmp_path / "kept"
    path.write_text(baseline_text(Baseline(pins)), encoding="utf-8")
    assert Baseline(pins) == read_baseline(path)


# Fingerprints ---------------------------------------------------------------------------------


def skips_time_wait() -> Model:
    """A small model whose A has no TIME-WAIT."""
    edited = RFC9293.edit(rows(to=TIME_WAIT), becomes(to=CLOSED), count=2, why="none")
    return replace(model_named("table_154"), a=edited)


@pytest.mark.parametrize("name", ["table_154", "linux", "user_timeout", "crash"])
def test_a_fingerprint_does_not_depend_on_the_engine(name: str) -> None:
    plain, fast = (explore(model_named(name), engine=engine) for engine in ("plain", "fast"))
    assert graph_fingerprint(plain) == graph_fingerprint(fast)


def test_a_fingerprint_does_not_depend_on_the_hash_seed(kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    command = command_of("baseline", "write", other, "table_154")
    for seed in ("1", "2"):
        subprocess.run(command, env=environment(PYTHONHASHSEED=seed), check=True)
        assert kept.read_bytes() == other.read_bytes()


def test_a_fingerprint_does_not_see_the_names_of_rows() -> None:
    renamed = RFC9293.edit(rows(name="close"), removed(), why="gone").add(
        replace(RFC9293.rule("close"), name="shut"), why="renamed"
    )
    small = model_named("table_154")
    model = replace(small, a=renamed, b=renamed)
    old, new = pin(check(small)), pin(check(model))
    assert old.graph == new.graph
    assert "row close of both ends was removed" in list(moved(old, new))
    assert "row shut of both ends was added" in list(moved(old, new))


def test_a_fingerprint_sees_that_a_state_is_skipped() -> None:
    one, other = explore(model_named("table_154")), explore(skips_time_wait())
    assert graph_fingerprint(one) != graph_fingerprint(other)


def test_a_fingerprint_sees_what_only_happens_late_in_a_run() -> None:
    one, other = (explore(model_named(n)) for n in ("table_154", "mirage_tcpip_489"))
    assert graph_fingerprint(one) != graph_fingerprint(other)


MEANINGS = {
    1: {
        "table_154": "02dcfa7f8acf47cc709db9fd",
        "rfc9293 network.capacity=1 application.data_units=0": "fd45095a6ce4bc4fd3c50e79",
        "rfc9293 network.capacity=1 network.order=any network.duplication=on application.aborts=on "
        "application.data_units=1,0 application.closes=a_first timers.retransmission=timely": (
            "7b7b735fd694382beea853fc"
        ),
        "rfc9293 time.segment_lifetime=1 time.time_wait=2 time.retransmission=2 "
        "network.losses_max=1 application.data_units=0 network.order=any network.capacity=20": (
            "fe7ae7ebd0a131dd60a9617d"
        ),
    }
}
"""Fingerprints of fixed models under each version of the semantics; a version never changes."""

ROWS = {1: "17408f7d"}
"""The digest of the standard's rows under which those fingerprints were taken."""


def digest_of_the_standard() -> str:
    """Return one digest of all rows of the standard's table."""
    text = repr(sorted(row_digests(RFC9293).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@pytest.mark.parametrize("asked", MEANINGS[max(MEANINGS)])
def test_a_fingerprint_moves_only_with_the_rows_or_with_the_version_of_the_semantics(
    asked: str,
) -> None:
    name, *settings = asked.split()
    found = graph_fingerprint(explore(with_parameters(model_named(name), settings)))
    assert MEANINGS[max(MEANINGS)][asked] == found, (
        "the rows were edited: pin ROWS and MEANINGS anew"
        if digest_of_the_standard() != ROWS[max(ROWS)]
        else "the same rows mean something else now: raise SEMANTICS and add that version here"
    )


def test_the_version_of_the_semantics_is_the_one_that_is_pinned() -> None:
    assert SEMANTICS == max(MEANINGS) == max(ROWS)
    assert ROWS[SEMANTICS] == digest_of_the_standard(), "rows were edited: pin ROWS anew"


def test_a_graph_that_is_not_complete_has_no_fingerprint() -> None:
    assert "none" == graph_fingerprint(explore(model_named("table_154"), max_states=5))


def test_the_reader_is_the_only_judge_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(TcpcloseError, match="cannot be read"):
        baselining.run_compare(tmp_path, {})


# Where CI looks -------------------------------------------------------------------------------


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A baseline of a model file whose table has been edited since."""
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL_FILE, encoding="utf-8")
    assert 0 == tcpclose("baseline", "write", "kept", "m.py").status
    unanswered = EDITED.replace("becomes(to=CLOSED)", "becomes(to=LAST_ACK)")
    Path("m.py").write_text(unanswered, encoding="utf-8")
    return Path("kept")


def test_an_annotation_stands_on_the_line_of_the_row_that_has_moved(edited: Path) -> None:
    said = checked(edited, "--format", "github")
    told = [line for line in said.lines if line.startswith("::")]
    assert 1 == said.status
    assert 2 == len(told)
    start = "::error file=m.py,line=4,title=m.py%3Atwo_ends%3A row "
    assert all(line.startswith(start) for line in told)
    assert "verdict both_can_always_close: violated, was holds" in told[0]
    assert "%0AA CLOSE%0A" in told[0]


def test_a_model_of_the_catalogue_is_annotated_where_the_baseline_has_it(kept: Path) -> None:
    lines = with_line(kept, "states 27", "states 26").read_text(encoding="utf-8").splitlines()
    said = checked(kept, "--format", "github")
    (told,) = [line for line in said.lines if line.startswith("::")]
    number = lines.index("model table_154") + 1
    assert f"file={kept},line={number},title=table_154::states: 27, was 26" in told


def test_the_summary_has_a_diagram_of_what_is_violated_now(
    edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    checked(edited, "--format", "github")
    text = Path("summary.md").read_text(encoding="utf-8")
    assert text.startswith("## tcpclose baseline check\n")
    assert "```mermaid\nsequenceDiagram\n" in text
    assert "0 of 1 models are as in kept." in text


def test_junit_has_a_failure_for_each_kind_that_has_moved(edited: Path) -> None:
    said = checked(edited, "--format", "junit", "-o", "report.xml")
    standard, suite = ElementTree.fromstring(said.out)
    assert ("1", "0") == (standard.get("tests"), standard.get("failures"))
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert {"rows", "verdicts", "graph"} <= failed
    assert "parameters" not in failed
    assert ("m.py", "5") == (suite.get("file"), suite.get("line"))
    assert said.out == Path("report.xml").read_text(encoding="utf-8")


def test_junit_has_an_error_where_a_limit_was_hit(kept: Path) -> None:
    said = checked(kept, "--format", "junit", "--max-states", "5")
    _, suite = ElementTree.fromstring(said.out)
    assert (3, "1", "0") == (said.status, suite.get("errors"), suite.get("failures"))


def test_a_report_of_a_baseline_is_xml(kept: Path) -> None:
    refused(checked(kept, "-o", "report.json"), ".xml")
