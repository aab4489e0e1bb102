"""Hazards: what is known to go wrong when connections close, each found again with its run.

Each hazard names a small model and a property.  The checker must find it violated, show it in a
shortest run that ends as the literature describes, find nothing wrong with the repaired model,
and name the repair by itself.  Where a run differs from what others report, a comment says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import pytest

from properties.catalogue import both_closed, property_named
from properties.check import Result, check
from properties.kinds import never_stuck
from properties.repair import nearest_repair
from properties.verdict import Answer, Verdict
from properties.views import View
from tcpclose_model.model import Model
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import CLOSED
from tcpclose_model.run import Run, check_run
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters

NO_DATA = "application.data_units=0"
A_FIRST = "application.closes=a_first"
TIMELY = "timers.retransmission=timely"
IDEAL = "timers.time_wait=ideal"
RETRANSMIT = ("timers.retransmission=timely",)
UNDOING = "undoing the edit: "
LITERAL = (TIMELY, "protocol.literal_ack=on")


@dataclass(frozen=True, slots=True)
class Hazard:
    """A known hazard.

    model, settings: where it occurs.  breaks: the property that finds it.
    ends: both ends' states where the run ends; steps: how long it is; loop: how many of its steps
    repeat for ever.  fixed: what, beside the standard's own table, makes the model right.
    repair: the change that the checker proposes.
    """

    model: str
    settings: tuple[str, ...]
    breaks: str
    ends: tuple[str, str]
    steps: int
    repair: str
    loop: int | None = None
    fixed: tuple[str, ...] = ()

    def broken(self) -> Model:
        """Return the model in which it occurs."""
        return with_parameters(model_named(self.model), self.settings)

    def right(self) -> Model:
        """Return its twin: the standard's table under the same parameters, put right."""
        return with_parameters(replace(self.broken(), a=RFC9293, b=RFC9293), self.fixed)


