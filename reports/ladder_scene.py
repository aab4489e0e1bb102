"""A run as a picture: two lifelines, an arrow for each segment, both ends' states in the margins.

Time runs downwards; each step has a row of its own, and an arrow goes from the row in which its
segment is sent to the one in which it arrives, or is lost.  Whatever has words has them in one
row, between the lifelines or in a margin, so that no two texts meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reports.frames import Frame, frames
from reports.labels import label
from reports.lettering import BASELINE, LINE_HEIGHT, spelled, text_width
from reports.picture_parts import (
    ARROW_STYLES,
    GREY,
    INK,
    NODE_STYLES,
    legend_shapes,
    legend_width,
)
from reports.scene import Box, Curve, Point, Scene, Shape, Text
from reports.ticks import stretches, ticks_text
from tcpclose_model.engines.clock import Clock
from tcpclose_model.engines.plain import ENDS, TIME
from tcpclose_model.protocol.vocabulary import CLOSED, TIME_WAIT, TIMEOUTS, Event, State
from tcpclose_model.run import Run

TITLE, SIZE = 17.0, 12.5
LINE = SIZE * LINE_HEIGHT
STATE_HEIGHT = 22.0
BORDER, GAP, PADDING = 24.0, 16.0, 13.0
"""Around the page; between a margin's words and its lifeline; above and below a row's words."""
SPAN_LEAST = 380.0
"""Between the lifelines."""
LOST_AT = 0.72
"""How far towards its receiver a lost segment comes, of the span."""
TIMER = "#00568a"
LEGEND = (("normal", "arrives"), ("reset", "a RST"), ("loss", "is lost, or is still in flight"))
TIMERS = "a timer goes off; the bar: 2MSL runs"

Words = tuple[str, str]
"""A text and its colour."""


@dataclass(slots=True)
class Row:
    """What stands beside one step, or between two.

    left, right: the words in the margin of A, and of B.  states: the state that each comes to.
    middle: words between the lifelines that belong to no arrow.  extra: the room, below, for the
    label of an arrow that is sent and lost in this very row.
    """

    left: list[Words] = field(default_factory=list)
    right: list[Words] = field(default_factory=list)
    states: list[State | None] = field(default_factory=lambda: [None, None])
    middle: str = ""
    rule: bool = False
    extra: float = 0.0
    top: float = 0.0

    @property
    def height(self) -> float:
        """The row's height, with the room around its words."""
        words = zip((self.left, self.right), self.states, strict=True)
        sides = (
            len(lines) * LINE + (STATE_HEIGHT + 3 if state is not None else 0)
            for lines, state in words
        )
        return max(*sides, LINE) + 2 * PADDING + self.extra

    @property
    def y(self) -> float:
        """Where the row's arrow ends."""
        return self.top + (self.height - self.extra) / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """A segment on its way: from the row of one step to that of another."""

    frame: Frame
    words: str
    first: Row
    last: Row
    end: str
    """"arrives", "lost" or "in flight"."""


def ladder_scene(run: Run) -> Scene:
    """Return the picture of a run."""
    rows, row_of, arrows = _content(run)
    margins = [max((w for row in rows for w in _widths(row, end)), default=0.0) for end in (0, 1)]
    labels = max((text_width(arrow.words, SIZE) for arrow in arrows), default=0.0)
    middles = max((text_width(row.middle, SIZE) for row in rows), default=0.0)
    span = max(SPAN_LEAST, labels / 0.6, middles + 60)
    legend = sum(legend_width(text) for _, text in LEGEND) + legend_width(TIMERS)
    title = spelled(_title(run))
    width = max(2 * BORDER + sum(margins) + 2 * GAP + span, legend + 2 * BORDER)
    width = max(width, text_width(title, TITLE) + 2 * BORDER)
    spare = (width - 2 * BORDER - sum(margins) - 2 * GAP - span) / 2
    a = BORDER + spare + margins[0] + GAP
    top = BORDER + TITLE * LINE_HEIGHT + LINE + 2 * PADDING
    for row in rows:
        row.top = top
        top += row.height
    lines = (a, a + span)
    shapes: list[Shape] = [_text(title, BORDER, BORDER, TITLE, INK)]
    shapes += _heads(lines, rows[0].top - LINE - 4)
    shapes += [_line([(x, rows[0].top), (x, top)], "#9a9a9a", 1.6) for x in lines]
    shapes += _time_wait(run, rows, row_of, lines)
    shapes += [shape for row in rows for shape in _row_shapes(row, lines)]
    arrows.sort(key=lambda arrow: arrow.last.y)
    shapes += [shape for arrow in arrows for shape in _arrow_shapes(arrow, lines)]
    shapes += [shape for row in rows if row.middle for shape in _middle_shapes(row, lines)]
    shapes += [shape for arrow in arrows for shape in _label_shapes(arrow, lines)]
    shapes += _legend(top + 24)
    return Scene(round(width + 0.5), round(top + 24 + BORDER), title, tuple(shapes))


