"""Reads a capture file with tshark, Wireshark's own dissectors."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="tshark is not installed (the package of that name)"
)

CHECKS = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
FLAGS = {"True": "1", "False": "0"}
SECONDS_MAX = 120


def packets(file: Path, *fields: str) -> list[dict[str, str]]:
    """Return the fields of every packet of a file, as tshark names and writes them.

    A flag is "1" or "0", as older versions write it; newer ones write "True" or "False".
    """
    named = [word for field in fields for word in ("-e", field)]
    lines = _output(file, "-T", "fields", "-E", "separator=\t", *named).splitlines()
    rows = ([FLAGS.get(value, value) for value in line.split("\t")] for line in lines)
    return [dict(zip(fields, row, strict=True)) for row in rows]


def matching(file: Path, condition: str) -> list[int]:
    """Return the numbers of the packets that fit a display filter, from 1."""
    text = _output(file, "-Y", condition, "-T", "fields", "-e", "frame.number")
    return [int(line) for line in text.splitlines()]


def _output(file: Path, *options: str) -> str:
    command = ["tshark", "-r", str(file), *CHECKS, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
