"""A run in the Informal Trace Format of Apalache and Quint, and back.

The variables are both TCBs (records), both channels (lists of records), the losses that were
counted, and what led to the state: the action, its actor, the rules and their clauses.  `loop` is
the number of the state that comes again at the end, which may be the last one itself.

The format: Apalache, ADR-015.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from reports.labels import action_text
from reports.replay import Replay, read_json
from reports.trace import tcb_json
from tcpclose_model.engines.plain import ACTORS, Channel, ProductState, Transition
from tcpclose_model.errors import TraceError
from tcpclose_model.model import Model
from tcpclose_model.run import Run

ENDING = ".itf.json"
VARIABLES = ("a", "b", "a_to_b", "b_to_a", "losses", "action", "actor", "rules", "clauses")


def itf(run: Run) -> str:
    """Return the run as the text of an ITF file."""
    befores = [None, *zip(run.states, run.steps, strict=False)]
    told: dict[str, object] = {
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "source": run.model.name,
        },
        "vars": VARIABLES,
        "states": [
            {"#meta": {"index": number}, **_variables(state), **_taken(before)}
            for number, (state, before) in enumerate(zip(run.states, befores, strict=True))
        ],
    }
    if run.loop is not None:
        told["loop"] = run.loop
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _variables(state: ProductState) -> Mapping[str, object]:
    return {
        "a": tcb_json(state.a),
        "b": tcb_json(state.b),
        "a_to_b": _records(state.a_to_b),
        "b_to_a": _records(state.b_to_a),
        "losses": state.losses,
    }


def _records(channel: Channel) -> list[dict[str, int]]:
    return [seg._asdict() for seg in channel]


def _taken(before: tuple[ProductState, Transition] | None) -> Mapping[str, object]:
    """Return the variables that say what led to a state."""
    if before is None:
        return {"action": "start", "actor": "", "rules": [], "clauses": []}
    state, step = before
    return {
        "action": action_text(step.action, state),
        "actor": ACTORS[step.action.actor],
        "rules": [rule.name for rule in step.rules],
        "clauses": [rule.cite for rule in step.rules],
    }


def parse_itf(text: str, model: Model, *, where: str = "trace") -> Run:
    """Return the run of an ITF file; raises TraceError for anything that is not one of the model's.

    Nothing in the file is trusted: every state must be reached by a step of the model.
    """
    read = read_json(text, where)
    states = read.get("states") if isinstance(read, dict) else None
    if not isinstance(states, list) or not states or not all(isinstance(s, dict) for s in states):
        raise TraceError(f"{where}: field 'states': expected a list of objects")
    replay = Replay(model, where)
    for number, said in enumerate(states):
        _take(replay, f"{where}: states[{number}]", said, is_first=number == 0)
    loop = read.get("loop")
    if loop is not None and (isinstance(loop, bool) or not isinstance(loop, int)):
        raise TraceError(f"{where}: field 'loop': expected the number of a state")
    if loop is not None and not 0 <= loop < len(states):
        raise TraceError(f"{where}: field 'loop': no state {loop}")
    replay.loop = loop
    return replay.run()


def _take(replay: Replay, at: str, said: Mapping[str, object], *, is_first: bool) -> None:
    """Take the step that leads to the state that is said, or check the first state."""
    state = replay.state
    if is_first:
        for name, value in _variables(state).items():
            if said.get(name) != value:
                differs = f"{at}.{name}: is {said.get(name)!r}, but the model has {value!r}"
                raise TraceError(differs, impossible=True)
        return

    def fits(step: Transition) -> bool:
        known = {**_variables(step.target), **_taken((state, step))}
        return all(said.get(name) == value for name, value in known.items())

    replay.take(at, str(said.get("action")), fits)
