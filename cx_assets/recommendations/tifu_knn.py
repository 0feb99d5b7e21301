"""TIFU-KNN: how often and how lately a customer has had each item, mixed with the same of the nearest customers.

Belongs here: the vectors of faded baskets and the nearest of them. Does not: fading without neighbours
(`personal_frequency`) or neighbours by cosine (`customer_knn`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.history import by_pair
from cx_assets.recommendations.own_baskets import basket_counts, once_per_basket
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.similarity.neighbours import Pairs, apart, best
from cx_assets.similarity.products import joined, row_sums

# Distances held at once: about 60 bytes each.
DISTANCES_AT_ONCE = 2_000_000


@dataclass
class TifuKnn:
    """Items by the customer's own faded frequency and that of the nearest customers.

        v(c)     = sum over the groups of c's baskets of group_decay ** (groups since) * mean over the group's baskets
                   of within_decay ** (baskets of the group since) * (1 for each item in it), over the number of groups
        score(c) = alpha * v(c) + (1 - alpha) * mean of v(n) over the neighbours n of c

    A customer's baskets, in order, are cut into groups that are equally large, the later ones by one larger where they
    can't be; who has fewer baskets than groups has a group for each. Neighbours are the other customers with the
    smallest Euclidean distance between vectors; of equals those with the lowest ids. A customer without history is
    nobody's neighbour and is offered nothing.

    Attributes:
        groups: of baskets, at least 1.
        within_decay: above 0 and at most 1.
        group_decay: likewise.
        neighbours: at least 1.
        alpha: the share of the customer's own, from 0 to 1.

    Source: Hu, He, Gao & Zhang (2020), "Modeling personalized item frequency information for next-basket
        recommendation", section 4. Fading is within groups as in the paper; the authors' program fades over all
        baskets.
    """

    groups: int = 7
    within_decay: float = 0.9
    group_decay: float = 0.7
    neighbours: int = 300
    alpha: float = 0.7
    name: str = "tifu_knn"
    vectors_: csr_matrix = field(init=False, repr=False)
    shares_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Fold baskets into vectors and find the nearest.

        Raises:
            ValueError: if an attribute is out of its range.
        """
        self._require_ranges()
        self.vectors_ = self._vectors(training)
        self.shares_ = self._shares(nearest_customers(self.vectors_, self.neighbours))
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`."""
        return csr_matrix(self.shares_[customers] @ self.vectors_)

    def _require_ranges(self) -> None:
        for name in ("groups", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; it is {getattr(self, name)}")
        for name in ("within_decay", "group_decay"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1; it is {getattr(self, name)}")
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be from 0 to 1; it is {self.alpha}")

    def _vectors(self, training: Training) -> csr_matrix:
        """float32 CSR of shape (customers, items), above 0 where the customer has had the item."""
        entries = once_per_basket(training.history)
        baskets = basket_counts(entries, training.shape[0])[entries.customer]
        groups = np.minimum(baskets, self.groups)
        small, larger = baskets // groups, baskets % groups
        since = entries.baskets_ago - 1
        # Counted from the newest basket: first the groups that are larger by one, then the others.
        in_larger = since < larger * (small + 1)
        size = small + in_larger
        after = np.where(in_larger, since, since - larger * (small + 1))
        group = after // size + np.where(in_larger, 0, larger)
        values = self.within_decay ** (after % size) * self.group_decay**group / (size * groups)
        # The smallest normal float32: a pair that has faded below it is still one that the customer has had.
        values = np.maximum(values, np.finfo(np.float32).tiny)
        return by_pair(entries.customer, entries.item, values, training.shape)

    def _shares(self, near: csr_matrix) -> csr_matrix:
        """float32 CSR of shape (customers, customers): how much of whose vector is in whose score."""
        size = near.shape[0]
        row = np.repeat(np.arange(size), np.diff(near.indptr))
        others = (1 - self.alpha) / np.diff(near.indptr)[row]
        own = np.arange(size)
        data = np.concatenate([others, np.full(size, self.alpha)]).astype(np.float32)
        places = (np.concatenate([row, own]), np.concatenate([near.indices, own]))
        shares = csr_matrix((data, places), shape=near.shape)
        shares.eliminate_zeros()
        return shares


def nearest_customers(vectors: csr_matrix, k: int) -> csr_matrix:
    """The k nearest other rows of every row by Euclidean distance; rows without entries take no part.

    Args:
        vectors: CSR of shape (rows, features).
        k: at least 1.

    Returns:
        CSR of shape (rows, rows), indices sorted: 1 at each of the nearest.
    """
    known = np.flatnonzero(np.diff(vectors.indptr))
    rows = vectors[known].astype(np.float64)
    transposed = csr_matrix(rows.T)
    squares = row_sums(rows, rows.data**2)
    step = max(1, DISTANCES_AT_ONCE // max(len(known), 1))
    blocks = [np.arange(start, min(start + step, len(known))) for start in range(0, len(known), step)]
    row, column, _ = joined([best(apart(_closeness(rows, transposed, squares, b)), k, len(known)) for b in blocks])
    places = (known[row], known[column])
    near = csr_matrix((np.ones(len(row), np.float32), places), shape=(vectors.shape[0],) * 2)
    near.sort_indices()
    return near


def _closeness(
    rows: csr_matrix, transposed: csr_matrix, squares: NDArray[np.float64], block: NDArray[np.int64]
) -> Pairs:
    """Minus the squared distance of some rows to all rows, as pairs."""
    closeness = 2 * (rows[block] @ transposed).toarray() - squares[block, None] - squares
    of = np.repeat(block, len(squares))
    return of, np.tile(np.arange(len(squares)), len(block)), closeness.reshape(-1)
