"""The fairness of a model in TLA+, clause by clause as `properties.fair_cycles` defines it.

It needs the explored graph: which events occur, and the segments that W3 and S are about.
"""

from __future__ import annotations

from collections.abc import Iterator

from properties.fair_cycles import FAIR_TIMERS
from properties.graph import components
from reports.exports.rows import segment_fields
from reports.exports.tla_network import copies, leaving
from reports.exports.tla_rows import comment, constant_segment, listed
from reports.exports.tla_terms import OR
from tcpclose_model.engines.guards import READS_CHANNELS, guard
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.protocol.vocabulary import OUTPUTS, Event, Segment
from tcpclose_model.space import StateSpace

Values = tuple[set[Segment], set[Segment]]
"""Segments by the end that they are on their way to."""

RECEIVED = """\
SentTo(me, s) == last'.end = Peer(me) /\\ last'.sent = <<s>>
ReceivedBy(me, s) ==
    /\\ last'.end = me /\\ last'.event = "SEGMENT_ARRIVES"
    /\\ last'.segment = <<s>>"""

W12 = """\
    \\* W1 and W2: what can happen from some point on happens again and again; SF where its
    \\* guard reads the channels: what can happen again and again does."""

W3_OF_HEADS = """\
    \\* W3: a channel that is never empty delivers or loses its head again and again.
    /\\ \\A me \\in Ends : WF_vars(HeadLeaves(me))"""

W3_OF_VALUES = """\
    \\* W3: a segment that is always in flight is delivered or lost again and again.
    /\\ \\A me \\in Ends : \\A s \\in Segments[me] : WF_vars(Leaves(me, s))"""

S = """\
    \\* S: a segment that is sent again and again is received again and again.
    /\\ \\A me \\in Ends : \\A s \\in SentAgain[me] :
        []<><<SentTo(me, s)>>_vars => []<><<ReceivedBy(me, s)>>_vars"""

NO_S = "    \\* S says nothing: no run sends a segment again and again."

FINITELY_OFTEN = """\
    \\* Duplication happens finitely often.
    /\\ <>[][last'.event # "SEGMENT_IS_DUPLICATED"]_vars"""


class Fairness:
    """Renders `FairSpec`: the runs that count."""

    def __init__(self, space: StateSpace) -> None:
        self._space, self._model = space, space.model
        self._occurs = {(move.action.actor, move.action.event) for move in space.moves}
        self._sends = {
            (move.action.actor, move.action.event) for move in space.moves if move.sent is not None
        }
        self._outputs = [e for e in OUTPUTS if any((end, e) in self._occurs for end in (0, 1))]

    def sections(self) -> Iterator[str]:
        """Return the definitions that make up `FairSpec`."""
        if self._outputs:
            yield f"OUTPUT(me) == {OR.join(f'{event.name}(me)' for event in self._outputs)}"
        yield leaving(self._model.network)
        if self._model.network.order != "fifo":
            said = "The segments that are ever on their way to an end."
            yield self._listing("Segments", said, self._in_flight())
        again = self._sent_again()
        if any(again):
            yield RECEIVED
            said = (
                "The segments that some run sends again and again; to no others does S apply. "
                "TLC's work doubles with each of them."
            )
            yield self._listing("SentAgain", said, again)
        yield "\n".join([*self._clauses(), S if any(again) else NO_S, *self._finitely_often()])
        yield "FairSpec == Spec /\\ Fairness"

    def _clauses(self) -> Iterator[str]:
        network = self._model.network
        yield "Fairness =="
        yield W12
        for name, events in self._fair_events().items():
            yield from self._fair(name, events)
        if network.order == "fifo":
            yield W3_OF_HEADS
        else:
            yield W3_OF_VALUES

    def _finitely_often(self) -> list[str]:
        return [FINITELY_OFTEN] if copies(self._model.network) else []

    def _fair_events(self) -> dict[str, list[Event]]:
        """Return the actions that are fair, each with the events that it consists of."""
        model = self._model
        fair = {*FAIR_TIMERS, *(Event[call] for call in model.application.fair)}
        if model.timers.user_timeout:
            fair.add(Event.USER_TIMEOUT)
        named = {event.name: [event] for event in sorted(fair)}
        return {"OUTPUT": self._outputs, **named}

    def _fair(self, name: str, events: list[Event]) -> Iterator[str]:
        """Return how fair an action is at either end."""
        said = []
        for end in (0, 1):
            here = [event for event in events if (end, event) in self._occurs]
            reads = any(
                guard(self._model, event, sends=(end, event) in self._sends) & READS_CHANNELS
                for event in here
            )
            said.append("SF" if reads else "WF" if here else "")
        if said[0] == said[1]:
            if said[0]:
                yield f"    /\\ \\A me \\in Ends : {said[0]}_vars({name}(me))"
            return
        for letter, how in zip(ENDS, said, strict=True):
            if how:
                yield f'    /\\ {how}_vars({name}("{letter}"))'

    def _in_flight(self) -> Values:
        space = self._space
        used = (space.b_to_a, space.a_to_b)
        to_a, to_b = ({seg for n in set(one) for seg in space.channels[n]} for one in used)
        return to_a, to_b

    def _sent_again(self) -> Values:
        """Return what is sent on a cycle (without duplications, which end)."""
        space = self._space
        lasts = bytearray(
            move.action.event is not Event.SEGMENT_IS_DUPLICATED for move in space.moves
        )
        sent: Values = (set(), set())
        for members in components(space, range(len(space)), lasts, of=space.move):
            inside = set(members)
            for number in members:
                for taken in space.steps(number):
                    move = space.moves[space.move[taken]]
                    if move.sent is not None and space.target[taken] in inside:
                        sent[1 - move.action.actor].add(move.sent)
        return sent

    def _listing(self, name: str, said: str, values: Values) -> str:
        """Return the definition of a set of segments for either end."""
        lines, fields = [], segment_fields(self._model)
        for end, segments in zip(ENDS, values, strict=True):
            items = [constant_segment(segment, fields) for segment in sorted(segments)]
            head = f"{'[' if end == 'A' else ' '}{end} |-> {{"
            lines.append(listed(head, items, 4)[:-1] + "}" if items else f"{head}}}")
        both = ",\n    ".join(lines)
        return f"{comment(said)}{name} ==\n    {both}]"
