"""The TCP connections of a capture, followed as it is read; the table of them is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reports.observer import Seen
from reports.packets import ACK, FIN, RST, SYN, Packet
from reports.watching import Given, Start, Watch

CONNECTIONS_MAX = 65_536
END = tuple[bytes, int]


class Connection:
    """What is known of one connection; `watch` follows it once its close has begun.

    Numbers are unwrapped: each direction counts from the first number that was seen of it.
    reopened: there was a connection on the same ports before.  shut: an end's window is zero.
    """

    __slots__ = (
        "_origin",
        "acked",
        "acks",
        "bases",
        "closed_window",
        "ends",
        "first",
        "gap",
        "last",
        "nxt",
        "opened",
        "packets",
        "refused",
        "reopened",
        "seen",
        "shut",
        "syns",
        "urgent",
        "watch",
    )

    def __init__(self, ends: tuple[END, END], number: int) -> None:
        self.ends = ends
        self.first = self.last = number
        self.packets = 0
        self.seen = [0, 0]
        self.shut = [False, False]
        self.syns: list[int | None] = [None, None]
        self.opened = self.refused = self.reopened = False
        self.gap = False
        self.bases: list[int | None] = [None, None]
        self.nxt = [0, 0]
        self.acked: list[int | None] = [None, None]
        self.acks: list[tuple[int, int] | None] = [None, None]
        self.closed_window = self.urgent = False
        self.watch: Watch | None = None
        self._origin = (0, 0)

    def unwrapped(self, side: int, number: int) -> int:
        """Return a 32-bit number of one direction as the integer nearest to the latest one."""
        base = self.bases[side]
        if base is None:
            self.bases[side], self.nxt[side] = number, 0
            return 0
        near = self.nxt[side]
        return near + ((number - base - near + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000

    def take(self, number: int, side: int, packet: Packet, begin: Callable[[Start], Watch]) -> None:
        """Take the connection's next packet into account."""
        self.last = number
        self.packets += 1
        self.seen[side] += 1
        _, _, seq, ack, length, flags, window = packet
        self.urgent |= bool(flags & 32)
        start = self.unwrapped(side, seq)
        if flags & SYN:
            self.syns[side] = seq
            self.nxt[side] = max(self.nxt[side], start + 1)
            if flags & ACK:
                self.acked[side] = self.unwrapped(1 - side, ack)
            return
        acked = self.unwrapped(1 - side, ack) if flags & ACK else None
        if flags & RST and not self.opened and self.watch is None:
            self.refused = True
        elif (
            flags & (FIN | RST)
            or self.watch is not None
            or self._hides_a_fin(side, start, acked, length)
        ):
            self._close(number, side, Seen(start, acked or 0, length), packet, begin)
        else:
            self.opened = True
            self.shut[side] = not window
            known = self.acked[side]
            if acked is not None and (known is None or acked > known):
                self.acked[side] = acked
            if acked is not None and not length:
                self.acks[side] = start, acked
        if not flags & RST and start + length > self.nxt[side]:
            self.nxt[side] = start + length

    def _hides_a_fin(self, side: int, start: int, acked: int | None, length: int) -> bool:
        """Return whether a packet counts one number that was not seen, which may be a FIN's.

        Where more than one number is missing, `gap` notes that a FIN may be among them.
        """
        if not self.opened and None in self.syns:
            self.gap = True
            return False
        missing = 0 if length else start - self.nxt[side]
        if acked is not None and self.seen[1 - side]:
            missing = max(missing, acked - self.nxt[1 - side])
        self.gap |= missing > 1
        return missing == 1

    def _close(
        self, number: int, side: int, seg: Seen, packet: Packet, begin: Callable[[Start], Watch]
    ) -> None:
        """Take a packet of the closing phase into account."""
        flags = packet.flags
        rst = bool(flags & RST)
        if self.watch is None:
            self._begin(side, seg, begin, fin=bool(flags & FIN), has_ack=bool(flags & ACK))
        assert self.watch is not None
        self.closed_window |= packet.window == 0 and not rst
        seg = Seen(
            seg.seq - self._origin[side],
            seg.ack - self._origin[1 - side] if flags & ACK else 0,
            0 if rst else seg.text,
            int(bool(flags & FIN) and not rst),
            int(rst),
        )
        bare = rst and not flags & ACK
        self.watch.observe(Given(number, side, seg, bare, packet.window == 0 and not rst))

    def _begin(
        self, side: int, seg: Seen, begin: Callable[[Start], Watch], *, fin: bool, has_ack: bool
    ) -> None:
        """Start to watch: from here on numbers are relative to what each end has sent so far."""
        if fin:
            self.nxt[side] = max(self.nxt[side], seg.seq)
        self.gap |= fin and has_ack and seg.ack > self.nxt[1 - side]
        acked: list[int] = []
        for end in (0, 1):
            known = self.acked[end]
            if end == side and has_ack:
                known = seg.ack if known is None else min(known, seg.ack)
            if known is None:  # its ACKs were not captured: it may have received nothing yet
                self.gap |= self.syns[1 - end] is None
                known = int(self.syns[1 - end] is not None)
            if fin or end != side:
                self.nxt[1 - end] = max(self.nxt[1 - end], known)
            else:
                known = min(known, self.nxt[1 - end])
            acked.append(known)
        self._origin = (self.nxt[0], self.nxt[1])
        acks = tuple(
            None if ack is None else Seen(ack[0] - self.nxt[end], ack[1] - self.nxt[1 - end])
            for end, ack in enumerate(self.acks)
        )
        acknowledged = (acked[0] - self.nxt[1], acked[1] - self.nxt[0])
        self.watch = begin(Start(acknowledged, (acks[0], acks[1]), (self.shut[0], self.shut[1])))


