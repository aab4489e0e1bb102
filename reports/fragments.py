"""Segments out of the fragments of IP datagrams: only their headers and lengths are kept.

RFC 791 section 3.2 and RFC 8200 section 4.5, which also say how long to wait for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

HEADER_OCTETS_MAX = 60
"""A TCP header is no longer."""
DATAGRAMS_MAX = 1_024
PIECES_MAX = 8_192
"""Of one datagram: more than 65,535 octets, 8 at a time, hold."""
WAIT_NS = 60 * 1_000_000_000


class Fragment(NamedTuple):
    """A fragment of a datagram with a TCP segment.

    key: addresses and identification.  offset, length: in octets of the segment; length counts
    what was not captured, too.  head: its first octets.  more: others follow it.
    """

    key: tuple[bytes, int]
    offset: int
    length: int
    more: bool
    head: bytes


class Whole(NamedTuple):
    """A reassembled segment: the first octets of it, and its length."""

    addresses: bytes
    head: bytes
    length: int


@dataclass(slots=True)
class _Datagram:
    """What is known of a datagram; pieces: where each begins, and where it ends."""

    time: int
    pieces: dict[int, int] = field(default_factory=dict)
    head: bytearray = field(default_factory=lambda: bytearray(HEADER_OCTETS_MAX))
    filled: int = 0
    length: int | None = None

    def add(self, one: Fragment) -> None:
        """Take a fragment into account."""
        self.pieces.setdefault(one.offset, one.offset + one.length)
        if not one.more:
            self.length = one.offset + one.length
        if one.offset <= self.filled < HEADER_OCTETS_MAX:
            kept = one.head[: HEADER_OCTETS_MAX - one.offset]
            self.head[one.offset : one.offset + len(kept)] = kept
            self.filled = max(self.filled, one.offset + len(kept))

    def is_whole(self) -> bool:
        """Return whether no octet is missing."""
        if self.length is None:
            return False
        at = 0
        for begin, end in sorted(self.pieces.items()):
            if begin > at:
                return False
            at = max(at, end)
        return at >= self.length


class Fragments:
    """Datagrams of which some fragments have been seen; those that wait longest make room."""

    def __init__(self) -> None:
        self._table: dict[tuple[bytes, int], _Datagram] = {}
        self._lost = 0

    def take(self, one: Fragment, time: int) -> Whole | None:
        """Return the segment whose last missing fragment this is."""
        known = self._table.get(one.key)
        if known is not None and not 0 <= time - known.time <= WAIT_NS:
            del self._table[one.key]
            self._lost += 1
            known = None
        if known is None:
            if len(self._table) >= DATAGRAMS_MAX:
                del self._table[next(iter(self._table))]
                self._lost += 1
            known = self._table[one.key] = _Datagram(time)
        if len(known.pieces) < PIECES_MAX:
            known.add(one)
        if not known.is_whole():
            return None
        del self._table[one.key]
        return Whole(one.key[0], bytes(known.head[: known.filled]), known.length or 0)

    def lines(self) -> Iterator[str]:
        """Yield what is to be said of datagrams that never became whole."""
        count = self._lost + len(self._table)
        if count:
            yield f"{count:,} IP datagrams left out: not all of their fragments were captured"
