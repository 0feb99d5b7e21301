"""What fills a discovery list for which too little is known of a customer: what is popular.

Belongs here: the order of fallbacks, and the places that they take. Does not: popularity itself (`popular_items`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.recommendations.popular_items import ALL
from cx_assets.recommendations.ranking import RankedLists
from cx_assets.recommendations.recommender import Training

FALLBACKS = ("segment_popularity", "popularity", "catalogue")
"""Who fills a short discovery list, in this order, as the column `recommender` says."""


def filled_places(
    training: Training, lists: RankedLists, popular: pd.DataFrame, segments: Mapping[str, str], places: int
) -> pd.DataFrame:
    """The places that discovery lists lack: from the customer's segment, then everyone, then by item id.

    Args:
        training: whose customers need lists.
        lists: what there is already.
        popular: segment, item_id, customers; best first within a segment.
        segments: customer_id to segment; a customer may be missing.
        places: of a list.

    Returns:
        customer, list, rank, item, score (0), recommender, reason; ordered by customer and rank.
    """
    index = training.interactions
    positions = index.item_positions(popular["item_id"])
    by_segment: dict[str, list[tuple[int, int]]] = {}
    for segment, item, customers in zip(popular["segment"], positions, popular["customers"], strict=True):
        if item >= 0 and training.recommendable[item]:
            by_segment.setdefault(segment, []).append((int(item), int(customers)))
    catalogue = np.flatnonzero(training.recommendable)
    sizes = np.bincount(lists.customer, minlength=training.shape[0])
    ends = np.cumsum(sizes)
    rows: list[tuple[int, str, int, int, float, str, str]] = []
    for customer in np.flatnonzero(sizes < places):
        had = training.counts.indices[training.counts.indptr[customer] : training.counts.indptr[customer + 1]]
        taken = {*had.tolist(), *lists.item[ends[customer] - sizes[customer] : ends[customer]].tolist()}
        rank = int(sizes[customer])
        for item, recommender, reason in _fallback(by_segment, segments.get(index.customers[customer]), catalogue):
            if rank == places:
                break
            if item not in taken:
                taken.add(item)
                rank += 1
                rows.append((int(customer), "discovery", rank, item, 0.0, recommender, reason))
    return pd.DataFrame(rows, columns=["customer", "list", "rank", "item", "score", "recommender", "reason"])


def _fallback(
    by_segment: Mapping[str, list[tuple[int, int]]], segment: str | None, catalogue: NDArray[np.intp]
) -> Iterator[tuple[int, str, str]]:
    """Item, recommender and reason of what a short list is filled with, best first; an item may come twice."""
    own, overall, rest = FALLBACKS
    known = segment is not None and segment != ALL
    return chain(
        (
            (item, own, f"popular in segment {segment}")
            for item, _ in (by_segment.get(str(segment), []) if known else [])
        ),
        ((item, overall, f"popular: {n:,} customers have had it") for item, n in by_segment.get(ALL, [])),
        ((int(item), rest, "new to this customer, from the catalogue") for item in catalogue),
    )
