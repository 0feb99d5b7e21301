"""From judged lists to figures: the rows of `evaluation.metrics` and `evaluation.comparisons`.

Belongs here: going over recommenders, lists, metrics and ks, and asking the metric and interval modules for each. Does
not belong here: what a metric is (`metrics`, `beyond_accuracy`), or making the lists (`judging`).

All recommenders of a list are resampled with the same draws, in one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cx_assets.evaluation.beyond_accuracy import coverage, novelty, self_information
from cx_assets.evaluation.bootstrap import Intervals, intervals, paired_difference
from cx_assets.evaluation.metrics import EMPTY_PLACE, accuracy
from cx_assets.evaluation.split import LISTS

METRIC_COLUMNS = ["recommender", "list", "metric", "k", "value", "ci_low", "ci_high", "customers"]
COMPARISON_COLUMNS = [
    *("recommender", "baseline", "list", "metric", "k"),
    *("difference", "ci_low", "ci_high", "p_value", "customers"),
]


@dataclass(frozen=True)
class JudgedList:
    """The lists of one recommender for all judged customers, as arrays.

    Attributes:
        recommender: who made them.
        which: repeat, discovery or both.
        shown: int64 of shape (customers, depth), numbers of items, `EMPTY_PLACE` where a list has ended.
        hit: bool of the same shape.
        relevant: int64 of shape (customers,).
    """

    recommender: str
    which: str
    shown: NDArray[np.int64]
    hit: NDArray[np.bool_]
    relevant: NDArray[np.int64]


@dataclass(frozen=True)
class JudgedLists:
    """All of `evaluation.judged_lists`.

    Attributes:
        lists: in the order repeat, discovery, both; within a list by recommender. All recommenders of a list have the
            same customers in the same order.
        items: object array, the item id of each number in `JudgedList.shown`.
        as_of: of all of them; None without any.
        horizon_days: of all of them; None without any.
        customers: by list, object array of the customer of each row.
    """

    lists: list[JudgedList]
    items: NDArray[np.object_]
    as_of: datetime | None
    horizon_days: int | None
    customers: dict[str, NDArray[np.object_]] = field(default_factory=dict)

    @property
    def date(self) -> datetime:
        """The as-of date.

        Raises:
            LookupError: if nothing was judged.
        """
        if self.as_of is None:
            raise LookupError("nothing was judged, so there is no as-of date")
        return self.as_of

    @classmethod
    def from_arrow(cls, rows: pa.Table, depth: int) -> JudgedLists:
        """Read the table.

        Args:
            rows: as declared in `tables.JUDGED_LISTS`, in any order.
            depth: places that the lists were given; most may have filled fewer.

        Raises:
            ValueError: if the rows have more than one as-of date, or a list's recommenders were judged on other
            customers.
        """
        if rows.num_rows == 0:
            return cls([], np.empty(0, dtype=object), None, None)
        ordered = rows.sort_by([(name, "ascending") for name in ("recommender", "list", "customer_id")])
        ordered = ordered.combine_chunks()
        windows = ordered.select(["as_of", "horizon_days"]).group_by(["as_of", "horizon_days"]).aggregate([])
        if windows.num_rows > 1:
            raise ValueError(f"judged lists of {windows.num_rows} windows can't be averaged: judge one at a time")
        shown, hit, items = _as_arrays(ordered, depth)
        relevant = ordered["relevant"].to_numpy().astype(np.int64)
        keys = ordered.select(["recommender", "list", "customer_id"]).to_pandas()
        lists, customers_of = [], dict[str, NDArray[np.object_]]()
        for (recommender, which), group in keys.groupby(["recommender", "list"], sort=True):
            rows_here = group.index.to_numpy()
            ids = group["customer_id"].to_numpy(dtype=object)
            if not np.array_equal(customers_of.setdefault(str(which), ids), ids):
                raise ValueError(f"{recommender} was judged on other customers than the others of the {which} list")
            lists.append(
                JudgedList(str(recommender), str(which), shown[rows_here], hit[rows_here], relevant[rows_here])
            )
        lists.sort(key=lambda one: (LISTS.index(one.which), one.recommender))
        window = windows.to_pylist()[0]
        return cls(lists, items, window["as_of"], int(window["horizon_days"]), customers_of)


def metric_rows(
    judged: JudgedLists,
    ks: Sequence[int],
    *,
    had_by: pd.Series[int],
    customers: int,
    catalogue: int,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Every metric of every recommender, list and k, with its interval.

    Args:
        judged: the lists.
        ks: list lengths to judge.
        had_by: distinct customers with each item before the as-of date, by item id; items that nobody had may be
            missing.
        customers: all customers with events before the as-of date.
        catalogue: number of recommendable items.
        resamples: draws of customers per interval.
        seed: of the draws.

    Returns:
        The columns of `METRIC_COLUMNS`. Novelty has no row where a recommender shows nothing to anybody.

    Raises:
        ValueError: if a `k` is beyond the depth of the lists.
    """
    bits = self_information(
        np.asarray(had_by.reindex(judged.items).fillna(0), dtype=np.int64), customers=max(1, customers)
    )
    rows: list[tuple[str, str, str, int, float, float, float, int]] = []
    for which in LISTS:
        lists = [one for one in judged.lists if one.which == which]
        if not lists:
            continue
        names, values = _accuracy_columns(lists, ks)
        fresh = [(one.recommender, "novelty", k, novelty(one.shown, k, bits)) for one in lists for k in ks]
        fresh = [column for column in fresh if not np.isnan(column[3]).all()]
        names += [column[:3] for column in fresh]
        values = np.column_stack([values, *(column[3] for column in fresh)])
        found = intervals(values, resamples=resamples, seed=seed)
        counts = np.count_nonzero(~np.isnan(values), axis=0)
        for j, (recommender, metric, k) in enumerate(names):
            bounds = (float(found.mean[j]), float(found.low[j]), float(found.high[j]))
            rows.append((recommender, which, metric, k, *bounds, int(counts[j])))
        for one in lists:
            for k in ks:
                share = coverage(one.shown, k, catalogue=catalogue)
                bounds = (share.value, share.low, share.high)
                rows.append((one.recommender, which, "coverage", k, *bounds, len(one.relevant)))
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def comparison_rows(
    judged: JudgedLists, ks: Sequence[int], *, recommender: str, resamples: int, seed: int
) -> pd.DataFrame:
    """One recommender against every other, in pairs over customers, by every accuracy metric.

    Args:
        judged: the lists.
        ks: list lengths to judge.
        recommender: the one that's compared with all others.
        resamples: draws of customers per interval.
        seed: of the draws.

    Returns:
        The columns of `COMPARISON_COLUMNS`; no row for a list that the recommender doesn't make.

    Raises:
        ValueError: if a `k` is beyond the depth of the lists.
    """
    rows: list[tuple[str, str, str, str, int, float, float, float, float, int]] = []
    for which in LISTS:
        lists = [one for one in judged.lists if one.which == which]
        ours = [one for one in lists if one.recommender == recommender]
        others = [one for one in lists if one.recommender != recommender]
        if not ours or not others:
            continue
        names, theirs = _accuracy_columns(others, ks)
        _, mine = _accuracy_columns(ours, ks)
        found: Intervals = paired_difference(np.tile(mine, len(others)), theirs, resamples=resamples, seed=seed)
        for j, (baseline, metric, k) in enumerate(names):
            bounds = (float(found.mean[j]), float(found.low[j]), float(found.high[j]), float(found.p_value[j]))
            rows.append((recommender, baseline, which, metric, k, *bounds, len(ours[0].relevant)))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)


