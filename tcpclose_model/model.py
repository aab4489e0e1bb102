"""The bundle that is checked: two protocol tables and the parts that stand around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from tcpclose_model.errors import ModelError
from tcpclose_model.parts import Application, Bounds, Incarnations, Middlebox, Network, Time, Timers
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that a check needs; see the parts for what each parameter means.

    properties: what is judged; empty means the catalogue (`properties.CATALOGUE`, or
        `properties.REOPENING` where a user opens the connection again).
    expect: the verdict of each property by name, for exactly these parameters; "*" stands for
        every property that is not named. Without it, a requirement that is not named must hold
        (or be vacuous), and an observation may be anything.
    """

    a: Protocol = RFC9293
    b: Protocol = RFC9293
    network: Network = field(default_factory=Network)
    timers: Timers = field(default_factory=Timers)
    application: Application = field(default_factory=Application)
    bounds: Bounds = field(default_factory=Bounds)
    time: Time = field(default_factory=Time)
    middlebox: Middlebox = field(default_factory=Middlebox)
    incarnations: Incarnations = field(default_factory=Incarnations)
    properties: Sequence[Any] = ()  # Any: properties live one package up and are not imported here
    expect: Mapping[str, Any] = field(default_factory=dict)  # Any: as above
    name: str = ""
    title: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for part, kind in _PARTS.items():
            if not isinstance(getattr(self, part), kind):
                raise ModelError(f"model.{part}: expected {kind.__name__}(...)")
        if not isinstance(self.properties, (list, tuple)):
            raise ModelError(f"model.properties: {self.properties!r} is not a list of properties")
        if not isinstance(self.expect, Mapping):
            raise ModelError(f"model.expect: {self.expect!r} is not a dict of verdicts by name")
        for end in ("a", "b"):
            if not isinstance(getattr(self, end), Protocol):
                raise ModelError(f"model.{end}: expected a Protocol, e.g. RFC9293")

    @property
    def reopens(self) -> bool:
        """Whether some end's user opens the connection a second time."""
        return self.incarnations.opens != ("never", "never")

    def named(self, name: str) -> Model:
        """Return the same model under another name."""
        return replace(self, name=name)


def is_symmetric(model: Model) -> bool:
    """Return whether A and B follow the same table and have users who do the same."""
    user, again = model.application, model.incarnations
    return (
        model.middlebox.at == "none"
        and model.a == model.b
        and user.closes_of(0) == user.closes_of(1)
        and user.data_units[0] == user.data_units[1]
        and user.aborts[0] == user.aborts[1]
        and user.crashes[0] == user.crashes[1]
        and all(_alike(again, slot.name) for slot in fields(again))
    )


def plain_only(model: Model) -> str:
    """Return what of the model only the plain engine knows, in words, or ""."""
    if model.time.is_timed:
        return "a model with a clock (time.segment_lifetime)"
    return "a limit of losses (network.losses_max)" if model.network.losses_max is not None else ""


def _alike(again: Incarnations, name: str) -> bool:
    of_a, of_b = getattr(again, name)
    return bool(of_a == of_b)


Part = Network | Timers | Application | Bounds | Time | Middlebox | Incarnations
_PARTS: dict[str, type[Part]] = {
    "network": Network,
    "timers": Timers,
    "application": Application,
    "bounds": Bounds,
    "time": Time,
    "middlebox": Middlebox,
    "incarnations": Incarnations,
}


def parameters(model: Model) -> dict[str, Any]:  # Any: a parameter's own type
    """Return every parameter of the parts and its value, by dotted name."""
    found = {}
    for part, kind in _PARTS.items():
        for name in (slot.name for slot in fields(kind)):
            found[f"{part}.{name}"] = getattr(getattr(model, part), name)
    return found