# fmt: off
HAZARDS = {
    # H1: a FIN is lost and never sent again (Zephyr issue 46350).  If B's user waits for A to
    # close, one lost FIN is enough; otherwise B closes too and both FINs must be lost.
    "H1": Hazard(
        "zephyr_46350", (NO_DATA,), "no_deadlock",
        ends=("FIN_WAIT_1", "FIN_WAIT_1"), steps=4,
        repair=UNDOING + "a lost FIN is never sent again",
    ),
    "H1 a first": Hazard(
        "zephyr_46350", (NO_DATA, A_FIRST), "no_deadlock",
        ends=("FIN_WAIT_1", "ESTABLISHED"), steps=2,
        repair=UNDOING + "a lost FIN is never sent again",
    ),
    "H1 no timer": Hazard(
        "no_retransmission", (NO_DATA,), "no_deadlock",
        ends=("FIN_WAIT_1", "FIN_WAIT_1"), steps=4, fixed=RETRANSMIT,
        repair="timers.retransmission=timely",
    ),
    # H2: two generals.  The last ACK is lost and TIME-WAIT ends: only a reset can finish the close.
    "H2": Hazard(
        "rfc9293", (NO_DATA, TIMELY, A_FIRST), "a_clean_completion_stays_possible",
        ends=("CLOSED", "LAST_ACK"), steps=7, fixed=(IDEAL,),
        repair="timers.time_wait=ideal",
    ),
    # The reset itself.  An ideal TIME-WAIT does not keep it from being sent, as other work
    # expects: a stale ACK may still meet CLOSED (see the test below), so a lossy network remains.
    "H2 reset": Hazard(
        "rfc9293", (NO_DATA, TIMELY, A_FIRST), "no_reset_in_an_orderly_close",
        ends=("CLOSED", "LAST_ACK"), steps=9, fixed=("network.loss=false",),
        repair="network.loss=false",
    ),
    # H3: TIME-WAIT assassination (RFC 1337 Figure 1) needs no loss and no duplication: a needless
    # retransmission is enough, or an ACK that is overtaken.
    "H3 retransmission": Hazard(
        "needless_retransmission", (NO_DATA, A_FIRST), "time_wait_ends_only_by_its_timer",
        ends=("CLOSED", "CLOSED"), steps=10, fixed=("protocol.rfc1337=on",),
        repair="protocol.rfc1337=on",
    ),
    "H3 reordering": Hazard(
        "reordering", (), "time_wait_ends_only_by_its_timer",
        ends=("CLOSED", "CLOSED"), steps=8, fixed=("protocol.rfc1337=on",),
        repair="protocol.rfc1337=on",
    ),
    # H7: the literal first step drops the ACK field (RFC 9293 Appendix A.2).  Others report a loop
    # of eight steps; no lasso here claims to be a shortest one.
    "H7": Hazard(
        "rfc9293", LITERAL, "both_eventually_closed",
        ends=("FIN_WAIT_1", "FIN_WAIT_1"), steps=16, loop=6,
        repair="protocol.literal_ack=off",
    ),
    # H8: the peer gives up (R2) without a reset.  FIN-WAIT-2 has no timer in the standard.
    "H8": Hazard(
        "user_timeout", (NO_DATA,), "no_deadlock",
        ends=("FIN_WAIT_2", "CLOSED"), steps=6, fixed=("protocol.fin_wait_2_timeout=on",),
        repair="protocol.fin_wait_2_timeout=on",
    ),
    "H8 half-open": Hazard(
        "user_timeout", (NO_DATA,), "no_half_open_end",
        ends=("CLOSED", "FIN_WAIT_2"), steps=6, fixed=("protocol.fin_wait_2_timeout=on",),
        repair="protocol.fin_wait_2_timeout=on",
    ),
    # H9: the application never closes: CLOSE-WAIT leaks.
    "H9": Hazard(
        "close_wait_leak", (NO_DATA,), "both_eventually_closed",
        ends=("FIN_WAIT_2", "CLOSE_WAIT"), steps=3, loop=0, fixed=("application.closes=any",),
        repair="application.closes=any",
    ),
    # H10: the same, and the other end's FIN-WAIT-2 times out.
    "H10": Hazard(
        "orphan_fin_wait_2", (NO_DATA,), "no_half_open_end",
        ends=("CLOSED", "CLOSE_WAIT"), steps=4,
        repair="application.closes=any",
    ),
    # H11: a reset in LAST-ACK or CLOSING is not told to the user: text is lost in silence.
    "H11": Hazard(
        "silent_reset", (), "no_silent_data_loss",
        ends=("CLOSED", "CLOSED"), steps=9,
        repair="protocol.silent_reset=off",
    ),
    "H11 user timeout": Hazard(
        "user_timeout_silent_reset", ("application.data_units=1,0",), "no_silent_data_loss",
        ends=("CLOSED", "CLOSED"), steps=7,
        repair="protocol.silent_reset=off",
    ),
    # H14: a reset is lost, and the peer has nothing to send that would provoke another.  While
    # B's user still may close, ESTABLISHED and CLOSE-WAIT are not stuck: the FIN meets CLOSED.
    "H14": Hazard(
        "abort", (), "no_half_open_end",
        ends=("CLOSED", "FIN_WAIT_2"), steps=5, fixed=("application.aborts=false",),
        repair="protocol.fin_wait_2_timeout=on",
    ),
    "H14 idle peer": Hazard(
        "abort", ("application.closes=b_never",), "no_half_open_end",
        ends=("CLOSED", "ESTABLISHED"), steps=2, fixed=("application.aborts=false",),
        repair="network.loss=false",
    ),
    # H17: CLOSING retransmits without the FIN (demikernel issue 1537).  Others see FIN_WAIT_1
    # opposite CLOSING stuck; it is doomed, and the ACK that CLOSING repeats takes it to FIN_WAIT_2.
    "H17": Hazard(
        "demikernel_1537", (NO_DATA,), "both_eventually_closed",
        ends=("CLOSING", "FIN_WAIT_2"), steps=7, loop=2,
        repair=UNDOING + "closing_forgets_fin",
    ),
    # H18: any ACK counts as the ACK of our FIN (smoltcp issue 470).  The shortest deadlock is half
    # open; the one of both ends in FIN-WAIT-2, which others report, needs text (see below).
    "H18": Hazard(
        "smoltcp_470", (NO_DATA,), "no_deadlock",
        ends=("FIN_WAIT_2", "CLOSED"), steps=6,
        repair=UNDOING + "any ACK is taken for the ACK of our FIN",
    ),
    "H18 data": Hazard(
        "smoltcp_470", ("application.data_units=1,0",), "no_silent_data_loss",
        ends=("CLOSED", "FIN_WAIT_1"), steps=6,
        repair=UNDOING + "any ACK is taken for the ACK of our FIN",
    ),
    # H19: TIME-WAIT does not answer a FIN (Zephyr issue 46407), seen under an ideal TIME-WAIT only.
    "H19": Hazard(
        "zephyr_46407_unmasked", (NO_DATA, A_FIRST), "both_eventually_closed",
        ends=("TIME_WAIT", "LAST_ACK"), steps=8, loop=2,
        repair=UNDOING + "TIME-WAIT does not acknowledge a retransmitted FIN",
    ),
    "H19 unclean": Hazard(
        "zephyr_46407_unmasked", (NO_DATA,), "a_clean_completion_stays_possible",
        ends=("TIME_WAIT", "CLOSING"), steps=6,
        repair=UNDOING + "TIME-WAIT does not acknowledge a retransmitted FIN",
    ),
    # H20: a FIN in FIN-WAIT-1 or -2 leads to the passive states (FreeRTOS-Plus-TCP issue 1303).
    "H20": Hazard(
        "freertos_1303", (), "no_deadlock",
        ends=("CLOSE_WAIT", "CLOSED"), steps=6,
        repair=UNDOING + "fin_leads_astray",
    ),
    "H20 half-open": Hazard(
        "freertos_1303", (), "no_half_open_end",
        ends=("CLOSED", "CLOSE_WAIT"), steps=6,
        repair=UNDOING + "fin_leads_astray",
    ),
    # H21: a FIN with an old ACK field is dropped (Linux 5.10.112): reordering alone is enough.
    "H21": Hazard(
        "linux_5_10_old_ack_fin", (), "no_deadlock",
        ends=("FIN_WAIT_2", "CLOSING"), steps=5,
        repair=UNDOING + "a segment with an old ACK field is dropped, and the FIN on it",
    ),
    # H22: a FIN is taken over a hole in the text (smoltcp issue 112).
    "H22": Hazard(
        "smoltcp_112", ("application.data_units=1,0", A_FIRST), "no_silent_data_loss",
        ends=("CLOSED", "LAST_ACK"), steps=9,
        repair=UNDOING + "fin_over_a_hole",
    ),
}
# fmt: on

