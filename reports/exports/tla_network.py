"""The network of a model in TLA+: what is in flight, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from tcpclose_model.engines.guards import Guard
from tcpclose_model.parts import Network

OVERFLOWS = "a full channel loses what is sent into it"


@dataclass(frozen=True, slots=True)
class Wire:
    """How one kind of channel is written.

    empty: an empty channel; size: how many segments `{}` holds; put: the channel `q` with `sent`;
    choice: how an action chooses a segment `s` of the channel to `me`, once for each that differs;
    taken, copied: what the channel then is without it, and with one more.
    """

    about: str
    empty: str
    size: str
    put: str
    choice: str
    taken: str
    copied: str


FIFO = Wire(
    "a sequence: the head is the next to arrive",
    "<<>>",
    "Len({})",
    "q \\o sent",
    "\\E i \\in Places(inbound[me]) : LET s == inbound[me][i] IN",
    "Without(inbound[me], i)",
    "Doubled(inbound[me], i)",
)
BAG = Wire(
    "a bag: any segment may be the next to arrive",
    "EmptyBag",
    "BagCardinality({})",
    "q (+) SetToBag({sent[1]})",
    "\\E s \\in BagToSet(inbound[me]) :",
    "inbound[me] (-) SetToBag({s})",
    "inbound[me] (+) SetToBag({s})",
)
SET = Wire(
    "a set: any segment may be the next to arrive, and equal ones are one",
    "{}",
    "Cardinality({})",
    "q \\cup {sent[1]}",
    "\\E s \\in inbound[me] :",
    "inbound[me] \\ {s}",
    "inbound[me]",
)
WIRES = {"fifo": FIFO, "any": BAG, "set": SET}

MODULES = {"fifo": "Sequences", "any": "Sequences, Bags", "set": "Sequences, FiniteSets"}
"""The standard modules that a discipline needs (what is sent is a sequence in each)."""

PLACES = """\\* Equal neighbours count once: losing or copying one or the other is the same.
Places(q) == {i \\in 1..Len(q) : i > 1 => q[i] # q[i - 1]}
Without(q, i) == SubSeq(q, 1, i - 1) \\o SubSeq(q, i + 1, Len(q))"""
DOUBLED = "Doubled(q, i) == SubSeq(q, 1, i) \\o SubSeq(q, i, Len(q))"


def channels(network: Network) -> str:
    """Return what a channel is, and how a segment is put into it."""
    wire = WIRES[network.order]
    size = wire.size.format("q")
    same = "sent = Nothing \\/ Size(q) >= Capacity" if network.loss else "sent = Nothing"
    lines = [
        f"\\* inbound[me]: the segments on their way to `me`, {wire.about}.",
        f"Empty == {wire.empty}",
        f"Size(q) == {size}",
        'NothingInFlight == inbound["A"] = Empty /\\ inbound["B"] = Empty',
        f"\\* A channel after `sent` has been sent into it; {OVERFLOWS}."
        if network.loss
        else "\\* A channel after `sent` has been sent into it; a sender has waited for room.",
        f"Pushed(q, sent) == IF {same} THEN q ELSE {wire.put}",
    ]
    if network.order == "fifo" and (network.loss or network.duplication):
        lines += [PLACES, DOUBLED] if network.duplication else [PLACES]
    return "\n".join(lines)


def arrivals(network: Network) -> str:
    """Return SEGMENT ARRIVES: which segments may arrive, and what is then left of the channel."""
    if network.order == "fifo":
        return (
            "SEGMENT_ARRIVES(me) ==\n    /\\ inbound[me] # Empty\n"
            "    /\\ Arrives(me, Head(inbound[me]), Tail(inbound[me]))"
        )
    wire = WIRES[network.order]
    stays = network.order == "set" and network.duplication
    left = "inbound[me]" if stays else wire.taken
    said = "\\* What arrives stays in flight too, until it is lost.\n" if stays else ""
    return f"{said}SEGMENT_ARRIVES(me) ==\n    {wire.choice} Arrives(me, s, {left})"


def losses(network: Network) -> str:
    """Return the network's steps and their names: loss and duplication."""
    wire = WIRES[network.order]
    said = []
    if network.loss or network.duplication:
        said.append(
            "\\* Something happens to a segment on its way to `me`, and to nothing else.\n"
            "Network(me, event, s, channel) ==\n"
            "    /\\ inbound' = [inbound EXCEPT ![me] = channel]\n"
            "    /\\ UNCHANGED tcb\n"
            "    /\\ Noted(me, event, <<s>>, Nothing)"
        )
    if network.loss:
        said.append(
            "\\* Any segment in flight may be lost.\n"
            f"SEGMENT_IS_LOST(me) ==\n    {wire.choice}\n"
            f'        Network(me, "SEGMENT_IS_LOST", s, {wire.taken})'
        )
    if copies(network):
        room = "Size(inbound[me]) < Capacity" if network.loss else ROOM
        said.append(
            "\\* Any segment in flight may be copied while there is room"
            + (" (behind the original)" if network.order == "fifo" else "")
            + f".\nSEGMENT_IS_DUPLICATED(me) ==\n    /\\ {room}\n    /\\ {wire.choice}\n"
            f'           Network(me, "SEGMENT_IS_DUPLICATED", s, {wire.copied})'
        )
    return "\n\n".join(said)


def copies(network: Network) -> bool:
    """Return whether the network copies segments in a step of its own."""
    return network.duplication and network.order != "set"


def leaving(network: Network) -> str:
    """Return the action in which a segment leaves its channel, for fairness (W3)."""
    if network.order == "fifo":
        lost = (
            '\n    \\/ /\\ inbound[me] # Empty\n       /\\ Network(me, "SEGMENT_IS_LOST", '
            "Head(inbound[me]), Tail(inbound[me]))"
        )
        return f"HeadLeaves(me) ==\n    \\/ SEGMENT_ARRIVES(me){lost if network.loss else ''}"
    wire = WIRES[network.order]
    inside = "BagToSet(inbound[me])" if wire is BAG else "inbound[me]"
    left = "inbound[me]" if network.order == "set" and network.duplication else wire.taken
    lost = f'\n       \\/ Network(me, "SEGMENT_IS_LOST", s, {wire.taken})' if network.loss else ""
    return f"Leaves(me, s) ==\n    /\\ s \\in {inside}\n    /\\ \\/ Arrives(me, s, {left}){lost}"


ROOM = 'Size(inbound["A"]) + Size(inbound["B"]) < Capacity'
NEEDS = {
    Guard.OWN_ROOM: "Size(inbound[Peer(me)]) < Capacity",
    Guard.ROOM: ROOM,
    Guard.NOTHING_INBOUND: "inbound[me] = Empty",
    Guard.NOTHING_OUTBOUND: "inbound[Peer(me)] = Empty",
    Guard.PEER_DONE: 'tcb[Peer(me)].state \\in {"CLOSED", "TIME_WAIT"}',
    Guard.PEER_CLOSED: 'tcb[Peer(me)].state = "CLOSED"',
}
"""What a step may need of the channels and of the peer."""


def needed(guard: Guard) -> list[str]:
    """Return what a guard asks, as TLA+."""
    nothing = Guard.NOTHING_INBOUND | Guard.NOTHING_OUTBOUND
    said = []
    if guard & nothing == nothing:
        said, guard = ["NothingInFlight"], guard & ~nothing
    return said + [text for one, text in NEEDS.items() if one & guard]
