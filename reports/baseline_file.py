"""The text of a baseline: a fact a line, in one order, so that a diff of it can be read.

    tcpclose baseline 1
    semantics 1

    standard
     row 0123456789ab close

    model table_154
     set network.capacity=1
     parameter network.capacity=1
     states 27
     steps 38
     depth 7
     graph 0123456789abcdef01234567
     a 0123456789ab close
     b - abort
     violated no_deadlock

`a`, `b` or `both`: a row that an end has otherwise than the standard's table; with `-`, has not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from properties.baseline import COUNTS, GONE, Baseline, Pin
from properties.fingerprint import SIZE
from properties.verdict import Answer
from tcpclose_model.errors import TcpcloseError, nearest

HEAD = "tcpclose baseline 1"
ANSWERS = tuple(answer.value for answer in Answer)
PLAIN_NAME = re.compile(r"[^\s\"]\S*")
DIGEST = re.compile(rf"[0-9a-f]{{{SIZE}}}|-")
FINGERPRINT = re.compile(rf"[0-9a-f]{{{2 * SIZE}}}|none")
NUMBER = re.compile(r"[0-9]{1,18}")
ENDS = ("both", "a", "b")
FIELDS = ("set", "parameter", *COUNTS, "graph", *ENDS, *ANSWERS)


def baseline_text(baseline: Baseline) -> str:
    """Return the text of a baseline."""
    lines = [HEAD, f"semantics {baseline.semantics}", "", "standard"]
    lines += [f" row {digest} {_quoted(row)}" for row, digest in sorted(baseline.standard.items())]
    for name, pin in sorted(baseline.pins.items()):
        lines += ["", f"model {_quoted(name)}", *(f" {line}" for line in _pin_lines(pin))]
    return "\n".join(lines) + "\n"


def _pin_lines(pin: Pin) -> Iterator[str]:
    yield from (f"set {setting}" for setting in pin.settings)
    yield from (f"parameter {name}={value}" for name, value in sorted(pin.parameters.items()))
    yield from (f"{name} {pin.counts[name]}" for name in COUNTS)
    yield f"graph {pin.graph}"
    alike = pin.rows["a"] == pin.rows["b"]
    for end, rows in {"both": pin.rows["a"]}.items() if alike else pin.rows.items():
        for row, digest in sorted(rows.items()):
            yield f"{end} {digest or '-'} {_quoted(row)}"
    yield from (f"{answer} {_quoted(name)}" for name, answer in sorted(pin.verdicts.items()))


def _quoted(name: str) -> str:
    return name if PLAIN_NAME.fullmatch(name) else json.dumps(name)


def read_baseline(path: Path) -> Baseline:
    """Return the baseline that a file holds; TcpcloseError names line and field if it is broken."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TcpcloseError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TcpcloseError(f"{path}: not a baseline (it is not UTF-8 text)") from None
    return _Reader(path).read(text)


