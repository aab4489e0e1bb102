"""The catalogue: every named model, each with its source and the verdicts that it expects.

Where a verdict differs from what one would expect, `docs/verdicts.md` says why.
"""

from __future__ import annotations

from tcpclose_model.variants import standard, options, bugs, stack_models, flow, boxes, reopening  # isort: skip  # their order counts
from tcpclose_model.variants import timed  # isort: skip  # the last
from tcpclose_model.variants.registry import MODELS, model_named

PARTS = (standard, options, bugs, stack_models, flow, boxes, reopening, timed)
"""Importing a part adds its models, in this order."""

__all__ = ["MODELS", "PARTS", "model_named"]
