"""The benchmarks run, and everyone finds the same counts; what they measure is not tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.contender import Contender, Found, Ready, Score, disagreements, score
from benchmarks.instances import OTHERS, TINY, Instance
from benchmarks.missing import Missing
from benchmarks.spin import HAND_WRITTEN, by_hand
from reports.exports.promela import promela
from tcpclose_model.search import explore, has_fast_engine
from tests import spin

ROOT = Path(__file__).resolve().parent.parent
SMALL_STATES = 50_000
FOR_SPIN = [size for size in OTHERS if size.states < 300_000]


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a benchmark in the project's folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_benchmark_prints_a_line_for_each_model() -> None:
    done = program("benchmarks/explore.py", "table_154", "freertos_1303")
    assert 0 == done.returncode, done.stderr
    assert ["model", "table_154", "freertos_1303"] == [
        line.split()[0] for line in done.stdout.splitlines()
    ]


@pytest.mark.parametrize("size", [TINY, *OTHERS], ids=lambda size: str(size.words))
def test_the_fixed_instance_has_its_pinned_counts(size: Instance) -> None:
    if size.states > SMALL_STATES and not has_fast_engine():
        pytest.skip("the extra `fast` is not installed")
    engine = "fast" if size.states > SMALL_STATES else "plain"
    space = explore(size.model, engine=engine)
    assert (size.states, size.steps) == (len(space), space.transitions)


@pytest.mark.skipif(bool(spin.MISSING), reason=f"not installed: {spin.MISSING}")
@pytest.mark.parametrize("size", FOR_SPIN, ids=lambda size: str(size.words))
def test_the_model_written_by_hand_has_the_same_counts(size: Instance, tmp_path: Path) -> None:
    text = HAND_WRITTEN.read_text(encoding="utf-8")
    define = tuple(option.removeprefix("-D") for option in by_hand(size))
    found = spin.run(text, tmp_path, states=size.states, define=define)
    assert (size.states, size.steps + 1, 0) == (found.states, found.transitions, found.errors)


@pytest.mark.skipif(bool(spin.MISSING), reason=f"not installed: {spin.MISSING}")
@pytest.mark.parametrize("search", ["", "BFS", "BFS_PAR"])
def test_the_exported_model_has_the_same_counts(search: str, tmp_path: Path) -> None:
    found = spin.run(promela(TINY.model), tmp_path, states=TINY.states, breadth_first=search)
    assert (TINY.states, TINY.steps + 1, 0) == (found.states, found.transitions, found.errors)


def test_one_command_compares_all_contenders_and_finds_no_difference() -> None:
    done = program("-m", "benchmarks.compare", "--quick")
    assert (0, "") == (done.returncode, done.stderr if done.returncode else "")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in done.stdout.splitlines()]
    assert "ours, the plain engine" in rows
    assert ("ours, 1 thread" in rows) == has_fast_engine()
    assert ("SPIN, by hand, depth first" in rows) == (not spin.MISSING)
    assert "### Growth with K, D and R" in done.stdout


def contender(program: str, found: Found, *, ours: bool = False) -> Contender:
    """Return a contender that runs a Python program and is taken to say `found`."""
    command = (sys.executable, "-c", program)
    return Contender("it", lambda size, folder: Ready(command, folder), lambda _: found, ours)


def test_a_count_that_is_not_the_pinned_one_is_an_error(tmp_path: Path) -> None:
    right = score(contender("", Found(TINY.states, TINY.steps)), TINY, tmp_path / "right")
    wrong = score(contender("", Found(TINY.states, TINY.steps + 1)), TINY, tmp_path / "wrong")
    assert ["it on D=1 K=1 R=1, FIFO: 36,479 steps, not 36,478"] == disagreements([right, wrong])


def test_verdicts_that_differ_are_an_error(tmp_path: Path) -> None:
    scores = [
        score(contender("", Found(answer=answer)), TINY, tmp_path / answer)
        for answer in ("holds", "violated")
    ]
    assert 2 == len(disagreements(scores))


@pytest.mark.parametrize("ours", [True, False])
def test_only_ours_must_not_break_down(tmp_path: Path, ours: bool) -> None:
    broken = score(contender("raise SystemExit('no')", Found(), ours=ours), TINY, tmp_path / "it")
    assert broken.failed
    assert broken.missing.endswith("ended with 1: no")
    assert ours == bool(disagreements([broken]))


def test_a_contender_that_is_missing_is_passed_over_with_the_reason(tmp_path: Path) -> None:
    def prepare(size: Instance, folder: Path) -> Ready:
        raise Missing("it is not installed")

    missing = score(Contender("it", prepare, lambda _: Found()), TINY, tmp_path / "it")
    assert ("it is not installed", False) == (missing.missing, missing.failed)
    assert [] == disagreements([missing])


def test_memory_and_processor_time_are_those_of_the_process(tmp_path: Path) -> None:
    busy = "import time\nx = bytearray(1 << 27)\nwhile time.process_time() < 0.3: pass"
    found: Score = score(contender(busy, Found()), TINY, tmp_path / "it")
    assert found.peak_bytes > 1 << 27
    assert 0.3 <= found.cpu_seconds < 3
    assert found.cpu_seconds <= found.seconds * 1.5


def test_the_tables_are_written_between_their_marks() -> None:
    document = compare.DOCUMENT.read_text(encoding="utf-8")
    once = compare.written(document, ["a table"])
    assert f"{compare.BEGIN}\na table\n{compare.END}\n" in once
    assert compare.written(once, ["a table"]) == once
