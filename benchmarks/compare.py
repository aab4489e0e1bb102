"""How fast this project is beside SPIN, TLC and networkx: `python -m benchmarks.compare`.

Explores the fixed instance with every contender that is installed, each in a process of its own,
and prints tables; the reasons of those that are missing stand below.  Every contender's counts are
held against the pinned ones and its verdicts against the others': a difference is an error.

`docs/performance.md` says how to read the tables; `--write` puts them there.  `--long` explores
only the longest instance, on all processors.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a file, not with -m
    sys.path.insert(0, str(ROOT))

from benchmarks import ours, spin, startup, tlc  # noqa: E402 (see above)
from benchmarks.contender import Contender, Score, disagreements, score  # noqa: E402
from benchmarks.instances import (  # noqa: E402
    BIG,
    GROWTH,
    HUGE,
    LONG,
    MEDIUM,
    SMALL,
    TINY,
    Instance,
)
from benchmarks.measure import adopt_orphans  # noqa: E402
from benchmarks.tables import (  # noqa: E402
    graph_table,
    growth_table,
    liveness_table,
    ratio_table,
)

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
LONG_BEGIN, LONG_END = "<!-- long:begin -->", "<!-- long:end -->"


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run measures.

    level: how hard the C compiler tries; repeats: runs of what is short, of which the fastest
    counts; cold: whether start-up is measured with nothing compiled beforehand, too.
    """

    name: str
    instances: tuple[Instance, ...]
    live: tuple[Instance, ...]
    growth: tuple[Instance, ...]
    level: str = "-O3"
    repeats: int = 3
    cold: bool = True


QUICK = Size("quick", (TINY,), (TINY,), (TINY,), level="-O0", repeats=1, cold=False)
DEFAULT = Size("default", (SMALL, MEDIUM), (SMALL,), GROWTH[:3], repeats=2)
LARGE = Size("large", (SMALL, MEDIUM, BIG, HUGE), (SMALL, MEDIUM), GROWTH)


class Comparison:
    """One run: its size, what has been measured so far, and where things are built."""

    def __init__(self, size: Size, scratch: Path) -> None:
        self.size, self.scratch = size, scratch
        self.scores: list[Score] = []

    def lines(self) -> list[str]:
        """Measure everything; return the tables, with a heading for each."""
        graph = [*ours.contenders(), *spin.contenders(self.size.level), *tlc.contenders()]
        live = [ours.liveness_contender(), *spin.liveness_contenders(self.size.level)]
        lines = [*machine_lines(), *_size_lines(self.size)]
        for instance in self.size.instances:
            lines += ["", f"### {_title(instance)}", ""]
            lines += graph_table(self._all(graph, instance))
        lines += ["", "### Ours beside SPIN's depth first by hand, and the replay bound", ""]
        lines += ratio_table(
            [self._all(graph, instance) for instance in self.size.instances],
            peer="SPIN, by hand, depth first",
            bound=ours.REPLAY_BOUND,
        )
        lines += ["", "### Growth with K, D and R", ""]
        few = [graph[0], spin.contenders(self.size.level)[0]]
        lines += growth_table([self._all(few, one) for one in self.size.growth])
        for instance in self.size.live:
            lines += ["", f"### Liveness: both ends reach CLOSED; {instance.words}", ""]
            lines += liveness_table(self._all(live, instance))
        lines += ["", f"### Start-up: from a command to the counts of {TINY.words}", ""]
        lines += startup.lines(self._folder(), self.size.level, cold=self.size.cold)
        return lines

    def long_lines(self) -> list[str]:
        """Measure the longest instance, by the fastest contender alone; return its table."""
        lines = [*machine_lines(), "", "Measured once.", "", f"### {_title(LONG)}", ""]
        return [*lines, *graph_table([self._score(ours.fastest(), LONG)])]

    def _all(self, contenders: Iterable[Contender], instance: Instance) -> list[Score]:
        """Return the scores of contenders on an instance, those that have run before reused."""
        found = []
        for contender in contenders:
            known = [
                one
                for one in self.scores
                if (one.contender.name, one.instance) == (contender.name, instance)
            ]
            one = known[0] if known else self._score(contender, instance)
            found.append(one)
        return found

    def _score(self, contender: Contender, instance: Instance) -> Score:
        folder = self._folder()
        one = score(contender, instance, folder, self.size.repeats)
        shutil.rmtree(folder, ignore_errors=True)
        self.scores.append(one)
        told = one.missing or f"{one.seconds:.3f} s"
        print(f"{instance.words}: {contender.name}: {told}", file=sys.stderr)
        return one

    def _folder(self) -> Path:
        """Return the path of a folder that does not exist yet."""
        return Path(tempfile.mkdtemp(dir=self.scratch)) / "it"


def machine_lines() -> list[str]:
    """Return what was measured on, and with which versions."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    cores = len(os.sched_getaffinity(0))
    versions = [f"Python {sys.version.split()[0]}"]
    for package in ("numba", "networkx"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    spoken = _first_words(["spin", "-V"], lambda line: line.replace("Spin Version", "SPIN"))
    versions += [spoken.split(" --")[0]] if spoken else []
    versions += [one for one in [_first_words(["cc", "-dumpfullversion"], "cc {}".format)] if one]
    return [f"A machine with {cores} cores and {memory:.0f} GiB of memory; {', '.join(versions)}."]


def _first_words(command: Sequence[str], shape: Callable[[str], str]) -> str:
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return shape(done.stdout.strip().split("\n")[0])


def _size_lines(size: Size) -> list[str]:
    if size.repeats == 1:
        return ["", "Each measured once."]
    return ["", f"The fastest of {size.repeats} runs, or the only one where a run is long."]


def _title(instance: Instance) -> str:
    return f"{instance.states:,} states, {instance.steps:,} steps ({instance.words})"


def written(document: str, lines: Sequence[str], marks: tuple[str, str] = (BEGIN, END)) -> str:
    """Return the document with these lines between two marks."""
    begin, end = marks
    before, rest = document.split(begin, 1)
    _, after = rest.split(end, 1)
    return "\n".join([f"{before}{begin}", *lines, f"{end}{after}"])


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 1 if contenders disagree."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="tiny instances: seconds, for a test")
    sizes.add_argument("--large", action="store_true", help="127.7 million states, too")
    sizes.add_argument("--long", action="store_true", help=f"{LONG.states:,} states, and no more")
    parser.add_argument("--write", action="store_true", help="put the tables into docs")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else LARGE if options.large else DEFAULT
    adopt_orphans()
    with tempfile.TemporaryDirectory() as scratch:
        comparison = Comparison(size, Path(scratch))
        lines = comparison.long_lines() if options.long else comparison.lines()
    print("\n".join(lines))
    wrong = disagreements(comparison.scores)
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    if options.write and not wrong:
        text = DOCUMENT.read_text(encoding="utf-8")
        marks = (LONG_BEGIN, LONG_END) if options.long else (BEGIN, END)
        DOCUMENT.write_text(written(text, lines, marks), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
