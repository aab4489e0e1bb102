"""Where a property's predicates may hold over channels of any capacity, as elements to search for.

Views say which pairs of TCBs there may be and which segments may be in flight there, so which steps
there may be.  A predicate is asked about each of them; what it answers "yes" to is an element, and
the step that is taken from it, for the backward search to say whether it really occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from properties.kinds import Kind, Property
from properties.views import ChannelsNeededError, StepPredicate, StepView, View
from tcpclose_model.engines.coverability import Element
from tcpclose_model.engines.plain import Action
from tcpclose_model.engines.unbounded import NOTHING, Ban, Pair, Step, Unbounded, after
from tcpclose_model.engines.views import Views
from tcpclose_model.larger import Then
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.run import Run
from tcpclose_model.space import Move

Occurrences = dict[Element, Then | None]
"""Elements, each with a step from there that is meant; None where the state itself is."""


class StepAtAnyCapacity(StepView):
    """A step whose channel is never full; a predicate that asks needs a capacity to be judged."""

    __slots__ = ()

    @property
    def overflow(self) -> bool:
        """Raise ChannelsNeededError."""
        raise ChannelsNeededError


def pairs_with(
    system: Unbounded, pairs: Iterator[Pair], holds: Callable[[View], bool], end: int
) -> Iterator[Pair]:
    """Return the pairs of TCBs in which a predicate holds, seen from `end`.

    Raises ChannelsNeededError if it looks at what is in flight.  Where it raises something else it
    may hold: nobody says that the pair is reached.
    """
    for pair in pairs:
        try:
            answer = holds(_view(system, pair, end))
        except Exception:
            answer = True
        if answer:
            yield pair


def reads_channels(system: Unbounded, pairs: set[Pair], prop: Property, end: int) -> bool:
    """Return whether a predicate over states looks at what is in flight, in one of the pairs."""
    try:
        for predicate in (prop.when, prop.state):
            if predicate is not None:
                for _ in pairs_with(system, iter(sorted(pairs)), predicate, end):
                    pass
    except ChannelsNeededError:
        return True
    return False


def occurrences(
    system: Unbounded, views: Views, prop: Property, end: int, *, of_antecedent: bool
) -> Occurrences:
    """Return where a safety property may be violated, or (`of_antecedent`) where it says anything.

    Of "sometimes", where it may be fulfilled.
    """
    if prop.kind is Kind.NEVER_A_STEP:
        return _steps(system, views, prop, end, of_antecedent=of_antecedent)
    when, state = prop.when, prop.state

    def wanted(view: View) -> bool:
        if when is not None and not when(view):
            return False
        if prop.kind is Kind.NEVER_STUCK:
            return state is None or not state(view)
        if prop.kind is Kind.ALWAYS:
            return of_antecedent or (state is not None and not state(view))
        return state is None or state(view)

    found = pairs_with(system, iter(views.known), wanted, end)
    if prop.kind is Kind.NEVER_STUCK and not of_antecedent:
        return {Element(pair, (), ()): None for pair in found if _is_stuck(system, pair)}
    return {Element(pair, (), ()): None for pair in found}


def ban(system: Unbounded, step: StepPredicate, end: int) -> Ban:
    """Return the ban of the steps that a predicate names, seen from `end`."""
    known: dict[tuple[Pair, int, Event, int], bool] = {}

    def banned(pair: Pair, actor: int, taken: Step) -> bool:
        key = (pair, actor, taken.event, taken.segment)
        if key not in known:
            before, reached = (_view(system, p, end) for p in (pair, after(pair, actor, taken)))
            seen = StepAtAnyCapacity(_move(system, pair, actor, taken), end)
            try:
                known[key] = bool(step(before, seen, reached))
            except Exception:
                known[key] = False  # nobody says that it is taken, so it may stay
        return known[key]

    return banned


def names_the_network(system: Unbounded, views: Views, step: StepPredicate, end: int) -> bool:
    """Return whether a predicate names losses or copies: a network without them is another one."""
    asked: dict[tuple[int, int], list[StepAtAnyCapacity]] = {}
    for pair in views.known:
        view = _view(system, pair, end)
        for key in views.arrivals(pair):
            if key not in asked:
                asked[key] = [StepAtAnyCapacity(m, end) for m in _network_moves(system, *key)]
            for seen in asked[key]:
                if _may_hold(lambda v=view, s=seen: step(v, s, v)):  # type: ignore[misc]  # a default binds them
                    return True
    return False


def ask_about_the_last_step(run: Run, prop: Property, ends: Sequence[int]) -> None:
    """Ask a property about a run's last step; raises ChannelsNeededError for what is in flight."""
    before, after_it = run.states[-2:]
    move = Move.of(run.steps[-1], -1, -1)
    for end in ends:
        seen = (
            View(before.a, before.b, None, end),
            StepAtAnyCapacity(move, end),
            View(after_it.a, after_it.b, None, end),
        )
        for predicate in (prop.among, prop.step):
            if predicate is not None:
                predicate(*seen)


