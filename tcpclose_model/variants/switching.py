"""What a switch is, and the list of all: named edits that are turned on and off in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.edits import becomes, rows
from tcpclose_model.protocol.notation import Protocol


@dataclass(frozen=True, slots=True)
class Switch:
    """A reading or an option: what it stands for, where it comes from, and the edit it makes."""

    name: str
    says: str
    cite: str
    change: Callable[[Protocol], Protocol]

    def on(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the switch on; a ModelError says so if it is on already.

        Switches are made in the order of `SWITCHES`, whatever the order in which they are turned
        on, so that a combination of switches has one meaning.
        """
        if self.is_on(protocol):
            raise ModelError(f"{protocol.name}: switch {self.name} is on already")
        switched = [edit.name for edit in protocol.edits if edit.name in SWITCHES]
        ordered = iter(sorted([*switched, self.name], key=list(SWITCHES).index))
        changes = [
            SWITCHES[next(ordered)].made if edit.name in SWITCHES else edit.redo
            for edit in protocol.edits
        ]
        return protocol.remade([*changes, SWITCHES[next(ordered)].made])

    def made(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the switch's edit made after all others."""
        return protocol.together(self.name, self.change, why=self.says, cite=self.cite)

    def off(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the switch off; one that is off already stays as it is."""
        return protocol.without(self.name) if self.is_on(protocol) else protocol

    def is_on(self, protocol: Protocol) -> bool:
        """Return whether the protocol has the switch on."""
        return any(edit.name == self.name for edit in protocol.edits)


SWITCHES: dict[str, Switch] = {}


def switch(says: str, cite: str) -> Callable[[Callable[[Protocol], Protocol]], Switch]:
    """Register the decorated edit as a switch under its function's name."""

    def register(change: Callable[[Protocol], Protocol]) -> Switch:
        made = Switch(change.__name__, says, cite, change)
        SWITCHES[made.name] = made
        return made

    return register


def edited(protocol: Protocol, name: str, **columns: object) -> Protocol:
    """Return the protocol with one named row changed; the switch that asks says why."""
    return protocol.edit(rows(name=name), becomes(**columns), why=f"{name} changed")  # type: ignore[arg-type]  # columns of becomes()
