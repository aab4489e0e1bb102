# mypy: ignore-errors
"""A mistake: a predicate of a row that uses `and`, which no engine can translate."""

from tcpclose_model import *
from tcpclose_model.protocol.words import text_is_queued, user_has_not_closed


def may_close(tcb, seg):
    """Return whether the user has not closed and has text in the queue."""
    return text_is_queued(tcb, seg) and user_has_not_closed(tcb, seg)


model = Model(a=RFC9293.edit(rows(name="close_again"), becomes(when=may_close), why="a slip"))
