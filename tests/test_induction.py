"""Proofs by induction: what is proved is so, what is wrong is found, nothing comes of nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
import z3

from properties.check import check
from properties.claims import CLAIMS, PROVES, About, Claim
from properties.induction import (
    FOR_ALL,
    How,
    Proof,
    attempt,
    prove,
    prove_with_found_claims,
)
from properties.questions import Questions, ruled_out_by_cvc5
from properties.refute import run_against
from properties.users import never
from properties.verdict import Answer
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import queue_text
from tcpclose_model.protocol.notation import PASSES_ON, UNREACHABLE, Otherwise, Protocol, Rule
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSING,
    ESTABLISHED,
    FIN_ACKED_STEP,
    FIN_WAIT_1,
    SYNCHRONIZED,
    TCB,
    Event,
    Segment,
)
from tcpclose_model.protocol.words import fin_number
from tcpclose_model.run import check_run
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.registry import switched
from tests.command_line import once, refused, tcpclose

RFC1337 = model_named("rfc1337")


@cache
def proof_of(name: str) -> Proof:
    """Return the proof for a model of the catalogue."""
    return prove(model_named(name))


# What is wrong on purpose -----------------------------------------------------------------------


def take_two_units(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Advance RCV.NXT over one unit too many."""
    return {"rcv_nxt": tcb.rcv_nxt + 2, "rcv_text": tcb.rcv_text + 2}


