"""The benchmark runs, and finds the two searches equal; what it measures is not tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parent.parent / "benchmarks" / "explore.py"


def test_the_benchmark_prints_a_line_for_each_model() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "table_154", "freertos_1303"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ["model", "table_154", "freertos_1303"] == [
        line.split()[0] for line in done.stdout.splitlines()
    ]
