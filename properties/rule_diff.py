"""Two tables compared for all values: in which cells does an end do something else?

Every way through the rows of one table is held against every way of the other, for any TCB and any
arriving segment: are there values that lead down both, to another TCB, another answer, or to
nothing at all on one side?  What z3 finds is carried out by the plain engine before anyone sees it.

Only values that the claims allow are looked at (see `induction`).  Up to where two models first
differ a run is a run of both, so the claims that either table keeps may be used.  If no cell
differs under them, the two models, in the same surroundings, have the same runs.

A segment that is offered again to a step is followed up to there, and then on from there: tables
that do the same on both legs do the same as often as it is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from properties.claims import CLAIMS, Claim
from properties.forks import in_processes
from properties.induction import How, prove
from properties.situation import work_out
from properties.two_tables import Cell, Comparison, Found, Task, Values
from tcpclose_model.engines.symbolic import SymbolicTable
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import AGAIN, UNREACHABLE, Protocol
from tcpclose_model.protocol.step import Outcome, Table
from tcpclose_model.protocol.vocabulary import (
    TCB,
    Event,
    Segment,
    State,
    Step,
    Told,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Values for which the tables do something else.

    event: what happens; tcb, seg: the end as the old table has it, and what arrives, if anything;
    old, new: what each table makes of it, None where it does nothing and cannot; values: what the
    solver gave, as text by field.  Both outcomes are the plain engine's, but where `midway` is set:
    there the difference is in what happens after a step has taken the segment once, and old and new
    are None.
    """

    cell: Cell
    event: Event
    tcb: TCB
    seg: Segment | None
    old: Outcome | None
    new: Outcome | None
    values: dict[str, str]
    midway: bool = False


@dataclass(slots=True)
class RuleDiff:
    """What a comparison has found.

    cells: how many have a row or a fallback in either table; ways: how many ways through the rows
    were held against the other table; claims: the names of those that restrict the values;
    unsure: cells where z3 did not know, or where the plain engine does not do what z3 says.
    """

    old: Model
    new: Model
    claims: tuple[str, ...] = ()
    cells: int = 0
    ways: int = 0
    differences: list[Difference] = field(default_factory=list)
    unsure: list[Cell] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether no cell differs, for all values."""
        return not self.differences and not self.unsure


def rule_diff(
    old: Model, new: Model, claims: Iterable[Claim] | None = None, *, processes: int = 0
) -> RuleDiff:
    """Return the cells in which the tables of two models differ, for all values.

    claims: what is so in all runs of either model, as a proof has shown; by default both are
    proved, and whatever either keeps is taken.  Without any, all values are looked at.
    processes: as for `prove`.  Raises ModelError if a table is not legal or cannot be proved.
    """
    claims = _kept_by_either(old, new, processes) if claims is None else tuple(claims)
    found = RuleDiff(old, new, tuple(claim.name for claim in claims))
    pairs = _pairs(old, new)
    for before, after in {(mine[0], mine[1]): None for mine in pairs.values()}:
        found.cells += len(_cells(before) | _cells(after))
    tasks = [
        Task(end, state, step)
        for end, (before, after, _) in pairs.items()
        for state in sorted({*SymbolicTable(before).states(), *SymbolicTable(after).states()})
        for step in (None, *sorted(_again(before) | _again(after)))
    ]

    def work(task: Task) -> Found:
        return Comparison(task, *pairs[task.end], claims, old).found()

    for before, _, peer in pairs.values():
        work_out(claims, SymbolicTable(before), SymbolicTable(peer))
    known: set[Cell] = set()
    for part in in_processes(work, tasks, processes):
        found.ways += part.ways
        found.unsure += part.unsure
        for values in part.values:
            before, after, _ = pairs[values.cell.end]
            one = _difference(values, _plain(before, old), _plain(after, old))
            if one is None:
                found.unsure.append(values.cell)
            elif values.cell not in known:
                known.add(values.cell)
                found.differences.append(one)
    found.unsure = sorted({*found.unsure} - known, key=_order)
    found.differences.sort(key=lambda one: _order(one.cell))
    return found


def _order(cell: Cell) -> tuple[object, ...]:
    return cell.end, cell.state, cell.on, cell.old, cell.new


def _plain(protocol: Protocol, model: Model) -> Table:
    return Table(protocol, reads_eagerly=model.application.reading == "eager")


def _difference(found: Values, old: Table, new: Table) -> Difference | None:
    """Return what the plain engine makes of these values; None if it is the same twice."""
    tcbs = [_tcb(table, found.tcb) for table in (old, new)]
    seg = None if found.seg is None else Segment._make(found.seg)
    outcomes: list[Outcome | None] = [None, None]
    if not found.midway:
        tables = zip((old, new), tcbs, strict=True)
        outcomes = [_carried_out(table, tcb, found.event, seg) for table, tcb in tables]
        if same_outcome(outcomes[0], outcomes[1]):
            return None
    before, after = outcomes
    return Difference(
        found.cell, found.event, tcbs[0], seg, before, after, found.values, found.midway
    )


def _kept_by_either(old: Model, new: Model, processes: int) -> tuple[Claim, ...]:
    kept = {
        claim.name
        for model in (old, new)
        for claim in prove(model, how=How(processes=processes)).kept
    }
    return tuple(claim for claim in CLAIMS.values() if claim.name in kept)


def _pairs(old: Model, new: Model) -> dict[str, tuple[Protocol, Protocol, Protocol]]:
    """Return, for each end, its old and its new table and its peer's old one."""
    if old.a == old.b and new.a == new.b:
        return {"A, B": (old.a, new.a, old.a)}
    return {"A": (old.a, new.a, old.b), "B": (old.b, new.b, old.a)}


def _cells(protocol: Protocol) -> set[tuple[State, Event | Step]]:
    """Return the cells that are not declared unreachable."""
    rows = {(state, rule.on) for rule in protocol.rules for state in rule.at}
    others = [cell for cell in protocol.cells if cell.does is not UNREACHABLE]
    return rows | {(state, on) for cell in others for state in cell.at for on in cell.on}


def _again(protocol: Protocol) -> set[Step]:
    return {r.on for r in protocol.rules if r.then is AGAIN and isinstance(r.on, Step)}


def _tcb(table: Table, numbers: dict[str, int]) -> TCB:
    told = numbers["told"]
    known = {name: numbers[name] for name in table.initial._fields}
    known |= {"told": Told(told) if told in {*Told} else told}
    return table.initial._replace(**known)  # type: ignore[arg-type]  # fields by name


def _carried_out(table: Table, tcb: TCB, event: Event, seg: Segment | None) -> Outcome | None:
    return table.local(tcb, event) if seg is None else table.arrival(tcb, seg)


def same_outcome(old: Outcome | None, new: Outcome | None) -> bool:
    """Return whether two outcomes cannot be told apart by the fields that both tables have."""
    if old is None or new is None:
        return old is new
    names = [name for name in old.tcb._fields if name in new.tcb._fields]
    return old.sent == new.sent and all(getattr(old.tcb, n) == getattr(new.tcb, n) for n in names)
