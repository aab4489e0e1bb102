"""What a packet of the closing phase may owe to packets that are not kept, or that nobody saw.

Of what went before the close only a few numbers are kept, and a capture may miss an opening.  What
such packets could explain is not called a deviation.
"""

from __future__ import annotations

from reports.connections import FAR, Connection
from reports.watching import Given, Watch

ANOTHER = "its numbers are those of another connection on the same ports"
KEPT_ACKS = 16
"""After fewer packets than these each ACK of the closing phase is still kept."""


def forgotten(one: Connection, watch: Watch, given: Given) -> str:
    """Return why the packet may be explained by what came before the close, or ""."""
    sender, seg = given.sender, given.seg
    peer, start = 1 - sender, watch.now.begun.acknowledged
    if seg.rst:
        kept = seg.seq >= start[peer] and len(watch.given) <= KEPT_ACKS
        if watch.may_answer(given) and seg.seq <= watch.now.acked[peer] and not kept:
            return "it may answer an ACK that is not kept"
        return ANOTHER if one.reopened and _far(seg.seq, watch, sender) else ""
    if not seg.text and not seg.fin and seg.seq <= 0 and seg.ack < start[sender]:
        return "it repeats an ACK from before the close, and not all of these are kept"
    if watch.complete:
        return ""
    again = seg.seq < 0 and seg.end <= 0 and not seg.fin
    if again or (seg.ack < 0 and watch.notes):
        return "it counts numbers from before the close, and an earlier one may be missing"
    strange = _far(seg.seq, watch, sender), _far(seg.ack, watch, peer)
    if strange == (True, True) or (strange[0] and one.reopened):
        return ANOTHER
    return ""


def _far(number: int, watch: Watch, end: int) -> bool:
    """Return whether a number is far from all that an end of this connection has counted."""
    ends = [one.end for one in watch.now.pools[1 - end]]
    return number < min(0, *ends) - FAR or number > max(0, *ends) + FAR
