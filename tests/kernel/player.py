"""Plays scripts against the kernel's TCP:  python -m tests.kernel.player < scripts > what was seen

One process, in a network namespace of its own (see `namespace`); exit status 77, with the reason
on stderr, where that is not permitted.  Scripts and what was seen of them are JSON, one a line.
Scripts that wait for a timer wait side by side; between two waits a script has the kernel alone.
"""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from reports.sock_diag import SockDiag
from tests.kernel.connection import Connection
from tests.kernel.namespace import Tun, opened
from tests.kernel.segments import parsed
from tests.kernel.steps import Noted, Wanted, play

NOT_PERMITTED = 77
SECONDS_MAX = 90.0
"""However many scripts there are, and whatever the kernel does: after that it is over."""
FRAMES_MAX = 200
"""Packets that the kernel may send within one script."""


@dataclass
class Running:
    """A script that is being played: it goes on once a packet has come, or it is time."""

    name: str
    connection: Connection
    steps: Iterator[float]
    until: float = 0.0
    log: list[Noted] = field(default_factory=list)
    failure: str = ""


class Player:
    """Plays scripts side by side over one TUN device."""

    def __init__(self, tun: Tun) -> None:
        self._tun = tun
        self._diag = SockDiag()
        self._by_port: dict[int, Running] = {}
        self._deadline = time.monotonic() + SECONDS_MAX

    def play(self, scripts: list[tuple[str, list[Wanted]]]) -> None:
        """Play all; what was seen of each is printed when it is done."""
        waiting: list[Running] = []
        todo = list(enumerate(scripts))[::-1]
        while (todo or waiting) and time.monotonic() < self._deadline:
            self._read()
            ready = [one for one in waiting if one.connection.inbox or one.until <= _now()]
            if ready:
                running = min(ready, key=lambda one: one.until)
                waiting.remove(running)
            elif todo:
                running = self._started(*todo.pop())
            else:
                self._wait(min(one.until for one in waiting))
                continue
            if self._goes_on(running):
                waiting.append(running)
        for running in waiting:
            running.failure = "the time for all scripts was over"
            self._done(running)

    def _started(self, number: int, script: tuple[str, list[Wanted]]) -> Running:
        name, wanted = script
        port = 20_000 + number
        connection = Connection(self._tun, self._diag, port)
        log: list[Noted] = []
        running = Running(name, connection, play(connection, wanted, log), log=log)
        connection.pump = self._read
        self._by_port[port] = running
        return running

    def _goes_on(self, running: Running) -> bool:
        """Let a script go on; return whether it waits for something again."""
        try:
            running.until = next(running.steps)
        except StopIteration:
            self._done(running)
            return False
        except (OSError, RuntimeError) as error:
            running.failure = f"{type(error).__name__}: {error}"
            self._done(running)
            return False
        return True

    def _done(self, running: Running) -> None:
        running.connection.end()
        said = {"name": running.name, "log": running.log, "failure": running.failure}
        print(json.dumps(said), flush=True)

    def _read(self) -> None:
        """Hand every packet that the kernel has sent to the script that it belongs to."""
        for data in self._tun.sent():
            packet = parsed(data)
            if packet is None:
                continue
            running = self._by_port.get(packet.source[1])
            if running is not None:
                running.connection.take(packet)
                if running.connection.taken > FRAMES_MAX:
                    raise RuntimeError(f"{running.name}: more than {FRAMES_MAX} packets")

    def _wait(self, until: float) -> None:
        until = min(until, self._deadline)
        select.select([self._tun.fd], [], [], max(0.0, until - _now()))


def _now() -> float:
    return time.monotonic()


def main() -> int:
    """Play the scripts on stdin and return the exit status."""
    try:
        tun = opened()
    except OSError as error:
        print(f"{error} [errno {error.errno}]", file=sys.stderr)
        return NOT_PERMITTED
    scripts = [json.loads(line) for line in sys.stdin if line.strip()]
    player = Player(tun)
    player.play([(one["name"], [Wanted.of(event) for event in one["events"]]) for one in scripts])
    return 0


if __name__ == "__main__":
    sys.exit(main())
