"""A model as a TLA+ module, and configurations for TLC: the rows, the network, the properties.

The text means what the plain engine means: TLC finds as many distinct states, and generates one
state more than there are steps (it counts the initial one).  The configurations `_steps` and
`_fair` let the variable `last` tell one step from another, which claims about steps, and fairness,
need; TLC then finds more states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from properties.judge import judge
from properties.verdict import Answer
from reports.exports.rows import (
    fields_of,
    first_tcbs,
    parameters_told,
    refuse_untold,
    segment_fields,
)
from reports.exports.terms import ZERO
from reports.exports.tla_claims import Claim, Claims
from reports.exports.tla_events import Events
from reports.exports.tla_fairness import Fairness
from reports.exports.tla_fixed import ARRIVAL, BECOMES, BITS, BITWISE, OWN_NAMES, SEGMENTS
from reports.exports.tla_network import MODULES, arrivals, channels, copies, losses
from reports.exports.tla_rows import Rows, comment, is_alike, listed, makers
from reports.exports.tla_terms import KEYWORDS, WIDTH, Expressions, Names
from reports.text import described
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model
from tcpclose_model.protocol import vocabulary
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.vocabulary import RCV_WND, Event, Step
from tcpclose_model.space import StateSpace

UNITS = "DataUnits == [A |-> DataUnitsOfA, B |-> DataUnitsOfB]"
STEPS, FAIR = "_steps", "_fair"
"""What the names of the other two configurations end in."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A module's text, and its configurations by what their names end in."""

    name: str
    module: str
    configurations: Mapping[str, str]


def tla(model: Model, space: StateSpace | None = None) -> str:
    """Return the module of a model, its configurations behind its end, where TLC does not read."""
    exported = exported_model(model, space)
    said = [exported.module]
    for ending, text in exported.configurations.items():
        said.append(f"\n{exported.name}{ending}.cfg:\n\n{text}")
    return "".join(said)


def tla_files(model: Model, out: Path, space: StateSpace | None = None) -> dict[Path, str]:
    """Return the files that say a model in TLA+: `out` with the module, its configurations beside.

    TLC wants a module to be named as its file is, so the file's name must be one.
    """
    exported = exported_model(model, space, out.stem)
    beside = {
        out.with_name(f"{out.stem}{ending}.cfg"): text
        for ending, text in exported.configurations.items()
    }
    return {out: exported.module, **beside}


def exported_model(model: Model, space: StateSpace | None = None, name: str = "") -> Exported:
    """Return the module of a model, under a name that TLA+ allows, and its configurations.

    space: the explored graph.  Without it (or where it is not complete) the text does not say what
    TLC will find, and has no fairness.  Raises ModelError where a row has no form in TLA+.
    """
    refuse_untold(model)
    name = name or re.sub(r"\W", "_", model.name or "model", flags=re.ASCII)
    if not re.fullmatch(r"\w*[A-Za-z]\w*", name, flags=re.ASCII):
        raise ModelError(f"{name!r} names no TLA+ module: use letters, digits and _")
    return _Writer(model, space if space and space.complete else None, name).exported()


