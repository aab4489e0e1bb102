"""Writes docs/interop.md:  python docs/make_interop.py [--check]

Every pair is checked anew.  With `--check` nothing is written, and the exit status is 1 if the
file is not up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from reports.interop import interop_markdown, pairs  # noqa: E402  # after the path is set
from tcpclose_model.variants.catalogue import model_named  # noqa: E402
from tcpclose_model.variants.parameters import with_parameters  # noqa: E402

PAGE = ROOT / "docs" / "interop.md"
STACKS = ("rfc9293", "linux", "freebsd", "windows")
BUGS = ("freertos_1303", "smoltcp_470", "smoltcp_112", "picotcp_10", "zephyr_46407")
PATIENT = "timers.user_timeout=off"


def page() -> str:
    """Return the whole text of docs/interop.md."""
    within = model_named("linux")
    names = f"{','.join(STACKS)} --with {','.join((*STACKS, *BUGS))} --in linux"
    lines = [
        "# Different stacks at the two ends",
        "",
        "Each of the stack profiles at end A against each of them, and against stacks with a known",
        "bug, at end B. Made by `python docs/make_interop.py`; do not edit it. The network, the",
        "timers and the users are those of the model `linux`: A sends a unit of text.",
        "",
        "Where ends give up, a table without a FIN-WAIT-2 timeout can be left half open; where",
        "they never do, a CLOSED that stays silent (Windows) leaves its peer retransmitting for",
        "ever.",
    ]
    for title, settings in (
        ("Both ends give up after their user timeout", ()),
        ("Both ends are patient", (PATIENT,)),
    ):
        told = "".join(f" --set {setting}" for setting in settings)
        base = with_parameters(within, settings) if settings else within
        found = list(pairs(STACKS, (*STACKS, *BUGS), base, {}))
        lines += ["", f"## {title}", "", "```sh", f"tcpclose interop {names}{told}", "```", ""]
        lines.append(interop_markdown(found, base).rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
