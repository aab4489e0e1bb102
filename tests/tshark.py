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
SECONDS_MAX = 120


def packets(file: Path, *fields: str) -> list[dict[str, str]]:
    """Return the fields of every packet of a file, as tshark names and writes them."""
    named = [word for field in fields for word in ("-e", field)]
    lines = _output(file, "-T", "fields", "-E", "separator=\t", *named).splitlines()
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in lines]


def matching(file: Path, condition: str) -> list[int]:
    """Return the numbers of the packets that fit a display filter, from 1."""
    text = _output(file, "-Y", condition, "-T", "fields", "-e", "frame.number")
    return [int(line) for line in text.splitlines()]


def _output(file: Path, *options: str) -> str:
    command = ["tshark", "-r", str(file), *CHECKS, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
