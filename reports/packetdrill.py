"""A run as a packetdrill script: one end is a real stack under test, the script plays the other.

`<` is what the script injects, `>` what the stack has to send; numbers are relative to either
end's SYN.  What a timer of the stack sends may come at any time (`*`); a duration that only the
stack knows, such as 2MSL, is waited for.  Any options are taken (`<...>`).

Where the stack ends in CLOSED without a word, a segment is injected that only a host without the
connection answers with a RST: otherwise nothing would show that it is.

What a script cannot say is refused: a crash, a second incarnation, a middlebox beside the stack.
"""

from __future__ import annotations

from itertools import groupby

from reports.frames import ISS, Frame, Numbers, frames
from tcpclose_model.engines.plain import ENDS, TIME, End, Transition
from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.vocabulary import CLOSED, OUTPUTS, TCB, TIMEOUTS, Event, Segment
from tcpclose_model.run import Run

TOLERANCE_US = 500_000
SOON, TICK, WAIT, GIVE_UP = 0.01, 1.0, 65.0, 2.0
"""Seconds before what is injected, of a tick, and for a timer of the stack that sends nothing.

WAIT is for Linux, whose TIME-WAIT and FIN-WAIT-2 timers take 60 s, and up to some seconds more, as
long timers are coarse there; GIVE_UP is for a user timeout.
"""
RTO_MS = 200
"""The shortest of Linux; each retransmission doubles it."""

ACTIVE = """\
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
+0.01 < S. 0:0(0) ack 1 win 65535 <mss 1460>
+0 > . 1:1(0) ack 1 <...>
"""
PASSIVE = """\
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0.01 < S 0:0(0) win 65535 <mss 1460>
+0 > S. 0:0(0) ack 1 <...>
+0.01 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
"""
SOCKETS = (3, 4)
"""The file descriptor of the connection: A connects, B accepts."""

IMPOSSIBLE = {
    Event.CRASH: "crashes",
    Event.OPEN_ACTIVE: "opens a second incarnation",
    Event.OPEN_PASSIVE: "opens a second incarnation",
}


def packetdrill(run: Run, end: int) -> str:
    """Return the script that tests end 0 (A) or 1 (B); ModelError if a script cannot say it."""
    _check(run, end)
    script = _Script(run, end)
    for number, step in enumerate(run.steps, 1):
        script.take(number, step)
    if run.loop is None:
        script.ask_whether_it_is_closed()
    else:
        script.lines.append(f"// What follows step {run.loop} repeats for ever.")
    return "\n".join(script.lines) + "\n"


def _check(run: Run, end: int) -> None:
    other = f"the other end may do: --end {ENDS[1 - end].lower()}"
    if run.model.middlebox.at == ENDS[end].lower():
        raise ModelError(
            f"packetdrill: a middlebox stands beside {ENDS[end]}, and a script tests an end alone; "
            f"{other}"
        )
    for number, step in enumerate(run.steps, 1):
        event = step.action.event
        if step.action.actor == end and event in IMPOSSIBLE:
            raise ModelError(
                f"packetdrill: {ENDS[end]} {IMPOSSIBLE[event]} in step {number}, and a script has "
                f"one connection of one socket; {other}"
            )


