"""How a plot reaches its reader: as SVG that takes its colours from the page, or as PNG for Dagster's UI.

Belongs here: colours, fonts and files, for every stage. Does not belong here: what is drawn (a stage's `plots`).

matplotlib's figures are used without pyplot: there is no global state, no display, and nothing to close.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Palette:
    """The colours of a plot, by their role."""

    ink: str
    muted: str
    line: str
    accent: str
    second: str
    paper: str


LIGHT = Palette("#1d2731", "#5d6b78", "#d5dbe1", "#0f766e", "#b45309", "#ffffff")
# Colours that nothing else uses, so that they can be found in the SVG and replaced by the page's variables.
_PLACEHOLDERS = Palette("#01a1a1", "#02a2a2", "#03a3a3", "#04a4a4", "#05a5a5", "#06a6a6")

_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "cx_assets",
    "font.sans-serif": ["DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
}

Draw = Callable[[Palette], Figure]


def svg(draw: Draw, name: str, title: str) -> str:
    """A plot as an SVG element that stands in a page.

    Args:
        draw: makes the figure in the colours that it's given.
        name: unique in the page; put before every id, so that two plots don't share clip paths.
        title: read out to those who can't see the plot.

    Returns:
        `<svg ...>`: the same text for the same figure, with colours as CSS variables (`var(--ink)` and so on).
    """
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        draw(_PLACEHOLDERS).savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for field in fields(Palette):
        text = text.replace(getattr(_PLACEHOLDERS, field.name), f"var(--{field.name})")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'xlink:href="#{name}-')
    # The page's own font, and a size that follows the width of the page.
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r'<svg([^>]*?) height="[^"]*"', r"<svg\1", text, count=1)
    text = re.sub(r'<svg([^>]*?) width="([\d.]+)pt"', _scaled, text, count=1)
    return re.sub(r"(<svg[^>]*>)", rf"\1<title>{title}</title>", text, count=1).replace("<svg", '<svg role="img"', 1)


def _scaled(match: re.Match[str]) -> str:
    """At most a third wider than drawn, and never wider than the page."""
    return f'<svg{match[1]} style="width:100%;max-width:{float(match[2]) * 4 / 3:.0f}px"'


def png(draw: Draw) -> str:
    """A plot as a PNG image, encoded in base64."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        draw(LIGHT).savefig(buffer, format="png", dpi=110, facecolor=LIGHT.paper, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def markdown_image(draw: Draw, title: str) -> str:
    """A plot as an image in Markdown, which is what the metadata of Dagster's UI can show."""
    return f"![{title}](data:image/png;base64,{png(draw)})"