def _accuracy_columns(
    lists: Sequence[JudgedList], ks: Sequence[int]
) -> tuple[list[tuple[str, str, int]], NDArray[np.float64]]:
    """The accuracy of several recommenders side by side: names, and float64 of shape (customers, names)."""
    names: list[tuple[str, str, int]] = []
    columns: list[NDArray[np.float64]] = []
    for one in lists:
        for (metric, k), value in accuracy(one.hit, one.relevant, ks).items():
            names.append((one.recommender, metric, k))
            columns.append(value)
    return names, np.stack(columns, axis=1)


def _as_arrays(rows: pa.Table, depth: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.object_]]:
    """The list columns as arrays of shape (rows, depth), and the item ids that the numbers of the first stand for."""
    lengths = np.asarray(pa.compute.list_value_length(rows["items"]).to_numpy(), dtype=np.int64)
    at_row = np.repeat(np.arange(len(lengths)), lengths)
    at_place = np.arange(len(at_row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    encoded = pa.compute.list_flatten(rows["items"]).combine_chunks().dictionary_encode()
    shown = np.full((len(lengths), depth), EMPTY_PLACE, dtype=np.int64)
    shown[at_row, at_place] = encoded.indices.to_numpy().astype(np.int64)
    hit = np.zeros((len(lengths), depth), dtype=np.bool_)
    hit[at_row, at_place] = pa.compute.list_flatten(rows["hits"]).to_numpy(zero_copy_only=False).astype(bool)
    return shown, hit, encoded.dictionary.to_numpy(zero_copy_only=False).astype(object)
