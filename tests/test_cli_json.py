"""The report as JSON: it keeps to its schema, and is the same on paper and on the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reports.check_json import schema
from reports.run_files import ENDINGS, format_of
from tests.command_line import MODEL_FILES, once, tcpclose

JSON = ("--format", "json")
CHECKS = {
    "all holds": ("table_154",),
    "a lasso that ends in silence": ("freertos_1303",),
    "a lasso that goes round": ("rfc9293_literal", "--property", "both_eventually_closed"),
    "an unknown": ("reordering", "--max-states", "30"),
    "a bound": ("no_retransmission", "--set", "bounds.retransmissions_max=0"),
    "switches": ("table_154", "--set", "a.delayed_ack=on", "--set", "b.fin_wait_2_timeout=on"),
    "ends that differ": (str(MODEL_FILES / "skips_time_wait.py"),),
    "several": ("table_154", "linux_5_10_old_ack_fin"),
    "one property": ("table_154", "--property", "no_deadlock"),
}


def document(*check: str) -> dict[str, Any]:  # Any: plain JSON
    """Return what a check says in JSON."""
    said = once("check", *check, *JSON)
    assert "" == said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_report_keeps_to_the_schema(check: tuple[str, ...]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(document(*check))


def test_a_document_with_an_unknown_field_does_not_keep_to_it() -> None:
    wrong = {**document("table_154"), "more": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(wrong)


def test_it_says_the_counts_of_the_model() -> None:
    (run,) = document("table_154")["runs"]
    told = [run[name] for name in ("model", "states", "transitions", "depth", "complete")]
    assert ["table_154", 27, 38, 7, True] == told


def test_it_has_a_run_for_each_model_in_order() -> None:
    runs = document("table_154", "linux_5_10_old_ack_fin")["runs"]
    assert ["table_154", "linux_5_10_old_ack_fin"] == [run["model"] for run in runs]


def test_a_lasso_says_where_it_comes_back_to() -> None:
    ((verdict,),) = (
        run["properties"] for run in document(*CHECKS["a lasso that goes round"])["runs"]
    )
    steps, loop = verdict["trace"]["steps"], verdict["trace"]["loop"]
    ends = ("a", "b", "a_to_b", "b_to_a")
    assert loop < len(steps) - 1
    assert [steps[loop][end] for end in ends] == [steps[-1][end] for end in ends]


def test_an_unknown_answer_says_which_limit_was_hit() -> None:
    (run,) = document(*CHECKS["an unknown"])["runs"]
    unknown = [verdict for verdict in run["properties"] if verdict["verdict"] == "unknown"]
    assert not run["complete"]
    assert {"exploration is not complete: --max-states 30 was hit"} == {
        v["detail"] for v in unknown
    }


def test_a_report_in_a_file_is_the_one_on_the_screen(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    said = tcpclose("check", "freertos_1303", "-o", out)
    assert (0, "", f"wrote {out}\n") == (said.status, said.out, said.err)
    assert once("check", "freertos_1303", *JSON).out == out.read_text(encoding="utf-8")


def test_a_text_report_in_a_file_is_the_one_on_the_screen(tmp_path: Path) -> None:
    out = tmp_path / "x.txt"
    said = tcpclose("check", "freertos_1303", "-o", out)
    assert (0, "") == (said.status, said.out)
    assert once("check", "freertos_1303").lines == out.read_text(encoding="utf-8").splitlines()


def test_the_catalogues_table_goes_into_a_file_too(tmp_path: Path) -> None:
    out = tmp_path / "x.txt"
    tcpclose("check", "--all", "--max-states", "30", "-o", out)
    shown = once("check", "--all", "--max-states", "30").lines
    assert shown == out.read_text(encoding="utf-8").splitlines()


def test_a_report_in_a_file_has_the_exit_status_of_the_check(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    assert 3 == tcpclose("check", "reordering", "--max-states", "30", "-o", out).status
    assert 1 == tcpclose("check", "freertos_1303", "--set", "network.capacity=2", "-o", out).status


def test_a_folder_gets_each_counterexample_in_every_format(tmp_path: Path) -> None:
    out = tmp_path / "new" / "runs"
    said = tcpclose("check", "freertos_1303", "-o", out)
    assert 0 == said.status, said.err
    violated = [line.split()[1] for line in said.lines if line.startswith("VIOLATED")]
    endings = {*ENDINGS, ".a.pkt", ".b.pkt"} - {".pkt"}
    expected = {f"freertos_1303.{name}{ending}" for name in violated for ending in endings}
    assert expected == {path.name for path in out.iterdir()}
    assert f"wrote {len(violated)} counterexamples to {out}\n" == said.err


def test_a_trace_in_a_folder_keeps_to_the_schema(tmp_path: Path) -> None:
    said = tcpclose("check", "freertos_1303", "-o", tmp_path)
    assert 0 == said.status, said.err
    trace_schema = {"$ref": "#/$defs/trace", "$defs": schema()["$defs"]}
    traces = sorted(path for path in tmp_path.iterdir() if format_of(path) == "json")
    assert traces
    for path in traces:
        jsonschema.Draft202012Validator(trace_schema).validate(json.loads(path.read_text("utf-8")))


def test_a_model_whose_name_is_a_path_writes_nothing_outside_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "hostile.py"
    file.write_text(
        "from tcpclose_model import *\n"
        "never = always('No.', lambda s: s.a.state == ESTABLISHED, name='../../claim')\n"
        "model = Model(name='../model', application=Application(data_units=(0, 0)),\n"
        "    network=Network(loss=False), properties=[never])\n"
    )
    out = tmp_path / "deep" / "out"
    tcpclose("check", file, "-o", out)
    assert {"hostile.py", "deep"} == {path.name for path in tmp_path.iterdir()}
    assert {"out"} == {path.name for path in out.parent.iterdir()}


def test_models_of_one_name_do_not_overwrite_each_others_counterexamples(tmp_path: Path) -> None:
    text = (
        "from tcpclose_model import *\n"
        "model = Model(application=Application(closes='never', data_units=({}, 0)),\n"
        "    network=Network(loss=False), timers=Timers(retransmission='none'))\n"
    )
    files = [tmp_path / "first.py", tmp_path / "second.py"]
    for units, file in enumerate(files):
        file.write_text(text.format(units))
    out = tmp_path / "out"
    said = tcpclose("check", *files, "--property", "no_deadlock", "-o", out)
    assert f"wrote 2 counterexamples to {out}\n" == said.err
    assert 2 == len(list(out.glob("*.txt")))
