"""Runs of the model, rendered as captures, conform: at either end, and with a packet missing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.captures import Capture, Frame
from reports.conforming import Asked, Judge
from reports.connections import Follower
from reports.packets import Packet, packet_of
from reports.pcapng import pcapng
from reports.scenarios import SCENARIOS, scenario_named
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.run import Run
from tcpclose_model.variants.catalogue import model_named

NAMES = ("rfc9293", "delayed_ack", "fin_with_text", "linux", "freebsd", "crash", "half_close")


def walk(name: str, seed: int, steps: int) -> Run:
    """Return a run of a model that takes any step at random."""
    model, choose = model_named(name), random.Random(seed)
    engine = PlainEngine(model)
    states, taken = [engine.initial], []
    for _ in range(steps):
        possible = engine.successors(states[-1])
        if not possible:
            break
        taken.append(choose.choice(possible))
        states.append(taken[-1].target)
    return Run(model, tuple(states), tuple(taken))


def verdicts(frames: list[Frame]) -> list[str]:
    """Return the verdict on each connection, and why, where it deviates."""
    judge = Judge(Asked(None, False, "text", False))
    follower = Follower(judge.begin)
    for frame in frames:
        packet = packet_of(frame.link, frame.data)
        assert isinstance(packet, Packet)
        follower.take(frame.number, packet)
    judged = [judge.judged(one) for one in follower.rest()]
    return [f"{one.verdict}: {one.ended} {one.reasons}" for one in judged]


def frames_of(run: Run, folder: Path) -> list[Frame]:
    """Return the run as a capture file shows it."""
    file = folder / "run.pcapng"
    file.write_bytes(pcapng(run))
    return list(Capture(file))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_conforms_at_both_ends(name: str, tmp_path: Path) -> None:
    found = verdicts(frames_of(scenario_named(name).run(), tmp_path))
    assert len(found) == 2
    assert not [one for one in found if one.startswith("deviates")]


@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 10**6),
    steps=st.integers(1, 30),
    missing=st.integers(0, 60),
)
def test_a_run_of_the_model_conforms(
    name: str, seed: int, steps: int, missing: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frames = frames_of(walk(name, seed, steps), tmp_path_factory.getbasetemp())
    for seen in (frames, frames[:missing] + frames[missing + 1 :]):
        assert not [one for one in verdicts(seen) if one.startswith("deviates")]
