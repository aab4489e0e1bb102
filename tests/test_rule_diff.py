"""Two tables compared for all values: what is equal has the same runs, what differs is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from properties.claims import Claim
from properties.induction import prove
from properties.lockstep import Lockstep, lockstep
from properties.row_changes import row_changes
from properties.rule_diff import RuleDiff, rule_diff
from properties.two_tables import parting
from tcpclose_model.engines.plain import Action, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import becomes, removed, rows
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Table
from tcpclose_model.protocol.vocabulary import (
    ESTABLISHED,
    HELD_TEXT_STEP,
    RST_STEP,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.protocol.words import negation
from tcpclose_model.run import check_run
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.registry import switched
from tests.command_line import once, refused, tcpclose
from tests.strategies import MUTANTS

STANDARD = model_named("rfc9293")


def with_table(protocol: Protocol) -> Model:
    """Return the standard's model with another table at both ends."""
    return replace(STANDARD, a=protocol, b=protocol)


@cache
def kept() -> tuple[Claim, ...]:
    """Return the claims that the standard keeps."""
    return tuple(prove(STANDARD).kept)


def difference(new: Model, old: Model = STANDARD) -> RuleDiff:
    """Return how a model differs, for all values that the standard's claims allow."""
    return rule_diff(old, new, kept())


@cache
def diff_of(name: str) -> RuleDiff:
    """Return how a model of the catalogue differs from the standard."""
    return difference(model_named(name))


def run_in_lockstep(old: Model, new: Model) -> Lockstep:
    """Return the runs to where the tables part, by state, step and the rows of each."""

    def kind(
        action: Action, state: ProductState, one: Transition | None, other: Transition | None
    ) -> object:
        at = (state.b if action.actor else state.a).state
        rules = [() if step is None else step.rules for step in (one, other)]
        cell = parting("", action.event, at, *rules)
        return cell.state, cell.on, cell.old, cell.new

    old = replace(old, application=replace(old.application, data_units=(0, 0)))
    new = replace(old, a=new.a, b=new.b)
    return lockstep(old, new, kind, states_max=8_000, kinds_max=100)


# Equal ------------------------------------------------------------------------------------------


def test_a_table_is_equal_to_itself() -> None:
    found = difference(STANDARD)
    assert found.equal
    assert found.cells > 100


def split(name: str, on: Callable[[TCB, Segment], bool]) -> Protocol:
    """Return the standard with a row made two, which together say what it said."""
    rule = RFC9293.rule(name)

    def otherwise(tcb: TCB, seg: Segment) -> bool:
        return negation(on(tcb, seg))

    first = replace(rule, name=f"{name}_first", when=(*rule.when, on))
    second = replace(rule, name=f"{name}_second", when=(*rule.when, otherwise))
    removed_row = RFC9293.edit(rows(name=name), removed(), why="a test")
    return removed_row.add(first, second, why="a test")


def carries_text(tcb: TCB, seg: Segment) -> bool:
    """The segment has text."""
    return seg.text == 1


def test_a_row_that_is_split_in_two_makes_no_difference() -> None:
    found = difference(with_table(split("new_ack", carries_text)))
    assert found.equal
    assert found.ways > 50
    assert ["removed", "added", "added"] == [
        change.what for change in row_changes(RFC9293, found.new.a)
    ]


def test_a_row_that_takes_a_held_unit_and_is_split_makes_no_difference() -> None:
    assert difference(with_table(split("held_text", carries_text))).equal


def test_a_difference_that_no_run_can_come_to_counts_only_if_asked_for() -> None:
    rule = RFC9293.rule("reset_in_time_wait")
    never = becomes(when=(*rule.when, is_not_below_una))
    new = with_table(RFC9293.edit(rows(name=rule.name), never, why="a test"))
    assert difference(new).equal
    (one,) = rule_diff(STANDARD, new, ()).differences
    assert one.tcb.snd_nxt < one.tcb.snd_una


def is_not_below_una(tcb: TCB, seg: Segment) -> bool:
    """SND.UNA =< SND.NXT, which is always so."""
    return tcb.snd_una <= tcb.snd_nxt


