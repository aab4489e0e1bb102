"""What a kernel is given: how words are laid out, and the tables of both ends as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TCB_BITS, SEGMENT_BITS, ENTRY_BITS = 20, 12, 24
"""Fields of an entry's word, lowest first: TCB after, segment sent, number of the entry."""

TCB_MASK, SEGMENT_MASK = (1 << TCB_BITS) - 1, (1 << SEGMENT_BITS) - 1

CODE_SHIFT = TCB_BITS + SEGMENT_BITS
"""Where the number of the entry stands, shifted by two bits: what is above is a step's code."""

UNROLLED = 1
"""Local entries that a kernel reads at least; the pool has room for them."""

PLACES = 64
"""More than the places of any channel."""

NO_NAME_LEFT = (1 << 62) - 1
"""What is missing where a channel's contents get no number."""


FIFO, BAG, SET = 0, 1, 2
"""The disciplines of a channel, as numbers."""


class Shape(NamedTuple):
    """The numbers that the kernel runs on besides the tables."""

    capacity: int
    slot_bits: int
    slot_inverse: int
    channel_bits: int
    named: int
    a_bits: int
    b_bits: int
    segment_bits: int
    guard_bits: int
    b_row: int
    order: int
    loss: int
    duplication: int
    ordered: int
    coded: int


class Machine(NamedTuple):
    """What a kernel is given: the tables of both ends, and their shape.

    Arrays of TCBs have a row for each of A, and from row `b_row` on for each of B.
    enabled: at row << guard_bits | what is so of the rest (see `Tables.guard_index`), where the
        local entries that may happen stand in `pool` and how many, as first << 8 | count.
    peer: what is so for a TCB's peer by row; room: what is so for an end of the channels, at
        segments inbound * PLACES + segments outbound.
    arrivals: at row << segment_bits | segment, the entry's word; 0 where the segment is none.
    rank: of each segment, its place in the canonical order.
    naming: four arrays that number packed channels, where keys hold numbers: the channels by
        number; a table of channels; the numbers of those in the table; how many there are.
    """

    enabled: Array
    peer: Array
    room: Array
    arrivals: Array
    pool: Array
    rank: Array
    naming: tuple[Array, ...]
    shape: Shape
