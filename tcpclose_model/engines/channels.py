"""What a channel holds: segments, the next to arrive first; sorted where they have no order."""

from __future__ import annotations

from tcpclose_model.errors import ModelError
from tcpclose_model.parts import Network
from tcpclose_model.protocol.vocabulary import Segment

Channel = tuple[Segment, ...]


def distinct(channel: Channel) -> list[int]:
    """Return one position for each segment, equal neighbours counted once, in segment order."""
    places = [i for i, seg in enumerate(channel) if i == 0 or seg != channel[i - 1]]
    return sorted(places, key=lambda i: (channel[i], i))


def pushed(channel: Channel, seg: Segment, network: Network) -> tuple[Channel, bool]:
    """Return the channel with `seg` in it, and whether there was no room for it."""
    if network.order == "set" and seg in channel:
        return channel, False
    if len(channel) >= network.capacity:
        if network.losses_max is not None:
            raise ModelError(
                f"a channel that holds {network.capacity} segments is full, and what overflows "
                "would be a loss that network.losses_max does not count: set network.capacity "
                "higher, or network.full=waits"
            )
        assert network.loss, "a lossless network makes every sender wait for room"
        return channel, True
    if network.order == "fifo":
        return (*channel, seg), False
    return tuple(sorted((*channel, seg))), False


def renewed(channel: Channel, seg: Segment) -> Channel:
    """Return the channel of a timed set with `seg` in it; it takes the place of an older copy."""
    others = (other for other in channel if stripped(other) != seg)
    return tuple(sorted((*others, seg)))


def stripped(seg: Segment) -> Segment:
    """Return a segment as the end that it is on its way to sees it: without its age."""
    return seg._replace(age=0) if seg.age else seg
