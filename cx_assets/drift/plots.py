"""The small plot beside a verdict: a figure over the last weeks, and where it was expected.

Belongs here: drawing. Does not: colours and files (`canvas`).
"""

import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from cx_assets.canvas import Draw, Palette


def history(figures: pd.DataFrame, title: str) -> Draw:
    """One figure of one column by day: a dot each, the bounds as a band, alarms in the second colour.

    Args:
        figures: rows of `drift.daily_figures` of one column and figure, by day.
        title: what is shown.
    """

    def draw(palette: Palette) -> Figure:
        figure = Figure(figsize=(6.4, 2.4), layout="constrained")
        axis = figure.subplots()
        axis.fill_between(figures["day"], figures["low"], figures["high"], color=palette.line, linewidth=0)
        axis.plot(figures["day"], figures["expected"], color=palette.muted, linewidth=1)
        for alarm, colour in ((False, palette.accent), (True, palette.second)):
            some = figures[figures["alarm"] == alarm]
            axis.plot(some["day"], some["value"], "o", color=colour, markersize=3 + 3 * alarm)
        locator = AutoDateLocator()
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axis.tick_params(colors=palette.muted, length=0, labelsize=8)
        axis.set_title(title, loc="left", color=palette.ink, fontsize=10)
        return figure

    return draw
