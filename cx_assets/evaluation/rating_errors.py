"""How far predicted ratings are from given ones: the rows of `evaluation.rating_errors`.

Belongs here: which ratings are predicted, from which, and the errors. Does not: the predictors
(`recommendations.rating_prediction`), and no list: RMSE and MAE say how well a number is guessed that a customer would
have given to an item somebody else chose, not whether what is shown is what they want. They stand in this table alone
and nothing is ranked, chosen or published by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cx_assets.evaluation.bootstrap import resampled_means
from cx_assets.evaluation.split import Window
from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.recommendations.rating_prediction import RatingPredictor, Ratings
from cx_assets.table import Table, sql
from cx_assets.table.schema import instant

METRICS = ("rmse", "mae")
COLUMNS = ["predictor", "metric", "value", "ci_low", "ci_high", "ratings", "customers"]
LEVEL = 0.95


@dataclass(frozen=True)
class HeldBack:
    """Ratings of the window, and those before it that they are predicted from.

    Attributes:
        known: customer_id, item_id, rating; one row per pair rated before the window.
        asked: the same columns; one row per pair to be predicted. Empty where there is nothing to predict.
    """

    known: pa.Table
    asked: pa.Table


def hold_back(events: Table, window: Window) -> HeldBack:
    """The ratings before the window, and those of the window that somebody could be asked to foresee.

    A pair is asked about if the customer rated it in the window and never before it, and rated something else before:
    of others all predictors that know customers say the same. Several ratings of a pair are their mean, as in
    `matrices.interactions`.

    Args:
        events: warehouse.events.
        window: the days to look at.
    """
    rated = sql(f"select * from events where rating is not null and day < {instant(window.end)}", events=events)
    inside = sql(f"select * from rated where day >= {instant(window.as_of)}", rated=rated)
    # What an event weighs doesn't matter for a mean of ratings.
    before = fold_interactions(rated, as_of=window.as_of, weights=EventWeights())
    given = fold_interactions(inside, as_of=window.end, weights=EventWeights())
    asked = sql(
        """
        select g.customer_id, g.item_id, g.rating
        from given g
        anti join before b on b.customer_id = g.customer_id and b.item_id = g.item_id
        where g.customer_id in (select customer_id from before)
        order by g.customer_id, g.item_id
        """,
        given=given,
        before=before,
    ).arrow()
    columns = "select customer_id, item_id, rating from before order by customer_id, item_id"
    # Without a question there is no need to know anything, and in a shop without ratings nothing is folded.
    return HeldBack(sql(columns, before=before).arrow() if asked.num_rows else asked, asked)


def error_rows(held: HeldBack, predictors: Sequence[RatingPredictor], *, resamples: int, seed: int) -> pd.DataFrame:
    """RMSE and MAE of every predictor over all asked ratings, with intervals over customers.

    With e the prediction, clipped to the known scale, minus the rating:

        rmse = sqrt(mean of e ** 2),  mae = mean of |e|,  over ratings.

    Customers are drawn, each with all their ratings, and the figures taken over the ratings of the drawn ones; the same
    draws for all predictors.

    Args:
        held: the ratings.
        predictors: not fitted yet, names unique.
        resamples: draws of customers per interval.
        seed: of the draws.

    Returns:
        The columns of `COLUMNS`; no row if nothing is asked.

    Source: Herlocker et al. (2004), "Evaluating collaborative filtering recommender systems", section 4.1.
    """
    if not held.asked.num_rows:
        return pd.DataFrame(columns=COLUMNS)
    errors, owner = _errors(held, predictors)
    customers = int(owner.max()) + 1
    # The last column counts each customer's ratings: sums over drawn customers are divided by the ratings they have.
    columns = np.column_stack([errors**2, np.abs(errors), np.ones(len(owner))])
    per_customer = [np.bincount(owner, column, minlength=customers) for column in columns.T]
    sums: NDArray[np.float64] = np.stack(per_customer, axis=1).astype(np.float64)
    value = _figures(sums.mean(axis=0, keepdims=True))[0]
    drawn = _figures(resampled_means(sums, resamples=resamples, seed=seed))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = [(metric, predictor.name) for metric in METRICS for predictor in predictors]
    rows = [
        (predictor, metric, float(value[j]), float(low[j]), float(high[j]), len(owner), customers)
        for j, (metric, predictor) in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _errors(held: HeldBack, predictors: Sequence[RatingPredictor]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Prediction minus rating, of shape (ratings, predictors), and the customer of each row, numbered from 0."""
    known = Ratings.from_arrow(held.known)
    asked = held.asked.to_pandas()
    customers = pd.Index(known.customers, dtype=object).get_indexer(pd.Index(asked["customer_id"], dtype=object))
    items = pd.Index(known.items, dtype=object).get_indexer(pd.Index(asked["item_id"], dtype=object))
    given = asked["rating"].to_numpy(dtype=np.float64)
    errors = [known.clipped(one.fit(known).predict(customers, items)) - given for one in predictors]
    _, owner = np.unique(customers, return_inverse=True)
    return np.column_stack(errors), owner.astype(np.int64)


def _figures(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """RMSEs, then MAEs, of shape (draws, 2 * predictors), from means per customer of squares, sizes and counts."""
    per_rating = means[:, :-1] / means[:, -1:]
    half = per_rating.shape[1] // 2
    return np.hstack([np.sqrt(per_rating[:, :half]), per_rating[:, half:]])
