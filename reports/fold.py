"""Smaller graphs out of an explored one: pairs of states, and the states of one end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.labels import label
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.protocol.notation import Rule, words
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    ESTABLISHED,
    FIN_ACKED_STEP,
    FIN_STEP,
    RST_STEP,
    TCB,
    Event,
    State,
    Step,
)
from tcpclose_model.space import StateSpace

Pair = tuple[str, str]

if TYPE_CHECKING:
    import networkx as nx

    JointGraph = nx.MultiDiGraph[Pair]


def joint_graph(space: StateSpace, path: Sequence[tuple[int, int]] = ()) -> JointGraph:
    """Return the graph folded to pairs (state of A, state of B).

    Node attributes: `label`, `states` (how many product states), `note`, `kind` ("initial",
    "final", "bad" where some product state cannot move on, "plain").  Edge attributes: `label`
    (the call, timeout or arriving segment), `count` (steps), `kind` ("reset", "highlight" on the
    given path, "normal").  Steps that change neither state are left out.
    """
    import networkx as nx

    graph: JointGraph = nx.MultiDiGraph(name=space.model.name)
    highlighted = {step for _, step in path}
    pairs = [_pair(space, number) for number in range(len(space))]
    for number, pair in enumerate(pairs):
        if pair not in graph:
            graph.add_node(pair, label=f"{pair[0]}\n{pair[1]}", states=0, kind="plain")
        graph.nodes[pair]["states"] += 1
        if number < space.expanded and _is_stuck(space, number):
            graph.nodes[pair]["kind"] = "bad"
    for source in range(space.expanded):
        for step in space.steps(source):
            pair, reached = pairs[source], pairs[space.target[step]]
            if pair != reached:
                _count_edge(
                    graph, pair, reached, _step_label(space, source, step), step in highlighted
                )
    for pair, data in graph.nodes(data=True):
        data["note"] = f"{data['states']:,} state{'s' if data['states'] > 1 else ''}"
        if pair == (CLOSED.name, CLOSED.name):
            data["kind"] = "final"
    graph.nodes[pairs[0]]["kind"] = "initial"
    return graph


def _pair(space: StateSpace, number: int) -> Pair:
    return space.tcbs[space.a[number]].state.name, space.tcbs[space.b[number]].state.name


def _is_stuck(space: StateSpace, number: int) -> bool:
    closed = space.tcbs[space.a[number]].state == space.tcbs[space.b[number]].state == CLOSED
    return not closed and all(space.target[step] == number for step in space.steps(number))


def _count_edge(graph: JointGraph, pair: Pair, reached: Pair, text: str, highlighted: bool) -> None:
    if not graph.has_edge(pair, reached, key=text):
        kind = "reset" if text.startswith("RST") else "normal"
        graph.add_edge(pair, reached, key=text, label=text, count=0, kind=kind)
    edge = graph.edges[pair, reached, text]
    edge["count"] += 1
    if highlighted:
        edge["kind"] = "highlight"


def _step_label(space: StateSpace, source: int, step: int) -> str:
    actor, event, segment = space.moves[space.move[step]].action
    if event is Event.TICK:
        return event.words
    if segment is None:
        return f"{ENDS[actor]} {event.words}"
    receiver = space.tcbs[(space.b if actor else space.a)[source]]
    return f"{label(segment, receiver)} → {ENDS[actor]}"


ALWAYS_SHOWN = (Event.CLOSE, Event.TIME_WAIT_TIMEOUT, FIN_ACKED_STEP, FIN_STEP)
"""What Figure 5 shows; anything else is drawn only where some run did it."""


def endpoint_graph(space: StateSpace, end: int) -> nx.MultiDiGraph[str]:
    """Return one end's state diagram: the changes of state that its table declares.

    Nodes are state names.  Edge attributes: `label` as in RFC 9293 Figure 5 ("rcv FIN / snd
    ACK"), `rule`, `clause`, `taken` (some run took it), `kind` ("never" where none did).  An
    arrival that goes through two changes at once (FIN-WAIT-1 to TIME-WAIT) has an edge of its own.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=space.model.name)
    taken, direct = _taken(space, end)
    protocol = space.model.b if end else space.model.a
    for state in protocol.states:
        kind = {ESTABLISHED: "initial", CLOSED: "final"}.get(state, "plain")
        graph.add_node(state.name, label=state.name, kind=kind)
    for rule in protocol.rules:
        for state in rule.at:
            if rule.to is None or rule.to == state:
                continue
            was_taken = (state, rule.name) in taken
            if was_taken or rule.on in ALWAYS_SHOWN:
                kind = "reset" if rule.on is RST_STEP else "normal"
                graph.add_edge(
                    state.name,
                    rule.to.name,
                    label=_figure5_label(rule),
                    rule=rule.name,
                    clause=rule.cite,
                    taken=was_taken,
                    kind=kind if was_taken else "never",
                )
    for before, after in sorted(direct):
        graph.add_edge(
            State(before).name,
            State(after).name,
            label="rcv FIN, ACK of FIN / snd ACK",
            rule="two rows in one arrival",
            clause="3.10.7.4 fifth, eighth",
            taken=True,
            kind="normal",
        )
    return graph


def _taken(space: StateSpace, end: int) -> tuple[set[tuple[State, str]], set[tuple[int, int]]]:
    """Return the (state, rule) pairs that changed state in some step, and the double changes."""
    taken: set[tuple[State, str]] = set()
    direct: set[tuple[int, int]] = set()
    for move in space.moves:
        if move.action.actor != end or move.before < 0:
            continue
        before: TCB = space.tcbs[move.before]
        state, changes = before.state, 0
        for rule in move.rules:
            if rule.to is not None and rule.to != state:
                taken.add((state, rule.name))
                state, changes = rule.to, changes + 1
        if changes > 1:
            direct.add((before.state, state))
    return taken, direct


RECEIVED = {FIN_ACKED_STEP: "rcv ACK of FIN", FIN_STEP: "rcv FIN", RST_STEP: "rcv RST"}


def _figure5_label(rule: Rule) -> str:
    if isinstance(rule.on, Step):
        event = RECEIVED.get(rule.on, rule.on.name.lower())
    else:
        event = rule.on.words
    sent = [
        words(effect).removeprefix("send ")
        for effect in rule.do
        if words(effect).startswith("send ")
    ]
    names = {"ack": "ACK", "fin": "FIN", "text with fin": "DATA + FIN", "reset": "RST"}
    return event + "".join(f" / snd {names.get(what, what)}" for what in sent)
