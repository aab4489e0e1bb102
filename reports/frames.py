"""A run as the packets that two capture points see, one at either end.

A segment is seen where it is sent and where it arrives; one that is lost is seen at its sender's
only, one that is copied in flight twice at its receiver's.  A handshake stands before the run, so
that what reads the packets knows both initial sequence numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from reports.labels import action_text, label
from tcpclose_model.engines.channels import stripped
from tcpclose_model.engines.plain import ENDS, FIRST_NUMBER, ProductState, Transition, reopens
from tcpclose_model.protocol.vocabulary import Event, Segment
from tcpclose_model.run import Run

UNIT_OCTETS = 100
"""Octets in a unit of text."""
ISS = (1_000_000, 5_000_000)
"""The number of either end's SYN in the handshake."""
STEP_US, ANSWER_US, TICK_US = 1_000, 100, 1_000_000
"""Microseconds from a step to the next, to what is sent in answer, and from a tick to the next."""
BEGIN_US = 10_000
"""Microseconds from the first segment of the handshake to the run's initial state."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A packet that one capture point sees; `seq` and `ack` are numbers on the wire.

    point: where it is seen, 0 at A, 1 at B.  sender: 0 for A, 1 for B.
    step: the number of the run's step in which it is seen, from 1; 0 in the handshake.
    time_us: since the first segment.  ident: what is one packet at both points has one number.
    ack: None where the ACK bit is off.
    lost: of a packet at its sender's, why it does not arrive; "" where it does, or is in flight.
    """

    point: int
    sender: int
    step: int
    time_us: int
    ident: int
    seq: int
    ack: int | None
    text: bytes
    fin: bool
    rst: bool
    syn: bool
    wnd0: bool
    tsval: int
    comment: str
    lost: str = ""


class Numbers:
    """The numbers of one end on the wire, for those of the model: calling it converts one.

    A unit of text is `UNIT_OCTETS` octets, a SYN or a FIN one.  Where the second incarnation uses
    a number of the first's text for its SYN or FIN, a unit of text is one octet as well.
    """

    def __init__(self, run: Run, end: int) -> None:
        self._first = FIRST_NUMBER if reopens(run.model.a) else 0
        self._iss = ISS[end]
        self._text, others = set[int](), set[int]()
        for step in run.steps:
            if step.sent is not None and step.action.actor == end:
                seg = step.sent
                text = seg.seq + seg.syn
                self._text.update(range(text, text + seg.text))
                others |= {seg.seq} if seg.syn else set()
                others |= {text + seg.text} if seg.fin else set()
        self.unit_octets = 1 if self._text & others else UNIT_OCTETS

    def __call__(self, number: int) -> int:
        """Return the number on the wire."""
        units = sum(self._first <= unit < number for unit in self._text)
        octets = number - self._first + units * (self.unit_octets - 1)
        return int((self._iss + 1 + octets) % 2**32)


def frames(run: Run) -> tuple[Frame, ...]:
    """Return every packet that the two capture points see, in the order of time."""
    capture = _Capture(run)
    capture.handshake()
    for number in range(len(run.steps)):
        capture.take(number)
    return tuple(capture.seen)


