"""A middlebox beside one end: a stateful firewall or a NAT, as rows of its own.

It keeps one entry for the connection and reads flags and directions, no sequence numbers: so do the
boxes that it stands for.  What it sends itself has the numbers that the end beside it has shown.
A segment that no row speaks of passes, as long as there is an entry.

OUTBOUND is what the end beside the box sends, INBOUND what comes from the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum

from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.notation import DROP, PASS_ON, Rule, each, words
from tcpclose_model.protocol.vocabulary import TCB, Event, Segment
from tcpclose_model.protocol.words import (
    Predicate,
    seg_has_fin,
    seg_has_no_fin,
    seg_is_not_rst,
    seg_is_rst,
)


class BoxState(IntEnum):
    """What a middlebox remembers of the connection."""

    TRACKED = 0
    """An entry, and no FIN has passed."""
    FIN_OUT = 1
    """A FIN has passed outbound, none inbound: the connection is half closed."""
    FIN_IN = 2
    """A FIN has passed inbound, none outbound."""
    TRANSITORY = 3
    """FINs have passed both ways, or a RST has passed."""
    FORGOTTEN = 4
    """No entry."""


class BoxEvent(Enum):
    """What a middlebox acts on."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    TIMEOUT = "timeout"


class Act(Enum):
    """What a middlebox does; a segment that is not forwarded is dropped."""

    FORWARD = "forward it"
    RESET_INSIDE = "reset the end beside it"
    RESET_OUTSIDE = "reset the other end"


TRACKED, FIN_OUT, FIN_IN = BoxState.TRACKED, BoxState.FIN_OUT, BoxState.FIN_IN
TRANSITORY, FORGOTTEN = BoxState.TRANSITORY, BoxState.FORGOTTEN
OUTBOUND, INBOUND, TIMEOUT = BoxEvent.OUTBOUND, BoxEvent.INBOUND, BoxEvent.TIMEOUT
FORWARD, RESET_INSIDE, RESET_OUTSIDE = Act.FORWARD, Act.RESET_INSIDE, Act.RESET_OUTSIDE


@dataclass(frozen=True, slots=True, init=False)
class BoxRule(Rule):
    """A row of a middlebox: in its states `box_at`, on `box_on`, when `when` holds, `acts`, `box_to`.

    It is a Rule, so that runs can name it, but stands in no protocol's table.
    """

    box_at: tuple[BoxState, ...]
    box_on: BoxEvent
    acts: tuple[Act, ...]
    box_to: BoxState | None

    def __init__(
        self,
        name: str,
        *,
        at: BoxState | Iterable[BoxState],
        on: BoxEvent,
        when: Predicate | Iterable[Predicate] = (),
        acts: Act | Iterable[Act] = (),
        to: BoxState | None = None,
        cite: str,
    ) -> None:
        acts = each(acts)
        if FORWARD in acts and RESET_OUTSIDE in acts:
            raise ModelError(f"rule {name!r}: a middlebox sends one segment at a time to a side")
        then = PASS_ON if FORWARD in acts else DROP
        values = (name, (), Event.MIDDLEBOX_TIMEOUT, each(when), (), None, then, cite, "")
        for slot, value in zip(Rule.__slots__, values, strict=True):
            object.__setattr__(self, slot, value)
        for slot, mine in zip(BoxRule.__slots__, (each(at), on, acts, to), strict=True):
            object.__setattr__(self, slot, mine)

    def text(self) -> str:
        """Return the row in words, for people."""
        at = ", ".join(state.name for state in self.box_at)
        when = " and ".join(words(predicate) for predicate in self.when) or "always"
        does = "; ".join(act.value for act in self.acts)
        does = does or ("nothing" if self.box_on is TIMEOUT else "drop it")
        ends = f" -> {self.box_to.name}" if self.box_to is not None else ""
        return f"{at} on {self.box_on.name}: when {when}: {does}{ends}"


PURE = (seg_is_not_rst, seg_has_no_fin)
WITH_ENTRY = (TRACKED, FIN_OUT, FIN_IN, TRANSITORY)
HALF_CLOSED = (FIN_OUT, FIN_IN)
CONNTRACK = "Linux nf_conntrack"
TRANSITORY_IDLE = f"RFC 5382 REQ-5: transitory idle-timeout; {CONNTRACK}_tcp_timeout_last_ack"
HALF_CLOSED_IDLE = f"RFC 7857 2.1; {CONNTRACK}_tcp_timeout_fin_wait, _close_wait"
IDLE = f"RFC 5382 REQ-5: established idle-timeout; {CONNTRACK}_tcp_timeout_established"

# fmt: off
TRACKING = (
    # It watches FINs and resets go by; they pass.
    BoxRule("box_sees_fin_out",        at=TRACKED,    on=OUTBOUND, when=seg_has_fin, acts=FORWARD, to=FIN_OUT,    cite=f"{CONNTRACK}: FIN_WAIT"),
    BoxRule("box_sees_fin_in",         at=TRACKED,    on=INBOUND,  when=seg_has_fin, acts=FORWARD, to=FIN_IN,     cite=f"{CONNTRACK}: FIN_WAIT"),
    BoxRule("box_sees_last_fin_out",   at=FIN_IN,     on=OUTBOUND, when=seg_has_fin, acts=FORWARD, to=TRANSITORY, cite=f"{CONNTRACK}: LAST_ACK"),
    BoxRule("box_sees_last_fin_in",    at=FIN_OUT,    on=INBOUND,  when=seg_has_fin, acts=FORWARD, to=TRANSITORY, cite=f"{CONNTRACK}: LAST_ACK"),
    BoxRule("box_sees_reset_out",      at=(TRACKED, *HALF_CLOSED), on=OUTBOUND, when=seg_is_rst, acts=FORWARD, to=TRANSITORY, cite=f"{CONNTRACK}: CLOSE"),
    BoxRule("box_sees_reset_in",       at=(TRACKED, *HALF_CLOSED), on=INBOUND,  when=seg_is_rst, acts=FORWARD, to=TRANSITORY, cite=f"{CONNTRACK}: CLOSE"),
)

