"""The catalogue, models with a clock: TIME-WAIT of a tick too little, and of just enough.

What `tcpclose time-wait --question old-segments` finds as a threshold, on a network that is small
enough for every state of both connections: segments live a tick, and the channels hold one each.
"""

from __future__ import annotations

from tcpclose_model.parts import Application, Incarnations, Network, Time
from tcpclose_model.variants.registry import add_model, switched

LINUX_LIKE = switched("reopens", "rfc1337", "quiet_time", "any_segment_restarts_2msl")
"""All that 2MSL needs to be enough: see docs/time_wait.md."""

HALF_OPEN = ("the_second_connection_can_always_open", "the_second_connection_can_always_close")
"""What no wait helps: an end gives up in silence, and its peer does not hear of it."""

VACUOUS = ("no_old_text_accepted", "a_refused_syn_leads_back_to_time_wait")


def _waits(name: str, title: str, time_wait: int, *violated: str) -> None:
    add_model(
        name,
        title,
        "RFC 9293 3.6.1 MUST-13: 2MSL; docs/time_wait.md",
        LINUX_LIKE,
        network=Network(capacity=1, order="any"),
        application=Application(closes="a_first", data_units=(0, 0)),
        incarnations=Incarnations(opens=("active", "passive"), data_units=(0, 0)),
        time=Time(segment_lifetime=1, retransmission=(2,), user_timeout=3, time_wait=time_wait),
        violated=(*violated, *HALF_OPEN),
        vacuous=VACUOUS,
    )


_waits(
    "reopen_after_two_msl",
    "TIME-WAIT of exactly 2MSL: an old reset arrives at its last moment, and ends the opening",
    2,
    "no_old_segment_accepted",
    "no_opening_ended_by_an_old_segment",
)
_waits(
    "reopen_after_more_than_two_msl",
    "TIME-WAIT of 2MSL and a tick: nothing of the first connection is left",
    3,
)