def _legend(y: float) -> Iterator[Shape]:
    x = BORDER
    for kind, text in LEGEND:
        yield from legend_shapes(kind, text, x, y)
        x += legend_width(text)
    yield Box(x + 10, y - 4, 8, 8, TIMER, INK, 1.2, 4)
    yield _text(TIMERS, x + 24, y - LINE / 2, SIZE, INK)


def _title(run: Run) -> str:
    count = len(run.steps)
    return f"{run.model.name or 'model'}: a run of {count} step{'' if count == 1 else 's'}"


# Rows -------------------------------------------------------------------------------------------


def _content(run: Run) -> tuple[list[Row], dict[int, Row], list[Arrow]]:
    """Return the rows from top to bottom, the row of each step, and the arrows between them."""
    first = Row()
    first.states = [run.states[0].a.state, run.states[0].b.state]
    rows, row_of, clock = [first], {0: first}, Clock(run.model)
    for number, count in stretches(run):
        if run.loop == number:
            rows.append(Row(middle="from here on it repeats for ever", rule=True))
        row = _row(run, number)
        if run.steps[number].action.actor == TIME:
            row.middle, row.rule = ticks_text(count), True
            later = run.states[number + count]
            row.left = [(f"{timer.event.words} is due", GREY) for timer in clock.due(later.a)]
            row.right = [(f"{timer.event.words} is due", GREY) for timer in clock.due(later.b)]
        rows.append(row)
        row_of |= dict.fromkeys(range(number + 1, number + count + 1), row)
    if run.loop == len(run.steps):
        rows.append(Row(middle="nothing that changes anything happens any more", rule=True))
    arrows = list(_arrows(run, rows, row_of))
    for arrow in arrows:
        if arrow.first is arrow.last:
            arrow.last.extra += LINE + 8
    last = Row()
    last.states = [run.last.a.state, run.last.b.state]
    rows.append(last)
    return rows, row_of, arrows


def _row(run: Run, number: int) -> Row:
    """Return the row of a step."""
    step, row = run.steps[number], Row()
    event, actor = step.action.event, step.action.actor
    before, after = run.states[number], run.states[number + 1]
    for end, (old, new) in enumerate(((before.a, after.a), (before.b, after.b))):
        if old.state != new.state:
            row.states[end] = new.state
    if step.action.segment is None and actor != TIME:
        is_timer = event in TIMEOUTS or event is Event.MIDDLEBOX_TIMEOUT
        words = (event.words, TIMER if is_timer else INK)
        (row.right if actor else row.left).append(words)
    elif event is Event.SEGMENT_IS_DUPLICATED and step.action.segment is not None:
        receiver = before.b if actor else before.a
        row.middle = f"{label(step.action.segment, receiver)} to {ENDS[actor]} is duplicated"
    return row


def _arrows(run: Run, rows: list[Row], row_of: dict[int, Row]) -> Iterator[Arrow]:
    """Return the arrows; what is in flight at the end gets a row of its own, for its label."""
    seen = [frame for frame in frames(run) if frame.step]
    sent = {frame.ident: frame for frame in seen if frame.point == frame.sender}
    arrived = set[int]()
    for frame in seen:
        if frame.point != frame.sender:
            arrived.add(frame.ident)
            rows_of_it = row_of[sent[frame.ident].step], row_of[frame.step]
            yield Arrow(frame, _label_of(run, sent[frame.ident]), *rows_of_it, "arrives")
    for frame in sent.values():
        if frame.lost:
            words = _label_of(run, frame)
            yield Arrow(frame, words, row_of[frame.step], row_of[frame.lost_in], "lost")
        elif frame.ident not in arrived:
            rows.append(Row())
            yield Arrow(frame, _label_of(run, frame), row_of[frame.step], rows[-1], "in flight")


def _label_of(run: Run, frame: Frame) -> str:
    step, state = run.steps[frame.step - 1], run.states[frame.step]
    assert step.sent is not None
    return spelled(label(step.sent, state.a if frame.sender else state.b))


def _widths(row: Row, end: int) -> Iterator[float]:
    for words, _ in row.right if end else row.left:
        yield text_width(words, SIZE)
    state = row.states[end]
    if state is not None:
        yield text_width(state.name, SIZE) + 20


# Shapes -----------------------------------------------------------------------------------------


def _text(text: str, x: float, top: float, size: float, colour: str) -> Text:
    """Return a line of text from x on, below `top`."""
    y = top + BASELINE * size
    return Text(x, y, text, size, text_width(text, size), colour, "start")


def _line(points: list[Point], stroke: str, width: float = 1.3, *, head: bool = False) -> Curve:
    (x, y), (to_x, to_y) = points
    third = (to_x - x) / 3, (to_y - y) / 3
    inner = ((x + third[0], y + third[1]), (x + 2 * third[0], y + 2 * third[1]))
    return Curve(((x, y), *inner, (to_x, to_y)), stroke, width, head=head)


