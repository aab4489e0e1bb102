"""Sweeps: a model checked at every combination of some parameters' values."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from properties.check import Result, check, properties_of
from properties.forks import in_processes
from properties.kinds import Property
from properties.verdict import Answer, Verdict
from tcpclose_model.engines.plain import PlainEngine
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.run import Run
from tcpclose_model.search import uncollected
from tcpclose_model.variants.ranges import Axis, axes_of, model_at

At = tuple[str, ...]
"""A value of each axis."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verdict says, without the graph: it is handed from one process to another.

    choices: the run, as the number of each step among those that are possible there; None where
    the verdict has none.  loop: as `Run.loop`.
    """

    answer: Answer
    detail: str
    occurred: int
    choices: tuple[int, ...] | None
    loop: int | None

    @property
    def steps(self) -> int | None:
        """How long the run is, None where there is none."""
        return None if self.choices is None else len(self.choices)


@dataclass(frozen=True, slots=True)
class Cell:
    """One model of a sweep: where it stands, what was explored, an outcome for each property.

    stopped: the limit that was hit, or "".  status: the exit status of a check of it.
    """

    at: At
    model: Model
    states: int
    transitions: int
    depth: int
    stopped: str
    outcomes: Mapping[str, Outcome]
    status: int

    def answer(self, prop: str) -> Answer | None:
        """Return the answer of a property, None where the model's checks do not judge it."""
        found = self.outcomes.get(prop)
        return None if found is None else found.answer

    def run(self, prop: str) -> Run | None:
        """Return the run that shows the answer, each of its steps taken by the plain engine."""
        found = self.outcomes.get(prop)
        if found is None or found.choices is None:
            return None
        engine = PlainEngine(self.model)
        states, steps = [engine.initial], []
        for number in found.choices:
            steps.append(engine.successors(states[-1])[number])
            states.append(steps[-1].target)
        return Run(self.model, tuple(states), tuple(steps), found.loop)


_Found = tuple[int, int, int, str, dict[str, Outcome], int]
"""What a process hands over of a cell: its fields but for the place and the model."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A model, its axes, and a cell for each combination of values, the last axis turning first.

    properties: all that some cell judges.
    """

    model: Model
    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]
    properties: tuple[Property, ...]

    @property
    def varied(self) -> tuple[int, ...]:
        """The numbers of the axes that have several values."""
        return tuple(n for n, axis in enumerate(self.axes) if not axis.is_fixed)

    @property
    def status(self) -> int:
        """The exit status, as of a check of every cell: 1 before 3 before 0."""
        statuses = {cell.status for cell in self.cells}
        return 1 if 1 in statuses else max(statuses)


def sweep(
    model: Model,
    settings: Sequence[str],
    *,
    only: Sequence[str] = (),
    processes: int = 0,
    checked: Callable[[Model], Result] | None = None,
) -> Sweep:
    """Return the verdicts of a model at every combination of the settings' values.

    settings: see `axes_of`.  only: the properties to judge, all where there are none.  processes:
    how many, 0 for as many as there are processors.  checked: how a model is checked, by default
    with `check`; what a limit cuts short is unknown.  Raises ModelError for unusable settings.
    """
    axes = axes_of(model, settings)
    places = list(product(*(axis.values for axis in axes)))
    models = [model_at(model, axes, at) for at in places]
    _refuse_idle(axes, models)

    def check_of(one: Model) -> Result:
        return check(one, only=only)

    def work(number: int) -> _Found | str:
        try:
            with uncollected():
                result = (checked or check_of)(models[number])
        except ModelError as error:
            where = ", ".join(map(Axis.setting, axes, places[number]))
            return f"at {where}: {error}" if where else str(error)
        space = result.space
        counts = len(space), space.transitions, space.depth, space.stopped
        outcomes = {one.property.name: _outcome(one) for one in result.verdicts}
        status = result.exit_status
        del result, space
        gc.collect()
        return *counts, outcomes, status

    # The largest values are asked first: their models take longest.
    order = range(len(models))[::-1]
    found = in_processes(work, order, processes, fresh=False)[::-1]
    cells = []
    for at, one, said in zip(places, models, found, strict=True):
        if isinstance(said, str):
            raise ModelError(said)  # the first of them, whichever process was sooner
        cells.append(Cell(at, one, *said))
    return Sweep(model, axes, tuple(cells), tuple(_judged(cells)))


def _outcome(verdict: Verdict) -> Outcome:
    run = verdict.run
    choices = None if run is None else _choices(run)
    loop = None if run is None else run.loop
    return Outcome(verdict.answer, verdict.detail, verdict.occurred, choices, loop)


def _choices(run: Run) -> tuple[int, ...]:
    engine = PlainEngine(run.model)
    pairs = zip(run.states, run.steps, strict=False)
    return tuple(engine.successors(state).index(step) for state, step in pairs)


def _judged(cells: Sequence[Cell]) -> Iterator[Property]:
    """Yield the properties that some cell judges, in the order of the first one that does."""
    seen: set[str] = set()
    for cell in cells:
        if cell.outcomes.keys() <= seen:
            continue
        for prop in properties_of(cell.model):
            if prop.name in cell.outcomes and prop.name not in seen:
                seen.add(prop.name)
                yield prop


def _refuse_idle(axes: Sequence[Axis], models: Sequence[Model]) -> None:
    """Raise ModelError for a duration that is varied where no model has a clock."""
    for axis in axes:
        if axis.name.startswith("time.") and not any(one.time.is_timed for one in models):
            raise ModelError(
                f"{axis.name}: none of the models has a clock: --set time.segment_lifetime=1, too"
            )
