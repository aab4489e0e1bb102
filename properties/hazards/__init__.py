"""Every hazard that the catalogue reproduces: see `case` for what one is."""

from __future__ import annotations

from properties.hazards.case import Case, Hazard
from properties.hazards.literature import LITERATURE
from properties.hazards.surroundings import SURROUNDINGS

HAZARDS: dict[str, Hazard] = {hazard.name: hazard for hazard in (*LITERATURE, *SURROUNDINGS)}
"""By name, in the order of their numbers."""

__all__ = ["HAZARDS", "Case", "Hazard"]
