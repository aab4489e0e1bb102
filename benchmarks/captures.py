"""How long `tcpclose conform` takes for a capture, beside tshark:  python benchmarks/captures.py

The capture is made here, of 100,000 packets or as many as the argument says: connections of every
length, a fifth of them with text that is repeated, closed in one of four ways.  tshark sums up the
conversations of the same file (`tshark -q -z conv,tcp`), where it is installed.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

TURNS = 5
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from tests.wire import ACK, FIN, RST, SYN, Sent, ipv4, pcap  # noqa: E402  # after the path is set


def connection(number: int) -> list[Sent]:
    """Return the segments of one connection; its number chooses its length and how it closes."""
    segs = [Sent(0, 0, 0, SYN), Sent(1, 0, 1, SYN | ACK), Sent(0, 1, 1)]
    at = 1
    for _ in range(number % 13):
        segs.append(Sent(1, at, 1, ACK, 1448))
        at += 1448
        if number % 5 == 0:
            segs.append(segs[-1])
        segs.append(Sent(0, 1, at))
    fin = [Sent(0, 1, at, FIN | ACK), Sent(1, at, 2), Sent(1, at, 2, FIN | ACK), Sent(0, 2, at + 1)]
    crossed = [fin[0], Sent(1, at, 1, FIN | ACK), Sent(0, 2, at + 1), Sent(1, at + 1, 2)]
    ways = [fin, [fin[0], *fin[2:]], crossed, [Sent(0, 1, at, RST | ACK)]]
    return segs + ways[number % 4]


def packets(count: int) -> Iterator[bytes]:
    """Return so many packets of one connection after another."""
    made, number = 0, 0
    while made < count:
        for seg in connection(number):
            if made < count:
                made += 1
                yield ipv4(seg, (number * 7919, number * 104_729), 1024 + number % 60_000)
        number += 1


def seconds(commands: list[list[str]]) -> list[float]:
    """Return the least time that each command takes, in seconds; their output is thrown away.

    They take turns, so that what else the machine does meets all of them.  Python keeps what it has
    compiled, as it does for whoever installs the package.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    least = [math.inf] * len(commands)
    for _ in range(TURNS):
        for number, command in enumerate(commands):
            start = time.perf_counter()
            subprocess.run(
                command,
                cwd=ROOT,
                env=kept,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
            )
            least[number] = min(least[number], time.perf_counter() - start)
    return least


def main() -> None:
    """Print how long each takes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.pcap"
        file.write_bytes(pcap(packets(count)))
        commands = [[sys.executable, "-m", "tcpclose_model", "conform", str(file)]]
        tshark = shutil.which("tshark")
        if tshark:
            commands.append([tshark, "-n", "-q", "-z", "conv,tcp", "-r", str(file)])
        print(f"{count:,} packets, {file.stat().st_size / 1e6:.1f} MB, the least of {TURNS} runs")
        own, *others = seconds(commands)
        print(f"tcpclose conform          {own:6.2f} s")
        for other in others:
            print(f"tshark -q -z conv,tcp     {other:6.2f} s, {other / own:.2f} times as long")
        if not tshark:
            print("tshark is not installed")


if __name__ == "__main__":
    main()
