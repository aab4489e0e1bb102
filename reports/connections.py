"""The TCP connections of a capture, followed as it is read; the table of them is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reports.observer import Seen
from reports.packets import ACK, FIN, RST, SYN, URG, End, Packet, ends_in, turned
from reports.situations import Start
from reports.watching import Given, Watch

CONNECTIONS_MAX = 65_536
ALL, HALF = 0xFFFF_FFFF, 0x8000_0000
FAR = 65_535
"""Octets between two numbers of one direction that are more than a window apart without scaling.

Linux begins a connection that replaces one in TIME-WAIT so far behind its numbers, at least.
"""
RARE = SYN | FIN | RST | URG | ACK


class Direction:
    """What one end has sent, and acknowledged; its numbers count from the first that was seen.

    known: whether there is one; base: that number on the wire; syn: the initial sequence number.
    nxt: behind the last number that was seen; seen: how many packets.
    acked: the last number of its peer that it has acknowledged; ack: its last ACK without text.
    shut: the window that it offers is zero.  lost: what `nxt` was when it last sent text again.
    """

    __slots__ = ("ack", "acked", "base", "known", "lost", "nxt", "seen", "shut", "syn")

    def __init__(self) -> None:
        self.seen = 0
        self.nxt = 0
        self.base = 0
        self.known = self.shut = False
        self.lost: int | None = None
        self.syn: int | None = None
        self.acked: int | None = None
        self.ack: tuple[int, int] | None = None

    def unwrapped(self, number: int) -> int:
        """Return a 32-bit number of this direction as the integer nearest to the latest one."""
        if not self.known:
            self.known, self.base = True, number
        near = self.nxt
        return near + ((number - self.base - near + HALF) & ALL) - HALF


class Connection:
    """What is known of one connection; `watch` follows it once its close has begun.

    key: the addresses and ports of its first packet.
    gap: a FIN may be among what was not captured.
    reopened: there was a connection on the same ports before.  half_open: the peer still held it.
    """

    __slots__ = (
        "_origin",
        "_settled",
        "closed_window",
        "directions",
        "first",
        "gap",
        "half_open",
        "key",
        "last",
        "opened",
        "refused",
        "reopened",
        "urgent",
        "watch",
    )

    def __init__(self, key: bytes, number: int) -> None:
        self.key = key
        self.first = self.last = number
        self.directions = (Direction(), Direction())
        self.opened = self.refused = self.reopened = self.half_open = False
        self.gap = False
        self.closed_window = self.urgent = False
        self.watch: Watch | None = None
        self._origin = (0, 0)
        self._settled = False  # opened, the numbers of both directions known, no close yet

    @property
    def ends(self) -> tuple[End, End]:
        """The addresses and ports of A and B."""
        return ends_in(self.key)

    @property
    def packets(self) -> int:
        """How many packets were seen."""
        return self.directions[0].seen + self.directions[1].seen

    def take(self, number: int, side: int, packet: Packet, begin: Callable[[Start], Watch]) -> None:
        """Take the connection's next packet into account."""
        self.last = number
        own, peer = self.directions if side == 0 else self.directions[::-1]
        own.seen += 1
        _, seq, ack, length, flags, window = packet
        if flags & RARE == ACK and self._settled and seq == (own.base + own.nxt) & ALL:
            lag = (peer.base + peer.nxt - ack) & ALL
            if lag < HALF:  # next in order, and what it acknowledges was seen: most packets are so
                acked = peer.nxt - lag
                own.shut = not window
                if own.acked is None or acked > own.acked:
                    own.acked = acked
                if length:
                    own.nxt += length
                else:
                    own.ack = own.nxt, acked
                return
        start = own.unwrapped(seq)
        if flags & SYN:
            own.syn = seq
            own.nxt = max(own.nxt, start + 1)
            if flags & ACK:
                own.acked = peer.unwrapped(ack)
            return
        if flags & URG:
            self.urgent = True
        reached = peer.unwrapped(ack) if flags & ACK else None
        if flags & RST and self.watch is None and self._resets_another(own, peer, start):
            self.half_open = self.refused = True
        elif flags & RST and not self.opened and self.watch is None:
            self.refused = True
        elif (
            flags & (FIN | RST)
            or self.watch is not None
            or self._hides_a_fin(own, peer, start, reached, length)
        ):
            self._close(number, side, (start, reached), packet, begin)
        else:
            self.opened = True
            self._settled = own.known and peer.known
            own.shut = not window
            if length and start < own.nxt:
                own.lost = own.nxt
            if reached is not None:
                if own.acked is None or reached > own.acked:
                    own.acked = reached
                if not length:
                    own.ack = start, reached
        if start + length > own.nxt and not flags & RST:
            own.nxt = start + length

    def _resets_another(self, own: Direction, peer: Direction, start: int) -> bool:
        """Return whether a reset is for the connection that the peer holds, and not for this one.

        An end in SYN-SENT answers so where its SYN is answered with an ACK of other numbers.
        """
        return own.syn is not None and peer.syn is None and abs(start - own.nxt) > FAR

    def _hides_a_fin(
        self, own: Direction, peer: Direction, start: int, acked: int | None, length: int
    ) -> bool:
        """Return whether a packet counts one number that was not seen, which may be a FIN's."""
        if not self.opened and (own.syn is None or peer.syn is None):
            self.gap = True
            return False
        missing = 0 if length else start - own.nxt
        if acked is not None and acked - peer.nxt > missing and peer.seen:
            missing = acked - peer.nxt
        if missing > 1:
            self.gap = True
        return missing == 1

    def _close(
        self,
        number: int,
        side: int,
        counts: tuple[int, int | None],
        packet: Packet,
        begin: Callable[[Start], Watch],
    ) -> None:
        """Take a packet of the closing phase into account; counts: its numbers, unwrapped."""
        _, _, _, length, flags, window = packet
        start, reached = counts
        if self.watch is None:
            self._settled = False
            self.watch = begin(self._begun(side, start, reached, fin=bool(flags & FIN)))
        seq = start - self._origin[side]
        ack = 0 if reached is None else reached - self._origin[1 - side]
        if flags & RST:
            given = Given(number, side, Seen(seq, ack, rst=1), bare=not flags & ACK)
        else:
            self.closed_window |= not window
            seg = Seen(seq, ack, length, flags & FIN)
            given = Given(number, side, seg, shut=not window)
        self.watch.observe(given)

    def _begun(self, side: int, start: int, reached: int | None, *, fin: bool) -> Start:
        """Return how the close begins: numbers are relative to what was sent before it."""
        ends = self.directions
        if fin:
            ends[side].nxt = max(ends[side].nxt, start)
            self.gap |= reached is not None and reached > ends[1 - side].nxt
        acked: list[int] = []
        for end, peer in ((0, ends[1]), (1, ends[0])):
            known = ends[end].acked
            if end == side and reached is not None:
                known = reached if known is None else min(known, reached)
            if known is None:  # its ACKs were not captured: it may have received nothing yet
                self.gap |= peer.syn is None
                known = int(peer.syn is not None)
            if fin or end != side:
                peer.nxt = max(peer.nxt, known)
            else:
                known = min(known, peer.nxt)
            acked.append(known)
        a, b = self._origin = ends[0].nxt, ends[1].nxt
        acks = (_relative(ends[0].ack, a, b), _relative(ends[1].ack, b, a))
        shut, lost = (ends[0].shut, ends[1].shut), (ends[0].lost == a, ends[1].lost == b)
        return Start((acked[0] - b, acked[1] - a), acks, shut, lost)


