# mypy: ignore-errors
"""A mistake: a protocol, but no model."""

from tcpclose_model import *

mine = RFC9293.named("mine")
