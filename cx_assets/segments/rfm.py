"""Recency, frequency and monetary value as scores from 1 to 5.

Belongs here: the scores and nothing else. Does not: computing the figures (`features`) or grouping customers by more
than these three (`kmeans`).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

SCORES = 5


def quintile_scores(values: NDArray[np.float64], *, lower_is_better: bool = False) -> NDArray[np.int64]:
    """The fifth of the customers, from 1 (worst) to 5 (best), in which each value lies.

    Equal values get equal scores: a group of equals goes to the fifth in which its middle lies. So scores depend
    neither on the order of rows nor on customer ids, and where everybody is equal everybody scores 3.

    Args:
        values: finite, of shape (customers,).
        lower_is_better: for recency, where few days are good.

    Returns:
        int64 of the same shape. n distinct values, n a multiple of 5, give n / 5 customers each score.

    Source: Hughes (1994), "Strategic Database Marketing", with mid-ranks (Conover 1980) in place of arbitrary order.
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    # Twice the mid-rank is whole, so the fifths are cut without rounding.
    doubled = np.rint(2 * rankdata(-values if lower_is_better else values, method="average")).astype(np.int64)
    scores: NDArray[np.int64] = -(-SCORES * (doubled - 1) // (2 * len(values)))
    return scores


def rfm_scores(features: pd.DataFrame) -> pd.DataFrame:
    """Recency, frequency and monetary scores of every customer.

    Args:
        features: with `recency_days`, `frequency`, `monetary`.

    Returns:
        `recency_score`, `frequency_score`, `monetary_score` (int64, 1 to 5) and `rfm`, such as '5-4-5'; same index.
    """
    scores = pd.DataFrame(
        {
            "recency_score": quintile_scores(features["recency_days"].to_numpy(dtype=float), lower_is_better=True),
            "frequency_score": quintile_scores(features["frequency"].to_numpy(dtype=float)),
            "monetary_score": quintile_scores(features["monetary"].to_numpy(dtype=float)),
        },
        index=features.index,
    )
    return scores.assign(rfm=scores.astype(str).agg("-".join, axis=1) if len(scores) else pd.Series(dtype=str))
