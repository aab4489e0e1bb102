"""Claims that nobody wrote: what is so in every explored state, to be tried for all values.

What an explored graph shows is at first true at its bounds only.  As a claim among others it is
given up if some way through the rows does not keep it, so a wrong guess costs time, no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from properties.claims import About, Claim, Truth, implies, is_in
from tcpclose_model.protocol.vocabulary import TCB, Segment, State
from tcpclose_model.space import StateSpace

FLAGS = ("fin_queued", "fin_sent", "fin_with_text", "released", "ack_due", "held_fin", "told")
"""Fields of a TCB that may be the same whenever an end is in some state."""

OF_ONE_END = (
    ("snd_una", "snd_nxt"),
    ("snd_nxt", "snd_end"),
    ("snd_una", "snd_end"),
    ("rcv_nxt", "rcv_text"),
)
OF_BOTH_ENDS = (
    ("rcv_nxt", "snd_nxt"),
    ("rcv_nxt", "snd_end"),
    ("rcv_text", "snd_end"),
    ("snd_una", "rcv_nxt"),
    ("snd_nxt", "rcv_nxt"),
)
"""Fields whose difference may have a bound: of an end; of an end and its peer."""

CLOSE_TOGETHER = 1
"""The largest difference that is taken for more than a bound of the model."""

SEGMENT_FLAGS = ("text", "fin", "rst")


class _Ends(NamedTuple):
    me: TCB
    peer: TCB


class _Sent(NamedTuple):
    seg: Segment
    sender: TCB
    receiver: TCB


def candidates(space: StateSpace) -> list[Claim]:
    """Return what is so of the ends and of the segments in flight in every explored state."""
    pairs = {(int(a), int(b)) for a, b in zip(space.a, space.b, strict=True)}
    ends = [_Ends(space.tcbs[a], space.tcbs[b]) for a, b in sorted(pairs)]
    ends += [_Ends(peer, me) for me, peer in ends]
    states = sorted({one.me.state for one in ends})
    found = []
    for state in states:
        mine = [one for one in ends if one.me.state == state]
        found += [*_of_state(state, mine, states), *_of_numbers(state, mine)]
    return [*found, *_of_segments(_in_flight(space), states)]


def _of_state(state: State, mine: Sequence[_Ends], states: Sequence[State]) -> Iterator[Claim]:
    for name in FLAGS:
        values = {int(getattr(me, name)) for me, _ in mine}
        if len(values) == 1:
            yield _value(state, name, values.pop())
    peers = sorted({peer.state for _, peer in mine})
    if len(peers) < len(states):
        yield _peer_is_in(state, peers)


def _of_numbers(state: State, mine: Sequence[_Ends]) -> Iterator[Claim]:
    for of_peer, related in ((False, OF_ONE_END), (True, OF_BOTH_ENDS)):
        for one, other in related:
            apart = {
                getattr(me, one) - getattr(peer if of_peer else me, other) for me, peer in mine
            }
            if max(apart) <= CLOSE_TOGETHER:
                yield _at_most(state, one, other, max(apart), of_peer=of_peer)
            if min(apart) >= -CLOSE_TOGETHER:
                yield _at_least(state, one, other, min(apart), of_peer=of_peer)


def _of_segments(sent: Iterable[_Sent], states: Sequence[State]) -> Iterator[Claim]:
    known = list(sent)
    for flag in SEGMENT_FLAGS:
        flagged = [one for one in known if getattr(one.seg, flag)]
        if not flagged:
            yield _is_never_sent(flag)
            continue
        for who in ("sender", "receiver"):
            seen = sorted({getattr(one, who).state for one in flagged})
            if len(seen) < len(states):
                yield _is_in_flight_while(flag, who, seen)


def _in_flight(space: StateSpace) -> set[_Sent]:
    numbers = {
        tuple(map(int, one))
        for one in zip(space.a, space.b, space.a_to_b, space.b_to_a, strict=True)
    }
    found = set()
    for a, b, a_to_b, b_to_a in numbers:
        ends = space.tcbs[a], space.tcbs[b]
        found |= {_Sent(seg, ends[0], ends[1]) for seg in space.channels[a_to_b]}
        found |= {_Sent(seg, ends[1], ends[0]) for seg in space.channels[b_to_a]}
    return found


def _value(state: State, name: str, value: int) -> Claim:
    def holds(me: TCB, peer: TCB) -> Truth:
        return implies(is_in(me, state), getattr(me, name) == value)

    return _named(About.ENDS, f"in {state.name}, {name} is {value}", holds)


def _peer_is_in(state: State, peers: Sequence[State]) -> Claim:
    def holds(me: TCB, peer: TCB) -> Truth:
        return implies(is_in(me, state), is_in(peer, *peers))

    says = f"in {state.name}, the peer is in {_either(peers)}"
    return _named(About.ENDS, says, holds)


def _at_most(state: State, one: str, other: str, most: int, *, of_peer: bool) -> Claim:
    def holds(me: TCB, peer: TCB) -> Truth:
        ahead = getattr(me, one) <= getattr(peer if of_peer else me, other) + most
        return implies(is_in(me, state), ahead)

    says = f"in {state.name}, {one} <= {_plus(other, most, of_peer=of_peer)}"
    return _named(About.ENDS, says, holds)


def _at_least(state: State, one: str, other: str, least: int, *, of_peer: bool) -> Claim:
    def holds(me: TCB, peer: TCB) -> Truth:
        behind = getattr(me, one) >= getattr(peer if of_peer else me, other) + least
        return implies(is_in(me, state), behind)

    says = f"in {state.name}, {one} >= {_plus(other, least, of_peer=of_peer)}"
    return _named(About.ENDS, says, holds)


def _is_never_sent(flag: str) -> Claim:
    def holds(seg: Segment, sender: TCB, receiver: TCB) -> Truth:
        return getattr(seg, flag) == 0

    return _named(About.SEGMENT, f"no segment has {flag.upper()}", holds)


def _is_in_flight_while(flag: str, who: str, states: Sequence[State]) -> Claim:
    def holds(seg: Segment, sender: TCB, receiver: TCB) -> Truth:
        end = sender if who == "sender" else receiver
        return implies(getattr(seg, flag) == 1, is_in(end, *states))

    says = f"once a segment has {flag.upper()}, its {who} is in {_either(states)}"
    return _named(About.SEGMENT, says, holds)


def _named(about: About, says: str, holds: object) -> Claim:
    return Claim(says, about, says, holds)  # type: ignore[arg-type]  # each takes what `about` says


def _plus(name: str, number: int, *, of_peer: bool) -> str:
    name = f"the peer's {name}" if of_peer else name
    return name if not number else f"{name} {'+' if number > 0 else '-'} {abs(number)}"


def _either(states: Sequence[State]) -> str:
    return ", ".join(state.name for state in states)
