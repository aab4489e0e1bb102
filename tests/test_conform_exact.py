"""Short captures, right and wrong: a close deviates exactly when no run explains it.

`explained` is the meaning, written down without the observer: both ends are the plain engine's,
whatever was captured may arrive at any time and any number of times, and a packet may have been
captured late, twice, or, where nobody received it, never.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from hypothesis import assume, given
from hypothesis import strategies as st

from reports.conforming import Asked, Judge
from reports.judged import CONFORMS, DEVIATES, OUT_OF_SCOPE, UNFINISHED
from reports.watching import LATE_MAX
from tcpclose_model.engines.plain import End, PlainEngine
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network, Timers
from tcpclose_model.protocol.vocabulary import CLOSED, TCB, Segment, State
from tcpclose_model.variants.catalogue import model_named
from tests.judging import judged_connection
from tests.strategies import examples
from tests.test_conform import OPENING
from tests.wire import ACK, FIN, RST, Sent

Packet = tuple[int, Segment]
"""Who sends it, and what; a unit of text is an octet."""
Pending = tuple[tuple[Segment, int], ...]
"""What an end has sent and nobody has captured, in order; by how many it was overtaken."""
UNITS = 4
MODEL = "rfc9293"
PACKETS_MAX = 6
OLD_ACK = Segment(seq=0)
"""What the opening leaves in the network for either end; the one of A was captured."""


@cache
def ends() -> tuple[End, End]:
    """Return both ends; their users may do anything, and so may their timers."""
    protocol = model_named(MODEL).a
    user = Application(
        half_close=True, data_units=(UNITS, UNITS), aborts=(True, True), crashes=(True, True)
    )
    model = Model(protocol, protocol, application=user, timers=Timers(user_timeout=True))
    return End(model, 0), End(model, 1)


def explained(capture: Sequence[Packet]) -> int:
    """Return how many packets of a capture, from its first on, some run explains."""
    ways: list[set[tuple[TCB, Pending]]] = [{(end.initial, ())} for end in ends()]
    seen: tuple[list[Segment], list[Segment]] = ([OLD_ACK], [])
    for number, (sender, seg) in enumerate(capture):
        rest = frozenset(seg for who, seg in capture[number:] if who == sender)
        found = reached(ends()[sender], ways[sender], [OLD_ACK, *seen[1 - sender]], rest)
        ways[sender] = {
            (tcb, after)
            for tcb, pending in found
            for after in captured(pending, seg, again=seg in seen[sender])
        }
        if not ways[sender]:
            return number
        seen[sender].append(seg)
    return len(capture)


def reached(
    end: End, ways: set[tuple[TCB, Pending]], arriving: list[Segment], rest: frozenset[Segment]
) -> set[tuple[TCB, Pending]]:
    """Return what an end may be after any events; of what it sends only `rest` is of interest."""
    found, todo = set(ways), list(ways)
    while todo:
        tcb, pending = todo.pop()
        outcomes = [outcome for _, outcome in end.local(tcb)]
        outcomes += [end.arrival(tcb, seg) for seg in dict.fromkeys(arriving)]
        made = [(outcome.tcb, outcome.sent) for outcome in outcomes]
        if tcb.state != CLOSED:
            made.append((tcb, Segment(tcb.snd_nxt, tcb.rcv_nxt)))  # as for a window that opens
        for after, seg in made:
            left = pending
            if seg in rest:
                left = (*(one for one in pending if one[0] != seg), (seg, 0))
            if (after, left) not in found:
                found.add((after, left))
                todo.append((after, left))
    return found


def captured(pending: Pending, seg: Segment, *, again: bool) -> Iterator[Pending]:
    """Yield what is left to be captured after a segment, if it can be that segment now.

    again: it has been captured before, so that this may be a second sight of it.
    """
    if again:
        yield tuple((sent, by + 1) for sent, by in pending)
    for at, (sent, overtaken) in enumerate(pending):
        if sent == seg and overtaken <= LATE_MAX:
            yield (*((s, by + 1) for s, by in pending[:at]), *pending[at + 1 :])


def judged(capture: Sequence[Packet]) -> str:
    """Return what `conform --complete` says of a capture of the opening and these packets."""
    judge = Judge(Asked(MODEL, True, "text", False))
    return judged_connection(judge, captured_as(capture)).verdict


def captured_as(packets: Sequence[Packet]) -> list[Sent]:
    """Return the opening and these packets as they are on the wire."""
    return [*OPENING, *(sent(*packet) for packet in packets)]


def sent(sender: int, seg: Segment) -> Sent:
    """Return a packet as it is on the wire, behind the SYNs."""
    flags = RST if seg.rst else ACK | (FIN if seg.fin else 0)
    return Sent(sender, 1 + seg.seq, 1 + seg.ack, flags, seg.text)


def walked(seed: int) -> list[Packet]:
    """Return what both ends send in a run that takes any step at random."""
    choose = random.Random(seed)
    network = Network(order="set", duplication=True, capacity=4)
    user = Application(half_close=True, data_units=(1, 2), aborts=(True, True), reading="eager")
    engine = PlainEngine(replace(model_named(MODEL), network=network, application=user))
    state, packets = engine.initial, list[Packet]()
    for _ in range(30):
        possible = engine.successors(state)
        if not possible or len(packets) == PACKETS_MAX:
            break
        step = choose.choice(possible)
        if step.sent is not None:
            packets.append((step.action.actor, step.sent))
        state = step.target
    return packets


def changed(packets: list[Packet], how: str, at: int, to: int) -> list[Packet]:
    """Return the packets with one of them missing, twice, elsewhere, or not as it was."""
    at %= len(packets)
    one = packets[at]
    rest = packets[:at] + packets[at + 1 :]
    if how == "removed":
        return rest
    if how in ("doubled", "moved"):
        rest = packets if how == "doubled" else rest
        to %= len(rest) + 1
        return [*rest[:to], one, *rest[to:]]
    if how == "as it was":
        return packets
    sender, seg = one
    other = {
        "seq": seg._replace(seq=max(0, seg.seq + 1 - 2 * (to % 2))),
        "ack": seg._replace(ack=max(0, seg.ack + 1 - 2 * (to % 2))),
        "fin": seg._replace(fin=0 if seg.text else 1 - seg.fin),  # a unit of text is not cut anew
    }
    return [*packets[:at], (sender, seg if seg.rst else other[how]), *packets[at + 1 :]]


HOW = ("as it was", "removed", "doubled", "moved", "seq", "ack", "fin")


@examples(300)
@given(st.integers(0, 10**6), st.sampled_from(HOW), st.integers(0, 50), st.integers(0, 50))
def test_a_close_deviates_exactly_when_no_run_explains_it(
    seed: int, how: str, at: int, to: int
) -> None:
    packets = walked(seed)
    assume(packets)
    capture = changed(packets, how, at, to)
    assume(capture and begins_the_close(capture[0][1]))
    verdict = judged(capture)
    if explained(capture) == len(capture):
        assert verdict in (CONFORMS, UNFINISHED, OUT_OF_SCOPE)
    else:  # a packet may be one that was overtaken in an order that is not tried
        assert verdict in (DEVIATES, OUT_OF_SCOPE)


def test_who_is_said_to_be_in_time_wait_may_be_in_it() -> None:
    judge, said = Judge(Asked(None, False, "text", False)), 0
    for seed in range(600):
        packets = walked(seed)
        for how in HOW[1:4]:
            if packets and seed % 4 != HOW.index(how):
                packets = changed(packets, how, seed // 7, seed // 3)
        one = judged_connection(judge, captured_as(packets))
        for end in (0, 1) if "RST" not in one.ended else ():
            if f"{'AB'[end]} closed first" in one.ended or "both wait" in one.ended:
                assert one.states is not None
                assert State.TIME_WAIT in one.states[end], (seed, one.ended)
                said += 1
    assert said > 10


def begins_the_close(seg: Segment) -> bool:
    """Return whether nothing has gone before: what goes before the close is not judged."""
    return bool(seg.fin or seg.rst) and (seg.seq, seg.ack) == (0, 0)


def test_most_captures_are_decided() -> None:
    verdicts = Counter[str]()
    for seed in range(400):
        packets = walked(seed)
        if packets:
            capture = changed(packets, HOW[seed % len(HOW)], seed, seed // 7)
            if capture and begins_the_close(capture[0][1]):
                verdicts[judged(capture)] += 1
    assert 3 * verdicts[OUT_OF_SCOPE] < verdicts[DEVIATES]
    assert verdicts[DEVIATES] > 5
