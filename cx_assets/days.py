"""The days of a dataset that are over, and days as unbroken stretches.

Belongs here: what commands and plain functions ask of days. Does not: the partitions that Dagster makes of them
(`partitions`).
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cx_assets.dataset import Dataset


def days_over(dataset: Dataset) -> list[date]:
    """The days that have a partition, sorted: those that are over where the dataset is at home."""
    last = datetime.now(ZoneInfo(dataset.timezone)).date() - timedelta(days=1)
    if dataset.last_day is not None:
        last = min(last, dataset.last_day)
    return [dataset.first_day + timedelta(days=n) for n in range((last - dataset.first_day).days + 1)]


def stretches(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """The first and last day of every unbroken stretch of `days`, which are sorted and distinct."""
    if not days:
        return
    breaks = [i for i, (a, b) in enumerate(pairwise(days), start=1) if b - a > timedelta(days=1)]
    for start, end in zip([0, *breaks], [*breaks, len(days)], strict=True):
        yield days[start], days[end - 1]
