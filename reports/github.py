"""What GitHub's runner reads: workflow commands, and the summary of a job."""

from __future__ import annotations

import os
from pathlib import Path

from tcpclose_model.errors import TcpcloseError


def command(kind: str, title: str, body: str, file: str = "", line: int | str = "") -> str:
    """Return an annotation (error, warning or notice) at a line of a file, or nowhere."""
    where = {"file": file, "line": str(line)} if file else {}
    slots = ",".join(
        f"{slot}={escaped(text, ':,')}" for slot, text in (where | {"title": title}).items()
    )
    return f"::{kind} {slots}::{escaped(body)}"


def escaped(text: str, also: str = "") -> str:
    """Return text as a workflow command takes it."""
    for sign in "%\r\n" + also:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def append(text: str) -> None:
    """Append to the file that GITHUB_STEP_SUMMARY names, if it names one."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise TcpcloseError(f"GITHUB_STEP_SUMMARY: {name}: {error.strerror}") from None
