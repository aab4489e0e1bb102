"""The Promela export, with SPIN as the referee: it must find what the plain engine finds.

SPIN runs on some models of the catalogue here, and with SPIN_ALL set on all of them and on more
random ones (some minutes).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from properties.catalogue import CATALOGUE, property_named
from properties.check import properties_of
from properties.judge import judge
from properties.kinds import always, never_a_step
from properties.verdict import Answer
from properties.views import View
from reports.exports.claims import wrong_states
from reports.exports.intervals import folded
from reports.exports.promela import promela
from reports.exports.ranges import ranges_of
from reports.exports.terms import Const, Field, decided, substituted
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model, plain_only
from tcpclose_model.parts import Application, Bounds, Network, Timers
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.notation import UNREACHABLE, Otherwise, Protocol, Rule
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    FIN_WAIT_2,
    TCB,
    Event,
    Segment,
)
from tcpclose_model.protocol.words import negation
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS
from tcpclose_model.variants.switches import SWITCHES
from tests import spin
from tests.command_line import process, tcpclose
from tests.explored import graph_of
from tests.strategies import examples, models, reopening_models, searched

EVERYTHING = "SPIN_ALL" in os.environ
needs_spin = pytest.mark.skipif(bool(spin.MISSING), reason=f"not installed: {spin.MISSING}")

IN_EVERY_RUN = (
    "rfc9293",
    "table_154",
    "no_retransmission",
    "reordering_with_data",
    "wild_network",
    "delayed_ack",
    "user_timeout_silent_reset",
    "abort",
    "half_duplex_close",
    "reset_on_unread_lossless",
    "ack_everything_seen",
    "smoltcp_470",
    "zero_window",
    "fin_in_zero_window",
    "gvisor_13393",
    "last_ack_behind_zero_window",
    "nuttx_8915",
    "reopen_fifo",
    "reopen_half_open_syn_resets",
    "time_wait_takes_newer_syn_and_resumes",
)
EXPORTED = [n for n, m in MODELS.items() if m.middlebox.at == "none" and not plain_only(m)]
NAMES = EXPORTED if EVERYTHING else IN_EVERY_RUN

SMALL = Model(
    network=Network(capacity=1),
    timers=Timers(retransmission="timely"),
    application=Application(data_units=(1, 0)),
    name="small",
)
TEXT_ONE_WAY = Application(data_units=(2, 0), closes="a_first")

NETWORKS = {
    "set": Network(order="set"),
    "set_with_copies": Network(order="set", duplication=True),
    "lossless_set": Network(order="set", loss=False),
    "fifo_that_waits": Network(full="waits"),
    "bag_that_waits": Network(order="any", full="waits", duplication=True),
    "lossless_fifo_with_copies": Network(loss=False, duplication=True, capacity=3),
    "lossless_bag_with_copies": Network(order="any", loss=False, duplication=True),
    "wide_fifo": Network(capacity=3),
}
OTHERS = {
    "lazy": replace(SMALL, application=Application(data_units=(2, 1), reading="lazy")),
    "never_reads": replace(SMALL, application=Application(reading="never", closes="b_after_eof")),
    "aborts": replace(SMALL, application=Application(aborts=(True, False), half_close=True)),
    "counted": replace(SMALL, bounds=Bounds(retransmissions_max=2)),
    "gives_up": replace(
        SMALL, bounds=Bounds(retransmissions_max=1), timers=Timers(user_timeout=True)
    ),
    "orphans": replace(
        SMALL,
        b=SWITCHES["fin_wait_2_timeout"].on(RFC9293),
        timers=Timers(fin_wait_2="orphaned", time_wait="drained"),
    ),
    "nothing_happens": replace(SMALL, application=Application(closes="never", data_units=(0, 0))),
    "forgets": replace(SMALL, a=replace(RFC9293, kept=("rcv_text", "told"))),
}


def answers(space: StateSpace, text: str) -> dict[str, Answer]:
    """Return our verdict on every property that a text can check, by the macro that asks for it."""
    macros = re.findall(r"^ \* Can be checked: (\w+)$", text, re.MULTILINE)
    properties = properties_of(space.model)
    found = {macro: property_named(macro[len("CHECK_") :], properties) for macro in macros}
    return {macro: judge(space, prop).answer for macro, prop in found.items()}


def assert_same(space: StateSpace, folder: Path, *, verdicts: bool = True) -> None:
    """Check that SPIN finds our states and steps, no error in what holds, one in what does not."""
    text = promela(space.model)
    said = answers(space, text) if verdicts else {}
    wrong = [macro for macro, answer in said.items() if answer is Answer.VIOLATED]
    alone = {*wrong, *(macro for macro in said if macro.endswith("deadlock"))}
    together = [macro for macro in said if macro not in alone]
    found = spin.run(text, folder, states=len(space), define=together)
    assert (len(space), space.transitions + 1, 0) == found[:3]
    for macro in alone:
        if said[macro] is not Answer.UNKNOWN:
            found = spin.run(text, folder, states=2 * len(space), define=[macro])
            assert (macro in wrong) == bool(found.errors), macro


@needs_spin
@pytest.mark.parametrize("name", NAMES)
def test_spin_finds_the_states_steps_and_errors_of_a_model(name: str, tmp_path: Path) -> None:
    assert_same(graph_of(name), tmp_path)


@needs_spin
@pytest.mark.parametrize("name", EXPORTED if EVERYTHING else ("table_154", "silent_reset"))
def test_breadth_first_spin_finds_the_same(name: str, tmp_path: Path) -> None:
    space = explore(MODELS[name])
    text = promela(space.model)
    said = answers(space, text)
    holding = [macro for macro, answer in said.items() if answer is Answer.HOLDS]
    define = [macro for macro in holding if not macro.endswith("deadlock")]
    found = spin.run(text, tmp_path, states=len(space), define=define, breadth_first="BFS")
    assert (len(space), space.transitions + 1, 0) == found[:3]


@needs_spin
@pytest.mark.parametrize("order", ["fifo", "any", "set"])
def test_in_parallel_spin_finds_the_same(order: str, tmp_path: Path) -> None:
    network = Network(order=order, duplication=order == "any")
    space = explore(replace(SMALL, network=network, application=TEXT_ONE_WAY))
    text = promela(space.model)
    found = spin.run(text, tmp_path, states=len(space), breadth_first="BFS_PAR")
    assert (len(space), space.transitions + 1, 0) == found[:3]


@needs_spin
def test_breadth_first_spin_finds_a_shortest_run_to_an_error(tmp_path: Path) -> None:
    space = explore(MODELS["silent_reset"])
    text = promela(space.model)
    wrong = [macro for macro, answer in answers(space, text).items() if answer is Answer.VIOLATED]
    for macro in wrong:
        found = spin.run(text, tmp_path, states=len(space), define=[macro], breadth_first="BFS")
        assert found.errors == 1, macro
    assert wrong


@needs_spin
@pytest.mark.parametrize("name", NETWORKS)
def test_spin_finds_the_states_and_steps_on_every_kind_of_network(
    name: str, tmp_path: Path
) -> None:
    model = replace(SMALL, network=NETWORKS[name], application=TEXT_ONE_WAY)
    assert_same(explore(model), tmp_path, verdicts=EVERYTHING or model.network.order == "set")


@needs_spin
@pytest.mark.parametrize("name", OTHERS)
def test_spin_finds_the_states_and_steps_with_every_kind_of_user_and_timer(
    name: str, tmp_path: Path
) -> None:
    assert_same(explore(OTHERS[name]), tmp_path, verdicts=EVERYTHING)


@needs_spin
@given(models(tiny=True))
@examples(150 if EVERYTHING else 8)
def test_spin_finds_the_states_and_steps_of_random_models(
    tmp_path_factory: pytest.TempPathFactory, model: Model
) -> None:
    assert_same(searched(model), tmp_path_factory.mktemp("spin"), verdicts=False)


@needs_spin
@given(reopening_models())
@examples(150 if EVERYTHING else 5)
def test_spin_finds_the_states_and_steps_of_random_models_that_open_again(
    tmp_path_factory: pytest.TempPathFactory, model: Model
) -> None:
    assert_same(searched(model), tmp_path_factory.mktemp("spin"), verdicts=False)


# What users write ---------------------------------------------------------------------------


def nothing_is_due(tcb: TCB, seg: Segment) -> bool:
    """No ACK is delayed."""
    return tcb.ack_due == 0


def len_is_small(tcb: TCB, seg: Segment) -> bool:
    """The user's own field can still grow."""
    return negation(field_of(tcb, "len") > 1) & (tcb.released == 0)


