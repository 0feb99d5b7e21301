"""What accuracy doesn't show of a list beside itself, its customer or the lists of others.

Belongs here: how different the items of a list are, whether they are what the customer usually takes, what those were
worth that the customer took and which of them popularity alone wouldn't have found, and whether customers are shown
different things. Does not belong here: lists against the catalogue (`evaluation.beyond_accuracy`), plain accuracy
(`evaluation.metrics`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.beyond_accuracy import Figure, equal_before, jackknifed, mean_over_shown, ratio
from cx_assets.evaluation.metrics import EMPTY_PLACE

SMOOTHING = 0.01
"""Share of the customer's own distribution that is mixed into the list's, so that no category has a share of 0."""


def diversity(shown: NDArray[np.int64], k: int, codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of 1 - similarity over all pairs of the first `k` shown items, for every customer.

    Two items are as similar as the share of their attributes that are equal. The pairs are not gone over: the equal
    pairs of an attribute are counted in the sorted row, where the second of equals makes one, the third two more.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended.
        k: places that count, from 1 to depth.
        codes: int64 of shape (items, attributes), at least one attribute: the number of the item's value; below 0 where
            it isn't known, which equals no other value that isn't known.

    Returns:
        float64 of shape (customers,) within 0 (all alike) and 1 (no two share anything); NaN for a list without two
        items.

    Raises:
        ValueError: if there is no attribute.

    Source: Ziegler, McNee, Konstan & Lausen (2005), "Improving recommendation lists through topic diversification"
    (intra-list similarity; this is 1 minus its mean).
    """
    attributes = codes.shape[1]
    if attributes < 1:
        raise ValueError("without an attribute no two items are alike or different")
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    if not bool(filled.any()):
        return np.full(len(top), np.nan)
    # The attributes first: each row of places then lies in one piece of memory, which sorts much faster.
    values = codes.T[:, np.where(filled, top, 0)]
    unlike_any = -1 - np.arange(top.shape[1])
    values = np.sort(np.where(filled & (values >= 0), values, unlike_any), axis=-1)
    equal = equal_before(values).sum(axis=(0, 2))
    count = filled.sum(axis=1)
    pairs = count * (count - 1) // 2
    return 1.0 - ratio(equal, attributes * pairs)


