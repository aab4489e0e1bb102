"""What a judge answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from properties.kinds import Property
from tcpclose_model.run import Run


class Answer(Enum):
    """The four verdicts; nothing passes silently."""

    HOLDS = "holds"
    VIOLATED = "violated"
    VACUOUS = "vacuous"
    UNKNOWN = "unknown"


holds, violated = Answer.HOLDS, Answer.VIOLATED
vacuous, unknown = Answer.VACUOUS, Answer.UNKNOWN


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one property of one model.

    detail: what is wrong, what never happened, or which bound was hit, in a sentence.
    occurred: how many reachable states (or steps, where the claim is about steps) the antecedent
        holds in; for a property about each end, both ends are counted.
    run: the run that shows it: a shortest counterexample, a lasso, or the witness of `sometimes`.
    fairness: the fairness that the answer assumes, in sentences; empty where none was needed.
    states, depth, complete: how much of the graph was seen: states found, steps to the farthest,
        and whether that is all there is.
    """

    property: Property
    answer: Answer
    detail: str
    occurred: int
    run: Run | None = None
    fairness: tuple[str, ...] = ()
    states: int = 0
    depth: int = 0
    complete: bool = False
