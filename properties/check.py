"""Checking: explore a model, judge its properties, compare with what it expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from properties.catalogue import CATALOGUE
from properties.judge import judge
from properties.kinds import Property, Role
from properties.reopening import REOPENING
from properties.verdict import Answer, Verdict
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.large import LargeSpace, explore_large
from tcpclose_model.limits import Limits, Progress
from tcpclose_model.model import Model
from tcpclose_model.search import (
    INSTALL,
    explore_within,
    has_fast_engine,
    refuse_all_but_plain,
    uncollected,
)
from tcpclose_model.space import StateSpace

LARGE = "large"
"""The engine that keeps no graph."""

EVERY_OTHER = "*"
"""In `Model.expect`: the answer of every property that is not named."""


@dataclass(frozen=True, slots=True)
class Result:
    """One model, its explored graph, and a verdict for each property that was judged."""

    model: Model
    space: StateSpace | LargeSpace
    verdicts: tuple[Verdict, ...]

    def expected(self, prop: Property) -> Answer | None:
        """Return the answer that the model expects, or None where it names none."""
        return expectations(self.model).get(prop.name)

    def is_as_expected(self, verdict: Verdict) -> bool:
        """Return whether a verdict is what was expected; an unknown one never is, unless named.

        A requirement without an expectation must hold (or be vacuous); an observation may be
        anything.
        """
        expected = self.expected(verdict.property)
        if expected is not None:
            return verdict.answer is expected
        if verdict.property.role is Role.OBSERVATION:
            return True
        return verdict.answer in (Answer.HOLDS, Answer.VACUOUS)

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is as expected."""
        return all(self.is_as_expected(verdict) for verdict in self.verdicts)

    @property
    def exit_status(self) -> int:
        """0 as expected, 1 unexpected, 3 unknown where an answer was due."""
        wrong = [v for v in self.verdicts if not self.is_as_expected(v)]
        if any(v.answer is not Answer.UNKNOWN for v in wrong):
            return 1
        hidden = self.space.stopped and any(v.answer is Answer.UNKNOWN for v in self.verdicts)
        return 3 if wrong or hidden else 0

    def __getitem__(self, name: str) -> Verdict:
        for verdict in self.verdicts:
            if verdict.property.name == name:
                return verdict
        raise KeyError(name)

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(v.property.name)}</td><td>{v.answer.value}</td>"
            f"<td>{escape(v.detail)}</td></tr>"
            for v in self.verdicts
        )
        return f"<table><caption>{escape(self.model.name)}</caption>{rows}</table>"


def properties_of(model: Model) -> tuple[Property, ...]:
    """Return the properties that a check of the model judges."""
    chosen = tuple(model.properties) or (REOPENING if model.reopens else CATALOGUE)
    names = set()
    for prop in chosen:
        if not isinstance(prop, Property):
            raise ModelError(f"{model.name}: properties: {prop!r} is not a property")
        if prop.name in names:
            raise ModelError(f"{model.name}: properties: {prop.name!r} stands twice")
        names.add(prop.name)
    return chosen


def expectations(model: Model) -> Mapping[str, Answer]:
    """Return the expected answer of each property that the model names one for.

    Raises ModelError for a property that is not judged, or an answer that is none of the four.
    """
    names = [prop.name for prop in properties_of(model)]
    found = {}
    for name, said in model.expect.items():
        if name != EVERY_OTHER and name not in names:
            raise ModelError(f"{model.name}: expect: no property {name!r}{nearest(name, names)}")
        try:
            answer = said if isinstance(said, Answer) else Answer(said)
        except ValueError:
            known = [answer.value for answer in Answer]
            raise ModelError(
                f"{model.name}: expect[{name!r}]: {said!r} is not a verdict"
                f"{nearest(str(said), known)}"
            ) from None
        found[name] = answer
    rest = found.pop(EVERY_OTHER, None)
    if rest is not None:
        found = {name: found.get(name, rest) for name in names}
    return found


def check(
    model: Model,
    *,
    only: Iterable[str] = (),
    engine: str = "auto",
    threads: int = 0,
    reduce: bool = True,
    max_states: int | None = None,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Return the verdicts of a model's properties, or of those that `only` names.

    engine: see `search.explore`; "large" searches without keeping the graph, as "auto" does where
        the graph has too many steps: safety is judged, what needs the graph is `unknown`.
    threads, reduce: of such a search, see `large.explore_large`.
    Raises ModelError for an unusable model.  An interrupt (Ctrl-C) ends the exploration, or the
    judging, and leaves `unknown` verdicts.
    """
    chosen = _chosen(properties_of(model), tuple(only))
    expectations(model)
    with uncollected():
        limits = Limits(max_states, max_seconds, max_memory, progress)
        space = _explored(model, limits, engine, threads, reduce=reduce)
        return Result(model, space, tuple(_judged(space, chosen, limits)))


def _explored(
    model: Model, limits: Limits, engine: str, threads: int, *, reduce: bool
) -> StateSpace | LargeSpace:
    """Return what a model reaches: its graph, or counts where that is too large to keep."""
    if engine == LARGE and not has_fast_engine():
        raise ModelError(f"the fast engine is not installed: {INSTALL}")
    refuse_all_but_plain(model, engine)
    space = None
    if engine != LARGE:
        space = explore_within(model, limits, engine)
        if not space.is_fast:
            return space
    from tcpclose_model.engines.fast.numbered import TOO_MANY_STEPS, TooWideError

    if space is not None and space.stopped != TOO_MANY_STEPS:
        return space
    try:
        return explore_large(model, limits, threads=threads, reduce=reduce)
    except TooWideError as error:
        if space is None:
            raise ModelError(f"the fast engine: {error}") from None
        return space


def _judged(
    space: StateSpace | LargeSpace, chosen: Sequence[Property], limits: Limits
) -> Iterable[Verdict]:
    interrupted = False
    for prop in chosen:
        if not interrupted:
            try:
                limits.tell(space.depth, len(space), 0, prop.name)
                yield judge(space, prop)
                continue
            except KeyboardInterrupt:
                interrupted = True
            except Exception as error:
                error.add_note(f"while judging {prop.name}")
                raise
        yield Verdict(prop, Answer.UNKNOWN, "interrupted", 0)


def _chosen(known: tuple[Property, ...], only: tuple[str, ...]) -> tuple[Property, ...]:
    names = [prop.name for prop in known]
    for name in only:
        if name not in names:
            raise ModelError(f"no property {name!r}{nearest(name, names)}")
    return tuple(prop for prop in known if not only or prop.name in only)
