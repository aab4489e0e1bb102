"""Finding models: by catalogue name, in a user's Python file, or one model of such a file."""

from __future__ import annotations

import ast
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tcpclose_model.errors import ModelError, TcpcloseError, nearest
from tcpclose_model.model import Model
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.parameters import with_parameters

DEFAULT = "rfc9293"


_LOADED: dict[str, Path] = {}
"""The model files that have been run, by the name that their code carries."""


def asked_for(names: Sequence[str], *, everything: bool) -> Sequence[str]:
    """Return the names that are asked for: those given or, with --all, the whole catalogue."""
    if everything and names:
        raise ModelError("--all is the whole catalogue; name models, or say --all, not both")
    return tuple(MODELS) if everything else names


def models(names: Sequence[str], settings: Sequence[str] = ()) -> list[Model]:
    """Return the models that MODEL arguments name, with `--set` applied; default is rfc9293.

    A name is one of the catalogue's, `path/to/file.py` (every model in it) or `file.py:name`.
    Raises ModelError where there is no such thing, TcpcloseError with file and line where the
    file itself fails.
    """
    return list(models_by_name(names, settings).values())


def models_by_name(names: Sequence[str], settings: Sequence[str] = ()) -> dict[str, Model]:
    """Return the models as `models` does, each by the name that asks for it alone."""
    found: dict[str, Model] = {}
    for name in names or (DEFAULT,):
        for asked, model in _named(name).items():
            while asked in found:
                asked += " "  # a model that is named twice is checked twice
            found[asked] = _set(model, settings) if settings else model
    return found


def _set(model: Model, settings: Sequence[str]) -> Model:
    return as_from(origin_of(model), with_parameters(model, settings))


def one_model(name: str | None, settings: Sequence[str] = ()) -> Model:
    """Return the one model that a MODEL argument names."""
    found = models([name] if name else [], settings)
    if len(found) > 1:
        known = ", ".join(f"{name}:{model.name}" for model in found)
        raise ModelError(f"{name} has {len(found)} models; name one: {known}")
    return found[0]


def _named(name: str) -> dict[str, Model]:
    path, colon, wanted = name.rpartition(".py:")
    if colon:
        return {name: _of_file(Path(f"{path}.py"), wanted)}
    if name.endswith(".py"):
        found = _file(Path(name))
        if not found:
            raise ModelError(f"{name}: no models in it; a model is a variable set to Model(...)")
        return {f"{name}:{variable}": model for variable, model in found.items()}
    if name not in MODELS and Path(name).exists():
        raise ModelError(f"{name}: a model file is a Python file, with the ending .py")
    return {name: model_named(name)}


def _of_file(path: Path, wanted: str) -> Model:
    found = _file(path)
    if wanted not in found:
        raise ModelError(f"{path}: no model {wanted!r}{nearest(wanted, found)}")
    return found[wanted]


def _file(path: Path) -> dict[str, Model]:
    """Return the models of a Python file by variable name, having run it."""
    try:
        source = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TcpcloseError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TcpcloseError(f"{path}: not a Python file (it is not UTF-8 text)") from None
    module = ModuleType(f"model_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look their annotations up
    _LOADED[str(path)] = path
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except SyntaxError as error:
        where = f"{error.filename or path}:{error.lineno or 1}"
        raise TcpcloseError(f"{where}: {error.msg}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise blamed(error) or TcpcloseError(f"{path}: {_told(error)}") from None
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, Model):
            found[name] = value if value.name else value.named(name)
            as_from(Origin(str(path), _line_of(source, name), source), found[name])
    return found


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model is defined: the file as it is to be named, the line, and the file's text."""

    file: str
    line: int
    text: str


_ORIGINS: dict[int, tuple[Model, Origin]] = {}
"""Where a model is defined; the model is kept with it so that its id stays its own."""


def origin_of(model: Model) -> Origin | None:
    """Return where a model is defined, or None for one of the catalogue."""
    known = _ORIGINS.get(id(model))
    return known[1] if known is not None else None


def as_from(origin: Origin | None, model: Model) -> Model:
    """Return the model, which is known to come from there."""
    if origin is not None:
        _ORIGINS[id(model)] = model, origin
    return model


def place_of(model: Model) -> str:
    """Return file and line of a model that a file defines, or "" for one of the catalogue."""
    origin = origin_of(model)
    return f"{origin.file}:{origin.line}" if origin is not None else ""


def _line_of(source: str, name: str) -> int:
    """Return the last line that gives a variable a value, at the top of a file."""
    lines = [1]
    for statement in ast.parse(source).body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
                lines.append(statement.lineno)
    return lines[-1]


def blamed(error: BaseException) -> TcpcloseError | None:
    """Return the error as one of the model file that it came through, or None if it did not."""
    places = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename in _LOADED
    ]
    if not places:
        return None
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return TcpcloseError(f"{places[-1]}: {_told(error)}{notes}")


@contextmanager
def placing(model: Model) -> Iterator[None]:
    """Tell a mistake of a model's file with its place, whatever it is that finds it."""
    try:
        yield
    except ModelError as error:
        place = place_of(model)
        raise ModelError(f"{place}: {error}" if place else str(error)) from None
    except Exception as error:
        theirs = blamed(error)
        if theirs is None:
            raise
        raise theirs from None


def _told(error: BaseException) -> str:
    if isinstance(error, TcpcloseError):
        return str(error)
    return f"{type(error).__name__}: {error}"
