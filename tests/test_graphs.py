"""The explored graph for people: networkx, folded to pairs, and one end as Figure 5."""

from __future__ import annotations

from functools import cache

import networkx as nx

from reports.fold import endpoint_graph, joint_graph
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters

FIGURE_5 = {
    ("ESTABLISHED", "FIN_WAIT_1", "CLOSE / snd FIN"),
    ("ESTABLISHED", "CLOSE_WAIT", "rcv FIN / snd ACK"),
    ("FIN_WAIT_1", "FIN_WAIT_2", "rcv ACK of FIN"),
    ("FIN_WAIT_1", "CLOSING", "rcv FIN / snd ACK"),
    ("FIN_WAIT_2", "TIME_WAIT", "rcv FIN / snd ACK"),
    ("CLOSING", "TIME_WAIT", "rcv ACK of FIN"),
    ("CLOSE_WAIT", "LAST_ACK", "CLOSE / snd FIN"),
    ("LAST_ACK", "CLOSED", "rcv ACK of FIN"),
    ("TIME_WAIT", "CLOSED", "2MSL"),
}
"""The edges of RFC 9293 Figure 5 from ESTABLISHED on."""


@cache
def space_of(name: str, *settings: str) -> StateSpace:
    """Return an explored model of the catalogue."""
    return explore(with_parameters(model_named(name), settings))


def edges(graph: nx.MultiDiGraph[str], **wanted: object) -> set[tuple[str, str, str]]:
    """Return (from, to, label) of the edges that have these attributes."""
    found = graph.edges(data=True)
    return {
        (source, target, data["label"])
        for source, target, data in found
        if all(data[name] == value for name, value in wanted.items())
    }


def test_the_networkx_graph_has_every_state_and_every_step() -> None:
    space = space_of("table_154")
    graph = space.networkx()
    assert isinstance(graph, nx.MultiDiGraph)
    assert (27, 38) == (graph.number_of_nodes(), graph.number_of_edges())


def test_nodes_say_where_both_ends_are_and_what_is_in_flight() -> None:
    space = space_of("table_154")
    graph = space.networkx()
    for number, data in graph.nodes(data=True):
        state = space.state(number)
        assert (state.a.state.name, state.b.state.name) == (data["a"], data["b"])
        assert data["label"].startswith(f"{data['a']} | {data['b']}\n")
        assert (data["a_to_b"] == "empty") == (not state.a_to_b)
        assert data["depth"] == nx.shortest_path_length(graph, 0, number)
    assert {"FIN seq=0 ack=0"} == {
        graph.nodes[number]["a_to_b"] for number in graph.successors(0)
    } - {"empty"}


def test_edges_say_which_rule_fired_and_its_clause() -> None:
    graph = space_of("table_154").networkx()
    closes = [d for _, _, d in graph.edges(data=True) if d["event"] == Event.CLOSE.name]
    assert {"close", "close_after_peer"} == {data["rules"] for data in closes}
    assert {"3.10.4"} == {data["clauses"] for data in closes}
    assert all(data["label"].startswith(data["action"]) for data in closes)


def test_the_folded_graph_counts_every_state_once() -> None:
    space = space_of("user_timeout", "application.data_units=0,0")
    graph = joint_graph(space)
    assert len(space) == sum(data["states"] for _, data in graph.nodes(data=True))
    assert "initial" == graph.nodes["ESTABLISHED", "ESTABLISHED"]["kind"]
    assert "final" == graph.nodes["CLOSED", "CLOSED"]["kind"]
    assert "bad" == graph.nodes["FIN_WAIT_2", "CLOSED"]["kind"]


def test_an_end_of_the_default_model_takes_every_edge_of_figure_5() -> None:
    graph = endpoint_graph(space_of("rfc9293"), 0)
    assert edges(graph, taken=True) >= FIGURE_5
    assert set() == edges(graph, taken=False)


def test_fin_wait_1_to_time_wait_in_one_arrival_is_an_edge_of_its_own() -> None:
    direct = ("FIN_WAIT_1", "TIME_WAIT", "rcv FIN, ACK of FIN / snd ACK")
    assert direct in edges(endpoint_graph(space_of("rfc9293"), 0))
    assert direct not in edges(endpoint_graph(space_of("table_154"), 0))


def test_edges_that_no_run_took_are_marked() -> None:
    passive = endpoint_graph(space_of("table_154", "application.closes=a_first"), 1)
    never = edges(passive, kind="never")
    assert ("ESTABLISHED", "FIN_WAIT_1", "CLOSE / snd FIN") in never
    assert ("LAST_ACK", "CLOSED", "rcv ACK of FIN") not in never
