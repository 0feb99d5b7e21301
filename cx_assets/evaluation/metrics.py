"""Accuracy of ranked lists: precision, recall, F1, NDCG, MAP, MRR and hit rate, one figure per customer.

Belongs here: turning "what was shown, in order" and "what the customer really took" into per-customer figures. They
stay per customer because an average can neither be resampled nor compared in pairs. Does not belong here: who is judged
(`evaluation.split`), intervals (`evaluation.bootstrap`), coverage and novelty (`evaluation.beyond_accuracy`).

Relevance is binary: an item was taken in the horizon or not. A list shorter than `k` is judged as if its missing places
held wrong items, so saying little never pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACCURACY_METRICS = ("precision", "recall", "f1", "ndcg", "map", "mrr", "hit_rate")
"""Every metric of this module, in the order of the report; all lie within 0 and 1, and higher is better."""

EMPTY_PLACE = -1
"""What stands in a shown-items array where the list has ended."""


@dataclass(frozen=True)
class Relevance:
    """What the judged customers really took in the horizon, as integers that numpy can search.

    Attributes:
        keys: int64, ascending and unique: `row * items + item` per relevant pair whose item has a position.
        counts: int64 of shape (customers,): relevant items of each customer, at least 1. It may exceed the customer's
            keys: an item first sold in the horizon has no position, can't be shown, and still counts as missed.
        items: number of item positions; every shown item is below it.
    """

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    items: int

    def __post_init__(self) -> None:
        if self.counts.size and int(self.counts.min()) < 1:
            raise ValueError(
                "a customer with nothing relevant can't be judged: leave such customers out and count them"
            )
        if self.keys.size > 1 and not bool(np.all(np.diff(self.keys) > 0)):
            raise ValueError("relevant keys must be ascending and unique")

    @classmethod
    def of_pairs(
        cls, rows: NDArray[np.int64], positions: NDArray[np.int64], *, customers: int, items: int
    ) -> Relevance:
        """Build from one entry per relevant (customer, item) pair.

        Args:
            rows: int64 of shape (pairs,): row of the judged customer, 0 to customers - 1; each occurs.
            positions: int64 of shape (pairs,): position of the item, -1 where it has none. Known pairs are unique.
            customers: number of judged customers.
            items: number of item positions.

        Raises:
            ValueError: if a customer has no pair or a known pair occurs twice.
        """
        known = positions >= 0
        keys = np.sort(rows[known] * items + positions[known])
        return cls(keys, np.bincount(rows, minlength=customers).astype(np.int64), items)


def shown_items(
    rows: NDArray[np.int64], ranks: NDArray[np.int64], items: NDArray[np.int64], *, customers: int, depth: int
) -> NDArray[np.int64]:
    """Lay ranked lists out as a table with one row per customer and one column per place.

    Args:
        rows: int64 of shape (entries,): row of the customer of each entry.
        ranks: int64 of shape (entries,): place in that customer's list, from 1; entries past `depth` are left out.
        items: int64 of shape (entries,): position of the item shown there.
        customers: number of rows.
        depth: number of columns, at least 1.

    Returns:
        int64 of shape (customers, depth), `EMPTY_PLACE` where the list has ended.
    """
    shown = np.full((customers, depth), EMPTY_PLACE, dtype=np.int64)
    kept = ranks <= depth
    shown[rows[kept], ranks[kept] - 1] = items[kept]
    return shown


def hits(shown: NDArray[np.int64], relevance: Relevance) -> NDArray[np.bool_]:
    """Which of the shown items are relevant.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where a list has ended; no item twice in a row.
        relevance: truth of the same customers, in the same order.

    Returns:
        bool of shape (customers, depth).

    Raises:
        ValueError: if the two speak of different numbers of customers.
    """
    if len(shown) != len(relevance.counts):
        raise ValueError(f"{len(shown)} lists for {len(relevance.counts)} judged customers")
    if not relevance.keys.size:
        return np.zeros(shown.shape, dtype=np.bool_)
    keys = np.arange(len(shown), dtype=np.int64)[:, None] * relevance.items + shown
    found = np.searchsorted(relevance.keys, keys)
    # A place past the last key would index out of bounds; the last key itself is then the one that doesn't match.
    nearest = relevance.keys[np.minimum(found, relevance.keys.size - 1)]
    matched: NDArray[np.bool_] = (nearest == keys) & (shown != EMPTY_PLACE)
    return matched


def accuracy(
    hit: NDArray[np.bool_], relevant: NDArray[np.int64], ks: Sequence[int]
) -> dict[tuple[str, int], NDArray[np.float64]]:
    """All accuracy metrics at every `k`, for every customer.

    With `h_i` = 1 when place `i` holds a relevant item, and `R` the number of the customer's relevant items:

    - precision@k = (h_1 + ... + h_k) / k
    - recall@k = (h_1 + ... + h_k) / R
    - F1@k = 2 precision recall / (precision + recall), 0 when both are 0
    - NDCG@k = DCG / IDCG; DCG = sum over i <= k of h_i / log2(i + 1); IDCG is the DCG of min(k, R) hits at the top
    - MAP@k (of one customer: average precision) = (sum over i <= k of h_i * precision@i) / R
    - MRR@k (of one customer: reciprocal rank) = 1 / place of the first hit, 0 without one in the first k
    - hit rate@k = 1 with a hit in the first k, else 0

    MAP divides by R and not by min(k, R), as trec_eval does: a short list that finds 5 of 50 hasn't found all.

    Args:
        hit: bool of shape (customers, depth), depth at least max(ks).
        relevant: int64 of shape (customers,), at least 1 each.
        ks: list lengths to judge, each at least 1.

    Returns:
        (metric, k) to float64 of shape (customers,), each within 0 and 1; metrics in the order of `ACCURACY_METRICS`.

    Raises:
        ValueError: if a `k` is below 1 or beyond the depth of the lists.

    Source: Manning, Raghavan & Schuetze (2008), "Introduction to Information Retrieval", ch. 8 (precision, recall, F1,
    MAP); Jaervelin & Kekaelaeinen (2002), "Cumulated gain-based evaluation of IR techniques" (NDCG); Voorhees (1999),
    "The TREC-8 question answering track report" (MRR).
    """
    depth = hit.shape[1]
    wrong = [k for k in ks if not 1 <= k <= depth]
    if wrong:
        raise ValueError(f"k must lie within 1 and {depth}, the depth of the lists; got {wrong}")
    places = np.arange(1, depth + 1, dtype=np.float64)
    gained = hit.astype(np.float64)
    found = np.cumsum(gained, axis=1)
    discount = 1.0 / np.log2(places + 1)
    dcg = np.cumsum(gained * discount, axis=1)
    ideal = np.concatenate(([0.0], np.cumsum(discount)))
    precision_sum = np.cumsum(gained * (found / places), axis=1)
    # argmax gives the first hit; without any hit it gives place 1, which `found` rules out below.
    first = np.argmax(hit, axis=1) + 1.0
    whole = relevant.astype(np.float64)

    figures: dict[tuple[str, int], NDArray[np.float64]] = {}
    for k in ks:
        count = found[:, k - 1]
        hit_rate = (count > 0).astype(np.float64)
        figures["precision", k] = count / k
        figures["recall", k] = count / whole
        # 2PR / (P + R) with P = c/k and R = c/n is 2c / (k + n), which has no 0/0.
        figures["f1", k] = 2.0 * count / (k + whole)
        figures["ndcg", k] = dcg[:, k - 1] / ideal[np.minimum(k, relevant)]
        figures["map", k] = precision_sum[:, k - 1] / whole
        figures["mrr", k] = hit_rate / first
        figures["hit_rate", k] = hit_rate
    return {(metric, k): figures[metric, k] for metric in ACCURACY_METRICS for k in ks}
