"""`tcpclose prove`: what holds for all values, and what the proof does not cover."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from properties.catalogue import property_named
from properties.claims import CLAIMS, PROVES
from properties.kinds import Property, Role
from reports.ladder import ladder
from reports.loading import models
from reports.trace import trace_json
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model
from tcpclose_model.run import Run
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace

if TYPE_CHECKING:
    from properties.induction import Proof
    from properties.one_step import Failure

INSTALL = "pip install 'tcpclose-model[prove]'"
INSTALL_SECOND = "pip install 'tcpclose-model[second-solver]'"
ASSUMED = (
    "for any length of text, any number of retransmissions, channels of any capacity that lose, "
    "duplicate, delay and reorder, users who call at any time and timers that go off at any time"
)
NOT_COVERED = (
    "not covered: 32-bit wrap-around of sequence numbers, a receive window that closes or is "
    "shorter than what is in flight, liveness"
)
REPLAY_STATES = 300_000
"""States that are searched for a run that breaks a claim which could not be proved."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is said of one property: proved; refuted by a run; or neither, for want of a claim."""

    prop: Property
    proved: bool
    failure: Failure | None
    run: Run | None

    @property
    def answer(self) -> str:
        """The answer in a word."""
        if self.proved:
            return "proved"
        return "unknown" if self.run is None else "refuted"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asks for.

    only: names of properties, all that can be proved if empty; again: cvc5 is asked, too;
    as_modelled, find_claims: see `properties.induction`.
    """

    only: Sequence[str] = ()
    again: bool = False
    as_modelled: bool = False
    find_claims: bool = False


def run_prove(names: Sequence[str], asked: Asked, form: str | None, settings: Sequence[str]) -> int:
    """Prove, print, and return the exit status."""
    if find_spec("z3") is None:
        raise ModelError(f"proofs need z3, which is not installed: {INSTALL}")
    if asked.again and find_spec("cvc5") is None:
        raise ModelError(f"the second solver is cvc5, which is not installed: {INSTALL_SECOND}")
    chosen = [_provable(name) for name in asked.only or PROVES]
    statuses, documents = [], []
    for model in models(names, settings):
        began = time.monotonic()
        replay = _Replay(model)
        proof = _proof(model, asked, chosen, replay)
        seconds = time.monotonic() - began
        shown = [_shown(proof, prop, replay) for prop in chosen]
        statuses.append(_status(shown, asked=bool(asked.only)))
        if form == "json":
            documents.append(_json(proof, shown))
        else:
            for line in _lines(proof, shown, replay, seconds):
                click.echo(line)
    if form == "json":
        click.echo(json.dumps({"schema": "tcpclose/prove/1", "models": documents}, indent=1))
    return next((status for status in (1, 3) if status in statuses), 0)


def _proof(model: Model, asked: Asked, chosen: Sequence[Property], replay: _Replay) -> Proof:
    """Return the proof by the claims that are written down, or by others where they do not do."""
    from properties.induction import How, prove, prove_with_found_claims
    from properties.questions import ruled_out_by_cvc5

    second = ruled_out_by_cvc5 if asked.again else None
    proof = prove(model, how=How(second=second, as_modelled=asked.as_modelled))
    if asked.find_claims and not all(proof.proves(prop.name) for prop in chosen):
        return prove_with_found_claims(proof, replay.space)
    return proof


def _provable(name: str) -> Property:
    prop = property_named(name)
    if name not in PROVES:
        raise ModelError(
            f"property {name!r} is not proved by induction{nearest(name, PROVES)}: "
            "tcpclose check judges it at the model's bounds"
        )
    return prop


def _status(shown: Sequence[Shown], *, asked: bool) -> int:
    due = [one for one in shown if asked or one.prop.role is Role.REQUIREMENT]
    answers = {one.answer for one in due}
    return 1 if "refuted" in answers else 3 if "unknown" in answers else 0


class _Replay:
    """The explored graph of a model, to look for runs in; explored when it is first needed."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._space: StateSpace | None = None
        self._runs: dict[str, Run | None] = {}

    @property
    def space(self) -> StateSpace:
        """The graph, or as much of it as was looked at."""
        if self._space is None:
            self._space = explore(self._model, max_states=REPLAY_STATES)
        return self._space

    def run_against(self, claim: str) -> Run | None:
        """Return a shortest run to where a claim is false."""
        from properties.refute import run_against

        if claim not in self._runs:
            self._runs[claim] = run_against(self.space, CLAIMS[claim])
        return self._runs[claim]


def _shown(proof: Proof, prop: Property, replay: _Replay) -> Shown:
    claim = PROVES[prop.name]
    failure = proof.given_up.get(claim)
    if failure is None:
        return Shown(prop, proof.proves(prop.name), None, None)
    return Shown(prop, False, failure, replay.run_against(claim))


