# mypy: ignore-errors
"""A mistake: the added row and one of the standard's both fit a CLOSE in ESTABLISHED."""

from tcpclose_model import *

close_at_once = Rule("close_at_once", at=ESTABLISHED, on=Event.CLOSE, to=CLOSED, cite="none")

model = Model(a=RFC9293.add(close_at_once, why="two rows for one cell"))
