"""The steps of a product state, by table: the one kernel that all fast searches share.

`steps` writes, for each step of a state, the key of the next state and a code.  Codes of an end's
steps are entry << 2 | overflow << 1 | actor; of the network's, -1 - (segment << 3 | head << 2 |
duplicates << 1 | actor), where the actor is the end that the segment is on its way to.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from numba import njit

from tcpclose_model.engines.fast.atoms import bit_length
from tcpclose_model.engines.fast.tables import (
    ENTRY_BITS,
    GUARD_BITS,
    SEGMENT_BITS,
    TCB_BITS,
)
from tcpclose_model.engines.plain import Guard

OWN_ROOM, ROOM = int(Guard.OWN_ROOM), int(Guard.ROOM)
NOTHING_INBOUND, NOTHING_OUTBOUND = int(Guard.NOTHING_INBOUND), int(Guard.NOTHING_OUTBOUND)
FIFO, SET = 0, 2
TCB_MASK, SEGMENT_MASK = (1 << TCB_BITS) - 1, (1 << SEGMENT_BITS) - 1
GUARD_MASK, ENTRY_MASK = (1 << GUARD_BITS) - 1, (1 << ENTRY_BITS) - 1
GUARD_SHIFT = TCB_BITS + SEGMENT_BITS
ENTRY_SHIFT = GUARD_SHIFT + GUARD_BITS
PLACES = 64
"""More than the places of any channel."""

STEPS_MAX = 256
"""More than the steps of any state: a key has room for two channels of at most 31 segments."""


@njit(cache=True, nogil=True)
def steps(ends, pool, rank, shape, key, keys, codes, count):
    """Write the steps of `key` from keys[count] on; return the new count, or -1 - what is missing.

    ends: the tables of both ends, as `tables.Machine` has them first.  What is missing is actor <<
    40 | TCB << 12 | segment, with 0 for the local entries of a TCB.
    """
    first_a, first_b, peer_a, peer_b, arrivals_a, arrivals_b = ends
    width = shape.channel_bits
    mask = (1 << width) - 1
    a_to_b, b_to_a = key & mask, key >> width & mask
    both = key >> 2 * width
    a, b = both & (1 << shape.a_bits) - 1, both >> shape.a_bits
    a_shift, b_shift = 2 * width, 2 * width + shape.a_bits
    count = _steps_of(
        pool, rank, shape, 0, first_a, arrivals_a, a, peer_b[b], b_to_a, a_to_b,
        b << b_shift, a_shift, width, 0, keys, codes, count,
    )  # fmt: skip
    if count < 0:
        return count
    return _steps_of(
        pool, rank, shape, 1, first_b, arrivals_b, b, peer_a[a], a_to_b, b_to_a,
        a << a_shift, b_shift, 0, width, keys, codes, count,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _steps_of(
    pool, rank, shape, actor, firsts, arrivals, own, of_peer, inward, outward,
    peer, own_shift, in_shift, out_shift, keys, codes, count,
):  # fmt: skip
    """Write the steps of one end and of the channel towards it."""
    bits = shape.slot_bits
    held = (bit_length(inward) + bits - 1) // bits
    out = (bit_length(outward) + bits - 1) // bits
    so = of_peer
    if out < shape.capacity:
        so |= OWN_ROOM
    if held + out < shape.capacity:
        so |= ROOM
    if held == 0:
        so |= NOTHING_INBOUND
    if out == 0:
        so |= NOTHING_OUTBOUND
    where = firsts[own]
    if where < 0:
        return -1 - (actor << 40 | own << SEGMENT_BITS)
    rest = peer | inward << in_shift
    for at in range(where >> 8, (where >> 8) + (where & 255)):
        word = pool[at]
        if word >> GUARD_SHIFT & GUARD_MASK & ~so:
            continue
        sent, overflow = _pushed(shape, outward, out, word >> TCB_BITS & SEGMENT_MASK)
        keys[count] = rest | (word & TCB_MASK) << own_shift | sent << out_shift
        codes[count] = word >> ENTRY_SHIFT << 2 | overflow << 1 | actor
        count += 1
    if held == 0:
        return count
    last = 0 if shape.order == FIFO else _next_place(rank, shape, inward, held, -1)
    while last >= 0:
        place = last % PLACES
        segment = inward >> place * bits & (1 << bits) - 1
        word = arrivals[own, segment]
        if word < 0:
            return -1 - (actor << 40 | own << SEGMENT_BITS | segment)
        left = inward
        if shape.order != SET or not shape.duplication:
            left = _without(inward, place, bits)
        sent, overflow = _pushed(shape, outward, out, word >> TCB_BITS & SEGMENT_MASK)
        keys[count] = peer | left << in_shift | (word & TCB_MASK) << own_shift | sent << out_shift
        codes[count] = word >> ENTRY_SHIFT << 2 | overflow << 1 | actor
        count += 1
        last = -1 if shape.order == FIFO else _next_place(rank, shape, inward, held, last)
    rest = peer | own << own_shift | outward << out_shift
    return _network_steps(
        rank, shape, actor, inward, held, held + out, rest, in_shift, keys, codes, count
    )


@njit(cache=True, nogil=True)
def _network_steps(rank, shape, actor, inward, held, in_flight, rest, in_shift, keys, codes, count):
    """Write the losses and the duplications of a channel."""
    bits = shape.slot_bits
    if shape.loss:
        last = _next_place(rank, shape, inward, held, -1)
        first = last
        while last >= 0:
            place = last % PLACES
            left = _without(inward, place, bits)
            head = left == inward >> bits if shape.order == FIFO else last == first
            segment = inward >> place * bits & (1 << bits) - 1
            keys[count] = rest | left << in_shift
            codes[count] = -1 - (segment << 3 | head << 2 | actor)
            count += 1
            last = _next_place(rank, shape, inward, held, last)
    room = held if shape.loss else in_flight
    if shape.duplication and shape.order != SET and room < shape.capacity:
        last = _next_place(rank, shape, inward, held, -1)
        while last >= 0:
            place = last % PLACES
            low = inward & (1 << (place + 1) * bits) - 1
            segment = inward >> place * bits & (1 << bits) - 1
            more = low | inward >> place * bits << (place + 1) * bits
            keys[count] = rest | more << in_shift
            codes[count] = -1 - (segment << 3 | 1 << 1 | actor)
            count += 1
            last = _next_place(rank, shape, inward, held, last)
    return count


@njit(cache=True, nogil=True)
def _next_place(rank, shape, channel, held, last):
    """Return the next place of a channel whose segment differs from its neighbour before.

    What is returned is the place, plus PLACES times the segment's rank where order matters; -1 at
    the end.
    """
    bits = shape.slot_bits
    mask = (1 << bits) - 1
    if not shape.ordered:
        place = last + 1
        while 0 < place < held and (channel >> place * bits & mask) == (
            channel >> (place - 1) * bits & mask
        ):
            place += 1
        return place if place < held else -1
    best = -1
    before = 0
    for place in range(held):
        segment = channel >> place * bits & mask
        if segment != before:
            this = rank[segment] * PLACES + place
            if this > last and (best < 0 or this < best):
                best = this
        before = segment
    return best


@njit(cache=True, nogil=True)
def _without(channel, place, bits):
    """Return the channel without the segment at a place."""
    low = channel & (1 << place * bits) - 1
    return low | channel >> (place + 1) * bits << place * bits


@njit(cache=True, nogil=True)
def _pushed(shape, channel, held, segment):
    """Return the channel with a segment (0: none) in it, and 1 if there was no room for it."""
    if segment == 0:
        return channel, 0
    bits = shape.slot_bits
    if shape.order == FIFO:
        if held >= shape.capacity:
            return channel, 1
        return channel | segment << held * bits, 0
    place = 0
    mask = (1 << bits) - 1
    while place < held and (channel >> place * bits & mask) < segment:
        place += 1
    if shape.order == SET and place < held and (channel >> place * bits & mask) == segment:
        return channel, 0
    if held >= shape.capacity:
        return channel, 1
    low = channel & (1 << place * bits) - 1
    return low | segment << place * bits | channel >> place * bits << (place + 1) * bits, 0
