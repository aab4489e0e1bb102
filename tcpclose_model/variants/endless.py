"""A sender who never stops, folded: once a unit is acknowledged, numbers begin again at 0.

The user may send one unit more whenever none is unacknowledged, for ever.  Where nothing is lost or
sent twice and one unit is out at a time, the numbers of both ends differ from the real ones by the
same count, so every state stands for all the states of the endless run that are alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from tcpclose_model.protocol.effects import take_text
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.rules import RFC9293, WITH_QUEUE
from tcpclose_model.protocol.vocabulary import ACK_STEP, TCB, Event, Segment
from tcpclose_model.protocol.words import (
    Predicate,
    fin_is_next_to_send,
    no_text_is_queued,
    text_is_queued,
)
from tcpclose_model.variants.mutants import fin_is_out
from tcpclose_model.variants.switching import edited


def our_fin_is_unsent(tcb: TCB, seg: Segment) -> bool:
    """Our FIN has not been sent."""
    return tcb.fin_sent == 0


def no_text_is_left(tcb: TCB, seg: Segment) -> bool:
    """All text has been sent and acknowledged."""
    return tcb.snd_una == tcb.snd_end


def text_is_left(tcb: TCB, seg: Segment) -> bool:
    """Text is queued, or sent and not yet acknowledged."""
    return tcb.snd_una < tcb.snd_end


def fin_is_all_that_is_left(tcb: TCB, seg: Segment) -> bool:
    """A FIN is queued and unsent, and all text is acknowledged."""
    return fin_is_next_to_send(tcb, seg) & (tcb.snd_una == tcb.snd_end)


def send_from_zero(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The next unit takes number 0 again."""
    return {"snd_una": 0, "snd_nxt": 0, "snd_end": 0, "retransmitted": 0}


def receive_from_zero(tcb: TCB, seg: Segment) -> Mapping[str, int]:
    """The next unit is expected at number 0 again."""
    return {"rcv_nxt": 0, "rcv_text": 0, "read": 0}


FIN_WAITS: dict[Predicate, Predicate] = {
    no_text_is_queued: no_text_is_left,
    text_is_queued: text_is_left,
    fin_is_next_to_send: fin_is_all_that_is_left,
}
"""What a CLOSE, and a FIN that is queued, wait for: so a FIN never stands behind a number."""


def _endless(protocol: Protocol) -> Protocol:
    for rule in protocol.rules:
        if take_text in rule.do:
            protocol = edited(protocol, rule.name, do=(*rule.do, receive_from_zero))
        when = [FIN_WAITS.get(predicate, predicate) for predicate in rule.when]
        if rule.on is not Event.TRANSMIT or fin_is_next_to_send in rule.when:
            protocol = edited(protocol, rule.name, when=when) if when != [*rule.when] else protocol
    new_ack = protocol.rule("new_ack")
    protocol = edited(protocol, "new_ack", when=(*new_ack.when, fin_is_out))
    acked = Rule(
        "unit_acked",
        at=WITH_QUEUE,
        on=ACK_STEP,
        when=(*new_ack.when, our_fin_is_unsent),
        do=send_from_zero,
        cite=new_ack.cite,
    )
    return protocol.add(acked, why="one unit stands for all that follow")


endless_sender: Protocol = RFC9293.together(
    "endless_sender",
    _endless,
    why="one unit of text stands for an endless stream",
    cite="NuttX pull request 8915",
)