class _Reader:
    """Reads a baseline line by line."""

    def __init__(self, path: Path) -> None:
        self.path, self.line = path, 0
        self.semantics = 0
        self.standard: dict[str, str] | None = None
        self.pins: dict[str, dict[str, dict[str, str]]] = {}
        self.begins: dict[str, int] = {}
        self.inside = ""

    def read(self, text: str) -> Baseline:
        lines = text.split("\n")
        if lines[0].rstrip("\r") != HEAD:
            self.fail(f"not a baseline (its first line is not {HEAD!r})", line=1)
        for self.line, line in enumerate(lines[1:], start=2):
            stripped = line.rstrip("\r")
            if stripped.startswith(" "):
                self.fact(*self.halves(stripped.strip()))
            elif stripped:
                self.section(*self.halves(stripped))
        if not self.semantics:
            self.fail("semantics: is missing")
        if self.standard is None:
            self.fail("standard: is missing")
        pins = {name: self.pin(name, facts) for name, facts in self.pins.items()}
        return Baseline(pins, self.standard, self.semantics)

    def fail(self, what: str, *, line: int | None = None) -> NoReturn:
        raise TcpcloseError(f"{self.path}:{line or max(self.line, 1)}: {what}")

    def halves(self, line: str) -> tuple[str, str]:
        name, _, rest = line.partition(" ")
        return name, rest.strip()

    def section(self, kind: str, rest: str) -> None:
        self.inside = rest if kind == "model" else ""
        if kind == "semantics" and not self.semantics:
            self.semantics = self.number(kind, rest)
        elif kind == "standard" and self.standard is None and not rest:
            self.standard, self.inside = {}, kind
        elif kind == "model":
            name = self.name(kind, rest)
            if name in self.pins:
                self.fail(f"model: {name} stands twice")
            self.pins[name], self.begins[name] = {}, self.line
            self.inside = f"model {name}"
        else:
            self.fail(f"{kind}: is not expected here")

    def fact(self, kind: str, rest: str) -> None:
        if self.inside == "standard" and self.standard is not None:
            if kind != "row":
                self.fail(f"{kind}: is not a field of the standard's table (row)")
            digest, row = self.halves(rest)
            self.once(self.standard, kind, self.name(kind, row), self.digest(kind, digest))
            return
        if not self.inside:
            self.fail(f"{kind}: stands before the first model")
        if kind not in FIELDS:
            self.fail(f"{kind}: is not a field of a model{nearest(kind, FIELDS)}")
        facts = self.pins[self.inside.removeprefix("model ")]
        if kind in COUNTS:
            self.once(facts.setdefault("counts", {}), kind, kind, str(self.number(kind, rest)))
        elif kind == "graph":
            if not FINGERPRINT.fullmatch(rest):
                self.fail(f"graph: {rest!r} is not {2 * SIZE} hexadecimal digits, or none")
            self.once(facts.setdefault(kind, {}), kind, kind, rest)
        elif kind in ENDS:
            digest, row = self.halves(rest)
            found = self.digest(kind, digest)
            self.once(facts.setdefault(kind, {}), kind, self.name(kind, row), found)
        elif kind in ("set", "parameter"):
            name, equals, value = rest.partition("=")
            if not (name and equals):
                self.fail(f"{kind}: {rest!r} is not NAME=VALUE")
            self.once(facts.setdefault(kind, {}), kind, name, value)
        else:
            self.once(facts.setdefault("verdicts", {}), kind, self.name(kind, rest), kind)

    def once(self, known: dict[str, str], kind: str, name: str, value: str) -> None:
        if name in known:
            self.fail(f"{kind}: {name} stands twice")
        known[name] = value

    def number(self, kind: str, text: str) -> int:
        if not NUMBER.fullmatch(text):
            self.fail(f"{kind}: {text!r} is not a whole number")
        return int(text)

    def digest(self, kind: str, text: str) -> str:
        if not DIGEST.fullmatch(text):
            self.fail(f"{kind}: {text!r} is not a digest of {SIZE} hexadecimal digits")
        return GONE if text == "-" else text

    def name(self, kind: str, text: str) -> str:
        if not text.startswith('"'):
            if not PLAIN_NAME.fullmatch(text):
                self.fail(f"{kind}: a name is missing or has spaces: {text!r}")
            return text
        try:
            name = json.loads(text)
        except ValueError:
            name = None
        if not isinstance(name, str):
            self.fail(f"{kind}: {text} is not a quoted name")
        return str(name)

    def pin(self, name: str, facts: Mapping[str, dict[str, str]]) -> Pin:
        counts = facts.get("counts", {})
        for what in (*COUNTS, "graph", "verdicts"):
            if what not in facts and what not in counts:
                self.fail(f"{what}: is missing of model {name}", line=self.begins[name])
        return Pin(
            tuple(f"{key}={value}" for key, value in facts.get("set", {}).items()),
            facts.get("parameter", {}),
            {count: int(counts[count]) for count in COUNTS},
            facts["graph"]["graph"],
            {end: facts.get("both", {}) | facts.get(end, {}) for end in ("a", "b")},
            facts["verdicts"],
        )
