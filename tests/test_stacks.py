"""What real stacks do: crashes and keep-alives, resets and orphans, and the three profiles.

What is said of Linux was measured on Linux 6.18 or stands in its source; each test names the rule.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from properties.catalogue import CATALOGUE, both_closed
from properties.check import check
from properties.judge import judge
from properties.kinds import Property, always, leads_to
from properties.verdict import Answer
from tcpclose_model.model import Model
from tcpclose_model.protocol.notation import Protocol
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.step import Outcome, Table
from tcpclose_model.protocol.vocabulary import (
    CLOSE_WAIT,
    CLOSED,
    CONNECTION_RESET,
    CRASHED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    NOTHING,
    SYNCHRONIZED,
    TCB,
    TIME_WAIT,
    USER_TIMEOUT_TOLD,
    Event,
    Segment,
    State,
)
from tcpclose_model.search import explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS, model_named
from tcpclose_model.variants.mutants import last_ack_wakes_nobody
from tcpclose_model.variants.parameters import with_parameters
from tcpclose_model.variants.registry import NO_DATA, TIMELY, switched
from tcpclose_model.variants.stacks import (
    FREEBSD,
    FREEBSD_SWITCHES,
    LINUX,
    LINUX_SWITCHES,
    WINDOWS,
    WINDOWS_SWITCHES,
)
from tcpclose_model.variants.switches import SWITCHES
from tests.test_catalogue import ROOT, space_of

KEEP_ALIVE = switched("keep_alive")
TIMELY_SET = "timers.retransmission=timely"
A_SENDS = "application.data_units=1,0"


def end(protocol: Protocol, state: State, **fields: int) -> TCB:
    """Return a TCB of an end that follows a table."""
    initial: Any = Table(protocol).initial  # Any: it may have fields of a switch
    made: TCB = initial._replace(state=state, **fields)
    return made


def held(protocol: Protocol, **fields: int) -> TCB:
    """Return FIN-WAIT-2 of a user who has only shut down sending; one unit has been taken."""
    sent = {"snd_una": 1, "snd_nxt": 1, "fin_queued": 1, "fin_sent": 1}
    return end(protocol, FIN_WAIT_2, **{**sent, "rcv_nxt": 1, "rcv_text": 1, "read": 1, **fields})


def orphan(protocol: Protocol, **fields: int) -> TCB:
    """Return FIN-WAIT-2 of a user who is gone; one unit has been taken."""
    return held(protocol, released=1, **fields)


def happens(protocol: Protocol, tcb: TCB, event: Event) -> Outcome:
    """Return what a call or a timeout does, which must be enabled."""
    outcome = Table(protocol).local(tcb, event)
    assert outcome is not None
    return outcome


def answer(model: str, settings: tuple[str, ...], name: str) -> Answer:
    """Return what a check answers for one property of a model with some parameters changed."""
    space = space_of(model, *settings)
    return next(judge(space, prop).answer for prop in CATALOGUE if prop.name == name)


def answers(model: str, *settings: str) -> list[Answer]:
    """Return what a check answers for every property of the catalogue."""
    return [judge(space_of(model, *settings), prop).answer for prop in CATALOGUE]


def moves_of(space: StateSpace, event: Event) -> list[tuple[TCB, TCB]]:
    """Return the TCBs before and after each event of a kind in a graph."""
    found = [move for move in space.moves if move.action.event is event]
    return [(space.tcbs[move.before], space.tcbs[move.after]) for move in found]


# Crashes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_a_crash_forgets_the_connection_and_sends_nothing(state: State) -> None:
    outcome = happens(RFC9293, end(RFC9293, state, snd_nxt=1), Event.CRASH)
    assert (CLOSED, CRASHED, None) == (outcome.tcb.state, outcome.tcb.told, outcome.sent)


def test_an_end_that_is_closed_has_nothing_to_forget() -> None:
    assert Table(RFC9293).local(end(RFC9293, CLOSED), Event.CRASH) is None


def test_only_the_ends_that_a_model_says_crash() -> None:
    space = explore(model_named("crash"))
    assert {0} == {m.action.actor for m in space.moves if m.action.event is Event.CRASH}


def test_a_host_that_has_crashed_answers_with_a_reset() -> None:
    space = explore(model_named("crash"))
    after = [m for m in space.moves if m.delivers and space.tcbs[m.before].told == CRASHED]
    assert {1} == {move.sent.rst for move in after if move.sent}


def test_no_verdict_needs_a_host_to_crash() -> None:
    # A run in which nobody crashes is fair: B, whose user never closes, waits for ever.
    settings = ("protocol.keep_alive=on", "application.closes=b_never")
    assert Answer.VIOLATED is answer("crash", settings, "both_eventually_closed")
    assert Answer.HOLDS is answer("crash", settings, "no_half_open_end")


# Keep-alives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT_2, CLOSE_WAIT])
def test_an_idle_end_probes_with_the_number_before_snd_nxt(state: State) -> None:
    idle = end(KEEP_ALIVE, state, snd_una=1, snd_nxt=1, rcv_nxt=2)
    outcome = happens(KEEP_ALIVE, idle, Event.KEEP_ALIVE_TIMEOUT)
    assert Segment(seq=0, ack=2) == outcome.sent


def test_an_end_with_something_to_retransmit_does_not_probe() -> None:
    busy = end(KEEP_ALIVE, ESTABLISHED, snd_nxt=1)
    assert Table(KEEP_ALIVE).local(busy, Event.KEEP_ALIVE_TIMEOUT) is None


def test_a_peer_that_is_there_answers_a_probe_whatever_it_follows() -> None:
    answered = Table(RFC9293).arrival(end(RFC9293, ESTABLISHED), Segment(seq=-1))
    assert (Segment(seq=0), ESTABLISHED) == (answered.sent, answered.tcb.state)


def test_a_peer_that_has_forgotten_answers_a_probe_with_a_reset_that_counts() -> None:
    probing = happens(KEEP_ALIVE, end(KEEP_ALIVE, ESTABLISHED), Event.KEEP_ALIVE_TIMEOUT)
    assert probing.sent is not None
    reset = Table(RFC9293).arrival(end(RFC9293, CLOSED), probing.sent).sent
    assert reset is not None
    after = Table(KEEP_ALIVE).arrival(probing.tcb, reset).tcb
    assert (CLOSED, CONNECTION_RESET) == (after.state, after.told)


def test_an_answer_starts_the_count_of_probes_again() -> None:
    waiting = end(KEEP_ALIVE, ESTABLISHED, probed=1, retransmitted=3)
    after: Any = Table(KEEP_ALIVE).arrival(waiting, Segment(seq=0)).tcb
    assert (0, 0) == (after.probed, after.retransmitted)


@pytest.mark.parametrize(("probed", "told"), [(0, None), (1, USER_TIMEOUT_TOLD)])
def test_an_end_gives_up_only_while_a_probe_is_unanswered(probed: int, told: int | None) -> None:
    idle = end(KEEP_ALIVE, FIN_WAIT_2, probed=probed)
    outcome = Table(KEEP_ALIVE).local(idle, Event.USER_TIMEOUT)
    assert told == (outcome and outcome.tcb.told)


def test_an_end_gives_up_once_as_many_probes_as_allowed_are_unanswered() -> None:
    model = with_parameters(
        model_named("keep_alive_unanswered"),
        ["bounds.retransmissions_max=2", "application.closes=never"],
    )
    counts = {before.retransmitted for before, _ in moves_of(explore(model), Event.USER_TIMEOUT)}
    assert {2} == counts


def test_probes_that_a_bound_withholds_make_a_verdict_unknown() -> None:
    model = with_parameters(
        model_named("keep_alive"), ["bounds.retransmissions_max=0", "application.closes=b_never"]
    )
    assert Answer.UNKNOWN is check(model, only=["no_half_open_end"])["no_half_open_end"].answer


# V16 to V21 of the matrix of variants, each verdict by its runs -----------------------------------

STUCK = ["no_deadlock", "both_can_always_close", "no_half_open_end"]
SILENT_LOSS = "no_silent_data_loss"
UNREAD = "no_acknowledged_data_unread"
LOSSLESS = "network.loss=false"


@pytest.mark.parametrize("name", STUCK)
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((TIMELY_SET,), Answer.VIOLATED),
        ((TIMELY_SET, LOSSLESS), Answer.HOLDS),
        ((TIMELY_SET, "protocol.keep_alive=on"), Answer.HOLDS),
    ],
    ids=["lossy", "lossless", "keep-alive"],
)
def test_an_abort_hangs_the_peer_where_resets_are_lost_unless_it_probes(
    name: str, settings: tuple[str, ...], expected: Answer
) -> None:
    assert expected is answer("abort", settings, name)


def test_a_reset_on_unread_text_costs_the_text_alone_where_nothing_is_lost() -> None:
    space = explore(model_named("reset_on_unread_lossless"))
    wrong = [p.name for p in CATALOGUE[:10] if judge(space, p).answer is Answer.VIOLATED]
    assert [UNREAD] == wrong


@pytest.mark.parametrize("name", [*STUCK, SILENT_LOSS, UNREAD])
def test_a_reset_on_unread_text_costs_everything_where_it_may_be_lost(name: str) -> None:
    assert Answer.VIOLATED is answer("reset_on_unread", ("network.capacity=1",), name)


def test_a_reset_on_unread_text_costs_the_closers_own_text_too() -> None:
    settings = ("application.data_units=1",)
    assert Answer.VIOLATED is answer("reset_on_unread_lossless", settings, SILENT_LOSS)


@pytest.mark.parametrize(
    ("model", "settings", "expected"),
    [
        ("half_duplex_close", (), Answer.HOLDS),
        ("half_duplex_close", ("protocol.silent_reset=on",), Answer.VIOLATED),
        ("half_duplex_close_both_ways", (), Answer.VIOLATED),
    ],
    ids=["signalled", "silent", "both ways"],
)
def test_a_reset_after_close_loses_nothing_in_silence_if_it_is_told_and_text_goes_one_way(
    model: str, settings: tuple[str, ...], expected: Answer
) -> None:
    assert expected is answer(model, settings, SILENT_LOSS)


@pytest.mark.parametrize("settings", [(), (LOSSLESS,)], ids=["lossy", "lossless"])
def test_a_fin_with_text_unread_hides_it_on_any_network(settings: tuple[str, ...]) -> None:
    assert Answer.VIOLATED is answer("fin_with_unread_text", settings, UNREAD)


@pytest.mark.parametrize("switch", ["delayed_ack", "challenge_ack"])
def test_delayed_and_challenge_acks_change_no_verdict(switch: str) -> None:
    plain = answers("rfc9293", TIMELY_SET, A_SENDS)
    assert plain == answers("rfc9293", TIMELY_SET, A_SENDS, f"protocol.{switch}=on")


def test_a_close_of_three_segments_goes_from_fin_wait_1_to_time_wait_at_once() -> None:
    space = explore(with_parameters(model_named("delayed_ack"), ["application.data_units=0"]))
    arrivals = moves_of(space, Event.SEGMENT_ARRIVES)
    assert (FIN_WAIT_1, TIME_WAIT) in {(before.state, after.state) for before, after in arrivals}


def test_an_exact_reset_ends_time_wait_under_challenge_acks_too() -> None:
    settings = (TIMELY_SET, A_SENDS, "protocol.challenge_ack=on")
    assert Answer.VIOLATED is answer("rfc9293", settings, "time_wait_ends_only_by_its_timer")


# Text that was acknowledged, and a reset that destroys it -----------------------------------------

told_or_read = always(
    "Text of A that B has acknowledged is read in the end, or A was told.",
    lambda s: s.b.read >= s.a.snd_end,
    name="told_or_read",
    when=lambda s: both_closed(s) and s.a.told == NOTHING and s.b.rcv_text == s.a.snd_end > 0,
)


@pytest.mark.parametrize(("value", "expected"), [("off", Answer.HOLDS), ("on", Answer.VIOLATED)])
def test_a_reset_on_close_destroys_what_the_peer_has_acknowledged(
    value: str, expected: Answer
) -> None:
    # B reads everything before it closes; only a reset can keep it from doing so.
    settings = ["application.data_units=1", "application.closes=b_after_eof"]
    settings.append(f"protocol.reset_on_unread={value}")
    model = with_parameters(model_named("reset_on_unread_lossless"), settings)
    assert expected is judge(explore(model), told_or_read).answer


# Linux ----------------------------------------------------------------------------------------


def linux(tcb: TCB, seg: Segment) -> Outcome:
    """Return what a segment does to an end of Linux."""
    return Table(LINUX).arrival(tcb, seg)


def test_an_inexact_reset_kills_an_orphan_in_fin_wait_2() -> None:
    assert CLOSED == linux(orphan(LINUX), Segment(seq=5, rst=1)).tcb.state


def test_an_inexact_reset_is_challenged_in_fin_wait_2_while_the_user_is_there() -> None:
    outcome = linux(held(LINUX), Segment(seq=5, rst=1))
    assert (FIN_WAIT_2, Segment(seq=1, ack=1)) == (outcome.tcb.state, outcome.sent)


def test_a_reset_outside_the_window_is_answered_by_an_orphan_alone() -> None:
    old = Segment(seq=0, rst=1)
    assert Segment(seq=1, ack=1) == linux(orphan(LINUX), old).sent
    assert None is linux(held(LINUX), old).sent


@pytest.mark.parametrize(
    "seg",
    [Segment(seq=1, ack=1, text=1), Segment(seq=2, ack=1, fin=1), Segment(1, 1, text=1, fin=1)],
    ids=["text", "FIN ahead", "text with FIN"],
)
def test_text_or_a_hole_makes_an_orphan_reset_with_the_number_that_it_acknowledges(
    seg: Segment,
) -> None:
    outcome = linux(orphan(LINUX), seg)
    assert (CLOSED, Segment(seq=1, rst=1)) == (outcome.tcb.state, outcome.sent)


def test_after_shutdown_text_is_taken_and_a_fin_waits_behind_a_hole() -> None:
    assert 2 == linux(held(LINUX), Segment(seq=1, ack=1, text=1)).tcb.rcv_nxt
    assert FIN_WAIT_2 == linux(held(LINUX), Segment(seq=2, ack=1, fin=1)).tcb.state


def test_the_fin_that_an_orphan_waits_for_leads_to_time_wait() -> None:
    outcome = linux(orphan(LINUX), Segment(seq=1, ack=1, fin=1))
    assert (TIME_WAIT, Segment(seq=1, ack=2)) == (outcome.tcb.state, outcome.sent)


def test_fin_wait_2_ends_by_its_timer_for_orphans_alone() -> None:
    assert None is Table(LINUX).local(held(LINUX), Event.FIN_WAIT_2_TIMEOUT)
    ended = happens(LINUX, orphan(LINUX), Event.FIN_WAIT_2_TIMEOUT)
    assert (CLOSED, None) == (ended.tcb.state, ended.sent)


def test_a_fin_behind_a_hole_resets_an_orphan_whose_own_fin_is_not_acknowledged() -> None:
    closing = end(LINUX, FIN_WAIT_1, snd_nxt=1, fin_queued=1, fin_sent=1, released=1)
    outcome = linux(closing, Segment(seq=1, fin=1))
    assert (CLOSED, 1) == (outcome.tcb.state, outcome.sent and outcome.sent.rst)


@pytest.mark.parametrize(("unread", "rst"), [(0, 0), (1, 1)])
def test_close_sends_a_fin_or_with_text_unread_a_reset(unread: int, rst: int) -> None:
    open_ = end(LINUX, ESTABLISHED, rcv_nxt=1, rcv_text=1, read=1 - unread)
    outcome = happens(LINUX, open_, Event.CLOSE)
    assert rst == (outcome.sent and outcome.sent.rst)


@pytest.mark.parametrize(("seq", "taken"), [(0, 0), (1, 1)], ids=["older", "the last again"])
def test_the_ack_field_of_an_old_segment_counts_if_it_is_the_last_one_again(
    seq: int, taken: int
) -> None:
    waiting = end(LINUX, ESTABLISHED, snd_nxt=1, rcv_nxt=2, rcv_text=2, read=2)
    assert taken == linux(waiting, Segment(seq=seq, ack=1, text=1)).tcb.snd_una


@pytest.mark.parametrize("state", [ESTABLISHED, LAST_ACK, TIME_WAIT])
def test_of_two_refused_pure_acks_one_is_answered(state: State) -> None:
    sent = {"snd_una": 1, "snd_nxt": 1, "rcv_nxt": 2} if state is not LAST_ACK else {"rcv_nxt": 2}
    first = linux(end(LINUX, state, **sent), Segment(seq=0))
    assert first.sent is not None
    assert None is linux(first.tcb, Segment(seq=0)).sent


def test_the_limit_on_acks_ends_with_its_timer() -> None:
    limited = end(LINUX, ESTABLISHED, rcv_nxt=1, ack_limited=1)
    after = happens(LINUX, limited, Event.ACK_LIMIT_TIMEOUT).tcb
    assert linux(after, Segment(seq=0)).sent is not None


@pytest.mark.parametrize("seg", [Segment(0, text=1), Segment(1, fin=1)], ids=["text", "FIN"])
def test_old_text_and_old_fins_are_answered_every_time(seg: Segment) -> None:
    limited = end(LINUX, CLOSE_WAIT, rcv_nxt=2, rcv_text=1, read=1, ack_limited=1)
    assert Segment(seq=0, ack=2) == linux(limited, seg).sent


def test_a_repeated_fin_is_answered_every_time_in_time_wait() -> None:
    waiting = end(LINUX, TIME_WAIT, rcv_nxt=1, ack_limited=1)
    assert Segment(seq=0, ack=1) == linux(waiting, Segment(seq=0, fin=1)).sent


@pytest.mark.parametrize(("value", "after"), [(0, CLOSED), (1, TIME_WAIT)])
def test_an_exact_reset_kills_time_wait_unless_rfc1337_is_on(value: int, after: State) -> None:
    table = switched("rfc1337", protocol=LINUX) if value else LINUX
    waiting = end(table, TIME_WAIT, rcv_nxt=1)
    assert after == Table(table).arrival(waiting, Segment(seq=1, rst=1)).tcb.state


def test_without_room_for_time_waits_an_orphan_ends_with_the_ack_of_its_fin() -> None:
    table = MODELS["linux_tw_buckets_0"].a
    closing = end(table, FIN_WAIT_1, snd_nxt=1, fin_queued=1, fin_sent=1, released=1)
    outcome = Table(table).arrival(closing, Segment(seq=0, ack=1))
    assert (CLOSED, None) == (outcome.tcb.state, outcome.sent)


def test_linger2_below_0_resets_where_fin_wait_2_would_begin() -> None:
    table = switched("linger_2")
    closing = end(table, FIN_WAIT_1, snd_nxt=1, fin_queued=1, fin_sent=1, released=1)
    outcome = Table(table).arrival(closing, Segment(seq=0, ack=1))
    assert (CLOSED, Segment(seq=1, rst=1)) == (outcome.tcb.state, outcome.sent)
    assert Segment(seq=1, rst=1) == happens(table, held(table), Event.CLOSE).sent


def test_giving_up_is_silent() -> None:
    waiting = end(LINUX, LAST_ACK, snd_nxt=1, fin_queued=1, fin_sent=1, released=1)
    assert None is happens(LINUX, waiting, Event.USER_TIMEOUT).sent


def test_linux_meets_every_requirement_if_text_goes_one_way() -> None:
    space = explore(MODELS["linux"])
    assert {Answer.HOLDS} == {judge(space, prop).answer for prop in CATALOGUE[:10]}


def test_linux_loses_text_of_its_own_in_silence_if_text_goes_both_ways() -> None:
    settings = ("application.data_units=1", "network.capacity=1")
    assert Answer.VIOLATED is answer("linux", settings, SILENT_LOSS)


@pytest.mark.parametrize(
    ("model", "settings", "expected"),
    [
        ("linux", (), Answer.VIOLATED),
        ("linux", ("protocol.keep_alive=on",), Answer.HOLDS),
        ("freebsd", (), Answer.HOLDS),
    ],
    ids=["linux", "linux with keep-alives", "freebsd"],
)
def test_an_idle_peer_of_one_that_gives_up_in_silence_needs_keep_alives(
    model: str, settings: tuple[str, ...], expected: Answer
) -> None:
    where = ("application.closes=a_first", "application.data_units=0", *settings)
    assert expected is answer(model, where, "no_half_open_end")


# FreeBSD and Windows --------------------------------------------------------------------------


def test_freebsd_probes_everywhere_but_in_fin_wait_2() -> None:
    probes = [rule.at for rule in FREEBSD.rules if rule.on is Event.KEEP_ALIVE_TIMEOUT]
    assert [(ESTABLISHED, CLOSE_WAIT)] == probes


@pytest.mark.parametrize("fields", [{"snd_nxt": 1}, {"probed": 1}], ids=["text", "a probe"])
def test_freebsd_resets_its_peer_when_it_gives_up(fields: dict[str, int]) -> None:
    waiting = end(FREEBSD, ESTABLISHED, **fields)
    outcome = happens(FREEBSD, waiting, Event.USER_TIMEOUT)
    assert (CLOSED, 1) == (outcome.tcb.state, outcome.sent and outcome.sent.rst)


def test_freebsd_ignores_resets_in_time_wait() -> None:
    waiting = end(FREEBSD, TIME_WAIT, rcv_nxt=1)
    assert TIME_WAIT == Table(FREEBSD).arrival(waiting, Segment(seq=1, rst=1)).tcb.state


def test_freebsd_sends_a_fin_though_text_is_unread() -> None:
    open_ = end(FREEBSD, ESTABLISHED, rcv_nxt=1, rcv_text=1)
    assert Segment(seq=0, ack=1, fin=1) == happens(FREEBSD, open_, Event.CLOSE).sent


@pytest.mark.parametrize(("pending", "rst"), [(0, 0), (1, 1)])
def test_windows_resets_on_close_while_a_receive_waits(pending: int, rst: int) -> None:
    open_ = end(WINDOWS, ESTABLISHED, receive_pending=pending)
    outcome = happens(WINDOWS, open_, Event.CLOSE)
    assert rst == (outcome.sent and outcome.sent.rst)


def test_a_receive_that_waits_gets_the_text_that_arrives() -> None:
    waiting = happens(WINDOWS, end(WINDOWS, ESTABLISHED), Event.RECEIVE).tcb
    after: Any = Table(WINDOWS).arrival(waiting, Segment(seq=0, text=1)).tcb
    assert (1, 0) == (after.read, after.receive_pending)


def test_a_receive_that_waits_ends_with_the_stream() -> None:
    waiting = happens(WINDOWS, end(WINDOWS, ESTABLISHED), Event.RECEIVE).tcb
    after: Any = Table(WINDOWS).arrival(waiting, Segment(seq=0, fin=1)).tcb
    assert (0, 0) == (after.read, after.receive_pending)


def test_windows_ends_fin_wait_2_though_the_user_is_there_and_says_reset() -> None:
    ended = happens(WINDOWS, held(WINDOWS), Event.FIN_WAIT_2_TIMEOUT)
    assert (CLOSED, CONNECTION_RESET) == (ended.tcb.state, ended.tcb.told)


def test_windows_answers_nothing_from_closed() -> None:
    assert None is Table(WINDOWS).arrival(end(WINDOWS, CLOSED), Segment(seq=0)).sent


@pytest.mark.parametrize(
    ("profile", "switches"),
    [(LINUX, LINUX_SWITCHES), (FREEBSD, FREEBSD_SWITCHES), (WINDOWS, WINDOWS_SWITCHES)],
    ids=["linux", "freebsd", "windows"],
)
def test_every_switch_of_a_profile_can_be_turned_off(
    profile: Protocol, switches: tuple[str, ...]
) -> None:
    for name in switches:
        profile = SWITCHES[name].off(profile)
    assert (RFC9293.rules, ()) == (profile.rules, profile.fields)


def test_the_page_of_stacks_says_which_switches_each_profile_has_on() -> None:
    text = (ROOT / "docs" / "stacks.md").read_text(encoding="utf-8")
    table = text.split("<!-- switches: begin -->")[1].split("<!-- switches: end -->")[0]
    said = [
        (name, says, tuple(mark.strip() == "✓" for mark in marks.split("|")[:3]))
        for name, says, marks in re.findall(r"^\| `(\w+)` \| ([^|]*) \|(.*)$", table, re.MULTILINE)
    ]
    every = dict.fromkeys([*LINUX_SWITCHES, *FREEBSD_SWITCHES, *WINDOWS_SWITCHES])
    profiles = (LINUX_SWITCHES, FREEBSD_SWITCHES, WINDOWS_SWITCHES)
    on = {(n, SWITCHES[n].says, tuple(n in profile for profile in profiles)) for n in every}
    assert on == set(said)
    assert len(on) == len(said)


# Aborts, orphans and limits -------------------------------------------------------------------


@pytest.mark.parametrize(("name", "told"), [("linger_0", "ABORT_OK"), ("no_orphans", "NOTHING")])
@pytest.mark.parametrize("state", [ESTABLISHED, CLOSE_WAIT, FIN_WAIT_2])
def test_a_close_that_aborts_says_so_only_if_its_user_asked(
    name: str, told: str, state: State
) -> None:
    table = switched(name)
    outcome = happens(table, end(table, state), Event.CLOSE)
    assert (CLOSED, told) == (outcome.tcb.state, outcome.tcb.told.name)
    assert outcome.sent is not None
    assert 1 == outcome.sent.rst


def test_a_limit_on_acks_ends_an_ack_storm() -> None:
    settings = (A_SENDS, "protocol.ack_rate_limit=on")
    assert Answer.HOLDS is answer("rfc9293_literal", settings, "no_endless_chatter")
    assert Answer.VIOLATED is answer("rfc9293_literal", settings[:1], "no_endless_chatter")


def test_a_switch_takes_its_fields_with_it() -> None:
    table = RFC9293.with_field("ours", 1)
    both = switched("keep_alive", "ack_rate_limit", protocol=table)
    assert ("ours", "probed", "ack_limited") == tuple(name for name, _ in both.fields)
    without = SWITCHES["keep_alive"].off(both)
    assert ("ours", "ack_limited") == tuple(name for name, _ in without.fields)
    waits = SWITCHES["lingering_close"].on(without)
    assert "close_waits" in waits.kept
    again = SWITCHES["lingering_close"].off(waits)
    assert (without.rules, without.fields, without.kept) == (again.rules, again.fields, again.kept)


# The bugs of real stacks -------------------------------------------------------------------------

BUGS = {
    "zephyr_46350": "both_eventually_closed",
    "demikernel_1537": "both_eventually_closed",
    "zephyr_46407_unmasked": "both_eventually_closed",
    "linux_5_10_old_ack_fin": "no_deadlock",
    "smoltcp_470": "no_silent_data_loss",
    "freertos_1303": "no_half_open_end",
    "smoltcp_112": "no_silent_data_loss",
    "picotcp_10": "both_eventually_closed",
    "gvisor_3106": "time_wait_ends_only_by_its_timer",
    "mirage_tcpip_489": "both_eventually_closed",
    "smoltcp_279": "both_eventually_closed",
}


@pytest.mark.parametrize(("name", "breaks"), BUGS.items())
def test_a_bug_of_a_real_stack_has_a_run_and_its_fixed_twin_has_none(
    name: str, breaks: str
) -> None:
    bug = with_parameters(MODELS[name], [A_SENDS] if breaks == SILENT_LOSS else [])
    if breaks == "both_eventually_closed" and name != "smoltcp_279":
        bug = with_parameters(bug, ["application.data_units=0"])
    fixed = Model(RFC9293, RFC9293, bug.network, bug.timers, bug.application)
    assert check(bug, only=[breaks])[breaks].run is not None
    assert Answer.VIOLATED is not check(fixed, only=[breaks])[breaks].answer


def waits_in_close(tcb: Any) -> bool:  # Any: a TCB with a field of a switch
    return bool(tcb.close_waits)


every_close_returns: Property = leads_to(
    "A CLOSE that waits returns.",
    when=lambda s: waits_in_close(s.me),
    then=lambda s: not waits_in_close(s.me),
    each_end=True,
)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (last_ack_wakes_nobody, Answer.VIOLATED),
        (switched("lingering_close"), Answer.HOLDS),
    ],
    ids=["esp-lwip", "fixed"],
)
def test_a_close_that_waits_is_woken_when_last_ack_ends(table: Protocol, expected: Answer) -> None:
    model = Model(table, table, timers=TIMELY, application=NO_DATA)
    verdict = judge(explore(model), every_close_returns)
    assert expected is verdict.answer
    if verdict.run is not None:
        assert CLOSED in (verdict.run.last.a.state, verdict.run.last.b.state)
