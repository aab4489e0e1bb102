"""The formats that a run can be written in, by name and by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from reports.files import write
from reports.ladder import Notes, ladder
from reports.packetdrill import packetdrill
from reports.pcapng import pcapng
from reports.trace import mermaid, trace_text
from tcpclose_model.engines.plain import ENDS
from tcpclose_model.errors import ModelError
from tcpclose_model.run import Run

ENDINGS: Mapping[str, str] = {
    ".txt": "text",
    ".json": "json",
    ".mmd": "mermaid",
    ".pcapng": "pcapng",
    ".pkt": "packetdrill",
}
"""The format that an ending stands for; a longer ending goes before a shorter one."""

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


def content(run: Run, form: str, *, notes: Notes = "beside", end: int = 0) -> str | bytes:
    """Return the run in a format.

    notes: those of a ladder.  end: which end a packetdrill script tests.
    """
    if form == "text":
        return ladder(run, notes=notes)
    if form == "packetdrill":
        return packetdrill(run, end)
    return WRITERS[form](run)


def write_all(folder: Path, stem: str, run: Run, head: str) -> None:
    """Write the run into a folder in every format; `head` goes before the ladder.

    A packetdrill script is written for each end that one can be written for.
    """
    for ending, form in ENDINGS.items():
        if form == "packetdrill":
            for end in (0, 1):
                with suppress(ModelError):
                    write(folder / f"{stem}.{ENDS[end].lower()}{ending}", packetdrill(run, end))
        elif form == "text":
            write(folder / f"{stem}{ending}", head + ladder(run))
        else:
            write(folder / f"{stem}{ending}", content(run, form))