def _steps(
    system: Unbounded, views: Views, prop: Property, end: int, *, of_antecedent: bool
) -> Occurrences:
    predicates = [prop.among] if of_antecedent else [prop.among, prop.step]
    asked = [predicate for predicate in predicates if predicate is not None]
    found: Occurrences = {}
    for pair in views.known:
        before = _view(system, pair, end)
        if not _may_hold(lambda seen=before: prop.when is None or prop.when(seen)):  # type: ignore[misc]  # a default binds it
            continue
        for element, then, move, target in _moves(system, views, pair):
            seen = (before, StepAtAnyCapacity(move, end), _view(system, target, end))
            if _may_hold(lambda seen=seen: all(holds(*seen) for holds in asked)):  # type: ignore[misc]  # as above
                found.setdefault(element, then)
    return found


def _may_hold(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except Exception:
        return True


def _moves(
    system: Unbounded, views: Views, pair: Pair
) -> Iterator[tuple[Element, Then, Move, Pair]]:
    """Return every step that there may be from a pair, with the element that it is taken from."""
    still = Element(pair, (), ())
    for end in (0, 1):
        for step in system.local(end, pair[end]):
            if system.lets(pair, end, step):
                move = _move(system, pair, end, step)
                yield still, Then(end, step.event), move, after(pair, end, step)
    for end, segment in views.arrivals(pair):
        arrives = system.arrival(end, pair[end], segment)
        if arrives is not None:
            move = _move(system, pair, end, arrives)
            yield (
                _at(pair, end, segment),
                Then(end, arrives.event, segment),
                move,
                after(pair, end, arrives),
            )
        for move in _network_moves(system, end, segment):
            yield _at(pair, end, segment), Then(end, move.action.event, segment), move, pair


def _at(pair: Pair, end: int, segment: int) -> Element:
    return Element(pair, (segment,), ()) if end else Element(pair, (), (segment,))


def _network_moves(system: Unbounded, end: int, segment: int) -> list[Move]:
    """Return what the network may do to a segment on its way to an end."""
    key = (end, segment)
    if key not in system.network_moves:
        network = system.model.network
        copies = network.duplication and network.order != "set"
        events = [Event.SEGMENT_IS_LOST] + [Event.SEGMENT_IS_DUPLICATED] * copies
        actions = [Action(end, event, system.segments[segment]) for event in events]
        system.network_moves[key] = [
            Move(action, (), None, False, False, -1, -1) for action in actions
        ]
    return system.network_moves[key]


def _move(system: Unbounded, pair: Pair, end: int, step: Step) -> Move:
    key = (end, pair[end], step.event, step.segment)
    if key not in system.moves:
        segment = system.segments[step.segment] if step.segment != NOTHING else None
        sent = system.segments[step.sent] if step.sent != NOTHING else None
        action = Action(end, step.event, segment)
        head = step.segment != NOTHING
        system.moves[key] = Move(action, step.rules, sent, False, head, pair[end], step.after)
    return system.moves[key]


def _view(system: Unbounded, pair: Pair, end: int) -> View:
    return View(system.tcbs[0][pair[0]], system.tcbs[1][pair[1]], None, end)


def _is_stuck(system: Unbounded, pair: Pair) -> bool:
    """Return whether nothing can change once nothing is in flight."""
    return not any(
        (step.after != pair[end] or step.sent) and system.lets(pair, end, step)
        for end in (0, 1)
        for step in system.local(end, pair[end])
    )
