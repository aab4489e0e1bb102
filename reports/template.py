"""The model file that `tcpclose new FILE` writes: a start, with every part explained."""

TEMPLATE = '''"""A model of a TCP close of my own.  Check it:  tcpclose check {name}"""

from tcpclose_model import *

# 1. The protocol: an edit of the standard's rows.  `tcpclose list rules` names them all, and
#    `tcpclose show RULE` explains one.  Here: an end that skips TIME-WAIT.
no_time_wait = RFC9293.edit(
    rows(to=TIME_WAIT),  # which rows: by name, at, on, when, do, to
    becomes(to=CLOSED),  # what they become: when, do, to, then; or removed()
    count=2,  # how many rows this means to touch; another number is an error
    why="skip 2MSL",
    cite="RFC 9293 3.6.1",
)

# 2. A claim of my own, beside those of the catalogue (`tcpclose list properties`).  A state is
#    seen as s.a, s.b (the two TCBs), s.a_to_b, s.b_to_a (the segments in flight).
a_peer_that_closed_is_answered = leads_to(
    "A peer that closed is answered",
    when=lambda s: s.a.state == CLOSE_WAIT,
    then=lambda s: s.a.state == CLOSED,
)

# 3. The model: who talks to whom, over which network (`tcpclose list parameters`).
model = Model(
    a=no_time_wait,
    b=RFC9293,
    network=Network(capacity=2, order="fifo", loss=True),
    timers=Timers(retransmission="timely", time_wait="free"),
    application=Application(closes="any", data_units=(1, 0)),
    properties=[*CATALOGUE, a_peer_that_closed_is_answered],
    # What I expect; anything else makes `tcpclose check` exit with 1.
    expect={{"no_silent_data_loss": holds, "no_reset_in_an_orderly_close": violated}},
)
'''


def template(name: str) -> str:
    """Return the text of a new model file called `name`."""
    return TEMPLATE.format(name=name)