def _heads(lines: tuple[float, float], top: float) -> Iterator[Shape]:
    for x, name in zip(lines, ENDS, strict=True):
        yield _text(name, x - text_width(name, 15.0) / 2, top, 15.0, INK)


def _time_wait(
    run: Run, rows: list[Row], row_of: dict[int, Row], lines: tuple[float, float]
) -> Iterator[Shape]:
    """Return a bar on a lifeline wherever its end is in TIME-WAIT."""
    for end, x in enumerate(lines):
        began: float | None = None
        for number, state in enumerate(run.states):
            waits = (state.b if end else state.a).state == TIME_WAIT
            if waits and began is None:
                began = row_of[number].y
            if began is not None and (not waits or number == len(run.steps)):
                ended = rows[-1].y if waits else row_of[number].y
                yield _line([(x, began), (x, ended)], TIMER, 4.5)
                began = None


def _row_shapes(row: Row, lines: tuple[float, float]) -> Iterator[Shape]:
    middle = row.y
    if row.rule:
        points = [(lines[0], middle), (lines[1], middle)]
        rule = _line(points, "#c4c4c4")
        yield Curve(rule.points, rule.stroke, 1.2, (4.0, 4.0), head=False)
    for end, words in enumerate((row.left, row.right)):
        yield from _margin_shapes(row, end, words, lines[end])


def _middle_shapes(row: Row, lines: tuple[float, float]) -> Iterator[Shape]:
    """Return the words between the lifelines, over whatever crosses them."""
    middle = row.y
    width = text_width(row.middle, SIZE)
    x = (lines[0] + lines[1] - width) / 2
    yield Box(x - 5, middle - LINE / 2, width + 10, LINE, "#ffffff")
    yield _text(spelled(row.middle), x, middle - LINE / 2, SIZE, GREY)


def _margin_shapes(row: Row, end: int, words: list[Words], line: float) -> Iterator[Shape]:
    """Return the words and the state beside a lifeline, and the mark on it."""
    state = row.states[end]
    height = len(words) * LINE + (STATE_HEIGHT + 3 if state is not None else 0)
    top = row.y - height / 2

    def start(width: float) -> float:
        return line + GAP if end else line - GAP - width

    for text, colour in words:
        if colour != GREY:  # what is only due has not happened
            fill = colour if colour == TIMER else "#ffffff"
            yield Box(line - 4, row.y - 4, 8, 8, fill, INK, 1.2, 4)
        yield _text(text, start(text_width(text, SIZE)), top, SIZE, colour)
        top += LINE
    if state is not None:
        style = NODE_STYLES["final" if state == CLOSED else "plain"]
        width = text_width(state.name, SIZE) + 20
        x, stroke = start(width), style.stroke
        yield Box(x, top + 3, width, STATE_HEIGHT - 3, style.fill, stroke, 1.2, 5)
        yield _text(state.name, x + 10, top + 3 + (STATE_HEIGHT - 3 - LINE) / 2, SIZE, INK)


def _ends_of(arrow: Arrow, lines: tuple[float, float]) -> tuple[Point, Point]:
    """Return where an arrow starts and where it ends."""
    source, target = lines[arrow.frame.sender], lines[1 - arrow.frame.sender]
    if arrow.end != "arrives":
        target = source + (target - source) * LOST_AT
    start = arrow.first.y
    if arrow.first is arrow.last:
        return (source, start + 4), (target, start + arrow.last.extra + 4)
    return (source, start), (target, arrow.last.y)


def _arrow_shapes(arrow: Arrow, lines: tuple[float, float]) -> Iterator[Shape]:
    start, (x, y) = _ends_of(arrow, lines)
    style = ARROW_STYLES[_kind(arrow)]
    shaft = _line([start, (x, y)], style.stroke)
    yield Curve(shaft.points, style.stroke, style.width, style.dash, head=arrow.end == "arrives")


def _kind(arrow: Arrow) -> str:
    if arrow.end != "arrives":
        return "loss"
    return "reset" if arrow.frame.rst else "normal"


def _label_shapes(arrow: Arrow, lines: tuple[float, float]) -> Iterator[Shape]:
    """Return the label, on a white patch, where the arrow comes to its last row, and a cross."""
    (x, y), (to_x, to_y) = _ends_of(arrow, lines)
    width = text_width(arrow.words, SIZE)
    middle = to_y - LINE / 2 - 5
    x += (to_x - x) * (middle - y) / (to_y - y)
    room = width / 2 + 14
    x = min(max(x, lines[0] + room), lines[1] - room)
    patch = Box(x - width / 2 - 3, middle - LINE / 2, width + 6, LINE, "#ffffff", radius=3)
    yield patch
    colour = ARROW_STYLES[_kind(arrow)].text
    yield _text(arrow.words, x - width / 2, middle - LINE / 2, SIZE, colour)
    if arrow.end == "lost":
        ink = ARROW_STYLES["loss"].text
        for way in (-1, 1):
            yield _line([(to_x - 6, to_y - 6 * way), (to_x + 6, to_y + 6 * way)], ink, 2.4)
