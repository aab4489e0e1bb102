"""The sizes at which the fixed instance is measured, each with its pinned counts."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.fixed_instance import instance
from tcpclose_model.model import Model


@dataclass(frozen=True, slots=True)
class Instance:
    """The fixed instance at one size: its parameters, its states and its steps.

    D: units of text an end; K: segments a channel; R: retransmissions an end.  The counts are what
    SPIN, TLC and this project found; every contender is held against them.
    """

    D: int
    K: int
    R: int
    states: int
    steps: int
    order: str = "fifo"
    duplication: bool = False

    @property
    def spec(self) -> str:
        """The parameters as one word of a command line; `instance_of` reads it."""
        return f"{self.D},{self.K},{self.R},{self.order}" + ",duplication" * self.duplication

    @property
    def words(self) -> str:
        """The parameters for people."""
        kind = "FIFO" if self.order == "fifo" else "bag"
        copies = ", duplication" if self.duplication else ""
        return f"D={self.D} K={self.K} R={self.R}, {kind}{copies}"

    @property
    def model(self) -> Model:
        """The model."""
        return instance(self.D, self.K, self.R, self.order, duplication=self.duplication)


def instance_of(spec: str) -> Model:
    """Return the model of a `spec`, such as "2,3,1,fifo" or "1,2,1,any,duplication"."""
    D, K, R, order, *rest = spec.split(",")
    return instance(int(D), int(K), int(R), order, duplication=rest == ["duplication"])


TINY = Instance(1, 1, 1, 10_702, 36_478)
SMALL = Instance(2, 1, 1, 75_503, 283_220)
MEDIUM = Instance(2, 3, 1, 1_596_276, 10_234_994)
BIG = Instance(2, 3, 2, 10_497_767, 73_834_288)
HUGE = Instance(2, 3, 1, 127_748_169, 1_306_907_796, "any", duplication=True)
LONG = Instance(2, 3, 6, 1_683_861_741, 17_204_082_812, "any", duplication=True)
"""Counted by this project alone; no peer that is exact has the memory."""

OTHERS = (
    Instance(0, 2, 2, 3_397, 14_010),
    Instance(1, 2, 1, 42_627, 206_816),
    Instance(1, 3, 1, 73_965, 400_732),
    Instance(2, 2, 0, 45_650, 207_474),
    Instance(1, 1, 1, 10_702, 36_478, "any"),
    Instance(1, 1, 1, 10_702, 36_478, "any", duplication=True),
    Instance(1, 3, 0, 8_078, 39_704, "any"),
    Instance(1, 2, 1, 68_029, 384_566, "any"),
    Instance(1, 2, 1, 284_295, 1_853_834, "any", duplication=True),
    Instance(1, 3, 0, 642_135, 5_715_460, "any", duplication=True),
)
"""Small ones of every kind, on which the counts are tested."""

GROWTH = (
    SMALL,
    Instance(2, 2, 1, 568_046, 3_116_996),
    MEDIUM,
    Instance(2, 4, 1, 2_453_866, 16_685_450),
    Instance(2, 5, 1, 2_923_916, 20_356_742),
    Instance(1, 3, 1, 73_965, 400_732),
    Instance(3, 3, 1, 19_416_983, 137_129_868),
    Instance(2, 2, 2, 1_958_265, 11_089_530),
    Instance(2, 2, 3, 3_872_683, 21_834_204),
    Instance(2, 2, 4, 6_318_899, 35_432_446),
)
"""With growing K, then D, then R."""
