"""A formal model of how TCP connections end, and its exhaustive checker.

Everything that a model file needs is here: `from tcpclose_model import *`.  The names below are
the public ones; they stay.  `properties` and `reports` are loaded only when one of their names
is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from properties.catalogue import CATALOGUE as CATALOGUE
    from properties.check import Result as Result
    from properties.check import check as check
    from properties.kinds import Property as Property
    from properties.kinds import Role as Role
    from properties.kinds import always as always
    from properties.kinds import can_always as can_always
    from properties.kinds import can_always_avoiding as can_always_avoiding
    from properties.kinds import leads_to as leads_to
    from properties.kinds import never_a_step as never_a_step
    from properties.kinds import never_stuck as never_stuck
    from properties.kinds import no_cycle_of as no_cycle_of
    from properties.kinds import only_after as only_after
    from properties.kinds import sometimes as sometimes
    from properties.verdict import holds as holds
    from properties.verdict import unknown as unknown
    from properties.verdict import vacuous as vacuous
    from properties.verdict import violated as violated
    from tcpclose_model.model import Model as Model
    from tcpclose_model.parts import Application as Application
    from tcpclose_model.parts import Bounds as Bounds
    from tcpclose_model.parts import Incarnations as Incarnations
    from tcpclose_model.parts import Middlebox as Middlebox
    from tcpclose_model.parts import Network as Network
    from tcpclose_model.parts import Time as Time
    from tcpclose_model.parts import Timers as Timers
    from tcpclose_model.protocol.edits import becomes as becomes
    from tcpclose_model.protocol.edits import removed as removed
    from tcpclose_model.protocol.edits import rows as rows
    from tcpclose_model.protocol.notation import Otherwise as Otherwise
    from tcpclose_model.protocol.notation import Protocol as Protocol
    from tcpclose_model.protocol.notation import Rule as Rule
    from tcpclose_model.protocol.notation import Then as Then
    from tcpclose_model.protocol.rules import RFC9293 as RFC9293
    from tcpclose_model.protocol.vocabulary import CLOSE_WAIT as CLOSE_WAIT
    from tcpclose_model.protocol.vocabulary import CLOSED as CLOSED
    from tcpclose_model.protocol.vocabulary import CLOSING as CLOSING
    from tcpclose_model.protocol.vocabulary import ESTABLISHED as ESTABLISHED
    from tcpclose_model.protocol.vocabulary import FIN_WAIT_1 as FIN_WAIT_1
    from tcpclose_model.protocol.vocabulary import FIN_WAIT_2 as FIN_WAIT_2
    from tcpclose_model.protocol.vocabulary import LAST_ACK as LAST_ACK
    from tcpclose_model.protocol.vocabulary import SYNCHRONIZED as SYNCHRONIZED
    from tcpclose_model.protocol.vocabulary import TCB as TCB
    from tcpclose_model.protocol.vocabulary import TIME_WAIT as TIME_WAIT
    from tcpclose_model.protocol.vocabulary import Event as Event
    from tcpclose_model.protocol.vocabulary import Segment as Segment
    from tcpclose_model.protocol.vocabulary import State as State
    from tcpclose_model.protocol.vocabulary import Step as Step
    from tcpclose_model.protocol.vocabulary import Told as Told
    from tcpclose_model.run import Run as Run
    from tcpclose_model.search import explore as explore
    from tcpclose_model.variants.catalogue import MODELS as MODELS
    from tcpclose_model.variants.switches import SWITCHES as SWITCHES

__version__ = "0.1.0"

_HOMES = {
    "tcpclose_model.search": "explore",
    "tcpclose_model.model": "Model",
    "tcpclose_model.parts": "Application Bounds Incarnations Middlebox Network Time Timers",
    "tcpclose_model.protocol.edits": "becomes removed rows",
    "tcpclose_model.protocol.notation": "Otherwise Protocol Rule Then",
    "tcpclose_model.protocol.rules": "RFC9293",
    "tcpclose_model.protocol.vocabulary": (
        "CLOSED CLOSE_WAIT CLOSING ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 LAST_ACK SYNCHRONIZED "
        "TIME_WAIT Event Segment State Step TCB Told"
    ),
    "tcpclose_model.run": "Run",
    "tcpclose_model.variants.catalogue": "MODELS",
    "tcpclose_model.variants.switches": "SWITCHES",
    "properties.catalogue": "CATALOGUE",
    "properties.check": "Result check",
    "properties.kinds": (
        "Property Role always can_always can_always_avoiding leads_to never_a_step never_stuck "
        "no_cycle_of only_after sometimes"
    ),
    "properties.verdict": "holds unknown vacuous violated",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "CATALOGUE",
    "CLOSED",
    "CLOSE_WAIT",
    "CLOSING",
    "ESTABLISHED",
    "FIN_WAIT_1",
    "FIN_WAIT_2",
    "LAST_ACK",
    "MODELS",
    "RFC9293",
    "SWITCHES",
    "SYNCHRONIZED",
    "TCB",
    "TIME_WAIT",
    "Application",
    "Bounds",
    "Event",
    "Incarnations",
    "Middlebox",
    "Model",
    "Network",
    "Otherwise",
    "Property",
    "Protocol",
    "Result",
    "Role",
    "Rule",
    "Run",
    "Segment",
    "State",
    "Step",
    "Then",
    "Time",
    "Timers",
    "Told",
    "always",
    "becomes",
    "can_always",
    "can_always_avoiding",
    "check",
    "explore",
    "holds",
    "leads_to",
    "never_a_step",
    "never_stuck",
    "no_cycle_of",
    "only_after",
    "removed",
    "rows",
    "sometimes",
    "unknown",
    "vacuous",
    "violated",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tcpclose_model' has no name {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
