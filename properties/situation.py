"""Any two ends and any segments between them, as solver terms, with what claims say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache, lru_cache
from typing import Any, NamedTuple

import z3

from properties.claims import About, Claim, is_flag
from properties.questions import Number
from tcpclose_model.engines.symbolic import (
    MARKED,
    Marks,
    SymbolicTable,
    Term,
    as_terms,
    symbolic_segment,
    symbolic_tcb,
)
from tcpclose_model.protocol.vocabulary import TCB, Segment, State

CLAIMS_KEPT = 4_096
"""Claims of which it is kept what they say; making the terms is most of the work of a proof."""

STATE = frozenset({"state"})

Kind = Any
"""A class of TCBs: tables may add fields.  (Any: mypy does not know that it can be hashed.)"""


class Said(NamedTuple):
    """What a claim says, as a term about an end `me` in any state and its peer.

    reads: the fields of `me` that the claim reads; stands_for_all: whether its subject stands for
    all others, as a number that is any number does, and RCV.NXT does not.
    """

    term: Term
    reads: frozenset[str]
    stands_for_all: bool = True


class Situation:
    """An end in one state, or in any, its peer in any, and segments that were sent before.

    arriving: a segment that was sent to the end; mine, theirs: one in each direction that stands
    for all the rest; number: any number of text that may be held.
    """

    def __init__(
        self, state: State | None, table: SymbolicTable, peers_table: SymbolicTable
    ) -> None:
        self._state, self.table, self.peers_table = state, table, peers_table
        self.me = symbolic_tcb(table.protocol, "me", state)
        self.peer = symbolic_tcb(peers_table.protocol, "peer", None)
        self.arriving = symbolic_segment("seg")
        self.mine, self.theirs = symbolic_segment("mine"), symbolic_segment("theirs")
        self.number = z3.Int("number")
        self._kinds: tuple[Kind, Kind] = type(self.me), type(self.peer)
        self._terms: TCB = as_terms(self.me)

    def premises(self, claims: Iterable[Claim]) -> Iterator[Term]:
        """Yield what is so of the ends and of what was sent, if the claims are."""
        yield z3.Or([self.peer.state == int(state) for state in self.peers_table.states()])
        segments = (self.arriving, self.mine, self.theirs)
        yield from (is_flag(bit) for seg in segments for bit in (seg.text, seg.fin, seg.rst))
        for tcb, table in ((self._terms, self.table), (self.peer, self.peers_table)):
            # A row that leaves the range of such a field is an error wherever it is run.
            for name, most in table.protocol.fields:
                yield z3.And(getattr(tcb, name) >= 0, getattr(tcb, name) <= most)
        for claim in claims:
            yield from self.says(claim)

    def says(self, claim: Claim) -> Iterator[Term]:
        """Yield what a claim says of the ends, of each segment and of the numbers that matter."""
        for said in _said(claim, *self._kinds):
            yield _filled(said, self._terms, STATE)

    def says_after(self, claim: Claim, me: TCB, changed: Set[str]) -> Iterator[Term]:
        """Yield what a claim says once these fields of the end have become what they are in `me`.

        It says that of the two ends, and of what stands for all that was sent or is held; what
        reads none of these fields is left out.
        """
        for said in _said(claim, *self._kinds):
            if said.stands_for_all and changed & said.reads:
                yield _filled(said, me, changed | STATE)

    def numbers(self) -> Sequence[Number]:
        """Return every number in the situation."""
        known = _numbers(*self._kinds)
        return known[1:] if self._state is not None else known

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


def work_out(claims: Iterable[Claim], table: SymbolicTable, peers_table: SymbolicTable) -> None:
    """Work out what claims say, so that processes which are forked need not, each by itself."""
    at = Situation(None, table, peers_table)
    at.numbers()
    for claim in claims:
        list(at.says(claim))


@lru_cache(CLAIMS_KEPT)
def _said(claim: Claim, mine: Kind, peers: Kind) -> tuple[Said, ...]:
    """Return what a claim says of ends with such TCBs, and of segments and numbers."""
    if claim.about is About.STEP:
        return ()
    me, peer = _any_end("me", mine), _any_end("peer", peers)
    arriving, own, theirs = (symbolic_segment(name) for name in ("seg", "mine", "theirs"))
    first, second = _fields_read(claim)
    if claim.about is About.ENDS:
        said = [Said(claim.holds(me, peer), first), Said(claim.holds(peer, me), second)]
    elif claim.about is About.SEGMENT:
        said = [Said(claim.holds(seg, peer, me), second) for seg in (arriving, theirs)]
        said.append(Said(claim.holds(own, me, peer), first))
    else:
        said = []
        any_number = z3.Int("number")
        for number in (any_number, me.rcv_nxt, peer.rcv_nxt, arriving.seq):
            said.append(Said(claim.holds(number, me, peer), first, number is any_number))
            said.append(Said(claim.holds(number, peer, me), second, number is any_number))
    return tuple(one._replace(term=_as_term(one.term)) for one in said)


def _as_term(value: Term) -> Term:
    return z3.BoolVal(value) if isinstance(value, bool) else value


@cache
def _numbers(mine: Kind, peers: Kind) -> tuple[Number, ...]:
    """Return every number in ends with such TCBs and in segments, the state of `me` first."""
    ends = _any_end("me", mine), _any_end("peer", peers)
    segments = (symbolic_segment(name) for name in ("seg", "mine", "theirs"))
    terms = [value for record in (*ends, *segments) for value in record]
    return tuple(Number.of(term) for term in terms if isinstance(term, z3.ArithRef))


@cache
def _any_end(name: str, kind: Kind) -> TCB:
    """Return a TCB whose fields are terms called `name.field`."""
    fields = {field: z3.Int(f"{name}.{field}") for field in kind._fields}
    marked = {f: Marks(z3.Array(f"{name}.{f}", z3.IntSort(), z3.BoolSort())) for f in MARKED}
    end: TCB = kind(**{**fields, **marked})
    return end


def _filled(said: Said, me: TCB, changed: Set[str]) -> Term:
    """Return a term in which these fields of the end are what they are in `me`."""
    kind: Kind = type(me)
    any_end = _any_end("me", kind)
    pairs = [
        (_bare(getattr(any_end, name)), _bare(getattr(me, name)))
        for name in sorted(changed & said.reads)
    ]
    return z3.substitute(said.term, *pairs) if pairs else said.term


def _bare(value: Any) -> Term:  # Any: a term or a set of marks
    return value.term if isinstance(value, Marks) else value


class _Reads:
    """Stands for a TCB; tells which of its fields are read."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Term:
        self.read.add(name)
        return Marks(z3.K(z3.IntSort(), False)) if name in MARKED else z3.Int(name)


@cache
def _fields_read(claim: Claim) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that a claim reads of an end, and of its peer."""
    me, peer = _Reads(), _Reads()
    subject = {About.SEGMENT: (symbolic_segment("seg"),), About.HELD: (z3.Int("number"),)}
    claim.holds(*subject.get(claim.about, ()), me, peer)
    return frozenset(me.read), frozenset(peer.read)
