"""What an end does by itself, and what it does when a segment arrives, in TLA+."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports.exports.rows import wanted
from reports.exports.terms import FALSE, TRUE
from reports.exports.tla_network import needed
from reports.exports.tla_rows import Rows, comment, step, whose
from reports.exports.tla_terms import OR, WIDTH
from tcpclose_model.engines.guards import REPEATS, guard
from tcpclose_model.model import Model
from tcpclose_model.protocol.vocabulary import CALLS, LOCAL_EVENTS, OUTPUTS, Event, Step

STEP_SAYS = {
    Step.CLOSED_STEP: "CLOSED: there is no TCB.",
    Step.LISTEN_STEP: "LISTEN.",
    Step.SYN_SENT_STEP: "SYN-SENT.",
    Step.SEQUENCE_STEP: "First, the sequence number.",
    Step.RST_STEP: "Second, the RST bit.",
    Step.SYN_STEP: "Fourth, the SYN bit.",
    Step.ACK_STEP: "Fifth, the ACK field.",
    Step.FIN_ACKED_STEP: "Fifth, continued: is our FIN acknowledged?",
    Step.TEXT_STEP: "Seventh, the text.",
    Step.HELD_TEXT_STEP: "Seventh, continued: text that is held and is now in order.",
    Step.FIN_STEP: "Eighth, the FIN.",
}
NEXT = "\n       "
"""Between the items of a list inside a list."""

BOUNDS = {"snd_end": "DataUnits[me]", "retransmitted": "RetransmissionsMax"}
"""The parameters that a user or a timer compares a field with."""


class Events:
    """Renders the steps that an end takes.

    local: the calls, outputs and timeouts that can happen; never: those that have rows and cannot,
        with these users and timers.
    """

    def __init__(self, model: Model, rows: Rows) -> None:
        self._model, self._rows = model, rows
        # With two connections an end's numbers are not the units that it has sent.
        bounds = {"retransmitted": BOUNDS["retransmitted"]} if model.reopens else BOUNDS
        self._terms = replace(rows.terms, bounds=bounds)
        known = [event for event in LOCAL_EVENTS if rows.of(event)]
        self._wanted = {event: self._when(event) for event in known}
        self.local = [event for event in known if self._wanted[event]]
        self.never = [event for event in known if not self._wanted[event]]

    def sections(self) -> Iterator[str]:
        """Return the rows of each call, output and timeout, and the action that they make up."""
        for event in self.local:
            yield "\n\n".join(self._section(event))

    def _section(self, event: Event) -> Iterator[str]:
        kind = "call" if event in CALLS else "output" if event in OUTPUTS else "timer"
        yield f"\\* ---- {event.words} ({kind})"
        needs = []
        if self._wanted[event] != "TRUE":
            needs.append(f"{event.name}_may_happen(me)")
            yield f"{needs[0]} == LET t == tcb[me] IN\n    {self._wanted[event]}"
        rows = self._rows.of(event)
        for one in rows:
            asked = needed(guard(self._model, event, sends=one.row.sends))
            yield self._rows.local(one, [*needs, *asked])
        names = [f"{one.name}(me)" for one in rows]
        line = f"{event.name}(me) == {OR.join(names)}"
        yield line if len(line) <= WIDTH else "".join([f"{event.name}(me) ==", *map(_arm, names)])

    def _when(self, event: Event) -> str:
        """Return when an event may happen as far as the end alone can tell; empty for never."""
        terms = [wanted(self._model, end, event) for end in (0, 1)]
        said = [self._terms.laid_out(term, 4) for term in terms]
        if said[0] == said[1]:
            return "" if terms[0] == FALSE else said[0]
        ends = []
        for end, term in enumerate(terms):
            asked = [] if term == TRUE else [self._terms.laid_out(term, 10)]
            if term != FALSE:
                ends.append("\n       /\\ ".join([*whose((end,), "me"), *asked]))
        if len(ends) == 1:
            return f"/\\ {ends[0]}".replace("\n   ", "\n")
        return "\n    ".join(f"\\/ /\\ {one}" for one in ends)

    def arrival(self) -> Iterator[str]:
        """Return SEGMENT ARRIVES: the rows of each step, the steps, and the steps in order."""
        steps = []
        for on in Step:
            rendered = step(self._rows, self._model, on)
            if rendered:
                steps.append(on.name)
                rows = [self._rows.arriving(one) for one in self._rows.of(on)]
                yield "\n\n".join([f"\\* ---- {STEP_SAYS[on]}", *rows, rendered])
        chain = "".join(
            f"    \\E x{number + 1} \\in {{{name}(x{number})}} :\n"
            for number, name in enumerate(steps)
        )
        last = f"x{len(steps)}"
        said = comment(
            "The steps in the standard's order.  Each x has one value: a choice from a set of one "
            "has TLC work it out once."
        )
        yield (
            f"{said}Arrives(me, segment, left) ==\n    \\E x0 \\in {{Arrival(me, segment)}} :\n"
            f'{chain}        Becomes(me, "SEGMENT_ARRIVES", <<segment>>, left, {last}.tcb, '
            f"{last}.sent)"
        )

    def cut_off(self) -> str:
        """Return when the bound withholds a retransmission; empty where it never does."""
        model = self._model
        none = model.timers.retransmission == "none"
        repeats = [e for e in REPEATS if not none or e is Event.KEEP_ALIVE_TIMEOUT]
        again = NEXT.join(fits for event in repeats if (fits := self._fits(event)))
        if model.bounds.retransmissions_max is None or not again:
            return ""
        asked = ["t.retransmitted >= RetransmissionsMax", again]
        gives_up = self._fits(Event.USER_TIMEOUT) if model.timers.user_timeout else ""
        asked += [f"~({gives_up.replace(NEXT, NEXT + '  ')})"] if gives_up else []
        asked += ["NothingInFlight"] if model.timers.retransmission == "timely" else []
        said = comment("Runs are cut off here: it is for the bound alone that nothing is repeated.")
        body = "\n    /\\ ".join(asked)
        return f"{said}IsCutOff(me) == LET t == tcb[me] IN\n    /\\ {body}"

    def _fits(self, event: Event) -> str:
        """Return whether some row of an event fits; empty where there is none."""
        fits = (self._rows.fits(one, "me") or ["TRUE"] for one in self._rows.of(event))
        return NEXT.join("\\/ /\\ " + f"{NEXT}   /\\ ".join(fit) for fit in fits)


def _arm(name: str) -> str:
    return f"\n    \\/ {name}"
