"""The command line as a process: encodings, hash seeds, interrupts, pipes; and what it imports."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tcpclose_model
from tests.command_line import command_of, environment, process, tcpclose

PUBLIC_NAMES = """
    Application Bounds CATALOGUE CLOSED CLOSE_WAIT CLOSING ESTABLISHED Event FIN_WAIT_1
    FIN_WAIT_2 Incarnations LAST_ACK MODELS Middlebox Model Network Otherwise Property Protocol
    RFC9293 Result Role Rule Run SWITCHES SYNCHRONIZED Segment State Step TCB TIME_WAIT Then
    Time Timers Told always becomes can_always can_always_avoiding check explore holds leads_to
    never_a_step never_stuck no_cycle_of only_after removed rows sometimes unknown vacuous
    violated
"""
PUBLIC = PUBLIC_NAMES.split()
HEAVY = "networkx rich click igraph pygraphviz PIL z3 numba numpy properties reports"


def python(program: str) -> str:
    """Return what a Python program prints, run in a process of its own."""
    command = [sys.executable, "-c", program]
    result = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert (0, "") == (result.returncode, result.stderr)
    return result.stdout


# Imports ----------------------------------------------------------------------------------------


def test_importing_the_model_loads_nothing_that_it_does_not_need() -> None:
    unwanted = HEAVY.split()
    program = f"import sys, tcpclose_model\nprint([n for n in {unwanted} if n in sys.modules])"
    assert "[]\n" == python(program)


def test_a_star_import_gives_every_public_name() -> None:
    program = f"from tcpclose_model import *\nprint([n for n in {PUBLIC} if n not in globals()])"
    assert "[]\n" == python(program)


def test_the_public_names_stay() -> None:
    assert sorted(PUBLIC) == sorted(tcpclose_model.__all__)


def test_every_public_name_has_a_type_for_those_who_check_types() -> None:
    tree = ast.parse(Path(tcpclose_model.__file__).read_text("utf-8"))
    typed = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is not None and alias.asname == alias.name
    }
    assert set(tcpclose_model.__all__) <= typed


def test_a_name_that_is_not_public_is_told() -> None:
    with pytest.raises(AttributeError, match="no name 'chekc'"):
        _ = tcpclose_model.chekc


# The same everywhere ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_output_does_not_hang_on_the_hash_seed(form: str) -> None:
    check = ("check", "freertos_1303", "linux_5_10_old_ack_fin", "--format", form)
    first, second = (process(*check, env={"PYTHONHASHSEED": seed}) for seed in ("1", "2"))
    assert 0 == first.status
    assert first == second


@pytest.mark.parametrize(
    "words",
    [
        "check table_154",
        "check freertos_1303",
        "check user_timeout --property no_half_open_end",
        "check table_154 --format json",
        "list rules",
        "list models",
        "show rfc9293_literal",
        "run normal_close",
        "run normal_close --format mermaid",
        "check --help",
    ],
)
def test_where_only_ascii_can_be_printed_every_command_still_works(words: str) -> None:
    said = process(*words.split(), env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert (0, "") == (said.status, said.err)
    assert said.out.isascii()


@pytest.mark.parametrize("end", ["dot", "graphml", "json", "mmd", "svg", "png"])
def test_where_only_ascii_can_be_printed_files_are_drawn_all_the_same(
    end: str, tmp_path: Path
) -> None:
    here, there = tmp_path / f"here.{end}", tmp_path / f"there.{end}"
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    said = process("draw", "table_154", "-o", here, env=env)
    assert 0 == said.status, said.err
    assert said.err.isascii()
    tcpclose("draw", "table_154", "-o", there)
    assert there.read_bytes() == here.read_bytes()


def test_a_message_that_is_not_ascii_is_printed_where_only_ascii_can_be() -> None:
    said = process("check", "näher", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C.UTF-8"})
    assert 2 == said.status
    assert "no model" in said.err
    assert "Traceback" not in said.err


def test_a_folder_with_packages_of_the_same_names_does_not_matter(tmp_path: Path) -> None:
    for name in ("reports", "properties"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('the wrong one')\n")
    assert 0 == process("check", "table_154", cwd=tmp_path).status


# Interrupts and pipes ---------------------------------------------------------------------------

LARGE = ("--set", "network.capacity=3", "--set", "application.data_units=2,2")


def interrupted(*arguments: str, after: float = 3.0) -> tuple[int, str, str]:
    """Return what a command says that is interrupted after some seconds."""
    started = subprocess.Popen(
        command_of(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    time.sleep(after)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    return started.returncode, out, err


@pytest.mark.linux
def test_an_interrupt_leaves_unknown_verdicts_and_the_counts_so_far() -> None:
    tcpclose("check", *LARGE, "--property", "no_deadlock", "--max-states", "1000")  # compiles
    status, out, err = interrupted("check", *LARGE, "--property", "no_deadlock")
    assert (3, "") == (status, err)
    first, _, verdict, *_ = out.splitlines()
    assert first.endswith("NOT COMPLETE (interrupted)")
    states = int(first.split(" states")[0].split()[-1].replace(",", ""))
    assert states > 100
    assert "UNKNOWN" == verdict.split()[0]
    assert "interrupted" in verdict


@pytest.mark.linux
def test_an_interrupt_while_a_run_is_looked_for_is_unknown() -> None:
    status, out, err = interrupted("run", "rfc9293", *LARGE, "--reach", "in_flight>99")
    assert (3, "") == (status, err)
    assert out.startswith("unknown: no run found in ")
    assert out.endswith("but interrupted\n")


@pytest.mark.linux
@pytest.mark.parametrize("words", ["check table_154", "list rules", "run normal_close"])
def test_a_reader_that_goes_away_is_no_unexpected_verdict(words: str) -> None:
    started = subprocess.Popen(
        command_of(*words.split()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    err = started.stderr.read().decode()
    started.stderr.close()
    assert (0, "") == (started.wait(60), err)
