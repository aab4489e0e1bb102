"""Any two ends and any segments between them, as solver terms, with what claims say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import z3

from properties.claims import About, Claim, is_flag
from tcpclose_model.engines.symbolic import (
    SymbolicTable,
    Term,
    as_terms,
    symbolic_segment,
    symbolic_tcb,
)
from tcpclose_model.protocol.vocabulary import Segment, State


class Situation:
    """An end in one state, or in any, its peer in any, and segments that were sent before.

    arriving: a segment that was sent to the end; mine, theirs: one in each direction that stands
    for all the rest; number: any number of text that may be held.
    """

    def __init__(
        self, state: State | None, table: SymbolicTable, peers_table: SymbolicTable
    ) -> None:
        self.table, self.peers_table = table, peers_table
        self.me = symbolic_tcb(table.protocol, "me", state)
        self.peer = symbolic_tcb(peers_table.protocol, "peer", None)
        self.arriving = symbolic_segment("seg")
        self.mine, self.theirs = symbolic_segment("mine"), symbolic_segment("theirs")
        self.number = z3.Int("number")

    def premises(self, claims: Iterable[Claim]) -> Iterator[Term]:
        """Yield what is so of the ends and of what was sent, if the claims are."""
        me = as_terms(self.me)
        yield z3.Or([self.peer.state == int(state) for state in self.peers_table.states()])
        segments = (self.arriving, self.mine, self.theirs)
        yield from (is_flag(bit) for seg in segments for bit in (seg.text, seg.fin, seg.rst))
        for tcb, table in ((me, self.table), (self.peer, self.peers_table)):
            # A row that leaves the range of such a field is an error wherever it is run.
            for name, most in table.protocol.fields:
                yield z3.And(getattr(tcb, name) >= 0, getattr(tcb, name) <= most)
        for claim in claims:
            yield from self.says(claim)

    def says(self, claim: Claim) -> Iterator[Term]:
        """Yield what a claim says of the ends, of each segment and of the numbers that matter."""
        me = as_terms(self.me)
        if claim.about is About.ENDS:
            yield from (claim.holds(me, self.peer), claim.holds(self.peer, me))
        elif claim.about is About.SEGMENT:
            yield from (claim.holds(seg, self.peer, me) for seg in (self.arriving, self.theirs))
            yield claim.holds(self.mine, me, self.peer)
        elif claim.about is About.HELD:
            for number in (self.number, me.rcv_nxt, self.peer.rcv_nxt, self.arriving.seq):
                yield claim.holds(number, me, self.peer)
                yield claim.holds(number, self.peer, me)

    def numbers(self) -> list[Term]:
        """Return every number in the situation."""
        records = (self.me, self.peer, self.arriving, self.mine, self.theirs)
        return [value for record in records for value in record if isinstance(value, z3.ArithRef)]

    def read(self, values: Term, segment: Segment | None) -> dict[str, str]:
        """Return the values of the end (`me`), its peer and the arriving segment; no zeros."""
        records: dict[str, Any] = {"me": self.me, "peer": self.peer}  # Any: TCBs and a segment
        if segment is not None:
            records["seg"] = segment
        found = {}
        for name, record in records.items():
            for slot, value in zip(record._fields, record, strict=True):
                if isinstance(value, z3.ExprRef):
                    number = values.eval(value, model_completion=True)
                    if slot == "state":
                        found[f"{name}.{slot}"] = State(number.as_long()).name
                    elif number.as_long():
                        found[f"{name}.{slot}"] = str(number)
        return found
