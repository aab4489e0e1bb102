"""Fair components of a graph of the fast engine: kernels look at all of its components at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np

from properties.fair_cycles import Component, Fairness
from properties.fast_graph import arrays, bytes_of, component_numbers
from tcpclose_model.engines.fast.fairness import kept_components, tally

Array = np.ndarray[Any, np.dtype[Any]]
WORD = (1 << 64) - 1


def fair_components_by_kernel(fair: Fairness, region: Iterable[int]) -> list[Component]:
    """Return what `fair_components` returns, in some order."""
    found: list[Component] = []
    todo: dict[int, list[Array]] = {0: [np.fromiter(region, np.int32)]}
    while todo:
        # What waits for the same look is looked at together: no cycle leads from one to another.
        without = next(iter(todo))
        states = np.concatenate(todo.pop(without))
        for members, strong, unheard in _judged(fair, states, without):
            if strong:
                rest = [n for n in members.tolist() if not fair.enabled(n) & strong]
                todo.setdefault(without, []).append(np.array(rest, np.int32))
            elif unheard:
                todo.setdefault(without | unheard, []).append(members)
            else:
                found.append(Component(frozenset(members.tolist()), without))
    return found


def _judged(fair: Fairness, states: Array, without: int) -> Iterator[tuple[Array, int, int]]:
    """Give each component in which a run may stay, without anything weakly fair that it lacks.

    With it, what else keeps its cycles from being fair: strong bits, unreceived values.
    """
    space = fair.space
    first_step, target = arrays(space)
    move = cast(Array, space.move)
    usable = fair.usable(without)
    component, count = component_numbers(space, states, usable, space.move)
    if not count:
        return
    tables, words = _tables(fair)
    due = _words([fair.weak | fair.strong], words)[0]
    kept, number = kept_components(first_step, target, move, component, count, tables[0], due)
    always = np.full((number, words), WORD, np.uint64)
    totals = np.zeros((4, number, words), np.uint64)
    tally(first_step, target, move, component, kept, bytes_of(usable), tables, always, totals)
    places = np.where(component >= 0, kept[component], -1)
    members = np.flatnonzero(places >= 0)
    order = members[np.argsort(places[members], kind="stable")].astype(np.int32)
    ends = np.cumsum(np.bincount(places[members], minlength=number))
    weak, strong = _words([fair.weak, fair.strong], words)
    ever, taken, sent, received = totals
    for this in np.flatnonzero(~(always & weak & ~taken).any(axis=1)).tolist():
        begin = int(ends[this - 1]) if this else 0
        lacks = _bits(ever[this] & strong & ~taken[this]), _bits(sent[this] & ~received[this])
        yield order[begin : int(ends[this])], *lacks


def _tables(fair: Fairness) -> tuple[Array, int]:
    """Return what each move enables, takes, sends and receives, as words; and words a row."""
    cache = fair.space.cache
    if "fair words" not in cache:
        kinds = (fair.enabling, fair.takes, fair.sends, fair.receives)
        bits = max((bits.bit_length() for kind in kinds for bits in kind), default=1)
        words = max(1, -(-bits // 64))
        cache["fair words"] = np.stack([_words(kind, words) for kind in kinds]), words
    return cast("tuple[Array, int]", cache["fair words"])


def _words(sets: list[int], words: int) -> Array:
    rows = b"".join((bits & (1 << 64 * words) - 1).to_bytes(8 * words, "little") for bits in sets)
    return np.frombuffer(rows, "<u8").reshape(len(sets), words).astype(np.uint64)


def _bits(words: Array) -> int:
    return int.from_bytes(words.astype("<u8").tobytes(), "little")
