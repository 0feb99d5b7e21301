"""The plot of the backtest's page that the daily report doesn't have: figures over as-of dates.

Belongs here: drawing. Does not: dots and intervals (`plots`), colours and files (`canvas`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cx_assets.canvas import Draw, Palette
from cx_assets.evaluation.narrative import BASELINE, PUBLISHED, label

_TICKS = 6
_DASHES = ("-", "--", "-.", ":")
_LINE = 0.055
"""Height of a name at the end of a line, as a share of the axes."""


def trend(rows: pd.DataFrame, y_label: str) -> Draw:
    """A line per recommender over the as-of dates, named at its end.

    Args:
        rows: as_of, ascending, and a column per recommender, the most important first; NaN where there is no figure.
        y_label: what goes up.
    """

    def draw(palette: Palette) -> Figure:
        figure = Figure(figsize=(10.0, 4.0), layout="constrained")
        axis = figure.subplots()
        days = _days(rows["as_of"], rows["as_of"].iloc[0])
        names = [str(name) for name in rows.columns if name != "as_of"]
        values = rows[names].to_numpy(dtype=np.float64)
        low, top = float(np.nanmin(values)), float(np.nanmax(values))
        # Not from 0 on: what matters is whether lines cross, and the best lie near each other.
        room = 0.08 * ((top - low) or 1.0)
        low, top = low - room, top + room
        ends = kept_apart([_last(values[:, i]) for i in range(len(names))], _LINE * (top - low))
        plain = [name for name in names if name not in {PUBLISHED, BASELINE}]
        for i, name in enumerate(names):
            colour = {PUBLISHED: palette.accent, BASELINE: palette.second}.get(name, palette.ink)
            dash = _DASHES[plain.index(name) % len(_DASHES)] if name in plain else "-"
            width = 2.2 if i == 0 else 1.4
            axis.plot(days, values[:, i], dash, color=colour, linewidth=width, marker="o", markersize=2.6)
            axis.annotate(
                label(name),
                xy=(days[-1], _last(values[:, i])),
                xytext=(days[-1] + 0.03 * (days[-1] - days[0] or 1.0), ends[i]),
                fontsize=8.5,
                va="center",
                color=colour,
                fontweight="bold" if i == 0 else "normal",
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": palette.muted, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
            )
        axis.set_ylim(low, top)
        ticks = _ticks(rows["as_of"])
        axis.set_xticks(_days(ticks, rows["as_of"].iloc[0]), [f"{tick.day} {tick:%b %Y}" for tick in ticks])
        axis.set_ylabel(y_label, color=palette.muted)
        axis.tick_params(axis="both", length=0, labelsize=9.5, labelcolor=palette.muted)
        axis.grid(True, axis="y", color=palette.line, linewidth=0.8)
        axis.spines["bottom"].set_color(palette.line)
        axis.patch.set_alpha(0)
        return figure

    return draw


def _days(moments: pd.Series, start: pd.Timestamp) -> NDArray[np.float64]:
    return np.asarray((moments - start) / pd.Timedelta(days=1), dtype=np.float64)


def _ticks(dates: pd.Series) -> pd.Series:
    """Some of the dates, the last among them, far enough from each other for their names."""
    gap = (dates.iloc[-1] - dates.iloc[0]) / _TICKS
    chosen = [len(dates) - 1]
    for place in range(len(dates) - 2, -1, -1):
        if dates.iloc[chosen[-1]] - dates.iloc[place] >= gap:
            chosen.append(place)
    return dates.iloc[chosen[::-1]]


def _last(values: NDArray[np.float64]) -> float:
    """The last figure that is there."""
    found = values[np.isfinite(values)]
    return float(found[-1]) if len(found) else 0.0


def kept_apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Heights as near to the wanted ones as they can be with a gap between any two, in the same order."""
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))
    placed = [0.0] * len(wanted)
    groups: list[list[int]] = []
    for i in order:
        groups.append([i])
        # Names that would touch are moved together, so that they stay centred on their lines.
        while True:
            for group in groups[-2:]:
                middle = sum(wanted[j] for j in group) / len(group)
                for place, j in enumerate(group):
                    placed[j] = middle + (place - (len(group) - 1) / 2) * gap
            if len(groups) < 2 or placed[groups[-1][0]] - placed[groups[-2][-1]] >= gap:
                break
            groups[-2:] = [groups[-2] + groups[-1]]
    return placed
