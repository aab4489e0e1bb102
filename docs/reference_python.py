"""The public Python names, with their signatures as they are written in the source."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, ForwardRef

from reference_markdown import code, codes, first_paragraph, table

import tcpclose_model
from tcpclose_model.protocol.notation import Protocol

LINE_MAX = 100


class Written:
    """A value that shows itself as it is written in the source."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def signature_of(thing: Callable[..., object]) -> str:
    """Return a signature as it is written: annotations without quotes, defaults by their names."""
    found = inspect.signature(thing)
    made = [as_written(param) for param in found.parameters.values()]
    end = found.return_annotation
    back = end if end is found.empty or inspect.isclass(thing) else Written(as_text(end))
    if inspect.isclass(thing):
        back = found.empty
    return str(found.replace(parameters=made, return_annotation=back))


def broken(name: str, thing: Callable[..., object]) -> Iterator[str]:
    """Yield a name with its signature, a line for each parameter if one line is not enough."""
    whole = f"{name}{signature_of(thing)}"
    if len(whole) <= LINE_MAX:
        yield whole
        return
    found = inspect.signature(thing).parameters.values()
    yield f"{name}("
    for number, param in enumerate(found):
        kinds = [other.kind for other in list(found)[:number]]
        if param.kind is param.KEYWORD_ONLY and set(kinds) <= {param.POSITIONAL_OR_KEYWORD}:
            yield "    *,"
        yield f"    {as_written(param)},"
    yield f"){whole[whole.rindex(')') + 1 :]}"


def as_written(param: inspect.Parameter) -> inspect.Parameter:
    """Return a parameter that shows itself as it is written."""
    hint = param.annotation
    told = hint if hint is param.empty else Written(as_text(hint))
    return param.replace(annotation=told, default=default(param))


def as_text(hint: object) -> str:
    """Return an annotation as text."""
    if isinstance(hint, ForwardRef):
        return hint.__forward_arg__
    return hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))


def default(param: inspect.Parameter) -> object:
    """Return a parameter's default as it is written; a factory's as `...`."""
    value = param.default
    if value is param.empty:
        return value
    if isinstance(value, enum.Enum):
        return Written(f"{type(value).__name__}.{value.name}")
    if isinstance(value, Protocol):
        return Written(value.name.upper())
    return Written("...") if "factory" in repr(value) else value


def python() -> Iterator[str]:
    """Yield every public name of `tcpclose_model`."""
    yield "`from tcpclose_model import *` gives these names, and they stay."
    everything = {name: getattr(tcpclose_model, name) for name in sorted(tcpclose_model.__all__)}
    for name, thing in everything.items():
        if inspect.isclass(thing):
            yield from class_lines(name, thing)
        elif callable(thing):
            yield from ["", "```text", *broken(name, thing), "```", ""]
            yield first_paragraph(thing.__doc__)
    yield ""
    yield "Values:"
    yield ""
    yield from table(
        ["name", "value"],
        (
            [code(name), value_text(thing)]
            for name, thing in everything.items()
            if not inspect.isclass(thing) and not callable(thing)
        ),
    )


def class_lines(name: str, thing: type) -> Iterator[str]:
    """Yield the lines of a class: an enumeration's members, or how one is made, and its methods."""
    if issubclass(thing, enum.Enum):
        yield from ["", "```text", f"class {name}", "```", ""]
        yield f"{first_paragraph(thing.__doc__)} {codes(member.name for member in thing)}."
        return
    yield from ["", "```text", *broken(name, thing)]
    for method, member in vars(thing).items():
        if is_method(method, member):
            yield from ["", f"# {first_paragraph(member.__doc__)}"]
            yield from method_lines(f"{name}.{method}", member)
    yield from ["```", "", first_paragraph(thing.__doc__)]


def method_lines(name: str, member: Any) -> Iterator[str]:  # Any: a function or a property
    """Yield how a method is called, without `self`."""
    if isinstance(member, property):
        yield name
        return
    for number, line in enumerate(broken(name, member)):
        told = re.sub(r"\(self(, )?", "(", line, count=1) if number == 0 else line
        if told.strip() != "self,":
            yield told


def is_method(name: str, member: object) -> bool:
    """Return whether a member of a class is a public method or property with a docstring."""
    if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)):
        return False
    return bool(member.__doc__) and not member.__doc__.startswith("Alias for field")


def value_text(value: object) -> str:
    """Return what a public value is."""
    if isinstance(value, enum.Enum):
        return code(f"{type(value).__name__}.{value.name}")
    if isinstance(value, Protocol):
        return f"the table above, a `Protocol` of {len(value.rules)} rules"
    if isinstance(value, dict):
        kinds = {type(member).__name__ for member in value.values()}
        return f"a dict of {len(value)} `{kinds.pop()}` by name; see above"
    assert isinstance(value, tuple)
    if isinstance(value[0], enum.Enum):
        return codes(member.name for member in value)
    return f"a tuple of {len(value)} `{type(value[0]).__name__}`; see above"
