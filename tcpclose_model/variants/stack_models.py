"""The catalogue, fourth part: crashes, aborts and orphans, and the profiles of real stacks."""

from __future__ import annotations

from tcpclose_model.parts import Application, Network
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.variants.registry import (
    AS_ANY_LOSSY,
    ASSASSINATED,
    GIVES_UP,
    HALF_OPEN,
    LOSSLESS,
    NO_DATA,
    NO_TEXT,
    NO_TIME_WAIT,
    ONE_WAY,
    RESETS,
    STUCK,
    TIMELY,
    UNCLEAN,
    add_model,
    switched,
)
from tcpclose_model.variants.stacks import FREEBSD, LINUX, WINDOWS

A_CRASHES = Application(data_units=(0, 0), crashes=(True, False))
A_CRASHES_OR_ABORTS = Application(data_units=(0, 0), crashes=(True, False), aborts=(True, False))

add_model(
    "crash",
    "A's host may crash and forget the connection; an idle B is never told",
    "RFC 9293 3.5.1: half-open connections",
    timers=TIMELY,
    application=A_CRASHES,
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
    vacuous=NO_TEXT,
)
add_model(
    "keep_alive",
    "A may crash, or abort with a reset that is lost; B probes while it is idle, and finds out",
    "RFC 9293 3.8.4 MAY-5; SO_KEEPALIVE",
    switched("keep_alive"),
    timers=TIMELY,
    application=A_CRASHES_OR_ABORTS,
    violated=AS_ANY_LOSSY,
    vacuous=NO_TEXT,
)
add_model(
    "keep_alive_unanswered",
    "as keep_alive, but CLOSED answers nothing: a probe that nobody answers ends the wait",
    "RFC 9293 3.8.4; Linux TCP_KEEPCNT",
    switched("keep_alive", "silent_closed"),
    timers=GIVES_UP,
    application=A_CRASHES_OR_ABORTS,
    vacuous=NO_TEXT,
)
add_model(
    "linger_0",
    "every CLOSE of A aborts, as its user asked, and the reset may be lost",
    "SO_LINGER with a time of 0",
    switched("linger_0"),
    b=RFC9293,
    timers=TIMELY,
    application=Application(half_close=True, data_units=(1, 0)),
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "no_orphans",
    "every CLOSE of A resets, though its user never asked for it; nothing is lost on the way",
    "Linux tcp_max_orphans, tcp_check_oom",
    switched("no_orphans"),
    b=RFC9293,
    network=LOSSLESS,
    timers=TIMELY,
    application=Application(half_close=True, data_units=(1, 0)),
    violated=("no_silent_data_loss", *RESETS),
)
add_model(
    "linger_2",
    "an orphan resets its peer instead of waiting for its FIN",
    "Linux TCP_LINGER2 < 0",
    switched("linger_2"),
    timers=TIMELY,
    application=Application(half_close=True, data_units=(0, 1)),
    violated=AS_ANY_LOSSY,
)
add_model(
    "challenge_ack_limited",
    "as challenge_ack, and most challenges are withheld",
    "RFC 5961 7; Linux tcp_invalid_ratelimit, tcp_challenge_ack_limit",
    switched("challenge_ack", "ack_rate_limit"),
    network=Network(order="set"),
    timers=TIMELY,
    application=Application(data_units=(1, 0), aborts=(True, False)),
    violated=(*STUCK, *HALF_OPEN, *AS_ANY_LOSSY),
)
add_model(
    "reset_on_pending_receive",
    "a CLOSE while a RECEIVE waits resets the peer; nothing is lost on the way",
    "Windows 8: CAV 2016, section 4",
    switched("reset_on_pending_receive"),
    network=LOSSLESS,
    timers=TIMELY,
    application=Application(reading="lazy", data_units=(1, 0)),
    violated=(*NO_TEXT, *RESETS, *UNCLEAN),
)
add_model(
    "fin_wait_2_timeout_held",
    "A has only shut down sending, and FIN-WAIT-2 ends all the same while B's text is on its way",
    "Windows: KB 813056, KB 923200",
    switched("fin_wait_2_timeout_held"),
    timers=TIMELY,
    application=Application(half_close=True, closes="b_after_eof", data_units=(0, 1)),
    violated=(*RESETS, *UNCLEAN),
)


def _profile(name: str, title: str, source: str, protocol: Protocol, **options: object) -> None:
    """Add a model of a stack that talks to its like, gives up after R2 and sends one way."""
    parts: dict[str, object] = {"timers": GIVES_UP, "application": ONE_WAY, **options}
    add_model(name, title, source, protocol, **parts)  # type: ignore[arg-type]  # parts of a model


_profile(
    "linux",
    "Linux with its defaults: orphans are minisockets, and give up in silence",
    "Linux 6.18 net/ipv4, ip-sysctl",
    LINUX,
    violated=(*ASSASSINATED, *RESETS),
)
_profile(
    "linux_rfc1337",
    "Linux with tcp_rfc1337=1: TIME-WAIT cannot be assassinated",
    "Linux ip-sysctl tcp_rfc1337",
    switched("rfc1337", protocol=LINUX),
    application=NO_DATA,
    violated=RESETS,
    vacuous=NO_TEXT,
)
_profile(
    "linux_tw_buckets_0",
    "Linux with tcp_max_tw_buckets=0: an orphan is gone once its FIN is acknowledged",
    "Linux ip-sysctl tcp_max_tw_buckets",
    switched("no_fin_wait_2", "no_time_wait", protocol=LINUX),
    application=NO_DATA,
    violated=RESETS,
    vacuous=(*NO_TEXT, *NO_TIME_WAIT, "fin_acknowledged_only_if_received"),
)
_profile(
    "freebsd",
    "FreeBSD with its defaults: keep-alives everywhere but in FIN-WAIT-2, resets when it gives up",
    "FreeBSD 14 sys/netinet, tcp(4)",
    FREEBSD,
    network=Network(capacity=1),
    violated=(*RESETS, *UNCLEAN),
)
_profile(
    "windows",
    "Windows: CLOSED is silent, and CLOSE resets while a RECEIVE waits",
    "CAV 2016, section 4; KB 813056, KB 923200",
    WINDOWS,
    application=Application(reading="lazy", data_units=(1, 0)),
    violated=(*NO_TEXT, *RESETS, *UNCLEAN),
)
