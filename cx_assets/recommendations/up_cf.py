"""UP-CF: the share of the last baskets that hold an item, of the customer and of those who have much the same items.

Belongs here: popularity within a customer's last baskets and the similarity that it is summed by. Does not: cosine
neighbours (`customer_knn`) or fading frequency (`personal_frequency`, `tifu_knn`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from cx_assets.recommendations.history import by_pair
from cx_assets.recommendations.own_baskets import basket_counts, once_per_basket
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.sparse import row_of_entry
from cx_assets.similarity.neighbours import apart, best
from cx_assets.similarity.products import Products, joined


@dataclass
class UpCf:
    """Items by their share of the last baskets, summed over the customer and the most similar others.

        share(c, i)      = c's last r baskets that hold i / (r, or c's baskets if they are fewer)
        similarity(c, n) = items of both / (items of c ** alpha * items of n ** (1 - alpha))
        score(c, i)      = sum over c and the neighbours n of similarity(c, n) ** locality * share(n, i)

    The customer's similarity to themselves is 1. Of equally similar others those with the lowest ids are neighbours.

    Attributes:
        last_baskets: r, at least 1.
        alpha: from 0 to 1: whether the similarity is to be a share of the neighbour's items or of the customer's.
        locality: above 0; the higher, the less the less similar count.
        neighbours: others that are summed over, at least 1. The paper sums over all; at a locality such as the default
            the rest is next to nothing.

    Source: Faggioli, Polato & Aiolli (2020), "Recency aware collaborative filtering for next basket recommendation"
        (UP-CF@r).
    """

    last_baskets: int = 25
    alpha: float = 0.25
    locality: float = 10.0
    neighbours: int = 100
    name: str = "up_cf"
    weights_: csr_matrix = field(init=False, repr=False)
    popularity_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Count the last baskets and find the most similar customers.

        Raises:
            ValueError: if an attribute is out of its range.
        """
        self._require_ranges()
        self.popularity_ = share_of_baskets(training, self.last_baskets)
        self.weights_ = self._weights(training.had)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`."""
        return csr_matrix(self.weights_[customers] @ self.popularity_)

    def _require_ranges(self) -> None:
        for name in ("last_baskets", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; it is {getattr(self, name)}")
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be from 0 to 1; it is {self.alpha}")
        if not self.locality > 0:
            raise ValueError(f"locality must be above 0; it is {self.locality}")

    def _weights(self, had: csr_matrix) -> csr_matrix:
        """float32 CSR of shape (customers, customers): similarity ** locality of the neighbours, 1 on the diagonal."""
        size = had.shape[0]
        items = np.maximum(np.diff(had.indptr), 1).astype(np.float64)
        # Every row is scaled as the other of a pair is; what the row itself should have had instead is made up for
        # below. It is the same for all of its neighbours, so they are the nearest in either case.
        scaled = csr_matrix(
            ((items ** (self.alpha - 1))[row_of_entry(had)], had.indices, had.indptr),
            shape=had.shape,
        )
        found = Products(scaled).largest(np.arange(size), self.neighbours + 1, above=0.0)
        row, other, products = apart(joined([part.pairs for part in found]))
        similarity = products * items[row] ** (1 - 2 * self.alpha)
        row, other, similarity = best((row, other, similarity), self.neighbours, size)
        own = np.arange(size)
        data = np.concatenate([similarity**self.locality, np.ones(size)]).astype(np.float32)
        weights = csr_matrix((data, (np.concatenate([row, own]), np.concatenate([other, own]))), shape=(size, size))
        # What float32 can't tell from 0 is no neighbour.
        weights.eliminate_zeros()
        return weights


def share_of_baskets(training: Training, last: int) -> csr_matrix:
    """The share of each customer's last baskets that hold an item.

    Args:
        training: with the history.
        last: baskets to look at, at least 1; of a customer with fewer, all.

    Returns:
        float32 CSR of shape (customers, items); no entry where none of them holds the item.
    """
    entries = once_per_basket(training.history)
    baskets = np.minimum(basket_counts(entries, training.shape[0]), last)
    recent = entries.chosen(entries.baskets_ago <= last)
    shares = by_pair(recent.customer, recent.item, np.ones(len(recent.item)), training.shape)
    shares.data /= baskets[row_of_entry(shares)].astype(np.float32)
    return shares