class Follower:
    """Finds the connections in a stream of packets; each is handed out when it is over.

    The table holds `limit` connections: when it is full, those that have been silent longest are
    handed out as they are, and counted in `dropped`.
    """

    def __init__(self, begin: Callable[[Start], Watch], limit: int = CONNECTIONS_MAX) -> None:
        self._begin = begin
        self._limit = limit
        self._table: dict[tuple[END, END], tuple[Connection, int]] = {}
        self.dropped = 0

    def take(self, number: int, packet: Packet) -> list[Connection]:
        """Take the next packet into account; return the connections that are over by it."""
        over: list[Connection] = []
        key = (packet.source, packet.target)
        found = self._table.get(key)
        reopened = found is not None and packet.flags & SYN and _is_over(*found, packet)
        if found is not None and reopened:
            over.append(found[0])
            found = None
        if found is None:
            if len(self._table) >= 2 * self._limit:
                over += self._silent_longest()
            connection = Connection((packet.source, packet.target), number)
            connection.reopened = bool(reopened)
            found = self._table[key] = (connection, 0)
            if key[0] != key[1]:
                self._table[key[1], key[0]] = (connection, 1)
        found[0].take(number, found[1], packet, self._begin)
        return over

    def rest(self) -> Iterator[Connection]:
        """Return the connections that are still in the table, in the order they were found."""
        known = {id(one): one for one, _ in self._table.values()}
        yield from sorted(known.values(), key=lambda one: one.first)

    def _silent_longest(self) -> list[Connection]:
        silent = sorted(self.rest(), key=lambda one: one.last)[: max(1, self._limit // 8)]
        for one in silent:
            self._table.pop(one.ends, None)
            self._table.pop((one.ends[1], one.ends[0]), None)
        self.dropped += len(silent)
        return silent


def _is_over(connection: Connection, side: int, packet: Packet) -> bool:
    """Return whether a SYN, or the answer to one that was not seen, opens the connection again."""
    known = connection.syns[side]
    if packet.flags & ACK:
        closing = connection.watch is not None or connection.opened
        return closing and known is not None and known != packet.seq
    if connection.watch is not None or connection.refused:
        return True
    return connection.opened and known != packet.seq
