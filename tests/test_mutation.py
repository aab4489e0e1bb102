"""Mutants of rows: who notices which edit, and what survives and why."""

from __future__ import annotations

import json
import os
from functools import cache

import click
import pytest

from properties.mutation import NEVER_FIRES, Fate, Judged, mutants, mutate, mutated
from reports.mutating import mutation_lines
from tcpclose_model.model import Model
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.search import explore
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tests.command_line import ROOT, once, refused, tcpclose

SMALL = ("application.data_units=1,0", "network.capacity=1")

ROWS = (
    "close",
    "close_after_peer",
    "crash",
    "fin_acked_in_fin_wait_1",
    "fin_in_established",
    "new_ack",
    "reset_in_time_wait",
    "retransmit_fin",
)
"""The rows whose mutants are always judged; all of them are where MUTATE_ALL is set."""

PAGE = ROOT / "docs" / "mutation.md"


def explained() -> list[str]:
    """Return the edits that the page of survivors explains."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index("| edit | why nothing speaks of it |") + 2
    return [line.split(" | ")[0].removeprefix("| ") for line in lines[start:] if line[:1] == "|"]


DEFAULT = ROOT / "docs" / "mutation_default.txt"
"""What `mutate --every` prints of the default model."""

ONE_WAY_ONLY = "(text one way only)"


def explained_by_default() -> list[str]:
    """Return the edits that the page explains and that survive with text both ways, too."""
    text = PAGE.read_text(encoding="utf-8")
    return [name for name in explained() if f"| {name} | {ONE_WAY_ONLY}" not in text]


@cache
def small() -> Model:
    """Return the default model with one unit of text, one way, and room for one segment."""
    return with_parameters(model_named("rfc9293"), SMALL)


@cache
def judged() -> dict[str, Judged]:
    """Return what became of the mutants of the small model."""
    every = bool(os.environ.get("MUTATE_ALL"))
    processes = (os.cpu_count() or 1) if every else 1
    found = mutate(small(), processes=processes, only=lambda m: every or m.row in ROWS)
    return {one.name: one for one in found}


def test_every_row_has_mutants_of_every_kind() -> None:
    found = list(mutants(RFC9293))
    assert len({one.named("") for one in found}) == len(found)
    assert {one.row for one in found} == {rule.name for rule in RFC9293.rules}
    whats = {one.what.split()[0] for one in found}
    assert {"dropped", "stays", "to", "without", "not"} == whats


def test_a_mutant_differs_from_its_model_in_one_row_at_each_end() -> None:
    mutant = next(one for one in mutants(RFC9293) if one.named("") == "new_ack: dropped")
    model = mutated(small(), "", mutant)
    assert {"new_ack"} == {r.name for r in RFC9293.rules} - {r.name for r in model.a.rules}
    assert model.a == model.b
    assert mutated(small(), "B", mutant).a == RFC9293


def test_what_survives_is_pinned_and_explained() -> None:
    left = [name for name, one in judged().items() if one.fate is Fate.SURVIVES]
    rows = {name.split(":")[0] for name in judged()}
    assert sorted(left) == sorted(name for name in explained() if name.split(":")[0] in rows)
    assert left
    assert [] == [one.name for one in judged().values() if one.fate is Fate.UNKNOWN]


def test_what_survives_in_the_default_model_is_pinned_and_explained() -> None:
    lines = DEFAULT.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("survives: "))
    left = [line.strip().split(" (")[0] for line in lines[start + 1 :] if line[:2] == "  "]
    assert sorted(explained_by_default()) == sorted(left)
    assert lines[0].endswith(f" {len(left)} survives")


def test_the_pinned_fates_of_the_default_model_are_those_that_are_found() -> None:
    every = bool(os.environ.get("MUTATE_ALL"))
    wanted = "close_behind_text: to ESTABLISHED"  # which survives in the small model
    found = mutate(
        model_named("rfc9293"),
        processes=(os.cpu_count() or 1) if every else 1,
        only=lambda mutant: every or mutant.named("") == wanted,
    )
    pinned = DEFAULT.read_text(encoding="utf-8").splitlines()
    said = [click.unstyle(line) for line in mutation_lines(Model(), found, verbose=True)]
    told = [line for line in said if line.startswith(("killed ", "refused ", "equivalent "))]
    assert told
    assert [] == [line for line in told if line.rstrip() not in pinned]


@pytest.mark.parametrize(
    ("mutant", "killer"),
    [
        ("retransmit_fin: dropped", "both_eventually_closed"),
        ("close_after_peer: to CLOSED", "no_half_open_end"),
    ],
)
def test_a_mistake_is_killed_by_the_property_that_speaks_of_it(mutant: str, killer: str) -> None:
    one = judged()[mutant]
    assert one.fate is Fate.KILLED
    assert killer in dict(one.killers)


def test_rows_that_can_both_fit_are_refused() -> None:
    one = judged()["close: not no text is queued"]
    assert one.fate is Fate.REFUSED
    assert "both fit" in one.says


def test_a_row_that_never_fires_is_edited_without_consequence() -> None:
    one = judged()["crash: dropped"]
    assert (Fate.EQUIVALENT, NEVER_FIRES) == (one.fate, one.says)
    assert not any(r.name == "crash" for move in explore(small()).moves for r in move.rules)


def test_mutants_are_the_same_in_one_process_and_in_several() -> None:
    rows = {"new_ack", "close"}
    two = mutate(small(), processes=2, only=lambda mutant: mutant.row in rows)
    assert two == [found for found in judged().values() if found.name.split(":")[0] in rows]


def test_the_command_says_what_survives_and_who_kills_the_rest() -> None:
    settings = [word for setting in SMALL for word in ("--set", setting)]
    said = once("mutate", "--row", "close", "--every", *settings)
    assert 1 == said.status
    assert "rfc9293: 14 mutants: " in said.out
    assert "killed by " in said.out
    assert "close: without release (the same pairs of TCP states)" in said.out
    document = json.loads(once("mutate", "--row", "close", "--format", "json", *settings).out)
    assert 14 == len(document["mutants"])


def test_a_row_that_is_not_there_is_refused() -> None:
    refused(tcpclose("mutate", "--row", "clsoe"), "no rule 'clsoe'", "close")
