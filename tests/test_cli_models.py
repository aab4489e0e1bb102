"""A user's own model file: what a good one can do, and where a mistake in one is found.

Files with mistakes that are still Python stand under `models/`; those that are not even that are
written when they are needed, because the tools that read every file here would stumble over them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.command_line import MODEL_FILES, process, refused, tcpclose

GOOD = MODEL_FILES / "skips_time_wait.py"
TWO = MODEL_FILES / "two_models.py"
SMALL = (
    "Model(network=Network(loss=False), timers=Timers(retransmission='none'), "
    "application=Application(data_units=(0, 0)))"
)


def written(folder: Path, text: str | bytes, name: str = "mine.py") -> Path:
    """Return the path of a new model file with that text."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# What a good one can do -------------------------------------------------------------------------


def test_a_model_of_ones_own_with_an_edit_a_claim_and_expectations_is_checked() -> None:
    said = tcpclose("check", GOOD)
    assert (0, "") == (said.status, said.err)
    assert said.lines[0].startswith("model: fifo network of capacity 1, lossy; ")


def test_a_claim_of_ones_own_is_judged_beside_the_catalogue() -> None:
    said = tcpclose("check", GOOD)
    assert [] != [line for line in said.lines if re.match(r"holds +a_never_waits ", line)]
    assert [] != [line for line in said.lines if re.match(r"holds +no_deadlock ", line)]


def test_a_claim_of_ones_own_can_be_asked_for_alone() -> None:
    said = tcpclose("check", GOOD, "--property", "a_never_waits")
    assert ["holds"] == [line.split()[0] for line in said.lines[1:2]]


def test_an_expectation_that_is_not_met_exits_with_1(tmp_path: Path) -> None:
    model = SMALL.replace("Model(", "Model(expect={'no_deadlock': violated}, ")
    said = tcpclose("check", written(tmp_path, f"from tcpclose_model import *\nm = {model}\n"))
    assert 1 == said.status
    assert "NOT AS EXPECTED (violated)" in said.out


def test_a_file_of_two_models_is_checked_whole() -> None:
    said = tcpclose("check", TWO)
    firsts = [line.split(":")[0] for line in said.lines if " network of capacity " in line]
    assert ["textbook", "nobody_closes"] == firsts
    assert 1 == said.status


def test_one_model_of_a_file_can_be_named() -> None:
    said = tcpclose("check", f"{TWO}:textbook")
    assert 0 == said.status
    assert said.lines[0].startswith("textbook: ")


def test_a_model_that_the_file_does_not_have_is_answered_with_the_nearest() -> None:
    refused(tcpclose("check", f"{TWO}:textbok"), "two_models.py", "did you mean textbook")


@pytest.mark.parametrize("command", ["run", "draw"])
def test_where_one_model_is_needed_a_file_of_two_is_refused_with_their_names(
    command: str, tmp_path: Path
) -> None:
    reach = ("--reach", "A=CLOSED") if command == "run" else ()
    said = tcpclose(command, TWO, *reach, "-o", tmp_path / "x.json")
    refused(said, "two_models.py:textbook", "two_models.py:nobody_closes")


