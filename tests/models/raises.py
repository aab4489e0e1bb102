# mypy: ignore-errors
"""A mistake: the file fails while it is run."""

from tcpclose_model import *

units = 1 // 0

model = Model(application=Application(data_units=(units, 0)))
