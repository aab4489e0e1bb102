"""The parts of a model: a network, timers, users, bounds, durations, a middlebox, incarnations.

Every field of these records is a parameter that `--set` can change (`network.capacity=3`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.protocol.middlebox import FORGETS, TELLS, UNKNOWN

CLOSES = {
    "any": ("any", "any"),
    "a_first": ("any", "after_fin"),
    "b_after_eof": ("any", "after_eof"),
    "b_never": ("any", "never"),
    "never": ("never", "never"),
}
"""Who closes and when: the names, and what each end does under them."""

CLOSES_OF_AN_END = ("any", "after_fin", "after_eof", "never")


def _one_of(where: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise ModelError(f"{where}: {value!r} is not a choice{nearest(str(value), known)}")


def _count(where: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ModelError(f"{where}: {value!r} is not a whole number of at least {least}")


def _flag(where: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ModelError(f"{where}: {value!r} is not true or false")


@dataclass(frozen=True, slots=True)
class Network:
    """The two channels.

    capacity: segments that one direction holds.
    order: "fifo"; "any" (a bag: any segment in flight may be the next to arrive); "set" (as "any",
        but equal segments in flight are one: a second one merges with the first).
    loss: any segment in flight may be lost, and a full channel loses what is sent into it.
        Without loss nothing overflows: whatever would send waits until fewer than `capacity`
        segments are in flight over both directions, and an arrival sends at most one.
    duplication: a segment in flight may be copied while there is room (behind the original); in a
        "set", a segment that arrives stays in flight too, until it is lost.
    full: with loss, what a full channel does to calls, output and timeouts that send into it:
        "loses" (the segment is lost), "waits" (they wait for room).  An answer is always lost.
    losses_max: with loss, the most segments that a whole run loses, over both directions; none is
        no limit.  With a limit a full channel loses nothing: with `full` "waits" senders wait as
        if there were no loss, with "loses" a model that fills a channel is refused.
    """

    capacity: int = 2
    order: str = "fifo"
    loss: bool = True
    duplication: bool = False
    full: str = "loses"
    losses_max: int | None = None

    def __post_init__(self) -> None:
        _count("network.capacity", self.capacity, 1)
        _one_of("network.order", self.order, ("fifo", "any", "set"))
        _flag("network.loss", self.loss)
        _flag("network.duplication", self.duplication)
        _one_of("network.full", self.full, ("loses", "waits"))
        if self.order == "set" and self.duplication and self.must_deliver:
            raise ModelError(
                "network: a set that duplicates keeps a segment until it is lost, so it needs "
                "network.loss=true and no network.losses_max"
            )
        if self.losses_max is not None:
            _count("network.losses_max", self.losses_max, 0)
            if not self.loss:
                raise ModelError(
                    "network.losses_max counts losses, so it needs network.loss=true (a limit of "
                    "0 loses nothing)"
                )

    @property
    def senders_wait(self) -> bool:
        """Whether every sender waits for room over both directions, so that nothing overflows."""
        return not self.loss or (self.losses_max is not None and self.full == "waits")

    @property
    def must_deliver(self) -> bool:
        """Whether a segment in flight may not just vanish: there is no loss, or it is counted."""
        return not self.loss or self.losses_max is not None


@dataclass(frozen=True, slots=True)
class Timers:
    """When a timer may go off (untimed: no durations).

    retransmission: "none"; "timely" (only when both channels are empty, so never needlessly);
        "spurious" (at any time while something is unacknowledged). The persist timer, where a
        table has one, goes with it: none, timely, or at any time while the window is closed; a
        keep-alive timer is timely or not with it.
    time_wait: "free" (at any time); "drained" (only when both channels are empty); "ideal" (only
        when the peer is CLOSED or in TIME-WAIT: no implementation can know that).
    user_timeout: R2 is finite (3.8.3); it goes off once `bounds.retransmissions_max`
        retransmissions are spent, or at any time where they are not counted.
    fin_wait_2: "free" (a FIN-WAIT-2 timer, where a table has one, goes off at any time);
        "orphaned" (only when the peer is CLOSED and nothing from it is in flight).
    """

    retransmission: str = "spurious"
    time_wait: str = "free"
    user_timeout: bool = False
    fin_wait_2: str = "free"

    def __post_init__(self) -> None:
        _one_of("timers.retransmission", self.retransmission, ("none", "timely", "spurious"))
        _one_of("timers.time_wait", self.time_wait, ("free", "drained", "ideal"))
        _flag("timers.user_timeout", self.user_timeout)
        _one_of("timers.fin_wait_2", self.fin_wait_2, ("free", "orphaned"))


@dataclass(frozen=True, slots=True)
class Application:
    """What the users of the two ends do.

    closes: a name of `CLOSES`, or a pair, one for each end: "any" (whenever it likes),
        "after_fin" (once the peer's FIN has arrived), "after_eof" (once it has read everything
        up to the end of the stream), "never".
    data_units: the most units of text that each end sends; it may send fewer.
    reading: "eager" (text is read as it arrives), "lazy" (RECEIVE at any later time), "never".
    half_close: the users may SHUTDOWN the sending side first, and CLOSE later or never.
    aborts: which ends may ABORT.
    crashes: the hosts of which ends may crash, and come up again knowing nothing (3.5.1).
    fair: the calls that a user makes in the end if it can go on making them (W2 of the fairness).
    """

    closes: str | tuple[str, str] = "any"
    data_units: tuple[int, int] = (1, 1)
    reading: str = "eager"
    half_close: bool = False
    aborts: tuple[bool, bool] = (False, False)
    crashes: tuple[bool, bool] = (False, False)
    fair: tuple[str, ...] = ("CLOSE", "RECEIVE")

    def __post_init__(self) -> None:
        if isinstance(self.closes, str):
            _one_of("application.closes", self.closes, tuple(CLOSES))
        else:
            _pair("application.closes", self.closes)
            for one in self.closes:
                _one_of("application.closes", one, CLOSES_OF_AN_END)
        _pair("application.data_units", self.data_units)
        for units in self.data_units:
            _count("application.data_units", units, 0)
        _one_of("application.reading", self.reading, ("eager", "lazy", "never"))
        _flag("application.half_close", self.half_close)
        for where in ("aborts", "crashes"):
            pair = getattr(self, where)
            _pair(f"application.{where}", pair)
            for may in pair:
                _flag(f"application.{where}", may)
        for call in self.fair:
            _one_of("application.fair", call, ("CLOSE", "SHUTDOWN", "SEND", "RECEIVE", "ABORT"))

    def closes_of(self, end: int) -> str:
        """Return when end 0 (A) or 1 (B) closes."""
        pair = CLOSES[self.closes] if isinstance(self.closes, str) else self.closes
        return pair[end]


OPENS = ("never", "active", "passive")
TSVALS = ("earlier", "same", "later")


@dataclass(frozen=True, slots=True)
class Incarnations:
    """The second incarnation of the connection: who opens it, and with which numbers.

    It needs tables that have the switch `reopens` on.  In the first incarnation either end's SYN
    took the number 0, its text begins with 1.

    opens: how each end's user opens the connection again, once it is CLOSED: "never", "active",
        "passive"; a user does so once at most.
    data_units: the most units of text that each end sends in the second incarnation.
    iss: each end's initial sequence number there.  0 makes its numbers coincide with those of the
        first; from `application.data_units` + 2 on they lie above all of them.
    gives_up: whether a user may CLOSE before the connection is established.
    tsval: each end's TSval there, measured against its TSval in the first, where the tables have
        timestamps: "later", "same" (the clock has not ticked), "earlier" (as after a restart, or
        with a random offset for each connection).
    """

    opens: tuple[str, str] = ("never", "never")
    data_units: tuple[int, int] = (1, 1)
    iss: tuple[int, int] = (0, 0)
    gives_up: tuple[bool, bool] = (False, False)
    tsval: tuple[str, str] = ("later", "later")

    def __post_init__(self) -> None:
        _pair("incarnations.opens", self.opens)
        for opens in self.opens:
            _one_of("incarnations.opens", opens, OPENS)
        _pair("incarnations.tsval", self.tsval)
        for tsval in self.tsval:
            _one_of("incarnations.tsval", tsval, TSVALS)
        for name in ("data_units", "iss"):
            _pair(f"incarnations.{name}", getattr(self, name))
            for value in getattr(self, name):
                _count(f"incarnations.{name}", value, 0)
        _pair("incarnations.gives_up", self.gives_up)
        for flag in self.gives_up:
            _flag("incarnations.gives_up", flag)


def _pair(where: str, value: object) -> None:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ModelError(f"{where}: {value!r} is not a pair, one value for A and one for B")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What keeps a model finite beyond the parameters above.

    retransmissions_max: retransmissions of an end since its last new ACK, or None for no limit.
        Keep-alive probes that nothing has answered count too.
        With `timers.user_timeout` the limit is R2.  Without, runs are cut off where it is spent;
        a verdict that hangs on such a cut is `unknown`, never `violated`.
    """

    retransmissions_max: int | None = None

    def __post_init__(self) -> None:
        if self.retransmissions_max is not None:
            _count("bounds.retransmissions_max", self.retransmissions_max, 0)