def turn(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Two fields change places, and a third one grows."""
    return {
        "int": field_of(tcb, "text"),
        "text": field_of(tcb, "int") + 1 - field_of(tcb, "text"),
        "len": field_of(tcb, "len") + 1,
    }


def field_of(tcb: TCB, name: str) -> int:
    """Return a field that a table has added."""
    value: int = getattr(tcb, name)
    return value


def odd_table() -> Protocol:
    """Return a table whose names mean something else to SPIN."""
    table = RFC9293.with_field("len", 2).with_field("int", 1).with_field("text", 1)
    return table.add(
        Rule(
            'do "%s" */ ü',
            at=(CLOSE_WAIT, FIN_WAIT_2),
            on=Event.DELAYED_ACK_TIMEOUT,
            when=(nothing_is_due, len_is_small),
            do=turn,
            cite="none",
        ),
        Rule("send_", at=CLOSE_WAIT, on=Event.TIME_WAIT_TIMEOUT, when=len_is_small, cite="none"),
        why="names that are taken",
    ).edit(rows(name="delayed_ack"), becomes(), why="another name")


@needs_spin
def test_names_of_users_that_mean_something_to_spin_are_changed(tmp_path: Path) -> None:
    model = replace(SMALL, a=odd_table(), b=odd_table())
    assert_same(explore(model), tmp_path)


@needs_spin
def test_a_cell_that_is_reached_though_declared_unreachable_is_an_error_for_spin_too(
    tmp_path: Path,
) -> None:
    cells = [
        replace_on(cell) if CLOSED in cell.at and Event.TRANSMIT in cell.on else cell
        for cell in RFC9293.cells
    ]
    never = Otherwise(UNREACHABLE, at=CLOSED, on=Event.TRANSMIT, why="so it is said", cite="none")
    model = replace(SMALL, a=replace(RFC9293, cells=(*cells, never)))
    with pytest.raises(ModelError, match="no rule fits"):
        explore(model)
    assert spin.run(promela(model), tmp_path, states=1_000).errors == 1


def replace_on(cell: Otherwise) -> Otherwise:
    """Return the cell without TRANSMIT."""
    on = tuple(one for one in cell.on if one is not Event.TRANSMIT)
    return Otherwise(cell.does, at=cell.at, on=on, why=cell.why, cite=cell.cite)


def counts_down(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """One unit too few: below 0 if nothing has been read."""
    return {"read": tcb.read - 1}


@needs_spin
def test_a_value_that_does_not_fit_its_field_is_an_error_and_not_another_value(
    tmp_path: Path,
) -> None:
    table = RFC9293.edit(rows(name="new_ack"), becomes(do=counts_down), why="a slip")
    model = replace(SMALL, a=table, application=Application(reading="never"))
    found = spin.run(promela(model), tmp_path, states=1_000)
    assert (1, True) == (found.errors, "assertion violated" in found.text)


def send_too_low(tcb: TCB, seg: Segment) -> Segment:
    """A segment with a number that not even a keep-alive probe has."""
    return Segment(seq=tcb.snd_una - 2, ack=tcb.rcv_nxt)


@needs_spin
def test_a_segment_that_does_not_fit_its_number_is_an_error_too(tmp_path: Path) -> None:
    table = RFC9293.edit(rows(name="text"), becomes(do=send_too_low), why="a slip")
    found = spin.run(promela(replace(SMALL, b=table)), tmp_path, states=1_000)
    assert (1, True) == (found.errors, "assertion violated" in found.text)


def send_stamped(tcb: TCB, seg: Segment) -> Segment:
    """An ACK that says it was sent in the incarnation before."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt, inc=field_of(tcb, "inc") - 1)


def test_a_stamp_that_may_be_0_or_not_is_refused_with_the_way_out() -> None:
    table = SWITCHES["reopens"].on(RFC9293)
    table = table.edit(rows(name="text"), becomes(do=send_stamped), why="a slip")
    with pytest.raises(ModelError, match=r"'text' sends a segment whose 'inc' may be 0.*leave it"):
        promela(replace(SMALL, a=table, b=table))


def into_closed(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """An effect that does what only `to` may do in an export."""
    return {"state": CLOSED}


def test_an_effect_that_changes_the_state_is_refused_with_the_way_out() -> None:
    table = RFC9293.edit(rows(name="close_again"), becomes(do=into_closed), why="a slip")
    with pytest.raises(ModelError, match=r"'close_again' changes the state.*with `to`"):
        promela(replace(SMALL, a=table))


def test_more_text_than_a_number_of_spin_has_bits_for_is_refused() -> None:
    model = replace(SMALL, application=Application(data_units=(40, 0)))
    with pytest.raises(ModelError, match="fewer units of text"):
        promela(model)


def test_a_property_that_no_assertion_can_say_is_named_with_the_reason() -> None:
    quiet = always("Nothing is in flight.", lambda s: not s.a_to_b, name="quiet")
    counted = always("It is a set.", lambda s: s.a.state in {CLOSED}, name="counted")
    losses = never_a_step(
        "Nothing is lost.",
        lambda before, step, after: step.event is Event.SEGMENT_IS_LOST,
        name="losses",
    )
    ruled = never_a_step(
        "No row is used.", lambda before, step, after: "text" in step.rules, name="ruled"
    )
    model = replace(SMALL, properties=[quiet, counted, losses, ruled])
    text = promela(model)
    assert "Can be checked" not in text
    assert " * Not in this text: quiet (it looks at the channels)\n" in text
    assert " * Not in this text: counted (" in text
    assert " * Not in this text: losses (it speaks of losses or copies)\n" in text
    assert " * Not in this text: ruled (it asks for the rules of an arrival)\n" in text


@needs_spin
def test_a_users_claim_about_a_call_is_checked_where_the_call_is(tmp_path: Path) -> None:
    no_close = never_a_step(
        "A never closes after B.",
        lambda before, step, after: (
            step.mine and step.event is Event.CLOSE and before.peer.fin_queued == 1
        ),
        name="no_close",
    )
    model = replace(SMALL, properties=[no_close])
    space = explore(model)
    assert judge(space, no_close).answer is Answer.VIOLATED
    assert spin.run(promela(model), tmp_path, states=len(space), define=["CHECK_no_close"]).errors


# The parts ----------------------------------------------------------------------------------


@given(models(tiny=True))
@examples(30)
def test_ranges_hold_every_value_that_occurs(model: Model) -> None:
    assert_in_ranges(model)


@given(reopening_models())
@examples(10)
def test_ranges_hold_every_value_of_both_connections(model: Model) -> None:
    assert_in_ranges(model)


def assert_in_ranges(model: Model) -> None:
    """Check the values, and the rows that are carried out, in the explored graph."""
    space = searched(model)
    found = ranges_of(model)
    for tcb in {space.tcbs[n] for n in (*space.a, *space.b)}:
        for name, value in tcb._asdict().items():
            low, high = found.settled[Field("tcb", name)]
            assert low <= value <= high
    for seg in {seg for n in (*space.a_to_b, *space.b_to_a) for seg in space.channels[n]}:
        for name, value in seg._asdict().items():
            low, high = found.box.get(Field("seg", name), (0, 0))
            assert low <= value <= high
    for move in space.moves:
        assert {rule.name for rule in move.rules} <= found.live[move.action.actor]


def test_a_predicate_as_a_term_says_what_the_predicate_says() -> None:
    space = explore(MODELS["silent_reset"])
    pairs = {(space.tcbs[a], space.tcbs[b]) for a, b in zip(space.a, space.b, strict=True)}
    for prop in (p for p in CATALOGUE if p.kind.value == "always"):
        wrong = wrong_states(space.model, prop)
        for a, b in pairs:
            known = {
                Field(of, name): Const(value)
                for of, tcb in (("a", a), ("b", b))
                for name, value in tcb._asdict().items()
            }
            for end, term in enumerate(wrong):
                seen = View(a, b, None, end)
                assert prop.when is not None
                assert prop.state is not None
                says = prop.when(seen) and not prop.state(seen)
                assert Const(says) == folded(substituted(term, known), {})


def test_a_constant_predicate_is_a_term_too() -> None:
    assert Const(True) == decided(lambda answers: 1)


# The command --------------------------------------------------------------------------------


def test_the_command_writes_the_text_or_prints_it(tmp_path: Path) -> None:
    file = tmp_path / "close.pml"
    printed = tcpclose("export", "table_154", "--to", "promela")
    written = tcpclose("export", "table_154", "--to", "promela", "-o", file)
    assert (0, 0) == (printed.status, written.status)
    assert printed.out == file.read_text(encoding="utf-8")
    assert f"wrote {file}\n" == written.out


def test_the_command_takes_parameters() -> None:
    text = tcpclose("export", "--to", "promela", "--set", "network.capacity=3").out
    assert "#define CAPACITY 3\n" in text


def test_an_unknown_model_or_language_is_unusable_input() -> None:
    assert tcpclose("export", "nothing", "--to", "promela").status == 2
    assert tcpclose("export", "rfc9293", "--to", "fortran").status == 2


def test_the_text_is_the_same_at_every_run() -> None:
    texts = {
        process("export", "half_duplex_close", "--to", "promela", env={"PYTHONHASHSEED": seed}).out
        for seed in ("1", "2")
    }
    assert len(texts) == 1
