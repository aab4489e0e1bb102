"""Variants of which earlier work reasoned, and what their runs say: a table in docs/verdicts.md.

The table is written by

    python -m tests.test_expectations --write

Each row is a model of the catalogue, perhaps with parameters changed, and another one for P8, which
needs a second connection.  What earlier work expects is written down here, by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from properties.check import check, expectations
from properties.verdict import Answer
from tcpclose_model.variants.catalogue import model_named
from tcpclose_model.variants.parameters import with_parameters
from tests.test_catalogue import SIGNS, VERDICTS

BEGIN, END = "<!-- expectations: begin -->\n", "<!-- expectations: end -->\n"
COLUMNS = {
    "P1": "no_deadlock",
    "P2": "both_eventually_closed",
    "P3": "no_silent_data_loss",
    "P3 app": "no_acknowledged_data_unread",
    "P4": "no_half_open_end",
    "P7a": "no_reset_in_an_orderly_close",
    "P7b": "a_clean_completion_stays_possible",
    "P8": "no_old_segment_accepted",
    "P9": "time_wait_ends_only_by_its_timer",
}
OF_A_SECOND = {
    "P1": "an_opening_can_always_end",
    "P2": "the_second_connection_can_always_close",
    "P3": "no_old_text_accepted",
    "P4": "the_second_connection_can_always_open",
    "P8": "no_old_segment_accepted",
    "P9": "a_refused_syn_leads_back_to_time_wait time_wait_ends_only_by_its_timer_or_a_new_syn",
}
"""What the columns say of a model that opens the connection again; of two properties, both."""

TEXT, F1 = "application.data_units=1,0", "protocol.rfc1337=on"


@dataclass(frozen=True, slots=True)
class Row:
    """One variant: its number, the model, the model for P8 if it is another, what is expected.

    expected: a sign for each column, `.` where nothing is, or it does not apply.
    """

    number: str
    model: str
    expected: str
    old: str = ""

    def found(self, column: str) -> str:
        """Return the sign of what a check answers, or nothing where the column does not apply."""
        model = (self.old or self.model) if column == "P8" else self.model
        names = OF_A_SECOND if opens_again(model) else COLUMNS
        if column not in names or (column == "P8" and not opens_again(model)):
            return ""
        return sign(model, names[column])

    def cells(self) -> list[str]:
        """Return what is found in each column, and after it what was expected if that differs."""
        made = []
        for column, expected in zip(COLUMNS, self.expected.split(), strict=True):
            found = self.found(column)
            differs = found and expected not in (".", found)
            made.append(f"{found} ({expected})" if differs else found)
        return made


# fmt: off
ROWS = (
    # The signs are those of P1, P2, P3, P3 app, P4, P7a, P7b, P8 and P9.
    Row("V16", "linger_0",                                                  "✗ ✗ ✓ . ✗ ✗ . ✗ .",
        old="reopen_after_drained_time_wait application.aborts=true,false"),
    Row("V17", "reset_on_unread_lossless",                                  "✓ ✓ ✓ ✗ ✓ ✗ . . ."),
    Row("V17", "reset_on_unread",                                           "✗ ✗ ✓ ✗ ✗ ✗ . . ."),
    Row("V18", "half_duplex_close",                                         "✓ ✓ ✓ . ✓ ✗ . . ."),
    Row("V18", "half_duplex_close_both_ways",                               "✓ ✓ ✓ . ✓ ✗ . . ."),
    Row("V19", "fin_with_unread_text",                                      "✓ ✓ ✓ ✗ ✓ ✗ ✓ . ✗"),
    Row("V20", "delayed_ack",                                               "✓ ✓ ✓ ✓ ✓ ✗ ✗ . ✗"),
    Row("V21", "challenge_ack application.aborts=false",                    "✓ ✓ ✓ ✓ ✓ ✗ ✓ ✓ ✗",
        old="reopen_fifo_challenge_ack"),
    Row("V22", f"time_wait_takes_syn {TEXT}",                               "✓ ✓ ✓ . ✓ . . ✓ ✓"),
    Row("V22", f"time_wait_takes_syn {TEXT} {F1}",                          "✓ ✓ ✓ . ✓ . . ✓ ✓"),
    Row("V22", f"time_wait_takes_syn {F1} network.duplication=true",        "✓ ✓ . . ✓ . . ✓ ✓"),
    Row("V23", f"time_wait_takes_syn_for_good {TEXT}",                      "✓ ✓ ✓ . ✓ . . ✗ ✗"),
    Row("V23", f"time_wait_takes_syn_for_good {TEXT} {F1}",                 "✓ ✓ ✓ . ✓ . . ✗ ✗"),
    Row("V24", "reopen_with_old_text",                                      "✓ ✓ ✗ . ✓ . . ✗ ."),
    Row("V24", "time_wait_reuse",                                            "✓ ✓ ✗ . ✓ . . ✗ ."),
)
# fmt: on


@cache
def answers(model: str) -> Mapping[str, Answer]:
    """Return what a check answers of a model, given as its name and parameters, by property."""
    name, *settings = model.split()
    if settings:
        result = check(with_parameters(model_named(name), settings))
        return {verdict.property.name: verdict.answer for verdict in result.verdicts}
    return expectations(model_named(name))  # tests/test_catalogue.py sees to it that it is so


def sign(model: str, properties: str) -> str:
    """Return the sign of what a check answers of a model, of one or more of its properties.

    Of several properties it is that of one that is violated, or of the last.
    """
    signs = [SIGNS[answers(model)[prop].value] for prop in properties.split()]
    return SIGNS["violated"] if SIGNS["violated"] in signs else signs[-1]


def opens_again(model: str) -> bool:
    """Return whether a model opens the connection a second time."""
    return model_named(model.split()[0]).reopens


def table() -> str:
    """Return the table in Markdown."""
    lines = [f"| | model | {' | '.join(COLUMNS)} |", f"|---|---|{':-:|' * len(COLUMNS)}"]
    for row in ROWS:
        model = row.model.replace(" ", "` `")
        lines.append(f"| {row.number} | `{model}` | {' | '.join(row.cells())} |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """Return the page of verdicts with the table written anew."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def test_the_committed_table_of_expectations_is_what_the_runs_say() -> None:
    page = VERDICTS.read_text(encoding="utf-8")
    assert with_table(page) == page, "run: python -m tests.test_expectations --write"


@pytest.mark.parametrize("number", range(16, 25))
def test_no_variant_that_was_open_is_missing(number: int) -> None:
    assert f"V{number}" in {row.number for row in ROWS}


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.test_expectations --write")
    VERDICTS.write_text(with_table(VERDICTS.read_text(encoding="utf-8")), encoding="utf-8")
