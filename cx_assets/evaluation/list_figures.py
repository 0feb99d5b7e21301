"""From judged lists to the rows of `LIST_METRICS`: how even, varied, surprising, calibrated and valuable lists are.

Belongs here: asking for each metric of every recommender's lists. Does not belong here: what a metric is
(`beyond_accuracy`, `diversity`), what it needs (`list_context`), or accuracy, coverage and novelty (`figures`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.beyond_accuracy import LIST_METRICS, Figure, gini
from cx_assets.evaluation.bootstrap import intervals
from cx_assets.evaluation.diversity import (
    calibration,
    diversity,
    personalisation,
    popularity_lift,
    revenue_recall,
    serendipity,
)
from cx_assets.evaluation.figures import METRIC_COLUMNS, JudgedList, JudgedLists
from cx_assets.evaluation.list_context import ListContext
from cx_assets.evaluation.metrics import EMPTY_PLACE
from cx_assets.evaluation.split import LISTS

Key = tuple[str, str, int]
"""Recommender, metric, k."""


def list_metric_rows(
    judged: JudgedLists, context: ListContext, ks: Sequence[int], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Every metric of `LIST_METRICS` of every recommender, list and k, with its interval.

    Args:
        judged: the lists.
        context: of the same lists.
        ks: list lengths to judge.
        resamples: draws of customers per interval.
        seed: of the draws; with the same one as for `figures.metric_rows`, they are the same draws.

    Returns:
        The columns of `METRIC_COLUMNS`. A metric that no customer has a figure of has no row: most of a recommender
        who shows nothing to anybody, diversity at 1, revenue recall where nothing was paid for.

    Raises:
        ValueError: if a `k` is below 1 or beyond the depth of the lists.
    """
    rows: list[tuple[str, str, str, int, float, float, float, int]] = []
    for which in LISTS:
        lists = [one for one in judged.lists if one.which == which]
        if not lists:
            continue
        depth = lists[0].shown.shape[1]
        wrong = [k for k in ks if not 1 <= k <= depth]
        if wrong:
            raise ValueError(f"k must lie within 1 and {depth}, the depth of the lists; got {wrong}")
        found = _per_customer(lists, context, ks, resamples=resamples, seed=seed) | _of_all(lists, context, ks)
        for one in lists:
            for metric in LIST_METRICS:
                for k in ks:
                    if (one.recommender, metric, k) in found:
                        figure, customers = found[one.recommender, metric, k]
                        bounds = (figure.value, figure.low, figure.high)
                        rows.append((one.recommender, which, metric, k, *bounds, customers))
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def _per_customer(
    lists: Sequence[JudgedList], context: ListContext, ks: Sequence[int], *, resamples: int, seed: int
) -> dict[Key, tuple[Figure, int]]:
    """The metrics with a figure per customer, and how many customers have one; all from the same draws."""
    names: list[Key] = []
    columns: list[NDArray[np.float64]] = []
    for one in lists:
        own = context.customers[one.which]
        paid = _looked_up(own.paid, one.shown)
        for k in ks:
            figures = {
                "diversity": diversity(one.shown, k, context.codes),
                "serendipity": serendipity(one.shown, k, one.hit, context.place < k),
                "popularity_lift": popularity_lift(one.shown, k, context.popularity, own.own_popularity),
                "calibration": calibration(one.shown, k, context.category, own.usual),
                "revenue_recall": revenue_recall(one.hit, k, paid, own.total),
            }
            for metric, values in figures.items():
                if not np.isnan(values).all():
                    names.append((one.recommender, metric, k))
                    columns.append(values)
    if not columns:
        return {}
    measured = np.column_stack(columns)
    found = intervals(measured, resamples=resamples, seed=seed)
    counts = np.count_nonzero(~np.isnan(measured), axis=0)
    return {
        name: (Figure(float(found.mean[j]), float(found.low[j]), float(found.high[j])), int(counts[j]))
        for j, name in enumerate(names)
    }


def _of_all(lists: Sequence[JudgedList], context: ListContext, ks: Sequence[int]) -> dict[Key, tuple[Figure, int]]:
    """The metrics of all customers' lists together, and how many customers they are over."""
    found: dict[Key, tuple[Figure, int]] = {}
    for one in lists:
        for k in ks:
            shown_any = int((one.shown[:, :k] != EMPTY_PLACE).any(axis=1).sum())
            found[one.recommender, "gini", k] = gini(one.shown, k, catalogue=context.catalogue), len(one.shown)
            found[one.recommender, "personalisation", k] = personalisation(one.shown, k), shown_any
    return {name: entry for name, entry in found.items() if not np.isnan(entry[0].value)}


def _looked_up(matrix: csr_matrix, shown: NDArray[np.int64]) -> NDArray[np.float64]:
    """The entries of a matrix of shape (customers, items) at every place of the lists, 0 where a list has ended."""
    filled = shown != EMPTY_PLACE
    values = np.zeros(shown.shape)
    values[filled] = np.asarray(matrix[np.nonzero(filled)[0], shown[filled]]).ravel()
    return values
