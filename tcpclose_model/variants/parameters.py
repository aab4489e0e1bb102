"""Setting a model's parameters and switches from text, as `--set NAME=VALUE` gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model, parameters
from tcpclose_model.variants.switches import SWITCHES

ENDS_OF = {"protocol": ("a", "b"), "a": ("a",), "b": ("b",)}
"""Which ends a switch's prefix speaks of."""

MAY_BE_NONE = frozenset(name for name, value in parameters(Model()).items() if value is None)
"""Parameters that may be `none`."""


def values(model: Model) -> dict[str, object]:
    """Return every parameter and every switch of both ends, with its value."""
    found: dict[str, object] = dict(parameters(model))
    for name, switch in SWITCHES.items():
        found[f"protocol.{name}"] = switch.is_on(model.a) and switch.is_on(model.b)
    return found


def with_parameters(model: Model, settings: Iterable[str]) -> Model:
    """Return the model after `NAME=VALUE` settings; it then has no expectations of its own.

    Raises ModelError, naming the nearest right name or the choices, if one is unusable.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ModelError(f"--set {setting!r}: expected NAME=VALUE, such as network.capacity=3")
        model = with_parameter(model, name.strip(), text)
    return model


def with_parameter(model: Model, name: str, text: str) -> Model:
    """Return the model with one parameter set from text, as `--set NAME=TEXT` gives it.

    Raises ModelError, naming the nearest right name or the choices, if either is unusable.
    """
    known = parameters(model)
    part, _, slot = name.partition(".")
    if part in ENDS_OF and slot in SWITCHES:
        return _with_switch(model, name, text)
    if name not in known:
        switches = [f"{prefix}.{switch}" for prefix in ENDS_OF for switch in SWITCHES]
        near = nearest(name, [*known, *switches])
        if near.startswith(" (known"):
            near = "; see: tcpclose list parameters"
        raise ModelError(f"no parameter {name!r}{near}")
    value = _parsed(name, text, known[name])
    return replace(model, **{part: replace(getattr(model, part), **{slot: value})}, expect={})


def _with_switch(model: Model, name: str, text: str) -> Model:
    prefix, _, slot = name.partition(".")
    switch, wanted = SWITCHES[slot], _boolean(name, text)
    ends = {"a": model.a, "b": model.b}
    for end in ENDS_OF[prefix]:
        if wanted != switch.is_on(ends[end]):
            ends[end] = switch.on(ends[end]) if wanted else switch.off(ends[end])
    return replace(model, a=ends["a"], b=ends["b"], expect={})


def _parsed(name: str, text: str, old: object) -> object:
    """Return `text` as a value of the kind that the parameter takes."""
    text = text.strip()
    if isinstance(old, bool):
        return _boolean(name, text)
    if name in MAY_BE_NONE and text.lower() == "none":
        return None
    if name in ("time.retransmission", "time.persist"):
        return tuple(_number(name, part.strip()) for part in text.strip("()").split(","))
    if name in MAY_BE_NONE:
        return _number(name, text)
    if isinstance(old, int):
        return _number(name, text)
    if name == "application.fair":
        return tuple(part.strip().upper() for part in text.split(",") if part.strip())
    if name == "application.closes":
        parts = tuple(part.strip() for part in text.strip("()").split(","))
        return parts[0] if len(parts) == 1 else parts
    if isinstance(old, tuple):
        parts = tuple(part.strip() for part in text.strip("()").split(","))
        parts = parts * 2 if len(parts) == 1 else parts
        if isinstance(old[0], str):
            return parts
        read = _boolean if isinstance(old[0], bool) else _number
        return tuple(read(name, part) for part in parts)
    return text


def _boolean(name: str, text: str) -> bool:
    choices = {"true": True, "yes": True, "on": True, "1": True}
    choices |= {"false": False, "no": False, "off": False, "0": False}
    if text.lower() not in choices:
        raise ModelError(f"{name}: {text!r} is not true or false")
    return choices[text.lower()]


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ModelError(f"{name}: {text!r} is not a whole number") from None
