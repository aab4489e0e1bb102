# mypy: ignore-errors
"""A user's model: end A skips TIME-WAIT, and a claim of the user's own."""

from tcpclose_model import *

skips_time_wait = RFC9293.edit(
    rows(to=TIME_WAIT), becomes(to=CLOSED), count=2, why="skip 2MSL", cite="RFC 9293 3.6.1"
)

a_never_waits = always(
    "End A is never in TIME-WAIT.",
    lambda s: s.a.state != TIME_WAIT,
    name="a_never_waits",
)

model = Model(
    a=skips_time_wait,
    b=RFC9293,
    network=Network(capacity=1),
    timers=Timers(retransmission="timely"),
    application=Application(closes="any", data_units=(0, 0)),
    properties=[*CATALOGUE, a_never_waits],
    expect={"a_never_waits": holds, "no_reset_in_an_orderly_close": violated},
)
