"""A run as a packetdrill script: it is read by packetdrill's grammar, and says what the run says.

packetdrill itself is not at hand where these tests run, so its grammar (as far as the scripts use
it) stands here, and what is read is held against the run.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.frames import Numbers
from reports.packetdrill import packetdrill
from reports.replay import parse_ladder
from reports.scenarios import SCENARIOS, scenario_named
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Middlebox, Network, Timers
from tcpclose_model.protocol.vocabulary import Event, Segment
from tcpclose_model.run import Run
from tcpclose_model.variants.catalogue import model_named
from tests.command_line import refused, tcpclose
from tests.strategies import examples, models
from tests.test_ladders import random_run

TIME = r"(?P<time>\+\d+(?:\.\d+)?|0|\*)"
PACKET = re.compile(
    rf"^{TIME} (?P<way>[<>]) (?P<flags>[SFRP]*\.?) (?P<seq>\d+):(?P<until>\d+)\((?P<len>\d+)\)"
    r"(?: ack (?P<ack>\d+))?(?: win (?P<win>\d+))?(?: <(?:\.\.\.|mss \d+)>)?$"
)
CALL = re.compile(
    rf"^{TIME} (?P<call>[a-z]+)\((?P<arguments>[^()]*)\) = (?P<result>-?\w+)"
    r"(?: (?:[A-Z]+ )?\([A-Za-z_ ]+\))?$"
)
HANDSHAKE_EVENTS = (7, 8)
CALLS = {
    Event.CLOSE: ("close",),
    Event.SHUTDOWN: ("shutdown",),
    Event.SEND: ("write",),
    Event.ABORT: ("setsockopt", "close"),
}

every_script = pytest.mark.parametrize(
    ("name", "end"), [(name, end) for name in SCENARIOS for end in (0, 1)]
)


def parsed(script: str) -> list[re.Match[str]]:
    """Return the events of a script; AssertionError where a line is not of the grammar."""
    lines = [line for line in script.splitlines() if line and not line.startswith("//")]
    assert "--tolerance_usecs=500000" == lines[0]
    found = [PACKET.match(line) or CALL.match(line) for line in lines[1:]]
    wrong = [line for line, match in zip(lines[1:], found, strict=True) if match is None]
    assert not wrong
    return [match for match in found if match is not None]


def words(segment: Segment, way: str, mine: Numbers, theirs: Numbers) -> tuple[object, ...]:
    """Return what a script has to say of a segment."""
    has_no_ack = (segment.rst or segment.syn) and not segment.ack
    bits = (("S", segment.syn), ("F", segment.fin), ("R", segment.rst), ("P", segment.text))
    flags = "".join(flag for flag, is_set in bits if is_set) + ("" if has_no_ack else ".")
    start = (mine(segment.seq) - mine(-1)) % 2**32
    ack = None if has_no_ack else str((theirs(segment.ack) - theirs(-1)) % 2**32)
    return way, flags, str(start), str(segment.text * mine.unit_octets), ack


def expected(run: Run, end: int) -> list[tuple[object, ...]]:
    """Return what the script for an end has to say, told from the run alone."""
    mine, theirs = Numbers(run, end), Numbers(run, 1 - end)
    events = [step.action.event for step in run.steps if step.action.actor == end]
    timers = [any((state.a, state.b)[end].ack_due for state in run.states)]
    timers += [Event.USER_TIMEOUT in events]
    said: list[tuple[object, ...]] = [("setsockopt",)] * sum(timers)
    for before, step in zip(run.states, run.steps, strict=False):
        event, segment = step.action.event, step.action.segment
        if step.action.actor == end:
            said += [(call,) for call in CALLS.get(event, ())]
            if event is Event.SEGMENT_ARRIVES and segment is not None:
                said.append(words(segment, "<", theirs, mine))
            if step.sent is not None:
                said.append(words(step.sent, ">", mine, theirs))
        old, new = (before.b, step.target.b) if end else (before.a, step.target.a)
        said += [("read",)] if new.read > old.read and not old.released else []
    return said


def told(script: str, end: int) -> list[tuple[object, ...]]:
    """Return what a script says after its handshake, and before it asks what has come of it."""
    script = script.partition(f"// {'AB'[end]} is CLOSED:")[0]
    return [
        (event["way"], event["flags"], event["seq"], event["len"], event["ack"])
        if "way" in event.groupdict()
        else (event["call"],)
        for event in parsed(script)[HANDSHAKE_EVENTS[end] :]
    ]


@every_script
def test_a_script_says_what_its_scenario_says(name: str, end: int) -> None:
    run = scenario_named(name).run()
    assert expected(run, end) == told(packetdrill(run, end), end)


@given(model=models(), seed=st.integers(0, 10_000), end=st.integers(0, 1))
@examples(60)
def test_a_script_of_a_random_run_says_what_the_run_says(model: Model, seed: int, end: int) -> None:
    run = random_run(model, seed)
    if any(step.action.event is Event.KEEP_ALIVE_TIMEOUT for step in run.steps):
        return  # a probe's number is that of an octet, not of a unit
    try:
        script = packetdrill(run, end)
    except ModelError:
        return
    assert expected(run, end) == told(script, end)


@every_script
def test_a_range_of_numbers_is_as_long_as_the_text(name: str, end: int) -> None:
    for event in parsed(packetdrill(scenario_named(name).run(), end)):
        if "way" in event.groupdict():
            assert int(event["until"]) - int(event["seq"]) == int(event["len"])


def test_what_a_timer_of_the_stack_sends_may_come_at_any_time() -> None:
    script = packetdrill(scenario_named("lost_first_fin").run(), 0)
    assert "// 3: A RETRANSMISSION TIMEOUT\n* > F. 1:1(0) ack 1 <...>\n" in script


def test_two_msl_is_waited_for() -> None:
    script = packetdrill(scenario_named("reset_in_last_ack").run(), 0)
    assert "+65 < F. 1:1(0) ack 2 win 65535\n+0 > R 2:2(0) <...>\n" in script


def test_a_stack_that_ends_in_closed_without_a_word_is_asked_whether_it_is() -> None:
    asked = "// B is CLOSED: it answers what it does not know.\n+0.01 < . 2:2(0) ack 2 win 65535\n"
    script = packetdrill(scenario_named("normal_close").run(), 1)
    assert script.endswith(asked + "+0 > R 2:2(0) <...>\n")
    waited = "+65 < . 2:2(0) ack 2 win 65535\n+0 > R 2:2(0) <...>\n"
    assert packetdrill(scenario_named("normal_close").run(), 0).endswith(waited)


def test_a_stack_that_answers_with_a_reset_is_not_asked_again() -> None:
    for name in SCENARIOS:
        for end in (0, 1):
            lines = packetdrill(scenario_named(name).run(), end).splitlines()
            asks = [n for n, line in enumerate(lines) if "is CLOSED: it answers" in line]
            assert asks in ([], [len(lines) - 3])
            assert not asks or not lines[asks[0] - 1].startswith("+0 > R")


@pytest.mark.parametrize(("again", "limit"), [(0, 150), (1, 350), (2, 750)])
def test_a_user_timeout_comes_after_as_many_retransmissions_as_in_the_run(
    again: int, limit: int
) -> None:
    lines = [
        "ESTABLISHED ESTABLISHED",
        "A CLOSE",
        *["FIN_WAIT_1 -- FIN --x ESTABLISHED", "A RETRANSMISSION TIMEOUT"] * again,
        "FIN_WAIT_1 -- FIN --x ESTABLISHED",
        "A USER TIMEOUT",
        "CLOSED ESTABLISHED",
    ]
    model = Model(network=Network(loss=True), timers=Timers(user_timeout=True))
    script = packetdrill(parse_ladder("\n".join(lines), model, where="x"), 0)
    assert f"+0 setsockopt(3, SOL_TCP, TCP_USER_TIMEOUT, [{limit}], 4) = 0\n" in script
    assert "+2 < . 1:1(0) ack 2 win 65535\n+0 > R 2:2(0) <...>\n" in script


def test_acks_are_delayed_where_the_table_delays_them() -> None:
    line = "+0 setsockopt(3, SOL_TCP, TCP_QUICKACK, [0], 4) = 0\n"
    delayed = [packetdrill(random_run(model_named("delayed_ack"), seed), 0) for seed in range(60)]
    assert any(line in script for script in delayed)
    assert any("\n+0 < " in script for script in delayed)
    at_once = [packetdrill(random_run(model_named("rfc9293"), seed), 0) for seed in range(9)]
    assert not any(line in script for script in at_once)


def test_a_crash_is_refused_for_the_end_that_crashes() -> None:
    model = Model(application=Application(crashes=(True, False)))
    run = next(
        run
        for run in (random_run(model, seed) for seed in range(100))
        if any(step.action.event is Event.CRASH for step in run.steps)
    )
    with pytest.raises(ModelError, match=r"packetdrill: A crashes in step \d+.*--end b"):
        packetdrill(run, 0)
    assert expected(run, 1) == told(packetdrill(run, 1), 1)


def test_a_middlebox_beside_the_end_is_refused() -> None:
    run = random_run(Model(middlebox=Middlebox(at="a")), 1)
    with pytest.raises(ModelError, match="a middlebox stands beside A"):
        packetdrill(run, 0)


def test_the_command_line_writes_a_script_for_either_end(tmp_path: Path) -> None:
    run = scenario_named("half_close").run()
    for number, end in enumerate("ab"):
        out = tmp_path / f"{end}.pkt"
        assert 0 == tcpclose("run", "half_close", "--end", end, "-o", out).status
        assert packetdrill(run, number) == out.read_text("utf-8")
    said = tcpclose("run", "half_close", "--format", "packetdrill")
    assert (0, packetdrill(run, 0)) == (said.status, said.out)


def test_there_are_two_ends() -> None:
    refused(tcpclose("run", "half_close", "--end", "c", "--format", "packetdrill"), "'c'")
