"""Whether what is so at a model's capacity is so at every larger one.

The pairs of TCBs that are reached at capacity K are compared with those that are reached over
channels without a bound.  If they are the same, K is a cut-off: what is said of pairs is settled.
Otherwise there is a run to a new pair, at some larger capacity.

What can always be reached is settled as well.  Where all in flight may be lost, a reached pair is
also reached with empty channels, and a state from which a goal is reached stays one when more is in
flight.  So the goal can always be reached if it can be from each reached pair with empty channels;
and a run at capacity K is a run at every larger one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from properties.beyond import (
    ABOUT_THE_NETWORK,
    LEFT_OUT,
    NO_CUT_OFF,
    READS_CHANNELS,
    AnyCapacity,
    Beyond,
    LeftOutError,
)
from properties.check import properties_of
from properties.graph import (
    backwards,
    both,
    complement,
    forwards,
    numbers,
    states_with,
    steps_with,
    without,
)
from properties.judge import judge
from properties.kinds import Kind, Property
from properties.occurrences import (
    Occurrences,
    ask_about_the_last_step,
    ban,
    names_the_network,
    occurrences,
    pairs_with,
    reads_channels,
)
from properties.verdict import Answer, Verdict
from properties.views import FROM_A, FROM_B, FROM_EITHER, AbsoluteNameError, ChannelsNeededError
from tcpclose_model.engines.coverability import ELEMENTS_MAX, Backward, Element, asked_at
from tcpclose_model.engines.unbounded import Ban, Pair, Step, Unbounded, after
from tcpclose_model.engines.views import Views
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.larger import Then, run_along
from tcpclose_model.limits import Limits
from tcpclose_model.model import Model, is_symmetric
from tcpclose_model.run import Run
from tcpclose_model.search import explore_within
from tcpclose_model.space import StateSpace


def any_capacity(
    model: Model,
    only: Sequence[str] = (),
    limits: Limits | None = None,
    elements_max: int = ELEMENTS_MAX,
) -> AnyCapacity:
    """Return whether a model's capacity is a cut-off, and what that says of its properties.

    only: names of properties; default: all that this kind of proof covers.  Raises ModelError for a
    model whose network does not lose what it likes, and for a property of a kind that is left out.
    """
    limits = limits or Limits()
    system = Unbounded(model)
    chosen = _chosen(model, only)
    space = explore_within(model, limits)
    found = AnyCapacity(model)
    if space.stopped:
        capacity = model.network.capacity
        found.stopped = f"exploration at capacity {capacity}: {space.stopped}"
        if capacity > 1:
            found.stopped += "; a smaller network.capacity is explored sooner"
        return found
    search = _Search(system, space, limits, elements_max, found)
    search.compare_pairs()
    for prop in chosen:
        try:
            found.properties.append(search.beyond(prop))
        except LeftOutError as error:
            if only:
                raise ModelError(_refusal(prop.name, str(error))) from None
            found.left_out[prop.name] = str(error)
    return found


def _chosen(model: Model, only: Sequence[str]) -> list[Property]:
    known = {prop.name: prop for prop in properties_of(model)}
    for name in only:
        if name not in known:
            raise ModelError(f"no property {name!r}{nearest(name, known)}")
        if known[name].kind in LEFT_OUT:
            raise ModelError(_refusal(name, LEFT_OUT[known[name].kind]))
    return [known[name] for name in only] if only else list(known.values())


def _refusal(name: str, why: str) -> str:
    return f"property {name!r} cannot be proved at every capacity: {why}; tcpclose check judges it"


class _Search:
    """The searches for one model; what they find is counted in `found`."""

    def __init__(
        self,
        system: Unbounded,
        space: StateSpace,
        limits: Limits,
        elements_max: int,
        found: AnyCapacity,
    ) -> None:
        self.system, self.space, self.limits = system, space, limits
        self.elements_max, self.found = elements_max, found
        self.pairs = self._pairs(range(len(space)))
        self._views: Views | None = None
        found.pairs = len(self.pairs)

    def _pairs(self, states: Iterable[int]) -> set[Pair]:
        """Return the pairs of some states as numbers."""
        space = self.space
        if space.is_fast and states == range(len(space)):
            both_ends = _distinct(space)
        else:
            both_ends = {(int(space.a[n]), int(space.b[n])) for n in states}
        return self.system.pairs((space.tcbs[a], space.tcbs[b]) for a, b in sorted(both_ends))

    def _closed(self, inside: set[Pair] | None, banned: Ban | None = None) -> Views:
        views = Views(self.system, inside, self.limits, banned)
        self.found.views += len(views)
        return views

    def _backward(
        self, views: Views, asked: Iterable[Element], wanted: Iterable[Pair], banned: Ban | None
    ) -> Backward:
        search = Backward(
            self.system,
            views,
            asked,
            wanted,
            self.limits,
            elements_max=self.elements_max,
            ban=banned,
        )
        self.found.elements += len(search.elements)
        return search

    def compare_pairs(self) -> None:
        """Find out whether a larger capacity reaches another pair."""
        views = self._closed(self.pairs)
        self.found.stopped = views.stopped
        if views.stopped:
            return
        search = self._search_exits(views, None)
        self.found.stopped = search.stopped
        if search.found:
            self._show_new_pair(search)
        elif not search.stopped:
            self.found.is_cut_off = True
            self._views = views

    def _search_exits(self, views: Views, banned: Ban | None) -> Backward:
        return self._backward(views, asked_at(views.exits), [self.system.start], banned)

    def _show_new_pair(self, search: Backward) -> None:
        self.found.is_cut_off = False
        way = search.way(self.system.start)
        end, segment = (1, way[-1].to_b[0]) if way[-1].to_b else (0, way[-1].to_a[0])
        arrival = self.system.arrival(end, way[-1].pair[end], segment)
        if arrival is not None:
            self.found.run = run_along(self.system, way, Then(end, arrival.event, segment))
            return
        self.found.run = run_along(self.system, way, None)
        self.found.error = self.system.failure(end, way[-1].pair[end], segment)

    def beyond(self, prop: Property) -> Beyond:
        """Return what is known of a property at larger capacities; raises LeftOutError."""
        if prop.kind in LEFT_OUT:
            raise LeftOutError(LEFT_OUT[prop.kind])
        verdict = judge(self.space, prop)
        if verdict.answer is Answer.UNKNOWN:
            return Beyond(verdict, False, verdict.detail)
        try:
            if prop.each_end and is_symmetric(self.system.model):
                try:
                    return self._beyond(verdict, (FROM_EITHER,))
                except AbsoluteNameError:
                    pass
            return self._beyond(verdict, (FROM_A, FROM_B) if prop.each_end else (FROM_A,))
        except ChannelsNeededError:
            raise LeftOutError(READS_CHANNELS) from None

    def _beyond(self, verdict: Verdict, ends: Sequence[int]) -> Beyond:
        prop = verdict.property
        if any(reads_channels(self.system, self.pairs, prop, end) for end in ends):
            raise ChannelsNeededError
        if prop.kind in (Kind.ONLY_AFTER, Kind.CAN_ALWAYS_AVOIDING) and self._names_network(
            prop, ends
        ):
            raise LeftOutError(ABOUT_THE_NETWORK)
        if prop.kind in (Kind.CAN_ALWAYS, Kind.CAN_ALWAYS_AVOIDING):
            if verdict.answer is Answer.VIOLATED:
                return _best(self._stays_stuck(verdict, end) for end in ends)
            return _worst(self._can_always(verdict, end) for end in ends)
        return self._settled_by_a_run(verdict, ends) or _worst(
            self._stays_so(verdict, end) for end in ends
        )

    def _settled_by_a_run(self, verdict: Verdict, ends: Sequence[int]) -> Beyond | None:
        """Return the answer where a run shows it: a run is one at every larger capacity, too.

        But what overflowed is then sent and lost, in two steps; so a bad step is asked about again,
        to see that it is not told by that.
        """
        prop = verdict.property
        shown = Answer.HOLDS if prop.kind is Kind.SOMETIMES else Answer.VIOLATED
        if verdict.answer is not shown:
            return None
        if prop.kind is Kind.NEVER_A_STEP:
            assert verdict.run is not None
            ask_about_the_last_step(verdict.run, prop, ends)
        return Beyond(verdict, True)

    def _names_network(self, prop: Property, ends: Sequence[int]) -> bool:
        assert prop.step is not None
        views = self._all_views()
        return any(names_the_network(self.system, views, prop.step, end) for end in ends)

    def _all_views(self) -> Views:
        """Return the views of what may be reached at any capacity."""
        if self._views is None:
            self._views = self._closed(None)
        return self._views

    def _stays_so(self, verdict: Verdict, end: int) -> Beyond:
        """Return whether what never occurs at the model's capacity occurs at none."""
        prop, banned = verdict.property, None
        views = self._all_views()
        of_antecedent = verdict.answer is Answer.VACUOUS
        if prop.kind is Kind.ONLY_AFTER and not of_antecedent and not views.stopped:
            assert prop.step is not None
            banned = ban(self.system, prop.step, end)
            views = self._closed(set(views.known), banned)
        if views.stopped:
            return Beyond(verdict, False, views.stopped)
        asked = occurrences(self.system, views, prop, end, of_antecedent=of_antecedent)
        if not asked:
            return Beyond(verdict, True)
        search = self._backward(views, asked, [self.system.start], banned)
        if search.found:
            run = self._run_to(search, asked)
            capacity = run.model.network.capacity
            if of_antecedent:
                why = f"what it is about occurs at capacity {capacity}"
            else:
                answer = "holds" if prop.kind is Kind.SOMETIMES else "is violated"
                why = f"it {answer} at capacity {capacity}"
            return Beyond(verdict, False, why, run, changes=True)
        return Beyond(verdict, not search.stopped, search.stopped)

    def _run_to(self, search: Backward, asked: Occurrences) -> Run:
        way = search.way(self.system.start)
        return run_along(self.system, way, asked[way[-1]])

    def _can_always(self, verdict: Verdict, end: int) -> Beyond:
        """Return whether what can always be reached at the model's capacity is so at larger ones.

        It is, once these reach no other pair: from each reached pair with empty channels there is a
        run to the goal, and a run at the model's capacity is one at every larger.
        """
        prop = verdict.property
        if prop.step is None:
            if not self.found.is_cut_off:
                return Beyond(verdict, False, self.found.stopped or NO_CUT_OFF)
            return Beyond(verdict, True)
        allowed = complement(steps_with(self.space, prop.step, end))
        banned = ban(self.system, prop.step, end)
        views = self._closed(self._pairs(numbers(forwards(self.space, allowed))), banned)
        search = self._search_exits(views, banned)
        if views.stopped or search.stopped:
            return Beyond(verdict, False, views.stopped or search.stopped)
        return Beyond(verdict, not search.found, f"{NO_CUT_OFF}, without such a step")

    def _stays_stuck(self, verdict: Verdict, end: int) -> Beyond:
        """Return whether some reached pair from which nothing leads to the goal stays one.

        It stays reached; so whether the goal can be reached from there is asked backwards, from
        every pair that is a goal, or where a bound withholds a step, over any channels.
        """
        prop, views = verdict.property, self._all_views()
        banned = None if prop.step is None else ban(self.system, prop.step, end)
        stuck = self._stuck(prop, end)
        why = f"at capacity {self.system.model.network.capacity} only: a larger one has a way on"
        if not stuck:
            return Beyond(verdict, False, why, changes=True)  # it is the other end that has none
        if views.stopped:
            return Beyond(verdict, False, views.stopped)
        region = _region(self.system, views, stuck, banned)
        assert prop.state is not None
        goals = set(pairs_with(self.system, iter(sorted(region)), prop.state, end))
        goals |= {pair for pair in region if self.system.is_cut(pair)}

        def outside(pair: Pair, actor: int, step: Step) -> bool:
            return pair not in region or (banned is not None and banned(pair, actor, step))

        elements = [Element(pair, (), ()) for pair in sorted(goals)]
        search = self._backward(views, elements, stuck, outside)
        if search.found:
            return Beyond(verdict, False, why, changes=True)
        return Beyond(verdict, not search.stopped, search.stopped)

    def _stuck(self, prop: Property, end: int) -> set[Pair]:
        """Return the pairs from which, with empty channels, nothing leads to a property's goal.

        Whatever else is in flight in a state without a way on may be lost.
        """
        space, allowed = self.space, None
        asked = states_with(space, prop.when, end)
        targets = bytearray(states_with(space, prop.state, end))
        for number in space.cut:
            targets[number] = 1
        if prop.step is not None:
            allowed = complement(steps_with(space, prop.step, end))
            asked = both(asked, forwards(space, allowed))
        wrong = without(asked, backwards(space, targets, allowed))
        return self._pairs(number for number in numbers(wrong) if self._is_empty(number))

    def _is_empty(self, number: int) -> bool:
        """Return whether nothing is in flight in a state."""
        channels = self.space.channels
        return not channels[self.space.a_to_b[number]] and not channels[self.space.b_to_a[number]]


