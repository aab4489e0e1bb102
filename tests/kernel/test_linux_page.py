"""docs/linux.md says what is pinned; no kernel is needed to compare the two."""

from __future__ import annotations

from functools import cache

import pytest

from tcpclose_model.protocol.vocabulary import State
from tcpclose_model.variants.stacks import LINUX_SWITCHES
from tests.command_line import ROOT
from tests.kernel.comparison import PERMITTED, SUITES
from tests.kernel.departures import (
    ALLOWED_AS_THEY_ARE,
    DEPARTURES,
    FROM_THE_STANDARD,
    SIXTY_SECONDS,
    UNSEEN,
    UNSEEN_THROUGH_RELAY,
)
from tests.kernel.two_kernels import AS_THEY_ARE, BY_PLAN, PART, WHOLE

TWO_KERNELS = "Two kernels with a relay between them"


@cache
def section(title: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of the rows of the table under a title."""
    text = (ROOT / "docs" / "linux.md").read_text(encoding="utf-8")
    body = text.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    return tuple(tuple(line.strip("| ").split(" | ")) for line in lines[1:])


def test_the_page_has_the_departures_from_the_standard_that_are_pinned() -> None:
    pinned = {
        (*one, ", ".join(f"`{name}`" for name in switches))
        for one, switches in FROM_THE_STANDARD.items()
    }
    assert pinned == set(section("Departures from RFC 9293"))


def test_the_page_has_the_departures_from_the_profile_that_are_pinned() -> None:
    pinned = {(*one, pin.why) for one, pin in DEPARTURES.items()}
    assert pinned == set(section("Departures from the profile `linux`"))


def test_the_page_has_what_linux_does_not_show_but_for_what_takes_a_minute() -> None:
    pinned = {(*row, pin.why) for row, pin in UNSEEN.items() if pin.why != SIXTY_SECONDS}
    assert pinned == set(section("What the profile allows and Linux does not show"))


@pytest.mark.parametrize("name", SUITES)
def test_the_page_says_of_each_suite_what_the_model_is_changed_by(name: str) -> None:
    (row,) = (row for row in section("What was played") if row[0] == name)
    assert "`linux`: " + " ".join(f"`{setting}`" for setting in SUITES[name]) == row[1]


def test_the_page_has_each_suite_of_two_kernels_without_a_departure() -> None:
    names = (BY_PLAN, PART, WHOLE, BY_PLAN + AS_THEY_ARE, PART + AS_THEY_ARE)
    rows = {row[0]: row[-1] for row in section(TWO_KERNELS) if len(row) == 12}
    assert dict.fromkeys(names, "0") == {name: rows[name] for name in names}


def test_the_page_has_only_reasons_that_are_pinned_for_what_two_kernels_do_beside() -> None:
    reasons = {row[0] for row in section(TWO_KERNELS) if len(row) == 3 and row[2].isdigit()}
    assert reasons
    assert reasons <= set(ALLOWED_AS_THEY_ARE)


def test_the_page_has_only_what_is_pinned_of_what_two_kernels_do_not_show() -> None:
    unseen = {
        (row[0], row[1]): row[2]
        for row in section(TWO_KERNELS)
        if len(row) == 3 and row[0] in State.__members__
    }
    assert unseen.items() <= UNSEEN_THROUGH_RELAY.items()


def test_what_explains_a_departure_is_on_in_the_profile() -> None:
    named = {name for switches in FROM_THE_STANDARD.values() for name in switches}
    assert named <= set(LINUX_SWITCHES) - set(PERMITTED)