AT_LAST_ACK = (
    # After both FINs the next segment without one is taken for the last ACK; nobody waits for more.
    BoxRule("box_forgets_at_last_ack_out", at=TRANSITORY, on=OUTBOUND, when=PURE, acts=FORWARD, to=FORGOTTEN, cite="against RFC 5382 REQ-5"),
    BoxRule("box_forgets_at_last_ack_in",  at=TRANSITORY, on=INBOUND,  when=PURE, acts=FORWARD, to=FORGOTTEN, cite="against RFC 5382 REQ-5"),
)

UNKNOWN = {
    # What happens to a segment of a connection that the box has no entry for.
    "drops": (
        BoxRule("box_drops_out", at=FORGOTTEN, on=OUTBOUND, cite="a policy that lets only SYNs begin"),
        BoxRule("box_drops_in",  at=FORGOTTEN, on=INBOUND,  cite="a policy that lets only SYNs begin"),
    ),
    "resets": (
        BoxRule("box_resets_inside",   at=FORGOTTEN, on=OUTBOUND, when=seg_is_not_rst, acts=RESET_INSIDE,  cite="iptables REJECT --reject-with tcp-reset"),
        BoxRule("box_resets_outside",  at=FORGOTTEN, on=INBOUND,  when=seg_is_not_rst, acts=RESET_OUTSIDE, cite="iptables REJECT --reject-with tcp-reset"),
        BoxRule("box_drops_reset_out", at=FORGOTTEN, on=OUTBOUND, when=seg_is_rst, cite="RFC 9293 3.5.2: no RST in answer to a RST"),
        BoxRule("box_drops_reset_in",  at=FORGOTTEN, on=INBOUND,  when=seg_is_rst, cite="RFC 9293 3.5.2: no RST in answer to a RST"),
    ),
    "tracks": (
        BoxRule("box_picks_up_out",    at=FORGOTTEN, on=OUTBOUND, when=PURE, acts=FORWARD, to=TRACKED, cite=f"{CONNTRACK}_tcp_loose=1"),
        BoxRule("box_picks_up_in",     at=FORGOTTEN, on=INBOUND,  when=PURE, acts=FORWARD, to=TRACKED, cite=f"{CONNTRACK}_tcp_loose=1"),
        BoxRule("box_drops_fin_out",   at=FORGOTTEN, on=OUTBOUND, when=seg_has_fin, cite=f"{CONNTRACK}: a FIN without an entry is INVALID"),
        BoxRule("box_drops_fin_in",    at=FORGOTTEN, on=INBOUND,  when=seg_has_fin, cite=f"{CONNTRACK}: a FIN without an entry is INVALID"),
        BoxRule("box_drops_reset_out", at=FORGOTTEN, on=OUTBOUND, when=seg_is_rst, cite=f"{CONNTRACK}: a RST without an entry is INVALID"),
        BoxRule("box_drops_reset_in",  at=FORGOTTEN, on=INBOUND,  when=seg_is_rst, cite=f"{CONNTRACK}: a RST without an entry is INVALID"),
    ),
}
# fmt: on

TELLS: dict[str, tuple[Act, ...]] = {
    "nobody": (),
    "inside": (RESET_INSIDE,),
    "outside": (RESET_OUTSIDE,),
    "both": (RESET_INSIDE, RESET_OUTSIDE),
}
"""Whom a box resets when it forgets a connection by a timeout."""

FORGETS = ("at_last_ack", "after_fins", "after_a_fin", "when_idle")
"""When a box may forget: each name from the second on takes in those before it but the first."""


class Box:
    """A middlebox made ready to run: the rows that its parameters choose."""

    def __init__(self, forgets: str, unknown: str, tells: str) -> None:
        self.rules = (*TRACKING, *_forgetting(forgets, TELLS[tells]), *UNKNOWN[unknown])

    def row(self, state: BoxState, on: BoxEvent, tcb: TCB, seg: Segment) -> BoxRule | None:
        """Return the row that fits; None where a segment passes, or no timer runs."""
        fits = [
            rule
            for rule in self.rules
            if state in rule.box_at and rule.box_on is on and all(p(tcb, seg) for p in rule.when)
        ]
        if len(fits) > 1:
            names = " and ".join(rule.name for rule in fits)
            raise ModelError(f"middlebox: rules {names} both fit {state.name} on {on.name}")
        return fits[0] if fits else None


def _forgetting(forgets: str, tells: tuple[Act, ...]) -> tuple[BoxRule, ...]:
    """Return the rows by which a box forgets."""
    if forgets == "at_last_ack":
        return AT_LAST_ACK
    rows = (
        ("box_forgets_after_fins", (TRANSITORY,), TRANSITORY_IDLE),
        ("box_forgets_half_closed", HALF_CLOSED, HALF_CLOSED_IDLE),
        ("box_forgets_idle", (TRACKED,), IDLE),
    )
    return tuple(
        BoxRule(name, at=at, on=TIMEOUT, acts=tells, to=FORGOTTEN, cite=cite)
        for name, at, cite in rows[: FORGETS.index(forgets)]
    )