# Different --------------------------------------------------------------------------------------


def test_rfc_1337_differs_in_one_cell_and_a_run_comes_to_it() -> None:
    (one,) = diff_of("rfc1337").differences
    assert (TIME_WAIT, RST_STEP) == (one.cell.state, one.cell.on)
    assert "A, B" == one.cell.end
    assert one.seg is not None
    before, after = (
        Table(p).arrival(one.tcb, one.seg) for p in (RFC9293, model_named("rfc1337").a)
    )
    assert (before, after) == (one.old, one.new)
    assert ("CLOSED", "TIME_WAIT") == (before.tcb.state.name, after.tcb.state.name)


@pytest.mark.parametrize("name", ["rfc1337", "delayed_ack", "silent_reset"])
def test_where_two_models_part_in_a_run_the_cell_is_known_to_differ(name: str) -> None:
    known = {(d.cell.state, d.cell.on, d.cell.old, d.cell.new) for d in diff_of(name).differences}
    found = run_in_lockstep(STANDARD, model_named(name))
    assert found.partings
    assert set() == set(found.partings) - known


def test_a_run_to_where_two_models_part_is_a_run_of_both() -> None:
    parting_ = min(
        run_in_lockstep(STANDARD, model_named("rfc1337")).partings.values(),
        key=lambda one: len(one.run),
    )
    check_run(parting_.run)
    check_run(
        replace(parting_.run, model=replace(STANDARD, a=switched("rfc1337"), b=switched("rfc1337")))
    )
    assert 9 == len(parting_.run)


@pytest.mark.parametrize("name", MUTANTS if os.environ.get("PROVE_ALL") else sorted(MUTANTS)[:2])
def test_what_is_equal_for_all_values_never_parts_in_a_run(name: str) -> None:
    new = with_table(MUTANTS[name])
    found = difference(new)
    assert [] == found.unsure
    if found.equal:
        assert {} == run_in_lockstep(STANDARD, new).partings


def test_a_unit_that_is_held_and_not_taken_is_found() -> None:
    lazy = RFC9293.edit(rows(on=HELD_TEXT_STEP, name="held_text"), removed(), why="a test")
    cells = {one.cell.on for one in difference(with_table(lazy)).differences}
    assert {HELD_TEXT_STEP} == cells


def test_each_end_is_compared_by_itself_where_they_have_different_tables() -> None:
    new = replace(STANDARD, b=switched("rfc1337"))
    (one,) = difference(new).differences
    assert "B" == one.cell.end


def test_a_call_that_becomes_possible_is_a_difference() -> None:
    hasty = replace(RFC9293.rule("close"), name="close_once_more", at=(TIME_WAIT,), to=ESTABLISHED)
    (one,) = difference(with_table(RFC9293.add(hasty, why="a test"))).differences
    assert (TIME_WAIT, Event.CLOSE, None) == (one.cell.state, one.cell.on, one.old)


def test_a_table_with_fields_more_is_compared_by_those_that_both_have() -> None:
    new = with_table(RFC9293.with_field("weather", 3))
    assert difference(new).equal


# The command ------------------------------------------------------------------------------------


def test_the_command_says_that_there_is_no_difference_and_exits_with_0() -> None:
    said = once("diff", "rfc9293", "reordering", "--rules")
    assert 0 == said.status
    assert "rfc9293 -> reordering: no difference" in said.out


def test_the_command_gives_json_of_what_differs() -> None:
    document = json.loads(once("diff", "rfc9293", "rfc1337", "--rules", "--format", "json").out)
    (one,) = document["differences"]
    assert ("TIME_WAIT", "RST_STEP") == (one["state"], one["on"])
    assert ("CLOSED", "TIME_WAIT") == (one["old"]["state"], one["new"]["state"])
    assert 9 + 1 == len(one["trace"]["steps"])


def test_a_model_that_opens_again_is_refused_under_claims() -> None:
    refused(tcpclose("diff", "rfc9293", "reopen_fifo", "--rules"), "speak of one connection")