def _distinct(space: StateSpace) -> set[tuple[int, int]]:
    """Return the pairs of TCBs of a graph of the fast engine, by their numbers."""
    import numpy as np

    bits = len(space.tcbs).bit_length()
    keys = np.unique(np.asarray(space.a, np.int64) << bits | np.asarray(space.b, np.int64))
    return {(key >> bits, key & (1 << bits) - 1) for key in keys.tolist()}


def _region(system: Unbounded, views: Views, pairs: set[Pair], banned: Ban | None) -> set[Pair]:
    """Return the pairs that steps may lead to from some pairs, as far as views tell."""
    region = set(pairs)
    queue = sorted(pairs)
    for pair in queue:
        for end in (0, 1):
            steps = [s for s in system.local(end, pair[end]) if system.lets(pair, end, s)]
            arriving = (segment for at, segment in views.arrivals(pair) if at == end)
            arrivals = (system.arrival(end, pair[end], segment) for segment in arriving)
            steps += [step for step in arrivals if step is not None]
            for step in steps:
                reached = after(pair, end, step)
                known = reached in region or reached not in views.known
                if not known and not (banned is not None and banned(pair, end, step)):
                    region.add(reached)
                    queue.append(reached)
    return region


def _worst(answers: Iterator[Beyond]) -> Beyond:
    """Return an answer that is not the same everywhere, if there is one."""
    return min(list(answers), key=lambda one: (one.everywhere, not one.changes))


def _best(answers: Iterator[Beyond]) -> Beyond:
    """Return an answer that is the same everywhere, if there is one, else one that is not known."""
    return max(list(answers), key=lambda one: (one.everywhere, not one.changes))
