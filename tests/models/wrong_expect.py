# mypy: ignore-errors
"""A mistake: a verdict is expected of a property that is not judged."""

from tcpclose_model import *

model = Model(
    network=Network(loss=False),
    timers=Timers(retransmission="none"),
    expect={"no_deadlok": holds},
)
