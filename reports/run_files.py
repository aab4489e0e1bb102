"""The formats that a run can be written in, by name and by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reports.ladder import Notes, ladder
from reports.pcapng import pcapng
from reports.trace import mermaid, trace_text
from tcpclose_model.errors import ModelError
from tcpclose_model.run import Run

ENDINGS: Mapping[str, str] = {
    ".txt": "text",
    ".json": "json",
    ".mmd": "mermaid",
    ".pcapng": "pcapng",
}
"""The format that an ending stands for; a longer ending goes before a shorter one."""

PRINTED = tuple(name for name in ENDINGS.values() if name != "pcapng")
"""The formats that are text, so that they can be printed."""


WRITERS: Mapping[str, Callable[[Run], str | bytes]] = {
    "json": trace_text,
    "mermaid": mermaid,
    "pcapng": pcapng,
}


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for; ModelError if it asks for none."""
    for ending, name in ENDINGS.items():
        if path.name.endswith(ending):
            return name
    raise ModelError(f"{path}: a run is written as {', '.join(ENDINGS)}")


def content(run: Run, form: str, *, notes: Notes = "beside") -> str | bytes:
    """Return the run in a format; `notes` are those of a ladder."""
    if form == "text":
        return ladder(run, notes=notes)
    return WRITERS[form](run)
