"""A model in Promela, for SPIN: the same states and steps, row by row.

One step of ours is one `d_step`, so that SPIN counts what we count.  The rows of SEGMENT ARRIVES
stand inside one loop over the standard's steps (in a `d_step` an option cannot be an inline).  That
rows of one cell exclude each other is checked by `tcpclose check`; SPIN would take the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from textwrap import wrap

from reports.exports.intervals import folded
from reports.exports.promela_checks import Checks
from reports.exports.promela_data import box_of, declarations, take, words_of
from reports.exports.promela_network import network_lines
from reports.exports.promela_rows import Context, Line, RowText, asserted, saved
from reports.exports.promela_words import Names, beside, comment, indented, plain
from reports.exports.ranges import Ranges, fields_that_matter, ranges_of
from reports.exports.rows import (
    Row,
    first_tcbs,
    parameters_told,
    refuse_untold,
    rows_of,
    states_of,
    wanted,
)
from reports.exports.terms import FALSE, Field, all_of, any_of, negated
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Fallback, Otherwise, Protocol
from tcpclose_model.protocol.vocabulary import (
    CLOSED,
    CLOSED_STEP,
    Event,
    State,
    Step,
    Told,
)

OWN_NAMES = re.findall(
    r"\w+",
    """
    A B ACK BREADTH_FIRST CAPACITY FIN FORGET FRESH HOLDS IDLE INC RST SCRATCH SEGMENT SEQ SYN
    TEXT TCB TCB_OF_A TCB_OF_B TS
    Channel Segment a ack a_to_b
    assign b b_to_a channel connection delete delete_a delete_b duplicate expression field fin fits
    i largest length lose me name no_row_fits no_row_fits_a no_row_fits_b peer place push remove
    rst s seg segment segment_arrives segment_arrives_a segment_arrives_b sent seq state step take
    text to_me to_peer value was wnd0 WND0
    """,
)
"""Names that the text gives to things of its own."""

WIDTH = 95
PARAMETERS = "me, peer, to_me, to_peer, name"
BOTH = (0, 1)


def promela(model: Model) -> str:
    """Return a model as a Promela text: SPIN finds the same states and steps in it.

    Raises ModelError where the model cannot be said in Promela.
    """
    refuse_untold(model)
    return "\n".join(_Export(model).lines()) + "\n"


class _Export:
    """The text of one model in the making."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.protocols = (model.a, model.b)
        ranges = ranges_of(model)
        self.rows = _live_rows(model, ranges)
        fields = fields_that_matter(model, ranges, chain(*self.rows))
        self.names = Names([*OWN_NAMES, *(one.name for one in chain(State, Told, Step))])
        words = words_of(self.names, fields)
        steps = _steps(model, {row.on for row in chain(*self.rows)})
        box = box_of(ranges, fields)
        self.context = Context(
            model,
            ranges,
            box,
            fields,
            words,
            states_of(model),
            first_tcbs(model),
            steps,
            ("", ""),
            set(),
        )
        self.texts = [RowText(self.context, end) for end in BOTH]
        self.checks = Checks(self.context, self.names, self.rows)
        self.context.idle = bool(self.checks.stuck)

    def lines(self) -> list[str]:
        """Return the lines of the text."""
        delete, self.context.delete = _inlines("delete", "me", map(self._deletion, BOTH))
        rows, called = self._row_inlines()
        arrives, arriving = _inlines(
            "segment_arrives", f"{PARAMETERS}, place", map(self._arrival, BOTH)
        )
        lost, losing = _inlines("no_row_fits", PARAMETERS, map(self._no_row_fits, BOTH))
        return [
            *self._header(),
            *declarations(self.context, was=self.checks.reads_before, stuck=self.checks.stuck),
            *network_lines(self.model.network),
            *take(self.context),
            *["", "/* The TCB is deleted; what properties read outlives it. */", *delete],
            *rows,
            *["", "/* SEGMENT ARRIVES, step by step in the standard's order. */", *arrives],
            *lost,
            *self._loop(called, arriving, losing if lost else None),
        ]

    def _header(self) -> list[str]:
        model, checks = self.model, self.checks
        name = plain(model.name or "model")
        told = wrap(f"{name}: {plain(model.title)}" if model.title else name, WIDTH)
        told += [f"Source: {plain(model.source)}"] if model.source else []
        told.append("")
        for end, protocol in zip("AB", self.protocols, strict=True):
            edits = ", ".join(plain(edit.name) for edit in protocol.edits) or "none"
            told.append(f"{end}: {plain(protocol.name)}; edits of the standard's table: {edits}")
        told += [f"{key} = {value}" for key, value in parameters_told(model)]
        live = {row.name for row in chain(*self.rows)}
        gone = [row.name for row in chain(*_tables(model)) if row.name not in live]
        if gone:
            names = ", ".join(plain(name) for name in dict.fromkeys(gone))
            told += ["", *wrap(f"Rows that nothing here leads to: {names}.", WIDTH)]
        told += [
            "",
            "Count:  spin -a MODEL.pml && gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c",
            "        ./pan -m1000000",
            "        The states stored are those that `tcpclose check` counts; the transitions are",
            "        its steps and one more, which leads to the initial state.",
            "        Breadth first, in parallel: spin -a -DBREADTH_FIRST MODEL.pml, then gcc with",
            "        -DBFS or -DBFS_PAR too.",
            "Check:  the same with spin -a -DCHECK_name MODEL.pml; it holds if errors: 0.",
            "Replay: after an error, spin -t -DCHECK_name MODEL.pml; for the shortest run compile",
            "        with -DREACH too and run ./pan -i",
            "",
        ]
        told += [f"Can be checked: {macro}" for macro in checks.macros.values()]
        told += [f"Not in this text: {key} ({plain(why)})" for key, why in checks.left_out.items()]
        if model.bounds.retransmissions_max is not None:
            told.append("Where bounds.retransmissions_max cuts a run off, SPIN sees a deadlock.")
        return ["/*", *(f" * {line}".rstrip() for line in told), " */"]

    def _deletion(self, end: int) -> list[str]:
        kept = {*self.protocols[end].kept, "state"}
        gone = [Field("tcb", name) for name in self.context.fields if name not in kept]
        return _statements(
            [("me.state = CLOSED", ""), *((f"{self.context.words[x]} = 0", "") for x in gone)]
        )

    def _row_inlines(self) -> tuple[list[str], dict[tuple[int, str], str]]:
        """Return an inline for each call, output and timeout; its name by end and row."""
        lines: list[str] = []
        called: dict[tuple[int, str], str] = {}
        tables = [
            {row.name: row for row in rows if isinstance(row.on, Event)} for rows in self.rows
        ]
        for name in dict.fromkeys(chain(*tables)):
            bodies = [
                self._row_body(end, table[name]) if name in table else []
                for end, table in zip(BOTH, tables, strict=True)
            ]
            made, names = _inlines(name, PARAMETERS, bodies, self.names.free)
            called |= {(end, name): names[end] for end in BOTH}
            lines += ["", *made]
        return lines, called

    def _row_body(self, end: int, row: Row) -> list[str]:
        asked, does = self.texts[end].local(row, self.checks.at_row(end, row))
        command = [*_guards(asked), *_statements(does), "FORGET"]
        return [_clause(row), "d_step {", *indented(command, 2), "}"]

    def _arrival(self, end: int) -> list[str]:
        """Return the body of the inline of SEGMENT ARRIVES."""
        rows = [row for row in self.rows[end] if isinstance(row.on, Step)]
        claims = self.checks.at_arrival[end]
        begins: list[Line] = [
            ('printf("%c SEGMENT ARRIVES\\n", name)', ""),
            *saved(claims, self.context),
            ("take(to_me, place)", ""),
        ]
        ends = [
            *self.texts[end].settling(rows),
            ("if :: sent -> push(to_peer) :: else fi", ""),
            *asserted(claims, self.context),
        ]
        body = ["FRESH(to_me, place) ->", *_statements(begins)]
        if rows:
            body.append("do")
            for row in _in_order(rows):
                asked, does = self.texts[end].arrival(row)
                first, *rest = [*_guards(asked), *_statements(does)]
                body += [f"{_clause(row)}", f":: {first}", *indented(rest, 3)]
            body += [":: else ->", "   if", *indented(self._otherwise(end), 3), "   fi", "od;"]
        body += [*_statements(ends), "FORGET"]
        return ["d_step {", *indented(body, 2), "}"]

    def _otherwise(self, end: int) -> list[str]:
        """Return what is done in a step of SEGMENT ARRIVES in which no row fits."""
        lines = []
        for cell in self.protocols[end].cells:
            for on in cell.on:
                at = _where(cell, self.protocols[end], self.context.states)
                if on not in self.context.steps or not at:
                    continue
                does = "break" if cell.does is Fallback.DROPS else "assert(false)"
                here = self.context.in_states(at)
                lines.append(beside(f":: step == {on.name} && {here} -> {does}", cell.why))
        last = self.context.steps[-1]
        return [*lines, f":: step == {last.name} -> break", ":: else -> step++"]

    def _no_row_fits(self, end: int) -> list[str]:
        """Return the inline's body that finds a call or a timeout that no row is there for."""
        wrong = []
        for cell in self.protocols[end].cells:
            for on in cell.on:
                if cell.does is not Fallback.UNREACHABLE or not isinstance(on, Event):
                    continue
                for state in (state for state in cell.at if state in self.context.states):
                    rows = [r for r in self.rows[end] if r.on is on and state in r.at]
                    fits = any_of(all_of(row.when) for row in rows)
                    term = folded(
                        all_of((wanted(self.model, end, on), negated(fits))), self.context.box
                    )
                    if term != FALSE:
                        wrong.append(f"me.state == {state.name} && {self.context.text(term, 3)}")
        text = " || ".join(f"({one})" for one in wrong)
        return [f"d_step {{ {text} -> assert(false) }}"] if wrong else []

    def _loop(
        self,
        called: dict[tuple[int, str], str],
        arriving: tuple[str, str],
        losing: tuple[str, str] | None,
    ) -> list[str]:
        """Return the process: every step that there is."""
        network = self.model.network
        lines = []
        for end, name in enumerate("AB"):
            local = [row for row in self.rows[end] if isinstance(row.on, Event)]
            lines += [f":: {called[end, row.name]}({name})" for row in _in_order(local)]
            lines += [f":: {losing[end]}({name})"] if losing else []
            places = range(network.capacity)
            lines += [
                f":: {arriving[end]}({name}, {place})"
                for place in (places[:1] if network.order == "fifo" else places)
            ]
            lines += [f":: lose({name}, {place})" for place in places if network.loss]
            if network.duplication and network.order != "set":
                lines += [f":: duplicate({name}, {place})" for place in places]
        lines += self.checks.options
        return [
            "",
            "active proctype connection() {",
            "end:",
            "  do",
            *indented(lines, 2),
            "  od",
            "}",
        ]


