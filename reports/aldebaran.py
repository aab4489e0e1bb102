"""The explored graph in the Aldebaran format, for CADP, mCRL2 and other tools that compare LTSs.

States are numbered as explored, 0 is the initial one; a label is a step's action.  Steps that are
hidden all have one label, the internal one: `i` for CADP, `tau` for mCRL2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tcpclose_model.errors import ModelError
from tcpclose_model.graphs import move_text
from tcpclose_model.protocol.vocabulary import OUTPUTS, TIMEOUTS, Event
from tcpclose_model.space import StateSpace

STEPS_MAX = 5_000_000
"""Steps of a graph that is written: some 200 MB of text."""

HIDDEN: dict[str, tuple[Event, ...]] = {
    "network": (Event.SEGMENT_IS_LOST, Event.SEGMENT_IS_DUPLICATED),
    "segments": (Event.SEGMENT_ARRIVES, *OUTPUTS),
    "timers": (*TIMEOUTS, Event.MIDDLEBOX_TIMEOUT),
    "time": (Event.TICK,),
}
"""What can be hidden, and the events of the steps that then have the internal label."""


def aldebaran(space: StateSpace, hide: Collection[str] = (), internal: str = "i") -> str:
    """Return the graph as the text of an .aut file; `hide` holds names of `HIDDEN`.

    Raises ModelError if the graph is too large, or the internal label cannot be written.
    """
    if not (internal.isascii() and internal.isidentifier()):
        raise ModelError(f"--internal: {internal!r} is not a label of one word, such as i or tau")
    if space.transitions > STEPS_MAX:
        raise ModelError(
            f"the graph has {space.transitions:,} steps, more than the {STEPS_MAX:,} that are "
            "written as .aut: set smaller bounds (see: tcpclose list parameters)"
        )
    return "".join(_lines(space, hide, internal))


def _lines(space: StateSpace, hide: Collection[str], internal: str) -> Iterator[str]:
    hidden = {event for name in hide for event in HIDDEN[name]}
    labels = [
        internal if move.action.event in hidden else f'"{move_text(move)}"' for move in space.moves
    ]
    yield f"des (0, {space.transitions}, {len(space)})\n"
    for source in range(space.expanded):
        for step in space.steps(source):
            yield f"({source}, {labels[space.move[step]]}, {space.target[step]})\n"
