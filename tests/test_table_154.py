"""Kozierok's Table 154 and RFC 9293's Figures 12 and 13: the textbook closes, whole and exact.

Model `table_154`: nothing is lost or sent twice, no data, either end may close.  Its graph is
small enough to be listed here in full.
"""

from __future__ import annotations

from functools import cache

import pytest

from reports.replay import parse_ladder
from reports.scenarios import scenario_named
from tcpclose_model.engines.plain import PlainEngine, ProductState
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import ESTABLISHED, Event, Segment
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters

# The rows of Table 154 in our words: what happens, and the client's and the server's state after.
TABLE_154 = """
ESTABLISHED  ESTABLISHED   both work normally
FIN_WAIT_1   ESTABLISHED   the client's user closes; it sends a FIN
FIN_WAIT_1   CLOSE_WAIT    the server gets the FIN and acknowledges it; its user is told
FIN_WAIT_2   CLOSE_WAIT    the client gets the ACK of its FIN
FIN_WAIT_2   LAST_ACK      the server's user closes; it sends a FIN
TIME_WAIT    LAST_ACK      the client gets the FIN and acknowledges it
TIME_WAIT    CLOSED        the server gets the ACK of its FIN
CLOSED       CLOSED        the client's 2MSL are over
"""

# What each row's step is: who acts and on what.
STEPS_OF_TABLE_154 = [
    ("A", "CLOSE"),
    ("B", "SEGMENT ARRIVES"),
    ("A", "SEGMENT ARRIVES"),
    ("B", "CLOSE"),
    ("A", "SEGMENT ARRIVES"),
    ("B", "SEGMENT ARRIVES"),
    ("A", "2MSL"),
]

# Every pair of states that occurs, A's and then B's; the mirror images of those in brackets are
# left out.
PAIRS = """
ESTABLISHED ESTABLISHED
FIN_WAIT_1 FIN_WAIT_1
CLOSING CLOSING
TIME_WAIT TIME_WAIT
CLOSED CLOSED
(FIN_WAIT_1 ESTABLISHED)
(FIN_WAIT_1 CLOSE_WAIT)
(FIN_WAIT_2 CLOSE_WAIT)
(FIN_WAIT_1 LAST_ACK)
(FIN_WAIT_2 LAST_ACK)
(TIME_WAIT LAST_ACK)
(CLOSED LAST_ACK)
(TIME_WAIT CLOSED)
(CLOSING FIN_WAIT_1)
(TIME_WAIT CLOSING)
(CLOSED CLOSING)
"""

# RFC 9293 Figures 12 and 13: sender, SEQ, ACK, CTL.
FIGURE_12 = """
A <SEQ=100><ACK=300><CTL=FIN,ACK>
B <SEQ=300><ACK=101><CTL=ACK>
B <SEQ=300><ACK=101><CTL=FIN,ACK>
A <SEQ=101><ACK=301><CTL=ACK>
"""
FIGURE_13 = """
A <SEQ=100><ACK=300><CTL=FIN,ACK>
B <SEQ=300><ACK=100><CTL=FIN,ACK>
A <SEQ=101><ACK=301><CTL=ACK>
B <SEQ=301><ACK=101><CTL=ACK>
"""
FIRST_NUMBERS = (100, 300)


@cache
def space_of(*settings: str) -> StateSpace:
    """Return the graph of table_154 with some parameters changed."""
    return explore(model(*settings))


def model(*settings: str) -> Model:
    """Return table_154 with some parameters changed."""
    return with_parameters(model_named("table_154"), settings)


def pair(state: ProductState) -> tuple[str, str]:
    """Return the names of both ends' states."""
    return state.a.state.name, state.b.state.name


def pairs_of(space: StateSpace) -> set[tuple[str, str]]:
    """Return every pair of states that occurs."""
    return {pair(space.state(n)) for n in range(len(space))}


def sent_in(run: Run) -> str:
    """Return the segments of a run in the notation of the standard's figures."""
    lines = []
    for step in run.steps:
        if step.sent is not None:
            lines.append(f"{'AB'[step.action.actor]} {figure_text(step.sent, step.action.actor)}")
    return "\n" + "\n".join(lines) + "\n"


def figure_text(seg: Segment, sender: int) -> str:
    """Return a segment as a figure of the standard shows it, with its first numbers."""
    seq, ack = seg.seq + FIRST_NUMBERS[sender], seg.ack + FIRST_NUMBERS[1 - sender]
    return f"<SEQ={seq}><ACK={ack}><CTL={'FIN,' * seg.fin}ACK>"


def golden() -> list[tuple[str, str]]:
    """Return the pairs of states that the rows of Table 154 go through."""
    return [(row.split()[0], row.split()[1]) for row in TABLE_154.strip().splitlines()]


