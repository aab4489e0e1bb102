"""The verdicts on captures as a page of HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.command_line import Said, tcpclose
from tests.test_conform import BEFORE, CLOSE, WRONG
from tests.wire import Sent, capture_of

VOID = {"meta"}
DEVIATES = (*BEFORE, *WRONG["text behind the FIN"])


class Nested(HTMLParser):
    """Reads a page whose elements are all closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(path: Path, *segs: Sent, name: str = "x.pcap") -> Said:
    """Return what the command says of one capture as HTML."""
    file = path / name
    file.write_bytes(capture_of(*segs))
    return tcpclose("conform", file, "--format", "html")


def tags(page: str) -> list[str]:
    """Return the elements of a page that is well nested."""
    reader = Nested()
    reader.feed(page)
    assert [] == reader.open
    return reader.seen


def test_a_page_has_each_packet_of_a_close_and_loads_nothing(tmp_path: Path) -> None:
    said = page_of(tmp_path, *BEFORE, *CLOSE)
    assert 0 == said.status
    assert len(CLOSE) == tags(said.out).count("tr") - 1
    assert not {"script", "img", "link", "iframe"} & set(tags(said.out))
    assert "default-src &#x27;none&#x27;" in said.out
    assert "<td>TIME_WAIT</td>" in said.out


def test_the_packet_that_no_run_explains_is_marked(tmp_path: Path) -> None:
    said = page_of(tmp_path, *DEVIATES)
    assert 1 == said.status
    assert '<tr class="violated"><td>no run explains it</td>' in said.out
    assert '<b class="violated">deviates</b>' in said.out
    assert "models that explain it: none of the catalogue" in said.out


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a&b\"'.pcap"])
def test_a_hostile_file_name_is_text(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name.partition("/")[0]
    folder.mkdir()
    said = page_of(folder, *BEFORE, *CLOSE)
    assert "script" not in tags(said.out)


def test_a_capture_that_cannot_be_read_ends_the_page(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(capture_of(*BEFORE, *CLOSE)[:20])
    said = tcpclose("conform", file, "--format", "html")
    assert 2 == said.status
    assert said.out.rstrip().endswith("</html>")
    tags(said.out)
