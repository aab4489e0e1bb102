"""What a Promela text declares: constants, segments, channels, TCBs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import wrap

from reports.exports.intervals import Box, Interval
from reports.exports.promela_rows import Context
from reports.exports.promela_words import Names, indented
from reports.exports.ranges import Ranges
from reports.exports.rows import segment_fields
from reports.exports.terms import Field
from tcpclose_model.errors import ModelError
from tcpclose_model.protocol.vocabulary import SEGMENT_FIELDS, Told

BITS_MAX = 30
"""Bits that a segment, or a field, may take: SPIN's numbers are signed and have 32."""

END_TYPES = ("TCB_OF_A", "TCB_OF_B")
"""The types of the ends, where their fields are not all 0 at first."""

FITS = """
/* It is not proven that this value fits: a larger one would be an error, not another value. */
inline fits(expression, largest) {
  value = expression;
  assert(0 <= value && value <= largest)
}

inline assign(field, expression, largest) {
  fits(expression, largest);
  field = value
}
"""


def box_of(ranges: Ranges, fields: Iterable[str]) -> Box:
    """Return what fields can be, for every name that a term has for a TCB or a segment.

    A field that is left out of the text is 0.
    """
    kept = set(fields)
    box: Box = {Field(of, name): (0, 0) for of in ("seg", "sent") for name in SEGMENT_FIELDS}
    for (of, name), value in ranges.box.items():
        if of == "seg":
            box |= {Field("seg", name): value, Field("sent", name): value}
            continue
        shown = value if name in kept else (0, 0)
        box[Field("tcb", name)] = shown
        between = ranges.settled[Field("tcb", name)] if name in kept else (0, 0)
        box |= {Field(who, name): between for who in ("a", "b", "me", "peer", "was")}
    return box


def words_of(names: Names, fields: Iterable[str]) -> dict[Field, str]:
    """Return how fields are written."""
    words = {Field("sent", ""): "sent"}
    for name in SEGMENT_FIELDS:
        words |= {Field("seg", name): f"seg.{name}", Field("sent", name): f"{name.upper()}(sent)"}
    for name in fields:
        word = name if name == "state" else names.free(name)
        for who in ("a", "b", "me", "peer", "was"):
            words[Field(who, name)] = f"{who}.{word}"
        words[Field("tcb", name)] = f"me.{word}"
    return words


def bits(name: str, value: Interval) -> int:
    """Return the bits that a field needs; ModelError if SPIN has no such number."""
    needed = (value[1] - value[0] if value[0] < 0 else value[1]).bit_length()
    if value[0] < -1 or needed > BITS_MAX:
        raise ModelError(
            f"field {name!r} can be {value[0]} to {value[1]}: a Promela text has room for 0 to "
            f"{(1 << BITS_MAX) - 1}; fewer units of text would do"
        )
    return needed


def declarations(context: Context, *, was: Iterable[Field], stuck: Iterable[str]) -> list[str]:
    """Return the declarations of a text, up to what both ends are called.

    was: what claims read of the TCB before a step; stuck: the macros that ask for a deadlock.
    """
    lines = ["", *(f"#define {state.name} {int(state)}" for state in context.states)]
    if "told" in context.fields:
        lines += ["", *(f"#define {told.name} {int(told)}" for told in Told)]
    lines += ["", "/* The steps of SEGMENT ARRIVES, those that matter here. */"]
    lines += [f"#define {step.name} {n}" for n, step in enumerate(context.steps)]
    lines += ["", *_segments(context), "", *_tcbs(context, was=bool(list(was))), ""]
    lines += [
        *_ends(context),
        "Channel a_to_b, b_to_a;",
        "",
        *_scratch(context, was),
        *(FITS.rstrip().splitlines() if "value" in context.scratch else []),
        "",
        "/* An end as it sees itself: me, peer, to_me, to_peer, name. */",
        "#define A a, b, b_to_a, a_to_b, 'A'",
        "#define B b, a, a_to_b, b_to_a, 'B'",
    ]
    if stuck:
        asked = " || ".join(f"defined({macro})" for macro in stuck)
        lines += ["", "/* Whether a step that changes nothing is a step: not for a deadlock. */"]
        lines += [f"#if {asked}", "#define IDLE false", "#else", "#define IDLE true", "#endif"]
    return lines


