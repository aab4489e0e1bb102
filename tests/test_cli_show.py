"""`tcpclose list` and `tcpclose show`: everything has a name, and every name an explanation."""

from __future__ import annotations

import pytest

from tests.command_line import once, refused, tcpclose

KINDS = ("models", "properties", "rules", "runs", "parameters", "switches", "hazards")


def names_of(kind: str) -> list[str]:
    """Return the names that `tcpclose list KIND` begins its lines with."""
    return [line.split()[0] for line in once("list", kind).lines if line and line[0] != " "]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_of_a_kind_is_listed_with_a_line_of_explanation(kind: str) -> None:
    said = once("list", kind)
    assert (0, "") == (said.status, said.err)
    assert len(names_of(kind)) == len(set(names_of(kind))) > 0
    assert all(len(line.split()) > 1 for line in said.lines if line[0] != " ")


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_listed_can_be_shown(kind: str) -> None:
    for name in names_of(kind):
        said = tcpclose("show", name)
        assert (0, "") == (said.status, said.err)
        assert name.rpartition(".")[2] in said.out
        assert len(said.out.splitlines()) > 1, said.out


def test_a_kind_that_is_none_is_answered_with_the_kinds() -> None:
    refused(tcpclose("list", "model"), "'models'", "'switches'")


def test_a_switch_is_shown_with_the_rows_that_it_changes() -> None:
    said = once("show", "no_time_wait")
    assert any(line.startswith("  - fin_acked_in_closing: ") for line in said.lines)
    assert any(line.startswith("  + fin_acked_in_closing: ") for line in said.lines)


def test_a_model_is_shown_with_its_source_and_what_it_expects() -> None:
    said = once("show", "table_154")
    assert "source: Kozierok, The TCP/IP Guide, Table 154; RFC 9293 Figures 12 and 13" in said.lines
    assert "  vacuous: no_silent_data_loss" in said.lines
    assert "  holds: every other property" in said.lines


def test_a_property_is_shown_with_a_model_that_breaks_it() -> None:
    assert "broken by: tcpclose check silent_reset" in once("show", "no_silent_data_loss").lines


def test_a_hazard_is_shown_with_the_commands_that_find_it() -> None:
    command = "tcpclose check user_timeout --set application.data_units=0 --property no_deadlock"
    assert f"  {command}" in once("show", "H8").lines


def test_a_name_that_several_things_have_shows_them_all() -> None:
    said = once("show", "abort")
    firsts = [line.split(" abort")[0] for line in said.lines if " abort" in line]
    assert {"model", "rule", "run"} <= set(firsts)


def test_a_name_that_nothing_has_is_answered_with_the_nearest() -> None:
    refused(tcpclose("show", "no_deadlok"), "nothing is called 'no_deadlok'", "no_deadlock")


def test_the_nearest_names_are_named_once_each() -> None:
    refused(tcpclose("show", "abor"), "did you mean abort")
    assert 1 == tcpclose("show", "abor").err.count("abort")


@pytest.mark.parametrize("word", ["", "%s", "-x", "é", "x" * 5000])
def test_nonsense_is_refused_in_words(word: str) -> None:
    said = tcpclose("show", "--", word)
    assert 2 == said.status
    assert "Traceback" not in said.err
