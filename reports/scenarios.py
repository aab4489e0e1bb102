"""Scenarios: the standard's named runs, each a ladder over a model of the catalogue.

Each shows one thing that happens while a connection closes.  The format is that of `ladder`: text
goes in two steps, SEND puts it into the queue and TRANSMIT sends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.replay import parse_ladder
from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Model
from tcpclose_model.run import Run
from tcpclose_model.variants.catalogue import model_named


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named run: what happens, of which model it is a run, and where it comes from."""

    name: str
    title: str
    model: Model
    ladder: str
    source: str

    def run(self) -> Run:
        """Return the run, each line checked against the model; a TraceError says what is wrong."""
        return parse_ladder(self.ladder, self.model, where=self.name)


SCENARIOS: dict[str, Scenario] = {}


def scenario_named(name: str) -> Scenario:
    """Return the scenario of that name; a ModelError names the nearest ones."""
    if name not in SCENARIOS:
        raise ModelError(f"no scenario {name!r}{nearest(name, SCENARIOS)}")
    return SCENARIOS[name]


def _scenario(name: str, title: str, source: str, model: str, ladder: str) -> None:
    SCENARIOS[name] = Scenario(name, title, model_named(model), ladder.lstrip("\n"), source)


_scenario(
    "normal_close",
    "A closes, B closes after it: four segments",
    "RFC 9293 3.6, Figure 12; Kozierok, The TCP/IP Guide, Table 154",
    "table_154",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "simultaneous_close",
    "both users close at the same time",
    "RFC 9293 3.6, Figure 13",
    "table_154",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
B CLOSE
CLOSING       <------------------- FIN --   FIN_WAIT_1
CLOSING       -- FIN ------------------->   CLOSING
TIME_WAIT     <------------ ACK of FIN --   CLOSING
TIME_WAIT     -- ACK of FIN ------------>   TIME_WAIT
A 2MSL
B 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "three_segment_close",
    "B closes before its ACK has gone out: the ACK rides on its FIN",
    "RFC 9293 3.10.7.4 eighth: our FIN has been ACKed, perhaps in this segment",
    "delayed_ack",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "half_close",
    "A shuts its sending side down, reads on, and closes later",
    "RFC 9293 3.6: CLOSE means that I have no more data to send; 3.6.1",
    "half_close",
    """
ESTABLISHED                                 ESTABLISHED
A SHUTDOWN
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B SEND
B TRANSMIT
FIN_WAIT_2    <---- DATA 1, ACK of FIN --   CLOSE_WAIT
FIN_WAIT_2    -- ACK of DATA 1 --------->   CLOSE_WAIT
A CLOSE
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "fin_with_data",
    "the FIN rides on the last unit of text",
    "RFC 9293 3.7, 3.10.7.4 seventh and eighth",
    "fin_with_text",
    """
ESTABLISHED                                 ESTABLISHED
A SEND
A CLOSE
A TRANSMIT WITH FIN
FIN_WAIT_1    -- DATA 1 + FIN ---------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "lost_first_fin",
    "A's FIN is lost once",
    "RFC 9293 3.8.1, 3.10.8",
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN -------------------x   ESTABLISHED
A RETRANSMISSION TIMEOUT
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "lost_ack_of_fin",
    "the ACK of A's FIN is lost: CLOSE-WAIT acknowledges the FIN again",
    "RFC 9293 3.10.7.4 first",
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_1    x------------ ACK of FIN --   CLOSE_WAIT
A RETRANSMISSION TIMEOUT
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "lost_last_ack",
    "the ACK of B's FIN is lost: TIME-WAIT acknowledges the FIN again",
    "RFC 9293 3.10.7.4 fifth; what TIME-WAIT does for the peer",
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------x   LAST_ACK
B RETRANSMISSION TIMEOUT
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "both_acks_lost",
    "both ACKs of FINs are lost once; B's FIN makes up for the first",
    "RFC 9293 3.10.7.4 eighth, fifth",
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_1    x------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------x   LAST_ACK
B RETRANSMISSION TIMEOUT
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "retransmitted_fin_in_time_wait",
    "B's FIN comes twice; the second ACK arrives where nobody is left",
    "RFC 9293 3.10.7.4 fifth, 3.10.7.1",
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
B RETRANSMISSION TIMEOUT
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED        -- ACK of FIN ------------>   CLOSED
CLOSED        <------------------- RST --   CLOSED
CLOSED                                      CLOSED
""",
)

_scenario(
    "abort",
    "A's user aborts",
    "RFC 9293 3.10.5",
    "abort",
    """
ESTABLISHED                                 ESTABLISHED
A ABORT
CLOSED        -- RST ------------------->   CLOSED
CLOSED                                      CLOSED
""",
)

_scenario(
    "reset_in_last_ack",
    "the last ACK is lost and 2MSL is over: a reset ends LAST-ACK",
    "RFC 9293 3.10.7.1, 3.5.3",
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------x   LAST_ACK
A 2MSL
B RETRANSMISSION TIMEOUT
CLOSED        <------- FIN, ACK of FIN --   LAST_ACK
CLOSED        -- RST ------------------->   CLOSED
CLOSED                                      CLOSED
""",
)

_scenario(
    "time_wait_assassination",
    "a needless retransmission of B's FIN ends A's TIME-WAIT by a reset",
    "RFC 1337, Figure 1",
    "needless_retransmission",
    """
ESTABLISHED                                 ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
B RETRANSMISSION TIMEOUT
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
CLOSED        <------------------- RST --   CLOSED
CLOSED                                      CLOSED
""",
)

_scenario(
    "delayed_ack_close",
    "text and FIN are acknowledged together, once the delayed-ACK timer ends",
    "RFC 9293 3.8.6.3",
    "delayed_ack",
    """
ESTABLISHED                                 ESTABLISHED
A SEND
A TRANSMIT
ESTABLISHED   -- DATA 1 ---------------->   ESTABLISHED
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
B DELAYED ACK TIMEOUT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "fin_behind_text",
    "the FIN waits behind text, unsent, in FIN-WAIT-1",
    'RFC 9293 3.10.4: "in any case, enter FIN-WAIT-1"',
    "rfc9293",
    """
ESTABLISHED                                 ESTABLISHED
A SEND
A CLOSE
A TRANSMIT
FIN_WAIT_1    -- DATA 1 ---------------->   ESTABLISHED
FIN_WAIT_1    <--------- ACK of DATA 1 --   ESTABLISHED
A TRANSMIT
FIN_WAIT_1    -- FIN ------------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)

_scenario(
    "out_of_order_fin",
    "the FIN overtakes the text before it, and is held",
    "RFC 9293 3.10.7.4 first, SHLD-31",
    "reordering_with_data",
    """
ESTABLISHED                                 ESTABLISHED
A SEND
A TRANSMIT
A CLOSE
FIN_WAIT_1    -- FIN ------------------->   ESTABLISHED
FIN_WAIT_1    -- DATA 1 ---------------->   CLOSE_WAIT
FIN_WAIT_2    <------------ ACK of FIN --   CLOSE_WAIT
FIN_WAIT_2    <------------------- ACK --   CLOSE_WAIT
B CLOSE
TIME_WAIT     <------- FIN, ACK of FIN --   LAST_ACK
TIME_WAIT     -- ACK of FIN ------------>   CLOSED
A 2MSL
CLOSED                                      CLOSED
""",
)
