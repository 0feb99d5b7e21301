"""Whether scores that are meant as probabilities are such: of what was given 20 %, is a fifth taken?

Belongs here: places of lists in bins of equal size by their score, and what share of each bin was taken. Does not: how
good an order is (`figures`), how near the categories of a list are to a customer's (`diversity`), or drawing it.

Everyone with a list counts, those too who then took nothing at all: a probability is of them as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.evaluation.backtest_figures import apart
from cx_assets.evaluation.bootstrap import resampled_means
from cx_assets.evaluation.split import LISTS, Window, truth
from cx_assets.table import Table, sql
from cx_assets.table.schema import instant, literal

BINS = 10

COLUMNS = [
    *("list", "bin", "lowest", "highest", "places", "predicted", "taken", "ci_low", "ci_high"),
    *("customers", "dates"),
]


_FIELDS = ("customer", "score", "taken")


@dataclass(frozen=True)
class Scored:
    """Places of one list over some dates.

    Attributes:
        customer: object of shape (places,): whose list.
        score: float64: what the recommender gave the item.
        taken: bool: within the horizon.
    """

    customer: NDArray[np.object_]
    score: NDArray[np.float64]
    taken: NDArray[np.bool_]


def dates_apart(lists: Table, recommender: str, horizon_days: int) -> list[datetime]:
    """The as-of dates of a recommender's lists whose horizons don't overlap, from the last backwards."""
    query = f"select distinct as_of from t where recommender = {literal(recommender)}"
    return apart([row[0] for row in sql(query, t=lists).fetchall()], horizon_days)


def scored_places(lists: Table, events: Table, items: Table, window: Window, recommender: str) -> dict[str, Scored]:
    """The places of one date by list, marked with what was taken in the window."""
    own = sql(
        f"select list, customer_id, item_id, score from t where as_of = {instant(window.as_of)} "
        f"and recommender = {literal(recommender)}",
        t=lists,
    )
    pairs = truth(events, items, window)[["customer_id", "item_id"]]
    rows = sql(
        """
        select o.list, o.customer_id, cast(o.score as double) as score, p.item_id is not null as taken
        from own o
        left join pairs p on p.customer_id = o.customer_id and p.item_id = o.item_id
        order by o.list, o.customer_id, o.item_id
        """,
        own=own,
        pairs=pairs,
    ).df()
    return {
        str(which): Scored(
            group["customer_id"].to_numpy(dtype=object), group["score"].to_numpy(), group["taken"].to_numpy(dtype=bool)
        )
        for which, group in rows.groupby("list", sort=False)
    }


def calibration_rows(dates: Sequence[dict[str, Scored]], *, resamples: int, seed: int) -> pd.DataFrame:
    """Predicted and real shares by bin of the score, over all dates together.

    The bins of a list hold about as many places each; places of equal scores share one, so there may be fewer.

    Args:
        dates: the places of each date by list, of dates whose horizons don't overlap.
        resamples: draws of customers per interval; a customer is drawn with all places of all dates.
        seed: of the draws.

    Returns:
        `COLUMNS`, ordered by list, then bin from the lowest score.

    Source: Naeini, Cooper & Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning" (the
        expected calibration error over bins of equal size).
    """
    frames = [pd.DataFrame(columns=COLUMNS)]
    for which in LISTS:
        parts = [date[which] for date in dates if which in date]
        if parts:
            together = Scored(*(np.concatenate([getattr(p, name) for p in parts]) for name in _FIELDS))
            rows = _bins(together, resamples=resamples, seed=seed)
            frames.append(rows.assign(list=which, dates=len(parts))[COLUMNS])
    return pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)


def expected_error(rows: pd.DataFrame) -> float:
    """By how much predicted and real shares differ, on average over the places of one list; NaN without rows."""
    return float(np.average((rows["predicted"] - rows["taken"]).abs(), weights=rows["places"])) if len(rows) else np.nan


def _bins(scored: Scored, *, resamples: int, seed: int) -> pd.DataFrame:
    edges = np.unique(np.quantile(scored.score, np.linspace(0, 1, BINS + 1)[1:-1]))
    held, number = np.unique(np.searchsorted(edges, scored.score, side="right"), return_inverse=True)
    customers, row = np.unique(scored.customer, return_inverse=True)
    shape = (len(customers), len(held))
    cell = row * shape[1] + number
    places = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    taken = np.bincount(cell, weights=scored.taken, minlength=shape[0] * shape[1]).reshape(shape)
    # A share is a sum over a sum, and both are of the same draw of customers.
    drawn = resampled_means(np.column_stack([taken, places]), resamples=resamples, seed=seed)
    above, below = drawn[:, : shape[1]], drawn[:, shape[1] :]
    shares = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    low, high = np.nanquantile(shares, [0.025, 0.975], axis=0)
    by_bin = pd.DataFrame({"bin": number, "score": scored.score}).groupby("bin")["score"]
    total = places.sum(axis=0)
    return pd.DataFrame(
        {
            "bin": np.arange(1, len(held) + 1),
            "lowest": by_bin.min().to_numpy(),
            "highest": by_bin.max().to_numpy(),
            "places": total.astype(np.int64),
            "predicted": by_bin.mean().to_numpy(),
            "taken": taken.sum(axis=0) / total,
            "ci_low": low,
            "ci_high": high,
            "customers": (places > 0).sum(axis=0),
        }
    )
