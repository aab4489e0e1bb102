"""What ends a search before it is complete, and what it tells meanwhile."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from tcpclose_model.errors import ModelError
from tcpclose_model.memory import allowed, in_words, resident


class Stage(NamedTuple):
    """How far a search has come: the depth, states found, states still to expand, bytes held.

    judging: the property that is judged, once the search is over.
    """

    depth: int
    states: int
    frontier: int
    memory: int
    judging: str = ""


Progress = Callable[[Stage], None]
"""Called now and then during a search, and before a property is judged."""


@dataclass(slots=True)
class Limits:
    """The limits of one search; None is no limit.

    max_memory: bytes that the process may hold; None is what the machine, or the control group
        that it runs in, has free, less a margin.
    """

    max_states: int | None = None
    max_seconds: float | None = None
    max_memory: int | None = None
    progress: Progress | None = None
    _began: float = field(default_factory=lambda: time.monotonic(), repr=False)
    _memory: int = field(default=0, repr=False)
    _interrupted: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("max_states", "max_seconds", "max_memory"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ModelError(f"{name}: {value!r} is not a number of at least 0")
        self._memory = allowed() if self.max_memory is None else self.max_memory

    @property
    def memory(self) -> int:
        """The bytes that the process may hold."""
        return self._memory

    def room(self) -> int:
        """Return how many bytes more the process may take."""
        return self._memory - resident()

    def hit(self, states: int) -> str:
        """Return which limit has been hit, or ""."""
        if self._interrupted:
            return "interrupted"
        if self.max_states is not None and states > self.max_states:
            return f"--max-states {self.max_states} was hit"
        if self.max_seconds is not None and time.monotonic() - self._began > self.max_seconds:
            return f"--max-seconds {self.max_seconds:g} was hit"
        return ""

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Make an interrupt (Ctrl-C) a limit that is hit, in a block; a second one is raised.

        Compiled code, and what loads it, may not be left at any point.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def interrupted(*_: object) -> None:
            self._interrupted = True
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, interrupted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def out_of_memory(self) -> str:
        """Return the reason of a search that needs more memory than it may have."""
        return f"--max-memory {in_words(self._memory)} was hit"

    def tell(self, depth: int, states: int, frontier: int, judging: str = "") -> None:
        """Tell whoever watches how far the search, or the judging after it, has come."""
        if self.progress is not None:
            self.progress(Stage(depth, states, frontier, resident(), judging))
