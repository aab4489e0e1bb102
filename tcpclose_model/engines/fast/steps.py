"""The steps of a product state, by table: the one kernel that all fast searches share.

`steps_of` writes, for each step of some states, the key of the next state and a code.  Codes of an
end's steps are entry << 2 | overflow << 1 | actor; of the network's, -1 - (segment << 3 | head << 2
| duplicates << 1 | actor), where the actor is the end that the segment is on its way to.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

import numpy as np

from tcpclose_model.engines.fast.atoms import bit_length, load, store
from tcpclose_model.engines.fast.compiled import inlined, kernel
from tcpclose_model.engines.fast.layout import (
    CODE_SHIFT,
    FIFO,
    PLACES,
    SEGMENT_BITS,
    SEGMENT_MASK,
    SET,
    TCB_BITS,
    TCB_MASK,
    UNROLLED,
)
from tcpclose_model.engines.fast.ordered_steps import ordered_steps

STEPS_MAX = 320
"""More than the steps of any state, a key having room for two channels of at most 31 segments,
and PLACES behind them."""

SHORT = 4
"""Segments of a channel up to which all places are looked at, whether they are taken or not."""


@kernel
def steps_of(machine, states, first, last, keys, codes, stops, missing):
    """Write the steps of states[first:last] from keys[0] on; return how many states lack an entry.

    machine: a `tables.Machine`.  stops: where the steps of each end; missing: of a state that
    lacks an entry, which has no steps then, actor << 40 | TCB << 12 | segment, with 0 for the local
    entries of a TCB; of others -1.  `codes` and `keys` have room for STEPS_MAX for each state.
    """
    shape = machine.shape
    count, lacking = 0, 0
    for at in range(last - first):
        key = states[first + at]
        if shape.ordered or shape.named:
            end = ordered_steps(machine, key, keys, codes, count)
        elif shape.order == FIFO:  # compiled for this alone
            end = _steps(machine, FIFO, key, keys, codes, count)
        else:
            end = _steps(machine, shape.order, key, keys, codes, count)
        missing[at] = -1
        if end < 0:
            missing[at] = -1 - end
            lacking += 1
        else:
            count = end
        stops[at] = count
    return lacking


@inlined
def _steps(machine, order, key, keys, codes, count):
    """Write the steps of a state whose channels stand in its key, in any order.

    What does not happen is written too, and then overwritten, where a branch would be guessed wrong
    too often.  Keys differ by exclusive or: `gaps` is a channel xor what is left of it without its
    first segment, so its higher slots are what changes where a later segment is taken out, and
    a slot of it is 0 where the same segment stands twice.
    """
    shape = machine.shape
    width, bits, capacity = shape.channel_bits, shape.slot_bits, shape.capacity
    channel = (1 << width) - 1
    inward, outward = key >> width & channel, key & channel
    own, peer = key >> 2 * width & (1 << shape.a_bits) - 1, key >> 2 * width + shape.a_bits
    own_shift, in_shift, out_shift = 2 * width, width, 0
    row, peer_row = own, peer + shape.b_row
    held = (bit_length(inward) + bits - 1) * shape.slot_inverse >> 16
    out = (bit_length(outward) + bits - 1) * shape.slot_inverse >> 16
    for actor in range(2):
        so = load(machine.peer, peer_row) | load(machine.room, held * PLACES + out)
        where = load(machine.enabled, row << shape.guard_bits | so)
        if where < 0:
            return -1 - (actor << 40 | own << SEGMENT_BITS)
        fits = 0 if out >= capacity else SEGMENT_MASK
        gaps = inward ^ inward >> bits
        rest = key ^ own << own_shift
        after = count + (where & 255)
        for at in range(max(where & 255, UNROLLED)):
            word = load(machine.pool, (where >> 8) + at)
            sent, overflow = _sent(shape, order, outward, out, word, fits)
            store(keys, count + at, rest ^ (word & TCB_MASK) << own_shift ^ sent << out_shift)
            store(codes, count + at, word >> CODE_SHIFT | overflow << 1 | actor)
        count = _arrivals(
            machine, order, actor, row, rest, inward, gaps, held, outward, out, fits,
            (own_shift, in_shift, out_shift), keys, codes, after,
        )  # fmt: skip
        if count < 0:
            return -1 - (actor << 40 | own << SEGMENT_BITS | -1 - count)
        if shape.loss:
            count = _losses(
                shape, order, key, inward, gaps, held, in_shift, actor, keys, codes, count
            )
        if shape.duplication and order != SET:
            room = (held if shape.loss else held + out) < capacity
            if room:
                count = _copies(shape, key, inward, gaps, held, in_shift, actor, keys, codes, count)
        inward, outward, held, out = outward, inward, out, held
        in_shift, out_shift = 0, width
        own, peer_row = peer, own
        row = own + shape.b_row
        own_shift += shape.a_bits
    return count


@inlined
def _arrivals(
    machine, order, actor, row, rest, inward, gaps, held, outward, out, fits, shifts,
    keys, codes, count,
):  # fmt: skip
    """Write the arrivals at an end; return the new count, or -1 - a segment without an entry."""
    shape = machine.shape
    bits, capacity = shape.slot_bits, shape.capacity
    slot = (1 << bits) - 1
    own_shift, in_shift, out_shift = shifts
    looked = capacity if capacity <= SHORT else held
    for place in range(1 if order == FIFO else looked):
        segment = inward >> place * bits & slot
        word = load(machine.arrivals, row << shape.segment_bits | segment)
        if word < 0:
            return -1 - segment
        taken = gaps & -1 << place * bits
        differs = segment if order == FIFO else taken >> place * bits & slot
        if order == SET and shape.duplication:
            taken = 0
        sent, overflow = _sent(shape, order, outward, out, word, fits)
        stay = rest ^ taken << in_shift
        store(keys, count, stay ^ (word & TCB_MASK) << own_shift ^ sent << out_shift)
        store(codes, count, word >> CODE_SHIFT | overflow << 1 | actor)
        count += differs != 0
    return count


@inlined
def _sent(shape, order, channel, held, word, fits):
    """Return what changes in a channel, by exclusive or, when an entry's segment is sent; and 1 if
    there was no room for it.

    fits: SEGMENT_MASK if there is room, or 0.
    """
    segment = word >> TCB_BITS & SEGMENT_MASK
    overflow = np.int64(segment > fits)
    bits = shape.slot_bits
    if order == FIFO:
        return (segment & fits) << held * bits, overflow
    slot = (1 << bits) - 1
    place = 0
    for at in range(shape.capacity if shape.capacity <= SHORT else held):
        stands = channel >> at * bits & slot
        place += bits if (stands - 1 & slot) < (segment - 1 & slot) else 0  # 0 is above all
    if order == SET and channel >> place & slot == segment:
        return 0, 0
    above = channel & -1 << place
    return (segment << place ^ above ^ above << bits) if fits else 0, overflow


@inlined
def _losses(shape, order, key, inward, gaps, held, in_shift, actor, keys, codes, count):
    """Write the losses of a channel."""
    bits = shape.slot_bits
    slot = (1 << bits) - 1
    for place in range(shape.capacity if shape.capacity <= SHORT else held):
        at = place * bits
        taken = gaps & -1 << at
        store(keys, count, key ^ taken << in_shift)
        if shape.coded:
            head = place == 0 if order != FIFO else taken == gaps
            store(codes, count, -1 - ((inward >> at & slot) << 3 | head << 2 | actor))
        count += taken >> at & slot != 0
    return count


@inlined
def _copies(shape, key, inward, gaps, held, in_shift, actor, keys, codes, count):
    """Write the duplications of a channel that has room."""
    bits = shape.slot_bits
    slot = (1 << bits) - 1
    for place in range(shape.capacity if shape.capacity <= SHORT else held):
        at = place * bits
        above = inward & -1 << at + bits
        segment = inward >> at & slot
        store(keys, count, key ^ (above ^ (above | segment << at) << bits) << in_shift)
        if shape.coded:
            store(codes, count, -1 - (segment << 3 | 1 << 1 | actor))
        count += gaps >> at & slot != 0
    return count
