"""What stands in every TLA+ module, whatever the model."""

import re

OWN_NAMES = re.findall(
    r"\w+",
    """
Capacity DataUnitsOfA DataUnitsOfB RetransmissionsMax WatchSteps tcb inbound last vars Ends
Peer DataUnits RCV_WND NewTCB Deleted Settled Nothing Segment ACK TEXT FIN TEXT_AND_FIN RST wnd0
SYN syn ts inc FirstTCB
Empty Size NothingInFlight Pushed Places Without Doubled NoStep Noted Becomes Does Network Arrival
Arrives IsCutOff SEGMENT_ARRIVES SEGMENT_IS_LOST SEGMENT_IS_DUPLICATED Init Step Next Spec OUTPUT
HeadLeaves Leaves Segments SentTo ReceivedBy SentAgain Fairness FairSpec BitAnd BitOr
""",
)
"""What the module itself calls things."""

BITS = {
    "BitAnd": "a * b = 1",
    "BitOr": "a + b > 0",
}
BITWISE = """\
RECURSIVE {name}(_, _)
{name}(m, n) == IF m = 0 /\\ n = 0 THEN 0 ELSE
    LET a == m % 2  b == n % 2 IN (IF {bit} THEN 1 ELSE 0) + 2 * {name}(m \\div 2, n \\div 2)"""

SEGMENTS = """\
Segment(seq, ack, text, fin, rst{more}) ==
    [seq |-> seq, ack |-> ack, text |-> text, fin |-> fin, rst |-> rst{fields}]
{makers}
\\* What is sent is a sequence of at most one segment.
Nothing == <<>>"""

BECOMES = """\
\\* last: the step just taken, where WatchSteps; `turn` tells a step that changes nothing else
\\* from no step.
NoStep == [end |-> "", event |-> "", segment |-> Nothing, sent |-> Nothing, turn |-> 0]
Noted(me, event, segment, sent) == last' = IF WatchSteps
    THEN [end |-> me, event |-> event, segment |-> segment, sent |-> sent, turn |-> 1 - last.turn]
    ELSE last

\\* End `me` becomes t and sends `sent`; `left` is what is left of the channel to it.
Becomes(me, event, segment, left, t, sent) ==
    /\\ tcb' = [tcb EXCEPT ![me] = Settled(t)]
    /\\ inbound' = [inbound EXCEPT ![me] = left, ![Peer(me)] = Pushed(@, sent)]
    /\\ Noted(me, event, segment, sent)
\\* The same where no segment has arrived.
Does(me, event, t, sent) == Becomes(me, event, Nothing, inbound[me], t, sent)"""

ARRIVAL = """\
\\* A segment under way through the steps: x.over once it is dropped or the TCB is deleted.
\\* At most one segment is sent in answer, the last of several.
Arrival(me, segment) ==
    [me |-> me, tcb |-> tcb[me], segment |-> segment, sent |-> Nothing, over |-> FALSE]"""
