"""Predicates and effects of flow control, on the two things it adds: SND.WND and the buffer.

The receive buffer holds one unit of text, so a window is open (empty buffer, one unit may come) or
zero (the unit is there and unread).  Both edges move right only: no window ever shrinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcpclose_model.protocol.vocabulary import TCB, Segment
from tcpclose_model.protocol.words import fin_is_next, negation, text_is_next


def _snd_wnd0(tcb: TCB) -> int:
    """Return 1 if SND.WND is zero: the field that `flow_control` adds to the TCB."""
    added: Any = tcb  # Any: a field known at run time only
    value: int = added.snd_wnd0
    return value


# The receiver -------------------------------------------------------------------------------


def receive_window_is_zero(tcb: TCB, seg: Segment) -> bool:
    """The buffer is full: text is unread, and its user has not gone."""
    return (tcb.read < tcb.rcv_text) & (tcb.released == 0)


def receive_window_is_open(tcb: TCB, seg: Segment) -> bool:
    """The buffer is empty, or nobody is there for whom text would be kept."""
    return negation(receive_window_is_zero(tcb, seg))


def text_finds_no_room(tcb: TCB, seg: Segment) -> bool:
    """The text is next, and the buffer is full."""
    return text_is_next(tcb, seg) & receive_window_is_zero(tcb, seg)


def fin_finds_no_room(tcb: TCB, seg: Segment) -> bool:
    """A FIN is next, and the window is zero."""
    return fin_is_next(tcb, seg) & receive_window_is_zero(tcb, seg)


def buffer_has_no_room(tcb: TCB, seg: Segment) -> bool:
    """Text is unread, whether or not there is a user who could read it."""
    return tcb.read < tcb.rcv_text


def buffer_has_room(tcb: TCB, seg: Segment) -> bool:
    """No text is unread."""
    return negation(tcb.read < tcb.rcv_text)


def text_overflows_the_buffer(tcb: TCB, seg: Segment) -> bool:
    """The text is next, and text is unread."""
    return text_is_next(tcb, seg) & (tcb.read < tcb.rcv_text)


# The sender ---------------------------------------------------------------------------------


def send_window_is_zero(tcb: TCB, seg: Segment) -> bool:
    """SND.WND is zero, as far as the peer has told."""
    return _snd_wnd0(tcb) == 1


def send_window_is_not_zero(tcb: TCB, seg: Segment) -> bool:
    """SND.WND is not zero, as far as the peer has told."""
    return _snd_wnd0(tcb) == 0


def seg_has_a_window(tcb: TCB, seg: Segment) -> bool:
    """SEG.WND is not zero."""
    return seg.wnd0 == 0


def seg_has_no_window(tcb: TCB, seg: Segment) -> bool:
    """SEG.WND is zero."""
    return seg.wnd0 == 1


def probes_are_unanswered(tcb: TCB, seg: Segment) -> bool:
    """Something has been sent again and nothing has come back."""
    return tcb.retransmitted > 0


def take_window(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """SND.WND <- SEG.WND."""
    return {"snd_wnd0": seg.wnd0}


def count_probes_anew(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The peer is there: what R2 counts starts again."""
    return {"retransmitted": 0}
