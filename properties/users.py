"""What the users, the hosts and the timers of a model never do, whatever state they are in."""

from __future__ import annotations

from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import Event


def never(model: Model, end: int) -> frozenset[Event]:
    """Return the local events that cannot happen at an end (0: A, 1: B) for want of who wants them.

    What depends on the state, on how much was sent or on a bound, is not among them.
    """
    user, timers = model.application, model.timers
    missing = {
        Event.ABORT: not user.aborts[end],
        Event.CRASH: not user.crashes[end],
        Event.SHUTDOWN: not user.half_close,
        Event.CLOSE: user.closes_of(end) == "never",
        Event.SEND: not user.data_units[end],
        Event.RECEIVE: user.reading != "lazy",
        Event.RETRANSMISSION_TIMEOUT: timers.retransmission == "none",
        Event.PERSIST_TIMEOUT: timers.retransmission == "none",
        Event.USER_TIMEOUT: not timers.user_timeout and not model.time.durations("user_timeout"),
    }
    return frozenset(event for event, is_missing in missing.items() if is_missing)
