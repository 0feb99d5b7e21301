"""The plots of the report.

Belongs here: drawing. Does not belong here: files and colours (`canvas`), what is said about a plot (`narrative`) or
where it stands (`report`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from cx_assets.canvas import Draw, Palette
from cx_assets.evaluation.narrative import BASELINE, PUBLISHED, label

_SIZE = (4.9, 3.7)
_CHARACTER, _LINE = 0.0185, 0.062  # the width of a character and the height of a line, as shares of axes of this size


def forest(rows: pd.DataFrame, x_label: str) -> Draw:
    """One line per recommender, best on top: the figure as a dot, its interval as a bar.

    Args:
        rows: recommender, value, ci_low, ci_high; any order.
        x_label: what the figure is.
    """

    def draw(palette: Palette) -> Figure:
        figure = Figure(figsize=(4.9, 0.7 + 0.3 * max(2, len(rows))), layout="constrained")
        draw_forest(figure.subplots(), rows, x_label, palette)
        return figure

    return draw


def forests(panels: Sequence[tuple[str, pd.DataFrame]], x_label: str) -> Draw:
    """Several forests side by side, each under its title, for the metadata of the asset.

    Args:
        panels: a title and the rows of `forest`, for each.
        x_label: what the figure is.
    """

    def draw(palette: Palette) -> Figure:
        tallest = max((len(rows) for _, rows in panels), default=2)
        figure = Figure(figsize=(4.9 * max(1, len(panels)), 1.2 + 0.3 * max(2, tallest)), layout="constrained")
        axes = figure.subplots(1, max(1, len(panels)), squeeze=False)[0]
        for axis, (title, rows) in zip(axes, panels, strict=False):
            draw_forest(axis, rows, x_label, palette)
            axis.set_title(title, loc="left", color=palette.ink, fontsize=11)
        return figure

    return draw


def draw_forest(axis: Axes, rows: pd.DataFrame, x_label: str, palette: Palette) -> None:
    """Draw a forest into axes; see `forest`."""
    ordered = rows.sort_values(["value", "recommender"], ascending=[True, False], kind="stable")
    figures = ordered[["ci_low", "value", "ci_high"]].to_numpy(dtype=np.float64)
    for y, (name, (low, value, high)) in enumerate(zip(ordered["recommender"], figures, strict=True)):
        colour = _colour(str(name), palette)
        axis.plot([low, high], [y, y], color=colour, linewidth=2.2, alpha=0.55, solid_capstyle="round")
        axis.plot([value], [y], "o", color=colour, markersize=5.5)
    axis.set_yticks(range(len(ordered)), [label(name) for name in ordered["recommender"]])
    for text, name in zip(axis.get_yticklabels(), ordered["recommender"], strict=True):
        text.set_color(_colour(str(name), palette, plain=palette.ink))
        text.set_fontweight("bold" if name == PUBLISHED else "normal")
    axis.set_ylim(-0.7, max(1.0, len(ordered) - 0.3))
    widest = float(ordered["ci_high"].max()) or 1.0
    axis.set_xlim(-0.02 * widest, 1.04 * widest)
    _finish(axis, palette, x_label)


def scatter(
    points: pd.DataFrame,
    x_label: str,
    y_label: str,
    *,
    log_x: bool = False,
    percent_x: bool = False,
    size: tuple[float, float] = _SIZE,
) -> Draw:
    """One dot per recommender, named beside it.

    Args:
        points: recommender, x, y; with `log_x`, points at or below 0 can't be drawn and must have been left out.
        x_label: what goes across.
        y_label: what goes up.
        log_x: tenfold steps across.
        percent_x: shares across, written as percentages.
        size: width and height in inches; many names need more.
    """

    def draw(palette: Palette) -> Figure:
        figure = Figure(figsize=size, layout="constrained")
        axis = figure.subplots()
        if log_x:
            axis.set_xscale("log")
            # Labels between the tenfold steps would lie on each other.
            axis.xaxis.set_minor_formatter(NullFormatter())
        ordered = points.sort_values(["y", "recommender"], kind="stable").reset_index(drop=True)
        at = ordered[["x", "y"]].to_numpy(dtype=np.float64)
        for name, (x, y) in zip(ordered["recommender"], at, strict=True):
            axis.plot([x], [y], "o", color=_colour(str(name), palette), markersize=6.5)
        if len(ordered):
            _limits(axis, ordered, log_x=log_x)
            if log_x and float(ordered["x"].max() / ordered["x"].min()) < 100:
                axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            _name_points(axis, ordered, palette, _CHARACTER * _SIZE[0] / size[0], _LINE * _SIZE[1] / size[1])
        if percent_x:
            axis.xaxis.set_major_formatter(FuncFormatter(_share))
        axis.set_ylabel(y_label, color=palette.muted)
        axis.grid(True, axis="y", color=palette.line, linewidth=0.8)
        _finish(axis, palette, x_label, locate=not log_x)
        return figure

    return draw


def _share(value: float, _: object) -> str:
    """A share as a percentage; nothing at ticks that lie in the room beside the dots and that no share can reach."""
    return f"{100 * value:.6g} %" if value <= 1 else ""


def pairs_of_bars(names: Sequence[str], first: Sequence[float], second: Sequence[float], keys: tuple[str, str]) -> Draw:
    """Two bars for each name, shares of a whole: how many customers there are, and what they're worth.

    Args:
        names: from top to bottom.
        first: share per name, of the upper bar.
        second: share per name, of the lower bar.
        keys: what the two are.
    """

    def draw(palette: Palette) -> Figure:
        figure = Figure(figsize=(6.4, 0.9 + 0.52 * max(1, len(names))), layout="constrained")
        axis = figure.subplots()
        y = np.arange(len(names))[::-1]
        axis.barh(y + 0.19, first, height=0.34, color=palette.muted, alpha=0.6, label=keys[0])
        axis.barh(y - 0.19, second, height=0.34, color=palette.accent, label=keys[1])
        axis.set_yticks(y, list(names))
        for text in axis.get_yticklabels():
            text.set_color(palette.ink)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g} %"))
        legend = axis.legend(loc="lower right", frameon=False, fontsize=9)
        for text in legend.get_texts():
            text.set_color(palette.ink)
        _finish(axis, palette, "share of all")
        return figure

    return draw


def _colour(recommender: str, palette: Palette, plain: str | None = None) -> str:
    return {PUBLISHED: palette.accent, BASELINE: palette.second}.get(recommender, plain or palette.muted)


def _finish(axis: Axes, palette: Palette, x_label: str, *, locate: bool = True) -> None:
    """What all plots share: a quiet grid, no frame, small ticks."""
    axis.set_xlabel(x_label, color=palette.muted)
    axis.tick_params(axis="both", length=0, labelsize=9.5)
    axis.tick_params(axis="x", which="both", labelcolor=palette.muted, length=0)
    if not axis.get_yticklabels() or locate is False or axis.get_ylabel():
        axis.tick_params(axis="y", labelcolor=palette.muted)
    axis.grid(True, axis="x", color=palette.line, linewidth=0.8)
    axis.spines["bottom"].set_color(palette.line)
    axis.patch.set_alpha(0)
    if locate:
        axis.xaxis.set_major_locator(MaxNLocator(5))


def _limits(axis: Axes, points: pd.DataFrame, *, log_x: bool) -> None:
    """Room around the points for their names."""
    low, high = float(points["x"].min()), float(points["x"].max())
    if log_x:
        room = 10 ** (0.22 * max(1.0, np.log10(high / low)))
        axis.set_xlim(low / room, high * room)
    else:
        width = (high - min(0.0, low)) or 1.0
        axis.set_xlim(min(0.0, low) - 0.04 * width, high + 0.16 * width)
    top = float(points["y"].max()) or 1.0
    axis.set_ylim(-0.07 * top, 1.14 * top)


def _name_points(axis: Axes, points: pd.DataFrame, palette: Palette, character: float, height: float) -> None:
    """Write every name beside its dot, at the nearest place where it covers neither a name nor a dot nor a line.

    The width of a character and the height of a line are shares of the axes.
    """
    corner = axis.transAxes.inverted()
    dots = [(float(x), float(y)) for x, y in corner.transform(axis.transData.transform(points[["x", "y"]].to_numpy()))]
    taken = [_around(x, y, 0.014, 0.02) for x, y in dots]
    for number in reversed(range(len(dots))):
        name = str(points["recommender"].iloc[number])
        others = taken[:number] + taken[number + 1 :]
        box, line = _free_place(*dots[number], character * len(label(name)), height, others)
        taken += [box, *line]
        axis.annotate(
            label(name),
            xy=dots[number],
            xytext=(box.left, (box.bottom + box.top) / 2),
            xycoords="axes fraction",
            textcoords="axes fraction",
            fontsize=9.5,
            va="center",
            color=_colour(name, palette, plain=palette.ink),
            fontweight="bold" if name == PUBLISHED else "normal",
            arrowprops={"arrowstyle": "-", "color": palette.muted, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4}
            if line
            else None,
        )


@dataclass(frozen=True)
class _Box:
    """A rectangle in the axes, in shares of their width and height."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: _Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top