def test_a_setting_reaches_a_users_model(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    tcpclose("check", GOOD, "--set", "network.capacity=2", "-o", out)
    assert 2 == json.loads(out.read_text("utf-8"))["runs"][0]["parameters"]["network.capacity"]


def test_a_file_may_define_dataclasses_with_postponed_annotations(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from tcpclose_model import *\n"
        "@dataclass\nclass Options:\n    units: int = 0\n"
        f"model = {SMALL}\n"
    )
    said = tcpclose("check", written(tmp_path, text))
    assert (0, "") == (said.status, said.err)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    text = f"\ufefffrom tcpclose_model import *\nmodel = {SMALL}\n"
    said = tcpclose("check", written(tmp_path, text))
    assert (0, "") == (said.status, said.err)


def test_a_file_of_windows_line_ends_is_read(tmp_path: Path) -> None:
    text = f"from tcpclose_model import *\r\nmodel = {SMALL}\r\n"
    assert 0 == tcpclose("check", written(tmp_path, text)).status


# Where a mistake is found -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("wrong_edit", 6, ("rows(name=fin_in_fin_wait_3) fits no row", "nearest")),
        ("raises", 6, ("ZeroDivisionError",)),
        ("raising_property", 13, ("the_window_is_open", "AttributeError", "snd_wnd")),
        ("wrong_expect", None, ("expect: no property 'no_deadlok'", "did you mean no_deadlock")),
        ("overlapping_rows", None, ("close and close_at_once both fit ESTABLISHED on CLOSE",)),
        ("predicate_with_and", None, ("may_close", "use &, |")),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    name: str, line: int | None, words: tuple[str, ...]
) -> None:
    file = MODEL_FILES / f"{name}.py"
    said = tcpclose("check", file)
    refused(said, *words)
    place = re.search(rf"{re.escape(str(file))}:(\d+)", said.err)
    assert place is not None, f"no {file.name}:LINE in {said.err!r}"
    assert line is None or line == int(place[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from tcpclose_model import *\nmodel = Model(\n", ("mine.py:2: ", "never closed")),
        ("x = 1\n  y = 2\n", ("mine.py:2: ", "indent")),
        ("x = 1\0\n", ("mine.py:1: ", "null bytes")),
        (b'x = "\xff"\n', ("mine.py", "UTF-8")),
        ("", ("mine.py", "no models in it", "Model(...)")),
        ("import sys\nsys.exit(0)\n", ("mine.py:2: ", "SystemExit")),
        ("def f():\n    f()\nf()\n", ("mine.py:", "RecursionError")),
        ("import no_such_module_at_all\n", ("mine.py:1: ", "no_such_module_at_all")),
        ("from tcpclose_model import *\nm = Model(a=RFC9239)\n", ("mine.py:2: ", "RFC9239")),
        ("from tcpclose_model import *\nm = Model(network=3)\n", ("mine.py:2: ", "Network(...)")),
        ("from tcpclose_model import *\nm = Model(networks=3)\n", ("mine.py:2: ", "networks")),
        ("from tcpclose_model import *\nm = Model(properties=[1])\n", ("1 is not a property",)),
        ("from tcpclose_model import *\nm = Model(properties=5)\n", ("properties", "5")),
        ("from tcpclose_model import *\nm = Model(expect=[1])\n", ("expect", "[1]")),
        (
            "from tcpclose_model import *\nm = Model(expect={'no_deadlock': 'hold'})\n",
            ("'hold' is not a verdict", "did you mean holds"),
        ),
        (
            "from tcpclose_model import *\n"
            "r = Rule('x', at='ESTABLISHED', on=Event.CLOSE, cite='none')\n"
            "m = Model(a=RFC9293.add(r, why='a slip'))\n",
            ("'x'", "ESTABLISHED"),
        ),
        (
            "from tcpclose_model import *\n"
            "p = always('No.', lambda s: s.a.state == ESTABLISHED, says=lambda s: 1 / 0)\n"
            f"m = {SMALL[:-1]}, properties=[p])\n",
            ("mine.py:2", "ZeroDivisionError"),
        ),
    ],
    ids=lambda value: "",
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    text: str | bytes, words: tuple[str, ...], tmp_path: Path
) -> None:
    said = tcpclose("check", written(tmp_path, text))
    assert 2 == said.status, said
    assert "Traceback" not in said.err
    assert [] == [word for word in words if word not in said.err], said.err


def test_a_file_without_a_model_is_refused() -> None:
    refused(tcpclose("check", MODEL_FILES / "no_models.py"), "no models in it")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tcpclose("check", tmp_path / "none.py"), "none.py: cannot be read: No such file")


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    refused(tcpclose("check", tmp_path / "folder.py"), "folder.py: cannot be read")
    refused(tcpclose("check", tmp_path), "with the ending .py")


def test_a_file_of_another_ending_is_no_model_file(tmp_path: Path) -> None:
    path = written(tmp_path, "x", "notes.txt")
    refused(tcpclose("check", path), "notes.txt", "with the ending .py")


def test_a_mistake_in_a_file_that_is_imported_is_told_with_that_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    written(tmp_path, "x = (\n", "broken_helper.py")
    path = written(tmp_path, "import os\n\nimport broken_helper\n")
    refused(tcpclose("check", path), "broken_helper.py:1", "never closed")


def test_a_mistake_leaves_nothing_behind_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "from tcpclose_model import *\nmodel = Model(\n")
    refused(process("check", path, "-o", "x.json", cwd=tmp_path), "mine.py:2")
    assert ["mine.py"] == [found.name for found in tmp_path.iterdir()]