class _Capture:
    """What has been seen so far, and which of it is still in flight.

    in_flight: of what is on its way to A, and to B, the places in `seen` where it was sent.
    """

    def __init__(self, run: Run) -> None:
        self.seen: list[Frame] = []
        self._run = run
        self._numbers = Numbers(run, 0), Numbers(run, 1)
        self._in_flight: tuple[list[int], list[int]] = [], []
        self._segment: dict[int, Segment] = {}
        self._now = BEGIN_US
        self._ticks = 0
        self._uses_ts = any(step.sent is not None and step.sent.ts for step in run.steps)

    def handshake(self) -> None:
        """Add the three segments that have opened the connection."""
        first = FIRST_NUMBER if reopens(self._run.model.a) else 0
        ts = int(self._uses_ts)
        syn, ack = Segment(first - 1, syn=1, ts=ts), Segment(first, first, ts=ts)
        opening = ((0, syn, "SYN", None), (1, syn, "SYN, ACK", first), (0, ack, "ACK", first))
        for number, (sender, seg, words, ack_number) in enumerate(opening):
            told = f"{ENDS[sender]} sends {words}: the handshake, before the run"
            sent = self._frame(sender, seg, ack_number, (0, 2 * number * STEP_US, told))
            arrival = sent.time_us + STEP_US
            self.seen += [sent, replace(sent, point=1 - sender, time_us=arrival)]

    def take(self, number: int) -> None:
        """Add what the capture points see of a step."""
        state, step = self._run.states[number], self._run.steps[number]
        event, to = step.action.event, step.action.actor
        self._now += STEP_US
        if event is Event.TICK:
            self._ticks += 1
            self._now = max(self._now, BEGIN_US + self._ticks * TICK_US)
        told = _told(number, state, step)
        if event is Event.SEGMENT_ARRIVES:
            self._arrive(to, step, (number + 1, self._now, told))
        elif event is Event.SEGMENT_IS_LOST:
            self._lose(to, self._oldest(to, step), f"lost in step {number + 1}")
        elif event is Event.SEGMENT_IS_DUPLICATED:
            self._in_flight[to].append(self._oldest(to, step))
        if step.sent is not None:
            self._send(step, number + 1, told)
        self._reconcile(step, number + 1)

    def _send(self, step: Transition, number: int, told: str) -> None:
        seg, sender = step.sent, step.action.actor
        assert seg is not None
        receiver = step.target.a if sender else step.target.b
        comment = f"{ENDS[sender]} sends {label(seg, receiver)}; {told}"
        ack = None if (seg.rst or seg.syn) and not seg.ack else seg.ack
        time = self._now + (ANSWER_US if step.action.segment is not None else 0)
        frame = self._frame(sender, seg, ack, (number, time, comment))
        if step.action.event is Event.KEEP_ALIVE_TIMEOUT:
            # A probe has the number of the last octet before SND.NXT, whatever a unit's length.
            before = (self._numbers[sender](seg.seq + 1) - 1) % 2**32
            frame = replace(frame, seq=before)
        self._segment[len(self.seen)] = seg
        self._in_flight[1 - sender].append(len(self.seen))
        self.seen.append(frame)
        if step.overflow:
            self._lose(1 - sender, len(self.seen) - 1, "lost, the channel is full")

    def _frame(self, sender: int, seg: Segment, ack: int | None, at: tuple[int, int, str]) -> Frame:
        step, time, comment = at
        mine, theirs = self._numbers[sender], self._numbers[1 - sender]
        words = f"{ENDS[sender]} {seg.seq + seg.syn}: ".encode()
        octets = mine.unit_octets
        return Frame(
            point=sender,
            sender=sender,
            step=step,
            time_us=time,
            ident=len(self.seen) + 1,
            seq=mine(seg.seq),
            ack=None if ack is None else theirs(ack),
            text=words.ljust(octets, b".")[:octets] * seg.text,
            fin=bool(seg.fin),
            rst=bool(seg.rst),
            syn=bool(seg.syn),
            wnd0=bool(seg.wnd0),
            tsval=seg.ts,
            comment=comment,
        )

    def _arrive(self, to: int, step: Transition, at: tuple[int, int, str]) -> None:
        place = self._oldest(to, step)
        number, time, comment = at
        sent = replace(self.seen[place], lost="")
        seen = replace(sent, point=to, step=number, time_us=time, comment=comment)
        self.seen.append(seen)
        # In a set that duplicates, what has arrived stays in flight.
        if self._surplus(to, step.target)[self._segment[place]] > 0:
            self._in_flight[to].remove(place)

    def _oldest(self, to: int, step: Transition) -> int:
        """Return where the segment that a step is about was sent, the first of equal ones."""
        assert step.action.segment is not None
        seg = stripped(step.action.segment)
        return next(place for place in self._in_flight[to] if self._segment[place] == seg)

    def _lose(self, to: int, place: int, why: str) -> None:
        self._in_flight[to].remove(place)
        sent = self.seen[place]
        self.seen[place] = replace(sent, lost=why, comment=f"{sent.comment}; {why}")

    def _surplus(self, to: int, state: ProductState) -> Counter[Segment]:
        """Return of each segment how many more are followed than the channel holds."""
        channel = state.a_to_b if to else state.b_to_a
        surplus = Counter(self._segment[place] for place in self._in_flight[to])
        surplus.subtract(Counter(stripped(seg) for seg in channel))
        return surplus

    def _reconcile(self, step: Transition, number: int) -> None:
        """Lose what has left a channel by itself: dead of age, or one with an equal one."""
        is_tick = step.action.event is Event.TICK
        why = f"{'dead of age' if is_tick else 'overtaken by its like'} in step {number}"
        for to in (0, 1):
            surplus = self._surplus(to, step.target)
            for place in list(self._in_flight[to]):
                if surplus[self._segment[place]] > 0:
                    surplus[self._segment[place]] -= 1
                    self._lose(to, place, why)


def _told(number: int, state: ProductState, step: Transition) -> str:
    """Return a step in words: what happens, both states, the rules and their clauses."""
    pairs = zip(ENDS, state[:2], step.target[:2], strict=True)
    ends = (
        f"{end} {old.state.name}" + (f" -> {new.state.name}" if new.state != old.state else "")
        for end, old, new in pairs
    )
    rules = "; ".join(f"{rule.name} ({rule.cite})" for rule in step.rules)
    words = f"step {number + 1}: {action_text(step.action, state)}; {', '.join(ends)}"
    return f"{words}; {rules}" if rules else words
