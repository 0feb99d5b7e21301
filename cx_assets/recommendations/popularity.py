"""Popularity: the same order of items for everyone.

Belongs here: popularity of all time and of the last weeks, and offering one score per item to many customers without
writing down a full row for each. Does not: popularity per segment, which is a table and not a recommender
(`popular_items`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.sparse import from_flags, ranges, row_of_entry

# The longest list that can be made of what is offered to everyone.
DEPTH = 100


def offered(training: Training, scores: NDArray[np.float32], customers: Positions, depth: int = DEPTH) -> csr_matrix:
    """One score per item, as candidates of each of some customers.

    A customer who has had n items is offered the best depth + n recommendable items, and all had before. So no list of
    up to `depth` places, of any kind, misses an item, and a row holds hundreds of entries and not the catalogue.

    Args:
        training: who has had what, and the order of equals.
        scores: shape (items,), finite; an item of score 0 or below is not offered.
        customers: positions of customers.
        depth: places of the longest list that will be asked for.

    Returns:
        float32 CSR of shape (len(customers), items).
    """
    pool = np.flatnonzero(training.recommendable & (scores > 0))
    best = pool[np.lexsort((pool, -training.popularity[pool], -scores[pool]))]
    had = training.counts[customers]
    counts = np.diff(had.indptr)
    rows, places = ranges(np.zeros(len(customers), dtype=np.intp), np.minimum(counts + depth, len(best)))
    pairs = np.zeros((len(customers), training.shape[1]), dtype=bool)
    pairs[rows, best[places]] = True
    pairs[row_of_entry(had), had.indices] = True
    pairs[:, scores <= 0] = False
    return from_flags(pairs, scores)


@dataclass
class Popularity:
    """Items by the number of distinct customers who have had them.

    Customers are counted and not events: one who buys milk every day says no more about others than one who bought it
    once.

    Source: the "MostPop" baseline of Cremonesi, Koren & Turrin (2010), "Performance of recommender algorithms on top-N
        recommendation tasks", section 3.
    """

    name: str = "popularity"
    training_: Training = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Keep the training data; their popularity is counted already."""
        self.training_ = training
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Distinct customers per item; as `Recommender.score`, exact for lists of up to `DEPTH` places."""
        return offered(self.training_, self.training_.popularity.astype(np.float32), customers)


@dataclass
class RecentPopularity:
    """Items by the number of distinct customers who have had them in the last days.

    Attributes:
        days: how far back from the as-of date events count, at least 1.

    Source: Ji, Sun, Zhang & Li (2020), "A re-visit of the popularity baseline in recommender systems" (RecentPop).
    """

    days: int = 28
    name: str = "recent_popularity"
    training_: Training = field(init=False, repr=False)
    scores_: NDArray[np.float32] = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Count the customers of the last days.

        Raises:
            ValueError: if `days` is below 1.
        """
        if self.days < 1:
            raise ValueError(f"days must be at least 1; it is {self.days}")
        recent = np.flatnonzero(training.history.age_days <= self.days)
        customer, item = training.history.customer[recent], training.history.item[recent]
        pairs: NDArray[Any] = np.unique(customer.astype(np.int64) * training.shape[1] + item)
        self.training_ = training
        self.scores_ = np.bincount(pairs % training.shape[1], minlength=training.shape[1]).astype(np.float32)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Distinct recent customers per item; as `Recommender.score`, exact for lists of up to `DEPTH` places."""
        return offered(self.training_, self.scores_, customers)
