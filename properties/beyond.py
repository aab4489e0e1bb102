"""What is known of a model, and of each of its properties, at every capacity from its own on."""

from __future__ import annotations

from dataclasses import dataclass, field

from properties.check import expectations
from properties.kinds import Kind, Property, Role
from properties.verdict import Answer, Verdict
from tcpclose_model.model import Model
from tcpclose_model.run import Run

UNDECIDABLE = "what must happen in the end is undecidable over channels without a bound"
LEFT_OUT = {
    Kind.LEADS_TO: UNDECIDABLE,
    Kind.NO_CYCLE_OF: "no search here looks for cycles",
}
READS_CHANNELS = "it looks at what is in flight, or at whether a channel is full"
ABOUT_THE_NETWORK = "without the losses, or copies, that it names, nothing here is known"
NO_CUT_OFF = "more pairs of TCBs are reached at a larger capacity"


class LeftOutError(Exception):
    """This kind of proof says nothing about a property; the message says why."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What is known of a property at larger capacities.

    verdict: at the model's capacity.  everywhere: whether the answer is the same at every larger
    one.  changes: whether it is known not to be.  Neither is so where nothing is known.
    why: what is known instead, or which limit was hit.  run: a run at a larger capacity that
    shows the change.
    """

    verdict: Verdict
    everywhere: bool
    why: str = ""
    run: Run | None = None
    changes: bool = False

    @property
    def limited(self) -> bool:
        """Whether a limit was hit before the answer was known, which there is at this capacity."""
        at_hand = self.verdict.answer is not Answer.UNKNOWN
        return at_hand and not self.everywhere and not self.changes


@dataclass(slots=True)
class AnyCapacity:
    """What was found about a model's capacity.

    pairs: pairs of TCBs that are reached at it; views, elements: how many were looked at;
    is_cut_off: whether no larger capacity reaches another pair, None if that is not known; run: a
    run to another pair; error: what the rows complain of at its end; stopped: which limit was hit;
    left_out: the properties of which this kind of proof says nothing, and why.
    """

    model: Model
    pairs: int = 0
    views: int = 0
    elements: int = 0
    is_cut_off: bool | None = None
    run: Run | None = None
    error: str = ""
    stopped: str = ""
    properties: list[Beyond] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0 if all is settled and as expected, 1 if something is not, 3 if a limit was hit."""
        due = [one for one in self.properties if self._is_due(one.verdict.property)]
        wrong = any(one.everywhere and not self._is_as_expected(one.verdict) for one in due)
        if wrong or self.is_cut_off is False or any(one.changes for one in due):
            return 1
        unknown = any(not one.everywhere and not one.changes for one in due)
        cut_short = any(one.limited for one in self.properties)
        return 3 if self.is_cut_off is None or unknown or cut_short else 0

    def _is_due(self, prop: Property) -> bool:
        return prop.role is Role.REQUIREMENT or prop.name in expectations(self.model)

    def _is_as_expected(self, verdict: Verdict) -> bool:
        expected = expectations(self.model).get(verdict.property.name)
        if expected is not None:
            return verdict.answer is expected
        return verdict.answer in (Answer.HOLDS, Answer.VACUOUS)