def _scratch(context: Context, was: Iterable[Field]) -> list[str]:
    """Return the variables of a single step, and the macro that clears them at its end."""
    used = [f"seg.{name}" for name in SEGMENT_FIELDS if context.box[Field("seg", name)] != (0, 0)]
    before = sorted(context.words[name] for name in was)
    used += ["sent", "step", "i", *before, *sorted(context.scratch)]
    return [
        "/* What follows has no meaning between steps, and so is no part of a state.",
        " * Breadth first, SPIN cannot hide it: there it is 0 between steps. */",
        "#ifdef BREADTH_FIRST",
        "#define SCRATCH",
        "#define FORGET \\",
        *_clearing(used),
        "#else",
        "#define SCRATCH hidden",
        "#define FORGET",
        "#endif",
        "SCRATCH Segment seg;  /* the one that arrives */",
        "SCRATCH int sent;     /* the one that is sent, or 0 */",
        "SCRATCH byte step;",
        f"SCRATCH {_counter(context)} i;",
        *(["SCRATCH TCB was;      /* me before the step */"] if before else []),
        *(f"SCRATCH int {name};" for name in sorted(context.scratch)),
    ]


def _clearing(names: Iterable[str]) -> list[str]:
    """Return the lines of a macro that sets variables to 0; no line ends inside an assignment."""
    *lines, last = wrap("; ".join(f"{name}=0" for name in names), 80)
    return [line.replace("=", " = ") for line in (*(f"  {line} \\" for line in lines), f"  {last}")]


def _segments(context: Context) -> list[str]:
    """Return the macros and types of segments and channels."""
    at, packed, unpacked, members = 0, [], [], []
    for name in reversed(SEGMENT_FIELDS):
        least = context.box[Field("seg", name)][0]
        width = bits(name, context.box[Field("seg", name)])
        if width:
            value = f"({name})" if least >= 0 else f"(({name}) + {-least})"
            packed.append(f"{value} << {at}" if at else value)
            mask = (1 << width) - 1
            shifted = f"(s) - 1 >> {at}" if at else "(s) - 1"
            back = f"({shifted} & {mask})" if least >= 0 else f"(({shifted} & {mask}) - {-least})"
            unpacked.append(f"#define {name.upper()}(s) {back}")
            unsigned = f"unsigned {name} : {width};" if width > 1 else f"bit {name};"
            members.append(unsigned if least >= 0 else f"int {name};")
            at += width
    bits("segment", (0, (1 << at) - 1))
    kind = "byte" if at < 8 else "short" if at < 15 else "int"
    return [
        "/* A segment as one number, so that segments can be compared; 0 is none. */",
        f"#define SEGMENT({', '.join(segment_fields(context.model))}) \\",
        f"  (1 + ({' | '.join(reversed(packed)) or '0'}))",
        *reversed(unpacked),
        "",
        "typedef Segment {",
        *indented(reversed(members or ["bit seq;"]), 2),
        "};",
        "",
        f"#define CAPACITY {context.model.network.capacity}",
        "",
        "typedef Channel {",
        f"  {_counter(context)} length;",
        f"  {kind} segment[CAPACITY]; /* the next to arrive first; 0 where there is none */",
        "};",
    ]


def _counter(context: Context) -> str:
    return "byte" if context.model.network.capacity < 1 << 8 else "int"


def _tcbs(context: Context, *, was: bool) -> list[str]:
    """Return the type of a TCB whose fields are 0 at first, and where needed of either end's."""
    lines = _typedef(context, "TCB", {}) if was or not any(context.first) else []
    if any(context.first):
        lines += ["/* Either end, as it is at first: the first connection is established. */"]
        for name, first in zip(END_TYPES, context.first, strict=True):
            lines += _typedef(context, name, first)
    return lines


def _ends(context: Context) -> list[str]:
    """Return the declarations of the two ends."""
    if not any(context.first):
        return ["TCB a, b;"]
    return [f"{name} {end};" for name, end in zip(END_TYPES, "ab", strict=True)]


def _typedef(context: Context, name: str, first: Mapping[str, int]) -> list[str]:
    members = []
    for field in context.fields:
        width = bits(field, context.box[Field("tcb", field)])
        if field == "state":
            width = max(context.states).bit_length()
        word = context.words[Field("tcb", field)].removeprefix("me.")
        begins = f" = {first[field]}" if field in first else ""
        members.append(
            f"unsigned {word} : {width}{begins};" if width > 1 else f"bit {word}{begins};"
        )
    return [f"typedef {name} {{", *indented(members, 2), "};"]


def take(context: Context) -> list[str]:
    """Return the inline that takes a segment in."""
    network = context.model.network
    body = [
        f"seg.{name} = {name.upper()}(channel.segment[place]);"
        for name in SEGMENT_FIELDS
        if context.box[Field("seg", name)] != (0, 0)
    ]
    if network.order != "set" or not network.duplication:
        body.append("remove(channel, place);")
    return [
        "",
        "/* The segment at a place in a channel arrives. */",
        "inline take(channel, place) {",
        *indented([*body, "sent = 0;", "step = 0"], 2),
        "}",
    ]
