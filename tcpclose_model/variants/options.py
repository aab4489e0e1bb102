"""The catalogue, second part: options of the standard, and what real stacks do beyond it."""

from __future__ import annotations

from tcpclose_model.parts import Application, Timers
from tcpclose_model.variants.registry import (
    AS_ANY_LOSSY,
    ASSASSINATED,
    GIVES_UP,
    HALF_OPEN,
    LIVENESS,
    LOSSLESS,
    NO_TEXT,
    NO_TIME_WAIT,
    ONE_WAY,
    RESETS,
    STUCK,
    TIMELY,
    UNCLEAN,
    UNTOLD,
    add_model,
    switched,
)

add_model(
    "fin_with_text",
    "a FIN may ride on the segment of the last unit of text",
    "RFC 9293 3.7; what stacks do",
    switched("fin_with_text"),
    application=ONE_WAY,
    violated=AS_ANY_LOSSY,
)
add_model(
    "delayed_ack",
    "ACKs wait for something to ride on; a close of three segments is normal",
    "RFC 9293 3.8.6.3",
    switched("delayed_ack"),
    timers=TIMELY,
    violated=AS_ANY_LOSSY,
)
add_model(
    "challenge_ack",
    "only an exact RST resets",
    "RFC 5961 3.2",
    switched("challenge_ack"),
    application=Application(data_units=(1, 0), aborts=(True, False)),
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "rfc1337",
    "TIME-WAIT ignores resets",
    "RFC 1337 F1; Linux tcp_rfc1337=1",
    switched("rfc1337"),
    application=ONE_WAY,
    violated=(*RESETS, *UNCLEAN),
)
add_model(
    "half_close",
    "users shut the sending side down first, and may read on",
    "RFC 9293 3.6.1",
    timers=TIMELY,
    application=Application(half_close=True, data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
add_model(
    "no_time_wait",
    "TIME-WAIT is skipped; a reset from CLOSED rescues the peer in LAST-ACK",
    "Linux tcp_max_tw_buckets=0; FreeBSD nolocaltimewait",
    switched("no_time_wait"),
    application=ONE_WAY,
    violated=(*RESETS, *UNCLEAN),
    vacuous=NO_TIME_WAIT,
)
add_model(
    "no_time_wait_lossless",
    "TIME-WAIT is skipped where nothing is lost: it is not missed",
    "as no_time_wait",
    switched("no_time_wait"),
    network=LOSSLESS,
    timers=TIMELY,
    vacuous=(*NO_TIME_WAIT, *UNTOLD),
)
add_model(
    "no_time_wait_silent_closed",
    "TIME-WAIT is skipped and CLOSED answers nothing: here TIME-WAIT is needed",
    "as no_time_wait, with FreeBSD tcp(4) blackhole",
    switched("no_time_wait", "silent_closed"),
    application=ONE_WAY,
    violated=(*LIVENESS, *HALF_OPEN, *UNCLEAN),
    vacuous=(*NO_TIME_WAIT, *UNTOLD),
)
add_model(
    "silent_closed",
    "CLOSED answers nothing",
    "FreeBSD tcp(4) blackhole; Windows stealth mode",
    switched("silent_closed"),
    application=ONE_WAY,
    violated=(*LIVENESS, *HALF_OPEN, *UNCLEAN),
    vacuous=UNTOLD,
)
add_model(
    "silent_closed_ideal_time_wait",
    "CLOSED answers nothing, and TIME-WAIT knows when it is needed",
    "not implementable",
    switched("silent_closed"),
    timers=Timers(time_wait="ideal"),
    application=ONE_WAY,
    vacuous=UNTOLD,
)
add_model(
    "user_timeout",
    "R2 is finite: an end gives up without a word; its peer waits in FIN-WAIT-2 for ever",
    "RFC 9293 3.8.3, 3.10.8",
    timers=GIVES_UP,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "user_timeout_resets",
    "R2 is finite, and an end that gives up sends a reset; that may be lost too",
    "Linux tcp_max_orphans, tcp_out_of_resources",
    switched("user_timeout_resets"),
    timers=GIVES_UP,
    application=ONE_WAY,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "user_timeout_silent_reset",
    "R2 is finite, and a reset in LAST-ACK or CLOSING is not told",
    "RFC 9293 3.10.7.4 second, read without 3.5.3",
    switched("silent_reset"),
    timers=GIVES_UP,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY, "no_silent_data_loss", *UNTOLD),
)
add_model(
    "user_timeout_fin_wait_2_timeout",
    "R2 is finite and FIN-WAIT-2 ends by a timeout: what real stacks do",
    "Linux tcp_fin_timeout, tcp_orphan_retries",
    switched("fin_wait_2_timeout"),
    timers=GIVES_UP,
    violated=(*ASSASSINATED, *RESETS),
)
add_model(
    "silent_closed_with_timeouts",
    "CLOSED answers nothing, but R2 and the FIN-WAIT-2 timeout make up for it",
    "as silent_closed and user_timeout_fin_wait_2_timeout",
    switched("fin_wait_2_timeout", "silent_closed"),
    timers=GIVES_UP,
    vacuous=UNTOLD,
)
add_model(
    "close_wait_leak",
    "B's user never closes",
    "the application's fault, seen as CLOSE-WAIT sockets that pile up",
    application=Application(closes="b_never"),
    violated=(*STUCK, *UNCLEAN),
    vacuous=(*HALF_OPEN, *NO_TEXT, *UNTOLD, *NO_TIME_WAIT),
)
add_model(
    "orphan_fin_wait_2",
    "B's user never closes, and A gives up in FIN-WAIT-2",
    "Linux tcp_fin_timeout; This is strictly a violation, Cloudflare 2016",
    switched("fin_wait_2_timeout"),
    application=Application(closes="b_never"),
    violated=(*STUCK, *HALF_OPEN, *RESETS, *UNCLEAN),
    vacuous=("no_acknowledged_data_unread", *NO_TIME_WAIT),
)
add_model(
    "fin_wait_2_timeout",
    "A gives up in FIN-WAIT-2 while B still has data; the reset tells B",
    "Linux tcp_fin_timeout",
    switched("fin_wait_2_timeout"),
    application=Application(closes="b_after_eof", data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
add_model(
    "silent_reset",
    "as fin_wait_2_timeout, but B in LAST-ACK is not told of the reset: data is lost in silence",
    "RFC 9293 3.10.7.4 second, read without 3.5.3",
    switched("fin_wait_2_timeout", "silent_reset"),
    application=Application(closes="b_after_eof", data_units=(0, 1)),
    violated=("no_silent_data_loss", "no_acknowledged_data_unread", *UNTOLD, *AS_ANY_LOSSY),
)
add_model(
    "abort",
    "A's user may abort (linger 0), and the reset may be lost",
    "RFC 9293 3.5.1: half-open connections; SO_LINGER with a time of 0",
    application=Application(data_units=(0, 0), aborts=(True, False)),
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
    vacuous=NO_TEXT,
)
add_model(
    "half_duplex_close",
    "text that arrives after CLOSE is answered with a reset, to show that it was lost",
    "RFC 9293 3.6.1 MAY-1, SHLD-3; Linux",
    switched("half_duplex_close"),
    timers=TIMELY,
    application=Application(half_close=True, data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
add_model(
    "half_duplex_close_both_ways",
    "the same with text both ways: an end that resets its peer loses its own text in silence",
    "as half_duplex_close",
    switched("half_duplex_close"),
    timers=TIMELY,
    violated=(*NO_TEXT, *AS_ANY_LOSSY),
)
add_model(
    "reset_on_unread_lossless",
    "CLOSE with text unread resets the peer; nothing is lost on the way",
    "RFC 9293 3.6.1 SHLD-3; RFC 2525 2.17; Linux",
    switched("reset_on_unread"),
    network=LOSSLESS,
    timers=TIMELY,
    application=Application(reading="lazy", data_units=(1, 0)),
    violated=("no_acknowledged_data_unread", *RESETS),
)
add_model(
    "reset_on_unread",
    "CLOSE with text unread resets the peer, and the reset may be lost",
    "RFC 9293 3.6.1 SHLD-3; RFC 2525 2.17; Linux",
    switched("reset_on_unread"),
    timers=TIMELY,
    application=Application(reading="lazy", data_units=(1, 1)),
    violated=(*STUCK, *HALF_OPEN, *NO_TEXT, *AS_ANY_LOSSY),
)
add_model(
    "no_fin_wait_2",
    "FIN-WAIT-2 is skipped once the user is gone",
    "Linux TCP_LINGER2 = -1",
    switched("no_fin_wait_2"),
    timers=TIMELY,
    application=Application(half_close=True, data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
add_model(
    "fin_with_unread_text",
    "a user closes with text unread, and the close is clean all the same",
    "FreeBSD; RFC 2525 2.17",
    timers=TIMELY,
    application=Application(reading="lazy", data_units=(1, 0)),
    violated=("no_acknowledged_data_unread", *AS_ANY_LOSSY),
)
