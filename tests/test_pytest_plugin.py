"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from tests.command_line import environment

pytest_plugins = ["pytester"]

INSTALLED = bool(entry_points(group="pytest11", name="tcpclose"))
LOADED = () if INSTALLED else ("-p", "reports.pytest_plugin")


@pytest.fixture(autouse=True)
def _of_this_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes of a test find the packages of this repository."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])


def outcome(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    """Return how a test with this body goes."""
    pytester.makepyfile(f"def test_it(tcpclose):\n    {body}\n")
    return pytester.runpytest_subprocess("-p", "no:xdist", *LOADED)


def test_a_model_that_is_as_expected_passes(pytester: pytest.Pytester) -> None:
    said = outcome(pytester, "assert 27 == len(tcpclose('table_154').space)")
    said.assert_outcomes(passed=1)


def test_a_violation_fails_with_the_verdict_and_the_ladder(pytester: pytest.Pytester) -> None:
    said = outcome(pytester, "tcpclose('crash', 'network.capacity=1', only=['no_half_open_end'])")
    said.assert_outcomes(failed=1)
    said.stdout.fnmatch_lines(
        ["VIOLATED no_half_open_end*", "no_half_open_end: a run of*", "A CRASH*", "wrong: *"]
    )
    assert "Traceback" not in said.stdout.str()


def test_a_model_object_can_be_checked(pytester: pytest.Pytester) -> None:
    body = "from tcpclose_model import Model, Network; tcpclose(Model(), max_states=9)"
    said = outcome(pytester, body)
    said.assert_outcomes(failed=1)
    said.stdout.fnmatch_lines(["UNKNOWN *exploration is not complete*"])


def test_a_file_is_found_beside_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pytester.mkdir("sub")
    (folder / "m.py").write_text("from tcpclose_model import *\nm = Model()\n", encoding="utf-8")
    call = "tcpclose('m.py:m', 'network.capacity=1', only=['no_deadlock'])"
    test = f"def test_it(tcpclose):\n    {call}\n"
    (folder / "test_m.py").write_text(test, encoding="utf-8")
    pytester.runpytest_subprocess("-p", "no:xdist", *LOADED).assert_outcomes(passed=1)


def test_an_unusable_model_fails_without_a_traceback(pytester: pytest.Pytester) -> None:
    said = outcome(pytester, "tcpclose('table_145')")
    said.assert_outcomes(failed=1)
    said.stdout.fnmatch_lines(["tcpclose: no model 'table_145'*"])


def test_what_was_never_put_to_the_test_fails_a_strict_check(pytester: pytest.Pytester) -> None:
    body = "tcpclose('table_154', 'network.capacity=1', only=['no_silent_data_loss'], strict={})"
    outcome(pytester, body.format(False)).assert_outcomes(passed=1)
    said = outcome(pytester, body.format(True))
    said.assert_outcomes(failed=1)
    said.stdout.fnmatch_lines(["STRICT: no_silent_data_loss is vacuous*"])


def test_the_plugin_is_loaded_without_anything_of_the_program() -> None:
    program = (
        "import sys, reports.pytest_plugin\n"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in\n"
        "('numba', 'numpy', 'z3', 'networkx', 'rich', 'click', 'tcpclose_model', 'properties')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True
    )
    assert (0, "\n", "") == (done.returncode, done.stdout, done.stderr)
