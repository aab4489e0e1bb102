"""Plays pairs of sockets through a relay:  python -m tests.kernel.relay_player < runs > seen

One process, in network namespaces of its own, two for each kind of host; exit status 77, with the
reason on stderr, where that is not permitted.  Runs and what was seen of them are JSON, one a line.
They are played side by side: what one waits for does not keep the others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tcpclose_model.protocol.vocabulary import Event, Segment
from tests.kernel.namespace import HOST, PEER
from tests.kernel.pair import PORTS, Host, Options, Pair
from tests.kernel.player import NOT_PERMITTED
from tests.kernel.schedule import Intent, Look, Script
from tests.kernel.segments import parsed
from tests.kernel.side_by_side import Running, side_by_side

SECONDS_MAX = 240.0
AT_ONCE_MAX = 100
"""Runs that are played side by side: with many more, timers go off that no run waits for."""
Hosts = tuple[Host, Host]
Json = Mapping[str, Any]  # Any: JSON


class RelayPlayer:
    """Plays runs side by side, each between two hosts.

    _hosts: two hosts that are set plainly, and two as Linux is by default.
    """

    def __init__(self, hosts: tuple[Hosts, Hosts]) -> None:
        self._hosts = hosts
        self._pairs: dict[tuple[bool, int], Pair] = {}
        self._begun: dict[str, tuple[Pair, Script, list[Look]]] = {}

    def play(self, runs: list[Json]) -> None:
        """Play all; what was seen of each is printed when it is done."""
        todo = [self._beginning(number, run) for number, run in enumerate(runs)]
        fds = [host.tun.fd for hosts in self._hosts for host in hosts]
        side_by_side(todo, self._done, self._read, fds, SECONDS_MAX, AT_ONCE_MAX)

    def _beginning(self, number: int, run: Json) -> Callable[[], Running]:
        def begin() -> Running:
            a_ms, b_ms = run["user_timeouts_ms"]
            options = Options(run["mss"], run["nodelay"], (a_ms, b_ms))
            kind = run["as_they_are"]
            pair = self._pairs[kind, number] = Pair(self._hosts[kind], number, options)
            pair.pump = self._read
            log: list[Look] = []
            script = Script(pair, log, run["units"], reads_at_once=run["reads_at_once"])
            plan = [
                Intent(end, Event(event), None if seg is None else Segment(*seg))
                for end, event, seg in run["plan"]
            ]
            steps = script.planned(plan) if plan else script.wandering(run["seed"])
            self._begun[run["name"]] = pair, script, log
            return Running(run["name"], pair, steps)

        return begin

    def _done(self, running: Running) -> None:
        pair, script, log = self._begun.pop(running.name)
        said = {
            "name": running.name,
            "log": log,
            "told": script.told(),
            "overflown": pair.overflown,
            "captured": [data.hex() for data in pair.captured],
            "failure": running.failure,
        }
        pair.end()
        print(json.dumps(said), flush=True)

    def _read(self) -> None:
        """Hand every packet that any kernel has sent to the pair that it belongs to."""
        for kind, hosts in enumerate(self._hosts):
            for sender, host in enumerate(hosts):
                for data in host.tun.sent():
                    packet = parsed(data)
                    if packet is not None:
                        pair = self._pairs.get((bool(kind), packet.source[1] - PORTS[sender]))
                        if pair is not None:
                            pair.take(sender, data, packet)


def _hosts(*, as_they_are: bool) -> Hosts:
    return Host(HOST, as_it_is=as_they_are), Host(PEER, as_it_is=as_they_are)


def main() -> int:
    """Play the runs on stdin and return the exit status."""
    try:
        hosts = _hosts(as_they_are=False), _hosts(as_they_are=True)
    except OSError as error:
        print(f"{error} [errno {error.errno}]", file=sys.stderr)
        return NOT_PERMITTED
    RelayPlayer(hosts).play([json.loads(line) for line in sys.stdin if line.strip()])
    return 0


if __name__ == "__main__":
    sys.exit(main())
