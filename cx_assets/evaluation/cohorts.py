"""Figures of some customers apart: who is served well, and who isn't.

Belongs here: which cohort a customer is in on an as-of date, and figures by cohort. Does not: metrics or intervals, or
judging the same lists on other items or on categories (`rejudged`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cx_assets.evaluation.backtest_figures import mean_over_dates
from cx_assets.evaluation.figures import METRIC_COLUMNS, JudgedLists
from cx_assets.evaluation.metrics import accuracy
from cx_assets.evaluation.split import LISTS, training_events
from cx_assets.recommendations.segment_popularity import SEGMENTS, segment_of
from cx_assets.table import Table, sql

BY_BASKETS = (
    ("1 to 2 baskets", 1, 2),
    ("3 to 5 baskets", 3, 5),
    ("6 to 20 baskets", 6, 20),
    ("21 to 80 baskets", 21, 80),
    ("81 baskets and more", 81, 10**9),
)
"""Name, fewest and most baskets before the as-of date."""

BY_TENURE = (("first 28 days", 0, 28), ("29 to 90 days", 29, 90), ("after 90 days", 91, 10**9))
"""Name, fewest and most days since the first event."""

COHORTS = (*(name for name, *_ in BY_BASKETS), *(name for name, *_ in BY_TENURE), *SEGMENTS)
"""All cohorts, in the order of the report. The segments are those by recency and frequency as of the date."""

METRICS = ("precision", "recall", "ndcg", "hit_rate")
K = 10


def cohort_rows(dates: Sequence[JudgedLists], events: Table, *, resamples: int, seed: int) -> pd.DataFrame:
    """Figures at 10 of every cohort, over the dates.

    A customer may be in another cohort on another date.

    Returns:
        `METRIC_COLUMNS` and the cohort; none for a cohort without customers.
    """
    rows = []
    members = {date.date: _cohorts(date, events) for date in dates if date.customers}
    for which in LISTS:
        held = [date for date in dates if which in date.customers]
        if not held:
            continue
        customers = np.unique(np.concatenate([date.customers[which] for date in held]))
        places = [np.searchsorted(customers, date.customers[which]) for date in held]
        # A customer who isn't judged on a date is in no cohort on it.
        inside = np.zeros((len(customers), len(held), len(COHORTS)), dtype=bool)
        for d, date in enumerate(held):
            frame = members[date.date].reindex(date.customers[which], fill_value=False)
            inside[places[d], d] = frame[list(COHORTS)].to_numpy()
        for name in sorted({one.recommender for date in held for one in date.lists if one.which == which}):
            values = np.full((len(customers), len(held), len(METRICS)), np.nan)
            for d, date in enumerate(held):
                for one in date.lists:
                    if one.which == which and one.recommender == name:
                        figures = accuracy(one.hit, one.relevant, [K])
                        values[places[d], d] = np.column_stack([figures[metric, K] for metric in METRICS])
            for c, cohort in enumerate(COHORTS):
                own = np.where(inside[:, :, c, None], values, np.nan)
                kept = np.isfinite(own).any(axis=(1, 2))
                if not kept.any():
                    continue
                mean, low, high = mean_over_dates(own[kept], resamples=resamples, seed=seed)
                rows += [
                    (name, which, metric, K, mean[i], low[i], high[i], int(kept.sum()), cohort)
                    for i, metric in enumerate(METRICS)
                ]
    return pd.DataFrame(rows, columns=[*METRIC_COLUMNS, "cohort"])


def _cohorts(date: JudgedLists, events: Table) -> pd.DataFrame:
    """One row per customer with events before the date, by id; one boolean column per cohort."""
    known = sql(
        f"""
        select customer_id, count(distinct basket_id) as baskets,
            date_diff('day', min(day), date '{date.date:%Y-%m-%d}') as days,
            date_diff('day', max(day), date '{date.date:%Y-%m-%d}') as days_since
        from before group by customer_id
        """,
        before=training_events(events, date.date),
    ).df()
    own = known.set_index("customer_id")
    # Thirds are of all who have been seen by then, not of those who came back and so are judged.
    segment = segment_of(own["days_since"].to_numpy(dtype=np.float64), own["baskets"].to_numpy(dtype=np.int64))
    ranges = {name: own["baskets"].between(low, high) for name, low, high in BY_BASKETS}
    ranges |= {name: own["days"].between(low, high) for name, low, high in BY_TENURE}
    return pd.DataFrame({**ranges, **{name: segment == number for number, name in enumerate(SEGMENTS)}})
