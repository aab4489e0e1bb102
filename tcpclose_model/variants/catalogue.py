"""The catalogue: named models, each with its source and the verdicts that it expects.

An expectation is for exactly the model's parameters.  "*" stands for every property that is not
named.  Where a verdict differs from what earlier work reports, `docs/verdicts.md` says why.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpclose_model.errors import ModelError, nearest
from tcpclose_model.model import Application, Bounds, Model, Network, Timers
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants import mutants
from tcpclose_model.variants.switches import SWITCHES

LOSSLESS = Network(loss=False)
REORDERING = Network(loss=False, order="any")
WILD = Network(order="any", duplication=True)
NO_RETRANSMISSION = Timers(retransmission="none")
TIMELY = Timers(retransmission="timely")
TIMELY_IDEAL = Timers(retransmission="timely", time_wait="ideal")
GIVES_UP = Timers(retransmission="timely", user_timeout=True)
DRAINED = Timers(retransmission="none", time_wait="drained")
NO_DATA = Application(data_units=(0, 0))
ONE_WAY = Application(data_units=(1, 0))

ASSASSINATED = ("time_wait_ends_only_by_its_timer",)
RESETS = ("no_reset_in_an_orderly_close",)
UNCLEAN = ("a_clean_completion_stays_possible",)
AS_ANY_LOSSY = (*ASSASSINATED, *RESETS, *UNCLEAN)
NO_TEXT = ("no_silent_data_loss", "no_acknowledged_data_unread")
NO_TIME_WAIT = ("time_wait_only_after_active_close", "time_wait_ends_only_by_its_timer")
UNTOLD = ("no_reset_goes_untold",)
LIVENESS = ("both_eventually_closed", "both_can_always_close")
HALF_OPEN = ("no_half_open_end",)
STUCK = ("no_deadlock", *LIVENESS)

MODELS: dict[str, Model] = {}


def switched(*names: str, protocol: Protocol = RFC9293) -> Protocol:
    """Return the protocol with the named switches on."""
    for name in names:
        protocol = SWITCHES[name].on(protocol)
    return protocol


def _model(
    name: str,
    title: str,
    source: str,
    protocol: Protocol = RFC9293,
    *,
    network: Network | None = None,
    timers: Timers | None = None,
    application: Application | None = None,
    bounds: Bounds | None = None,
    violated: Iterable[str] = (),
    vacuous: Iterable[str] = (),
) -> Model:
    """Add a model to the catalogue; every property that is not named is expected to hold."""
    expect = {"*": "holds"}
    expect |= dict.fromkeys(vacuous, "vacuous") | dict.fromkeys(violated, "violated")
    model = Model(
        a=protocol,
        b=protocol,
        network=network or Network(),
        timers=timers or Timers(),
        application=application or Application(),
        bounds=bounds or Bounds(),
        expect=expect,
        name=name,
        title=title,
        source=source,
    )
    MODELS[name] = model
    return model


def model_named(name: str) -> Model:
    """Return the model of that name; a ModelError names the nearest ones."""
    if name not in MODELS:
        raise ModelError(f"no model {name!r}{nearest(name, MODELS)}")
    return MODELS[name]


# The standard ---------------------------------------------------------------------------------

_model(
    "rfc9293",
    "RFC 9293 as it is meant: a lossy FIFO network, needless retransmissions, one unit each way",
    "RFC 9293",
    violated=AS_ANY_LOSSY,
)
_model(
    "rfc9293_literal",
    "every sentence of RFC 9293 as written: the first step drops ACK fields, TIME-WAIT answers ACKs",
    "RFC 9293 3.10.7.4; its Appendix A.2; draft-gont-tcpm-tcp-seq-validation",
    switched("literal_ack", "literal_2msl", "time_wait_answers_ack"),
    timers=TIMELY,
    violated=(*LIVENESS, "no_endless_chatter", *AS_ANY_LOSSY),
)
_model(
    "table_154",
    "the textbook close: nothing is lost, nothing is sent twice, no data",
    "Kozierok, The TCP/IP Guide, Table 154; RFC 9293 Figures 12 and 13",
    network=LOSSLESS,
    timers=NO_RETRANSMISSION,
    application=NO_DATA,
    vacuous=(*NO_TEXT, *UNTOLD),
)
_model(
    "needless_retransmission",
    "nothing is lost, but the retransmission timer is too short",
    "RFC 1337: TIME-WAIT assassination needs no loss",
    network=LOSSLESS,
    violated=(*ASSASSINATED, *RESETS),
    vacuous=UNTOLD,
)
_model(
    "no_retransmission",
    "a lossy network and no retransmission timer",
    "RFC 9293 3.8.1 left out",
    timers=NO_RETRANSMISSION,
    violated=(*STUCK, *HALF_OPEN, *UNCLEAN),
    vacuous=UNTOLD,
)
_model(
    "ideal_time_wait",
    "the cleanest lossy network: timely retransmission, a TIME-WAIT that knows when it is needed",
    "not implementable; separates what TIME-WAIT could do from what 2MSL does",
    timers=TIMELY_IDEAL,
    violated=(*ASSASSINATED, *RESETS),
    vacuous=UNTOLD,
)
_model(
    "reordering",
    "nothing is lost or sent twice, but segments overtake each other",
    "RFC 9293 3.4",
    network=REORDERING,
    timers=DRAINED,
    application=NO_DATA,
    violated=AS_ANY_LOSSY,
    vacuous=(*NO_TEXT, *UNTOLD),
)
_model(
    "reordering_with_data",
    "segments overtake each other, text among them: it is held until the hole is filled",
    "RFC 9293 3.10.7.4 SHLD-31",
    network=REORDERING,
    timers=DRAINED,
    violated=AS_ANY_LOSSY,
    vacuous=UNTOLD,
)
_model(
    "wild_network",
    "segments are lost, duplicated and overtake each other",
    "RFC 9293 3.4: what IP may do",
    network=WILD,
    application=NO_DATA,
    violated=AS_ANY_LOSSY,
    vacuous=NO_TEXT,
)
_model(
    "wild_network_ideal_time_wait",
    "the wild network with a TIME-WAIT that knows when it is needed",
    "not implementable",
    network=WILD,
    timers=Timers(time_wait="ideal"),
    application=NO_DATA,
    violated=(*ASSASSINATED, *RESETS),
    vacuous=(*NO_TEXT, *UNTOLD),
)

# Options of the standard, and what real stacks do ---------------------------------------------

_model(
    "delayed_ack",
    "ACKs wait for something to ride on; a close of three segments is normal",
    "RFC 9293 3.8.6.3",
    switched("delayed_ack"),
    timers=TIMELY,
    violated=AS_ANY_LOSSY,
)
_model(
    "challenge_ack",
    "only an exact RST resets",
    "RFC 5961 3.2",
    switched("challenge_ack"),
    application=ONE_WAY,
    violated=AS_ANY_LOSSY,
)
_model(
    "rfc1337",
    "TIME-WAIT ignores resets",
    "RFC 1337 F1; Linux tcp_rfc1337=1",
    switched("rfc1337"),
    application=ONE_WAY,
    violated=(*RESETS, *UNCLEAN),
)
_model(
    "half_close",
    "users shut the sending side down first, and may read on",
    "RFC 9293 3.6.1",
    timers=TIMELY,
    application=Application(half_close=True, data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
_model(
    "no_time_wait",
    "TIME-WAIT is skipped; a reset from CLOSED rescues the peer in LAST-ACK",
    "Linux tcp_max_tw_buckets=0; FreeBSD nolocaltimewait",
    switched("no_time_wait"),
    application=ONE_WAY,
    violated=(*RESETS, *UNCLEAN),
    vacuous=NO_TIME_WAIT,
)
_model(
    "no_time_wait_lossless",
    "TIME-WAIT is skipped where nothing is lost: it is not missed",
    "as no_time_wait",
    switched("no_time_wait"),
    network=LOSSLESS,
    timers=TIMELY,
    vacuous=(*NO_TIME_WAIT, *UNTOLD),
)
_model(
    "no_time_wait_silent_closed",
    "TIME-WAIT is skipped and CLOSED answers nothing: here TIME-WAIT is needed",
    "as no_time_wait, with FreeBSD tcp(4) blackhole",
    switched("no_time_wait", "silent_closed"),
    application=ONE_WAY,
    violated=(*LIVENESS, *HALF_OPEN, *UNCLEAN),
    vacuous=(*NO_TIME_WAIT, *UNTOLD),
)
_model(
    "silent_closed",
    "CLOSED answers nothing",
    "FreeBSD tcp(4) blackhole; Windows stealth mode",
    switched("silent_closed"),
    application=ONE_WAY,
    violated=(*LIVENESS, *HALF_OPEN, *UNCLEAN),
    vacuous=UNTOLD,
)
_model(
    "silent_closed_ideal_time_wait",
    "CLOSED answers nothing, and TIME-WAIT knows when it is needed",
    "not implementable",
    switched("silent_closed"),
    timers=Timers(time_wait="ideal"),
    application=ONE_WAY,
    vacuous=UNTOLD,
)
_model(
    "user_timeout",
    "R2 is finite: an end gives up without a word; its peer waits in FIN-WAIT-2 for ever",
    "RFC 9293 3.8.3, 3.10.8",
    timers=GIVES_UP,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
_model(
    "user_timeout_silent_reset",
    "R2 is finite, and a reset in LAST-ACK or CLOSING is not told",
    "RFC 9293 3.10.7.4 second, read without 3.5.3",
    switched("silent_reset"),
    timers=GIVES_UP,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY, "no_silent_data_loss", *UNTOLD),
)
_model(
    "user_timeout_fin_wait_2_timeout",
    "R2 is finite and FIN-WAIT-2 ends by a timeout: what real stacks do",
    "Linux tcp_fin_timeout, tcp_orphan_retries",
    switched("fin_wait_2_timeout"),
    timers=GIVES_UP,
    violated=(*ASSASSINATED, *RESETS),
)
_model(
    "silent_closed_with_timeouts",
    "CLOSED answers nothing, but R2 and the FIN-WAIT-2 timeout make up for it",
    "as silent_closed and user_timeout_fin_wait_2_timeout",
    switched("fin_wait_2_timeout", "silent_closed"),
    timers=GIVES_UP,
    vacuous=UNTOLD,
)
_model(
    "close_wait_leak",
    "B's user never closes",
    "the application's fault, seen as CLOSE-WAIT sockets that pile up",
    application=Application(closes="b_never"),
    violated=(*STUCK, *UNCLEAN),
    vacuous=(*HALF_OPEN, *NO_TEXT, *UNTOLD, *NO_TIME_WAIT),
)
_model(
    "orphan_fin_wait_2",
    "B's user never closes, and A gives up in FIN-WAIT-2",
    "Linux tcp_fin_timeout; This is strictly a violation, Cloudflare 2016",
    switched("fin_wait_2_timeout"),
    application=Application(closes="b_never"),
    violated=(*STUCK, *HALF_OPEN, *RESETS, *UNCLEAN),
    vacuous=("no_acknowledged_data_unread", *NO_TIME_WAIT),
)
_model(
    "fin_wait_2_timeout",
    "A gives up in FIN-WAIT-2 while B still has data; the reset tells B",
    "Linux tcp_fin_timeout",
    switched("fin_wait_2_timeout"),
    application=Application(closes="b_after_eof", data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
_model(
    "silent_reset",
    "as fin_wait_2_timeout, but B in LAST-ACK is not told of the reset: data is lost in silence",
    "RFC 9293 3.10.7.4 second, read without 3.5.3",
    switched("fin_wait_2_timeout", "silent_reset"),
    application=Application(closes="b_after_eof", data_units=(0, 1)),
    violated=("no_silent_data_loss", "no_acknowledged_data_unread", *UNTOLD, *AS_ANY_LOSSY),
)
_model(
    "abort",
    "A's user may abort (linger 0), and the reset may be lost",
    "RFC 9293 3.5.1: half-open connections; SO_LINGER with a time of 0",
    application=Application(data_units=(0, 0), aborts=(True, False)),
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
    vacuous=NO_TEXT,
)
_model(
    "fin_with_unread_text",
    "a user closes with text unread, and the close is clean all the same",
    "FreeBSD; RFC 2525 2.17",
    timers=TIMELY,
    application=Application(reading="lazy", data_units=(1, 0)),
    violated=("no_acknowledged_data_unread", *AS_ANY_LOSSY),
)

# Mutants and the bugs of real stacks ----------------------------------------------------------

_model(
    "zephyr_46350",
    "a lost FIN is never sent again",
    "Zephyr issue 46350; tricep issue 27",
    mutants.fin_not_retransmitted,
    timers=TIMELY,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
_model(
    "demikernel_1537",
    "CLOSING retransmits without the FIN bit",
    "demikernel issue 1537; smoltcp issues 398 and 279",
    mutants.closing_forgets_fin,
    timers=TIMELY,
    violated=(*LIVENESS, *AS_ANY_LOSSY),
)
_model(
    "zephyr_46407",
    "TIME-WAIT does not acknowledge a retransmitted FIN; the reset from CLOSED masks it",
    "Zephyr issue 46407",
    mutants.time_wait_is_mute,
    timers=TIMELY,
    violated=AS_ANY_LOSSY,
)
_model(
    "zephyr_46407_unmasked",
    "the same with an ideal TIME-WAIT, where nothing masks it",
    "Zephyr issue 46407",
    mutants.time_wait_is_mute,
    timers=TIMELY_IDEAL,
    violated=(*LIVENESS, *AS_ANY_LOSSY),
    vacuous=UNTOLD,
)
_model(
    "linux_5_10_old_ack_fin",
    "a FIN whose ACK field is old is dropped: reordering alone stops the close",
    "Linux 5.10.112",
    mutants.old_ack_drops_fin,
    network=REORDERING,
    timers=DRAINED,
    application=NO_DATA,
    violated=(*STUCK, *AS_ANY_LOSSY),
    vacuous=(*NO_TEXT, *UNTOLD),
)
_model(
    "linux_5_10_old_ack_fin_masked",
    "the same where retransmission masks it",
    "Linux 5.10.112",
    mutants.old_ack_drops_fin,
    timers=TIMELY,
    violated=AS_ANY_LOSSY,
)
_model(
    "smoltcp_470",
    "any ACK is taken for the ACK of our FIN",
    "smoltcp issue 470",
    mutants.any_ack_will_do,
    timers=TIMELY,
    violated=(*STUCK, *HALF_OPEN, "no_silent_data_loss", *AS_ANY_LOSSY),
)
_model(
    "freertos_1303",
    "a FIN in FIN-WAIT-1 or FIN-WAIT-2 leads to the passive side's states",
    "FreeRTOS-Plus-TCP issue 1303",
    mutants.fin_leads_astray,
    network=LOSSLESS,
    timers=NO_RETRANSMISSION,
    application=NO_DATA,
    violated=(*STUCK, *HALF_OPEN, *UNCLEAN),
    vacuous=(*NO_TEXT, *UNTOLD, *NO_TIME_WAIT),
)
_model(
    "smoltcp_112",
    "a FIN is taken although text before it is missing",
    "smoltcp issue 112",
    mutants.fin_over_a_hole,
    timers=TIMELY,
    violated=("no_silent_data_loss", "no_acknowledged_data_unread", *AS_ANY_LOSSY),
)
_model(
    "picotcp_10",
    "LAST-ACK does not retransmit",
    "picotcp issue 10",
    mutants.last_ack_has_no_timer,
    timers=TIMELY,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
_model(
    "ack_everything_seen",
    "a FIN behind a hole is acknowledged as if all had arrived",
    "against RFC 9293 3.4",
    mutants.ack_everything_seen,
    timers=TIMELY,
    violated=(
        *STUCK,
        *HALF_OPEN,
        "no_silent_data_loss",
        "fin_acknowledged_only_if_received",
        *AS_ANY_LOSSY,
    ),
)
_model(
    "time_wait_for_everyone",
    "the passive closer waits in TIME-WAIT too",
    "against RFC 9293 Figure 5",
    mutants.time_wait_for_everyone,
    timers=TIMELY,
    violated=("time_wait_only_after_active_close", *AS_ANY_LOSSY),
)