def _tables(model: Model) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return the rows of A and of B."""
    return rows_of(model, 0), rows_of(model, 1)


def _live_rows(model: Model, ranges: Ranges) -> tuple[list[Row], list[Row]]:
    """Return the rows of each end that can be carried out.

    An arrival's row that only one end carries out stays in both if both have it, so that ends with
    the same table share one text.
    """
    tables = _tables(model)
    shared = {row for row in tables[0] if row in tables[1] and isinstance(row.on, Step)}
    somewhere = ranges.live[0] | ranges.live[1]

    def of(end: int) -> list[Row]:
        live = ranges.live[end]
        return [r for r in tables[end] if r.name in (somewhere if r in shared else live)]

    return of(0), of(1)


def _steps(model: Model, used: set[object]) -> tuple[Step, ...]:
    """Return the steps of SEGMENT ARRIVES in which something can happen."""
    last = max((step for step in Step if step in used), default=CLOSED_STEP)
    for protocol in (model.a, model.b):
        for cell in protocol.cells:
            if _where(cell, protocol, states_of(model)):
                used |= {on for on in cell.on if cell.does is not Fallback.DROPS or on < last}
    return tuple(step for step in Step if step in used) or (CLOSED_STEP,)


def _where(cell: Otherwise, protocol: Protocol, states: Iterable[State]) -> list[State]:
    """Return the states in which a segment does not simply pass on when no row fits."""
    if cell.does is Fallback.DROPS:
        return list(cell.at)
    if cell.does is not Fallback.UNREACHABLE:
        return []
    ends_there = any(
        other.does is Fallback.DROPS and CLOSED in other.at and CLOSED_STEP in other.on
        for other in protocol.cells
    )
    known = [state for state in cell.at if state in states]
    return [state for state in known if state != CLOSED or not ends_there]


def _in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.on)


def _clause(row: Row) -> str:
    """Return the comment above a row."""
    edit = f" ({row.rule.edit})" if row.rule.edit else ""
    return comment(f"{row.name}: {row.on.name}, {row.rule.cite}{edit}")


def _guards(lines: Sequence[Line]) -> list[str]:
    """Return the guards of a command; SPIN wants the `&&` at the end of a line."""
    last = len(lines) - 1
    return [
        beside(f"{code} {'->' if n == last else '&&'}", note)
        for n, (code, note) in enumerate(lines)
    ]


def _statements(lines: Iterable[Line]) -> list[str]:
    """Return statements with what separates them."""
    return [beside(code if code.startswith("#") else f"{code};", note) for code, note in lines]


def _inlines(
    name: str,
    parameters_of: str,
    bodies: Iterable[list[str]],
    free: Callable[[str], str] = str,
) -> tuple[list[str], tuple[str, str]]:
    """Return an inline for each end, one for both if they are the same, and their names."""
    first, second = bodies
    if first == second or not first or not second:
        made, body = free(name), first or second
        return _inline(made, parameters_of, body) if body else [], (made, made)
    names = free(f"{name}_a"), free(f"{name}_b")
    a, b = (_inline(n, parameters_of, body) for n, body in zip(names, (first, second), strict=True))
    return [*a, "", *b], names


def _inline(name: str, parameters_of: str, body: Sequence[str]) -> list[str]:
    comments = [line for line in body[:1] if line.startswith("/*")]
    return [
        *comments,
        f"inline {name}({parameters_of}) {{",
        *indented(body[len(comments) :], 2),
        "}",
    ]
