"""`diagnose --live` in a namespace that has one connection, whose peer is played by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.command_line import ROOT, environment
from tests.kernel.comparison import not_permitted

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(bool(not_permitted()), reason=not_permitted() or "it is permitted"),
]

SCRIPT = """
import sys
from reports.cli import main
from reports.sock_diag import SockDiag
from tests.kernel.connection import Connection
from tests.kernel.namespace import opened
from tests.kernel.segments import Seen, parsed

tun = opened()
one = Connection(tun, SockDiag(), 20000)
one.pump = lambda: [one.take(packet) for data in tun.sent() if (packet := parsed(data))]
one.open(0)
one.arrive(Seen("F.", 1, 0, 1))
status = main(["diagnose", "--live", "--fail-on", "close-wait"])
print("exit", status, [m for m in ("z3", "numba") if m in sys.modules])
"""


def test_a_connection_in_close_wait_is_explained_with_its_owner() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert "exit 1 []" in done.stdout, done.stderr
    assert "1 sockets: 1 CLOSE-WAIT" in done.stdout
    assert "192.0.2.1:20000 -> 192.0.2.2:8080" in done.stdout
    assert "held by python" in done.stdout
    assert "(pid " in done.stdout
