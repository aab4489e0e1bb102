"""How the catalogue is written down: named models, each with its source and what it expects.

An expectation is for exactly the model's parameters.  "*" stands for every property that is not
named.  Where a verdict differs from what earlier work reports, `docs/verdicts.md` says why.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model
from tcpclose_model.parts import (
    Application,
    Bounds,
    Incarnations,
    Middlebox,
    Network,
    Time,
    Timers,
)
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.switches import SWITCHES

LOSSLESS = Network(loss=False)
REORDERING = Network(loss=False, order="any")
WILD = Network(order="any", duplication=True)
NO_RETRANSMISSION = Timers(retransmission="none")
TIMELY = Timers(retransmission="timely")
TIMELY_IDEAL = Timers(retransmission="timely", time_wait="ideal")
GIVES_UP = Timers(retransmission="timely", user_timeout=True)
DRAINED = Timers(retransmission="none", time_wait="drained")
NO_DATA = Application(data_units=(0, 0))
ONE_WAY = Application(data_units=(1, 0))

ASSASSINATED = ("time_wait_ends_only_by_its_timer",)
RESETS = ("no_reset_in_an_orderly_close",)
UNCLEAN = ("a_clean_completion_stays_possible",)
AS_ANY_LOSSY = (*ASSASSINATED, *RESETS, *UNCLEAN)
NO_TEXT = ("no_silent_data_loss", "no_acknowledged_data_unread")
NO_TIME_WAIT = ("time_wait_only_after_active_close", "time_wait_ends_only_by_its_timer")
UNTOLD = ("no_reset_goes_untold",)
LIVENESS = ("both_eventually_closed", "both_can_always_close")
HALF_OPEN = ("no_half_open_end",)
STUCK = ("no_deadlock", *LIVENESS)

MODELS: dict[str, Model] = {}


def switched(*names: str, protocol: Protocol = RFC9293) -> Protocol:
    """Return the protocol with the named switches on."""
    for name in names:
        protocol = SWITCHES[name].on(protocol)
    return protocol


def add_model(
    name: str,
    title: str,
    source: str,
    protocol: Protocol = RFC9293,
    *,
    b: Protocol | None = None,
    network: Network | None = None,
    timers: Timers | None = None,
    application: Application | None = None,
    bounds: Bounds | None = None,
    middlebox: Middlebox | None = None,
    incarnations: Incarnations | None = None,
    time: Time | None = None,
    violated: Iterable[str] = (),
    vacuous: Iterable[str] = (),
) -> Model:
    """Add a model to the catalogue; every property that is not named is expected to hold.

    Both ends follow `protocol`, or B another one.
    """
    expect = {"*": "holds"}
    expect |= dict.fromkeys(vacuous, "vacuous") | dict.fromkeys(violated, "violated")
    model = Model(
        a=protocol,
        b=b or protocol,
        network=network or Network(),
        timers=timers or Timers(),
        application=application or Application(),
        bounds=bounds or Bounds(),
        middlebox=middlebox or Middlebox(),
        incarnations=incarnations or Incarnations(),
        time=time or Time(),
        expect=expect,
        name=name,
        title=title,
        source=source,
    )
    MODELS[name] = model
    return model


def model_named(name: str) -> Model:
    """Return the model of that name; a ModelError names the nearest ones."""
    if name not in MODELS:
        raise ModelError(f"no model {name!r}{nearest(name, MODELS)}")
    return MODELS[name]
