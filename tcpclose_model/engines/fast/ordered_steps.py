"""The steps of a product state in the canonical order, or with channels that have numbers.

They are the steps of `steps`, made one by one; see there for what is written.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# Kernels are typed by numba, from what they are called with.

from __future__ import annotations

from tcpclose_model.engines.fast.atoms import bit_length, compare_and_swap, fetch_and_add, load
from tcpclose_model.engines.fast.compiled import inlined, kernel
from tcpclose_model.engines.fast.layout import (
    CODE_SHIFT,
    FIFO,
    NO_NAME_LEFT,
    PLACES,
    SEGMENT_BITS,
    SEGMENT_MASK,
    SET,
    TCB_BITS,
    TCB_MASK,
)


@inlined
def ordered_steps(machine, key, keys, codes, count):
    """Write the steps of a state in the canonical order, or with channels that have numbers."""
    shape, naming = machine.shape, machine.naming
    width, bits = shape.channel_bits, shape.slot_bits
    channel = (1 << width) - 1
    inward, outward = key >> width & channel, key & channel
    own, peer = key >> 2 * width & (1 << shape.a_bits) - 1, key >> 2 * width + shape.a_bits
    own_shift, in_shift, out_shift = 2 * width, width, 0
    row, peer_row = own, peer + shape.b_row
    number_in, number_out = inward, outward
    if shape.named:
        inward, outward = naming[0][inward], naming[0][outward]
    held = (bit_length(inward) + bits - 1) * shape.slot_inverse >> 16
    out = (bit_length(outward) + bits - 1) * shape.slot_inverse >> 16
    # The places to take from stand behind the codes.
    places = codes[codes.size - PLACES :]
    for actor in range(2):
        so = load(machine.peer, peer_row) | load(machine.room, held * PLACES + out)
        where = load(machine.enabled, row << shape.guard_bits | so)
        if where < 0:
            return -1 - (actor << 40 | own << SEGMENT_BITS)
        rest = key ^ own << own_shift ^ number_out << out_shift
        for at in range(where >> 8, (where >> 8) + (where & 255)):
            word = load(machine.pool, at)
            sent, overflow = _pushed(shape, outward, out, word >> TCB_BITS & SEGMENT_MASK)
            if shape.named:
                sent = _number(naming, sent)
            keys[count] = rest | (word & TCB_MASK) << own_shift | sent << out_shift
            codes[count] = word >> CODE_SHIFT | overflow << 1 | actor
            count += 1
        different = _places(machine.rank, shape, inward, held, places)
        count = _arrivals(
            machine, actor, row, rest ^ number_in << in_shift, inward, places, different,
            outward, out, (own_shift, in_shift, out_shift), keys, codes, count,
        )  # fmt: skip
        if count < 0:
            return -1 - (actor << 40 | own << SEGMENT_BITS | -1 - count)
        room = (held if shape.loss else held + out) < shape.capacity
        rest = key ^ number_in << in_shift
        count = _network_steps(
            naming, shape, actor, inward, places, different, room, rest, in_shift,
            keys, codes, count,
        )  # fmt: skip
        if shape.named and naming[3][0] > naming[0].size:
            return -1 - NO_NAME_LEFT
        inward, outward, held, out = outward, inward, out, held
        number_in, number_out = number_out, number_in
        in_shift, out_shift = 0, width
        own, peer_row = peer, own
        row = own + shape.b_row
        own_shift += shape.a_bits
    return count


@inlined
def _arrivals(
    machine, actor, row, rest, inward, places, different, outward, out, shifts, keys, codes, count
):
    """Write the arrivals at an end; return the new count, or -1 - a segment without an entry."""
    shape, naming = machine.shape, machine.naming
    bits = shape.slot_bits
    slot = (1 << bits) - 1
    own_shift, in_shift, out_shift = shifts
    for at in range(min(different, 1) if shape.order == FIFO else different):
        place = 0 if shape.order == FIFO else places[at]
        segment = inward >> place * bits & slot
        word = load(machine.arrivals, row << shape.segment_bits | segment)
        if word < 0:
            return -1 - segment
        left = inward
        if shape.order != SET or not shape.duplication:
            left = _without(inward, place, bits)
        sent, overflow = _pushed(shape, outward, out, word >> TCB_BITS & SEGMENT_MASK)
        if shape.named:
            left = _number(naming, left)
            sent = _number(naming, sent)
        stay = rest | left << in_shift
        keys[count] = stay | (word & TCB_MASK) << own_shift | sent << out_shift
        codes[count] = word >> CODE_SHIFT | overflow << 1 | actor
        count += 1
    return count


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
