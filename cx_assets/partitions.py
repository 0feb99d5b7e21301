"""The days that events are loaded by.

Belongs here: partitions definitions. Does not: when they run (`automation`).
"""

from datetime import timedelta

import dagster as dg

from cx_assets.dataset import Dataset


def daily_events(dataset: Dataset) -> dg.DailyPartitionsDefinition:
    """One partition per UTC day of the dataset; a dataset that still grows has every day up to yesterday."""
    end = dataset.last_day + timedelta(days=1) if dataset.last_day else None
    return dg.DailyPartitionsDefinition(
        start_date=dataset.first_day.isoformat(), end_date=end.isoformat() if end else None, timezone="UTC"
    )
