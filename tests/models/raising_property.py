# mypy: ignore-errors
"""A mistake: a property that looks at a field that the TCB does not have."""

from tcpclose_model import *

model = Model(
    network=Network(loss=False),
    timers=Timers(retransmission="none"),
    application=Application(data_units=(0, 0)),
    properties=[
        always(
            "The window is open.",
            lambda s: s.a.snd_wnd > 0,
        )
    ],
)