def hold_another_unit(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Hold a unit that was never sent."""
    return {"held": RFC9293.rule("text_ahead").do[0](tcb, seg._replace(seq=seg.seq + 5))["held"]}  # type: ignore[call-overload]  # hold_text returns a dict


def hold_fin_too_late(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """Hold the FIN at a number that is not its own."""
    return {"held_fin": fin_number(seg) + 1}


def take_any_ack(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.UNA <- one more than was acknowledged."""
    return {"snd_una": seg.ack + 1, "retransmitted": 0}


def owe_two_acks(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """A flag that counts."""
    return {"ack_due": 2}


def forget_to_count_the_fin(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The FIN is sent, and SND.NXT stays."""
    return {"fin_sent": 1}


def send_text_with_reset(tcb: TCB, seg: Segment) -> Segment:
    """A RST with text."""
    return Segment(seq=tcb.snd_nxt, text=1, rst=1)


def send_syn(tcb: TCB, seg: Segment) -> Segment:
    """A SYN where there is a connection."""
    return Segment(seq=tcb.snd_nxt, ack=tcb.rcv_nxt, syn=1)


def send_the_next_unit_first(tcb: TCB, seg: Segment) -> Segment:
    """Text that is one number too high."""
    return Segment(seq=tcb.snd_nxt + 1, ack=tcb.rcv_nxt, text=1)


@cache
def with_effect(row: str, at: int, effect: object) -> Protocol:
    """Return the standard with one effect of a row replaced."""
    do = list(RFC9293.rule(row).do)
    do[at] = effect  # type: ignore[call-overload]  # an effect
    return RFC9293.edit(rows(name=row), becomes(do=do), why="wrong on purpose")


BREAKERS: dict[str, Protocol] = {
    "flags_are_flags": with_effect("fin_in_established", 1, owe_two_acks),
    "numbers_are_in_order": with_effect("new_ack", 0, take_any_ack),
    "snd_nxt_counts_what_was_sent": with_effect("transmit_fin", 1, forget_to_count_the_fin),
    "states_tell_of_the_fin": MODELS["freertos_1303"].a,
    "states_tell_of_its_ack": MODELS["smoltcp_470"].a,
    "states_tell_of_the_peers_fin": MODELS["smoltcp_112"].a,
    "taken_was_sent": with_effect("text", 0, take_two_units),
    "the_fin_comes_last": RFC9293.add(
        Rule("send_late", at=FIN_WAIT_1, on=Event.SEND, do=queue_text, cite="a test"), why="a test"
    ),
    "a_held_fin_comes_last": with_effect("fin_ahead", 0, hold_fin_too_late),
    "acknowledged_was_taken": with_effect("new_ack", 0, take_any_ack),
    "acknowledged_fin_was_taken": with_effect("new_ack", 0, take_any_ack),
    "no_loss_in_silence": switched("silent_reset"),
    "segments_are_well_formed": with_effect("abort", 0, send_text_with_reset),
    "there_is_no_syn": with_effect("transmit_text", 0, send_syn),
    "acks_are_true": MODELS["ack_everything_seen"].a,
    "segments_are_the_senders_own": with_effect("transmit_text", 0, send_the_next_unit_first),
    "held_text_was_sent": with_effect("text_ahead", 0, hold_another_unit),
    "only_a_close_is_active": MODELS["time_wait_for_everyone"].a,
    "time_wait_lasts": RFC9293,
    "resets_are_told": switched("silent_reset"),
}
"""For each claim a table that does not keep it."""


@cache
def not_kept(protocol: Protocol) -> set[str]:
    """Return the claims that some way through the rows does not keep, all being so before."""
    found = attempt(Model(a=protocol, b=protocol), tuple(CLAIMS.values()))
    return {failure.claim for failure in found.failures}


def test_every_claim_has_a_table_that_does_not_keep_it() -> None:
    assert set(CLAIMS) == set(BREAKERS)


@pytest.mark.parametrize("claim", BREAKERS)
def test_a_claim_is_not_kept_by_the_table_that_breaks_it(claim: str) -> None:
    assert claim in not_kept(BREAKERS[claim])


# What is proved ---------------------------------------------------------------------------------


def test_the_standard_keeps_every_claim_but_that_time_wait_lasts() -> None:
    assert ["time_wait_lasts"] == list(proof_of("rfc9293").given_up)


def test_where_time_wait_ignores_resets_every_claim_is_kept() -> None:
    assert {} == proof_of("rfc1337").given_up
    assert list(CLAIMS.values()) == proof_of("rfc1337").kept


def test_two_different_ends_are_proved_together() -> None:
    model = Model(a=RFC1337.a, b=switched("delayed_ack"))
    proof = prove(model)
    assert {"time_wait_lasts": "B"} == {name: f.end for name, f in proof.given_up.items()}


def test_a_proof_is_the_same_in_one_process_and_in_several() -> None:
    one, several = (prove(RFC1337, how=How(processes=number)) for number in (1, 2))
    assert (one.kept, one.ways, one.questions) == (several.kept, several.ways, several.questions)


SOME = ("rfc9293", "rfc1337", "silent_reset", "smoltcp_470", "freertos_1303")


@pytest.mark.parametrize("name", MODELS if os.environ.get("PROVE_ALL") else SOME)
def test_what_is_proved_is_not_violated_in_the_explored_graph(name: str) -> None:
    result = check(model_named(name), only=list(PROVES))
    violated = {v.property.name for v in result.verdicts if v.answer is Answer.VIOLATED}
    assert set() == {prop for prop in violated if proof_of(name).proves(prop)}


@pytest.mark.parametrize("name", ["rfc1337", "needless_retransmission", "wild_network"])
def test_no_run_of_a_right_model_breaks_a_claim(name: str) -> None:
    space = explore(model_named(name))
    claims = [c for c in CLAIMS.values() if c.name != "time_wait_lasts" or name == "rfc1337"]
    assert [] == [claim.name for claim in claims if run_against(space, claim) is not None]


@pytest.mark.parametrize(
    ("name", "claim", "steps"),
    [
        ("silent_reset", "no_loss_in_silence", 9),
        ("silent_reset", "resets_are_told", 7),
        ("freertos_1303", "states_tell_of_the_fin", 5),
        ("smoltcp_470", "states_tell_of_its_ack", 3),
    ],
)
def test_a_claim_that_is_false_is_shown_by_a_run(name: str, claim: str, steps: int) -> None:
    run = run_against(explore(model_named(name)), CLAIMS[claim])
    assert run is not None
    check_run(run)
    assert steps == len(run)


# No proof comes of nothing ----------------------------------------------------------------------


def nobody_leaves(me: TCB, peer: TCB) -> bool:
    """Shut out every state but the first, so that nothing else would have to be looked at."""
    return (me.state == ESTABLISHED) & (peer.state == ESTABLISHED)


def contradiction(me: TCB, peer: TCB) -> bool:
    """Contradict everything."""
    return (me.snd_una < 0) & (me.snd_una > 0)


@pytest.mark.parametrize("holds", [nobody_leaves, contradiction])
def test_a_claim_that_shuts_states_out_is_refused(holds: object) -> None:
    wrong = Claim("wrong", About.ENDS, "a test", holds)  # type: ignore[arg-type]  # a predicate
    proof = prove(RFC1337, [*CLAIMS.values(), wrong])
    assert ["wrong"] == list(proof.given_up)
    assert list(CLAIMS.values()) == proof.kept


def test_a_claim_that_is_false_at_the_start_is_refused() -> None:
    wrong = Claim("wrong", About.ENDS, "a test", lambda me, peer: me.snd_una == 1)
    assert "the start" == prove(RFC1337, [wrong]).given_up["wrong"].event


def test_a_cell_that_is_reached_although_it_is_declared_unreachable_is_refused() -> None:
    others = [cell for cell in RFC9293.cells if cell.on != (FIN_ACKED_STEP,)]
    open_states = tuple(state for state in SYNCHRONIZED if state is not CLOSING)
    passes = Otherwise(PASSES_ON, at=open_states, on=FIN_ACKED_STEP, why="a test", cite="a test")
    wrong = Otherwise(UNREACHABLE, at=CLOSING, on=FIN_ACKED_STEP, why="a test", cite="a test")
    rules = tuple(rule for rule in RFC9293.rules if rule.name != "fin_acked_in_closing")
    odd = Protocol("odd", rules, (*others, passes, wrong))
    with pytest.raises(ModelError, match="CLOSING on FIN_ACKED_STEP is declared unreachable"):
        prove(Model(a=odd, b=odd), how=How(processes=1))


def test_rows_that_can_both_fit_are_refused_whatever_the_values() -> None:
    odd = Rule("odd", at=ESTABLISHED, on=ACK_STEP, when=lambda t, s: s.ack == 70_000, cite="a test")
    protocol = RFC9293.add(odd, why="a test")
    with pytest.raises(ModelError, match="new_ack and odd can both fit ESTABLISHED on ACK_STEP"):
        prove(Model(a=protocol, b=protocol), how=How(processes=1))


def test_a_failure_names_the_row_and_gives_values_that_a_person_can_read() -> None:
    failure = proof_of("rfc9293").given_up["time_wait_lasts"]
    assert (("reset_in_time_wait", "3.10.7.4 second"),) == failure.rows
    assert ("TIME_WAIT", Event.SEGMENT_ARRIVES.words, "CLOSED") == (
        failure.before,
        failure.event,
        failure.after,
    )
    assert "1" == failure.values["seg.rst"]


# A second solver --------------------------------------------------------------------------------


def test_cvc5_confirms_every_answer_that_the_proof_of_the_standard_rests_on() -> None:
    proof = prove(RFC1337, how=How(second=ruled_out_by_cvc5))
    assert 0 == proof.not_confirmed
    assert 277 == proof.confirmed


def test_cvc5_does_not_rule_out_what_can_be() -> None:
    x = z3.Int("x")
    assert 1 == ruled_out_by_cvc5([x > 2], [(x < 3,), (x == 3,)])
    marks = z3.Store(z3.K(z3.IntSort(), False), 1, True)
    assert 1 == ruled_out_by_cvc5([marks[x]], [(x == 1,), (x == 2,)])


def test_a_premise_that_cvc5_is_not_told_is_missed() -> None:
    questions = Questions([z3.Int("x") > 2])
    assert not questions.can_be([z3.Int("x") < 2])
    assert 0 == ruled_out_by_cvc5([], questions.ruled_out)
    assert 1 == ruled_out_by_cvc5(questions.premises, questions.ruled_out)


def test_nothing_is_proved_if_a_second_solver_does_not_confirm_it() -> None:
    proof = prove(RFC1337, how=How(second=lambda premises, questions: max(0, len(questions) - 1)))
    assert proof.not_confirmed
    assert not any(proof.proves(name) for name in PROVES)


# What the model's users never do, and claims that nobody wrote ----------------------------------

FEW = ("rfc9293", "silent_closed", "abort", "half_close", "no_retransmission", "user_timeout")


@pytest.mark.parametrize("name", [*FEW, "half_duplex_close", "keep_alive_unanswered"])
def test_what_users_never_do_is_in_no_step_of_the_explored_graph(name: str) -> None:
    space = explore(model_named(name), max_states=30_000)
    done = {(move.action.actor, move.action.event) for move in space.moves}
    for end in (0, 1):
        assert set() == {event for actor, event in done if actor == end} & never(space.model, end)


def test_an_abort_that_a_user_may_call_is_not_left_out() -> None:
    assert Event.ABORT not in never(model_named("abort"), 0)
    assert Event.ABORT in never(model_named("rfc9293"), 0)


@cache
def found() -> Proof:
    """Return the proof of a table with a bug, for its own users, by claims found in its graph."""
    model = model_named("freertos_1303")
    proof = prove(model, how=How(as_modelled=True))
    assert not proof.proves("no_silent_data_loss")
    return prove_with_found_claims(proof, explore(model))


def test_claims_that_are_found_prove_what_those_that_are_written_do_not() -> None:
    assert found().proves("no_silent_data_loss")
    assert 0 < len(found().found) <= found().tried


def test_claims_that_are_found_hold_beyond_the_bounds_they_were_found_at() -> None:
    model = found().model
    wild = replace(model.network, capacity=3, order="any", loss=True, duplication=True)
    space = explore(replace(model, network=wild))
    assert len(space) > len(explore(model))
    assert [] == [c.name for c in found().found if run_against(space, c) is not None]


def test_what_is_so_only_at_the_bounds_is_not_kept() -> None:
    at_the_bounds = "in ESTABLISHED, snd_nxt >= snd_end"
    (claim,) = (claim for claim in found().found if claim.name == at_the_bounds)
    proof = proof_of("freertos_1303")
    failures = attempt(proof.model, (*proof.kept, claim)).failures
    assert {(at_the_bounds, Event.SEND.words)} == {(one.claim, one.event) for one in failures}


# The command ------------------------------------------------------------------------------------


@pytest.fixture
def proofs_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a command the proof that was found above, where it asks for just that."""

    def known(model: Model, claims: object = None, how: How = FOR_ALL) -> Proof:
        assert (None, FOR_ALL) == (claims, how)
        assert model_named(model.name) == model
        return proof_of(model.name)

    monkeypatch.setattr("properties.induction.prove", known)


@pytest.mark.usefixtures("proofs_are_known")
def test_the_command_proves_the_standard_and_says_what_that_means() -> None:
    said = once("prove")
    assert 0 == said.status
    assert "proved   no_silent_data_loss" in said.out
    assert "REFUTED  time_wait_ends_only_by_its_timer" in said.out
    assert "any number of retransmissions" in said.out
    assert "not covered: 32-bit wrap-around" in said.out


@pytest.mark.usefixtures("proofs_are_known")
def test_the_command_shows_a_run_for_what_is_refuted_and_exits_with_1() -> None:
    said = tcpclose("prove", "silent_reset", "--property", "no_silent_data_loss")
    assert 1 == said.status
    assert "reset_when_closing (3.10.7.4 second, 3.5.3, MUST-12)" in said.out
    assert "it happens: a run of 9 steps" in said.out


@pytest.mark.usefixtures("proofs_are_known")
def test_what_is_neither_proved_nor_refuted_is_unknown_and_exits_with_3() -> None:
    said = tcpclose("prove", "freertos_1303", "--property", "no_silent_data_loss")
    assert 3 == said.status
    assert "UNKNOWN  no_silent_data_loss" in said.out
    assert (
        "but what the proof leans on is false: a FIN is sent in the states that say so" in said.out
    )


@pytest.mark.usefixtures("proofs_are_known")
def test_the_command_gives_json() -> None:
    document = json.loads(once("prove", "rfc1337", "--format", "json").out)
    (model,) = document["models"]
    assert {"proved"} == {prop["answer"] for prop in model["properties"]}
    assert sorted(CLAIMS) == sorted(model["kept"])


def test_a_property_that_no_induction_proves_is_refused() -> None:
    said = tcpclose("prove", "--property", "no_deadlock")
    refused(said, "'no_deadlock' is not proved by induction", "tcpclose check judges it")


def test_a_model_with_a_middlebox_is_refused() -> None:
    refused(tcpclose("prove", "firewall_idle"), "a middlebox sends resets", "middlebox.at=none")


def test_a_model_that_opens_a_second_connection_is_refused() -> None:
    refused(tcpclose("prove", "reopen_fifo"), "speak of one connection", "incarnations.opens=never")


def test_the_command_has_a_second_solver_confirm_the_proof_of_the_standard() -> None:
    said = tcpclose("prove", "--second-solver")
    assert 0 == said.status
    assert "answers that the proof rests on" in said.out
    assert "nothing counts as proved" not in said.out