def _around(x: float, y: float, width: float, height: float) -> _Box:
    return _Box(x - width, y - height, x + width, y + height)


def _free_place(x: float, y: float, width: float, height: float, taken: Sequence[_Box]) -> tuple[_Box, list[_Box]]:
    """Where a name fits, and the line that joins it to its dot as a row of small boxes; none if it stands beside it."""
    places = []
    for rise in range(-12, 13):
        for away in range(8):
            gap = 0.024 + 0.03 * away
            middle = y + rise * height / 4
            for left, near in ((x + gap, x + gap), (x - gap - width, x - gap)):
                box = _Box(left, middle - height / 2, left + width, middle + height / 2)
                places.append((gap + 1.5 * abs(middle - y), left < x, rise < 0, box, near, middle))
    for *_, box, near, middle in sorted(places, key=lambda place: place[:3]):
        aside = abs(middle - y) > height / 2 or abs(near - x) > 0.05
        share = np.linspace(0.2, 1.0, 12) if aside else np.empty(0)
        line = [_around(x + (near - x) * s, y + (middle - y) * s, 0.003, 0.003) for s in share.tolist()]
        inside = box.left >= 0 and box.right <= 1.06 and box.bottom >= -0.01 and box.top <= 1.01
        if inside and not any(part.overlaps(other) for part in (box, *line) for other in taken):
            return box, line
    return _Box(x, y - height / 2, x + width, y + height / 2), []
