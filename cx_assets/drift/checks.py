"""Drift, shown where an operator looks: warnings about the days that a run is about. None of them stops anything.

Belongs here: which days and figures each check is about. Does not: their bounds (`judging`), which alarms come
first (`foremost`), or sentences (`words`).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import dagster as dg
import pandas as pd

from cx_assets.canvas import markdown_image
from cx_assets.drift.bounds import YOUNG_DAYS
from cx_assets.drift.counting import LABELS
from cx_assets.drift.foremost import foremost
from cx_assets.drift.plots import history
from cx_assets.drift.words import tell
from cx_assets.table import Table, sql, table_check
from cx_assets.table.schema import literal

RANGE_END, RANGE_START = "dagster/asset_partition_range_end", "dagster/asset_partition_range_start"
PARTITION: Final = "dagster/partition"
MOST_DAYS: Final = 28
"""Of a run over a longer range the last days are told about; the table has all."""
PLOT_DAYS: Final = 84
TOLD: Final = 5

_LABELS = ", ".join(map(literal, LABELS))
_OF_CATEGORIES = f"(figure in ('mix', 'vanished') or figure = 'new share' and column_name in ({_LABELS}))"


@table_check("daily_figures", blocking=False)
def volume_is_as_expected(context: dg.AssetCheckExecutionContext, daily_figures: Table) -> dg.AssetCheckResult:
    """As many events came as on the same weekday before, and no more of them twice or broken."""
    return _verdict(context, daily_figures, "column_name = 'event'")


@table_check("daily_figures", blocking=False)
def columns_are_as_before(context: dg.AssetCheckExecutionContext, daily_figures: Table) -> dg.AssetCheckResult:
    """In every column the shares of missing, distinct and new values, and the middle of numbers, are as before."""
    return _verdict(context, daily_figures, f"column_name <> 'event' and not {_OF_CATEGORIES}")


@table_check("daily_figures", blocking=False)
def categories_are_as_before(context: dg.AssetCheckExecutionContext, daily_figures: Table) -> dg.AssetCheckResult:
    """Event types, stores, item categories, hours and sizes mix as before; none of them is new or has vanished."""
    return _verdict(context, daily_figures, _OF_CATEGORIES)


def _verdict(context: dg.AssetCheckExecutionContext, daily_figures: Table, about: str) -> dg.AssetCheckResult:
    order = "order by day, column_name, figure"
    figures = sql(f"select * from daily_figures where {about} {order}", daily_figures=daily_figures)
    first, last = sql("select min(day), max(day) from daily_figures", daily_figures=daily_figures).fetchone()
    if first is None:
        return dg.AssetCheckResult(passed=True, description="There is no event yet, so nothing to compare.")
    start, end = days_of_run(context.run.tags, last)
    return judge_days(figures.df(), first, start, end)


def days_of_run(tags: Mapping[str, str], last: date) -> tuple[date, date]:
    """The days that a run is about: those of its range, at most the last four weeks of them; else the last with events.

    Args:
        tags: the run's.
        last: the last day with events.
    """
    day = tags.get(PARTITION)
    start, end = tags.get(RANGE_START, day), tags.get(RANGE_END, day)
    if start is None or end is None:
        return last, last
    until = min(date.fromisoformat(end), last)
    return max(date.fromisoformat(start), until - timedelta(days=MOST_DAYS - 1)), until


def judge_days(figures: pd.DataFrame, first: date, start: date, end: date) -> dg.AssetCheckResult:
    """The verdict on some days.

    Args:
        figures: the rows of `drift.daily_figures` that the check is about.
        first: the first day of the events.
        start: the first day to tell about.
        end: the last.
    """
    figures = figures.assign(day=pd.to_datetime(figures["day"]))
    days = figures[figures["day"].between(pd.Timestamp(start), pd.Timestamp(end))]
    judged = days.dropna(subset=["expected"])
    span = (end - first).days + 1
    if judged.empty:
        why = (
            f"The events span {span} days up to {end}: drift is judged from {YOUNG_DAYS // 7} weeks on, so nothing is."
            if span <= YOUNG_DAYS
            else f"Of {start} to {end} nothing could be judged: too few of the days before them have events."
        )
        return dg.AssetCheckResult(passed=True, description=why, metadata={"days judged": 0, "alarms": 0})
    alarms = judged[judged["alarm"]]
    count = judged["day"].nunique()
    first_told = foremost(alarms, TOLD)
    told = [tell(row) for _, row in first_told.iterrows()]
    more = len(alarms) - len(told)
    text = f"{alarms['day'].nunique()} of {count} days from {start} to {end} have a figure out of its bounds."
    if told:
        text += "\n" + "\n".join(told) + (f"\n{more} more are in drift.daily_figures." if more else "")
    shown = first_told.iloc[0] if told else judged.iloc[-1]
    column, kind = shown["column_name"], shown["figure"]
    one = figures[(figures["column_name"] == column) & (figures["figure"] == kind)]
    recent = one[one["day"].between(pd.Timestamp(end) - pd.Timedelta(days=PLOT_DAYS), pd.Timestamp(end))]
    metadata = {"days judged": count, "alarms": len(alarms), "days with alarms": int(alarms["day"].nunique())}
    plot = dg.MetadataValue.md(markdown_image(history(recent, f"{column}: {kind}"), f"{column}: {kind}"))
    return dg.AssetCheckResult(
        passed=alarms.empty, severity=dg.AssetCheckSeverity.WARN, description=text, metadata={**metadata, "plot": plot}
    )
