"""How a run and a graph show themselves in a notebook.

With the facade (`tcpclose_model/__init__.py`) this is the one place that reaches up to `reports`,
by name and only when a notebook asks; everything else imports downwards.
"""

from __future__ import annotations

from html import escape
from importlib import import_module


def ladder_html(run: object) -> str:
    """Return a run's ladder as HTML."""
    return f"<pre>{escape(import_module('reports.ladder').ladder(run))}</pre>"


def joint_svg(space: object) -> str:
    """Return the folded graph of an explored model as SVG."""
    svg: str = import_module("reports.draw").joint_picture(space).svg()
    return svg
