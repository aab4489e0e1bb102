"""What a check passes over, and a strict one does not: what was never put to the test."""

from __future__ import annotations

from collections.abc import Iterator

from properties.check import Result
from properties.verdict import Answer
from tcpclose_model.large import LargeSpace


def untested(result: Result) -> Iterator[str]:
    """Yield what a check has not put to the test, in sentences.

    A property that is vacuous, unless the model expects it to be; and a row that an edit has
    changed or added, and that no run carries out.  Rows of the standard's own table are passed
    over: which of them a model needs depends on what its users do.
    """
    for verdict in result.verdicts:
        if verdict.answer is Answer.VACUOUS and result.expected(verdict.property) is None:
            yield f"{verdict.property.name} is vacuous: {verdict.detail}"
    edited = {
        rule.name
        for protocol in (result.model.a, result.model.b)
        for rule in protocol.rules
        if rule.edit
    }
    if not edited:
        return
    if isinstance(result.space, LargeSpace):
        yield "it is not known which edited rows are carried out: the graph was not kept"
        return
    fired = {rule.name for move in result.space.moves for rule in move.rules}
    idle = "never carried out" if result.space.complete else "not carried out in what was explored"
    for name in sorted(edited - fired):
        yield f"row {name} is {idle}"
