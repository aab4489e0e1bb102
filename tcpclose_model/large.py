"""What is known of a model whose graph is too large to keep: counts of states and of steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tcpclose_model.engines.plain import ProductState
from tcpclose_model.limits import Limits
from tcpclose_model.memory import in_words
from tcpclose_model.model import Model
from tcpclose_model.space import Move

if TYPE_CHECKING:
    from tcpclose_model.engines.fast.large import Counts
    from tcpclose_model.engines.fast.tables import Tables

SYMMETRY = (
    "symmetry: A and B follow the same rules, so of a state and its mirror image one is stored"
)


@dataclass
class LargeSpace:
    """A model that was searched to its end, or to a limit, without keeping states or steps.

    counts: what was counted, of the full graph; reductions: what made the search smaller, in
    words.
    """

    model: Model
    tables: Tables
    counts: Counts
    limits: Limits
    threads: int
    reductions: tuple[str, ...]
    cache: dict[object, object] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.counts.states

    @property
    def transitions(self) -> int:
        """The number of steps."""
        return self.counts.transitions

    @property
    def depth(self) -> int:
        """The number of steps to the farthest state that was found."""
        return self.counts.depth

    @property
    def stopped(self) -> str:
        """Why the search ended early, or ""."""
        return self.counts.stopped

    @property
    def complete(self) -> bool:
        """Whether every reachable state has been expanded."""
        return not self.stopped

    @property
    def memory(self) -> str:
        """What the search took, in words; small ones take buffers of fixed sizes."""
        taken = f"memory: {in_words(self.counts.memory)}"
        if len(self) < 10_000_000:
            return taken
        return f"{taken}, {self.counts.bytes_a_state:.1f} bytes a state"

    @property
    def offset(self) -> int:
        """The number of B's first TCB in `tcbs`."""
        return 0 if self.tables.symmetric else len(self.tables.tcbs[0])

    @cached_property
    def codes(self) -> list[int]:
        """The codes of the moves that were made."""
        import numpy as np

        made = np.flatnonzero(self.counts.made.any(axis=1)).tolist()
        return made + [-1 - int(code) for code in np.flatnonzero(self.counts.sent_on)]

    @cached_property
    def moves(self) -> list[Move]:
        """The moves that were made, in the order of `codes`."""
        return [self.tables.move(code, self.offset) for code in self.codes]

    @cached_property
    def stuck(self) -> list[tuple[int, ProductState]]:
        """The states that no step leaves, each with its depth."""
        counts, tables = self.counts, self.tables
        return [(depth, tables.state(counts.packing, key)) for depth, key in counts.stuck]

    @cached_property
    def cut(self) -> bool:
        """Whether a bound withheld a step in some state."""
        import numpy as np

        model, engine = self.model, self.tables.engine
        if model.bounds.retransmissions_max is None:
            return False
        timely = model.timers.retransmission == "timely"
        pairs = np.argwhere(self.counts.idle if timely else self.counts.pairs)
        cuts = [
            [end.is_cut(tcb) for tcb in tcbs]
            for end, tcbs in zip(engine.ends, self.tables.tcbs, strict=True)
        ]
        return any(cuts[0][a] or cuts[1][b] for a, b in pairs.tolist())


def explore_large(
    model: Model, limits: Limits, *, threads: int = 0, reduce: bool = True
) -> LargeSpace:
    """Search a model without keeping its graph; needs the extra `fast`.

    threads: how many, 0 for as many as there are processors; reduce: whether symmetry may be used
    (the counts are those of the full graph all the same).
    Raises `tables.TooWideError` if the model's numbers do not fit the words of the kernel.
    """
    with limits.interruptible():
        from tcpclose_model.engines.fast.large import LargeSearch
        from tcpclose_model.engines.fast.tables import Tables

        tables = Tables(model)
        symmetric = reduce and tables.symmetric
        search = LargeSearch(tables, limits, threads=threads, symmetric=symmetric)
        counts = search.run()
    return LargeSpace(model, tables, counts, limits, threads, (SYMMETRY,) if symmetric else ())
