"""Ranges of parameters: the values that `tcpclose sweep --set NAME=VALUES` goes through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from tcpclose_model.errors import ModelError
from tcpclose_model.model import Model, parameters
from tcpclose_model.variants.parameters import with_parameter, with_parameters
from tcpclose_model.variants.switches import SWITCHES

CELLS_MAX = 10_000
"""Models of one sweep; more are refused before any is made."""

RANGE = re.compile(r"(-?\d+)\s*\.\.\s*(-?\d+)")
PART = re.compile(r"(?:\([^()]*\)|[^,()])+|,")


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter or a switch, and the values that it takes one after the other, as text."""

    name: str
    values: tuple[str, ...]

    @property
    def is_fixed(self) -> bool:
        """Whether there is one value only."""
        return len(self.values) == 1

    @property
    def is_ordered(self) -> bool:
        """Whether the values are whole numbers, which then stand in order."""
        return all(_is_number(value) for value in self.values)

    def setting(self, value: str) -> str:
        """Return a value of the axis as `--set` of the other commands takes it."""
        bare = value[1:-1] if value.startswith("(") and value.endswith(")") else value
        return f"{self.name}={bare}"


def axes_of(model: Model, settings: Iterable[str]) -> tuple[Axis, ...]:
    """Return the axes that `NAME=VALUES` settings give, in their order.

    VALUES are a range of whole numbers (0..8), or values with commas between them (1,2,5 or
    fifo,any); a value that is a pair or a list stands in parentheses ((1,0),(1,1)).  A name
    without a dot is the one parameter or switch that ends so and takes these values.
    Raises ModelError for what is none of that.
    """
    found: dict[str, Axis] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ModelError(
                f"--set {setting!r}: expected NAME=VALUES, such as network.capacity=1..3"
            )
        values = _expanded(name.strip(), text)
        axis = Axis(_resolved(model, name.strip(), values), values)
        if axis.name in found:
            raise ModelError(f"{axis.name} is set twice: give all its values at once")
        found[axis.name] = axis
        cells = prod(len(one.values) for one in found.values())
        if cells > CELLS_MAX:
            raise ModelError(f"{axis.name}: {cells:,} models so far; a sweep has {CELLS_MAX:,}")
    return tuple(found.values())


def model_at(model: Model, axes: Sequence[Axis], at: Sequence[str]) -> Model:
    """Return the model with each axis at one of its values; ModelError names where, if it is none.

    It is what `with_parameters` makes of the settings, one for each axis.
    """
    settings = [axis.setting(value) for axis, value in zip(axes, at, strict=True)]
    try:
        return with_parameters(model, settings)
    except ModelError as error:
        raise ModelError(f"at {', '.join(settings)}: {error}") from None


def _expanded(name: str, text: str) -> tuple[str, ...]:
    """Return the values that a text stands for: numbers in order, others as they are written."""
    values: dict[str, None] = {}
    for part in _parts(name, text):
        found = RANGE.fullmatch(part)
        if found is None:
            values[part] = None
            continue
        low, high = int(found[1]), int(found[2])
        if low > high:
            raise ModelError(f"{name}: {part} is empty: write {high}..{low}")
        if high - low >= CELLS_MAX:
            raise ModelError(f"{name}: {part} has {high - low + 1:,} values; at most {CELLS_MAX:,}")
        values |= dict.fromkeys(map(str, range(low, high + 1)))
    if all(_is_number(value) for value in values):
        return tuple(map(str, sorted({int(value) for value in values})))
    return tuple(values)


def _parts(name: str, text: str) -> list[str]:
    """Return what stands between the commas that no parentheses are around."""
    pieces = PART.findall(text)
    parts = [piece.strip() for piece in pieces if piece != ","]
    commas = pieces.count(",")
    if "".join(pieces) != text or commas != len(parts) - 1 or not all(parts):
        raise ModelError(
            f"{name}: {text!r} is no list of values, such as 0..8, or 1,2,5, or (1,0),(1,1)"
        )
    return parts


def _is_number(value: str) -> bool:
    return re.fullmatch(r"-?\d+", value) is not None


def _resolved(model: Model, name: str, values: Sequence[str]) -> str:
    """Return the full name of a parameter or a switch."""
    if "." in name:
        return name
    known = [*parameters(model), *(f"protocol.{switch}" for switch in SWITCHES)]
    likely = [one for one in known if one.partition(".")[2] in (name, f"{name}_max")]
    takes = [one for one in likely if _takes(model, Axis(one, tuple(values)))]
    if len(takes) > 1:
        raise ModelError(f"{name} may be {' or '.join(takes)}: say which")
    if len(likely) > 1 and not takes:
        raise ModelError(f"neither {' nor '.join(likely)} takes {', '.join(values)}")
    return (takes or likely or [name])[0]


def _takes(model: Model, axis: Axis) -> bool:
    """Return whether a model can have each value of an axis, whatever its other parameters."""
    try:
        for value in axis.values:
            with_parameter(model, axis.name, axis.setting(value).partition("=")[2])
    except ModelError:
        return False
    return True
