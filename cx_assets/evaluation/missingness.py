"""Whether values are missing at random, as far as what is known can tell.

Belongs here: how well known figures and columns foretell that a value is missing. Does not: scoring what is filled in
(`imputation`). An area of 0.5 is no proof: a value may be missing because of what it would have been, and no data
that lack it can show that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

FOLDS = 3
# Of either kind, below which no area is told.
FEW = 20
# Enough for an interval of about 0.01; bounds the time on a large catalogue.
MAX_ROWS = 10_000

NOTABLE = 0.6
"""The area above which missingness is called foretold: a smaller one can be sure and still of no consequence."""


@dataclass(frozen=True)
class Area:
    """An area under the ROC curve with its 95 % interval: 0.5 is chance, 1 is a certain forecast."""

    value: float
    low: float
    high: float

    @property
    def notable(self) -> bool:
        """Whether it is surely above `NOTABLE`."""
        return self.low > NOTABLE


def foretold(known: pd.DataFrame, missing: NDArray[np.bool_], *, seed: int = 0) -> Area | None:
    """How well columns foretell where a value is missing: by gradient boosting, on rows that it hasn't learnt from.

    Args:
        known: one row per thing; numbers as they are, everything else by the number of its value; null where unknown,
            which may tell as much as a value.
        missing: bool, one per row.
        seed: of the folds and of the sample when there are more than 10,000 rows.

    Returns:
        The area, or None without columns or with fewer than 20 rows of either kind.
    """
    rows = np.arange(len(missing))
    if len(rows) > MAX_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_ROWS, replace=False))
    target = missing[rows]
    if known.empty or min(target.sum(), (~target).sum()) < FEW:
        return None
    features = _numbers(known)[rows]
    scores = np.empty(len(rows))
    for learnt, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, target):
        model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, early_stopping=False, random_state=seed)
        model.fit(features[learnt], target[learnt])
        scores[held_out] = model.predict_proba(features[held_out])[:, 1]
    return area(scores, target)


def area(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Area:
    """The area under the ROC curve of scores, ties counting half.

    Args:
        scores: float64 of shape (rows,).
        positive: bool of the same shape, at least two rows of either kind.

    Returns:
        The area with a normal interval on the logit scale, which keeps it inside 0 and 1.

    Source: DeLong, DeLong & Clarke-Pearson (1988); computed by ranks as Sun & Xu (2014).
    """
    above, below = scores[positive], scores[~positive]
    m, n = len(above), len(below)
    ranks = rankdata(np.concatenate([above, below]))
    beaten_by_each = (ranks[:m] - rankdata(above)) / n
    beating_each = 1 - (ranks[m:] - rankdata(below)) / m
    value = float(beaten_by_each.mean())
    error = float(np.sqrt(beaten_by_each.var(ddof=1) / m + beating_each.var(ddof=1) / n))
    if error == 0:
        return Area(value, value, value)
    inside = min(max(value, 1e-9), 1 - 1e-9)
    reach = float(norm.ppf(0.975)) * error / (inside * (1 - inside))
    logit = np.log(inside / (1 - inside))
    low, high = (float(1 / (1 + np.exp(-(logit + side * reach)))) for side in (-1, 1))
    return Area(value, low, high)


def _numbers(known: pd.DataFrame) -> NDArray[np.float64]:
    """Columns as float64, NaN where null; what isn't a number by its place among the column's sorted values."""
    columns = []
    for name in known.columns:
        column = known[name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            columns.append(column.to_numpy(dtype=np.float64, na_value=np.nan))
        else:
            codes = pd.factorize(column, sort=True)[0].astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
    return np.column_stack(columns)
