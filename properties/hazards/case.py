"""A hazard: something known to go wrong when TCP connections close, with models that show it.

A hazard has one or more cases.  A case names a small model and a property: the checker finds the
property violated, in a shortest run that ends as `ends` says; the standard's table, put right by
`fixed`, is free of it; and `repair` is the change that the checker itself proposes.
`tests/test_hazards.py` holds every case to all of that, and `docs/hazards.md` is made of the runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tcpclose_model.model import Model
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.switches import SWITCHES

NO_DATA = "application.data_units=0"
A_FIRST = "application.closes=a_first"
TIMELY = "timers.retransmission=timely"
IDEAL = "timers.time_wait=ideal"
UNDOING = "undoing the edit: "
EAGER = "application.reading=eager"
FLOW_CONTROL = "protocol.flow_control=on"
NO_BOX = "middlebox.at=none"
ORPHANS_GIVE_UP = ("protocol.user_timeout_resets=on", "protocol.orphan_probes_count=on")


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a hazard shows.

    model, settings: where it occurs.  breaks: the property that finds it.
    ends: both ends' states where the run ends; steps: how long it is; loop: how many of its steps
    repeat for ever (0: nothing happens any more; None: it does not repeat).
    fixed: what, beside the standard's own table, makes the model right.
    repair: the change that the checker proposes.
    """

    title: str
    model: str
    settings: tuple[str, ...]
    breaks: str
    ends: tuple[str, str]
    steps: int
    repair: str
    loop: int | None = None
    fixed: tuple[str, ...] = ()

    def broken(self) -> Model:
        """Return the model in which it occurs."""
        return with_parameters(model_named(self.model), self.settings)

    def right(self) -> Model:
        """Return its twin: the standard's table under the same parameters, put right."""
        broken = self.broken()
        table = SWITCHES["reopens"].on(RFC9293) if broken.reopens else RFC9293
        return with_parameters(replace(broken, a=table, b=table), self.fixed)

    @property
    def command(self) -> str:
        """The command that shows it."""
        settings = "".join(f" --set {setting}" for setting in self.settings)
        return f"tcpclose check {self.model}{settings} --property {self.breaks}"


@dataclass(frozen=True, slots=True)
class Hazard:
    """A known hazard: what goes wrong, why, who has seen it, and the cases that show it."""

    name: str
    title: str
    says: str
    source: str
    cases: tuple[Case, ...]
