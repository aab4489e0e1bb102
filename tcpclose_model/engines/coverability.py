"""Whether a state can be reached at some capacity: backward search over channels without a bound.

An element is a pair of TCBs with what at least is in flight each way; it stands for all states with
more.  From the elements that are asked for, steps are taken backwards until no element is
new that stands for anything new, or the initial state is found.  What is "more" is a well-quasi-
order: a longer word in a FIFO channel (a subword stays when the rest is lost), a larger bag, a
larger set; so the search ends (Abdulla and Jonsson 1996).  It is exact, also where a timer
waits for empty channels: where all may be lost, they can be emptied first.

Elements that are not made of known views (`views.Views`) are left out: nothing that is reached lies
above them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tcpclose_model.engines.guards import Guard
from tcpclose_model.engines.unbounded import Ban, Pair, Step, Unbounded
from tcpclose_model.engines.views import Views
from tcpclose_model.limits import Limits

Word = tuple[int, ...]
"""What is in flight one way, the next to arrive first; sorted where there is no order."""

ELEMENTS_MAX = 1_000_000
LOOK_EVERY = 1_024

DUPLICATES = -1
"""Stands for the network in `Element.end`, where a step copies a segment."""


class Element(NamedTuple):
    """A pair of TCBs, what at least is in flight to B and to A, and a step onwards from it.

    onwards: the number of the element that `step` of `end` leads to; -1 for one that was asked for.
    """

    pair: Pair
    to_b: Word
    to_a: Word
    onwards: int = -1
    end: int = 0
    step: Step | None = None


class Backward:
    """The elements from which some of those that were asked for can be reached.

    covered: the numbers of the elements without segments, by pair: each such pair can get there
    with empty channels, and so whatever is in flight.  found: whether every pair that was `wanted`
    is among them; the search ends there.  stopped: which limit was hit, or "".
    """

    def __init__(
        self,
        system: Unbounded,
        views: Views,
        asked: Iterable[Element],
        wanted: Iterable[Pair],
        limits: Limits,
        *,
        elements_max: int = ELEMENTS_MAX,
        ban: Ban | None = None,
    ) -> None:
        self._system, self._views, self._ban = system, views, ban
        network = system.model.network
        self._is_fifo = network.order == "fifo"
        self._is_set = network.order == "set"
        self._keeps = self._is_set and network.duplication
        self._copies = network.duplication and not self._is_set
        self._into: tuple[dict[int, list[tuple[int, Step]]], ...] = (
            defaultdict(list),
            defaultdict(list),
        )
        for end, own, step in system.steps:
            self._into[end][step.after].append((own, step))
        self.elements: list[Element] = []
        self.covered: dict[Pair, int] = {}
        self._wanted = set(wanted)
        self._least: dict[Pair, dict[int, int]] = {}
        self._queue: deque[int] = deque()
        self.stopped = ""
        for element in asked:
            self._add(element)
        self._run(limits, elements_max)

    @property
    def found(self) -> bool:
        """Whether every pair that was wanted can get there."""
        return not self._wanted

    def way(self, pair: Pair) -> list[Element]:
        """Return the elements on the way from a covered pair to one that was asked for."""
        way = [self.elements[self.covered[pair]]]
        while way[-1].onwards >= 0:
            way.append(self.elements[way[-1].onwards])
        return way

    def _run(self, limits: Limits, elements_max: int) -> None:
        looked = 0
        while self._queue and self._wanted:
            looked += 1
            if looked % LOOK_EVERY == 0:
                self.stopped = limits.hit(0) or (
                    limits.out_of_memory() if limits.room() < 0 else ""
                )
            if len(self.elements) > elements_max:
                self.stopped = f"--max-elements {elements_max} was hit"
            if self.stopped:
                return
            number = self._queue.popleft()
            element = self.elements[number]
            if number in self._least[element.pair]:
                for before in self._before(number, element):
                    self._add(before)

    def _before(self, number: int, element: Element) -> Iterator[Element]:
        """Return the least elements from which one step leads to `element`."""
        pair, to_b, to_a = element[:3]
        for end in (0, 1):
            outward, inward = (to_a, to_b) if end else (to_b, to_a)
            for own, step in self._into[end][pair[end]]:
                source = (pair[0], own) if end else (own, pair[1])
                if source not in self._views.known or not self._system.lets(source, end, step):
                    continue
                if self._ban is not None and self._ban(source, end, step):
                    continue
                out, into = self._unsent(outward, step.sent), self._unarrived(inward, step.segment)
                if into is None or not _empty_enough(step.needs, into, out):
                    continue
                words = (into, out) if end else (out, into)
                yield Element(source, *words, number, end, step)
        if self._copies:
            for fewer in _uncopied(to_b):
                yield Element(pair, fewer, to_a, number, DUPLICATES)
            for fewer in _uncopied(to_a):
                yield Element(pair, to_b, fewer, number, DUPLICATES)

    def _unsent(self, word: Word, segment: int) -> Word:
        """Return what must have been in flight before a segment was sent."""
        if not segment or segment not in word:
            return word
        if self._is_fifo:
            return word[:-1] if word[-1] == segment else word
        return _without(word, segment)

    def _unarrived(self, word: Word, segment: int) -> Word | None:
        """Return what must have been in flight before a segment arrived; None: it cannot have."""
        if not segment:
            return word
        if self._is_fifo:
            return (segment, *word)
        if self._is_set and segment in word:
            return word if self._keeps else None
        return tuple(sorted((segment, *word)))

    def _add(self, element: Element) -> None:
        """Add an element, unless known ones stand for all that it does."""
        pair, to_b, to_a = element[:3]
        if not self._views.may_be(pair, to_b, to_a):
            return
        least = self._least.setdefault(pair, {})
        mask = _bits(to_b) | _bits(to_a) << 64
        for other, its in least.items():
            if not its & ~mask and self._within(self.elements[other], element):
                return
        worse = [
            other
            for other, its in least.items()
            if not mask & ~its and self._within(element, self.elements[other])
        ]
        for other in worse:
            del least[other]
        number = len(self.elements)
        self.elements.append(element)
        least[number] = mask
        self._queue.append(number)
        if not to_b and not to_a:
            self.covered[pair] = number
            self._wanted.discard(pair)

    def _within(self, one: Element, other: Element) -> bool:
        """Return whether an element of the same pair stands for all that another one does."""
        return self._part(one.to_b, other.to_b) and self._part(one.to_a, other.to_a)

    def _part(self, word: Word, of: Word) -> bool:
        # In a sorted word the smaller bag is a subword, too.
        if len(word) > len(of):
            return False
        rest = iter(of)
        return all(segment in rest for segment in word)


def asked_at(exits: Iterable[tuple[Pair, int, int]]) -> list[Element]:
    """Return the elements at which segments arrive, given as (pair, end, segment)."""
    return [
        Element(pair, (segment,), ()) if end else Element(pair, (), (segment,))
        for pair, end, segment in exits
    ]


def _empty_enough(needs: Guard, into: Word, out: Word) -> bool:
    return not (needs & Guard.NOTHING_INBOUND and into) and not (
        needs & Guard.NOTHING_OUTBOUND and out
    )


def _uncopied(word: Word) -> Iterator[Word]:
    """Return the words that a copy of one segment, put behind it, makes into this one."""
    for place in range(1, len(word)):
        if word[place] == word[place - 1]:
            yield word[:place] + word[place + 1 :]


def _without(word: Word, segment: int) -> Word:
    place = word.index(segment)
    return word[:place] + word[place + 1 :]


def _bits(word: Word) -> int:
    mask = 0
    for segment in word:
        mask |= 1 << segment
    return mask
