"""Writing files: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tcpclose_model.errors import TcpcloseError


def write(path: Path, content: str | bytes) -> None:
    """Write a file so that it is there whole or, if anything fails, as it was before.

    Raises TcpcloseError if it cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TcpcloseError(f"{path}: cannot be written: {error.strerror}") from None


def directory(path: Path) -> None:
    """Make a directory (and those above it) unless it is there; TcpcloseError if it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TcpcloseError(f"{path}: not a directory: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
