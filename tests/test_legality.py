"""Tables that are not legal are refused in words; edits say what they miss; rows never overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, cast

import pytest
import z3

from properties.check import check as check_model
from properties.kinds import always, sometimes
from tcpclose_model.engines.symbolic import symbolic_segment, symbolic_tcb
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network, Timers
from tcpclose_model.protocol.edits import becomes, removed, rows
from tcpclose_model.protocol.effects import Effect, send_ack
from tcpclose_model.protocol.legality import check
from tcpclose_model.protocol.notation import AGAIN, DROP, IGNORES, Otherwise, Protocol, Rule
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSED,
    ESTABLISHED,
    FIN_STEP,
    FIN_WAIT_1,
    SYNCHRONIZED,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.protocol.words import Predicate, ack_is_new, negation
from tcpclose_model.search import explore
from tcpclose_model.variants.switches import SWITCHES
from tests.strategies import MUTANTS

SMALL = Application(data_units=(0, 0))


def with_row(name: str = "odd_row", **columns: Any) -> Protocol:  # Any: columns of a Rule
    """Return RFC 9293 with one row more, at ESTABLISHED on the ACK step unless said otherwise."""
    columns = {"at": ESTABLISHED, "on": ACK_STEP, "cite": "a test", **columns}
    return RFC9293.add(Rule(name, **columns), why="a test")


def assert_refused(protocol: Protocol, *words: str) -> None:
    """Check that a table is refused with a message that has all these words."""
    with pytest.raises(ModelError) as refusal:
        check(protocol)
    for word in words:
        assert word in str(refusal.value)


# What makes a table illegal ---------------------------------------------------------------------


def test_the_standard_is_legal_and_so_are_every_switch_and_every_mutant() -> None:
    check(RFC9293)
    for switch in SWITCHES.values():
        check(switch.on(RFC9293))
    for mutant in MUTANTS.values():
        check(mutant)


def test_two_rows_of_one_name_are_refused() -> None:
    twice = replace(RFC9293, rules=(*RFC9293.rules, RFC9293.rule("abort")))
    assert_refused(twice, "'abort'", "twice", "another name")


def test_a_row_without_a_clause_is_refused() -> None:
    assert_refused(with_row(cite=""), "'odd_row'", "no clause")


def test_a_cell_that_is_not_declared_is_refused() -> None:
    check(RFC9293)
    fewer = replace(RFC9293, cells=RFC9293.cells[1:])
    assert_refused(fewer, "CLOSED on CLOSE", "not declared")


def test_a_cell_that_is_declared_twice_is_refused() -> None:
    again = Otherwise(IGNORES, at=TIME_WAIT, on=Event.SEND, why="a test", cite="a test")
    twice = replace(RFC9293, cells=(*RFC9293.cells, again))
    assert_refused(twice, "TIME_WAIT on SEND", "declared twice")


def test_a_row_in_a_cell_that_is_said_to_be_unreachable_is_refused() -> None:
    assert_refused(with_row(at=CLOSED, do=send_ack), "'odd_row'", "CLOSED on ACK_STEP")


def test_then_on_a_row_that_is_not_about_a_segment_is_refused() -> None:
    assert_refused(with_row(on=Event.CLOSE, then=DROP), "'odd_row'", "`then`")


def test_a_row_offered_again_without_a_condition_is_refused() -> None:
    assert_refused(with_row(then=AGAIN), "'odd_row'", "never end")


def uses_if(tcb: TCB, seg: Segment) -> bool:
    return True if tcb.snd_una < seg.ack else False  # noqa: SIM210  # the mistake in question


def uses_and(tcb: TCB, seg: Segment) -> bool:
    return tcb.snd_una < seg.ack and seg.fin == 1


def uses_or(tcb: TCB, seg: Segment) -> bool:
    return tcb.snd_una < seg.ack or seg.fin == 1


def uses_not(tcb: TCB, seg: Segment) -> bool:
    return not seg.fin


def uses_in(tcb: TCB, seg: Segment) -> bool:
    return tcb.snd_una in (1, 2)


def uses_a_chain(tcb: TCB, seg: Segment) -> bool:
    return tcb.snd_una < seg.ack <= tcb.snd_nxt


def uses_max(tcb: TCB, seg: Segment) -> bool:
    return max(tcb.snd_una, seg.ack) == 1


BRANCHES = [uses_if, uses_and, uses_or, uses_not, uses_in, uses_a_chain, uses_max]


@pytest.mark.parametrize("predicate", BRANCHES)
def test_a_predicate_that_branches_is_refused(predicate: Predicate) -> None:
    assert_refused(with_row(when=predicate), "'odd_row'", predicate.__name__, "truth value", "&")


def test_an_effect_that_branches_is_refused() -> None:
    def clamps(tcb: TCB, seg: Segment) -> Mapping[str, int]:
        return {"snd_una": min(seg.ack, tcb.snd_nxt)}

    assert_refused(with_row(do=clamps), "'odd_row'", "clamps", "truth value")


def test_a_predicate_of_a_field_that_is_not_there_is_refused() -> None:
    odd = with_row(when=lambda tcb, seg: tcb.cwnd == 1)
    assert_refused(odd, "'odd_row'", "tcb has no field 'cwnd'")
    assert_refused(with_row(when=lambda tcb, seg: seg.urg == 1), "seg has no field 'urg'")


def test_an_effect_on_a_field_that_is_not_there_is_refused() -> None:
    assert_refused(with_row(do=lambda tcb, seg: {"cwnd": 1}), "'odd_row'", "cwnd", "with_field()")


def test_a_field_that_was_declared_for_another_table_is_refused() -> None:
    ours = with_row(when=lambda tcb, seg: tcb.probes == 1).with_field("probes", 1)
    check(ours)
    assert_refused(replace(ours, fields=()), "'odd_row'", "tcb has no field 'probes'")


def nothing(tcb: TCB, seg: Segment) -> None:
    """Stands for a predicate or an effect whose author forgot `return`."""


def a_number(tcb: TCB, seg: Segment) -> int:
    return 3


@pytest.mark.parametrize("effect", [nothing, a_number])
def test_an_effect_that_returns_nonsense_is_refused(effect: Effect) -> None:
    assert_refused(with_row(do=effect), "'odd_row'", effect.__name__)


def test_a_predicate_that_returns_nothing_is_refused() -> None:
    assert_refused(with_row(when=nothing), "'odd_row'", "nothing")


def test_a_predicate_of_the_wrong_shape_is_not_taken_for_one_that_branches() -> None:
    with pytest.raises(ModelError) as refusal:
        check(with_row(when=lambda tcb: tcb.fin_sent == 1))
    assert "'odd_row'" in str(refusal.value)
    assert "truth value" not in str(refusal.value)


# What only a run can find -----------------------------------------------------------------------


def test_rows_that_overlap_are_refused_when_both_fit() -> None:
    odd = with_row(on=Event.CLOSE, when=lambda tcb, seg: tcb.snd_una == 0)
    with pytest.raises(ModelError, match="close and odd_row both fit ESTABLISHED on CLOSE"):
        explore(Model(a=odd))


def test_an_effect_that_turns_out_to_return_nonsense_is_refused() -> None:
    table = Table(with_row(at=TIME_WAIT, on=Event.RECEIVE, do=a_number))
    with pytest.raises(ModelError, match="effect of rule 'odd_row' returned 3"):
        table.local(TCB(TIME_WAIT), Event.RECEIVE)


def test_an_event_in_a_cell_that_nobody_declared_is_refused() -> None:
    empty = replace(RFC9293, rules=(), cells=())
    with pytest.raises(ModelError, match="no rule fits ESTABLISHED on CLOSE"):
        Table(empty).local(TCB(), Event.CLOSE)


def test_a_row_that_is_offered_for_ever_is_refused() -> None:
    odd = with_row(on=FIN_STEP, when=lambda tcb, seg: seg.fin == 0, then=AGAIN)
    with pytest.raises(ModelError, match="'odd_row' is offered the same segment for ever"):
        Table(odd).arrival(TCB(), Segment(0))


# Edits ------------------------------------------------------------------------------------------


def test_an_edit_of_no_row_names_the_nearest_rows() -> None:
    with pytest.raises(ModelError) as refusal:
        RFC9293.edit(rows(at=CLOSED, on=Event.CLOSE, to=FIN_WAIT_1), removed(), why="x")
    assert "rows(at=['CLOSED'], on=CLOSE, to=FIN_WAIT_1) fits no row" in str(refusal.value)
    assert "close (differs in at)" in str(refusal.value)


def test_an_edit_of_several_rows_says_how_many() -> None:
    with pytest.raises(ModelError, match=r"fits 2 rows \(fin_acked_in_closing, fin_in_fin_wait_2"):
        RFC9293.edit(rows(to=TIME_WAIT), becomes(to=CLOSED), why="x")


def test_a_name_that_is_not_there_gets_the_nearest_one() -> None:
    with pytest.raises(ModelError, match="did you mean fin_acked_in_closing"):
        RFC9293.rule("fin_acked_in_closin")
    with pytest.raises(ModelError, match=r"no edit 'siilent_closed'.*mean silent_closed"):
        SWITCHES["silent_closed"].on(RFC9293).without("siilent_closed")


def test_an_added_row_needs_a_name_of_its_own() -> None:
    with pytest.raises(ModelError, match="already has a rule 'abort'"):
        with_row("abort")


def test_an_edit_of_one_state_of_a_row_splits_it() -> None:
    table = RFC9293.edit(rows(name="new_ack", at=TIME_WAIT), becomes(do=()), why="deaf")
    here, rest = table.rule("new_ack_in_time_wait"), table.rule("new_ack")
    assert (TIME_WAIT,) == here.at
    assert set(SYNCHRONIZED) - {TIME_WAIT} == set(rest.at)
    assert ("deaf", "") == (here.edit, rest.edit)
    assert ((), RFC9293.rule("new_ack").do) == (here.do, rest.do)


@pytest.mark.parametrize("name", sorted(SWITCHES))
def test_a_switch_that_is_turned_off_again_leaves_the_standard(name: str) -> None:
    assert RFC9293.rules == SWITCHES[name].off(SWITCHES[name].on(RFC9293)).rules


@pytest.mark.parametrize("names", list(combinations(sorted(SWITCHES), 2)), ids="+".join)
def test_two_switches_mean_the_same_in_either_order(names: tuple[str, str]) -> None:
    one, other = (SWITCHES[name] for name in names)
    assert meaning(other.on(one.on(RFC9293))) == meaning(one.on(other.on(RFC9293)))


def meaning(protocol: Protocol) -> set[tuple[object, ...]]:
    """Return what the rows do, a row for each state, whatever their names and their order."""
    return {
        (at, rule.on, rule.when, rule.do, rule.to, rule.then)
        for rule in protocol.rules
        for at in rule.at
    }


def test_an_edit_that_is_undone_leaves_the_later_ones() -> None:
    table = RFC9293
    for name in ("literal_ack", "challenge_ack", "rfc1337"):
        table = SWITCHES[name].on(table)
    without = table.without("literal_ack")
    assert ["challenge_ack", "rfc1337"] == [edit.name for edit in without.edits]
    both = SWITCHES["rfc1337"].on(SWITCHES["challenge_ack"].on(RFC9293))
    assert both.rules == without.rules


# A field of the user's own ----------------------------------------------------------------------


def count_close(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    return {"closes": cast(Any, tcb).closes + 1}


def counting(maximum: int) -> Protocol:
    """Return RFC 9293 in which every retransmission of the FIN is counted, up to a maximum."""
    fin = RFC9293.rule("retransmit_fin")
    return RFC9293.with_field("closes", maximum).edit(
        rows(name="retransmit_fin"),
        becomes(
            when=(*fin.when, lambda tcb, seg: cast(Any, tcb).closes < 2),
            do=(*fin.do, count_close),
        ),
        why="counted",
    )


def test_a_field_of_the_users_own_is_counted_searched_and_judged() -> None:
    seen = sometimes("It counts to two.", lambda s: cast(Any, s.a).closes == 2)
    kept = always("It never counts to three.", lambda s: cast(Any, s.a).closes < 3)
    model = Model(a=counting(2), network=Network(capacity=1), application=SMALL)
    result = check_model(replace(model, properties=(seen, kept)))
    assert ["holds", "holds"] == [verdict.answer.value for verdict in result.verdicts]
    assert not hasattr(explore(model).state(0).b, "closes")


def test_a_field_that_leaves_its_range_is_refused() -> None:
    with pytest.raises(ModelError, match=r"'retransmit_fin' sets closes to 2.*0\.\.1"):
        explore(Model(a=counting(1), application=SMALL, timers=Timers()))


@pytest.mark.parametrize(
    ("name", "maximum", "word"),
    [("held", 1, "already"), ("a b", 1, "plain name"), ("_x", 1, "plain name"), ("x", 0, "least")],
)
def test_a_field_that_cannot_be_declared_is_refused(name: str, maximum: int, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        RFC9293.with_field(name, maximum)


# No two rows of a cell ever fit, whatever the values (z3) ---------------------------------------


FLAGS = ("fin_queued", "fin_sent", "fin_with_text", "released", "ack_due")


def symbolic(protocol: Protocol = RFC9293) -> tuple[Any, Segment, list[Any]]:
    """Return a TCB and a segment of solver terms, and what ranges the flags and fields have."""
    tcb, seg = symbolic_tcb(protocol, "tcb", None), symbolic_segment("seg")
    flags: list[Any] = [getattr(tcb, name) for name in FLAGS]
    flags += [seg.fin, seg.rst, seg.syn, seg.wnd0]
    ranges = [z3.Or(flag == 0, flag == 1) for flag in flags]
    ranges.append(tcb.snd_una <= tcb.snd_nxt)  # proved: see properties.claims
    ranges += [z3.And(getattr(tcb, n) >= 0, getattr(tcb, n) <= m) for n, m in protocol.fields]
    return tcb, seg, ranges


def overlaps(protocol: Protocol) -> dict[tuple[str, str], str]:
    """Return the pairs of rows of one cell that can fit together, and values with which they do."""
    tcb, seg, flags = symbolic(protocol)
    found = {}
    for one, other in combinations(protocol.rules, 2):
        if one.on is other.on and set(one.at) & set(other.at):
            solver = z3.Solver()
            solver.add(*flags, *(holds(tcb, seg) for holds in (*one.when, *other.when)))
            if solver.check() != z3.unsat:
                found[one.name, other.name] = str(solver.model())
    return found


def test_the_rows_of_the_standard_never_overlap() -> None:
    assert {} == overlaps(RFC9293)


@pytest.mark.parametrize("name", sorted(SWITCHES))
def test_the_rows_of_a_switch_overlap_no_others(name: str) -> None:
    assert set(overlaps(SWITCHES[name].on(RFC9293))) <= set(overlaps(RFC9293))


def test_the_rows_of_all_switches_at_once_overlap_no_others() -> None:
    first = ["fin_with_text", "no_time_wait"]
    table = RFC9293
    for name in [*first, *(name for name in SWITCHES if name not in first)]:
        table = SWITCHES[name].on(table)
    assert set(overlaps(table)) <= set(overlaps(RFC9293))


def test_overlapping_rows_are_found_by_the_solver() -> None:
    found = overlaps(with_row(when=lambda tcb, seg: seg.ack == 7))
    assert {("ack_beyond", "odd_row"), ("new_ack", "odd_row")} <= set(found)


@pytest.mark.parametrize("value", [False, True, 0, 1])
def test_negation_is_the_opposite_for_numbers_and_for_terms(value: int) -> None:
    assert (not value) is negation(value)
    condition: Any = ack_is_new(*symbolic()[:2])
    opposite: Callable[..., Any] = negation
    solver = z3.Solver()
    solver.add(condition == opposite(condition))
    assert solver.check() == z3.unsat


def test_a_table_that_was_edited_many_times_can_be_hashed_and_compared() -> None:
    # Each edit holds the table before it: to walk all of them would never end.
    table = RFC9293
    for number in range(60):
        table = table.edit(rows(name="reset_in_time_wait"), becomes(to=CLOSED), why=f"{number}")
    assert {table, replace(table)} == {table}
    assert replace(table, edits=table.edits[:-1]) != table
