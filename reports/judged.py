"""The verdict on one captured connection, and the words for what is in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from reports.connections import Connection
from reports.observer import Seen
from reports.packets import End
from tcpclose_model.protocol.vocabulary import State

CONFORMS, DEVIATES, UNFINISHED = "conforms", "deviates", "unfinished"
OUT_OF_SCOPE = "out of scope"
ORDER = (CONFORMS, DEVIATES, UNFINISHED, OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one connection.

    states: the possible states of A and B at the end; later: those that timers lead to from there.
    explained_by: the models that explain a close that deviates; None: they were not sought.
    undecided: the close was seen, but whether a run explains it could not be found out.
    """

    connection: Connection
    verdict: str
    ended: str
    reasons: tuple[str, ...] = ()
    states: tuple[tuple[State, ...], tuple[State, ...]] | None = None
    later: tuple[tuple[State, ...], tuple[State, ...]] | None = None
    explained_by: tuple[str, ...] | None = ()
    undecided: bool = False


def names(states: Sequence[State]) -> str:
    """Return states as text: A or B or C."""
    return " or ".join(state.name for state in states) or "no state that the model has"


def described(seg: Seen) -> str:
    """Return a segment as a report names it; numbers are relative to where the close began."""
    if seg.rst:
        return f"RST (seq {seg.seq})"
    kind = " and ".join([f"{seg.text:,} octets"] * bool(seg.text) + ["FIN"] * seg.fin) or "ACK"
    return f"{kind} (seq {seg.seq}, ack {seg.ack})"


@lru_cache(maxsize=4_096)
def address(end: End) -> str:
    """Return an end's address and port as text."""
    packed, port = end
    text = ipaddress.ip_address(packed)
    return f"[{text}]:{port}" if text.version == 6 else f"{text}:{port}"
