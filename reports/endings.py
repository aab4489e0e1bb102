"""How a captured connection ended, in one sentence that an operator can act on."""

from __future__ import annotations

from typing import NamedTuple

from reports.watching import Watch
from tcpclose_model.protocol.vocabulary import State

OVER = {State.CLOSED, State.TIME_WAIT}


class Ending(NamedTuple):
    """Whether both ends may be done with it, and what there is to say."""

    done: bool
    sentence: str


def ending(watch: Watch, states: tuple[tuple[State, ...], tuple[State, ...]]) -> Ending:
    """Return how a close that the model explains has ended, or what it waits for."""
    if watch.resets:
        first = watch.resets[0]
        who, other = "AB"[first.sender], "BA"[first.sender]
        return Ending(
            True,
            f"{who} reset the connection (packet {first.number}): {other} is CLOSED if it arrived",
        )
    a, b = watch.now.fins
    if a is not None and b is not None:
        return _both(watch, a, b)
    if a is None and b is None:
        return Ending(False, "no FIN was captured: the close has not begun")
    closer = 0 if a is not None else 1
    fin = watch.now.fins[closer]
    assert fin is not None
    return _one(closer, fin, watch)


def _both(watch: Watch, a: int, b: int) -> Ending:
    """Return how a connection with both FINs has ended."""
    unacknowledged = [end for end, fin in ((0, a), (1, b)) if watch.now.acked[1 - end] < fin]
    if not unacknowledged:
        return Ending(True, _who_waits(watch, a, b))
    told = " and ".join("AB"[end] for end in unacknowledged)
    return Ending(
        False,
        f"both ends have sent their FIN; the ACK of {told}'s FIN was not captured: {told} sends it "
        "again until it is acknowledged, or gives up",
    )


def _who_waits(watch: Watch, a: int, b: int) -> str:
    """Return who of two ends that have closed waits in TIME-WAIT: who did not know of the other."""
    captured = [given for given in watch.first_fins if given is not None]
    knew = [given for given in captured if given.seg.ack >= (b, a)[given.sender]]
    if knew:  # where both knew, the later FIN was sent again, and its first copy was not captured
        second = min(knew).sender
        return (
            f"{'BA'[second]} closed first and waits in TIME-WAIT; {'AB'[second]} is CLOSED once "
            "the last ACK arrives"
        )
    if len(captured) == 2:
        return "both ends closed at once; both wait in TIME-WAIT"
    return "both ends have closed; a FIN was not captured: whoever closed first is in TIME-WAIT"


def _one(closer: int, fin: int, watch: Watch) -> Ending:
    who, other = "AB"[closer], "BA"[closer]
    if watch.now.acked[1 - closer] >= fin:
        return Ending(
            False,
            f"{other} has received {who}'s FIN and never closed: its application still holds the "
            f"socket; {other} is in CLOSE-WAIT, {who} in FIN-WAIT-2 until its timeout",
        )
    return Ending(
        False,
        f"{who}'s FIN is not acknowledged: {who} is in FIN-WAIT-1 and sends it again until it is, "
        f"or gives up; {other} may not have received it",
    )
