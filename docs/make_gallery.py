"""Writes docs/gallery.md and its pictures out of the hazards' runs:  python docs/make_gallery.py

With `--check` nothing is written, and the exit status is 1 if a file is not up to date; with names
of hazards after it, only the pictures of those are looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from properties.check import check  # noqa: E402  # after the path is set
from properties.hazards import HAZARDS, Hazard  # noqa: E402
from reports.draw import joint_picture  # noqa: E402
from reports.ladder_scene import ladder_scene  # noqa: E402
from reports.scene_svg import svg  # noqa: E402
from tcpclose_model.space import StateSpace  # noqa: E402

PAGE = ROOT / "docs" / "gallery.md"
PICTURES = ROOT / "docs" / "images" / "gallery"

HEAD = """\
# Gallery

What can go wrong when a TCP connection closes, a picture each: the shortest run that shows it, from
top to bottom, and the way of that run through the graph of all pairs of states that the model
reaches. A dotted arrow that ends in a cross is a segment that is lost, or never arrives; the blue
way through the graph is the run. Other ways in which a hazard shows, and the runs as text:
[hazards](hazards.md).

Made of the runs by `python docs/make_gallery.py`; do not edit it.
"""


def page() -> str:
    """Return the whole text of docs/gallery.md."""
    lines = [HEAD]
    lines += [f"- [{hazard.name}](#{hazard.name.lower()}) {hazard.title}" for hazard in _all()]
    for hazard in _all():
        case = hazard.cases[0]
        end = " and ".join(case.ends)
        lines += [
            "",
            f'<a id="{hazard.name.lower()}"></a>',
            "",
            f"## {hazard.name}: {hazard.title}",
            "",
            hazard.says,
            "",
            f"![The run: {case.title}, {case.steps} steps to {end}](images/gallery/{_run(hazard)})",
            "",
            "<details><summary>The same run among all that the model can do</summary>",
            "",
            f"![The joint graph, the run highlighted](images/gallery/{_graph(hazard)})",
            "",
            "</details>",
            "",
            f"`{case.breaks}` is violated; repair: `{case.repair}`. See it on your own machine:",
            "",
            "```sh",
            case.command,
            "```",
        ]
    return "\n".join(lines) + "\n"


def pictures(hazards: Iterable[Hazard]) -> Iterator[tuple[str, str]]:
    """Yield the name of each picture's file, and the picture as SVG."""
    for hazard in hazards:
        case = hazard.cases[0]
        result = check(case.broken(), only=[case.breaks])
        run, space = result[case.breaks].run, result.space
        assert run is not None, f"{case.command} finds nothing wrong"
        assert isinstance(space, StateSpace)
        yield _run(hazard), svg(ladder_scene(run))
        yield _graph(hazard), joint_picture(space, run).svg()


def _all() -> Iterable[Hazard]:
    return HAZARDS.values()


def _run(hazard: Hazard) -> str:
    return f"{hazard.name}.svg"


def _graph(hazard: Hazard) -> str:
    return f"{hazard.name}-graph.svg"


def main(arguments: list[str]) -> int:
    """Write the page and its pictures, or look whether they are up to date."""
    if arguments[:1] == ["--check"]:
        wanted = [HAZARDS[name] for name in arguments[1:]] or _all()
        files = {PAGE: page(), **{PICTURES / name: text for name, text in pictures(wanted)}}
        return int(any(path.read_text("utf-8") != text for path, text in files.items()))
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        old.unlink()
    PAGE.write_text(page(), encoding="utf-8")
    for name, text in pictures(_all()):
        (PICTURES / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
