"""`tcpclose walk`: through a model step by step, at a prompt.

The enabled steps are listed with numbers; a number takes one.  What is typed may come from a pipe
as well, and the end of it is the end of the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from properties.check import check
from properties.verdict import Answer, Verdict
from reports.files import write
from reports.labels import action_text, labels
from reports.ladder import changes, ladder
from reports.run_files import content, format_of
from tcpclose_model.engines.plain import ENDS, PlainEngine, Transition
from tcpclose_model.errors import ModelError, TcpcloseError, nearest
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import Segment
from tcpclose_model.run import Run

HELP = """\
NUMBER      take that step
u           undo the last step
r           begin again
b           the run so far, as a ladder
v           which properties are violated (explores the model)
j [NAME]    jump to the next violation, or to that of the property NAME
s FILE      save the run; the ending chooses the format, as for tcpclose run -o
h           these commands
q           leave"""


class Walk:
    """A run that grows at its end as somebody chooses, and what is known of the model."""

    def __init__(
        self,
        model: Model,
        limits: Mapping[str, Any],  # Any: numbers of different kinds
    ) -> None:
        self._engine = PlainEngine(model)
        self._limits = limits
        self._states = [self._engine.initial]
        self._steps: list[Transition] = []
        self._violated: list[Verdict] | None = None
        self._next = 0
        self._commands: Mapping[str, Callable[[str], str]] = {
            "u": self._undo,
            "r": self._restart,
            "b": lambda _: ladder(self.run(), notes="none").rstrip(),
            "v": lambda _: "\n".join(self._listed()),
            "j": self._jump,
            "s": self._save,
            "h": lambda _: HELP,
        }

    def run(self) -> Run:
        """Return the run so far."""
        return Run(self._engine.model, tuple(self._states), tuple(self._steps))

    def view(self) -> str:
        """Return where the run is: both ends, what is in flight, the enabled steps by number."""
        state, initial = self._states[-1], self._engine.initial
        lines = [f"step {len(self._steps)}"]
        for name, tcb, first in zip(ENDS, state[:2], initial[:2], strict=True):
            fields = changes(first, tcb).removeprefix(tcb.state.name).strip()
            lines.append(f"  {name} {tcb.state.name}  {fields}".rstrip())
        for way, channel, receiver in (
            ("A -> B", state.a_to_b, state.b),
            ("B -> A", state.b_to_a, state.a),
        ):
            said = ", ".join(labels(seg, receiver)[2] for seg in channel) or "nothing"
            lines.append(f"  {way}: {said}")
        possible = self._engine.successors(state)
        lines += [f"{number:4} {self._told(step)}" for number, step in enumerate(possible, 1)]
        if not possible:
            lines.append("     nothing can happen any more")
        return "\n".join(lines)

    def answer(self, said: str) -> str:
        """Return what there is to say to a line that was typed."""
        word, _, rest = said.strip().partition(" ")
        try:
            if not word:
                return self.view()
            if word.isdecimal():
                return self._take(word)
            if word in self._commands:
                return self._commands[word](rest.strip())
        except TcpcloseError as error:
            return str(error)
        return f"{word!r} is neither the number of a step nor one of these:\n{HELP}"

    def _told(self, step: Transition) -> str:
        """Return a step in words: the action, the states where they change, the rules."""
        state, action = self._states[-1], step.action
        words = action_text(action, state)
        if action.segment is not None:
            receiver = state.b if action.actor else state.a
            words += f" [{_numbers(action.segment, labels(action.segment, receiver))}]"
        ends = ", ".join(
            f"{name} {new.state.name}"
            for name, old, new in zip(ENDS, state[:2], step.target[:2], strict=True)
            if old.state != new.state
        )
        words += f" -> {ends}" if ends else ""
        rules = "; ".join(f"{rule.name} ({rule.cite})" for rule in step.rules)
        return f"{words}  # {rules}" if rules else words

    def _take(self, word: str) -> str:
        possible = self._engine.successors(self._states[-1])
        if len(word) > len(str(len(possible))) or not 1 <= int(word) <= len(possible):
            known = f"1 to {len(possible)}" if possible else "nothing can happen any more"
            return f"no step {word[:20]} here: {known}"
        self._steps.append(possible[int(word) - 1])
        self._states.append(self._steps[-1].target)
        return self.view()

    def _undo(self, _: str) -> str:
        if not self._steps:
            return "this is the initial state"
        self._steps.pop()
        self._states.pop()
        return self.view()

    def _restart(self, _: str) -> str:
        del self._steps[:], self._states[1:]
        return self.view()

    def _violations(self) -> list[Verdict]:
        """Return the verdicts that come with a run; the model is explored once."""
        if self._violated is None:
            result = check(self._engine.model, **self._limits)
            self._violated = [
                verdict
                for verdict in result.verdicts
                if verdict.answer is Answer.VIOLATED and verdict.run is not None
            ]
        return self._violated

    def _listed(self) -> Iterator[str]:
        for verdict in self._violations():
            assert verdict.run is not None
            yield f"{verdict.property.name}: a run of {len(verdict.run)} steps: {verdict.detail}"
        if not self._violated:
            yield "no property is violated, as far as the model was explored"

    def _jump(self, name: str) -> str:
        violated = self._violations()
        if not violated:
            return "\n".join(self._listed())
        names = [verdict.property.name for verdict in violated]
        if name and name not in names:
            raise ModelError(f"no violated property {name!r}{nearest(name, names)}")
        chosen = violated[names.index(name) if name else self._next % len(violated)]
        self._next = violated.index(chosen) + 1
        assert chosen.run is not None
        self._states, self._steps = list(chosen.run.states), list(chosen.run.steps)
        loop = chosen.run.loop
        repeats = "" if loop is None else f" (what follows step {loop} repeats for ever)"
        return f"{chosen.property.name}: {chosen.detail}{repeats}\n{self.view()}"

    def _save(self, name: str) -> str:
        if not name:
            return "say where: s FILE, such as: s run.txt"
        path = Path(name)
        write(path, content(self.run(), format_of(path)))
        return f"wrote {path}"


def _numbers(seg: Segment, known: tuple[str, str, str]) -> str:
    """Return the numbers of a segment, which its full label has and its usual one has not."""
    return known[2].removeprefix(known[1]).strip() or f"seq={seg.seq}"


def walk_command(model: Model, limits: Mapping[str, Any]) -> int:  # Any: as above
    """Walk until the end of the input, or until somebody leaves; return the exit status."""
    walk = Walk(model, limits)
    click.echo(f"{model.name}: h for help, q to leave")
    click.echo(walk.view())
    for said in _lines():
        if said.strip() in ("q", "quit", "exit"):
            break
        click.echo(walk.answer(said))
    return 0


def _lines() -> Iterator[str]:
    """Return what is typed, line by line, each behind a prompt."""
    while True:
        try:
            yield input("> ")
        except EOFError:
            click.echo()
            return
