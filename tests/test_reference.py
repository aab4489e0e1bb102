"""docs/reference.md is what docs/make_reference.py writes, and leaves nothing out."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tcpclose_model
from properties.catalogue import CATALOGUE
from reports.cli import cli
from reports.scenarios import SCENARIOS
from tcpclose_model.model import Model, parameters
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.catalogue import MODELS
from tcpclose_model.variants.switches import SWITCHES
from tests.command_line import ROOT

TEXT = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
NAMES = {
    "commands": [f"### `tcpclose {name}" for name in cli.commands],
    "parameters": [f"| `{name}` |" for name in parameters(Model())],
    "switches": [f"| `{name}` |" for name in SWITCHES],
    "properties": [f"### `{prop.name}`" for prop in CATALOGUE],
    "rules": [f"| `{rule.name}` |" for rule in RFC9293.rules],
    "models": [f"### `{name}`" for name in MODELS],
    "runs": [f"| `{name}` |" for name in SCENARIOS],
    "exit statuses": [f"| {status} |" for status in (0, 1, 2, 3, 70)],
}


def test_the_committed_reference_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "" == result.stderr
    assert 0 == result.returncode, "run: python docs/make_reference.py"


@pytest.mark.parametrize("kind", NAMES)
def test_the_reference_names_everything(kind: str) -> None:
    assert [] == [name for name in NAMES[kind] if name not in TEXT]


def test_the_reference_names_every_public_python_name() -> None:
    python = TEXT.split("\n## Python\n")[1]
    starts = ("\n{}(", "\nclass {}\n", "| `{}` |")
    missing = [
        name
        for name in tcpclose_model.__all__
        if not any(start.format(name) in python for start in starts)
    ]
    assert [] == missing