class _Writer:
    """Puts a module together."""

    def __init__(self, model: Model, space: StateSpace | None, name: str) -> None:
        self.model, self.space, self.name = model, space, name
        for field in {*fields_of(model.a), *fields_of(model.b)}:
            if field in KEYWORDS or not field.isascii():
                raise ModelError(f"a TCB field cannot be called {field!r} in TLA+")
        events = [event.name for event in Event]
        possible = [f"{event}_may_happen" for event in events]
        names = Names([*OWN_NAMES, *events, *possible, *(step.name for step in Step), name])
        self.rows = Rows(model, names)
        self.events = Events(model, self.rows)
        self.cut_off = self.events.cut_off()
        self.claims = Claims(model, self.rows.terms, names, is_cut=bool(self.cut_off))
        temporal = self.claims.named(temporal=True)
        self.of_steps = [claim for claim in temporal if not claim.is_fair]
        self.of_runs = [claim for claim in temporal if claim.is_fair]

    def exported(self) -> Exported:
        """Return the text."""
        parts = "\n\n".join(part.rstrip("\n") for part in self._parts() if part)
        title = f" MODULE {self.name} ".center(WIDTH, "-")
        ends = "=" * WIDTH
        return Exported(self.name, f"{title}\n{parts}\n{ends}\n", dict(self._configurations()))

    def _parts(self) -> Iterator[str]:
        model = self.model
        yield self._header()
        yield self._declarations()
        yield _tcbs(model, self.rows.terms)
        yield _segments(model)
        yield channels(model.network)
        yield BECOMES
        local, arrival = list(self.events.sections()), list(self.events.arrival())
        yield from (BITWISE.format(name=n, bit=BITS[n]) for n in sorted(self.rows.terms.bitwise))
        yield _heading("What rows ask")
        yield "\n".join(self.rows.definitions)
        yield _heading("What an end does by itself")
        yield from local
        yield self._omitted()
        yield _heading("SEGMENT ARRIVES")
        yield ARRIVAL
        yield from arrival
        yield arrivals(model.network)
        yield losses(model.network)
        yield _heading("All together")
        yield self._together()
        yield from self._properties()

    def _header(self) -> str:
        model, name = self.model, self.name
        run = "java -cp tla2tools.jar tlc2.TLC -deadlock"
        ends = f"Both ends run {_table(model.a)}."
        if model.a != model.b:
            ends = f"A runs {_table(model.a)}; B runs {_table(model.b)}."
        lines = [
            comment(f"{model.name}: {model.title or 'a close of a TCP connection'}"),
            comment(f"Source: {model.source}" if model.source else ""),
            comment(f"{described(model)}. {ends}"),
            comment(_again(model)),
            "\\*\n",
            comment(
                "An operator in small letters is a row of the table, or what a row asks, under its "
                "name there; clauses in brackets are of RFC 9293 unless they name another document."
            ),
            f"\\*\n\\* To check it:     {run} {name}.tla\n",
            comment("(-deadlock lets runs end; `no_deadlock` says where one must not.)"),
            self._expected(),
        ]
        if self.of_steps:
            lines.append(f"\\* Claims on steps: {run} -config {name}{STEPS}.cfg {name}.tla\n")
        if self.of_runs and self.space:
            lines.append(f"\\* Of fair runs:    {run} -config {name}{FAIR}.cfg {name}.tla\n")
            lines.append("\\* (Only for tiny models: see SentAgain.)\n")
        abstractions = (vocabulary.__doc__ or "").split("\n\n", 1)[1].strip().splitlines()
        return "".join([*lines, "\\*\n", *(f"\\* {line}".rstrip() + "\n" for line in abstractions)])

    def _expected(self) -> str:
        space = self.space
        if space is None:
            return ""
        return (
            f"\\* TLC must find:   {space.transitions + 1} states generated, {len(space)} distinct "
            f"states found;\n\\*                  depth of the complete search {space.depth + 1}\n"
        )

    def _declarations(self) -> str:
        units = "" if self.model.reopens else f"{UNITS}\n"
        return (
            f"EXTENDS Integers, {MODULES[self.model.network.order]}\n"
            f"CONSTANTS {', '.join(self._constants())}\n"
            "VARIABLES tcb, inbound, last\n"
            "vars == <<tcb, inbound, last>>\n\n"
            'Ends == {"A", "B"}\n'
            'Peer(me) == IF me = "A" THEN "B" ELSE "A"\n'
            f"{units}RCV_WND == {RCV_WND}"
        )

    def _constants(self, *, watch: bool = False) -> dict[str, str]:
        a, b = self.model.application.data_units
        known = {"Capacity": str(self.model.network.capacity)}
        if not self.model.reopens:
            known |= {"DataUnitsOfA": str(a), "DataUnitsOfB": str(b)}
        most = self.model.bounds.retransmissions_max
        if most is not None:
            known["RetransmissionsMax"] = str(most)
        return {**known, "WatchSteps": str(watch).upper()}

    def _omitted(self) -> str:
        names = [event.words for event in self.events.never]
        return comment(f"Never with these users and timers: {', '.join(names)}." if names else "")

    def _together(self) -> str:
        network = self.model.network
        events = [*self.events.local, Event.SEGMENT_ARRIVES]
        events += [Event.SEGMENT_IS_LOST] if network.loss else []
        events += [Event.SEGMENT_IS_DUPLICATED] if copies(network) else []
        steps = "".join(f"\n    \\/ {event.name}(me)" for event in events)
        initial = "NewTCB" if is_alike(self.model) else "NewTCB[me]"
        first = _first(self.model, initial)
        if first:
            initial = "FirstTCB[me]"
        return (
            f"{first}Init ==\n    /\\ tcb = [me \\in Ends |-> {initial}]\n"
            "    /\\ inbound = [me \\in Ends |-> Empty]\n    /\\ last = NoStep\n\n"
            f"Step(me) =={steps}\n\nNext == \\E me \\in Ends : Step(me)\n\n"
            "Spec == Init /\\ [][Next]_vars"
        )

    def _properties(self) -> Iterator[str]:
        yield _heading("Properties")
        yield self.cut_off
        yield from (claim.definition for claim in self.claims.named(temporal=False))
        if self.claims.named(temporal=True):
            yield "\\* Of steps and of fair runs: with WatchSteps."
            yield from (claim.definition for claim in self.claims.named(temporal=True))
        if self.claims.missing:
            lines = (comment(f"{c.prop.name}: {c.missing}.") for c in self.claims.missing)
            yield f"\\* `tcpclose check` judges these too:\n{''.join(lines)}".rstrip()
        if self.space is not None:
            yield _heading("Fairness: which endless runs count")
            yield from Fairness(self.space).sections()

    def _configurations(self) -> Iterator[tuple[str, str]]:
        yield "", self._configuration("Spec", "INVARIANT", self.claims.named(temporal=False))
        if self.of_steps:
            yield STEPS, self._configuration("Spec", "PROPERTY", self.of_steps)
        if self.of_runs and self.space is not None:
            yield FAIR, self._configuration("FairSpec", "PROPERTY", self.of_runs)

    def _configuration(self, spec: str, kind: str, claims: Iterable[Claim]) -> str:
        known = self._constants(watch=kind == "PROPERTY")
        constants = "".join(f"    {name} = {value}\n" for name, value in known.items())
        lines: list[str] = []
        wrong: list[str] = []
        for claim in claims:
            violated = self.space and judge(self.space, claim.prop).answer is Answer.VIOLATED
            (wrong if violated else lines).append(f"{kind} {claim.name}\n")
        if wrong:
            lines.append("\\* Violated, so TLC would stop there with a run:\n")
            lines += [f"\\* {line}" for line in wrong]
        return f"SPECIFICATION {spec}\nCONSTANTS\n{constants}{''.join(lines)}"


