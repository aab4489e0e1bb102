"""How a captured connection ended, in one sentence that an operator can act on."""

from __future__ import annotations

from typing import NamedTuple

from reports.connections import Connection
from reports.queued import Queued
from reports.situations import States
from reports.watching import Given, Watch
from tcpclose_model.protocol.vocabulary import State


class Ending(NamedTuple):
    """Whether both ends may be done with it, and what there is to say."""

    done: bool
    sentence: str


def still_open(one: Connection) -> tuple[str, States]:
    """Return what there is to say of a connection without FIN and RST, and its possible states."""
    told, states = "neither FIN nor RST was captured: nothing shows that an end has closed", []
    for end in (0, 1):
        own, peer = one.directions[end], one.directions[1 - end]
        waits = peer.shut or peer.acked is None or peer.acked < own.nxt
        both = (State.ESTABLISHED, State.FIN_WAIT_1)
        states.append(both if waits else both[:1])
        if peer.shut:
            told += f"; {_stuck(end)}"
    return told, (states[0], states[1])


def _stuck(end: int) -> str:
    """Return what a zero window does to an end."""
    who, peer = "AB"[end], "BA"[end]
    return (
        f"{peer}'s window is zero, its application does not read: {who} can send no text, and no "
        "FIN behind text"
    )


def ending(watch: Watch, states: States) -> Ending:
    """Return how a close that the model explains has ended, or what it waits for."""
    if watch.resets:
        return _reset(watch, states)
    a, b = watch.now.fins
    if a is not None and b is not None:
        return _both(watch, states)
    if a is None and b is None:
        return Ending(False, "no FIN was captured: the close has not begun")
    closer = 0 if a is not None else 1
    fin = watch.now.fins[closer]
    assert fin is not None
    return _one(closer, fin, watch)


def _queued(watch: Watch) -> Queued:
    """Return what was seen of both ends, before a reset if there is one."""
    return watch.now.queued.at_reset or watch.now.queued


def _reset(watch: Watch, states: States) -> Ending:
    """Return how a connection that was reset has ended, why, and what is lost."""
    first, queued = watch.resets[0], _queued(watch)
    x, y = first.sender, 1 - first.sender
    who, other = "AB"[x], "AB"[y]
    own, its = queued.fins[x], queued.fins[y]
    if own is not None and its is not None and queued.acked[y] >= own and queued.acked[x] >= its:
        told = _both(watch, states).sentence
        return Ending(True, f"{told}; {who} answered a later segment with a RST, nothing is lost")
    told = f"{who} reset the connection (packet {first.number}): {other} is CLOSED if it arrived"
    lost = [(n, queued.unacknowledged(n)) for n in (x, y)]
    missing = " and ".join(f"{octets:,} octets of {'AB'[n]}" for n, octets in lost if octets)
    missing = f"; not acknowledged, so perhaps lost: {missing}" if missing else ""
    return Ending(True, f"{told}; {_why(first, own, its, lost[1][1])}{missing}")


def _why(first: Given, own: int | None, its: int | None, text: int) -> str:
    """Return why an end has sent a reset, given both FINs and what it left unacknowledged."""
    who, other = "AB"[first.sender], "BA"[first.sender]
    if own is not None:
        if text:
            return f"{who} had closed already, and text of {other} came that nobody will read"
        if its is not None:
            return f"both had sent their FIN, and {who} no longer knew the connection, or gave up"
        return f"{who} had sent its FIN, and did not wait for {other}'s any longer"
    if first.bare:
        return (
            f"{who} knew no such connection any more (restarted, timed out), or a firewall did it"
        )
    if its is not None:
        return f"{who} aborted instead of closing after {other}'s FIN: text unread, or SO_LINGER 0"
    return f"{who} aborted instead of closing: text unread, SO_LINGER 0, or a timeout"


def _both(watch: Watch, states: States) -> Ending:
    """Return how a connection with both FINs has ended."""
    fins, queued = watch.now.fins, _queued(watch)
    unacknowledged = [end for end in (0, 1) if watch.now.acked[1 - end] < (fins[end] or 0)]
    if unacknowledged:
        told = " and ".join("AB"[end] for end in unacknowledged)
        return Ending(
            False,
            f"both ends have sent their FIN; the ACK of {told}'s FIN was not captured: {told} "
            "sends it again until it is acknowledged, or gives up",
        )
    both = all(State.TIME_WAIT in of for of in states)
    if queued.at_once and (both or watch.resets):
        return Ending(True, "both ends closed at once; both wait in TIME-WAIT")
    waiting = [n for n in (0, 1) if State.TIME_WAIT in states[n] and not queued.crossed(n)]
    if not waiting and queued.first is not None and None not in queued.fins:
        waiting = [queued.first]
    if len(waiting) != 1:
        told = "both FINs are acknowledged, but who closed first was not captured: it waits in"
        return Ending(True, f"{told} TIME-WAIT, the other is CLOSED once the last ACK arrives")
    first = waiting[0]
    told = (
        f"{'AB'[first]} closed first and waits in TIME-WAIT; {'BA'[first]} is CLOSED once "
        "the last ACK arrives"
    )
    if queued.crossed(1 - first):
        told += ", or in TIME-WAIT, too, if it had closed before and its FIN was queued"
    return Ending(True, told)


def _one(closer: int, fin: int, watch: Watch) -> Ending:
    who, other = "AB"[closer], "BA"[closer]
    if watch.now.acked[1 - closer] < fin:
        return Ending(
            False,
            f"{who}'s FIN is not acknowledged: {who} is in FIN-WAIT-1 and sends it again until it "
            f"is, or gives up; {other} may not have received it",
        )
    queued = watch.now.queued
    if queued.waits(1 - closer):
        left = queued.unacknowledged(1 - closer)
        why = f"; {_stuck(1 - closer)}" if queued.shut[closer] else ""
        if not left and not why:
            return Ending(
                False,
                f"{other} has received {who}'s FIN and was not seen to close: its application "
                "still holds the socket (CLOSE-WAIT), or its FIN waits for the ACK of text that it "
                f"sent again (LAST-ACK); {who} is in FIN-WAIT-2",
            )
        return Ending(
            False,
            f"{other} has received {who}'s FIN and is not done sending: {left:,} octets are not "
            f"acknowledged; it is in CLOSE-WAIT, or in LAST-ACK if its FIN is queued{why}",
        )
    return Ending(
        False,
        f"{other} has received {who}'s FIN and never closed: its application still holds the "
        f"socket; {other} is in CLOSE-WAIT, {who} in FIN-WAIT-2 until its timeout (it has none "
        "while its application holds the socket)",
    )
