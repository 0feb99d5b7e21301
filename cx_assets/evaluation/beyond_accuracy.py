"""What accuracy doesn't show: how much of the catalogue is used, and how unexpected the shown items are.

Belongs here: coverage and novelty of lists that have been ranked already. Does not belong here: whether the customer
took the items (`evaluation.metrics`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_assets.evaluation.metrics import EMPTY_PLACE

BEYOND_METRICS = ("coverage", "novelty")
"""Every metric of this module; novelty is in bits and may exceed 1."""

NORMAL_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Coverage:
    """Share of the recommendable catalogue shown to anyone, with a 95 % interval over customers."""

    value: float
    low: float
    high: float


def coverage(shown: NDArray[np.int64], k: int, *, catalogue: int) -> Coverage:
    """Share of the recommendable catalogue that is in the first `k` places of any customer's list.

    The interval is value +- 1.96 standard errors by the jackknife over customers, cut to 0 and 1. Resampling with
    replacement would be wrong here: a draw misses a third of the customers, so their items too, and the whole interval
    would lie below the value. Leaving customer j out loses the `u_j` items that only j was shown, so the jackknife
    variance is (n - 1) / n * sum of (u_j - mean u)^2.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended; an item at most once per row.
        k: places that count, from 1 to depth.
        catalogue: number of recommendable items, known beforehand and not taken from the lists.

    Returns:
        Coverage within 0 and 1; 0 when the catalogue is empty or nothing is shown.

    Source: Ge, Delgado-Battenfeld & Jannach (2010), "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity" (catalogue coverage); Efron & Stein (1981), "The jackknife estimate of variance".
    """
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    if catalogue < 1 or not bool(filled.any()):
        return Coverage(0.0, 0.0, 0.0)
    times_shown = np.bincount(top[filled])
    value = np.count_nonzero(times_shown) / catalogue
    only_here = np.where(filled, times_shown[np.where(filled, top, 0)] == 1, False).sum(axis=1)
    customers = len(shown)
    spread = float(np.square(only_here - only_here.mean()).sum())
    error = float(np.sqrt((customers - 1) / customers * spread)) / catalogue
    return Coverage(value, max(0.0, value - NORMAL_95 * error), min(1.0, value + NORMAL_95 * error))


def self_information(customers_of_item: NDArray[np.int64], *, customers: int) -> NDArray[np.float64]:
    """How surprising it is that a customer has an item: -log2 p(item), in bits.

    p(item) is the share of customers with the item before the as-of date. An item that nobody has had counts as if one
    customer had: its surprise would be infinite, and one such item would decide every average.

    Args:
        customers_of_item: int64 of shape (items,), distinct customers with each item before the as-of date.
        customers: all customers with events before the as-of date, at least 1.

    Returns:
        float64 of shape (items,), from 0 (everybody has it) to log2(customers).

    Source: Zhou et al. (2010), "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 107(10).
    """
    bits: NDArray[np.float64] = np.log2(customers) - np.log2(np.maximum(customers_of_item, 1))
    return bits


def novelty(shown: NDArray[np.int64], k: int, information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean self-information of the first `k` shown items, for every customer.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended.
        k: places that count, from 1 to depth.
        information: float64 of shape (items,), from `self_information`.

    Returns:
        float64 of shape (customers,): the mean over the items that are shown, NaN for a customer who is shown none (an
        empty list is neither novel nor familiar).

    Source: Zhou et al. (2010), as above.
    """
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    total = np.where(filled, information[np.where(filled, top, 0)], 0.0).sum(axis=1)
    count = filled.sum(axis=1)
    means: NDArray[np.float64] = np.divide(total, count, out=np.full(len(top), np.nan), where=count > 0)
    return means
