"""How sure a figure is: percentile intervals over customers, and paired differences between two recommenders.

Belongs here: resampling customers, once, as a matrix of weights that a whole table of per-customer figures is
multiplied with. Does not belong here: what the figures mean (`evaluation.metrics`) and which pairs are compared
(`evaluation.judging`).

Customers are resampled, never events: the events of one customer aren't independent, and an interval over events
would be too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_ENTRIES = 4_000_000
"""Weights held at a time (32 MB): the whole matrix would grow with the customers."""


@dataclass(frozen=True)
class Intervals:
    """Means over customers with their percentile intervals.

    Attributes:
        mean: float64 of shape (figures,).
        low: float64 of shape (figures,), lower bound.
        high: float64 of shape (figures,), upper bound.
        p_value: float64 of shape (figures,), two-sided, of the hypothesis that the mean is 0; it is of use for
            differences only.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]


def resampled_means(values: NDArray[np.float64], *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Means of every figure over customers drawn with replacement, all figures from the same draws.

    How often each customer is drawn is a multinomial vector; stacked, they are a matrix of weights, and its product
    with the figures gives all resampled means at once.

    Args:
        values: float64 of shape (customers, figures), at least one customer. NaN where a customer has no part in a
            figure: its mean is then over the drawn customers that have.
        resamples: number of draws, at least 1.
        seed: same seed and shape, same draws; so two calls over the same customers are paired.

    Returns:
        float64 of shape (resamples, figures); NaN where a draw has no customer with a part in the figure.

    Raises:
        ValueError: if there are no customers or no resamples.
    """
    customers, figures = values.shape
    if customers < 1 or resamples < 1:
        raise ValueError(f"nothing to resample: {customers} customers, {resamples} resamples")
    random = np.random.default_rng(seed)
    means = np.empty((resamples, figures), dtype=np.float64)
    block = max(1, BLOCK_ENTRIES // customers)
    counted = ~np.isnan(values)
    partial = np.flatnonzero(~counted.all(axis=0))
    shares = counted[:, partial].astype(np.float64)
    summed = np.where(counted, values, 0.0)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = random.integers(0, customers, size=(rows, customers), dtype=np.int64)
        drawn += np.arange(rows, dtype=np.int64)[:, None] * customers
        weights = np.bincount(drawn.ravel(), minlength=rows * customers).reshape(rows, customers)
        drawn_often = weights.astype(np.float64)
        means[start : start + rows] = (drawn_often @ summed) / customers
        parts = drawn_often @ shares / customers
        part_means = means[start : start + rows, partial]
        means[start : start + rows, partial] = np.divide(
            part_means, parts, out=np.full(parts.shape, np.nan), where=parts > 0
        )
    return means


def intervals(values: NDArray[np.float64], *, resamples: int = 1000, seed: int = 0, level: float = 0.95) -> Intervals:
    """Mean, percentile interval and p-value of every figure, over customers.

    The p-value is twice the smaller share of resampled means on one side of 0, each share counted with one added so
    that it's never 0; it agrees with the interval: 0 is outside the interval when the p-value is below 1 - level, up to
    that 1.

    Args:
        values: float64 of shape (customers, figures), at least one customer; NaN as in `resampled_means`, but never for
            all customers of a figure.
        resamples: number of draws.
        seed: of the draws.
        level: share of resampled means inside the interval, between 0 and 1.

    Returns:
        One entry per figure. With one customer all draws are alike, and the interval is the value itself.

    Raises:
        ValueError: if there are no customers, no resamples, or `level` isn't between 0 and 1.

    Source: Efron & Tibshirani (1993), "An Introduction to the Bootstrap", ch. 13; Davison & Hinkley (1997), "Bootstrap
    Methods and their Application", ch. 4 (the added one).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    means = resampled_means(values, resamples=resamples, seed=seed)
    quantile = np.nanquantile if np.isnan(means).any() else np.quantile
    low, high = quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    at_most = (1 + np.count_nonzero(means <= 0, axis=0)) / (resamples + 1)
    at_least = (1 + np.count_nonzero(means >= 0, axis=0)) / (resamples + 1)
    return Intervals(np.nanmean(values, axis=0), low, high, np.minimum(1.0, 2 * np.minimum(at_most, at_least)))


def paired_difference(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], *, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> Intervals:
    """Mean difference between two recommenders judged on the same customers, customer by customer.

    Subtracting before resampling takes out what all recommenders share (a customer who buys much is easy for each of
    them), so a difference can be sure while both intervals overlap.

    Args:
        ours: float64 of shape (customers, figures).
        theirs: float64 of the same shape, same customers in the same order.
        resamples: number of draws.
        seed: of the draws.
        level: of the interval.

    Returns:
        Intervals of `ours - theirs`; positive means that ours is better.

    Raises:
        ValueError: if the shapes differ.

    Source: Sakai (2006), "Evaluating evaluation metrics based on the bootstrap" (paired, over topics).
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"a paired difference needs the same customers: shapes {ours.shape} and {theirs.shape}")
    return intervals(ours - theirs, resamples=resamples, seed=seed, level=level)
