"""RP3beta: random walks of three steps from the customer's items over who has them, held back from popular items.

Belongs here: the walk from item to item, and the nearest items by it. Does not: neighbours by an angle (`item_knn`,
`weighted_knn`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.similarities import MIN_CUSTOMERS
from cx_assets.recommendations.sparse import row_of_entry
from cx_assets.similarity.neighbours import Pairs, apart, best
from cx_assets.similarity.products import Products, joined


@dataclass
class Rp3Beta:
    """Items that random walks from the customer's items often end at, for how popular they are.

        walk(j, i)  = sum over the customers n of both of (1 / (customers of j * items of n)) ** alpha
                      / customers of i ** beta
        score(c, i) = sum over the items j of c that have i among their nearest, of walk(j, i)

    1 / customers of j is the probability of a step from j to n, 1 / items of n that of the next from n to i. The first
    step, from c to j, has the same probability for all of c's items, and so is left out. A walk doesn't end where it
    came from. Items of fewer customers than `min_customers` are not walked over.

    Attributes:
        alpha: above 0: below 1, improbable steps count for more than they are.
        beta: at least 0: how much popular items are held back.
        neighbours: items kept per item, at least 1; of equals the lowest ids.
        min_customers: at least 1.

    Source: Paudel, Christoffel, Newell & Bernstein (2017), "Updatable, accurate, diverse, and scalable recommendations
        for interactive applications", section 4; the powers of single steps are P3alpha of Cooper, Lee, Radinsky &
        Kim (2014), "Random walks in recommender systems: exact computation and simulations".
    """

    alpha: float = 0.8
    beta: float = 0.4
    neighbours: int = 100
    min_customers: int = MIN_CUSTOMERS
    name: str = "rp3beta"
    walks_: csr_matrix = field(init=False, repr=False)
    had_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Walk from every item that has enough customers.

        Raises:
            ValueError: if an attribute is out of its range.
        """
        self._require_ranges()
        pool = np.flatnonzero(training.popularity >= self.min_customers)
        row, column, walks = self._walks(csr_matrix(training.had[:, pool].T))
        size = training.shape[1]
        self.had_ = training.had
        self.walks_ = csr_matrix((walks.astype(np.float32), (pool[row], pool[column])), shape=(size, size))
        self.walks_.sort_indices()
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`."""
        return csr_matrix(self.had_[customers] @ self.walks_)

    def _require_ranges(self) -> None:
        for name in ("neighbours", "min_customers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; it is {getattr(self, name)}")
        if not 0 < self.alpha < float("inf"):
            raise ValueError(f"alpha must be above 0 and finite; it is {self.alpha}")
        if not 0 <= self.beta < float("inf"):
            raise ValueError(f"beta must be finite and not negative; it is {self.beta}")

    def _walks(self, had: csr_matrix) -> Pairs:
        """The most probable ends of walks from each item.

        Args:
            had: CSR of shape (items, customers), an entry where the customer has had the item; no item without one.

        Returns:
            From which item, to which, `walk` of the two; grouped by the first.
        """
        size = had.shape[0]
        customers = np.diff(had.indptr).astype(np.float64)
        items = np.bincount(had.indices, minlength=had.shape[1]).astype(np.float64)
        # The product of two such rows has popularity ** -beta of both items; the first is the same for all ends of an
        # item's walks, so they are in the right order, and it is made up for below.
        weights = items[had.indices] ** (-self.alpha / 2) * customers[row_of_entry(had)] ** -self.beta
        halves = csr_matrix((weights, had.indices, had.indptr), shape=had.shape)
        found = Products(halves).largest(np.arange(size), self.neighbours + 1, above=0.0)
        start, end, products = apart(joined([part.pairs for part in found]))
        # Relative to the best, because `best` takes what differs by less than a fixed number for equal.
        highest = np.zeros(size)
        np.maximum.at(highest, start, products)
        start, end, relative = best((start, end, products / highest[start]), self.neighbours, size)
        return start, end, relative * highest[start] * customers[start] ** (self.beta - self.alpha)
