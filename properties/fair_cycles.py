"""Fairness: which endless runs count, and finding one that stays where it should not.

An endless run is fair if
- W1: each timer, and each end's output, that could run from some point on runs again and again;
- W2: so does each call that the application lists as fair;
- W3: a channel that is never empty again delivers or loses its head again and again; in a bag or
  a set, so does each segment value that never leaves it (in a set that duplicates: it is lost);
- S:  in each direction, a segment value that is sent again and again is received again and again;
- W4: in a model with a clock, time passes again and again if it always can;
- duplication happens finitely often.
A timer, an output or a fair call whose guard reads the channels is strongly fair: if it could run
again and again, it does.  A middlebox's timer that waits for silence is weakly fair: whatever
passes starts it again.  Nothing else is fair: not SEND, not ABORT, not CRASH, not loss.  A run may
stop (stutter for ever) where that is fair.

In a model with a clock, S takes a segment for the same value at whatever age.  W3 asks only where a
segment may not vanish: elsewhere, as time passes (W4), what is in flight dies of age.

A fair run that never leaves a region exists if and only if a strongly connected set of states of
the region, with some of the steps inside it, satisfies all of these; `fair_components` finds such
sets by taking away, again and again, what no fair run can use for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from properties.graph import Marks, components
from tcpclose_model.engines.channels import stripped
from tcpclose_model.engines.guards import READS_CHANNELS, guard
from tcpclose_model.engines.plain import TIME, Channel
from tcpclose_model.parts import Network
from tcpclose_model.protocol.vocabulary import Event
from tcpclose_model.space import Path, StateSpace

OUTPUT = (Event.TRANSMIT, Event.TRANSMIT_WITH_FIN)
FAIR_TIMERS = (
    Event.RETRANSMISSION_TIMEOUT,
    Event.TIME_WAIT_TIMEOUT,
    Event.FIN_WAIT_2_TIMEOUT,
    Event.DELAYED_ACK_TIMEOUT,
    Event.KEEP_ALIVE_TIMEOUT,
    Event.ACK_LIMIT_TIMEOUT,
    Event.PERSIST_TIMEOUT,
)


@dataclass(frozen=True, slots=True)
class Component:
    """A strongly connected set that a fair run can stay in, and the steps it may not use."""

    states: frozenset[int]
    without_sends: int


@dataclass(slots=True)
class Tally:
    """What a set of states and steps enables, takes, sends and receives, as sets of bits."""

    always: int = -1
    ever: int = 0
    taken: int = 0
    sent: int = 0
    received: int = 0


class Fairness:
    """The fairness of one model over one explored graph, as bits."""

    def __init__(self, space: StateSpace) -> None:
        self.space = space
        self.weak, self.strong = 0, 0
        self._bits: dict[object, int] = {}
        self._values: dict[object, int] = {}
        events = dict(_fair_events(space))
        moves = space.moves
        self._is_timed = space.model.time.is_timed
        self._ticks = self._event_bit(events, TIME, Event.TICK)
        self.enables = [self._event_bit(events, m.action.actor, m.action.event) for m in moves]
        self.takes = list(self.enables)
        self.enabling = list(self.enables)
        """What a state enables that makes each move: its event, and its channel if it delivers."""
        self.sends = [0] * len(moves)
        self.receives = [0] * len(moves)
        network = space.model.network
        self._fifo = network.order == "fifo"
        self._has_channels = not self._is_timed or network.must_deliver
        stays = network.order == "set" and network.duplication  # what arrives is still in flight
        for number, move in enumerate(moves):
            actor, event, segment = move.action
            if event in (Event.SEGMENT_ARRIVES, Event.SEGMENT_IS_LOST):
                leaves = move.head if self._fifo else not (stays and move.delivers)
                value = None if self._fifo else segment
                leaves = leaves and self._has_channels
                if move.delivers and self._has_channels:
                    self.enabling[number] |= self._weak_bit(("channel", actor, value))
                if leaves:
                    self.takes[number] |= self._weak_bit(("channel", actor, value))
            if move.delivers and segment is not None:
                self.receives[number] = self._value_bit(actor, stripped(segment))
            if move.sent is not None:
                self.sends[number] = self._value_bit(1 - actor, move.sent)
        self.lasting = bytearray(m.action.event is not Event.SEGMENT_IS_DUPLICATED for m in moves)
        """The moves that may be made for ever: all but duplications."""
        self._usable: dict[int, Marks] = {}
        self._enabled: Sequence[int] = () if space.is_fast else self._enabled_bits()

    def tally(self, states: Iterable[int], moves: Iterable[int]) -> Tally:
        """Return what these states enable and these moves do."""
        total = Tally()
        for state in states:
            enabled = self.enabled(state)
            total.always &= enabled
            total.ever |= enabled
        for move in moves:
            total.taken |= self.takes[move]
            total.sent |= self.sends[move]
            total.received |= self.receives[move]
        return total

    def missing(self, total: Tally) -> tuple[int, int, int]:
        """Return what keeps a cycle from being fair: weak bits, strong bits, unreceived values."""
        weak = total.always & self.weak & ~total.taken
        strong = total.ever & self.strong & ~total.taken
        return weak, strong, total.sent & ~total.received

    def usable(self, without_sends: int) -> Marks:
        """Return the moves that last and send none of those segments."""
        if without_sends not in self._usable:
            self._usable[without_sends] = bytearray(
                lasting and not sends & without_sends
                for lasting, sends in zip(self.lasting, self.sends, strict=True)
            )
        return self._usable[without_sends]

    def moves_within(self, states: frozenset[int], usable: Marks) -> Iterable[int]:
        """Return the usable moves of the steps from these states to these states."""
        target, moves, first_step = self.space.target, self.space.move, self.space.first_step
        used: set[int] = set()
        for number in states:
            first, last = first_step[number], first_step[number + 1]
            for reached, move in zip(target[first:last], moves[first:last], strict=True):
                if reached in states:
                    used.add(move)
        return (move for move in used if usable[move])

    def must_leave(self, number: int) -> bool:
        """Return whether no fair run stays in this state alone: a fair event is due, and leaves."""
        space = self.space
        if not self.enabled(number) & (self.weak | self.strong):
            return False
        return all(space.target[step] != number for step in space.steps(number))

    def enabled(self, number: int) -> int:
        """Return the bits of the fair events that a state enables."""
        if not self.space.is_fast:
            return self._enabled[number]
        bits = 0
        for step in self.space.steps(number):
            bits |= self.enabling[self.space.move[step]]
        return bits

    def _enabled_bits(self) -> list[int]:
        """Return the fair events that each expanded state enables.

        Which calls and timeouts are enabled depends on both TCBs and on how much is in flight,
        each way.
        """
        space = self.space
        sizes = [len(channel) for channel in space.channels]
        towards = [[self._channel_bits(actor, c) for c in space.channels] for actor in (0, 1)]
        known: dict[tuple[int, int, int, int], int] = {}
        found = []
        parts = zip(space.a, space.b, space.a_to_b, space.b_to_a, strict=True)
        for number, (a, b, a_to_b, b_to_a) in zip(range(space.expanded), parts, strict=False):
            key = (a, b, sizes[a_to_b], sizes[b_to_a])
            bits = known.get(key)
            if bits is None:
                bits = 0
                for step in space.steps(number):
                    bits |= self.enables[space.move[step]] & ~self._ticks
                known[key] = bits
            if self._is_timed and self._can_tick(number):
                bits |= self._ticks
            found.append(bits | towards[1][a_to_b] | towards[0][b_to_a])
        return found

    def _can_tick(self, number: int) -> bool:
        """Return whether a tick may pass in a state: it would be the last of its steps."""
        steps = self.space.steps(number)
        return bool(steps) and self.space.moves[self.space.move[steps[-1]]].action.actor == TIME

    def _channel_bits(self, actor: int, channel: Channel) -> int:
        bits = 0
        if not self._has_channels:
            return 0
        for value in {None} if self._fifo and channel else set(channel):
            bits |= self._weak_bit(("channel", actor, value))
        return bits

    def _event_bit(self, events: dict[tuple[int, Event], bool], actor: int, event: Event) -> int:
        if (actor, event) not in events:
            return 0
        # An end's output is one thing, whether text and FIN go out together or apart.
        bit = self._bit(("event", actor, OUTPUT if event in OUTPUT else event))
        if events[actor, event]:
            self.strong |= bit
        else:
            self.weak |= bit
        return bit

    def _weak_bit(self, key: object) -> int:
        bit = self._bit(key)
        self.weak |= bit
        return bit

    def _bit(self, key: object) -> int:
        return self._bits.setdefault(key, 1 << len(self._bits))

    def _value_bit(self, receiver: int, segment: object) -> int:
        return self._values.setdefault((receiver, segment), 1 << len(self._values))


def _fair_events(space: StateSpace) -> Iterator[tuple[tuple[int, Event], bool]]:
    """Return each fair (end, event), and whether its guard reads the channels (strong).

    Where a sender waits for room, it reads them.
    """
    model = space.model
    senders = {move.action[:2] for move in space.moves if move.sent is not None}
    fair = {*OUTPUT, *FAIR_TIMERS, *(Event[call] for call in model.application.fair)}
    if model.timers.user_timeout or model.time.durations("user_timeout"):
        fair.add(Event.USER_TIMEOUT)  # R2 is finite: it expires if nothing comes of it
    if model.time.is_timed:
        yield (TIME, Event.TICK), False
    for end in (0, 1):
        for event in sorted(fair):
            needs = guard(model, event, sends=(end, event) in senders)
            yield (end, event), bool(needs & READS_CHANNELS)
        if model.middlebox.timeout == "drained":
            yield (end, Event.MIDDLEBOX_TIMEOUT), False


def in_words(space: StateSpace) -> tuple[str, ...]:
    """Return the fairness of an explored model, a sentence for each part that bears on it."""
    model = space.model
    occurring = {(move.action.actor, move.action.event) for move in space.moves}
    events = {
        key: strong
        for key, strong in _fair_events(space)
        if key in occurring and key[1] is not Event.TICK
    }
    fair_calls = model.application.fair
    strong = sorted({e.words for (_, e), s in events.items() if s and e.name not in fair_calls})
    weak = sorted({e.words for (_, e), s in events.items() if not s and e.name not in fair_calls})
    calls = sorted({e.words for _, e in events if e.name in fair_calls})
    network = model.network
    said = []
    if weak:
        said.append(f"W1: what can run for ever runs again and again: {', '.join(weak)}")
    if strong:
        said.append(f"W1 (strong, its guard reads the channels): {', '.join(strong)}")
    if calls:
        waits = not network.loss or network.full == "waits"
        kind = "W2 (strong: a sender waits for room)" if waits else "W2"
        said.append(f"{kind}: a user who can go on making the call makes it: {', '.join(calls)}")
    timed = model.time.is_timed
    if not timed or network.must_deliver:
        said.append(_w3(network))
    said.append("S: a segment that is sent again and again is received again and again")
    if timed:
        said.append("W4: time passes again and again if it always can")
    if network.duplication:
        said.append("duplication happens finitely often")
    return tuple(said)


def _w3(network: Network) -> str:
    if network.order == "fifo":
        return "W3: a channel that is never empty delivers or loses its head again and again"
    if network.order == "any" or not network.duplication:
        return "W3: a segment value that is always in flight is delivered or lost again and again"
    return "W3: a segment value that is always in flight is lost in the end"


def fair_components(fair: Fairness, region: Iterable[int]) -> list[Component]:
    """Return the strongly connected sets of the region in which some fair run stays for ever."""
    if fair.space.is_fast:
        from properties.fast_fairness import fair_components_by_kernel

        return fair_components_by_kernel(fair, region)
    found: list[Component] = []
    todo: list[tuple[list[int], int]] = [(list(region), 0)]
    space = fair.space
    while todo:
        states, without = todo.pop()
        usable = fair.usable(without)
        allowed = usable if 0 in usable else None
        for members in components(space, states, allowed, of=space.move):
            if len(members) == 1 and fair.must_leave(members[0]):
                continue
            inside = frozenset(members)
            total = fair.tally(members, fair.moves_within(inside, usable))
            weak, strong, unheard = fair.missing(total)
            if weak:
                continue
            if strong:
                todo.append(([n for n in members if not fair.enabled(n) & strong], without))
            elif unheard:
                todo.append((members, without | unheard))
            else:
                found.append(Component(inside, without))
    return found


def fair_loop(fair: Fairness, component: Component, start: int) -> Path:
    """Return a fair cycle in the component from `start` back to it; empty if stopping is fair.

    Deterministic and short, not minimal (a shortest fair cycle is NP-hard to find): as long as
    the cycle is not fair, it is led through the nearest state or step that it lacks.
    """
    space = fair.space
    lasts = fair.usable(component.without_sends)

    def usable(step: int) -> bool:
        return space.target[step] in component.states and bool(lasts[space.move[step]])

    path: Path = []
    while True:
        here = int(space.target[path[-1][1]]) if path else start
        back = space.path_within([here], start.__eq__, usable)
        assert back is not None, "a component is strongly connected"
        cycle = path + back[0]
        states = {source for source, _ in cycle} | {start}
        lacks = fair.missing(fair.tally(states, (space.move[step] for _, step in cycle)))
        if not any(lacks):
            return cycle
        path += _towards(fair, component, here, lacks, usable)


def _towards(
    fair: Fairness,
    component: Component,
    here: int,
    lacks: tuple[int, int, int],
    usable: Callable[[int], bool],
) -> Path:
    """Return the shortest path from `here` that supplies one of the things that a cycle lacks."""
    weak, strong, unheard = lacks
    space = fair.space
    parent = [here]
    seen: dict[int, Path] = {here: []}
    for number in parent:
        if weak and weak & ~fair.enabled(number) and seen[number]:
            return seen[number]
        for step in space.steps(number):
            if not usable(step):
                continue
            move, target = space.move[step], int(space.target[step])
            way = [*seen[number], (number, step)]
            if fair.takes[move] & (weak | strong) or fair.receives[move] & unheard:
                return way
            if target not in seen:
                seen[target] = way
                parent.append(target)
    raise AssertionError("a fair component supplies what its cycles lack")
