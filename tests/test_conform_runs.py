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
RIGHT = (
    *NAMES,
    "rfc9293_literal",
    "needless_retransmission",
    "reordering_with_data",
    "ideal_time_wait",
    "challenge_ack",
    "rfc1337",
    "user_timeout_resets",
    "orphan_fin_wait_2",
    "close_wait_leak",
    "reset_on_unread",
    "half_duplex_close_both_ways",
    "keep_alive",
    "windows",
    "zero_window",
)
"""Models whose ends do what the default tables, or those of a real stack, permit."""
ODD = (("close_wait_leak", 71), ("reset_on_unread", 24), ("reset_on_unread", 61))
"""Text sent again whose first sight was before the close, and two FINs that may be one."""


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


@pytest.mark.parametrize("name", RIGHT)
def test_random_walks_conform(name: str, tmp_path: Path) -> None:
    for seed in range(12):
        found = verdicts(frames_of(walk(name, seed, 25), tmp_path))
        assert len(found) <= 2
        assert not [one for one in found if one.startswith("deviates")], seed


@pytest.mark.parametrize(("name", "seed"), ODD)
def test_an_odd_walk_conforms(name: str, seed: int, tmp_path: Path) -> None:
    found = verdicts(frames_of(walk(name, seed, 25), tmp_path))
    assert not [one for one in found if one.startswith("deviates")]


@pytest.mark.parametrize(
    ("name", "seed", "missing"),
    [
        ("rfc9293", 0, 5),  # A's only ACK before the close
        ("rfc9293", 1, 8),
        ("reordering_with_data", 11, 4),
        ("challenge_ack", 4, 12),  # what a reset answers
        ("challenge_ack", 8, 21),
        ("reordering_with_data", 20, 13),  # and it was sent long before
        ("delayed_ack", 38, 7),  # a FIN with an older ACK
        ("reordering_with_data", 38, 5),
        ("crash", 2, 6),  # a FIN before a reset
    ],
)
def test_a_packet_that_matters_may_be_missing(
    name: str, seed: int, missing: int, tmp_path: Path
) -> None:
    frames = frames_of(walk(name, seed, 25), tmp_path)
    found = verdicts(frames[:missing] + frames[missing + 1 :])
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