def _relative(ack: tuple[int, int] | None, own: int, peer: int) -> Seen | None:
    return None if ack is None else Seen(ack[0] - own, ack[1] - peer)


class Follower:
    """Finds the connections in a stream of packets; each is handed out when it is over.

    The table holds `limit` connections: when it is full, those that have been silent longest are
    handed out as they are, and counted in `dropped`.
    """

    def __init__(self, begin: Callable[[Start], Watch], limit: int = CONNECTIONS_MAX) -> None:
        self._begin = begin
        self._limit = limit
        self._table: dict[bytes, tuple[Connection, int]] = {}
        self.dropped = 0

    def take(self, number: int, packet: Packet) -> Sequence[Connection]:
        """Take the next packet into account; return the connections that are over by it."""
        found = self._table.get(packet.ends)
        if found is not None and not (packet.flags & SYN and _is_over(*found, packet)):
            found[0].take(number, found[1], packet, self._begin)
            return ()
        over = [] if found is None else [found[0]]
        if found is None and len(self._table) >= 2 * self._limit:
            over += self._silent_longest()
        connection = Connection(packet.ends, number)
        connection.reopened = found is not None
        self._table[turned(packet.ends)] = connection, 1
        self._table[packet.ends] = connection, 0
        connection.take(number, 0, packet, self._begin)
        return over

    def rest(self) -> Iterator[Connection]:
        """Return the connections that are still in the table, in the order they were found."""
        known = {id(one): one for one, _ in self._table.values()}
        yield from sorted(known.values(), key=lambda one: one.first)

    def _silent_longest(self) -> list[Connection]:
        silent = sorted(self.rest(), key=lambda one: one.last)[: max(1, self._limit // 8)]
        for one in silent:
            self._table.pop(one.key, None)
            self._table.pop(turned(one.key), None)
        self.dropped += len(silent)
        return silent


def _is_over(connection: Connection, side: int, packet: Packet) -> bool:
    """Return whether a SYN, or the answer to one that was not seen, opens the connection again."""
    known = connection.directions[side].syn
    if packet.flags & ACK:
        closing = connection.watch is not None or connection.opened
        return closing and known is not None and known != packet.seq
    if connection.watch is not None or connection.refused:
        return True
    return connection.opened and known != packet.seq
