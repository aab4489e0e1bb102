"""A run: a path through a model, re-executed by the plain engine before anyone sees it."""

from __future__ import annotations

from dataclasses import dataclass

from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.errors import DefectError
from tcpclose_model.model import Model
from tcpclose_model.space import Move, Path, StateSpace


@dataclass(frozen=True, slots=True)
class Run:
    """States and the steps between them, and where the run repeats for ever, if it does.

    states: one more than steps; states[0] is the model's initial state.
    loop: the number of the state to which the last step comes back, so that the steps from there
        on repeat for ever; the last state's own number means that nothing happens any more.
    """

    model: Model
    states: tuple[ProductState, ...]
    steps: tuple[Transition, ...]
    loop: int | None = None

    @property
    def last(self) -> ProductState:
        """The state at the end."""
        return self.states[-1]

    def __len__(self) -> int:
        return len(self.steps)

    def _repr_html_(self) -> str:
        from tcpclose_model.display import ladder_html

        return ladder_html(self)


def executed(
    space: StateSpace, path: Path, loop: Path | None = None, engine: PlainEngine | None = None
) -> Run:
    """Return the run along `path`, then round `loop` where one is given.

    engine: the model's plain engine, where many runs are to share what it remembers.
    Every step is taken again by the plain engine; raises DefectError if one is not there, or if the
    loop does not come back to where it began.
    """
    engine = engine or PlainEngine(space.model)
    states, steps = [engine.initial], []
    for source, number in [*path, *(loop or [])]:
        if space.state(source) != states[-1]:
            raise DefectError(f"step {number} does not start where the run is")
        steps.append(_taken(engine, states[-1], space.moves[space.move[number]], space, number))
        states.append(steps[-1].target)
    if loop is not None and states[-1] != states[len(path)]:
        raise DefectError("the loop does not close")
    return Run(space.model, tuple(states), tuple(steps), None if loop is None else len(path))


def _taken(
    engine: PlainEngine, state: ProductState, move: Move, space: StateSpace, number: int
) -> Transition:
    target = space.state(space.target[number])
    for step in engine.successors(state):
        if step.target == target and step[:5] == move[:5]:
            return step
    raise DefectError(f"the plain engine does not take {move.action} from {state}")


def check_run(run: Run) -> None:
    """Raise Defect unless the plain engine can take every step of the run, and its loop closes."""
    engine = PlainEngine(run.model)
    if run.states[0] != engine.initial or len(run.states) != len(run.steps) + 1:
        raise DefectError("the run does not start in the initial state")
    for before, step, after in zip(run.states, run.steps, run.states[1:], strict=False):
        if step not in engine.successors(before) or step.target != after:
            raise DefectError(f"the plain engine does not take {step.action}")
    if run.loop is not None and run.states[run.loop] != run.last:
        raise DefectError("the loop does not close")
