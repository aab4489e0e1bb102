"""The steps of a product state, by table: the one kernel that all fast searches share.

`steps` writes, for each step of a state, the key of the next state and a code.  Codes of an end's
steps are entry << 2 | overflow << 1 | actor; of the network's, -1 - (segment << 3 | head << 2 |
duplicates << 1 | actor), where the actor is the end that the segment is on its way to.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from tcpclose_model.engines.fast.atoms import (
    bit_length,
    compare_and_swap,
    fetch_and_add,
    inlined,
    kernel,
)
from tcpclose_model.engines.fast.tables import (
    ENTRY_BITS,
    GUARD_BITS,
    NO_NAME_LEFT,
    SEGMENT_BITS,
    TCB_BITS,
)
from tcpclose_model.engines.guards import Guard

OWN_ROOM, ROOM = int(Guard.OWN_ROOM), int(Guard.ROOM)
NOTHING_INBOUND, NOTHING_OUTBOUND = int(Guard.NOTHING_INBOUND), int(Guard.NOTHING_OUTBOUND)
FIFO, SET = 0, 2
TCB_MASK, SEGMENT_MASK = (1 << TCB_BITS) - 1, (1 << SEGMENT_BITS) - 1
GUARD_MASK, ENTRY_MASK = (1 << GUARD_BITS) - 1, (1 << ENTRY_BITS) - 1
GUARD_SHIFT = TCB_BITS + SEGMENT_BITS
ENTRY_SHIFT = GUARD_SHIFT + GUARD_BITS
PLACES = 64
"""More than the places of any channel."""

STEPS_MAX = 320
"""More than the steps of any state, a key having room for two channels of at most 31 segments,
and PLACES behind them."""


@inlined
def steps(machine, key, keys, codes, count):
    """Write the steps of `key` from keys[count] on; return the new count, or -1 - what is missing.

    machine: a `tables.Machine`.  What is missing is actor << 40 | TCB << 12 | segment, with 0 for
    the local entries of a TCB.  `codes` and `keys` have room for STEPS_MAX more than are used.
    """
    (first_a, first_b, peer_a, peer_b, arrivals_a, arrivals_b), _, _, naming, shape = machine
    width = shape.channel_bits
    mask = (1 << width) - 1
    a_to_b, b_to_a = key & mask, key >> width & mask
    if shape.named:
        a_to_b, b_to_a = naming[0][a_to_b], naming[0][b_to_a]
    both = key >> 2 * width
    a, b = both & (1 << shape.a_bits) - 1, both >> shape.a_bits
    a_shift, b_shift = 2 * width, 2 * width + shape.a_bits
    # A product and a shift for the division by slot_bits that they equal at these sizes.
    to_b = (bit_length(a_to_b) + shape.slot_bits - 1) * shape.slot_inverse >> 16
    to_a = (bit_length(b_to_a) + shape.slot_bits - 1) * shape.slot_inverse >> 16
    count = _steps_of(
        machine, 0, first_a, arrivals_a, a, peer_b[b], b_to_a, to_a, a_to_b, to_b,
        b << b_shift, a_shift, width, 0, keys, codes, count,
    )  # fmt: skip
    if count < 0:
        return count
    return _steps_of(
        machine, 1, first_b, arrivals_b, b, peer_a[a], a_to_b, to_b, b_to_a, to_a,
        a << a_shift, b_shift, 0, width, keys, codes, count,
    )  # fmt: skip


@inlined
def _steps_of(
    machine, actor, firsts, arrivals, own, of_peer, inward, held, outward, out,
    peer, own_shift, in_shift, out_shift, keys, codes, count,
):  # fmt: skip
    """Write the steps of one end and of the channel towards it."""
    _, pool, rank, naming, shape = machine
    so = of_peer
    so |= OWN_ROOM if out < shape.capacity else 0
    so |= ROOM if held + out < shape.capacity else 0
    so |= NOTHING_INBOUND if held == 0 else 0
    so |= NOTHING_OUTBOUND if out == 0 else 0
    where = firsts[own]
    if where < 0:
        return -1 - (actor << 40 | own << SEGMENT_BITS)
    rest = peer
    if shape.named:
        rest |= _number(naming, inward) << in_shift
    else:
        rest |= inward << in_shift
    for at in range(where >> 8, (where >> 8) + (where & 255)):
        word = pool[at]
        if word >> GUARD_SHIFT & GUARD_MASK & ~so:
            continue
        sent, overflow = _pushed(shape, outward, out, word >> TCB_BITS & SEGMENT_MASK)
        if shape.named:
            sent = _number(naming, sent)
        keys[count] = rest | (word & TCB_MASK) << own_shift | sent << out_shift
        codes[count] = word >> ENTRY_SHIFT << 2 | overflow << 1 | actor
        count += 1
    if held == 0:
        return count
    # The places to take from stand behind the codes: losses and copies go through them too.
    places = codes[codes.size - PLACES :]
    different = _places(rank, shape, inward, held, places)
    bits = shape.slot_bits
    fifo = shape.order == FIFO
    for at in range(1 if fifo else different):
        place = 0 if fifo else places[at]
        segment = inward >> place * bits & (1 << bits) - 1
        word = arrivals[own, segment]
        if word < 0:
            return -1 - (actor << 40 | own << SEGMENT_BITS | segment)
        left = inward
        if shape.order != SET or not shape.duplication:
            left = _without(inward, place, bits)
        sent, overflow = _pushed(shape, outward, out, word >> TCB_BITS & SEGMENT_MASK)
        if shape.named:
            left = _number(naming, left)
            sent = _number(naming, sent)
        keys[count] = peer | left << in_shift | (word & TCB_MASK) << own_shift | sent << out_shift
        codes[count] = word >> ENTRY_SHIFT << 2 | overflow << 1 | actor
        count += 1
    if shape.named:
        outward = _number(naming, outward)
    rest = peer | own << own_shift | outward << out_shift
    room = (held if shape.loss else held + out) < shape.capacity
    count = _network_steps(
        naming, shape, actor, inward, places, different, room, rest, in_shift, keys, codes, count
    )
    return -1 - NO_NAME_LEFT if shape.named and naming[3][0] > naming[0].size else count


@inlined
def _network_steps(
    naming, shape, actor, inward, places, different, room, rest, in_shift, keys, codes, count
):
    """Write the losses and the duplications of a channel."""
    bits = shape.slot_bits
    mask = (1 << bits) - 1
    if shape.loss:
        for at in range(different):
            place = places[at]
            left = _without(inward, place, bits)
            head = left == inward >> bits if shape.order == FIFO else at == 0
            if shape.named:
                left = _number(naming, left)
            keys[count] = rest | left << in_shift
            codes[count] = -1 - ((inward >> place * bits & mask) << 3 | head << 2 | actor)
            count += 1
    if shape.duplication and shape.order != SET and room:
        for at in range(different):
            place = places[at]
            low = inward & (1 << (place + 1) * bits) - 1
            more = low | inward >> place * bits << (place + 1) * bits
            if shape.named:
                more = _number(naming, more)
            keys[count] = rest | more << in_shift
            codes[count] = -1 - ((inward >> place * bits & mask) << 3 | 1 << 1 | actor)
            count += 1
    return count


@kernel
def _places(rank, shape, channel, held, places):
    """Write the places whose segment differs from its neighbour before; return how many they are.

    Where order matters they are sorted by segment.
    """
    mask = (1 << shape.slot_bits) - 1
    before = 0
    count = 0
    for place in range(held):
        segment = channel & mask
        channel >>= shape.slot_bits
        if segment == before:
            continue
        before = segment
        places[count] = place
        if shape.ordered:
            this = rank[segment] * PLACES + place
            at = count
            while at > 0 and places[at - 1] > this:
                places[at] = places[at - 1]
                at -= 1
            places[at] = this
        count += 1
    if shape.ordered:
        for at in range(count):
            places[at] %= PLACES
    return count


@kernel
def _number(naming, channel):
    """Return the number of a packed channel; one that has none gets the next.

    Where numbers run out the count goes on, and what is returned is of no use.
    """
    if channel == 0:
        return 0
    words, names, numbers, named = naming
    place = channel * 0x1E3779B97F4A7C15 >> 20 & names.size - 1
    while True:
        stands = names[place]
        if stands == 0:
            if named[0] > words.size:
                return 0
            stands = compare_and_swap(names, place, 0, channel)
            if stands == 0:
                number = fetch_and_add(named, 0, 1)
                if number < words.size:
                    words[number] = channel
                else:
                    number = 0
                compare_and_swap(numbers, place, 0, number + 1)
                return number
        if stands == channel:
            number = 0
            while number == 0:  # another thread may be about to say it
                number = compare_and_swap(numbers, place, 0, 0)
            return number - 1
        place = place + 1 & names.size - 1


@kernel
def _without(channel, place, bits):
    """Return the channel without the segment at a place."""
    low = channel & (1 << place * bits) - 1
    return low | channel >> (place + 1) * bits << place * bits


@kernel
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


@kernel
def steps_of(machine, key, keys, codes):
    """Do what `steps` does, from 0 on; a call of its own, for where time does not matter."""
    return steps(machine, key, keys, codes, 0)
