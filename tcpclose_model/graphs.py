"""An explored graph as networkx, with labels that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpclose_model.engines.plain import ACTORS, Channel
from tcpclose_model.protocol.vocabulary import CLOSED, Event, Segment
from tcpclose_model.space import Move, StateSpace

if TYPE_CHECKING:
    import networkx as nx


def segment_text(seg: Segment) -> str:
    """Return a segment as numbers: "FIN seq=1 ack=0", "DATA seq=0 ack=0", "RST seq=1"."""
    kinds = {"RST": seg.rst, "SYN": seg.syn, "DATA": seg.text, "FIN": seg.fin}
    name = "+".join(kind for kind, present in kinds.items() if present) or "ACK"
    ack = "" if (seg.rst or seg.syn) and not seg.ack else f" ack={seg.ack}"
    age = f" age={seg.age}" if seg.age else ""
    window = " wnd=0" if seg.wnd0 else ""
    of = f" of connection {seg.inc}" if seg.inc else ""
    return f"{name} seq={seg.seq}{ack}{window}{of}{age}"


def channel_text(channel: Channel) -> str:
    """Return what is in flight, the next to arrive first."""
    return ", ".join(segment_text(seg) for seg in channel) or "empty"


def move_text(move: Move) -> str:
    """Return a step's action in words: "A CLOSE", "FIN seq=0 ack=0 arrives at B"."""
    end, segment = ACTORS[move.action.actor], move.action.segment
    if move.action.event is Event.TICK:
        return Event.TICK.words
    if segment is None:
        return f"{end} {move.action.event.words}"
    what = {
        Event.SEGMENT_ARRIVES: "arrives at",
        Event.SEGMENT_IS_LOST: "is lost on its way to",
        Event.SEGMENT_IS_DUPLICATED: "is duplicated on its way to",
    }[move.action.event]
    return f"{segment_text(segment)} {what} {end}"


def networkx_graph(space: StateSpace) -> nx.MultiDiGraph[int]:
    """Return the explored graph as a MultiDiGraph; nodes are state numbers, 0 is the initial state.

    Node attributes: `a`, `b` (state names), `a_to_b`, `b_to_a` (segments in flight, text),
    `label`, `depth`, `initial`, `final` (both CLOSED).  Edge attributes: `action`, `actor`,
    `event`, `rules`, `clauses` (text, in the order carried out), `sent`, `label`.
    It takes some 4 KB a state: for graphs that people look at.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=space.model.name, complete=space.complete)
    for number in range(len(space)):
        state = space.state(number)
        names = state.a.state.name, state.b.state.name
        flight = channel_text(state.a_to_b), channel_text(state.b_to_a)
        graph.add_node(
            number,
            a=names[0],
            b=names[1],
            a_to_b=flight[0],
            b_to_a=flight[1],
            label=f"{names[0]} | {names[1]}\nA to B: {flight[0]}\nB to A: {flight[1]}",
            depth=space.level_of(number),
            initial=number == 0,
            final=state.a.state == state.b.state == CLOSED,
        )
    for source in range(space.expanded):
        for step in space.steps(source):
            move = space.moves[space.move[step]]
            graph.add_edge(source, space.target[step], **_edge(move))
    return graph


def _edge(move: Move) -> dict[str, str]:
    rules = "; ".join(rule.name for rule in move.rules)
    clauses = "; ".join(rule.cite for rule in move.rules)
    action = move_text(move)
    return {
        "action": action,
        "actor": ACTORS[move.action.actor],
        "event": move.action.event.name,
        "rules": rules,
        "clauses": clauses,
        "sent": segment_text(move.sent) if move.sent is not None else "",
        "label": f"{action}\n{rules} ({clauses})" if rules else action,
    }
