"""Product states as one machine word: both ends' numbers and both channels, slot by slot."""

from __future__ import annotations

from typing import NamedTuple

from tcpclose_model.engines.plain import Channel
from tcpclose_model.protocol.vocabulary import Segment

KEY_BITS_MAX = 62
"""Bits of a word that a key may take; kernels calculate with signed words."""


class Packing(NamedTuple):
    """Where the four parts of a state stand in its key, lowest first: A to B, B to A, A, B.

    A packed channel has `capacity` slots of `slot_bits`, the next to arrive (fifo) or the least
    number (bag, set) in the lowest; an empty slot is 0.  It stands in the key itself or, where
    keys would be too wide, its number of `name_bits` does.
    """

    capacity: int
    slot_bits: int
    a_bits: int
    b_bits: int
    name_bits: int = 0

    @property
    def content_bits(self) -> int:
        """Bits of one packed channel."""
        return self.capacity * self.slot_bits

    @property
    def channel_bits(self) -> int:
        """Bits that one channel takes in a key."""
        return self.name_bits or self.content_bits

    @property
    def bits(self) -> int:
        """Bits of a key."""
        return 2 * self.channel_bits + self.a_bits + self.b_bits

    @property
    def fits(self) -> bool:
        """Whether a key fits one word, and a packed channel does."""
        return max(self.bits, self.content_bits) <= KEY_BITS_MAX

    def pack(self, a: int, b: int, a_to_b: int, b_to_a: int) -> int:
        """Return the key of a state, given its ends' numbers and what stands for its channels."""
        channels = a_to_b | b_to_a << self.channel_bits
        return channels | (a | b << self.a_bits) << 2 * self.channel_bits

    def unpack(self, key: int) -> tuple[int, int, int, int]:
        """Return the numbers of A and B in a key, and what stands there for the channels."""
        width = self.channel_bits
        ends = key >> 2 * width
        mask = (1 << width) - 1
        return ends & (1 << self.a_bits) - 1, ends >> self.a_bits, key & mask, key >> width & mask

    def slots(self, channel: int) -> list[int]:
        """Return the numbers of the segments in a packed channel."""
        found = []
        while channel:
            found.append(channel & (1 << self.slot_bits) - 1)
            channel >>= self.slot_bits
        return found

    def swapped(self, key: int) -> int:
        """Return the key of the state in which the two ends have changed places."""
        a, b, a_to_b, b_to_a = self.unpack(key)
        return self.pack(b, a, b_to_a, a_to_b)


def channel_of(packing: Packing, packed: int, segments: list[Segment], order: str) -> Channel:
    """Return what a packed channel holds, as the plain engine writes it."""
    found = tuple(segments[number] for number in packing.slots(packed))
    return found if order == "fifo" else tuple(sorted(found))
