"""Switches: a CLOSE before our SYN is acknowledged, and SYNs before RFC 5961.

Imported by `switches`, and only there, after all switches that have rows about SYNs.
"""

from __future__ import annotations

from dataclasses import replace

from tcpclose_model.protocol.effects import (
    count_fin,
    count_retransmission,
    queue_fin,
    release,
    send_fin,
    send_reset_for,
    take_ack,
    tell_reset,
)
from tcpclose_model.protocol.notation import Protocol, Rule
from tcpclose_model.protocol.opening_words import (
    ack_bit_is_off,
    ack_bit_is_on,
    drop_syn,
    keep_syn,
    send_reset_for_syn,
    send_syn_ack,
    syn_is_not_oldest,
    syn_is_oldest,
)
from tcpclose_model.protocol.vocabulary import CLOSED, FIN_WAIT_1, SYN_RECEIVED, Event
from tcpclose_model.protocol.words import seg_is_acceptable, seg_is_unacceptable
from tcpclose_model.variants.opening_switches import reopening
from tcpclose_model.variants.switching import edited, switch

CHALLENGED = "syn_is_challenged"


@switch("a CLOSE in SYN-RECEIVED sends the FIN at once", "3.10.4")
def closes_in_syn_received(protocol: Protocol) -> Protocol:
    """Edit: no text is pending there, so that nothing is queued; the SYN is still to be repeated."""
    protocol = reopening(protocol).with_field("syn_unacked", 1)
    for rule in protocol.rules:
        if take_ack in rule.do:
            protocol = edited(protocol, rule.name, do=(*rule.do, drop_syn))
    for rule in protocol.rules:
        if rule.on is Event.RETRANSMISSION_TIMEOUT and FIN_WAIT_1 in rule.at:
            protocol = edited(protocol, rule.name, when=(*rule.when, syn_is_not_oldest))
    close = Rule(
        "close_in_syn_received",
        at=SYN_RECEIVED,
        on=Event.CLOSE,
        do=(queue_fin, release, keep_syn, send_fin, count_fin),
        to=FIN_WAIT_1,
        cite="3.10.4",
    )
    again = Rule(
        "retransmit_syn_ack_in_fin_wait_1",
        at=FIN_WAIT_1,
        on=Event.RETRANSMISSION_TIMEOUT,
        when=syn_is_oldest,
        do=(send_syn_ack, count_retransmission),
        cite="3.10.8: the segment at the front of the retransmission queue",
    )
    return protocol.add(close, again, why="SYN-RECEIVED need not be waited out")


@switch("a SYN in the window of a synchronized connection resets it", "RFC 793 3.9, fourth check")
def syn_resets(protocol: Protocol) -> Protocol:
    """Edit: both ends' connections are reset; a SYN outside the window has had its ACK already."""
    protocol = reopening(protocol)
    for rule in protocol.rules:
        if rule.name.startswith(CHALLENGED):
            outside = (*rule.when, seg_is_unacceptable)
            protocol = edited(protocol, rule.name, when=outside, do=())
            resets = replace(
                rule,
                name=rule.name.replace(CHALLENGED, "syn_resets"),
                when=(*rule.when, ack_bit_is_off, seg_is_acceptable),
                do=(send_reset_for_syn, tell_reset),
                to=CLOSED,
                cite="RFC 793 3.9, fourth check; 3.4 for the reset's numbers",
            )
            with_ack = replace(
                resets,
                name=rule.name.replace(CHALLENGED, "syn_ack_resets"),
                when=(*rule.when, ack_bit_is_on, seg_is_acceptable),
                do=(send_reset_for, tell_reset),
            )
            protocol = protocol.add(resets, with_ack, why="no challenge")
    return protocol
