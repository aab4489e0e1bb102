"""The catalogue: every verdict and every count, and that nothing in the tables is dead.

`catalogue.baseline` and the tables in `docs/verdicts.md` are written by

    python -m tests.test_catalogue --write

What moves is explained where it is committed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from properties.baseline import Baseline, Pin, moved, pin, standard_moved
from properties.catalogue import CATALOGUE
from properties.check import check, expectations, properties_of
from properties.fingerprint import SEMANTICS
from properties.kinds import Property, always
from properties.reopening import REOPENING
from properties.verdict import Answer
from reports.baseline_file import baseline_text, read_baseline
from reports.replay import parse_ladder
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants import mutants
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.switches import SWITCHES
from tests.explored import graph_of, result_of

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "tests" / "catalogue.baseline"
VERDICTS = ROOT / "docs" / "verdicts.md"
BEGIN, END = "<!-- {}: begin -->\n", "<!-- {}: end -->\n"
TABLES = {"matrix": CATALOGUE, "reopening": REOPENING}
"""The tables in `docs/verdicts.md`, and the properties that each is about."""

SIGNS = {"holds": "✓", "violated": "✗", "vacuous": "–", "unknown": "?"}

NO_DATA = "application.data_units=0"
A_SENDS = "application.data_units=1,0"

# Rows of the standard's table, and of switches, that no model of the catalogue carries out, and a
# small model that does.
OF_A_MINISOCKET = (
    "application.half_close=true",
    "application.data_units=0,1",
    "application.closes=a_first",
    "application.aborts=false,true",
    "timers.user_timeout=false",
    "network.order=set",
    "network.duplication=true",
)
SAME_CLOCK_ABOVE = ("incarnations.tsval=same", "incarnations.iss=0,4")
ABORTS_LATE = ("application.half_close=true", "application.aborts=true,false")
CLOSES_UNREAD = (
    "application.half_close=true",
    "application.reading=lazy",
    "application.data_units=0,1",
)
ABORTS_UNREAD = (*CLOSES_UNREAD, "application.aborts=true,false")
RARE_ROWS = {
    "zero_window_in_fin_wait_1_closing_last_ack": (
        "orphan_probes_count",
        ("application.half_close=true",),
    ),
    "text_ahead_in_fin_wait_1_fin_wait_2": ("half_duplex_close", ("application.data_units=0,2",)),
    "unacceptable_pure_withheld": ("challenge_ack_limited", ("network.duplication=true",)),
    "challenge_in_fin_wait_2": ("linux", OF_A_MINISOCKET),
    "challenge_in_fin_wait_2_withheld": ("linux", OF_A_MINISOCKET),
    "fin_ahead_in_fin_wait_1_fin_wait_2": ("linux", OF_A_MINISOCKET),
    "unacceptable_rst_in_fin_wait_2": ("linux", OF_A_MINISOCKET),
    "abort_before_fin": ("linux", ABORTS_LATE),
    "abort_quietly_in_closing_last_ack": ("linux", ABORTS_LATE),
    "close_again_with_text_unread": ("linux", CLOSES_UNREAD),
    "abort_with_text_unread": ("linux", ABORTS_UNREAD),
    "old_syn_in_time_wait": ("time_wait_takes_newer_syn", ("incarnations.tsval=same",)),
    "unacceptable_in_syn_received_pure": ("linux_reopens", SAME_CLOCK_ABOVE),
    "unacceptable_in_syn_received_pure_withheld": ("linux_reopens", SAME_CLOCK_ABOVE),
}
# Few and small models that carry out, together, every row that any model of the catalogue does.
SHOW_ROWS = (
    "nuttx_8915",
    "linux_5_10_old_ack_fin",
    "firewall_at_last_ack",
    "firewall_idle_resets",
    "gvisor_13393",
    "reopen_half_open_syn_resets",
    "fin_in_zero_window",
    "gvisor_3106",
    "conntrack_loose",
    "reset_on_unread_lossless",
    "reset_on_pending_receive",
    "firewall_idle_keep_alive",
    "no_persist_timer",
    "firewall_after_fins_user_timeout",
    "linux_tw_buckets_0",
    "fin_wait_2_timeout_held",
    "reopen_closed_early_syn_forgotten",
    "half_duplex_close",
    "linger_2",
    "time_wait_takes_syn",
    "time_wait_takes_newer_syn_and_resumes",
    "reopen_simultaneously",
    "reopen_after_two_msl",
    "windows",
    "demikernel_1537",
    "rfc9293_literal",
    "challenge_ack_limited",
    "linux_time_wait_reuse",
    "reopen_with_held_text",
    "linux_reopens",
)
# These take a SYN that lies beyond RCV.NXT in SYN-RECEIVED, and so a third incarnation, or such a
# SYN-ACK where the connection is synchronized.
UNREACHABLE_ROWS = {
    "syn_back_to_listen",
    "syn_in_syn_received",
    "syn_again_from_time_wait",
    "syn_ack_resets",
}

# Edited rows that are not carried out in a model that has them: one unit of text is never out of
# order, a user who only calls CLOSE never calls SHUTDOWN and is never there to read after it, and
# a user who sends nothing needs no window, nor an answer to text in TIME-WAIT.
IDLE_ROWS = {
    "fin_in_zero_window: fin_in_fin_wait_1",
    "gvisor_13393: shutdown",
    "gvisor_13393: shutdown_behind_text",
    "gvisor_13393: zero_window_in_fin_wait_1_closing_last_ack",
    "orphan_probes_count: zero_window_in_fin_wait_1_closing_last_ack",
    "half_duplex_close: text_ahead_in_fin_wait_1_fin_wait_2",
    "half_duplex_close_both_ways: text_ahead_in_fin_wait_1_fin_wait_2",
    "half_duplex_close_both_ways: text_in_fin_wait_1_fin_wait_2",
    "keep_alive: keep_alive_gives_up",
    "reset_on_pending_receive: close_again",
    "reset_on_pending_receive: held_text",
    "challenge_ack_limited: challenge_withheld",
    "reopen_fifo_challenge_ack: challenge",
    "reopen_fifo_challenge_ack: reset",
    "reopen_fifo_challenge_ack: reset_in_time_wait",
    "challenge_ack_limited: unacceptable_in_time_wait_pure_withheld",
    "challenge_ack_limited: unacceptable_pure_withheld",
    "reopen_after_more_than_two_msl: unacceptable_in_time_wait",
    "reopen_after_two_msl: unacceptable_in_time_wait",
}

# Models that have everything that a stack does, or an edit of every row that ends a connection:
# what no run of theirs needs, other models and `RARE_ROWS` show.
HAVE_IT_ALL = {
    "linux",
    "linux_rfc1337",
    "linux_tw_buckets_0",
    "linux_reopens",
    "linux_time_wait_reuse",
    "freebsd",
    "windows",
    "esp_lwip_91",
}

# Edits of so many rows that no one model carries all of them out; test_flow_control.py sees to it
# that each is carried out somewhere.
WIDE_EDITS = {"flow_control", "endless_sender"}

# No model opens a connection in every way, but every row of opening is carried out in some.
OPENING_EDITS = {
    "reopens",
    "time_wait_takes_syn",
    "time_wait_takes_syn_for_good",
    "timestamps",
    "rfc6191",
    "time_wait_reuse",
    "syn_resets",
    "closes_in_syn_received",
}

# Switches that no model of the catalogue has on; a test below shows what each does.
SWITCHES_OF_TESTS = {
    "reset_issuer_waits",
    "send_at_once",
    "drop_out_of_order",
}

every_model = pytest.mark.parametrize("name", MODELS)
EVERY_PROPERTY = tuple(dict.fromkeys((*CATALOGUE, *REOPENING)))
every_property = pytest.mark.parametrize("prop", EVERY_PROPERTY, ids=lambda prop: prop.name)


@cache
def space_of(name: str, *settings: str) -> StateSpace:
    """Return the graph of a model of the catalogue with some parameters changed."""
    return explore(with_parameters(model_named(name), settings))


@cache
def pinned() -> Baseline:
    """Return what the models do as it is committed."""
    return read_baseline(BASELINE)


def rows_carried_out(space: StateSpace) -> set[str]:
    """Return the names of the rows that some step of a graph carries out."""
    return {rule.name for move in space.moves for rule in move.rules}


def rows_of(model: Model) -> set[str]:
    """Return the names of the rows in the tables of both ends."""
    return {rule.name for protocol in (model.a, model.b) for rule in protocol.rules}


def rows_made_by(protocol: Protocol, edits: set[str]) -> set[str]:
    """Return the names of the rows that these edits have changed or added."""
    results = [*(edit.before for edit in protocol.edits[1:]), protocol]
    return {
        rule.name
        for edit, result in zip(protocol.edits, results, strict=False)
        if edit.name in edits
        for rule in result.rules
        if rule not in edit.before.rules
    }


def states_of(space: StateSpace) -> list[TCB]:
    """Return every TCB that an end of a graph has."""
    return [space.tcbs[n] for n in sorted({*space.a, *space.b})]


def segments_of(space: StateSpace) -> list[Segment]:
    """Return every segment that is in flight in some state of a graph."""
    return sorted({seg for channel in space.channels for seg in channel})


def matrix(pins: Mapping[str, Pin], judged: tuple[Property, ...]) -> str:
    """Return the models of which these properties are judged, and their verdicts, in Markdown."""
    head = [str(number) for number, _ in enumerate(judged, 1)]
    lines = [
        f"| model | states | steps | {' | '.join(head)} |",
        f"|---|--:|--:|{':-:|' * len(head)}",
    ]
    for name, model in MODELS.items():
        if properties_of(model) != judged:
            continue
        expected = expectations(model)
        signs = [SIGNS[expected[prop.name].value] for prop in judged]
        counts = pins[name].counts
        lines.append(
            f"| `{name}` | {counts['states']:,} | {counts['steps']:,} | {' | '.join(signs)} |"
        )
    lines.append("")
    for number, prop in enumerate(judged, 1):
        lines.append(f"{number}. `{prop.name}` ({prop.role.value}): {prop.sentence}")
    return "\n".join(lines) + "\n"


def with_matrix(text: str, pins: Mapping[str, Pin]) -> str:
    """Return the page of verdicts with its tables written anew."""
    for name, judged in TABLES.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}{matrix(pins, judged)}{end}{after}"
    return text


def ladders() -> list[tuple[str, str]]:
    """Return the ladders in the page of verdicts, each with the model that it names."""
    blocks = re.findall(r"```text\n(.*?)```", VERDICTS.read_text(encoding="utf-8"), re.DOTALL)
    return [(re.findall(r"^# model: (.*)$", block, re.MULTILINE)[0], block) for block in blocks]


# Verdicts and counts --------------------------------------------------------------------------


@every_model
def test_every_verdict_of_a_model_is_as_it_expects(name: str) -> None:
    result = result_of(name)
    wrong = [
        f"{verdict.property.name} {verdict.answer.value}: {verdict.detail}"
        for verdict in result.verdicts
        if not result.is_as_expected(verdict)
    ]
    assert [] == wrong


@every_model
def test_a_model_says_of_every_property_what_it_expects(name: str) -> None:
    judged = properties_of(MODELS[name])
    assert {prop.name for prop in judged} == set(expectations(MODELS[name]))
    assert judged in TABLES.values()


@every_model
def test_nothing_that_a_model_does_has_moved_from_the_committed_baseline(name: str) -> None:
    assert [] == list(moved(pinned().pins[name], pin(result_of(name))))


@every_model
def test_a_model_has_a_title_and_a_source(name: str) -> None:
    assert MODELS[name].title
    assert MODELS[name].source


def test_the_baseline_has_the_models_of_the_catalogue_alone() -> None:
    assert sorted(MODELS) == list(pinned().pins)


def test_the_standards_table_is_the_one_of_the_baseline() -> None:
    assert [] == list(standard_moved(pinned()))


def test_the_baseline_has_the_semantics_of_this_program() -> None:
    assert SEMANTICS == pinned().semantics


@every_property
def test_a_property_names_a_model_that_breaks_it(prop: Property) -> None:
    # That the model does break it, the test of the model's verdicts finds out.
    assert Answer.VIOLATED is expectations(model_named(prop.broken_by))[prop.name]


@every_property
def test_a_property_holds_somewhere_without_being_vacuous(prop: Property) -> None:
    assert Answer.HOLDS in {expectations(model).get(prop.name) for model in MODELS.values()}


def test_the_committed_table_of_verdicts_is_up_to_date() -> None:
    page = VERDICTS.read_text(encoding="utf-8")
    assert with_matrix(page, pinned().pins) == page


@pytest.mark.parametrize(("model", "text"), ladders())
def test_a_ladder_in_the_page_of_verdicts_is_a_run_of_its_model(model: str, text: str) -> None:
    name, *settings = model.split()
    assert parse_ladder(text, with_parameters(model_named(name), settings)).steps


# Nothing in the tables is dead ----------------------------------------------------------------


def test_every_row_of_the_catalogue_is_carried_out_but_for_a_few() -> None:
    carried_out = set[str]().union(*(rows_carried_out(space_of(name)) for name in SHOW_ROWS))
    written = set[str]().union(*(rows_of(model) for model in MODELS.values()))
    assert UNREACHABLE_ROWS | set(RARE_ROWS) == written - carried_out


@every_model
def test_no_model_carries_out_a_row_that_is_said_to_be_unreachable(name: str) -> None:
    assert set() == rows_carried_out(graph_of(name)) & (UNREACHABLE_ROWS | set(RARE_ROWS))


@pytest.mark.parametrize("row", RARE_ROWS)
def test_a_row_that_the_catalogue_leaves_out_is_carried_out_elsewhere(row: str) -> None:
    name, settings = RARE_ROWS[row]
    assert row in rows_carried_out(space_of(name, *settings))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in HAVE_IT_ALL])
def test_what_makes_a_model_differ_from_the_standard_is_carried_out_in_it(name: str) -> None:
    edited = {rule.name for rule in (*MODELS[name].a.rules, *MODELS[name].b.rules) if rule.edit}
    edited -= rows_made_by(MODELS[name].a, WIDE_EDITS | OPENING_EDITS)
    idle = {f"{name}: {row}" for row in edited - rows_carried_out(graph_of(name))}
    assert set() == idle - IDLE_ROWS


def test_no_end_acknowledges_what_its_peer_has_not_sent() -> None:
    # So the row ack_beyond is unreachable while there is one incarnation and both tables are
    # right: a segment's ACK field is its sender's RCV.NXT, and the peer's SND.NXT never sinks.
    claim = always(
        "RCV.NXT never passes the SND.NXT of a peer that has a TCB.",
        lambda s: s.me.rcv_nxt <= s.peer.snd_nxt,
        when=lambda s: s.peer.state != CLOSED,
        each_end=True,
    )
    model = with_parameters(model_named("rfc9293"), [A_SENDS])
    verdict = check(Model(network=model.network, properties=[claim]))[claim.name]
    assert Answer.HOLDS is verdict.answer


def ack_of_too_much(tcb: TCB, seg: Segment) -> Segment:
    """An ACK of one number more than has arrived."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt + 1)


