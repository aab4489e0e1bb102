"""The TLA+ export, with TLC as the referee: it must find what the plain engine finds.

TLC runs on small models here; with TLC_ALL set it runs on the whole catalogue and on more random
models (some twenty minutes).
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from properties.catalogue import CATALOGUE, both_eventually_closed
from properties.judge import judge
from properties.kinds import Kind, Property, always, leads_to, never_a_step
from properties.verdict import Answer
from reports.exports.tla import FAIR, STEPS, Exported, exported_model, tla, tla_files
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model, plain_only
from tcpclose_model.parts import Application, Bounds, Network, Timers
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.effects import send_ack, take_ack
from tcpclose_model.protocol.notation import DROPS, PASSES_ON, Otherwise, Rule
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import (
    ACK_STEP,
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    NOTHING,
    TCB,
    TIME_WAIT,
    Event,
    Segment,
)
from tcpclose_model.protocol.words import is_marked, with_mark
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import MODELS
from tcpclose_model.variants.switches import SWITCHES
from tests import tlc
from tests.strategies import examples, models, reopening_models, searched

EVERYTHING = "TLC_ALL" in os.environ
needs_tlc = pytest.mark.skipif(bool(tlc.MISSING), reason=f"not installed: {tlc.MISSING}")
only_if_asked = pytest.mark.skipif(not EVERYTHING, reason="set TLC_ALL to run it")

EXPORTED = [n for n, m in MODELS.items() if m.middlebox.at == "none" and not plain_only(m)]
NO_DATA = (0, 0)


def tiny(name: str, capacity: int = 1, units: tuple[int, int] = NO_DATA) -> Model:
    """A model of the catalogue with little text and small channels."""
    model = MODELS[name]
    return replace(
        model,
        network=replace(model.network, capacity=capacity),
        application=replace(model.application, data_units=units),
    )


def in_tla(model: Model) -> Exported:
    return exported_model(model, explore(model))


def claims(exported: Exported, ending: str, *, violated: bool) -> list[str]:
    """The claims that a configuration says to check, or those that it says are violated."""
    mark = "\\* " if violated else ""
    lines = exported.configurations.get(ending, "").splitlines()
    kinds = (f"{mark}INVARIANT ", f"{mark}PROPERTY ")
    return [line.split()[-1] for line in lines if line.startswith(kinds)]


def assert_same(model: Model, folder: Path, *, verdicts: bool = False) -> None:
    """TLC finds the states and the steps of the plain engine; with `verdicts`, its verdicts too.

    A claim that is violated takes a run of its own, for TLC stops there.
    """
    space = explore(model)
    exported = exported_model(model, space)
    found = tlc.run(exported, folder, states=len(space))
    assert (space.transitions + 1, len(space), "") == found[:3], found.text
    for ending in ("", STEPS) if verdicts else ():
        if ending and claims(exported, ending, violated=False):
            found = tlc.run(exported, folder / "holds", ending)
            assert not found.violated, found.text
        for name in claims(exported, ending, violated=True):
            found = tlc.run(exported, folder / name, ending, only=[name])
            assert name == found.violated, found.text


# What the text says -------------------------------------------------------------------------


def test_every_row_is_an_operator_under_its_own_name() -> None:
    text = exported_model(MODELS["rfc9293"]).module
    never = (Event.SHUTDOWN, Event.RECEIVE, Event.ABORT, Event.CRASH, Event.USER_TIMEOUT)
    rows = [rule for rule in RFC9293.rules if rule.on not in never]
    assert [] == [r.name for r in rows if text.count(f"\n{r.name}({_letter(r)}) ==") != 1]
    said = "SHUTDOWN, RECEIVE, ABORT, CRASH, USER TIMEOUT."
    assert f"Never with these users and timers: {said}" in text


def _letter(rule: Rule) -> str:
    return "me" if isinstance(rule.on, Event) else "x"


def test_a_row_reads_as_the_table_has_it() -> None:
    expected = r"""
\* LAST_ACK on FIN_ACKED_STEP: when our fin is acked: nothing -> CLOSED  [3.10.7.4 fifth]
fin_acked_in_last_ack(x) == LET t == x.tcb IN
    [x EXCEPT !.tcb = Deleted(t), !.over = TRUE]