def mirrored() -> set[tuple[str, str]]:
    """Return every pair of `PAIRS`, mirror images included."""
    found = set()
    for line in PAIRS.strip().splitlines():
        a, b = line.strip("()").split()
        found |= {(a, b), (b, a)} if line.startswith("(") else {(a, b)}
    return found


def test_table_154_is_a_run_row_by_row() -> None:
    run = scenario_named("normal_close").run()
    assert golden() == [pair(state) for state in run.states]


def test_the_rows_of_table_154_are_the_steps_of_that_run() -> None:
    run = scenario_named("normal_close").run()
    taken = [("AB"[step.action.actor], step.action.event.words) for step in run.steps]
    assert STEPS_OF_TABLE_154 == taken


def test_at_each_row_of_table_154_the_next_row_is_possible() -> None:
    engine = PlainEngine(model())
    state = engine.initial
    for wanted in golden()[1:]:
        (state,) = {step.target for step in engine.successors(state) if pair(step.target) == wanted}
    assert [] == engine.successors(state)


def test_figure_12_has_the_numbers_of_the_standard() -> None:
    assert FIGURE_12 == sent_in(scenario_named("normal_close").run())


def test_figure_13_has_the_numbers_of_the_standard() -> None:
    assert FIGURE_13 == sent_in(scenario_named("simultaneous_close").run())


@pytest.mark.parametrize("name", ["normal_close", "simultaneous_close"])
def test_a_figure_of_the_standard_is_a_run_of_table_154(name: str) -> None:
    run = parse_ladder(scenario_named(name).ladder, model())
    assert ("CLOSED", "CLOSED") == pair(run.last)


def test_the_whole_graph_has_27_states_and_38_steps() -> None:
    space = space_of()
    assert (27, 38, 7) == (len(space), space.transitions, space.depth)


def test_every_pair_of_states_is_listed() -> None:
    assert mirrored() == pairs_of(space_of())


def test_the_pair_of_states_determines_all_else() -> None:
    space = space_of()
    assert len(space) == len(pairs_of(space))


def test_the_graph_is_its_own_mirror_image() -> None:
    steps = set()
    space = space_of()
    for step in range(space.transitions):
        source, target = space.state(space.source(step)), space.state(space.target[step])
        steps.add((pair(source), pair(target)))
    assert steps == {(before[::-1], after[::-1]) for before, after in steps}


def test_a_simultaneous_close_is_in_it() -> None:
    assert {("FIN_WAIT_1", "FIN_WAIT_1"), ("CLOSING", "CLOSING"), ("TIME_WAIT", "TIME_WAIT")} <= (
        pairs_of(space_of())
    )


def test_an_ideal_time_wait_leaves_23_states_and_30_steps() -> None:
    space = space_of("timers.time_wait=ideal")
    assert (23, 30) == (len(space), space.transitions)


def test_what_an_ideal_time_wait_leaves_out_is_a_time_wait_that_ends_before_its_peer_is_done() -> (
    None
):
    early = {("CLOSED", "LAST_ACK"), ("CLOSED", "CLOSING")}
    assert early | {(b, a) for a, b in early} == (
        pairs_of(space_of()) - pairs_of(space_of("timers.time_wait=ideal"))
    )


def test_if_only_a_may_close_first_10_states_and_11_steps_remain() -> None:
    space = space_of("application.closes=a_first")
    assert (10, 11) == (len(space), space.transitions)


def test_if_only_a_may_close_first_two_pairs_are_not_in_table_154() -> None:
    # B's user may close before A has the ACK, and A's 2MSL may be over before B has the last ACK.
    found = pairs_of(space_of("application.closes=a_first"))
    assert {("FIN_WAIT_1", "LAST_ACK"), ("CLOSED", "LAST_ACK")} == found - set(golden())


def test_remembering_who_closed_actively_makes_31_states_and_40_steps() -> None:
    """A count of 31 and 40 is found elsewhere: it belongs to a model that keeps this memory.

    Here a CLOSED end has forgotten it; only the pairs in which an end is CLOSED and the other
    CLOSED or in TIME-WAIT can be reached in more ways than one.
    """
    engine = PlainEngine(model())
    found: list[tuple[ProductState, frozenset[int]]] = [(engine.initial, frozenset())]
    edges = 0
    for state, active in found:  # grows while it is gone through
        for step in engine.successors(state):
            before = state.b if step.action.actor else state.a
            closes = step.action.event is Event.CLOSE and before.state is ESTABLISHED
            reached = (step.target, active | {step.action.actor} if closes else active)
            edges += 1
            if reached not in found:
                found.append(reached)
    assert (31, 40) == (len(found), edges)
