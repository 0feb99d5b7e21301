"""From lists of earlier dates to figures: what was taken, figures per date, over all dates, and by cohort.

Belongs here: joining lists with the truth, and going over dates. Does not: metrics (`metrics`, `beyond_accuracy`),
intervals of one date (`bootstrap`) or making lists (`backtest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from cx_assets.evaluation.bootstrap import resampled_means
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.judging import ROWS
from cx_assets.evaluation.metrics import ACCURACY_METRICS, accuracy
from cx_assets.evaluation.split import LISTS, truth_of_list
from cx_assets.table import Table, from_frame, sql
from cx_assets.table.schema import instant, literal

Values = NDArray[np.float64]


ROUNDING = 1e-12


def judged(lists: Table, pairs: pd.DataFrame, *, as_of: datetime, horizon_days: int, depth: int) -> JudgedLists:
    """Stored lists of one date, marked with what was taken.

    Args:
        lists: recommender, list, customer_id, rank, item_id.
        pairs: as `split.truth` returns them. A customer with something relevant and no list is judged on an empty one.
        as_of: carried through.
        horizon_days: carried through.
        depth: places of the lists.
    """
    wanted = pd.concat([truth_of_list(pairs, which).assign(list=which) for which in LISTS], ignore_index=True)
    relevant = from_frame(lists.connection, wanted[["list", "customer_id", "item_id"]])
    makers = [row[0] for row in sql("select distinct recommender from lists order by 1", lists=lists).fetchall()]
    # One at a time: the lists of all of them together are gathered in memory.
    parts = [_marked(lists, relevant, maker, as_of, horizon_days).arrow() for maker in makers]
    return JudgedLists.from_arrow(pa.concat_tables(parts) if parts else ROWS.empty_table(), depth)


def _marked(lists: Table, relevant: Table, maker: str, as_of: datetime, horizon_days: int) -> Table:
    """The lists of one recommender, in the columns of `tables.JUDGED_LISTS`."""
    own = sql(f"select * from lists where recommender = {literal(maker)}", lists=lists)
    return sql(
        f"""
        with who as (
            select list, customer_id, count(*) as relevant from relevant group by list, customer_id
        ), shown as (
            select l.list, l.customer_id,
                list(l.item_id order by l.rank) as items, list(r.item_id is not null order by l.rank) as hits
            from own l
            semi join who w on w.list = l.list and w.customer_id = l.customer_id
            left join relevant r on r.list = l.list and r.customer_id = l.customer_id and r.item_id = l.item_id
            group by l.list, l.customer_id
        )
        select {literal(maker)} as recommender, w.list, w.customer_id, w.relevant,
            coalesce(s.items, []) as items, coalesce(s.hits, []) as hits,
            {instant(as_of)} as as_of, cast({int(horizon_days)} as integer) as horizon_days
        from who w
        left join shown s on s.list = w.list and s.customer_id = w.customer_id
        """,
        own=own,
        relevant=relevant,
    )


@dataclass(frozen=True)
class Pool:
    """One list of all recommenders over several dates, by customer.

    Attributes:
        customers: object array, ascending: all who are judged on any date.
        recommenders: names.
        names: metric and k of each figure.
        measured: float64 of shape (recommenders, customers, dates, figures); NaN where a customer isn't judged.
    """

    customers: NDArray[np.object_]
    recommenders: list[str]
    names: list[tuple[str, int]]
    measured: Values

    @classmethod
    def of(cls, dates: Sequence[JudgedLists], which: str, ks: Sequence[int]) -> Pool | None:
        """Pool the dates; None if nobody is judged on this list."""
        ids = [one.customers[which] for one in dates if which in one.customers]
        if not ids:
            return None
        customers = np.unique(np.concatenate(ids))
        recommenders = sorted({one.recommender for date in dates for one in date.lists if one.which == which})
        names = [(metric, k) for metric in ACCURACY_METRICS for k in ks]
        values = np.full((len(recommenders), len(customers), len(dates), len(names)), np.nan)
        for d, date in enumerate(dates):
            for one in date.lists:
                if one.which == which:
                    figures = accuracy(one.hit, one.relevant, ks)
                    rows = np.searchsorted(customers, date.customers[which])
                    found = np.column_stack([figures[name] for name in names])
                    values[recommenders.index(one.recommender), rows, d] = found
        return cls(customers, recommenders, names, values)


def pooled_rows(pool: Pool, which: str, *, resamples: int, seed: int) -> pd.DataFrame:
    """Every figure of every recommender over all dates: the mean of the dates' means.

    Customers are drawn with all their dates at once, since their dates aren't independent.

    Returns:
        recommender, list, metric, k, value, ci_low, ci_high, customers.
    """
    rows = []
    for name, measured in zip(pool.recommenders, pool.measured, strict=True):
        mean, low, high = mean_over_dates(measured, resamples=resamples, seed=seed)
        judged_once = int(np.isfinite(measured[:, :, 0]).any(axis=1).sum())
        rows += [
            (name, which, metric, k, mean[i], low[i], high[i], judged_once)
            for i, (metric, k) in enumerate(pool.names)
            if np.isfinite(mean[i])
        ]
    return pd.DataFrame(rows, columns=["recommender", "list", "metric", "k", "value", "ci_low", "ci_high", "customers"])


def pooled_comparisons(pool: Pool, which: str, *, resamples: int, seed: int) -> pd.DataFrame:
    """Every recommender against every other over all dates, in pairs over customers.

    All are drawn alike, so the interval of a difference is of differences. The p-value is of a paired t-test over what
    each customer adds to the difference; Holm's method corrects it for the number of baselines of a recommender.

    Returns:
        The columns of `tables.BACKTEST_COMPARISONS` but the protocol.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure"; Cohen (1988), "Statistical power
        analysis" (the effect size of paired differences).
    """
    drawn = [draws_by_date(measured, resamples=resamples, seed=seed) for measured in pool.measured]
    frames = []
    for i, ours in enumerate(pool.recommenders):
        for j, theirs in enumerate(pool.recommenders):
            if i != j and len(dates := _common_dates(pool, i, j)):
                frames.append(
                    pd.DataFrame(
                        {
                            "recommender": ours,
                            "baseline": theirs,
                            "list": which,
                            "metric": [metric for metric, _ in pool.names],
                            "k": [k for _, k in pool.names],
                            **_lead(pool.measured[i][:, dates], pool.measured[j][:, dates]),
                            **_bounds(drawn[i][:, dates] - drawn[j][:, dates]),
                        }
                    )
                )
    if not frames:
        return pd.DataFrame()
    found = pd.concat(frames, ignore_index=True)
    found["p_holm"] = found.groupby(["recommender", "metric", "k"])["p_value"].transform(holm)
    return found


def _common_dates(pool: Pool, one: int, other: int) -> NDArray[np.intp]:
    """The dates on which both have lists: a recommender that came later is compared on its own dates alone."""
    judged_on = np.isfinite(pool.measured[[one, other], :, :, 0]).any(axis=1)
    return np.flatnonzero(judged_on.all(axis=0))


def _lead(ours: Values, theirs: Values) -> dict[str, Any]:
    """By how much one leads another on the same customers and dates, each of shape (customers, dates, figures)."""
    ahead = _means(ours - theirs)
    # What each customer adds to the mean over dates; their mean is the difference, so a test of it is one of that.
    judged_on = np.isfinite(ours - theirs)
    parts = np.where(judged_on, (ours - theirs) / np.maximum(judged_on.sum(axis=0), 1), 0.0).mean(axis=1)
    own = parts[judged_on.any(axis=(1, 2))]
    own = own * len(own)
    base = _means(_means(theirs))
    difference = _means(_means(ours)) - base
    spread = own.std(axis=0, ddof=1) if len(own) > 1 else np.zeros(own.shape[1])
    differs = spread > ROUNDING
    effect = np.divide(own.mean(axis=0), spread, out=np.full(len(spread), np.nan), where=differs)
    p_values = 2 * stats.t.sf(np.abs(effect) * np.sqrt(len(own)), max(len(own) - 1, 1))
    # Of leads that are the same for everybody the test knows no spread: none is no lead, and any other is sure.
    alike = np.where((len(own) > 1) & (np.abs(difference) > ROUNDING), 0.0, 1.0)
    return {
        "difference": difference,
        "relative": np.divide(difference, base, out=np.full(len(base), np.nan), where=base > 0),
        "effect_size": effect,
        "p_value": np.where(differs, p_values, alike),
        "dates": np.isfinite(ahead).sum(axis=0),
        "dates_ahead": (ahead > ROUNDING).sum(axis=0),
        "customers": len(own),
    }


def _bounds(drawn: Values) -> dict[str, Values]:
    """The 95 % percentile interval of draws of shape (resamples, dates, figures)."""
    low, high = np.nanquantile(_means(drawn.swapaxes(0, 1)), [0.025, 0.975], axis=0)
    return {"ci_low": low, "ci_high": high}


def holm(p_values: pd.Series) -> NDArray[np.float64]:
    """p-values corrected for their number, by Holm's method; each at most 1."""
    p = p_values.to_numpy(dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def mean_over_dates(values: Values, *, resamples: int, seed: int) -> tuple[Values, Values, Values]:
    """The mean over dates of the means over customers, and its 95 % percentile interval over customers.

    Args:
        values: float64 of shape (customers, dates, figures), NaN where a customer isn't judged.
        resamples: draws of customers.
        seed: of the draws.

    Returns:
        Mean, lower and upper bound, each of shape (figures,).
    """
    bounds = _bounds(draws_by_date(values, resamples=resamples, seed=seed))
    return _means(_means(values)), bounds["ci_low"], bounds["ci_high"]


def draws_by_date(values: Values, *, resamples: int, seed: int) -> Values:
    """Means over customers of every draw: float64 of shape (resamples, dates, figures); as `mean_over_dates`."""
    customers, dates, figures = values.shape
    flat = values.reshape(customers, dates * figures)
    held = np.isfinite(flat).any(axis=0)
    means = np.full((resamples, dates * figures), np.nan)
    means[:, held] = resampled_means(flat[:, held], resamples=resamples, seed=seed)
    return means.reshape(resamples, dates, figures)


def _means(values: Values) -> Values:
    """Means over the first axis of what is there; NaN where nothing is."""
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def apart(dates: Sequence[datetime], days: int) -> list[datetime]:
    """The last date, and before it those at least `days` apart: their horizons don't overlap."""
    chosen: list[datetime] = []
    for date in sorted(dates, reverse=True):
        if not chosen or (chosen[-1] - date).days >= days:
            chosen.append(date)
    return chosen[::-1]
