"""`tcpclose interop`: different tables at the two ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from properties.verdict import Answer
from reports.interop import interop_scene, pairs
from reports.maps import LOOKS
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tests.command_line import ROOT, once, refused, tcpclose

SMALL = ("--in", "table_154", "--set", "application.crashes=false,false")
PAIRS = ("interop", "rfc9293,no_time_wait", "--with", "rfc9293,freertos_1303", *SMALL)


def test_the_matrix_names_what_each_pair_violates() -> None:
    said = once(*PAIRS)
    assert 0 == said.status
    assert "A, B:         rfc9293  freertos_1303" == said.lines[1]
    assert said.lines[2].startswith("rfc9293       +")
    assert "X 1" in said.lines[2]
    assert any(line.startswith("1: ") for line in said.lines)


def test_the_json_has_every_verdict_of_every_pair() -> None:
    document = json.loads(once(*PAIRS, "--format", "json").out)
    assert "tcpclose/interop/1" == document["schema"]
    assert 4 == len(document["pairs"])
    clean, wrong = document["pairs"][:2]
    assert ([], "holds") == (clean["broken"], clean["verdicts"]["no_deadlock"])
    assert "violated" in {wrong["verdicts"][name] for name in wrong["broken"]}


def test_a_pair_of_the_same_table_is_the_model_itself() -> None:
    document = json.loads(
        once("interop", "linux", "--with", "linux", "--in", "linux", "--format", "json").out
    )
    check = json.loads(once("check", "linux", "--format", "json").out)
    (pair,), (run,) = document["pairs"], check["runs"]
    assert run["states"] == pair["states"]
    assert {p["name"]: p["verdict"] for p in run["properties"]} == pair["verdicts"]


def test_a_table_that_one_end_alone_has_is_the_one_that_is_meant() -> None:
    # linger_0 is a model whose B follows the standard.
    at_a, at_b = (
        json.loads(once("interop", *names, "--in", "table_154", "--format", "json").out)["pairs"][0]
        for names in (("linger_0", "--with", "rfc9293"), ("rfc9293", "--with", "linger_0"))
    )
    assert (at_a["states"], at_a["verdicts"]) == (at_b["states"], at_b["verdicts"])
    plain = json.loads(once("check", "table_154", "--format", "json").out)["runs"][0]
    assert plain["states"] != at_b["states"]


BOTH = """from tcpclose_model import *

hasty = RFC9293.edit(rows(to=TIME_WAIT), becomes(to=CLOSED), count=2, why="no 2MSL")
sloppy = RFC9293.edit(rows(name="fin_in_established"), removed(), why="it takes no FIN")
ours = Model(a=hasty, b=sloppy)
hasty_everywhere = Model(a=hasty, b=hasty)
sloppy_everywhere = Model(a=sloppy, b=sloppy)
"""


def test_a_model_with_two_edited_tables_gives_each_end_its_own(tmp_path: Path) -> None:
    file = tmp_path / "both.py"
    file.write_text(BOTH, encoding="utf-8")
    ours, hasty, sloppy = (
        json.loads(
            tcpclose(
                *("interop", f"{file}:{a}", "--with", f"{file}:{b}"),
                *("--in", "table_154", "--format", "json"),
            ).out
        )["pairs"][0]
        for a, b in (
            ("ours", "ours"),
            ("hasty_everywhere", "sloppy_everywhere"),
            ("sloppy_everywhere", "hasty_everywhere"),
        )
    )
    counts = [pair["states"] for pair in (ours, hasty, sloppy)]
    assert (ours["verdicts"], counts[0]) == (hasty["verdicts"], counts[1])
    assert "violated" in ours["verdicts"].values()


@pytest.mark.parametrize("ending", [".svg", ".png", ".json", ".md", ".txt"])
def test_the_matrix_is_written_as_the_ending_says(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"matrix{ending}"
    said = tcpclose("interop", "rfc9293", "--with", "rfc9293", *SMALL, "-o", file)
    assert (0, "") == (said.status, said.out)
    assert file.stat().st_size > 100


def test_the_picture_has_a_square_for_each_pair() -> None:
    names = ("rfc9293", "freertos_1303")
    base = with_parameters(model_named("table_154"), ["application.crashes=false,false"])
    scene = interop_scene(list(pairs(names, names, base, {})), base)
    fills = [getattr(shape, "fill", "") for shape in scene.shapes]
    legend = 1
    assert legend + 1 == fills.count(LOOKS[Answer.HOLDS].fill)
    assert legend + 3 == fills.count(LOOKS[Answer.VIOLATED].fill)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    refused(tcpclose("interop", "linux", "--with", "linux", "-o", tmp_path / "m.pdf"), ".svg")


def test_a_limit_that_was_hit_is_unknown() -> None:
    said = tcpclose(*PAIRS, "--max-states", "5")
    assert 3 == said.status
    assert "?" in said.out


@pytest.mark.parametrize("names", [("table_145", "--with", "linux"), (",", "--with", "linux")])
def test_a_name_that_is_none_is_refused(names: tuple[str, ...]) -> None:
    refused(tcpclose("interop", *names), "model")


def test_the_page_has_the_matrix_that_the_command_prints() -> None:
    # The whole page is written by docs/make_interop.py; here one line of it is found again.
    said = once(
        "interop", "linux", "--with", "linux,freebsd", "--in", "linux", "--format", "markdown"
    )
    page = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
    line = next(line for line in said.lines if line.startswith("| linux |"))
    rows = [row for row in page.splitlines() if row.startswith("| linux |")]
    assert "| linux | + | + |" == line
    assert rows[0].split("|")[3:5] == line.split("|")[2:4]