"""
    assert expected in exported_model(MODELS["rfc9293"]).module


def test_the_text_says_what_tlc_must_find() -> None:
    text = in_tla(MODELS["table_154"]).module
    assert "39 states generated, 27 distinct states found" in text


def test_without_the_graph_there_are_no_counts_and_no_fairness() -> None:
    exported = exported_model(MODELS["table_154"])
    assert ["", STEPS] == list(exported.configurations)
    assert "must find" not in exported.module


def test_claims_without_a_formula_are_named_with_the_reason() -> None:
    text = in_tla(MODELS["table_154"]).module
    assert "both_can_always_close: that some run leads on is no formula of TLA+." in text
    said = [prop.name for prop in CATALOGUE if f"\n{prop.name} ==" in text or prop.name in text]
    assert [prop.name for prop in CATALOGUE] == said


def test_the_configurations_stand_beside_the_module_and_behind_its_end(tmp_path: Path) -> None:
    model = MODELS["table_154"]
    files = tla_files(model, tmp_path / "textbook.tla", explore(model))
    names = ["textbook.tla", "textbook.cfg", "textbook_steps.cfg", "textbook_fair.cfg"]
    assert names == [path.name for path in files]
    assert " MODULE textbook " in files[tmp_path / "textbook.tla"]
    assert "\ntable_154.cfg:\n\nSPECIFICATION Spec\n" in tla(MODELS["table_154"])


def test_a_file_name_that_names_no_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="names no TLA"):
        tla_files(MODELS["table_154"], tmp_path / "my-model.tla")


def test_states_compared_by_order_are_refused() -> None:
    def state_is_late(tcb: TCB, seg: Segment) -> bool:
        return tcb.state > ESTABLISHED

    row = Rule("late", at=TIME_WAIT, on=ACK_STEP, when=state_is_late, cite="none")
    table = RFC9293.add(row, why="a test")
    with pytest.raises(ModelError, match="compared by order"):
        exported_model(Model(a=table, b=table))


# The referee: states, steps, claims about them ------------------------------------------------

WIRES = {
    "fifo": Network(capacity=2),
    "fifo, duplicating": Network(capacity=2, duplication=True),
    "fifo, lossless": Network(capacity=2, loss=False),
    "fifo, lossless and duplicating": Network(capacity=3, loss=False, duplication=True),
    "fifo, senders wait": Network(capacity=2, full="waits"),
    "bag": Network(capacity=2, order="any", full="waits"),
    "bag, lossless and duplicating": Network(capacity=3, order="any", loss=False, duplication=True),
    "set": Network(capacity=2, order="set"),
    "set, duplicating": Network(capacity=2, order="set", duplication=True),
    "set, lossless": Network(capacity=2, order="set", loss=False),
}


@needs_tlc
@pytest.mark.parametrize("wire", WIRES)
def test_tlc_finds_the_same_on_every_kind_of_network(wire: str, tmp_path: Path) -> None:
    model = Model(network=WIRES[wire], application=Application(data_units=NO_DATA), name="wire")
    assert_same(model, tmp_path)


TIMED = {
    "all of them": Model(
        a=SWITCHES["user_timeout_resets"].on(RFC9293),
        b=SWITCHES["fin_wait_2_timeout"].on(RFC9293),
        network=Network(capacity=1, order="any", duplication=True),
        timers=Timers("timely", time_wait="ideal", user_timeout=True, fin_wait_2="orphaned"),
        application=Application(
            closes="b_after_eof", data_units=(1, 0), reading="lazy", aborts=(True, False)
        ),
        bounds=Bounds(1),
    ),
    "cut off": replace(MODELS["silent_closed"], bounds=Bounds(1)),
    "half-closed": tiny("half_close", 1, (1, 0)),
    "drained": Model(
        network=Network(capacity=1, full="waits"),
        timers=Timers(time_wait="drained"),
        application=Application(closes=("after_fin", "any"), data_units=(0, 1), reading="never"),
    ),
}


@needs_tlc
@pytest.mark.parametrize("name", TIMED)
def test_tlc_finds_the_same_under_every_timer_and_user(name: str, tmp_path: Path) -> None:
    assert_same(TIMED[name].named("timed"), tmp_path)


WRONG = {
    "smoltcp_470": tiny("smoltcp_470", 1, (1, 0)),
    "silent_reset": tiny("silent_reset"),
    "smoltcp_112": tiny("smoltcp_112", 1, (1, 0)),
    "ack_everything_seen": tiny("ack_everything_seen", 2, (1, 0)),
    "freertos_1303": MODELS["freertos_1303"],
    "fin_with_unread_text": tiny("fin_with_unread_text", 1, (1, 0)),
}


@needs_tlc
@pytest.mark.parametrize("name", WRONG if EVERYTHING else ["smoltcp_470", "freertos_1303"])
def test_tlc_agrees_on_what_is_wrong(name: str, tmp_path: Path) -> None:
    assert_same(WRONG[name], tmp_path, verdicts=True)


@needs_tlc
@given(models(tiny=True))
@examples(60 if EVERYTHING else 3)
def test_tlc_finds_the_same_in_random_models(
    tmp_path_factory: pytest.TempPathFactory, model: Model
) -> None:
    searched(model, 1_500)
    assert_same(model, tmp_path_factory.mktemp("random"))


@needs_tlc
@pytest.mark.parametrize("name", ["reopen_fifo"])
def test_tlc_agrees_on_what_an_old_connection_does_to_a_new_one(name: str, tmp_path: Path) -> None:
    assert_same(MODELS[name], tmp_path, verdicts=True)


@needs_tlc
@given(reopening_models())
@examples(60 if EVERYTHING else 2)
def test_tlc_finds_the_same_in_random_models_that_open_again(
    tmp_path_factory: pytest.TempPathFactory, model: Model
) -> None:
    searched(model, 1_500)
    assert_same(model, tmp_path_factory.mktemp("random"))


def test_the_text_says_how_the_ends_open_again() -> None:
    text = exported_model(MODELS["reopen_above"]).module
    first = "[NewTCB EXCEPT !.snd_una = 1, !.snd_nxt = 1, !.snd_end = 1, !.rcv_nxt = 1, !.inc = 1,"
    assert "\\* incarnations.opens = ('active', 'passive'), " in text
    assert f"\nFirstTCB == [\n    A |-> {first}" in text
    assert "DataUnits" not in text


@needs_tlc
@only_if_asked
@pytest.mark.parametrize("name", EXPORTED)
def test_tlc_finds_the_same_in_the_whole_catalogue(name: str, tmp_path: Path) -> None:
    assert_same(MODELS[name], tmp_path, verdicts=True)


# The referee: what users write ----------------------------------------------------------------


def note_ack(tcb: Any, seg: Segment) -> Mapping[str, int]:  # Any: a TCB with fields of our own
    """Mark what was acknowledged, and note two flags in one number."""
    return {"acked": with_mark(tcb.acked, seg.ack), "flags": tcb.fin_sent | tcb.released}


def one_is_acked(tcb: Any, seg: Segment) -> bool:
    """Number 1 has been acknowledged, by an end that is gone."""
    answer: bool = is_marked(tcb.acked, 1) & ((tcb.flags & tcb.released) == 1)
    return answer


def none_is_acked(tcb: Any, seg: Segment) -> bool:
    """Nothing has been acknowledged."""
    answer: bool = tcb.acked == 0
    return answer


def passes_on(cell: Otherwise) -> Otherwise:
    """The same cells, but CLOSED, where a segment that no row fits is passed on."""
    if CLOSED in cell.at:
        return cell
    return Otherwise(PASSES_ON, at=cell.at, on=cell.on, why="a test", cite="-")


ODD = replace(
    RFC9293.with_field("acked", 255)
    .with_field("flags", 1)
    .edit(rows(name="new_ack"), becomes(do=(take_ack, note_ack)), why="a test")
    .add(
        Rule("Next", at=TIME_WAIT, on=Event.USER_TIMEOUT, when=one_is_acked, to=CLOSED, cite="-"),
        Rule("x1!", at=TIME_WAIT, on=Event.ABORT, when=none_is_acked, do=send_ack, cite="-"),
        Rule("t", at=CLOSED, on=Event.ABORT, do=send_ack, cite="-"),
        why="names that TLA+ has for something else",
    ),
    kept=(*RFC9293.kept, "acked"),
    cells=tuple(passes_on(cell) if cell.does is DROPS else cell for cell in RFC9293.cells),
)

USERS_CLAIMS = (
    always("A has sent no FIN.", lambda s: s.a.fin_sent == 0, when=lambda s: s.b.fin_sent == 0),
    always("Nobody notes more.", lambda s: s.me.held in (0, 2) or s.b.held > 0, each_end=True),
    leads_to(
        "An end that closes is CLOSED in the end.",
        when=lambda s: s.me.state == FIN_WAIT_1,
        then=lambda s: s.me.state == CLOSED,
        each_end=True,
    ),
    leads_to(
        "B's CLOSE-WAIT leads to A's TIME-WAIT.",
        when=lambda s: s.b.state == CLOSE_WAIT,
        then=lambda s: s.a.state == TIME_WAIT,
    ),
    never_a_step(
        "A is not answered with a FIN.",
        lambda before, step, after: step.mine and step.sent is not None and step.sent.fin == 1,
        among=lambda before, step, after: step.arrives,
    ),
    never_a_step(
        "No end is CLOSED by what B does.",
        lambda before, step, after: not step.mine and after.b.state == CLOSED,
        when=lambda s: s.me.told == NOTHING,
        each_end=True,
    ),
)


@needs_tlc
def test_tlc_finds_the_same_in_an_odd_table_at_one_end(tmp_path: Path) -> None:
    model = Model(
        a=ODD,
        network=Network(capacity=1),
        timers=Timers(user_timeout=True),
        application=Application(data_units=NO_DATA, aborts=(True, False)),
        name="an odd table",
    )
    assert_same(model, tmp_path)


@needs_tlc
def test_tlc_agrees_on_claims_of_users(tmp_path: Path) -> None:
    model = replace(tiny("linux_5_10_old_ack_fin", 2), properties=USERS_CLAIMS, expect={})
    assert_same(model, tmp_path, verdicts=True)
    for prop in USERS_CLAIMS:
        assert f"\n{prop.name} ==" in in_tla(model).module
        if prop.kind is Kind.LEADS_TO:
            assert_same_on_fair_runs(model, prop, tmp_path / prop.name)


# The referee: fair runs -----------------------------------------------------------------------


def assert_same_on_fair_runs(model: Model, prop: Property, folder: Path) -> Answer:
    """TLC agrees on a claim about fair runs; the answer."""
    space = explore(model)
    answer = judge(space, prop).answer
    found = tlc.run(exported_model(model, space), folder, FAIR, only=[prop.name])
    assert (answer is Answer.VIOLATED) == bool(found.violated), found.text
    return answer


HOLDS, VIOLATED = Answer.HOLDS, Answer.VIOLATED
FAIR_RUNS = {
    "table_154": (MODELS["table_154"], HOLDS),
    "freertos_1303": (MODELS["freertos_1303"], VIOLATED),
    "a bag": (tiny("linux_5_10_old_ack_fin", 2), VIOLATED),
    "a bag that duplicates": (tiny("wild_network_ideal_time_wait"), HOLDS),
    "a set": (replace(tiny("fin_wait_2_timeout"), network=WIRES["set"]), HOLDS),
    "close_wait_leak": (tiny("close_wait_leak"), VIOLATED),
    "delayed_ack": (tiny("delayed_ack"), HOLDS),
    "user_timeout": (tiny("user_timeout"), VIOLATED),
    "rfc9293": (tiny("rfc9293"), HOLDS),
    "rfc9293_literal": (tiny("rfc9293_literal"), HOLDS),
    "silent_closed": (tiny("silent_closed"), VIOLATED),
    "no_retransmission": (tiny("no_retransmission"), VIOLATED),
    "ideal_time_wait": (tiny("ideal_time_wait"), HOLDS),
    "needless_retransmission": (MODELS["needless_retransmission"], HOLDS),
}
QUICK = ("table_154", "freertos_1303", "a bag", "a set", "close_wait_leak")


@needs_tlc
@pytest.mark.parametrize("name", FAIR_RUNS if EVERYTHING else QUICK)
def test_tlc_agrees_on_fair_runs(name: str, tmp_path: Path) -> None:
    model, expected = FAIR_RUNS[name]
    assert expected is assert_same_on_fair_runs(model, both_eventually_closed, tmp_path)


DRAINED = Model(
    network=Network(capacity=2, loss=False, duplication=True),
    timers=Timers(retransmission="none", time_wait="drained"),
    application=Application(data_units=NO_DATA),
    name="drained",
)
CLAUSES = {
    "W1": ("WF_vars(RETRANSMISSION_TIMEOUT(me))", "TRUE", tiny("rfc9293")),
    "W1, strong": ("SF_vars", "WF_vars", tiny("rfc9293_literal")),
    "W2": ("SF_vars(CLOSE(me))", "TRUE", MODELS["table_154"]),
    "W3": ("WF_vars(HeadLeaves(me))", "TRUE", MODELS["table_154"]),
    "S": ("[]<><<ReceivedBy(me, s)>>_vars", "TRUE", tiny("ideal_time_wait")),
    "duplication": ('<>[][last\'.event # "SEGMENT_IS_DUPLICATED"]_vars', "TRUE", DRAINED),
}


@needs_tlc
@pytest.mark.parametrize("clause", CLAUSES if EVERYTHING else ("W1, strong", "S", "duplication"))
def test_without_a_clause_of_fairness_tlc_finds_an_endless_run(clause: str, tmp_path: Path) -> None:
    said, instead, model = CLAUSES[clause]
    exported = in_tla(model)
    assert Answer.HOLDS is judge(explore(model), both_eventually_closed).answer
    assert said in exported.module
    weaker = replace(exported, module=exported.module.replace(said, instead))
    assert tlc.run(weaker, tmp_path, FAIR).violated
