"""The days that events are loaded by, and the as-of dates that recommenders are judged on.

Belongs here: partitions definitions. Does not: days without Dagster (`days`), or when they run (`automation`).
"""

from datetime import date, timedelta

import dagster as dg

from cx_assets.dataset import Dataset


def daily_events(dataset: Dataset) -> dg.DailyPartitionsDefinition:
    """One partition per day, where the dataset is at home; one that still grows has every day up to yesterday."""
    end = dataset.last_day + timedelta(days=1) if dataset.last_day else None
    return dg.DailyPartitionsDefinition(
        start_date=dataset.first_day.isoformat(), end_date=end.isoformat() if end else None, timezone=dataset.timezone
    )


# A recommender that learns from earlier as-of dates needs some before the first that it is judged on.
WEEKS_BEFORE = 8
MONDAY = 1


def weekly_backtest(dataset: Dataset, horizon_days: int) -> dg.WeeklyPartitionsDefinition:
    """One partition per as-of date: the Mondays from eight weeks after the first day.

    The last is the last whose horizon ends with the dataset; a dataset that still grows has every week that is over.

    Args:
        dataset: its first and last day.
        horizon_days: days after the as-of date on which it is judged.
    """
    end = None
    if dataset.last_day:
        last = _monday_up_to(dataset.last_day + timedelta(days=1 - horizon_days))
        # Dagster wants the end of the last week, and a range that isn't empty.
        end = max(last, _monday_up_to(dataset.first_day)) + timedelta(weeks=1)
    start = _monday_up_to(dataset.first_day + timedelta(days=6)) + timedelta(weeks=WEEKS_BEFORE)
    if end is not None and start >= end:
        start = end - timedelta(weeks=1)
    return dg.WeeklyPartitionsDefinition(
        start_date=start.isoformat(),
        end_date=end.isoformat() if end else None,
        day_offset=MONDAY,
        timezone=dataset.timezone,
    )


def _monday_up_to(day: date) -> date:
    return day - timedelta(days=day.weekday())
