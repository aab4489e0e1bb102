# mypy: ignore-errors
"""A mistake: an edit of a row that is not there."""

from tcpclose_model import *

edited = RFC9293.edit(rows(name="fin_in_fin_wait_3"), becomes(to=CLOSED), why="a slip")

model = Model(a=edited)
