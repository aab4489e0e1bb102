"""The words for a segment, from the shortest to the fullest.

Where a connection is opened again, DATA and ACK of DATA name sequence numbers (text of the first
incarnation begins with 1), and what is from another incarnation than the receiver's says so.
"""

from __future__ import annotations

from tcpclose_model.engines.plain import ENDS, FIRST_NUMBER, Action, ProductState
from tcpclose_model.protocol.vocabulary import OPENING, TCB, Event, Segment


def labels(seg: Segment, receiver: TCB) -> tuple[str, str, str]:
    """Return a segment's short, usual and full label, as the end that it is on its way to sees it.

    "ACK of FIN" means that it acknowledges the receiver's FIN.  The usual label names that on a
    FIN too, because it makes a close of three segments, and a window of zero; the full one adds
    the numbers.
    """
    short = usual = _short(seg, receiver)
    if not seg.rst and (seg.fin or seg.text) and _covers_fin(seg, receiver):
        usual = f"{short}, ACK of FIN"
    if seg.wnd0:
        usual = f"{usual}, WND=0"
    if seg.inc != getattr(receiver, "inc", 0):
        short, usual = f"{short} of connection {seg.inc}", f"{usual} of connection {seg.inc}"
    has_no_ack = (seg.rst or seg.syn) and not seg.ack
    numbers = f"seq={seg.seq}" if has_no_ack else f"seq={seg.seq} ack={seg.ack}"
    numbers += f" age={seg.age}" if seg.age else ""
    return short, usual, f"{usual} {numbers}"


def label(seg: Segment, receiver: TCB) -> str:
    """Return a segment's usual label."""
    return labels(seg, receiver)[1]


def _short(seg: Segment, receiver: TCB) -> str:
    if seg.rst or seg.syn:
        return ("RST" if seg.rst else "SYN") + (", ACK" if seg.ack else "")
    before = FIRST_NUMBER if seg.inc else 0
    parts = [f"DATA {seg.seq + 1 - before}"] if seg.text else []
    if seg.fin:
        parts.append("FIN")
    if parts:
        return " + ".join(parts)
    if _covers_fin(seg, receiver):
        return "ACK of FIN"
    if seg.inc != getattr(receiver, "inc", 0):
        return f"ACK {seg.ack}"  # what it covers is another connection's
    covered = seg.ack - before
    return f"ACK of DATA {covered}" if covered > 0 else "ACK"


def _covers_fin(seg: Segment, receiver: TCB) -> bool:
    # The FIN's number is snd_end, which is kept when the TCB is deleted.
    is_ours = seg.inc == getattr(receiver, "inc", 0) and receiver.state not in OPENING
    return is_ours and seg.ack == receiver.snd_end + 1


def action_text(action: Action, state: ProductState) -> str:
    """Return an action in words: "A CLOSE", "FIN arrives at B", "ACK of FIN to A is lost"."""
    if action.event is Event.TICK:
        return Event.TICK.words
    end = ENDS[action.actor]
    if action.segment is None:
        return f"{end} {action.event.words}"
    seen = label(action.segment, state.b if action.actor else state.a)
    if action.event is Event.SEGMENT_ARRIVES:
        return f"{seen} arrives at {end}"
    if action.event is Event.SEGMENT_IS_LOST:
        return f"{seen} to {end} is lost"
    return f"{seen} to {end} is duplicated"
