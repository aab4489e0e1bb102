"""A model file as it was at a revision of git, without touching the work tree."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reports.loading import as_from, models, origin_of
from tcpclose_model.errors import ModelError, TcpcloseError
from tcpclose_model.model import Model


def range_of(text: str) -> tuple[str, str]:
    """Return the two revisions of BASE..HEAD; a ModelError if it is not that."""
    base, dots, head = text.partition("..")
    if not base or not dots or not head or head.startswith(".") or base.startswith("-"):
        raise ModelError(f"--rev {text!r}: expected BASE..HEAD, such as main..HEAD")
    return base, head


@contextmanager
def models_at(revision: str, name: str) -> Iterator[dict[str, Model]]:
    """Yield the models of a file at a revision, by name; `name` is FILE.py or FILE.py:model.

    The whole tree of that revision is laid out in a folder of its own meanwhile.
    """
    path, colon, wanted = name.rpartition(".py:")
    file = Path(f"{path}.py" if colon else name)
    if file.suffix != ".py":
        raise ModelError(f"{name}: --rev compares a model file, with the ending .py")
    folder = file.resolve().parent
    while not folder.exists():
        folder = folder.parent
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    inside = file.resolve().relative_to(top.resolve())
    tree = _git(top, "archive", "--format=tar", revision)
    with tempfile.TemporaryDirectory(prefix="tcpclose-") as scratch:
        with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
            archive.extractall(scratch, filter="data")
        there = Path(scratch) / inside
        if not there.exists():
            raise TcpcloseError(f"{inside}: is not there at {revision}")
        try:
            found = models([f"{there}{f':{wanted}' if colon else ''}"])
        except TcpcloseError as error:
            said = str(error).replace(f"{Path(scratch)}{os.sep}", "")
            raise TcpcloseError(f"at {revision}: {said}") from None
        yield {model.name: _at(revision, str(file), model) for model in found}


def _at(revision: str, file: str, model: Model) -> Model:
    """Return the model under a name with the revision, and from the file as it was asked for."""
    origin = origin_of(model)
    assert origin is not None, "it was read from a file"
    return as_from(replace(origin, file=file), model.named(f"{model.name}@{revision}"))


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except FileNotFoundError:
        raise TcpcloseError("--rev needs git, which is not installed") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise TcpcloseError(f"git {arguments[0]}: {said[-1] if said else 'failed'}")
    return done.stdout
