"""Properties in Promela: assertions, each asked for by a macro of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from properties.check import properties_of
from properties.kinds import Kind, Property
from reports.exports.claims import Site, wrong_states, wrong_step
from reports.exports.intervals import folded
from reports.exports.promela_rows import Claim, Context
from reports.exports.promela_words import Names, comment, conjuncts
from reports.exports.rows import Change, Row
from reports.exports.terms import (
    FALSE,
    Const,
    Field,
    NotTranslatableError,
    Term,
    fields_in,
    substituted,
)
from tcpclose_model.protocol.vocabulary import Event, State

NETWORK_EVENTS = (Event.SEGMENT_IS_LOST, Event.SEGMENT_IS_DUPLICATED)


class Checks:
    """The properties of a model, as far as Promela's assertions can say them.

    macros: what to define to have a property checked, by its name; stuck: the macros that ask for
    a deadlock; left_out: why the others are not there; options: lines for the main loop;
    at_arrival: for each end, what every arrival is asked.
    """

    def __init__(self, context: Context, names: Names, rows: Sequence[Iterable[Row]]) -> None:
        self.macros: dict[str, str] = {}
        self.stuck: list[str] = []
        self.left_out: dict[str, str] = {}
        self.options: list[str] = []
        self.at_arrival: tuple[list[Claim], list[Claim]] = ([], [])
        self._context, self._names, self._rows = context, names, rows
        self._at_row: dict[tuple[int, str], list[Claim]] = {}
        makers = {
            Kind.ALWAYS: self._always,
            Kind.NEVER_STUCK: self._never_stuck,
            Kind.NEVER_A_STEP: self._never_a_step,
        }
        for prop in properties_of(context.model):
            maker = makers.get(prop.kind)
            if maker is None:
                self.left_out[prop.name] = f"no assertion can say {prop.kind.value!r}"
                continue
            try:
                maker(prop)
            except NotTranslatableError as error:
                self.left_out[prop.name] = str(error)

    @property
    def reads_before(self) -> set[Field]:
        """What claims read of the TCB before the step."""
        claims = [*self.at_arrival[0], *self.at_arrival[1], *chain(*self._at_row.values())]
        return {name for _, wrong in claims for name in fields_in(wrong) if name.of == "was"}

    def at_row(self, end: int, row: Row) -> list[Claim]:
        """Return what a call, an output or a timeout of an end is asked."""
        return self._at_row.get((end, row.name), [])

    def _macro(self, prop: Property) -> str:
        return self.macros.setdefault(prop.name, self._names.free(f"CHECK_{prop.name}"))

    def _always(self, prop: Property) -> None:
        wrong = [self._folded(term) for term in wrong_states(self._context.model, prop)]
        lines = [
            f":: d_step {{ {self._context.text(term)} -> assert(false) }}"
            for term in wrong
            if term != FALSE
        ]
        self._option(prop, lines)

    def _never_stuck(self, prop: Property) -> None:
        (wrong,) = wrong_states(self._context.model, prop)
        self._option(prop, [f":: timeout -> assert(!({self._context.text(wrong)}))"])
        self.stuck.append(self._macro(prop))

    def _option(self, prop: Property, lines: list[str]) -> None:
        macro = self._macro(prop)
        if lines:
            self.options += [f"#ifdef {macro}", comment(prop.sentence), *lines, "#endif"]

    def _never_a_step(self, prop: Property) -> None:
        model = self._context.model
        arriving: list[Term] = []
        local: list[tuple[int, Row, Term]] = []
        for end in (0, 1):
            for event in NETWORK_EVENTS:
                site = Site(end, event, sends=False)
                if self._folded(wrong_step(model, prop, site)) != FALSE:
                    raise NotTranslatableError("it speaks of losses or copies")
            arriving.append(self._folded(wrong_step(model, prop, Site(end, Event.SEGMENT_ARRIVES))))
            for row in self._rows[end]:
                if isinstance(row.on, Event):
                    site = Site(end, row.on, row.rule, row.sends)
                    wrong = self._folded(wrong_step(model, prop, site))
                    if any(_in_row(wrong, row, state) != FALSE for state in row.at):
                        local.append((end, row, wrong))
        macro = self._macro(prop)
        if set(conjuncts(arriving[0])) == set(conjuncts(arriving[1])):
            arriving[1] = arriving[0]  # one text for both ends
        for end, wrong in enumerate(arriving):
            if wrong != FALSE:
                self.at_arrival[end].append((macro, wrong))
        for end, row, wrong in local:
            self._at_row.setdefault((end, row.name), []).append((macro, wrong))

    def _folded(self, term: Term) -> Term:
        return folded(term, self._context.box)


def _in_row(wrong: Term, row: Row, state: State) -> Term:
    """Return the claim with what is known of a step of this row from this state."""
    after = state if row.to is None else row.to
    known: dict[Field, Term] = {
        Field("was", "state"): Const(state),
        Field("me", "state"): Const(after),
    }
    for effect in row.do:
        if isinstance(effect, Change):
            known |= {Field("me", name): term for name, term in effect.fields}
        else:
            known |= {Field("sent", name): term for name, term in effect.terms()}
    constant = {name: term for name, term in known.items() if isinstance(term, Const)}
    return substituted(wrong, constant)
