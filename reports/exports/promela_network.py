"""The two channels in Promela: arrays of segments, each segment one number."""

from __future__ import annotations

from reports.exports.promela_words import indented
from tcpclose_model.parts import Network

REMOVE = """
/* Takes the segment at a place out of a channel. */
inline remove(channel, place) {
  i = place;
  do
  :: i + 1 < channel.length -> channel.segment[i] = channel.segment[i + 1]; i++
  :: else -> break
  od;
  channel.length--;
  channel.segment[channel.length] = 0
}
"""

LOSE = """
/* The network loses a segment on its way to me. */
inline lose(me, peer, to_me, to_peer, name, place) {
  d_step {
    FRESH(to_me, place) ->
    printf("a segment on its way to %c is lost\\n", name);
    remove(to_me, place);
    FORGET
  }
}
"""

DUPLICATE = """
/* The network copies a segment on its way to me; the copy stands behind it. */
inline duplicate(me, peer, to_me, to_peer, name, place) {
  d_step {
    FRESH(to_me, place) && {room} < CAPACITY ->
    printf("a segment on its way to %c is copied\\n", name);
    i = to_me.length;
    do
    :: i > place -> to_me.segment[i] = to_me.segment[i - 1]; i--
    :: else -> break
    od;
    to_me.length++;
    FORGET
  }
}
"""

AT_END = ["channel.segment[channel.length] = sent;", "channel.length++"]

SORTED_IN = [
    "i = channel.length;",
    "do",
    ":: i > 0 && channel.segment[i - 1] > sent -> channel.segment[i] = channel.segment[i - 1]; i--",
    ":: else -> break",
    "od;",
    "channel.segment[i] = sent;",
    "channel.length++",
]


def fresh(network: Network) -> list[str]:
    """Return the macro that says whether a place holds a segment that is not yet counted."""
    if network.order == "set":
        return [
            "/* There is a segment at this place. */",
            "#define FRESH(channel, place) (place < channel.length)",
        ]
    return [
        "/* There is a segment at this place, and not the same one before it: equal neighbours",
        " * count once. */",
        "#define FRESH(channel, place) (place < channel.length \\",
        "  && (place == 0 || channel.segment[place] != channel.segment[place - (place > 0)]))",
    ]


def network_lines(network: Network) -> list[str]:
    """Return the inlines of the channels."""
    lines = ["", *fresh(network)]
    if network.order == "set":
        held = " || ".join(f"channel.segment[{i}] == (s)" for i in range(network.capacity))
        lines += ["", "/* Such a segment is in flight. */", f"#define HOLDS(channel, s) ({held})"]
    lines += ["", *_push(network), *REMOVE.splitlines()]
    if network.loss:
        lines += LOSE.splitlines()
    if network.duplication and network.order != "set":
        room = "to_me.length" if network.loss else "to_me.length + to_peer.length"
        lines += DUPLICATE.replace("{room}", room).splitlines()
    return lines


def _push(network: Network) -> list[str]:
    """Return the inline that sends `sent`."""
    body = AT_END if network.order == "fifo" else SORTED_IN
    full = ":: else /* a full channel loses it */"
    if not network.loss:
        full = ":: else -> assert(false) /* whatever sends has waited for room */"
    lines = ["if"]
    if network.order == "set":
        lines.append(":: HOLDS(channel, sent) /* equal segments in flight are one */")
        lines.append(":: !HOLDS(channel, sent) && channel.length < CAPACITY ->")
    else:
        lines.append(":: channel.length < CAPACITY ->")
    lines += [*indented(body, 3), full, "fi"]
    words = {
        "fifo": "Puts `sent` at the end of a channel.",
        "any": "Puts `sent` into a channel; the order there says nothing, so it is the sorted one.",
        "set": "Puts `sent` into a channel, unless it is there; the order there is the sorted one.",
    }
    return [f"/* {words[network.order]} */", "inline push(channel) {", *indented(lines, 2), "}"]