every_hazard = pytest.mark.parametrize("name", HAZARDS)


@cache
def result_of(name: str) -> Result:
    """Return the check of a hazard's model for its property alone."""
    hazard = HAZARDS[name]
    return check(hazard.broken(), only=[hazard.breaks])


def verdict_of(name: str) -> Verdict:
    """Return the verdict on a hazard's property."""
    return result_of(name)[HAZARDS[name].breaks]


def run_of(name: str) -> Run:
    """Return the run that shows a hazard."""
    run = verdict_of(name).run
    assert run is not None
    return run


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
    assert HAZARDS[name].ends == ends_of(run_of(name))


@every_hazard
def test_a_hazard_is_shown_in_as_few_steps_as_possible(name: str) -> None:
    run = run_of(name)
    repeated = None if run.loop is None else len(run) - run.loop
    assert (HAZARDS[name].steps, HAZARDS[name].loop) == (len(run), repeated)


@every_hazard
def test_a_hazards_run_is_one_of_the_model(name: str) -> None:
    check_run(run_of(name))


@every_hazard
def test_the_standards_table_put_right_is_free_of_the_hazard(name: str) -> None:
    breaks = HAZARDS[name].breaks
    verdict = check(HAZARDS[name].right(), only=[breaks])[breaks]
    assert Answer.VIOLATED is not verdict.answer, verdict.detail


@every_hazard
def test_the_checker_names_the_repair_of_a_hazard(name: str) -> None:
    repair = nearest_repair(result_of(name).space, verdict_of(name))
    assert HAZARDS[name].repair == (repair and repair.change)


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


def test_every_hazard_breaks_a_property_of_the_catalogue() -> None:
    assert all(property_named(hazard.breaks) for hazard in HAZARDS.values())