class _Script:
    """The lines so far, and how long to wait before the next of them."""

    def __init__(self, run: Run, end: int) -> None:
        self._run, self._end = run, end
        self._peer_octets = Numbers(run, 1 - end).unit_octets
        self._octets = Numbers(run, end).unit_octets
        self._socket = SOCKETS[end]
        self._delay = 0.0
        seen = [frame for frame in frames(run) if frame.point == end and frame.step]
        self._seen = {step: list(group) for step, group in groupby(seen, lambda f: f.step)}
        name = " ".join(run.model.name.split()) or "a model"
        self.lines = [
            f"// A run of {name}; {ENDS[end]} is the stack under test.",
            f"--tolerance_usecs={TOLERANCE_US}",
            "",
            *(PASSIVE if end else ACTIVE).splitlines(),
            *_options(run, end),
            "",
        ]

    def take(self, number: int, step: Transition) -> None:
        """Add what a step means to the stack under test; of the other end's, a remark."""
        action = step.action
        if action.actor == TIME:
            self._delay += TICK
            return
        if action.segment is None:
            self.lines.append(f"// {number}: {ENDS[action.actor]} {action.event.words}")
            if action.actor == self._end:
                self._local(action.event, sends=step.sent is not None)
        for frame in self._seen.get(number, ()):
            self._packet(frame, step, soon=bool(_tcb(self._run, number - 1, self._end).ack_due))
        self._reads(number, step)

    def _local(self, event: Event, *, sends: bool) -> None:
        socket = self._socket
        if event is Event.CLOSE:
            self._line(f"close({socket}) = 0")
        elif event is Event.SHUTDOWN:
            self._line(f"shutdown({socket}, SHUT_WR) = 0")
        elif event is Event.SEND:
            self._line(f"write({socket}, ..., {self._octets}) = {self._octets}")
        elif event is Event.ABORT:
            linger = "{onoff=1, linger=0}"
            self._line(f"setsockopt({socket}, SOL_SOCKET, SO_LINGER, {linger}, 8) = 0")
            self._line(f"close({socket}) = 0")
        elif event in TIMEOUTS and not sends:
            self._delay += GIVE_UP if event is Event.USER_TIMEOUT else WAIT

    def _line(self, what: str, least: float = 0.0) -> None:
        """Add a line that happens at once, or when what is to be waited for is over."""
        self.lines.append(f"+{self._delay or least:g} {what}")
        self._delay = 0.0

    def _packet(self, frame: Frame, step: Transition, *, soon: bool) -> None:
        """Add a packet; soon: an ACK of the stack is due, and it is not to be sent before."""
        if frame.sender != self._end:
            least = 0.0 if soon else SOON
            self._line(f"< {_segment(frame)} win {0 if frame.wnd0 else 65535}", least)
            return
        expected = f"> {_segment(frame)} <...>"
        event = step.action.event
        if event in TIMEOUTS or event in OUTPUTS:
            self.lines.append(f"* {expected}")
            self._delay = 0.0
        else:
            self._line(expected)

    def _reads(self, number: int, step: Transition) -> None:
        """Add the read of what the user under test reads in a step."""
        before, after = _tcb(self._run, number - 1, self._end), _tcb(self._run, number, self._end)
        octets = (after.read - before.read) * self._peer_octets
        if octets > 0 and not before.released:
            self._line(f"read({self._socket}, ..., {octets}) = {octets}")

    def ask_whether_it_is_closed(self) -> None:
        """Add a segment that a host without the connection answers, if the stack is to be one."""
        run, end = self._run, self._end
        last, closed = _last_step(run, end), _tcb(run, len(run.steps), end)
        if last is None or closed.state != CLOSED or run.steps[last].sent or run.model.reopens:
            return
        before = _tcb(run, last, end)
        asked = Segment(seq=before.rcv_nxt, ack=before.snd_nxt)
        if End(run.model, end).arrival(closed, asked).sent is None:
            return  # as hosts do that answer nothing at a closed port
        mine, theirs = Numbers(run, end), Numbers(run, 1 - end)
        seq = (theirs(before.rcv_nxt) - theirs(-1)) % 2**32
        ack = (mine(before.snd_nxt) - mine(-1)) % 2**32
        self.lines.append(f"// {ENDS[end]} is CLOSED: it answers what it does not know.")
        self._line(f"< . {seq}:{seq}(0) ack {ack} win 65535", SOON)
        self._line(f"> R {ack}:{ack}(0) <...>")


def _last_step(run: Run, end: int) -> int | None:
    """Return the number of the last step that an end takes."""
    taken = [n for n, step in enumerate(run.steps) if step.action.actor == end]
    return taken[-1] if taken else None


def _options(run: Run, end: int) -> list[str]:
    """Return the lines by which the stack's timers do what they do in the run.

    TCP_USER_TIMEOUT (RFC 5482) ends between two retransmissions, as many as there are in the run.
    """
    found = []
    if any((state.b if end else state.a).ack_due for state in run.states):
        found.append("TCP_QUICKACK, [0]")
    events = [step.action.event for step in run.steps if step.action.actor == end]
    again = 1
    if Event.USER_TIMEOUT in events:
        again = events[: events.index(Event.USER_TIMEOUT)].count(Event.RETRANSMISSION_TIMEOUT)
        limit = RTO_MS * 2**again - RTO_MS // 4
        found.append(f"TCP_USER_TIMEOUT, [{limit}]")
    lines = [f"+0 setsockopt({SOCKETS[end]}, SOL_TCP, {option}, 4) = 0" for option in found]
    remark = "// Options of Linux; another stack has to be told the same in its own way."
    once = "// Linux sends once more, even so, before it gives up."
    more = [] if again else [once]
    return [remark, *more, *lines] if found else []


def _tcb(run: Run, number: int, end: int) -> TCB:
    state = run.states[number]
    return state.b if end else state.a


def _segment(frame: Frame) -> str:
    """Return a segment's flags and numbers; the end of a range leaves SYN and FIN out."""
    flags = "".join(
        flag
        for flag, is_set in (
            ("S", frame.syn),
            ("F", frame.fin),
            ("R", frame.rst),
            ("P", frame.text),
            (".", frame.ack is not None),
        )
        if is_set
    )
    seq = (frame.seq - ISS[frame.sender]) % 2**32
    length = len(frame.text)
    words = f"{flags} {seq}:{seq + length}({length})"
    if frame.ack is None:
        return words
    return f"{words} ack {(frame.ack - ISS[1 - frame.sender]) % 2**32}"
