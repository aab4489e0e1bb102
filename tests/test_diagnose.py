"""`tcpclose diagnose`: lists of sockets are read and explained, and odd lines do no harm."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.diagnosing import _REASONS, Reason, clauses, groups_of, reason_of
from reports.sockets import Socket, sockets_of
from tcpclose_model.errors import TcpcloseError
from tests.command_line import ROOT, environment, refused, tcpclose

HEAD = "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
LEAK = 'CLOSE-WAIT {q} 0 10.0.0.1:8080 10.0.0.2:{port} users:(("java",pid=4711,fd=9)) sk:1\n'
ORPHAN = "FIN-WAIT-2 0 0 10.0.0.1:80 10.0.0.3:999 timer:(timewait,42sec,0) ino:0 sk:2\n"
HELD = 'FIN-WAIT-2 0 0 10.0.0.1:80 10.0.0.3:998 users:(("nc",pid=7,fd=3)) ino:5 sk:3\n'
RETRYING = "LAST-ACK 0 1 10.0.0.1:80 10.0.0.4:997 timer:(on,1min3sec,4) ino:0 sk:4\n"
PROC = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout\n"
    "   0: 0100007F:1F90 0200000A:C350 08 00000000:00000001 00:00000000 00000000 1000 0 4242 1 0\n"
    "   1: 0100007F:1F90 0300000A:C351 06 00000000:00000000 03:00001770 00000000     0  0 0 3 0\n"
)
PROC6 = (
    "   0: 00000000000000000000000001000000:0050 00000000000000000000000001000000:D431 05 "
    "00000000:00000000 03:00000FA0 00000000     0        0 0 3 0\n"
)


def said_of(text: str, tmp_path: Path, *options: str) -> tuple[int, str]:
    file = tmp_path / "sockets.txt"
    file.write_text(text, encoding="utf-8")
    said = tcpclose("diagnose", file, *options)
    return said.status, said.out


def test_a_thousand_close_waits_are_one_group(tmp_path: Path) -> None:
    text = HEAD + "".join(LEAK.format(q=1, port=port) for port in range(1204))
    status, out = said_of(text, tmp_path)
    assert 0 == status
    told = "1,204 CLOSE-WAIT, all held by java (pid 4711), Recv-Q 1: end-of-stream not yet read"
    assert told in out.splitlines()
    assert "close_after_peer (3.10.4)" in out


def test_recv_q_says_whether_the_end_of_the_stream_has_been_read(tmp_path: Path) -> None:
    _, out = said_of("".join(LEAK.format(q=q, port=9) for q in (0, 1, 700)), tmp_path)
    assert "Recv-Q 0: end-of-stream has been read" in out
    assert "Recv-Q 1: end-of-stream not yet read" in out
    assert "Recv-Q above 1: data and end-of-stream not yet read" in out


def test_an_orphan_in_fin_wait_2_is_told_from_one_that_is_held(tmp_path: Path) -> None:
    _, out = said_of(ORPHAN, tmp_path)
    assert "tcp_fin_timeout, 60 s by default); timer: in 42 s" in out
    assert "1 FIN-WAIT-2, no process holds it" in out
    _, out = said_of(HELD, tmp_path)
    assert "for ever: tcp_fin_timeout is for orphans only" in out
    assert "held by nc (pid 7)" in out


def test_a_fin_that_nobody_answers_is_the_paths_fault(tmp_path: Path) -> None:
    _, out = said_of(RETRYING, tmp_path)
    assert "timer: in 63 s; sent again 4 times" in out
    assert "the FINs or their ACKs are lost, or the peer is gone" in out


def test_how_often_nobody_has_answered_is_told(tmp_path: Path) -> None:
    _, out = said_of(RETRYING + RETRYING.replace(",4)", ",6)"), tmp_path)
    assert "timer: in 63 s; sent again 4 to 6 times" in out
    probing = HELD.replace(" ino:", " timer:(keepalive,1sec,2) ino:")
    _, out = said_of(probing, tmp_path)
    assert "as long as the peer answers keep-alives; timer: in 1 s; 2 probes unanswered" in out


def test_proc_net_tcp_is_read_too(tmp_path: Path) -> None:
    _, out = said_of(PROC, tmp_path)
    assert "127.0.0.1:8080 -> 10.0.0.2:50000" in out
    assert "timer: in 60 s" in out
    assert "the owners of sockets are not in this input" in out
    _, out = said_of(PROC6, tmp_path)
    assert "[::1]:80 -> [::1]:54321" in out
    assert "no process holds it" in out


def test_the_owner_is_not_guessed(tmp_path: Path) -> None:
    _, out = said_of("CLOSE-WAIT 1 0 10.0.0.1:80 10.0.0.2:99\n", tmp_path)
    assert "1 CLOSE-WAIT, owner not in this input, Recv-Q 1" in out


def test_an_odd_line_is_named_and_left_out(tmp_path: Path) -> None:
    status, out = said_of(f"{HEAD}{HELD}what is this\nCLOSE-WAIT x y\n", tmp_path)
    assert 0 == status
    assert "not read: line 3: 'what' is not a state of TCP" in out
    assert "not read: line 4: not 'State Recv-Q Send-Q Local:Port Peer:Port'" in out


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"\x00\xffhello\n")
    refused(tcpclose("diagnose", file), "x: no line is one of", "line 1")
    refused(tcpclose("diagnose", tmp_path / "none"), "cannot be read")


def test_a_state_can_fail_the_command(tmp_path: Path) -> None:
    assert 1 == said_of(LEAK.format(q=1, port=1), tmp_path, "--fail-on", "close-wait")[0]
    assert 0 == said_of(ORPHAN, tmp_path, "--fail-on", "close-wait")[0]
    refused(tcpclose("diagnose", tmp_path / "x", "--fail-on", "close-wit"), "CLOSE-WAIT")


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ORPHAN.encode())))
    assert "1 FIN-WAIT-2" in tcpclose("diagnose").out


def test_json_says_the_same(tmp_path: Path) -> None:
    _, out = said_of(LEAK.format(q=1, port=1) + ORPHAN, tmp_path, "--format", "json")
    document = json.loads(out)
    assert {"CLOSE-WAIT": 1, "FIN-WAIT-2": 1} == document["states"]
    assert [42.0, 42.0] == next(
        group["timer_seconds"] for group in document["groups"] if group["state"] == "FIN-WAIT-2"
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2.820ms", "2.82"),  # so ss writes 2 s and 820 ms
        ("820ms", "0.82"),
        ("26sec", "26"),
        ("1min3sec", "63"),
        ("119min", "7,140"),
        ("", None),
    ],
)
def test_a_timer_is_read_as_ss_writes_it(written: str, seconds: str | None, tmp_path: Path) -> None:
    _, out = said_of(RETRYING.replace("1min3sec", written), tmp_path)
    assert (f"timer: in {seconds} s" in out) is (seconds is not None)


def test_without_timers_in_the_list_nobody_is_said_to_hold_or_not_to_hold(tmp_path: Path) -> None:
    text = f"{HEAD}FIN-WAIT-2 0 0 10.0.0.1:80 10.0.0.3:999\nLAST-ACK 0 1 10.0.0.1:80 10.0.0.4:9\n"
    _, out = said_of(text, tmp_path)
    assert "whether a process here holds the socket is not in this input" in out
    assert "not in this input (ss -o says it); if it lasts, the path or the peer" in out
    _, out = said_of(text + ORPHAN, tmp_path)
    assert "for ever: tcp_fin_timeout is for orphans only" in out


def test_a_list_of_one_state_has_to_be_told_which(tmp_path: Path) -> None:
    text = "Recv-Q Send-Q Local Address:Port Peer Address:Port\n1 0 10.0.0.1:80 10.0.0.2:99\n"
    file = tmp_path / "x"
    file.write_text(text, encoding="utf-8")
    refused(tcpclose("diagnose", file), "x: line 1: the list has no column State", "--state")
    status, out = said_of(text, tmp_path, "--state", "close-wait", "--fail-on", "close-wait")
    assert (1, True) == (status, "1 CLOSE-WAIT, owner not in this input, Recv-Q 1" in out)
    refused(tcpclose("diagnose", file, "--state", "closing-time"), "--state: 'closing-time'")


def test_a_line_may_go_on_in_the_next(tmp_path: Path) -> None:
    wrapped = LEAK.format(q=1, port=7).replace(" users:", "\n\t users:")
    info = HELD + "\t skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0) cubic rto:204\n"
    _, out = said_of(HEAD + wrapped + info, tmp_path)
    assert "1 CLOSE-WAIT, held by java (pid 4711)" in out
    assert "1 FIN-WAIT-2, held by nc (pid 7)" in out
    assert "not read: " not in out


def test_what_is_not_tcp_is_passed_over(tmp_path: Path) -> None:
    text = (
        "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
        "nl UNCONN 0 0 0:0 *\nu_str ESTAB 0 0 * 42 * 43\nudp UNCONN 0 0 0.0.0.0:68 0.0.0.0:*\n"
        "netns: blue\n"
    )
    _, out = said_of(f"{text}tcp {HELD}", tmp_path)
    assert "1 sockets: 1 FIN-WAIT-2" in out
    assert "not read: " not in out


NETSTAT = (
    "Active Internet connections (servers and established)\n"
    "Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name Timer\n"
    "tcp 1 0 10.0.0.1:8080 10.0.0.2:999 CLOSE_WAIT 4711/java off (0.00/0/0)\n"
    "tcp 0 0 10.0.0.1:8080 10.0.0.3:998 FIN_WAIT2 - timewait (42.31/0/0)\n"
    "tcp6 0 1 fe80::1:80 fe80::2:7 LAST_ACK - on (1.20/3/0)\n"
)


def test_netstat_is_read_too(tmp_path: Path) -> None:
    _, out = said_of(NETSTAT, tmp_path)
    assert "1 CLOSE-WAIT, held by java (pid 4711), Recv-Q 1" in out
    assert "1 FIN-WAIT-2, no process holds it" in out
    assert "timer: in 42.31 s" in out
    assert "it has been retransmitted without an answer" in out
    _, out = said_of("tcp4 0 0 10.0.0.1.80 10.0.0.2.51234 CLOSE_WAIT\n", tmp_path)
    assert "10.0.0.1.80 -> 10.0.0.2.51234" in out


def test_send_q_says_that_there_is_more_than_the_fin(tmp_path: Path) -> None:
    _, out = said_of(RETRYING.replace("LAST-ACK 0 1 ", "LAST-ACK 0 70001 "), tmp_path)
    assert "the ACK of the data before our FIN, and of the FIN" in out
    assert "packets are lost, or the peer does not read, or is gone" in out
    sending = LEAK.format(q=0, port=7).replace("CLOSE-WAIT 0 0", "CLOSE-WAIT 0 9000")
    _, out = said_of(sending, tmp_path)
    assert "nobody, if it still sends: Send-Q is not empty" in out
    _, out = said_of(f"{sending.strip()} timer:(persist,3sec,0)\n", tmp_path)
    assert "the peer's application does not read: its window is zero" in out


def every_reason() -> list[Reason]:
    return [
        reason_of(
            Socket(1, state, "a:1", "b:2", received, unsent, timer, None, retries, "", held, timed)
        )
        for state in _REASONS
        for unsent in (0, 2)
        for timed in (False, True)
        for received in (0, 1)
        for timer in ("", "on", "keepalive", "timewait", "persist")
        for retries in (0, 3)
        for held in (None, False, True)
    ]


def test_every_reason_rests_on_rows_that_are_there() -> None:
    assert all(clauses(reason) for reason in every_reason())


def test_a_list_and_the_live_kernel_are_not_both_explained(tmp_path: Path) -> None:
    refused(tcpclose("diagnose", tmp_path / "x", "--live"), "one or the other")


def test_neither_z3_nor_numba_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(ORPHAN, encoding="utf-8")
    program = (
        "import sys; from reports.cli import main; "
        f"main(['diagnose', {str(file)!r}]); "
        "sys.exit(any(m in sys.modules for m in ('z3', 'numba')))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False)
    assert 0 == done.returncode


@given(
    st.lists(
        st.one_of(
            st.text(max_size=80),
            st.sampled_from(
                [HEAD, ORPHAN, HELD, RETRYING, PROC6, *PROC.splitlines(), *NETSTAT.splitlines()]
            ).flatmap(
                lambda line: st.tuples(st.integers(0, len(line)), st.text(max_size=4)).map(
                    lambda cut: line[: cut[0]] + cut[1] + line[cut[0] + 1 :]
                )
            ),
        ),
        max_size=6,
    )
)
def test_no_text_breaks_it(lines: list[str]) -> None:
    try:
        listed = sockets_of("\n".join(lines).splitlines(), "x")
    except TcpcloseError:
        return
    groups = groups_of(listed)
    assert sum(group.count for group in groups) <= len(listed.sockets)
