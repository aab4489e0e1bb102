"""Hazards: what is known to go wrong when connections close, each found again with its run.

Each case of `properties.hazards` names a small model and a property.  The checker must find it
violated, show it in a shortest run that ends as the literature describes, find nothing wrong with
the repaired model, and name the repair by itself; and docs/hazards.md must say just that.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from functools import cache

import pytest

from properties.catalogue import CATALOGUE, both_closed, property_named
from properties.check import Result, check
from properties.hazards import HAZARDS
from properties.hazards.case import A_FIRST, NO_DATA, TIMELY, Case
from properties.kinds import never_stuck
from properties.reopening import REOPENING
from properties.repair import Repair, Repairs, nearest_repair
from properties.verdict import Answer, Verdict
from properties.views import View
from tcpclose_model.protocol.vocabulary import CLOSED
from tcpclose_model.run import Run, check_run
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tests.command_line import ROOT, tcpclose

LITERAL = (TIMELY, "protocol.literal_ack=on")
PAGE = ROOT / "docs" / "hazards.md"
CASES: dict[str, Case] = {f"{h.name} {c.title}": c for h in HAZARDS.values() for c in h.cases}

every_hazard = pytest.mark.parametrize("name", CASES)


@cache
def result_of(name: str) -> Result:
    """Return the check of a hazard's model for its property alone."""
    case = CASES[name]
    return check(case.broken(), only=[case.breaks])


def verdict_of(name: str) -> Verdict:
    """Return the verdict on a hazard's property."""
    return result_of(name)[CASES[name].breaks]


def run_of(name: str) -> Run:
    """Return the run that shows a hazard."""
    run = verdict_of(name).run
    assert run is not None
    return run


@cache
def repair_of(name: str) -> Repair | None:
    """Return the repair of a hazard that the checker names."""
    return nearest_repair(result_of(name).space, verdict_of(name))


def answer(model: str, settings: tuple[str, ...], breaks: str) -> Answer:
    """Return what a check answers for one property of a model with some parameters changed."""
    return check(with_parameters(model_named(model), settings), only=[breaks])[breaks].answer


def ends_of(run: Run) -> tuple[str, str]:
    """Return the states of both ends where a run ends."""
    return run.last.a.state.name, run.last.b.state.name


@every_hazard
def test_a_hazard_is_found(name: str) -> None:
    assert Answer.VIOLATED is verdict_of(name).answer


@every_hazard
def test_a_hazard_ends_as_it_is_known_to(name: str) -> None:
    assert CASES[name].ends == ends_of(run_of(name))


@every_hazard
def test_a_hazard_is_shown_in_as_few_steps_as_possible(name: str) -> None:
    run = run_of(name)
    repeated = None if run.loop is None else len(run) - run.loop
    assert (CASES[name].steps, CASES[name].loop) == (len(run), repeated)


@every_hazard
def test_a_hazards_run_is_one_of_the_model(name: str) -> None:
    check_run(run_of(name))


@every_hazard
def test_the_standards_table_put_right_is_free_of_the_hazard(name: str) -> None:
    breaks = CASES[name].breaks
    verdict = check(CASES[name].right(), only=[breaks])[breaks]
    assert Answer.VIOLATED is not verdict.answer, verdict.detail


@every_hazard
def test_the_checker_names_the_repair_of_a_hazard(name: str) -> None:
    repair = repair_of(name)
    assert CASES[name].repair == (repair and repair.change)


@pytest.mark.parametrize("units", ["0,0", "1,0", "0,1"])
def test_the_literal_reading_livelocks_only_if_both_ends_send_text(units: str) -> None:
    settings = (*LITERAL, f"application.data_units={units}")
    assert Answer.HOLDS is answer("rfc9293", settings, "both_eventually_closed")


def test_the_literal_reading_does_not_livelock_where_nothing_is_lost() -> None:
    settings = (*LITERAL, "network.loss=false")
    assert Answer.HOLDS is answer("rfc9293", settings, "both_eventually_closed")


def test_under_an_ideal_time_wait_a_reset_is_sent_only_to_an_end_that_is_closed() -> None:
    verdict = check(with_parameters(model_named("ideal_time_wait"), [NO_DATA, A_FIRST]))[
        "no_reset_in_an_orderly_close"
    ]
    assert verdict.run is not None
    assert (10, ("CLOSED", "CLOSED")) == (len(verdict.run), ends_of(verdict.run))


@pytest.mark.parametrize("breaks", ["both_eventually_closed", "both_can_always_close"])
def test_a_mute_time_wait_is_masked_by_the_reset_from_closed(breaks: str) -> None:
    assert Answer.HOLDS is answer("zephyr_46407", (NO_DATA,), breaks)


def test_a_silent_closed_does_not_tell_a_mute_time_wait_from_a_right_one() -> None:
    # Others name it as a way to see H19; but then the standard's own table fails as well.
    settings = (NO_DATA, TIMELY, "protocol.silent_closed=on")
    assert Answer.VIOLATED is answer("rfc9293", settings, "both_eventually_closed")


def test_a_dropped_fin_with_an_old_ack_is_masked_by_retransmission() -> None:
    settings = (TIMELY,)
    assert Answer.HOLDS is answer("linux_5_10_old_ack_fin", settings, "both_eventually_closed")


def test_on_a_fifo_network_no_fin_has_an_old_ack() -> None:
    model = with_parameters(model_named("linux_5_10_old_ack_fin"), ["network.order=fifo", TIMELY])
    carried_out = {rule.name for move in explore(model).moves for rule in move.rules}
    assert "old_ack" not in carried_out


def test_two_ends_in_fin_wait_2_wait_for_each_other_if_any_ack_will_do() -> None:
    def one_closed(s: View) -> bool:
        return both_closed(s) or s.a.state == CLOSED or s.b.state == CLOSED

    claim = never_stuck("No two open ends are stuck.", unless=one_closed)
    model = replace(model_named("smoltcp_470"), properties=[claim], expect={})
    run = check(model)[claim.name].run
    assert run is not None
    assert (8, ("FIN_WAIT_2", "FIN_WAIT_2")) == (len(run), ends_of(run))


def test_no_hazard_of_the_literature_is_missing() -> None:
    assert {f"H{number}" for number in range(1, 27)} <= set(HAZARDS)


def test_every_hazard_breaks_a_property_of_the_catalogue() -> None:
    every = (*CATALOGUE, *REOPENING)
    assert all(property_named(case.breaks, every) for case in CASES.values())


def test_the_page_of_hazards_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_hazards.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert "" == result.stderr
    assert 0 == result.returncode, "run: python docs/make_hazards.py"


@every_hazard
def test_the_command_that_shows_a_hazard_prints_the_run_on_the_page(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(_: Repairs, verdict: Verdict) -> Repair | None:
        """Return the repair that was found above: looking for it takes most of the time."""
        assert CASES[name].breaks == verdict.property.name
        return repair_of(name)

    repair_of(name)
    monkeypatch.setattr(Repairs, "nearest", known)
    page = PAGE.read_text(encoding="utf-8")
    command = CASES[name].command
    shown = re.search(rf"^{re.escape(command)}\n```\n\n```text\n(.*?)```", page, re.M | re.S)
    assert shown is not None
    assert shown[1] in tcpclose(*command.split()[1:], "--no-notes").out
