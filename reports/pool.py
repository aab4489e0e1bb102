"""What may arrive at an end: the segments that were seen of its peer, those that still matter."""

from __future__ import annotations

from reports.observer import Seen

POOL_MAX = 24


def with_seen(pool: tuple[Seen, ...], seg: Seen, needed_from: int) -> tuple[tuple[Seen, ...], bool]:
    """Return the pool with one more segment, and whether it had to leave one out that may matter.

    What lies wholly below `needed_from` has arrived already; one such segment stands for all.  A
    reset below it is accepted in no state, so that one of them stands for all, too.
    """
    if seg in pool:
        return pool, False
    if seg.rst and any(one.rst and max(one.seq, seg.seq) < needed_from for one in pool):
        return pool, False
    if pool and seg.text and not seg.fin and not seg.rst:
        last = pool[-1]
        if last.text and not last.fin and last.ack == seg.ack and last.end == seg.seq:
            return (*pool[:-1], last._replace(text=last.text + seg.text)), False
    pool = (*pool, seg)
    old = [one for one in pool if not one.fin and not one.rst and one.end <= needed_from]
    for one in old[:-3]:
        pool = tuple(other for other in pool if other is not one)
    if len(pool) <= POOL_MAX:
        return pool, False
    first = next((n for n, one in enumerate(pool) if not one.fin and not one.rst), 0)
    return pool[:first] + pool[first + 1 :], True
