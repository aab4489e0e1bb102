# mypy: ignore-errors
"""Two models of one user: the textbook close, and the same in which nobody ever closes."""

from tcpclose_model import *

QUIET = Network(loss=False)
NO_TIMER = Timers(retransmission="none")

textbook = Model(network=QUIET, timers=NO_TIMER, application=Application(data_units=(0, 0)))

nobody_closes = Model(
    network=QUIET,
    timers=NO_TIMER,
    application=Application(closes="never", data_units=(0, 0)),
)
