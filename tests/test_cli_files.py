"""What the command line writes: whole or not at all, and only where it may."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.command_line import command_of, environment, once, process, refused, tcpclose

WRITERS = {
    "x.json": ("check", "table_154"),
    "x.txt": ("check", "table_154"),
    "r.txt": ("run", "normal_close"),
    "g.dot": ("draw", "table_154"),
}
every_writer = pytest.mark.parametrize(("name", "command"), WRITERS.items(), ids=WRITERS)


class FullDisk:
    """A file that takes half of what is written, and then says that the disk is full."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> int:
        """Write half and fail."""
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file that is opened for writing hit the end of the disk."""
    opened = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda number, _: FullDisk(opened(number, "wb")))


@every_writer
def test_a_missing_folder_is_told_and_nothing_is_written(
    name: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    said = tcpclose(*command, "-o", tmp_path / "none" / name)
    refused(said, name, "cannot be written: No such file or directory")
    assert [] == list(tmp_path.iterdir())


@every_writer
def test_a_full_disk_leaves_no_half_written_file(
    name: str, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_disk(monkeypatch)
    said = tcpclose(*command, "-o", tmp_path / name)
    refused(said, name, "cannot be written: No space left on device")
    assert [] == list(tmp_path.iterdir())


@every_writer
def test_a_full_disk_leaves_an_old_file_as_it_was(
    name: str, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("old")
    full_disk(monkeypatch)
    assert 2 == tcpclose(*command, "-o", tmp_path / name).status
    assert {name: "old"} == {path.name: path.read_text() for path in tmp_path.iterdir()}


@every_writer
def test_an_old_file_is_replaced(name: str, command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / name).write_text("old")
    assert 0 == tcpclose(*command, "-o", tmp_path / name).status
    assert [name] == [path.name for path in tmp_path.iterdir()]
    assert "old" != (tmp_path / name).read_text("utf-8")


def test_an_old_file_is_replaced_at_once_and_never_written_into(tmp_path: Path) -> None:
    out = tmp_path / "x.txt"
    out.write_text("old")
    with out.open() as reader:
        tcpclose("check", "table_154", "-o", out)
        assert "old" == reader.read()


def test_an_interrupt_while_writing_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    said = tcpclose("run", "normal_close", "-o", tmp_path / "x.txt")
    assert (3, []) == (said.status, list(tmp_path.iterdir()))


@pytest.mark.linux
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        said = tcpclose("check", "table_154", "-o", tmp_path / "x.json")
    finally:
        tmp_path.chmod(0o700)
    refused(said, "x.json: cannot be written: Permission denied")


def test_a_folder_is_not_overwritten_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    said = tcpclose("check", "table_154", "-o", tmp_path / "x.json")
    assert [] == [path.name for path in tmp_path.iterdir() if path.name != "x.json"]
    assert "Traceback" not in said.err


def test_where_a_folder_is_wanted_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("old")
    said = tcpclose("check", "table_154", "-o", tmp_path / "runs")
    assert 2 == said.status
    assert "not a directory" in said.err
    assert "old" == (tmp_path / "runs").read_text()


@pytest.mark.linux
def test_a_file_has_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        tcpclose("run", "normal_close", "-o", tmp_path / "x.txt")
    finally:
        os.umask(old)
    assert 0o640 == stat.S_IMODE((tmp_path / "x.txt").stat().st_mode)


# tcpclose new -----------------------------------------------------------------------------------


def test_a_new_model_file_is_checked_as_it_stands(tmp_path: Path) -> None:
    out = tmp_path / "mine.py"
    said = tcpclose("new", out)
    assert (0, f"wrote {out}; now: tcpclose check {out}\n") == (said.status, said.out)
    checked = tcpclose("check", out)
    assert (0, "") == (checked.status, checked.err)


def test_a_new_model_file_is_written_for_the_name_that_it_has(tmp_path: Path) -> None:
    tcpclose("new", tmp_path / "mine.py")
    assert "tcpclose check mine.py" in (tmp_path / "mine.py").read_text("utf-8")


def test_a_model_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("old")
    refused(tcpclose("new", tmp_path / "mine.py"), "mine.py: is there already")
    assert "old" == (tmp_path / "mine.py").read_text()


@pytest.mark.parametrize(("name", "words"), [("mine.txt", ".py"), ("none/mine.py", "No such file")])
def test_a_new_model_file_that_cannot_be_is_refused(name: str, words: str, tmp_path: Path) -> None:
    refused(tcpclose("new", tmp_path / name), words)
    assert [] == list(tmp_path.iterdir())


# Output that nobody takes -----------------------------------------------------------------------


@pytest.mark.linux
def test_a_full_disk_behind_a_redirected_output_is_no_defect() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            command_of("show", "table_154"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert 2 == result.returncode
    assert b"Traceback" not in result.stderr
    assert b"No space left on device" in result.stderr


def test_the_module_and_the_console_script_say_the_same_version() -> None:
    assert once("--version").out == process("--version").out
