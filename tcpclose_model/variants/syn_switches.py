"""A switch: what a SYN did to a synchronized connection before RFC 5961.

Imported by `switches`, and only there, after all switches that have rows about SYNs.
"""

from __future__ import annotations

from dataclasses import replace

from tcpclose_model.protocol.effects import send_reset_for, tell_reset
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.opening_words import (
    ack_bit_is_off,
    ack_bit_is_on,
    send_reset_for_syn,
)
from tcpclose_model.protocol.vocabulary import CLOSED
from tcpclose_model.protocol.words import seg_is_acceptable, seg_is_unacceptable
from tcpclose_model.variants.opening_switches import reopening
from tcpclose_model.variants.switching import edited, switch

CHALLENGED = "syn_is_challenged"


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
