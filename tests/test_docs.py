"""Every command that the documentation shows is run, and says what the documentation says.

In a ```console block a line `$ command` is run in a folder that the blocks of one document share;
the lines below it are its output, where `...` stands for any lines.  A comment `# exits with N` on
the command gives its exit status.  A block ```python file=NAME is written to that file first.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXITS = re.compile(r"\s+# exits with (\d+)$")


def commands(block: str) -> Iterator[tuple[str, int, list[str]]]:
    """Return each command of a console block: the command, its exit status, its output."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, *output = part.rstrip("\n").split("\n")
        found = EXITS.search(line)
        yield EXITS.sub("", line), int(found[1]) if found else 0, output


def fits(shown: list[str], real: list[str]) -> bool:
    """Return whether the real lines are those shown, `...` standing for any lines."""
    if not shown:
        return not real
    if shown[0] == "...":
        return any(fits(shown[1:], real[n:]) for n in range(len(real) + 1)) if shown[1:] else True
    return bool(real) and shown[0].rstrip() == real[0].rstrip() and fits(shown[1:], real[1:])


def run_block(block: str, folder: Path) -> None:
    """Run the commands of a console block and compare status and output."""
    for command, status, shown in commands(block):
        words = shlex.split(command)
        assert words[0] == "tcpclose", f"{command!r}: only tcpclose is run here"
        done = subprocess.run(
            [sys.executable, "-m", "tcpclose_model", *words[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        output = done.stdout + (done.stderr if status else "")
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stderr}"
        real = output.rstrip("\n").split("\n")
        assert not shown or fits(shown, real), f"{command} printed\n{output}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.name))
def test_the_commands_shown_work_and_print_what_is_shown(document: Path, tmp_path: Path) -> None:
    for language, info, block in BLOCK.findall(document.read_text(encoding="utf-8")):
        named = re.search(r"file=(\S+)", info)
        if named:
            (tmp_path / named[1]).write_text(block, encoding="utf-8")
        elif language == "python":
            exec(compile(block, str(document), "exec"), {})
        elif language == "console":
            run_block(block, tmp_path)


INLINE = re.compile(r"`(tcpclose\s[^`]+)`")
PLACEHOLDER = re.compile(r"[A-Z]{3,}|\[|--format json$|^tcpclose (run|check)$")


def inline_commands() -> list[str]:
    """Return the commands that stand in sentences and in no block, those without placeholders."""
    found, in_blocks = set(), set()
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for language, _, block in BLOCK.findall(text):
            if language == "console":
                in_blocks |= {command for command, _, _ in commands(block)}
        for words in INLINE.findall(text):
            command = " ".join(words.split())
            if not PLACEHOLDER.search(command):
                found.add(command)
    return sorted(found - in_blocks)


@pytest.mark.parametrize("command", inline_commands())
def test_a_command_inside_a_sentence_works(command: str, tmp_path: Path) -> None:
    run_block(f"$ {command}\n", tmp_path)


def test_the_ladder_on_the_first_screen_is_what_the_first_command_prints(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    command = next(block for language, _, block in blocks if language == "sh")
    shown = next(block for language, _, block in blocks if language == "text")
    tail = command.strip().split(".venv/bin/tcpclose")[1]
    run_block(f"$ tcpclose {tail.strip()}\n...\n{shown}", tmp_path)
    assert len(shown.strip().split("\n")) <= 15


def test_links_in_the_documentation_lead_to_files() -> None:
    missing = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (document.parent / target).exists():
                missing.append(f"{document.name}: {target}")
    assert missing == []
