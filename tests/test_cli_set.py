"""`--set`: parameters and switches by name, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpclose_model.variants.switches import SWITCHES
from tests.command_line import once, refused, tcpclose

QUICK = ("--property", "no_deadlock", "--max-states", "50", "--format", "json")


def parameters(*settings: str, model: str = "table_154") -> dict[str, Any]:  # Any: plain JSON
    """Return the parameters that a check under the settings says it has."""
    options = [word for setting in settings for word in ("--set", setting)]
    said = once("check", model, *options, *QUICK)
    assert said.status in (0, 1, 3), said.err
    (run,) = json.loads(said.out)["runs"]
    found: dict[str, Any] = run["parameters"]
    return found


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("network.capacity=3", 3),
        ("network.capacity= 3 ", 3),
        ("network.order=any", "any"),
        ("network.loss=on", True),
        ("network.loss=true", True),
        ("network.loss=yes", True),
        ("network.loss=1", True),
        ("network.loss=off", False),
        ("network.loss=False", False),
        ("network.loss=no", False),
        ("network.loss=0", False),
        ("network.duplication=on", True),
        ("network.full=waits", "waits"),
        ("timers.retransmission=timely", "timely"),
        ("timers.time_wait=ideal", "ideal"),
        ("timers.user_timeout=on", True),
        ("timers.fin_wait_2=orphaned", "orphaned"),
        ("application.closes=b_never", "b_never"),
        ("application.closes=any,after_eof", ["any", "after_eof"]),
        ("application.data_units=1,0", [1, 0]),
        ("application.data_units=(0, 1)", [0, 1]),
        ("application.data_units=1", [1, 1]),
        ("application.reading=lazy", "lazy"),
        ("application.half_close=on", True),
        ("application.aborts=on,off", [True, False]),
        ("application.aborts=on", [True, True]),
        ("application.crashes=off,on", [False, True]),
        ("application.fair=close", ["CLOSE"]),
        ("application.fair=CLOSE, RECEIVE", ["CLOSE", "RECEIVE"]),
        ("application.fair=", []),
        ("bounds.retransmissions_max=1", 1),
        ("bounds.retransmissions_max=none", None),
        ("incarnations.opens=never", ["never", "never"]),
        ("incarnations.data_units=2,0", [2, 0]),
        ("incarnations.iss=0,4", [0, 4]),
        ("incarnations.gives_up=off,on", [False, True]),
        ("incarnations.tsval=same,earlier", ["same", "earlier"]),
        ("middlebox.at=b", "b"),
        ("middlebox.forgets=when_idle", "when_idle"),
        ("middlebox.timeout=free", "free"),
        ("middlebox.tells=both", "both"),
        ("middlebox.unknown=resets", "resets"),
    ],
)
def test_a_parameter_is_set(setting: str, value: object) -> None:
    assert value == parameters(setting)[setting.partition("=")[0]]


@pytest.mark.parametrize(
    ("setting", "value", "companions"),
    [
        ("time.segment_lifetime=2", 2, ()),
        ("time.segment_lifetime=none", None, ()),
        ("time.retransmission=3", [3], ("timers.retransmission=spurious",)),
        ("time.retransmission=1, 2,4", [1, 2, 4], ("timers.retransmission=spurious",)),
        ("time.slack=1", 1, ()),
        ("time.time_wait=0", 0, ()),
        ("time.fin_wait_2=3", 3, ("protocol.fin_wait_2_timeout=on",)),
        ("time.user_timeout=9", 9, ()),
        ("time.delayed_ack=1", 1, ()),
        ("time.keep_alive=5", 5, ("protocol.keep_alive=on",)),
        ("time.persist=2,4", [2, 4], ("protocol.flow_control=on",)),
        ("network.losses_max=2", 2, ("network.loss=on",)),
        ("network.losses_max=none", None, ()),
    ],
)
def test_a_parameter_that_needs_others_is_set(
    setting: str, value: object, companions: tuple[str, ...]
) -> None:
    found = parameters(*companions, "time.segment_lifetime=4", setting)
    assert value == found[setting.partition("=")[0]]


def test_every_parameter_is_set_by_some_test() -> None:
    tests: list[Any] = [test_a_parameter_is_set, test_a_parameter_that_needs_others_is_set]
    marks = [mark for test in tests for mark in test.pytestmark]  # Any: pytest's own
    tested = {case[0].partition("=")[0] for mark in marks for case in mark.args[1]}
    known = {name for name in parameters() if "." in name and not name.endswith(".edits")}
    assert known == tested


def test_several_settings_are_all_made_and_the_last_of_a_name_counts() -> None:
    found = parameters("network.capacity=3", "network.loss=on", "network.capacity=1")
    assert (1, True) == (found["network.capacity"], found["network.loss"])


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_turned_on_for_both_ends(name: str) -> None:
    found = parameters(f"protocol.{name}=on")
    says = SWITCHES[name].says
    assert ([says], [says]) == (found["a.edits"], found["b.edits"])


def test_a_switch_is_turned_on_for_one_end() -> None:
    found = parameters("b.delayed_ack=on")
    assert ([], [SWITCHES["delayed_ack"].says]) == (found["a.edits"], found["b.edits"])


def test_a_switch_is_turned_off_for_both_ends() -> None:
    found = parameters("protocol.no_time_wait=off", model="no_time_wait_lossless")
    assert ([], []) == (found["a.edits"], found["b.edits"])


def test_a_switch_is_turned_off_for_one_end() -> None:
    found = parameters("a.no_time_wait=off", model="no_time_wait_lossless")
    assert ([], [SWITCHES["no_time_wait"].says]) == (found["a.edits"], found["b.edits"])


def test_a_switch_that_is_as_wanted_stays_as_it_is() -> None:
    assert parameters() == parameters("protocol.no_time_wait=off")


def test_under_a_setting_the_models_expectations_are_dropped() -> None:
    said = once("check", "freertos_1303", "--set", "network.capacity=2", "--format", "json")
    (run,) = json.loads(said.out)["runs"]
    assert [None] * 13 == [verdict["expected"] for verdict in run["properties"]]


def test_under_a_setting_requirements_alone_decide() -> None:
    # Of `reordering` three observations are violated, and every requirement holds.
    assert 0 == tcpclose("check", "reordering", "--set", "network.capacity=2").status
    assert 1 == tcpclose("check", "freertos_1303", "--set", "network.capacity=2").status


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("network.capacty=3", ("no parameter 'network.capacty'", "did you mean network.capacity")),
        ("capacity=3", ("no parameter 'capacity'", "network.capacity")),
        ("protocol.delayed_ak=on", ("no parameter", "did you mean protocol.delayed_ack")),
        ("c.delayed_ack=on", ("no parameter", "a.delayed_ack")),
        ("x=1", ("no parameter 'x'", "tcpclose list parameters")),
        ("=3", ("no parameter ''",)),
        ("network.capacity", ("expected NAME=VALUE", "network.capacity=3")),
        ("network.capacity=", ("network.capacity", "not a whole number")),
        ("network.capacity=two", ("network.capacity", "'two' is not a whole number")),
        ("network.capacity=2.5", ("'2.5' is not a whole number",)),
        ("network.capacity=²", ("'²' is not a whole number",)),
        ("network.capacity=0", ("0 is not a whole number of at least 1",)),
        ("network.capacity=" + "9" * 5000, ("network.capacity", "not a whole number")),
        ("network.loss=maybe", ("network.loss: 'maybe' is not true or false",)),
        ("network.order=fif", ("network.order", "did you mean fifo")),
        ("timers.retransmission=timly", ("did you mean timely",)),
        ("timers.time_wait=ideel", ("did you mean ideal",)),
        ("application.closes=any,afterfin", ("did you mean after_fin",)),
        ("application.closes=any,any,any", ("application.closes", "is not a pair")),
        ("application.data_units=1,2,3", ("application.data_units", "is not a pair")),
        ("application.data_units=-1", ("-1 is not a whole number of at least 0",)),
        ("application.aborts=on,maybe", ("application.aborts: 'maybe' is not true or false",)),
        ("application.fair=CLOSE,FOO", ("application.fair: 'FOO'", "SHUTDOWN")),
        ("bounds.retransmissions_max=-1", ("-1 is not a whole number of at least 0",)),
        ("protocol.delayed_ack=maybe", ("protocol.delayed_ack: 'maybe' is not true or false",)),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_setting_that_is_unusable_is_refused_in_words_and_writes_nothing(
    setting: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    refused(tcpclose("check", "table_154", "--set", setting, "-o", tmp_path / "x.json"), *words)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["run", "draw"])
def test_the_other_commands_refuse_a_wrong_setting_too(command: str, tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    reach = ("--reach", "A=CLOSED") if command == "run" else ()
    said = tcpclose(command, "table_154", *reach, "--set", "network.capacty=3", "-o", out)
    refused(said, "did you mean network.capacity")
    assert not out.exists()