def _tcbs(model: Model, terms: Expressions) -> str:
    """Return the TCBs: a new one, one deleted in CLOSED, and one after its user and its counts."""
    if is_alike(model):
        new = f"NewTCB ==\n    {_new(model.a, terms, 4)}"
        deleted = f"Deleted(t) ==\n    {_deleted(model.a, 'NewTCB', 4)}"
    else:
        each = zip(ENDS, (model.a, model.b), strict=True)
        records = (f"{end} |-> {_new(protocol, terms, 10)}" for end, protocol in each)
        both = ",\n    ".join(records)
        new = f"NewTCB == [\n    {both}]"
        kept = [
            _deleted(p, f'NewTCB["{end}"]', 9)
            for end, p in zip(ENDS, (model.a, model.b), strict=True)
        ]
        deleted = f'Deleted(t, me) ==\n    IF me = "A"\n    THEN {kept[0]}\n    ELSE {kept[1]}'
    settled = []
    counted = model.bounds.retransmissions_max is not None
    if model.application.reading == "eager":
        settled.append("!.read = t.rcv_text")
    most = "IF @ > RetransmissionsMax THEN RetransmissionsMax ELSE @"
    settled.append(f"!.retransmitted = {most if counted else '0'}")
    said = ["the user reads at once"] if len(settled) > 1 else []
    said.append("no retransmission is counted beyond the bound" if counted else "none is counted")
    return (
        f"{new}\n\\* CLOSED: the TCB is deleted, but for what properties read.\n{deleted}\n"
        f"\\* A TCB after a step: {', '.join(said)}.\n"
        f"Settled(t) ==\n    {listed('[t EXCEPT ', settled, 4)}"
    )


def _first(model: Model, new: str) -> str:
    """Return the definition of the TCBs that the ends start with, where they are not new ones."""
    firsts = first_tcbs(model)
    if not any(firsts):
        return ""
    said = []
    for end, first in zip(ENDS, firsts, strict=True):
        own = new.replace("[me]", f'["{end}"]')
        head = f"{end} |-> [{own} EXCEPT "
        said.append(listed(head, [f"!.{name} = {value}" for name, value in first.items()], 5))
    about = comment("The ends as they are at first: the first connection is established.")
    both = ",\n    ".join(said)
    return f"{about}FirstTCB == [\n    {both}]\n"


def _segments(model: Model) -> str:
    """Return the operators that make segments."""
    fields = segment_fields(model)
    return SEGMENTS.format(
        more="".join(f", {name}" for name in fields[5:]),
        fields="".join(f", {name} |-> {name}" for name in fields[5:]),
        makers="\n".join(makers(fields)),
    )


def _again(model: Model) -> str:
    """Return how the ends open the connection again; nothing where they do not."""
    told = dict(parameters_told(model))
    names = [name for name in told if name.startswith("incarnations.")]
    return ", ".join(f"{name} = {told[name]}" for name in names) + "." if names else ""


def _table(protocol: Protocol) -> str:
    """Return a table's name and the edits that have made it."""
    edits = ", ".join(edit.name for edit in protocol.edits)
    return f"{protocol.name} with {edits}" if edits else protocol.name


def _new(protocol: Protocol, terms: Expressions, column: int) -> str:
    fields = [f"{name} |-> {terms.value(name, ZERO)}" for name in fields_of(protocol)]
    return listed("[", fields, column)


def _deleted(protocol: Protocol, new: str, column: int) -> str:
    kept = [f"!.{name} = t.{name}" for name in fields_of(protocol) if name in protocol.kept]
    return listed(f"[{new} EXCEPT ", ['!.state = "CLOSED"', *kept], column)


def _heading(text: str) -> str:
    return f"{'-' * WIDTH}\n\\* {text}"
