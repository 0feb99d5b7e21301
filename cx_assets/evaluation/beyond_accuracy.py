"""What accuracy doesn't show: how much of the catalogue is used, how evenly, and how unexpected the shown items are.

Belongs here: lists that have been ranked already against the catalogue, and intervals of figures that no customer has
alone. Does not belong here: whether the customer took the items (`evaluation.metrics`); a list beside itself, its
customer or other lists (`evaluation.diversity`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_assets.evaluation.metrics import EMPTY_PLACE

BEYOND_METRICS = ("coverage", "novelty")
"""The metrics of every list that `metrics` has; novelty is in bits and may exceed 1."""

LIST_METRICS = (
    *("gini", "diversity", "serendipity", "popularity_lift"),
    *("calibration", "personalisation", "revenue_recall"),
)
"""The further metrics of lists, of this module and `diversity`.

All lie within 0 and 1 but popularity lift (from -1 on) and calibration (nats, 0 is best).
"""

NORMAL_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Figure:
    """One figure of the lists of all customers together, with a 95 % interval over customers."""

    value: float
    low: float
    high: float


def jackknifed(value: float, left_out: NDArray[np.float64]) -> Figure:
    """A figure with the interval that leaving out one customer at a time gives: value +- 1.96 standard errors.

    The variance is (n - 1) / n * sum of (f_j - mean f)^2, with f_j the figure without customer j.

    Args:
        value: the figure of all customers, within 0 and 1.
        left_out: float64 of shape (customers,): the figure without each of them.

    Returns:
        The interval cut to 0 and 1; the value itself with a single customer.

    Source: Efron & Stein (1981), "The jackknife estimate of variance".
    """
    customers = len(left_out)
    spread = float(np.square(left_out - left_out.mean()).sum())
    reach = NORMAL_95 * float(np.sqrt((customers - 1) / customers * spread))
    return Figure(value, max(0.0, value - reach), min(1.0, value + reach))


def coverage(shown: NDArray[np.int64], k: int, *, catalogue: int) -> Figure:
    """Share of the recommendable catalogue that is in the first `k` places of any customer's list.

    The interval is by the jackknife over customers (`jackknifed`). Resampling with replacement would be wrong here: a
    draw misses a third of the customers, so their items too, and the whole interval would lie below the value. Leaving
    customer j out loses the items that only j was shown.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended; an item at most once per row.
        k: places that count, from 1 to depth.
        catalogue: number of recommendable items, known beforehand and not taken from the lists.

    Returns:
        Within 0 and 1; 0 when the catalogue is empty or nothing is shown.

    Source: Ge, Delgado-Battenfeld & Jannach (2010), "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity" (catalogue coverage).
    """
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    if catalogue < 1 or not bool(filled.any()):
        return Figure(0.0, 0.0, 0.0)
    times_shown = np.bincount(top[filled])
    value = np.count_nonzero(times_shown) / catalogue
    only_here = np.where(filled, times_shown[np.where(filled, top, 0)] == 1, False).sum(axis=1)
    return jackknifed(value, value - only_here / catalogue)


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
    return mean_over_shown(shown, k, information)


def mean_over_shown(shown: NDArray[np.int64], k: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of what the first `k` shown items are worth each, for every customer.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended.
        k: places that count, from 1 to depth.
        values: float64 of shape (items,).

    Returns:
        float64 of shape (customers,), NaN for an empty list.
    """
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    if not bool(filled.any()):
        return np.full(len(top), np.nan)
    total = np.where(filled, values[np.where(filled, top, 0)], 0.0).sum(axis=1)
    return ratio(total, filled.sum(axis=1))


def gini(shown: NDArray[np.int64], k: int, *, catalogue: int) -> Figure:
    """How unevenly the first `k` places of all lists are spread over the recommendable items.

    With x_1 <= ... <= x_n how often each of the n items is shown, never included, and T their sum:

        sum over r of (2r - n - 1) x_r / ((n - 1) T)

    This is half the mean absolute difference between two different items over the mean, so that 1 can be reached.
    The interval is by the jackknife over customers, as for `coverage`, and exact: without customer j, x falls by 1 for
    each of j's items, and of items with the same x those may be taken to stand first, so no other rank changes.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended; an item at most once per row.
        k: places that count, from 1 to depth.
        catalogue: n, the number of recommendable items, known beforehand and not taken from the lists.

    Returns:
        Within 0 (all items alike, also when there is one only) and 1 (a single item is shown); NaN when nothing is
        shown.

    Raises:
        ValueError: if more items are shown than there are.

    Source: Fleder & Hosanagar (2009), "Blockbuster culture's next rise or fall: the impact of recommender systems on
    sales diversity"; scaled as in Castells, Hurley & Vargas (2015), "Novelty and diversity in recommender systems".
    """
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    if not bool(filled.any()):
        return Figure(np.nan, np.nan, np.nan)
    times = np.bincount(top[filled])
    ordered = np.sort(times[times > 0])
    never = catalogue - len(ordered)
    if never < 0:
        raise ValueError(f"{len(ordered):,} different items are shown, of {catalogue:,} that may be")
    if catalogue == 1:
        return Figure(0.0, 0.0, 0.0)
    ranks = never + 1 + np.arange(len(ordered))
    whole = int(((2 * ranks - catalogue - 1) * ordered).sum())
    value = whole / ((catalogue - 1) * int(times.sum()))
    first_of_equals = never + 1 + np.searchsorted(ordered, times)
    firsts = np.sort(np.where(filled, first_of_equals[np.where(filled, top, 0)], 0), axis=1)
    lost = np.where(firsts > 0, 2 * (firsts + equal_before(firsts)) - catalogue - 1, 0).sum(axis=1)
    others = times.sum() - filled.sum(axis=1)
    left_out = ratio(whole - lost, (catalogue - 1) * others)
    # Without the only customer who is shown anything there is no figure that could differ.
    return jackknifed(value, np.where(others > 0, left_out, value))


def equal_before(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many values equal to it stand before each value in its row.

    Args:
        ordered: int64 of shape (..., values), each row ascending.

    Returns:
        int64 of the same shape: 0 for the first of equals, 1 for the second and so on.
    """
    places = np.arange(ordered.shape[-1])
    starts = np.zeros(ordered.shape, dtype=np.int64)
    starts[..., 1:] = np.where(ordered[..., 1:] != ordered[..., :-1], places[1:], 0)
    before: NDArray[np.int64] = places - np.maximum.accumulate(starts, axis=-1)
    return before


def ratio(above: NDArray[np.number], below: NDArray[np.number]) -> NDArray[np.float64]:
    """One array over another of the same shape, as float64; NaN where the second isn't above 0."""
    shares: NDArray[np.float64] = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return shares
