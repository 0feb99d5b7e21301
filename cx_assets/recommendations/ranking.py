"""From scores to lists: the ranking that all recommenders share.

Belongs here: which candidates a list may hold (had before or not, never what isn't recommendable), the order of
equals, and the best k. Does not: scores (a module per recommender), filling up short lists (`lists`) or reasons
(`explanation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Recommender, Training
from cx_assets.recommendations.sparse import places, row_of_entry, select_entries

Which = Literal["repeat", "discovery", "both"]

# Customers scored at once: neighbours give each of them some ten thousand candidates of 8 bytes.
BLOCK = 256


@dataclass(frozen=True)
class RankedLists:
    """Lists, one entry per place, ordered by customer (as asked for) and rank.

    Attributes:
        customer: int positions of customers.
        rank: int32, from 1 without gaps within a customer.
        item: int positions of items.
        score: float32, never rising within a customer.
    """

    customer: NDArray[np.intp]
    rank: NDArray[np.int32]
    item: NDArray[np.intp]
    score: NDArray[np.float32]


def rank(
    recommender: Recommender, training: Training, customers: Positions, which: Which, k: int, *, block: int = BLOCK
) -> RankedLists:
    """The best k items for each of some customers, by a fitted recommender.

    Args:
        recommender: fitted on `training`.
        training: what says who has had what, what is recommendable and what is popular.
        customers: positions of customers, each once.
        which: repeat for items had before, discovery for the others, both for all.
        k: places per list, at least 1; a customer with fewer candidates gets a shorter list.
        block: customers scored at once; the lists do not depend on it.
    """
    parts = [
        top(recommender.score(customers[start : start + block]), training, customers[start : start + block], which, k)
        for start in range(0, len(customers), block)
    ]
    return joined(parts)


def joined(parts: list[RankedLists]) -> RankedLists:
    """Lists of several groups of customers, one after the other."""
    names = ("customer", "rank", "item", "score")
    empty: list[Any] = [np.empty(0, t) for t in (np.intp, np.int32, np.intp, np.float32)]
    return RankedLists(
        *(np.concatenate([e, *(getattr(p, name) for p in parts)]) for name, e in zip(names, empty, strict=True))
    )


def of_customers(lists: RankedLists, kept: NDArray[np.bool_]) -> RankedLists:
    """The lists of some customers.

    Args:
        lists: of any customers.
        kept: shape (customers,), by position: whose lists to keep.
    """
    at = kept[lists.customer]
    return RankedLists(lists.customer[at], lists.rank[at], lists.item[at], lists.score[at])


def top(scores: csr_matrix, training: Training, customers: Positions, which: Which, k: int) -> RankedLists:
    """The best k candidates of a block of customers.

    Order: score descending, then popularity (distinct customers) descending, then item id ascending.

    Args:
        scores: float32 CSR of shape (len(customers), items), row i for `customers[i]`.
        training: as in `rank`.
        customers: positions of customers, each once.
        which: as in `rank`.
        k: as in `rank`.

    Raises:
        ValueError: if `k` is below 1, `which` is none of the three, or a score is not finite.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1; it is {k}")
    rows, items, values = _allowed(scores, training, customers, which)
    if not np.isfinite(values).all():
        raise ValueError("a recommender gave a score that is not a finite number")
    kept = _at_least_kth(rows, values, scores.shape[0], k)
    rows, items, values = rows[kept], items[kept], values[kept]
    # Item ids ascend with their positions.
    order = np.lexsort((items, -training.popularity[items], -values, rows))
    rows, items, values = rows[order], items[order], values[order]
    sizes = np.bincount(rows, minlength=scores.shape[0])
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    best = place < k
    return RankedLists(
        np.asarray(customers)[rows[best]].astype(np.intp),
        (place[best] + 1).astype(np.int32),
        items[best].astype(np.intp),
        values[best].astype(np.float32),
    )


def _allowed(
    scores: csr_matrix, training: Training, customers: Positions, which: Which
) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[Any]]:
    """Row, item and score of the entries that the list may hold, rows ascending."""
    if which not in ("repeat", "discovery", "both"):
        raise ValueError(f"which must be repeat, discovery or both; it is {which!r}")
    allowed = training.recommendable[scores.indices]
    if which != "both":
        allowed &= had_before(scores, training, customers) == (which == "repeat")
    kept = select_entries(scores, allowed)
    return row_of_entry(kept), kept.indices, kept.data


def had_before(scores: csr_matrix, training: Training, customers: Positions) -> NDArray[np.bool_]:
    """Shape (nnz,): for each entry of a block of scores, whether the customer has had the item."""
    had = training.counts[customers]
    flags = np.zeros(scores.shape[1], dtype=bool)
    result = np.empty(scores.nnz, dtype=bool)
    for row in range(scores.shape[0]):
        own = had.indices[had.indptr[row] : had.indptr[row + 1]]
        flags[own] = True
        entries = slice(scores.indptr[row], scores.indptr[row + 1])
        result[entries] = flags[scores.indices[entries]]
        flags[own] = False
    return result


def _at_least_kth(rows: NDArray[np.intp], values: NDArray[Any], size: int, k: int) -> NDArray[np.intp]:
    """The entries at least as good as the k-th best of their row: all that may be among the first k, and their equals.

    Sorting only these saves sorting the ten thousand other candidates of each customer.
    """
    bounds = np.searchsorted(rows, np.arange(size + 1))
    kept = []
    for start, end in pairwise(bounds):
        own = values[start:end]
        if len(own) > k:
            kept.append(start + np.flatnonzero(own >= np.partition(own, len(own) - k)[len(own) - k]))
        else:
            kept.append(np.arange(start, end))
    return np.concatenate(kept) if kept else np.empty(0, dtype=np.intp)


def best_and_had(
    scores: NDArray[np.float32], pool: Positions, training: Training, customers: Positions, depth: int = 100
) -> csr_matrix:
    """Dense scores as candidates: what the customer has had, and the best of the rest.

    Args:
        scores: float32 of shape (len(customers), len(pool)), finite.
        pool: ascending positions of the items that are scored.
        training: who has had what, and what may be recommended.
        customers: positions of customers.
        depth: places of the longest list that will be asked for. Equals of the last of them are offered too, so that
            ties are broken by `top`, as always.

    Returns:
        float32 CSR of shape (len(customers), items).
    """
    had = csr_matrix(training.counts[customers][:, pool])
    flags = np.zeros(scores.shape, dtype=bool)
    flags[np.repeat(np.arange(had.shape[0]), np.diff(had.indptr)), had.indices] = True
    fresh = np.where(flags | ~training.recommendable[pool], -np.inf, scores)
    if fresh.shape[1] > depth:
        least = -np.partition(-fresh, depth - 1, axis=1)[:, depth - 1 : depth]
        flags |= (fresh >= least) & np.isfinite(fresh)
    else:
        flags |= np.isfinite(fresh)
    row, column = places(flags)
    values = scores[row, column]
    indptr = np.searchsorted(row, np.arange(len(customers) + 1))
    return csr_matrix((values, pool[column], indptr), shape=(len(customers), training.shape[1]))