def test_an_ack_of_what_was_never_sent_is_answered_and_dropped() -> None:
    wrong = RFC9293.edit(
        rows(name="fin_in_established"),
        becomes(do=(*RFC9293.rule("fin_in_established").do[:1], ack_of_too_much)),
        why="one too many",
    )
    space = explore(Model(b=wrong, application=model_named("table_154").application))
    assert "ack_beyond" in rows_carried_out(space)


def test_every_switch_is_on_in_a_model_or_shown_by_a_test() -> None:
    on = {edit.name for model in MODELS.values() for edit in (*model.a.edits, *model.b.edits)}
    assert SWITCHES_OF_TESTS == set(SWITCHES) - on


def test_every_mutant_is_in_the_catalogue() -> None:
    made = {name: p for name, p in vars(mutants).items() if isinstance(p, Protocol) and p.edits}
    used = [model.a for model in MODELS.values()]
    assert [] == [name for name, protocol in made.items() if protocol not in used]


# What the switches do that no model of the catalogue has on -----------------------------------


def test_an_end_that_issues_a_reset_waits_if_switched_so() -> None:
    space = space_of("abort", "protocol.reset_issuer_waits=on")
    ends = {m.after for m in space.moves if m.action.event is Event.ABORT and m.sent}
    assert {TIME_WAIT} == {space.tcbs[end].state for end in ends}


