"""Finding models: by catalogue name, in a user's Python file, or one model of such a file."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tcpclose_model.errors import ModelError, TcpcloseError, nearest
from tcpclose_model.model import Model
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.parameters import with_parameters

DEFAULT = "rfc9293"


def models(names: Sequence[str], settings: Sequence[str] = ()) -> list[Model]:
    """Return the models that MODEL arguments name, with `--set` applied; default is rfc9293.

    A name is one of the catalogue's, `path/to/file.py` (every model in it) or `file.py:name`.
    Raises ModelError where there is no such thing, TcpcloseError with file and line where the
    file itself fails.
    """
    found = [model for name in names or (DEFAULT,) for model in _named(name)]
    return [with_parameters(model, settings) if settings else model for model in found]


def one_model(name: str | None, settings: Sequence[str] = ()) -> Model:
    """Return the one model that a MODEL argument names."""
    found = models([name] if name else [], settings)
    if len(found) > 1:
        known = ", ".join(f"{name}:{model.name}" for model in found)
        raise ModelError(f"{name} has {len(found)} models; name one: {known}")
    return found[0]


def _named(name: str) -> list[Model]:
    path, colon, wanted = name.rpartition(".py:")
    if colon:
        return [_of_file(Path(f"{path}.py"), wanted)]
    if name.endswith(".py"):
        found = _file(Path(name))
        if not found:
            raise ModelError(f"{name}: no models in it; a model is a variable set to Model(...)")
        return list(found.values())
    if name not in MODELS and Path(name).exists():
        raise ModelError(f"{name}: a model file is a Python file, with the ending .py")
    return [model_named(name)]


def _of_file(path: Path, wanted: str) -> Model:
    found = _file(path)
    if wanted not in found:
        raise ModelError(f"{path}: no model {wanted!r}{nearest(wanted, found)}")
    return found[wanted]


def _file(path: Path) -> dict[str, Model]:
    """Return the models of a Python file by variable name, having run it."""
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TcpcloseError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TcpcloseError(f"{path}: not a Python file (it is not UTF-8 text)") from None
    module = ModuleType(f"model_file_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except SyntaxError as error:
        raise TcpcloseError(f"{path}:{error.lineno}: {error.msg}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise TcpcloseError(f"{_place(path, error)}: {_told(error)}") from None
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, Model):
            found[name] = value if value.name else value.named(name)
    return found


def _place(path: Path, error: BaseException) -> str:
    """Return the file and the last line in it that an error came through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _told(error: BaseException) -> str:
    if isinstance(error, TcpcloseError):
        return str(error)
    return f"{type(error).__name__}: {error}"
