"""Sentences about states: where the ends stand, and what they wait for."""

from __future__ import annotations

from tcpclose_model.engines.plain import ENDS, Channel, PlainEngine, ProductState
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_2,
    TCB,
)
from tcpclose_model.run import Run


def standing(state: ProductState) -> str:
    """Return where both ends stand and what is in flight."""
    ways = (_flying(state.a_to_b, "B"), _flying(state.b_to_a, "A"))
    flying = " and ".join(way for way in ways if way)
    return (
        f"A is in {state.a.state.name}, B in {state.b.state.name}, {flying or 'nothing in flight'}"
    )


def _flying(channel: Channel, to: str) -> str:
    if not channel:
        return ""
    return f"{len(channel)} segment{'s' if len(channel) > 1 else ''} on the way to {to}"


def waiting(run: Run) -> str:
    """Return what each end that is not CLOSED waits for, in a state where nothing more happens."""
    waits = []
    for name, me, peer in zip(
        ENDS, (run.last.a, run.last.b), (run.last.b, run.last.a), strict=True
    ):
        if me.state != CLOSED:
            waits.append(f"{name} waits for {_awaited(me, peer)}")
    acting = {step.action.event.words for step in PlainEngine(run.model).successors(run.last)}
    also = f"; all that can still happen is {', '.join(sorted(acting))}" if acting else ""
    return (" and ".join(waits) or "both ends are CLOSED") + also


def _awaited(me: TCB, peer: TCB) -> str:
    gone = ", whose end is CLOSED" if peer.state == CLOSED else ""
    if me.fin_sent and me.snd_una <= me.snd_end:
        return f"the ACK of its FIN{gone}"
    if me.snd_una < me.snd_nxt:
        return f"the ACK of its text{gone}"
    if me.state == FIN_WAIT_2:
        return f"its peer's FIN{gone}"
    if me.state == CLOSE_WAIT:
        return "its own user to close"
    if me.state == ESTABLISHED:
        return "its user or its peer to close"
    return "its timer"
