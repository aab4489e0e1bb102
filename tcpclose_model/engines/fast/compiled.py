"""Kernels are compiled once, and again whenever the source of any of them changes.

On disk numba keeps what it compiled until the file of that function changes.  But a kernel also
holds constants and whole functions of other files; so here it is kept only until one of all the
files changes that a kernel is made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from numba import njit

FILES = (
    "atoms", "compiled", "expanding", "fairness", "graphs", "layout", "numbering", "ordered_steps",
    "steps", "visited",
)  # fmt: skip
"""The modules that kernels are made of."""


def digest(files: Iterable[Path]) -> str:
    """Return a digest of what stands in these files."""
    found = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        found.update(b"%d %d " % (len(file.stem), len(content)))
        found.update(file.stem.encode() + content)
    return found.hexdigest()


SOURCES = digest(Path(__file__).with_name(f"{name}.py") for name in FILES)


def compiled(**options: bool) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function; it lets other threads run meanwhile.

    options: more of what `numba.njit` takes.
    """
    # Any: what numba makes of a function has no types.

    def compiler(function: Callable[..., Any]) -> Any:
        made = njit(cache=True, nogil=True, **options)(function)
        # numba has no name for this: it would compare a digest of the function's own file.
        file = made._cache._cache_file
        file._source_stamp = (file._source_stamp, SOURCES)
        return made

    return compiler


kernel = compiled(_nrt=False)
"""Compiles a function that makes no arrays, and so needs no counting of references to them.

Counting takes several times as long as the work here.
"""

inlined = compiled(_nrt=False, forceinline=True)
"""Compiles a function into those that call it: tables are many words to hand over at each call."""

making_arrays = compiled()
"""Compiles a function that makes arrays."""