def _lines(proof: Proof, shown: Sequence[Shown], replay: _Replay, seconds: float) -> Iterator[str]:
    import z3

    model = proof.model
    tried = f"{proof.ways} ways through the rows, {proof.questions:,} questions to z3"
    head = f"{model.name}: proof by induction; {tried} {z3.get_version_string()}, {seconds:.1f} s"
    yield click.style(head, bold=True)
    yield click.style(_assumed(proof), dim=True)
    if proof.not_confirmed:
        yield click.style(f"{_second(proof)}: nothing counts as proved", fg="red")
    elif proof.confirmed:
        yield _second(proof)
    width = max(len(one.prop.name) for one in shown)
    colours = {"proved": "green", "refuted": "red", "unknown": "magenta"}
    for one in shown:
        word = one.answer if one.proved else one.answer.upper()
        answer = click.style(f"{word:<9}", fg=colours[one.answer])
        yield f"{answer}{one.prop.name:<{width}}  {CLAIMS[PROVES[one.prop.name]].says}"
    leaned = sorted((set(proof.given_up) & set(CLAIMS)) - set(PROVES.values()))
    if leaned:
        yield f"given up on the way: {', '.join(leaned)}"
    yield from _found_lines(proof)
    for one in shown:
        if one.failure is not None:
            yield from ["", *_failed(one, proof, replay)]
    yield click.style(NOT_COVERED, dim=True)


def _assumed(proof: Proof) -> str:
    """Return what the proof covers; with what is left out, where it is for these users only."""
    if not proof.how.as_modelled:
        return ASSUMED
    ends = {end: proof.how.left_out(proof.model, number) for number, end in enumerate("AB")}
    both = ends["A"] & ends["B"]
    left_out = [event.words for event in sorted(both)]
    left_out += [
        f"{event.words} at {end}" for end, events in ends.items() for event in sorted(events - both)
    ]
    return f"{ASSUMED}; but for what this model never does: {', '.join(left_out) or 'nothing'}"


def _found_lines(proof: Proof) -> Iterator[str]:
    """Yield the claims that were found in the explored graph, those of one state on one line."""
    kept = proof.found
    if proof.tried:
        tried = f"{proof.tried} more claims, true in every explored state, were tried"
        yield f"{tried}; {len(kept)} are kept by every way through the rows:"
    by_state: dict[str, list[str]] = {}
    for claim in kept:
        state, comma, rest = claim.says.partition(", ")
        is_of_state = bool(comma) and state.startswith("in ")
        by_state.setdefault(state if is_of_state else claim.says, []).append(
            rest if is_of_state else ""
        )
    for first, more in by_state.items():
        yield f"  {first}" + (f": {'; '.join(more)}" if any(more) else "")


def _second(proof: Proof) -> str:
    asked = proof.confirmed + proof.not_confirmed
    return f"cvc5 confirms {proof.confirmed:,} of the {asked:,} answers that the proof rests on"


def _failed(one: Shown, proof: Proof, replay: _Replay) -> Iterator[str]:
    failure = one.failure
    assert failure is not None
    yield click.style(f"{one.prop.name}: {_what(failure)}", bold=True)
    for name, clause in failure.rows:
        yield f"  row   {name} ({clause})"
    for record in ("me", "peer", "seg"):
        values = [
            f"{key.partition('.')[2]}={value}"
            for key, value in failure.values.items()
            if key.startswith(f"{record}.")
        ]
        if values:
            yield f"  {record:<5} {' '.join(values)}"
    if one.run is not None:
        yield f"it happens: a run of {len(one.run)} steps"
        yield ladder(one.run, notes="none").rstrip()
        return
    cause = next(
        (
            name
            for name in proof.given_up
            if name in CLAIMS and name not in PROVES.values() and replay.run_against(name)
        ),
        None,
    )
    space = replay.space
    seen = f"{len(space):,} states" if space.complete else f"the first {len(space):,} states"
    yield f"no run of the model as it is bounded does that ({seen} were looked at)"
    if cause is not None:
        run = replay.run_against(cause)
        assert run is not None
        yield f"but what the proof leans on is false: {CLAIMS[cause].says}"
        yield ladder(run, notes="none").rstrip()


def _what(failure: Failure) -> str:
    does = "may not keep it: z3 does not know" if failure.unknown else "does not keep it"
    return f"{failure.before} {failure.event} -> {failure.after} {does} ({failure.end})"


def _json(proof: Proof, shown: Sequence[Shown]) -> Mapping[str, Any]:  # Any: JSON values
    return {
        "model": proof.model.name,
        "ways": proof.ways,
        "confirmed": proof.confirmed,
        "not_confirmed": proof.not_confirmed,
        "kept": [claim.name for claim in proof.kept if claim.name in CLAIMS],
        "found": [claim.says for claim in proof.found],
        "properties": [
            {
                "name": one.prop.name,
                "answer": one.answer,
                "claim": PROVES[one.prop.name],
                "failure": None if one.failure is None else _failure_json(one.failure),
                "trace": None if one.run is None else trace_json(one.run),
            }
            for one in shown
        ],
        "assumed": _assumed(proof),
        "not_covered": NOT_COVERED,
    }


def _failure_json(failure: Failure) -> Mapping[str, Any]:  # Any: JSON values
    return {
        "end": failure.end,
        "before": failure.before,
        "event": failure.event,
        "rows": [{"rule": name, "clause": clause} for name, clause in failure.rows],
        "after": failure.after,
        "values": dict(failure.values),
        "solver_did_not_know": failure.unknown,
    }