def serendipity(
    shown: NDArray[np.int64], k: int, hit: NDArray[np.bool_], popular: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Share of the first `k` places that hold a hit which a list of the most popular items wouldn't have held.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended.
        k: places that count, from 1 to depth. A place left empty counts as an item that wasn't taken.
        hit: bool of the same shape, True where the customer took the item.
        popular: bool of shape (items,), True for the k most popular items: what the primitive recommender shows all.

    Returns:
        float64 of shape (customers,), at most the precision; NaN for an empty list.

    Raises:
        ValueError: if `shown` and `hit` differ in shape.

    Source: Ge, Delgado-Battenfeld & Jannach (2010), "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity" (unexpected is what a primitive recommender doesn't show; useful is, here, what was taken).
    """
    if shown.shape != hit.shape:
        raise ValueError(f"lists of shape {shown.shape}, hits of shape {hit.shape}")
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    if not bool(filled.any()):
        return np.full(len(top), np.nan)
    found = (hit[:, :k] & filled & ~popular[np.where(filled, top, 0)]).sum(axis=1)
    return np.where(filled.any(axis=1), found / k, np.nan)


def calibration(
    shown: NDArray[np.int64], k: int, category: NDArray[np.int64], usual: csr_matrix
) -> NDArray[np.float64]:
    """How far the categories of the first `k` shown items are from those that the customer usually takes.

    With p the customer's distribution over categories, q the list's, and a = `SMOOTHING`, it is the Kullback-Leibler
    divergence sum of p ln(p / ((1 - a) q + a p)), in nats.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended.
        k: places that count, from 1 to depth; they count alike.
        category: int64 of shape (items,): column of each item's category in `usual`.
        usual: float64 CSR of shape (customers, categories), the customers' distributions before the as-of date: rows
            sum to 1, or hold nothing for a customer without events.

    Returns:
        float64 of shape (customers,), from 0 (the same shares) to -ln a = 4.6 (no category in common); NaN for an empty
        list and for a customer without a distribution.

    Raises:
        ValueError: if there is not one distribution per list.

    Source: Steck (2018), "Calibrated recommendations", RecSys (a = 0.01 as there).
    """
    customers, categories = usual.shape
    if len(shown) != customers:
        raise ValueError(f"{len(shown)} lists for {customers} distributions")
    top = shown[:, :k]
    filled = top != EMPTY_PLACE
    count = filled.sum(axis=1)
    ordered = usual.sorted_indices()
    rows = np.repeat(np.arange(customers), np.diff(ordered.indptr))
    known = rows * categories + ordered.indices
    if not known.size or not bool(filled.any()):
        return np.full(customers, np.nan)
    # Only the customer's own categories have a term, so the list's are looked up among them.
    taken = (np.arange(customers)[:, None] * categories + category[np.where(filled, top, 0)])[filled]
    found = np.minimum(np.searchsorted(known, taken), known.size - 1)
    times = np.bincount(found[known[found] == taken], minlength=known.size)
    p = ordered.data.astype(np.float64)
    q = times / np.maximum(count, 1)[rows]
    there = p > 0
    mixed = (1 - SMOOTHING) * q[there] + SMOOTHING * p[there]
    terms = p[there] * np.log(p[there] / mixed)
    divergence = np.bincount(rows[there], weights=terms, minlength=customers)
    judged = (count > 0) & (np.bincount(rows[there], minlength=customers) > 0)
    # Nearly equal distributions may come out a rounding error below 0, which a divergence never is.
    return np.where(judged, np.maximum(divergence, 0.0), np.nan)


def popularity_lift(
    shown: NDArray[np.int64], k: int, popularity: NDArray[np.int64], own: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much more popular the first `k` shown items are than the customer's own, for every customer.

    The source compares the means of a group of customers; here every customer is a group, so that the figure can be
    resampled. A customer with rare items only may have a very large one.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended.
        k: places that count, from 1 to depth.
        popularity: int64 of shape (items,): distinct customers with each item before the as-of date.
        own: float64 of shape (customers,): mean popularity of the different items that the customer had before it, NaN
            for a customer who had none.

    Returns:
        float64 of shape (customers,): mean popularity of the shown items / own - 1, so 0 where they are as popular, 1
        where twice as popular, -1 where nobody had them; NaN for an empty list and without own items.

    Raises:
        ValueError: if there is not one own figure per list.

    Source: Abdollahpouri, Mansoury, Burke & Mobasher (2020), "The connection between popularity bias, calibration, and
    fairness in recommendation" (popularity lift); Abdollahpouri et al. (2019), "The unfairness of popularity bias in
    recommendation" (group average popularity).
    """
    if len(shown) != len(own):
        raise ValueError(f"{len(shown)} lists for {len(own)} customers' own popularity")
    return ratio(mean_over_shown(shown, k, popularity.astype(np.float64)), own) - 1.0


def personalisation(shown: NDArray[np.int64], k: int) -> Figure:
    """How little two customers' lists have in common: 1 - the mean of |A and B| / k over all pairs of customers.

    Pairs are not gone over: an item that is shown c times is common to c (c - 1) / 2 pairs. The interval is by the
    jackknife over customers: without customer j, every item of j loses c - 1 pairs.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended; an item at most once per row.
        k: places that count, from 1 to depth. Lists that end before it have less in common than k, whatever they show.

    Returns:
        Within 0 (all are shown the same k items) and 1 (no item is shown twice), over customers who are shown anything;
        the interval is the value itself with two of them, and all is NaN with fewer.

    Source: Zhou et al. (2010), "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 107(10)
    (personalization: mean Hamming distance of lists).
    """
    top = shown[:, :k]
    top = top[(top != EMPTY_PLACE).any(axis=1)]
    customers = len(top)
    if customers < 2:
        return Figure(np.nan, np.nan, np.nan)
    filled = top != EMPTY_PLACE
    times = np.bincount(top[filled])
    common = int((times * (times - 1)).sum()) // 2
    value = 1.0 - common / (k * (customers * (customers - 1) // 2))
    if customers == 2:
        return Figure(value, value, value)
    lost = np.where(filled, times[np.where(filled, top, 0)] - 1, 0).sum(axis=1)
    left_out = 1.0 - (common - lost) / (k * ((customers - 1) * (customers - 2) // 2))
    return jackknifed(value, left_out)


def revenue_recall(
    hit: NDArray[np.bool_], k: int, paid: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Recall by value: what the customer paid for the hits in the first `k` places, over what for all relevant items.

    Args:
        hit: bool of shape (customers, depth), True where the customer took the item.
        k: places that count, from 1 to depth.
        paid: float64 of the same shape: what the customer paid for the shown item in the horizon, not negative.
        total: float64 of shape (customers,): what the customer paid for all relevant items.

    Returns:
        float64 of shape (customers,) within 0 and 1. An empty list has found nothing, so it has 0, as for recall; NaN
        for a customer whose relevant items cost nothing.

    Raises:
        ValueError: if `hit` and `paid` differ in shape.

    Source: Manning, Raghavan & Schuetze (2008), "Introduction to Information Retrieval", ch. 8 (recall), every relevant
    item weighted by its value.
    """
    if hit.shape != paid.shape:
        raise ValueError(f"hits of shape {hit.shape}, values of shape {paid.shape}")
    found = np.where(hit[:, :k], paid[:, :k], 0.0).sum(axis=1)
    # The same values summed in another order may come out a rounding error above their total.
    return np.minimum(ratio(found, total), 1.0)
