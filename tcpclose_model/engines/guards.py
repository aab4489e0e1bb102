"""What a step may need of the product state beyond its own end's TCB, as data."""

from __future__ import annotations

from enum import IntFlag
from functools import lru_cache

from tcpclose_model.engines.clock import is_timed
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import CLOSED, TCB, TIME_WAIT, Event


class Guard(IntFlag):
    """What a step may need of the product state beyond its own end's TCB."""

    OWN_ROOM = 1
    """There is room in the channel to the peer."""
    ROOM = 2
    """Fewer segments than `network.capacity` are in flight over both directions."""
    NOTHING_INBOUND = 4
    NOTHING_OUTBOUND = 8
    PEER_DONE = 16
    """The peer is CLOSED or in TIME-WAIT (see `peer_is_done`)."""
    PEER_CLOSED = 32


NOTHING_IN_FLIGHT = Guard.NOTHING_INBOUND | Guard.NOTHING_OUTBOUND
READS_CHANNELS = Guard.OWN_ROOM | Guard.ROOM | NOTHING_IN_FLIGHT
REPEATS = (Event.RETRANSMISSION_TIMEOUT, Event.KEEP_ALIVE_TIMEOUT, Event.PERSIST_TIMEOUT)
"""The timers that send or ask again; `bounds` limits how often."""


def guard(model: Model, event: Event, *, sends: bool) -> Guard:
    """Return what a call, an output or a timeout needs, all of it, before it may happen."""
    needs = Guard(0)
    timers, network = model.timers, model.network
    timely = timers.retransmission == "timely" and event in REPEATS
    if timely and not is_timed(model, event):
        needs |= NOTHING_IN_FLIGHT
    if event is Event.MIDDLEBOX_TIMEOUT and model.middlebox.timeout == "drained":
        needs |= NOTHING_IN_FLIGHT
    if event is Event.TIME_WAIT_TIMEOUT and timers.time_wait == "drained":
        needs |= NOTHING_IN_FLIGHT
    if event is Event.TIME_WAIT_TIMEOUT and timers.time_wait == "ideal":
        needs |= Guard.PEER_DONE
    if event is Event.FIN_WAIT_2_TIMEOUT and timers.fin_wait_2 == "orphaned":
        needs |= Guard.PEER_CLOSED | Guard.NOTHING_INBOUND
    if sends and network.senders_wait:
        needs |= Guard.ROOM
    elif sends and network.full == "waits":
        needs |= Guard.OWN_ROOM
    return needs


@lru_cache
def conditions(inbound: int, outbound: int, capacity: int) -> Guard:
    """Return what is so of the channels, given how many segments each of them holds."""
    found = Guard(0)
    if outbound < capacity:
        found |= Guard.OWN_ROOM
    if inbound + outbound < capacity:
        found |= Guard.ROOM
    if not inbound:
        found |= Guard.NOTHING_INBOUND
    if not outbound:
        found |= Guard.NOTHING_OUTBOUND
    return found


def of_peer(peer: TCB) -> Guard:
    """Return what is so of a peer."""
    found = Guard(0)
    if peer_is_done(peer):
        found |= Guard.PEER_DONE
    if peer.state == CLOSED:
        found |= Guard.PEER_CLOSED
    return found


def peer_is_done(peer: TCB) -> bool:
    """Return whether an ideal TIME-WAIT may end: the peer is CLOSED or in TIME-WAIT itself.

    Waiting for CLOSED alone would keep both ends of a simultaneous close waiting for ever.
    """
    return peer.state in (CLOSED, TIME_WAIT)
