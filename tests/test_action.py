"""action.yml: it has the shape that GitHub reads, and its steps do what they are for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.command_line import ROOT, environment

TEXTS = {"type": "object", "additionalProperties": {"type": ["string", "boolean", "number"]}}
STEP = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("id", "name", "if", "run", "uses")},
        "shell": {"enum": ["bash", "sh", "pwsh", "python"]},
        "env": TEXTS,
        "with": TEXTS,
        "working-directory": {"type": "string"},
        "continue-on-error": {"type": ["boolean", "string"]},
    },
    "oneOf": [{"required": ["run", "shell"]}, {"required": ["uses"], "not": {"required": ["run"]}}],
    "additionalProperties": False,
}
INPUT = {
    "type": "object",
    "properties": {
        "description": {"type": "string"},
        "required": {"type": "boolean"},
        "default": {"type": "string"},
    },
    "required": ["description"],
    "additionalProperties": False,
}
ACTION = {
    "type": "object",
    "properties": {
        **{name: {"type": "string", "minLength": 1} for name in ("name", "author", "description")},
        "inputs": {
            "type": "object",
            "patternProperties": {"^[_a-zA-Z][a-zA-Z0-9_-]*$": INPUT},
            "additionalProperties": False,
        },
        "outputs": {"type": "object"},
        "branding": {"type": "object"},
        "runs": {
            "type": "object",
            "properties": {
                "using": {"const": "composite"},
                "steps": {"type": "array", "items": STEP, "minItems": 1},
            },
            "required": ["using", "steps"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "description", "runs"],
    "additionalProperties": False,
}
"""What GitHub's page on the metadata of actions allows in a composite action."""


@cache
def action() -> dict[str, Any]:
    """Return action.yml as it is read."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return read


def step(name: str) -> dict[str, Any]:
    """Return the step of that name."""
    found: dict[str, Any] = next(s for s in action()["runs"]["steps"] if s.get("name") == name)
    return found


def test_the_action_has_the_shape_that_github_reads() -> None:
    jsonschema.validate(action(), ACTION)


def test_a_step_without_a_shell_would_be_refused() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"run": "true"}, STEP)


def test_no_input_stands_in_the_text_of_a_script() -> None:
    scripts = [one["run"] for one in action()["runs"]["steps"] if "run" in one]
    assert 4 == len(scripts)
    assert not any("${{" in script for script in scripts)


def test_every_input_reaches_a_step() -> None:
    text = repr(action()["runs"])
    assert [] == [name for name in action()["inputs"] if f"inputs.{name}" not in text]


def test_the_action_asks_for_no_token() -> None:
    assert "token" not in repr(action()["runs"])


MODEL = """from tcpclose_model import *

table = RFC9293
mine = Model(a=table, b=table, network=Network(loss=False), timers=Timers(retransmission="none"),
             application=Application(data_units=(0, 0)))
"""
EDITED = MODEL.replace(
    "table = RFC9293\n",
    'table = RFC9293.edit(rows(name="fin_in_established"), removed(), why="takes no FIN")\n',
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a repository whose last commit edits mine.py, and the steps' tools."""
    top = tmp_path_factory.mktemp("runner")
    tool = top / "temp" / "tcpclose" / "bin" / "tcpclose"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tcpclose_model "$@"\n', "utf-8")
    tool.chmod(0o755)
    folder = top / "checkout"
    folder.mkdir()
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "trunk"], check=True)
    for text in (MODEL, EDITED):
        (folder / "mine.py").write_text(text, encoding="utf-8")
        if text == MODEL:
            command = [str(tool), "baseline", "write", "mine.baseline", "mine.py"]
            subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "a commit"], check=True)
    return top


@pytest.fixture
def checkout(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that repository, beside the tools."""
    shutil.copytree(made, tmp_path / "runner")
    return tmp_path / "runner" / "checkout"


def ran(folder: Path, name: str, **given: str) -> tuple[int, str, str]:
    """Return the exit status, the output and the summary of a step, run as GitHub's runner does."""
    summary = folder.parent / "summary.md"
    variables = {"RUNNER_TEMP": str(folder.parent / "temp"), "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)["run"]],
        cwd=folder,
        env=environment(**variables, **given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert given.keys() == step(name)["env"].keys()
    said = summary.read_text(encoding="utf-8") if summary.exists() else ""
    return done.returncode, done.stdout + done.stderr, said


@pytest.mark.linux
def test_the_step_that_checks_fails_and_annotates_the_model(checkout: Path) -> None:
    status, out, summary = ran(checkout, "Check", MODELS="\nmine.py\n", STRICT="false")
    assert 1 == status
    assert "::error file=mine.py,line=4,title=mine%3A no_deadlock" in out
    assert summary.startswith("## tcpclose check\n")


@pytest.mark.linux
def test_the_step_of_the_baseline_fails_and_annotates_the_row(checkout: Path) -> None:
    status, out, summary = ran(checkout, "Baseline", BASELINE="mine.baseline")
    assert 1 == status
    assert "::error file=mine.py,line=3,title=mine.py%3Amine%3A row fin_in_established" in out
    assert "```mermaid" in summary


@pytest.mark.linux
def test_the_step_that_compares_informs_and_does_not_fail(checkout: Path) -> None:
    status, out, summary = ran(checkout, "Compare", FILES="mine.py\nother.py", BASE="HEAD~1")
    assert 0 == status
    assert "::warning file=mine.py,line=3,title=mine@HEAD~1 -> mine@HEAD%3A row " in out
    assert "::notice::other.py is not in HEAD~1" in out
    assert summary.startswith("## tcpclose diff\n")


@pytest.mark.linux
def test_a_comparison_that_fails_is_no_difference(checkout: Path) -> None:
    (checkout / "mine.py").write_text("broken(", encoding="utf-8")
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "commit", "-q", "-a", "-m", "broken"], check=True)
    status, out, _ = ran(checkout, "Compare", FILES="mine.py", BASE="HEAD~1")
    assert 1 == status
    assert "tcpclose: at HEAD: mine.py:1: " in out