@pytest.mark.parametrize(("value", "occurs"), [("off", True), ("on", False)])
def test_an_end_is_in_fin_wait_1_before_its_fin_is_sent_unless_switched_off(
    value: str, occurs: bool
) -> None:
    space = space_of("no_retransmission", A_SENDS, f"protocol.state_changes_with_fin={value}")
    unsent = [t for t in states_of(space) if t.state == FIN_WAIT_1 and not t.fin_sent]
    assert occurs is bool(unsent)


def test_an_end_stays_established_with_a_fin_queued_if_switched_so() -> None:
    space = space_of("no_retransmission", A_SENDS, "protocol.state_changes_with_fin=on")
    assert any(t.state == ESTABLISHED and t.fin_queued for t in states_of(space))


@pytest.mark.parametrize(("value", "occurs"), [("off", True), ("on", False)])
def test_text_waits_in_a_queue_unless_it_is_sent_at_once(value: str, occurs: bool) -> None:
    space = space_of("no_retransmission", A_SENDS, f"protocol.send_at_once={value}")
    queued = [t for t in states_of(space) if t.state != CLOSED and t.snd_nxt < t.snd_end]
    assert occurs is bool(queued)


@pytest.mark.parametrize(("value", "occurs"), [("off", False), ("on", True)])
def test_a_fin_rides_on_text_where_it_may(value: str, occurs: bool) -> None:
    space = space_of("no_retransmission", A_SENDS, f"protocol.fin_with_text={value}")
    assert occurs is any(seg.text and seg.fin for seg in segments_of(space))


@pytest.mark.parametrize(("value", "occurs"), [("off", True), ("on", False)])
def test_what_is_out_of_order_is_held_unless_it_is_dropped(value: str, occurs: bool) -> None:
    two = "application.data_units=2,0"
    space = space_of("reordering_with_data", two, f"protocol.drop_out_of_order={value}")
    assert occurs is any(t.held or t.held_fin for t in states_of(space))


def write() -> None:
    """Write the baseline, and the tables of the page of verdicts, anew."""
    pins = {name: pin(result_of(name)) for name in MODELS}
    BASELINE.write_text(baseline_text(Baseline(pins)), encoding="utf-8")
    page = VERDICTS.read_text(encoding="utf-8")
    VERDICTS.write_text(with_matrix(page, pins), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.test_catalogue --write")
    write()
