"""Looking for a run that breaks a claim: what a proof could not show may simply be false."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from properties.claims import About, Claim
from tcpclose_model.engines.plain import Channel
from tcpclose_model.protocol.vocabulary import TCB, Event
from tcpclose_model.run import Run, executed
from tcpclose_model.space import StateSpace

Ends = tuple[TCB, TCB]


def run_against(space: StateSpace, claim: Claim) -> Run | None:
    """Return a shortest run to where a claim is false in an explored graph, or None.

    Of all that was ever sent, only what is in flight is looked at.
    """
    if claim.about is About.STEP:
        return _step_against(space, claim)
    known: dict[tuple[int, ...], bool] = {}
    for number in range(len(space)):
        channels = (space.a_to_b[number], space.b_to_a[number])
        parts = [space.a[number], space.b[number]]
        parts += channels if claim.about is About.SEGMENT else ()
        key = tuple(map(int, parts))
        if key not in known:
            known[key] = all(_answers(claim, *space.state(number)[:4]))
        if not known[key]:
            return executed(space, space.path_to(number))
    return None


def _answers(claim: Claim, a: TCB, b: TCB, a_to_b: Channel, b_to_a: Channel) -> Iterator[bool]:
    holds: Callable[..., bool] = claim.holds
    if claim.about is About.ENDS:
        yield holds(a, b)
        yield holds(b, a)
    elif claim.about is About.SEGMENT:
        yield from (holds(seg, a, b) for seg in a_to_b)
        yield from (holds(seg, b, a) for seg in b_to_a)
    else:
        for me, peer in ((a, b), (b, a)):
            yield from (holds(n, me, peer) for n in range(me.held.bit_length()))


def _step_against(space: StateSpace, claim: Claim) -> Run | None:
    wrong = [
        number
        for number, move in enumerate(space.moves)
        if move.before >= 0
        and not claim.holds(
            move.action.event,
            space.tcbs[move.before],
            space.tcbs[move.after],
            move.action.segment if move.action.event is Event.SEGMENT_ARRIVES else None,
        )
    ]
    if not wrong:
        return None
    bad = set(wrong)
    for source in range(space.expanded):
        for step in space.steps(source):
            if int(space.move[step]) in bad:
                return executed(space, [*space.path_to(source), (source, step)])
    return None
