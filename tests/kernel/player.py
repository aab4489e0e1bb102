"""Plays scripts against the kernel's TCP:  python -m tests.kernel.player < scripts > what was seen

One process, in a network namespace of its own (see `namespace`); exit status 77, with the reason
on stderr, where that is not permitted.  Scripts and what was seen of them are JSON, one a line.
Scripts that wait for a timer wait side by side; between two waits a script has the kernel alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from reports.sock_diag import SockDiag
from tests.kernel.connection import Connection
from tests.kernel.namespace import Tun, opened
from tests.kernel.segments import parsed
from tests.kernel.side_by_side import Running, side_by_side
from tests.kernel.steps import Noted, Wanted, play

NOT_PERMITTED = 77
SECONDS_MAX = 90.0
"""However many scripts there are, and whatever the kernel does: after that it is over."""
FRAMES_MAX = 200
"""Packets that the kernel may send within one script."""


class Player:
    """Plays scripts side by side over one TUN device."""

    def __init__(self, tun: Tun) -> None:
        self._tun = tun
        self._diag = SockDiag()
        self._by_port: dict[int, Connection] = {}
        self._logs: dict[str, list[Noted]] = {}

    def play(self, scripts: list[tuple[str, list[Wanted]]]) -> None:
        """Play all; what was seen of each is printed when it is done."""
        todo = [self._beginning(number, *script) for number, script in enumerate(scripts)]
        side_by_side(todo, self._done, self._read, [self._tun.fd], SECONDS_MAX)

    def _beginning(self, number: int, name: str, script: list[Wanted]) -> Callable[[], Running]:
        def begin() -> Running:
            port = 20_000 + number
            connection = Connection(self._tun, self._diag, port)
            connection.pump = self._read
            self._by_port[port] = connection
            log = self._logs[name] = []
            return Running(name, connection, play(connection, script, log))

        return begin

    def _done(self, running: Running) -> None:
        assert isinstance(running.on, Connection)
        running.on.end()
        log = self._logs.pop(running.name)
        said = {"name": running.name, "log": log, "failure": running.failure}
        print(json.dumps(said), flush=True)

    def _read(self) -> None:
        """Hand every packet that the kernel has sent to the connection that it belongs to."""
        for data in self._tun.sent():
            packet = parsed(data)
            if packet is None:
                continue
            connection = self._by_port.get(packet.source[1])
            if connection is not None:
                connection.take(packet)
                if connection.taken > FRAMES_MAX:
                    port = packet.source[1]
                    raise RuntimeError(f"port {port}: more than {FRAMES_MAX} packets")


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
