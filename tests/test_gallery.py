"""The gallery: a picture of every hazard, and of its way through the joint graph."""

from __future__ import annotations

import subprocess
import sys

import pytest

from properties.hazards import HAZARDS
from tests.command_line import ROOT

GALLERY = ROOT / "docs" / "gallery.md"
PICTURES = ROOT / "docs" / "images" / "gallery"
REDRAWN = ("H1", "H2", "H9", "H17")


def test_the_page_and_pictures_that_are_drawn_again_are_the_committed_ones() -> None:
    program = [sys.executable, "docs/make_gallery.py", "--check", *REDRAWN]
    assert 0 == subprocess.run(program, cwd=ROOT, check=False, timeout=120).returncode


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_has_its_run_and_its_way_through_the_graph(hazard: str) -> None:
    page = GALLERY.read_text("utf-8")
    for picture in (f"{hazard}.svg", f"{hazard}-graph.svg"):
        assert f"(images/gallery/{picture})" in page
        assert "</svg>" in (PICTURES / picture).read_text("utf-8")


def test_there_is_no_picture_that_the_page_does_not_show() -> None:
    assert 2 * len(HAZARDS) == len(list(PICTURES.iterdir()))


def test_the_way_of_the_run_is_highlighted() -> None:
    legend = "the counterexample"
    assert all(legend in (PICTURES / f"{name}-graph.svg").read_text("utf-8") for name in HAZARDS)
