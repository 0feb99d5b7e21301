"""The plot of probabilities against what came of them.

Belongs here: drawing. Does not: the rows (`calibration`), colours and files (`canvas`).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cx_assets.canvas import Draw, Palette


def calibration(panels: Sequence[tuple[str, pd.DataFrame]]) -> Draw:
    """For each list what was foreseen across and what was taken up, with its interval; the line is where they agree.

    Args:
        panels: a title and predicted, taken, ci_low, ci_high of its bins, for each.
    """

    def draw(palette: Palette) -> Figure:
        figure = Figure(figsize=(10.0, 3.6), layout="constrained")
        axes = figure.subplots(1, max(1, len(panels)), squeeze=False)[0]
        for axis, (title, rows) in zip(axes, panels, strict=False):
            top = 1.06 * float(rows[["predicted", "ci_high"]].to_numpy().max())
            axis.plot([0, top], [0, top], color=palette.muted, linewidth=1.0, linestyle="--")
            axis.vlines(
                rows["predicted"], rows["ci_low"], rows["ci_high"], color=palette.accent, linewidth=2, alpha=0.55
            )
            axis.plot(rows["predicted"], rows["taken"], "o-", color=palette.accent, markersize=4.5, linewidth=1.0)
            axis.set_title(title, loc="left", color=palette.ink, fontsize=11)
            axis.set_xlabel("foreseen", color=palette.muted)
            axis.set_xlim(0, top)
            axis.set_ylim(0, top)
            for one in (axis.xaxis, axis.yaxis):
                one.set_major_locator(MaxNLocator(5))
                one.set_major_formatter(PercentFormatter(1.0, decimals=None))
            axis.tick_params(axis="both", length=0, labelsize=9.5, labelcolor=palette.muted)
            axis.grid(True, color=palette.line, linewidth=0.8)
            axis.spines["bottom"].set_color(palette.line)
            axis.patch.set_alpha(0)
        axes[0].set_ylabel("taken", color=palette.muted)
        return figure

    return draw