@dataclass(frozen=True, slots=True)
class Time:
    """How long things last, in ticks.  Without `segment_lifetime` a model is untimed.

    A timer that is given a time goes off when that is over, and no tick passes before it has; one
    that is none goes off as `timers` says.

    segment_lifetime: MSL; a segment arrives at an age of at most so many ticks.
    retransmission: the retransmission timeouts (RTO) before the first, the second, ...
        retransmission since the last new ACK; the last one repeats.
    slack: ticks by which any of these timers may be late.
    time_wait: how long TIME-WAIT lasts (the standard: twice the MSL).
    fin_wait_2: how long FIN-WAIT-2 lasts, where a table has a timer for it.
    user_timeout: R2 as a duration: how long something may stay unacknowledged without a new ACK.
    delayed_ack: how long an ACK is delayed at most, where a table delays it.
    keep_alive: after how long a silence an idle end probes its peer, where a table has probes.
    persist: how long a window is zero before the first, the second, ... probe that nothing has
        answered, where a table has flow control; the last one repeats.
    """

    segment_lifetime: int | None = None
    retransmission: tuple[int, ...] | None = None
    slack: int = 0
    time_wait: int | None = None
    fin_wait_2: int | None = None
    user_timeout: int | None = None
    delayed_ack: int | None = None
    keep_alive: int | None = None
    persist: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _count("time.slack", self.slack, 0)
        for name in ("time_wait", "fin_wait_2", "delayed_ack"):
            if getattr(self, name) is not None:
                _count(f"time.{name}", getattr(self, name), 0)
        for name in ("segment_lifetime", "user_timeout", "keep_alive"):
            if getattr(self, name) is not None:
                _count(f"time.{name}", getattr(self, name), 1)
        for name in ("retransmission", "persist"):
            timeouts = getattr(self, name)
            if timeouts is None:
                continue
            if not isinstance(timeouts, tuple) or not timeouts:
                raise ModelError(
                    f"time.{name}: {timeouts!r} is not a tuple of timeouts, such as (1, 2, 4)"
                )
            for timeout in timeouts:
                _count(f"time.{name}", timeout, 1)

    @property
    def is_timed(self) -> bool:
        """Whether the model has a clock at all."""
        return self.segment_lifetime is not None

    def durations(self, timer: str) -> tuple[int, ...]:
        """Return how long a timer runs, by how often it went off; nothing if it is not timed."""
        value: tuple[int, ...] | int | None = getattr(self, timer)
        if value is None or not self.is_timed:
            return ()
        return value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True, slots=True)
