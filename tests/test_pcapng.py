"""A run as a capture file: what Wireshark's dissectors read there is the run, and no complaint."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.frames import BEGIN_US, ISS, TICK_US, UNIT_OCTETS, Frame, frames
from reports.pcapng import pcapng
from reports.replay import parse_ladder
from reports.scenarios import SCENARIOS, scenario_named
from tcpclose_model.engines.plain import PlainEngine, Transition
from tcpclose_model.model import Model
from tcpclose_model.parts import Network, Time
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.run import Run
from tcpclose_model.variants.catalogue import MODELS, model_named
from tests.command_line import refused, tcpclose
from tests.strategies import examples, models
from tests.test_ladders import random_run
from tests.tshark import matching, needs_tshark, packets

HANDSHAKE = 6
"""Packets of the handshake: three segments, each seen twice."""

BAD = (
    "_ws.malformed || tcp.checksum.status != 1 || ip.checksum.status != 1"
    " || _ws.expert.severity == error"
)
REPEATED = "tcp.analysis.retransmission"
UNEXPECTED = (
    "tcp.analysis.lost_segment || tcp.analysis.out_of_order || tcp.analysis.ack_lost_segment"
    " || tcp.analysis.keep_alive || tcp.analysis.zero_window || tcp.analysis.window_full"
    " || tcp.analysis.reused_ports || tcp.analysis.retransmission"
)

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def written(run: Run, folder: Path) -> Path:
    """Write the run into a folder and return the file."""
    file = folder / "run.pcapng"
    file.write_bytes(pcapng(run))
    return file


def at(run: Run, point: int) -> list[Frame]:
    """Return what a capture point sees after the handshake."""
    return [frame for frame in frames(run)[HANDSHAKE:] if frame.point == point]


# What is seen where -----------------------------------------------------------------------------


@given(model=models(), seed=st.integers(0, 10_000))
@examples(60)
def test_every_segment_is_seen_where_it_is_sent_and_where_it_arrives(
    model: Model, seed: int
) -> None:
    run = random_run(model, seed)
    seen = frames(run)[HANDSHAKE:]
    sent = [(n, step.action.actor) for n, step in enumerate(run.steps, 1) if step.sent]
    taken = [
        (n, step.action.actor)
        for n, step in enumerate(run.steps, 1)
        if step.action.event is Event.SEGMENT_ARRIVES
    ]
    assert sent == [(f.step, f.point) for f in seen if f.point == f.sender]
    assert taken == [(f.step, f.point) for f in seen if f.point != f.sender]
    assert sorted(f.time_us for f in seen) == [f.time_us for f in seen]


@given(model=models(), seed=st.integers(0, 10_000))
@examples(60)
def test_what_is_neither_lost_nor_in_flight_at_the_end_is_seen_twice(
    model: Model, seed: int
) -> None:
    run = random_run(model, seed)
    seen = frames(run)
    arrived = {frame.ident for frame in seen if frame.point != frame.sender}
    missing = [f for f in seen if f.point == f.sender and not f.lost and f.ident not in arrived]
    assert len(missing) <= len(run.last.a_to_b) + len(run.last.b_to_a)


def test_a_lost_segment_is_seen_at_its_senders_only_and_says_so() -> None:
    run = scenario_named("lost_first_fin").run()
    (first, again), (arrived,) = (
        [f for f in at(run, end) if f.fin and not f.sender] for end in (0, 1)
    )
    assert ("lost in step 2", "") == (first.lost, again.lost)
    assert again.ident == arrived.ident
    assert first.comment.endswith("; lost in step 2")


def test_a_copy_made_in_flight_is_seen_twice_at_its_receivers() -> None:
    model = Model(network=Network(order="any", duplication=True))
    ladder = (
        "A CLOSE\nFIN_WAIT_1 -- FIN --+ ESTABLISHED\n" + 2 * "FIN_WAIT_1 -- FIN --> CLOSE_WAIT\n"
    )
    run = parse_ladder(ladder, model)
    seen = [[f.ident for f in at(run, end) if f.fin] for end in (0, 1)]
    assert [seen[0], 2 * seen[0]] == seen


def test_a_comment_has_the_step_both_states_the_rules_and_their_clauses() -> None:
    arrival = at(scenario_named("normal_close").run(), 1)[0]
    assert (
        "step 2: FIN arrives at B; A FIN_WAIT_1, B ESTABLISHED -> CLOSE_WAIT; "
        "fin_in_established (3.10.7.4 eighth)"
    ) == arrival.comment


def test_in_a_timed_model_a_tick_is_a_second() -> None:
    time = Time(segment_lifetime=2, retransmission=(3,), time_wait=4)
    run = _until(PlainEngine(Model(time=time)), lambda run: len(_ticks(run)) == 3)
    seen = frames(run)[HANDSHAKE:]
    assert seen
    for frame in seen:
        ticks = sum(number <= frame.step for number in _ticks(run))
        assert ticks == (frame.time_us - BEGIN_US) // TICK_US


def _ticks(run: Run) -> list[int]:
    return [n for n, step in enumerate(run.steps, 1) if step.action.event is Event.TICK]


# What Wireshark makes of it ---------------------------------------------------------------------


FIELDS = ("frame.interface_id", "tcp.stream", "tcp.seq_raw", "tcp.ack_raw", "tcp.len")
FLAGS = ("tcp.flags.fin", "tcp.flags.reset", "tcp.flags.ack", "tcp.flags.syn")
CHECKED = ("_ws.malformed", "tcp.checksum.status", "ip.checksum.status")
ALL_FIELDS = (*FIELDS, *FLAGS, *CHECKED, "frame.comment", REPEATED)


@cache
def dissected(name: str) -> list[dict[str, str]]:
    """Return what tshark reads in the file of a scenario."""
    with tempfile.TemporaryDirectory() as folder:
        return packets(written(scenario_named(name).run(), Path(folder)), *ALL_FIELDS)


@needs_tshark
@every_scenario
def test_wireshark_reads_the_packets_of_a_scenario_and_finds_no_fault(name: str) -> None:
    for frame, packet in zip(frames(scenario_named(name).run()), dissected(name), strict=True):
        numbers = [frame.point, frame.point, frame.seq, frame.ack or 0, len(frame.text)]
        bits = [frame.fin, frame.rst, frame.ack is not None, frame.syn]
        assert [*map(str, numbers)] == [packet[field] for field in FIELDS]
        assert [str(int(bit)) for bit in bits] == [packet[field] for field in FLAGS]
        assert ["", "1", "1"] == [packet[field] for field in CHECKED]
        assert frame.comment == packet["frame.comment"]


@needs_tshark
@every_scenario
def test_wireshark_sees_a_retransmission_where_the_run_has_one(name: str) -> None:
    seen: set[tuple[int, int, int]] = set()
    for frame, packet in zip(frames(scenario_named(name).run()), dissected(name), strict=True):
        if frame.text or frame.fin:
            key = (frame.point, frame.sender, frame.seq)
            assert (key in seen) == bool(packet[REPEATED]), frame
            seen.add(key)


@needs_tshark
@pytest.mark.parametrize("name", ["normal_close", "simultaneous_close", "half_close", "abort"])
def test_wireshark_has_nothing_to_remark_on_a_run_without_faults(name: str, tmp_path: Path) -> None:
    assert [] == matching(written(scenario_named(name).run(), tmp_path), UNEXPECTED)


@needs_tshark
def test_the_fin_is_numbered_behind_the_text(tmp_path: Path) -> None:
    file = written(scenario_named("fin_behind_text").run(), tmp_path)
    fins = packets(file, "tcp.flags.fin", "tcp.seq_raw", "tcp.srcport")
    numbers = {p["tcp.srcport"]: int(p["tcp.seq_raw"]) for p in fins if p["tcp.flags.fin"] == "1"}
    assert {"50001": ISS[0] + 1 + UNIT_OCTETS, "50002": ISS[1] + 1} == numbers


@needs_tshark
def test_a_closed_window_is_zero_and_wireshark_says_so(tmp_path: Path) -> None:
    engine = PlainEngine(model_named("zero_window"))
    run = _until(engine, lambda run: any(step.sent and step.sent.wnd0 for step in run.steps))
    file = written(run, tmp_path)
    zero = [n for n, frame in enumerate(frames(run), 1) if frame.wnd0]
    assert zero
    assert zero == matching(file, "tcp.window_size_value != 65535")
    assert zero == matching(file, "tcp.analysis.zero_window")


@needs_tshark
def test_random_runs_of_random_models_are_dissected_without_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "all.pcapng"
    runs: list[Run] = []

    @given(model=models(), seed=st.integers(0, 10_000))
    @examples(60)
    def collect(model: Model, seed: int) -> None:
        runs.append(random_run(model, seed))

    collect()
    file.write_bytes(b"".join(map(pcapng, runs)))  # a file may have several sections
    assert sum(len(frames(run)) for run in runs) == len(packets(file, "frame.number"))
    assert [] == matching(file, BAD)


@needs_tshark
def test_a_second_incarnation_is_opened_by_syns_with_its_own_numbers(tmp_path: Path) -> None:
    model = next(m for m in map(model_named, MODELS) if "active" in m.incarnations.opens)
    engine = PlainEngine(model)
    run = _until(engine, lambda run: any(step.sent and step.sent.syn for step in run.steps))
    syns = [frame for frame in frames(run)[HANDSHAKE:] if frame.syn]
    read = packets(written(run, tmp_path), "tcp.flags.syn", "tcp.seq_raw")
    numbers = [p["tcp.seq_raw"] for p in read[HANDSHAKE:] if p["tcp.flags.syn"] == "1"]
    assert [str(frame.seq) for frame in syns] == numbers


def _until(engine: PlainEngine, wanted: Callable[[Run], bool]) -> Run:
    """Return a random run that has what is wanted."""
    for seed in range(1_000):
        random = Random(seed)
        states = [engine.initial]
        steps: list[Transition] = []
        while len(steps) < 40 and (possible := engine.successors(states[-1])):
            steps.append(random.choice(possible))
            states.append(steps[-1].target)
            run = Run(engine.model, tuple(states), tuple(steps))
            if wanted(run):
                return run
    raise AssertionError(f"no such run of {engine.model.name}")


# The command line -------------------------------------------------------------------------------


def test_the_command_line_writes_a_capture_file(tmp_path: Path) -> None:
    out = tmp_path / "run.pcapng"
    said = tcpclose("run", "lost_last_ack", "-o", out)
    assert (0, "", f"wrote {out}\n") == (said.status, said.out, said.err)
    assert pcapng(scenario_named("lost_last_ack").run()) == out.read_bytes()


def test_a_capture_file_is_not_printed() -> None:
    refused(tcpclose("run", "normal_close", "--format", "pcapng"), "pcapng")


def test_a_check_writes_a_capture_file_of_each_counterexample(tmp_path: Path) -> None:
    said = tcpclose("check", "user_timeout", "--property", "no_half_open_end", "-o", tmp_path)
    assert 0 == said.status
    (file,) = tmp_path.glob("*.pcapng")
    assert b"CLOSING -> FIN_WAIT_2" not in file.read_bytes()
    assert b"B FIN_WAIT_1 -> FIN_WAIT_2" in file.read_bytes()
