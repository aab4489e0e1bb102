"""Every hazard that the catalogue reproduces: see `case` for what one is."""

from __future__ import annotations

from properties.hazards.case import Case, Hazard
from properties.hazards.incarnations import INCARNATIONS
from properties.hazards.literature import LITERATURE
from properties.hazards.surroundings import SURROUNDINGS

_ALL = (*LITERATURE, *INCARNATIONS, *SURROUNDINGS)
HAZARDS: dict[str, Hazard] = {
    hazard.name: hazard for hazard in sorted(_ALL, key=lambda hazard: int(hazard.name[1:]))
}
"""By name, in the order of their numbers."""

__all__ = ["HAZARDS", "Case", "Hazard"]