class Middlebox:
    """A stateful firewall or a NAT beside one end; its rows are in `protocol.middlebox`.

    at: "none"; "a"; "b": the end that it stands beside, with nothing lost between the two.
    forgets: what makes it forget the connection: "at_last_ack" (the first segment without a FIN
        after FINs both ways); by a timeout: "after_fins" (once FINs have passed both ways, or a
        RST), "after_a_fin" (also once one FIN has passed), "when_idle" (also before).
    timeout: "drained" (it forgets only when both channels are empty); "free" (at any time).
    tells: whom it resets when it forgets by a timeout: "nobody", "inside", "outside", "both".
    unknown: what becomes of a segment of a forgotten connection: it "drops" it; it drops it and
        "resets" who has sent it; it "tracks" the connection again, but for a FIN or RST.
    """

    at: str = "none"
    forgets: str = "after_fins"
    timeout: str = "drained"
    tells: str = "nobody"
    unknown: str = "drops"

    def __post_init__(self) -> None:
        _one_of("middlebox.at", self.at, ("none", "a", "b"))
        _one_of("middlebox.forgets", self.forgets, FORGETS)
        _one_of("middlebox.timeout", self.timeout, ("drained", "free"))
        _one_of("middlebox.tells", self.tells, tuple(TELLS))
        _one_of("middlebox.unknown", self.unknown, tuple(UNKNOWN))
