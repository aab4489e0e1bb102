"""Judging segments without a file between."""

from __future__ import annotations

from collections.abc import Sequence

from reports.conforming import Judge
from reports.connections import Follower
from reports.judged import Judged
from reports.packets import Packet, packet_of
from tests.wire import LINK_RAW, Sent, ipv4


def judged_connection(judge: Judge, segs: Sequence[Sent]) -> Judged:
    """Return what is said of the one connection of these segments."""
    follower = Follower(judge.begin)
    for number, seg in enumerate(segs, start=1):
        packet = packet_of(LINK_RAW, ipv4(seg, (1000, 9000)))
        assert isinstance(packet, Packet)
        assert not follower.take(number, packet)
    (one,) = follower.rest()
    return judge.judged(one)
