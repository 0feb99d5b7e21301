"""EASE: the linear model of items by items that explains every customer's items best, in closed form.

Belongs here: fitting it over the smaller side of the matrix. Does not: neighbours (`item_knn`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from cx_assets.recommendations.ranking import best_and_had
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.similarities import MIN_CUSTOMERS

GIB = 2**30


class TooLargeError(Exception):
    """Fitting would need more memory than it was allowed; nothing was allocated."""


@dataclass
class Ease:
    """Items by a linear model of what the customer has had.

        B minimises |X - X B|^2 + l2 |B|^2 with a diagonal of 0;  score = X B

    With P = (X'X + l2 I)^-1 it is B = I - P / diag(P), column by column. X P = K X with K = (X X' + l2 I)^-1, so that
    whichever of customers and items are fewer are inverted, and neither B nor P is ever built over the catalogue when
    customers are fewer (the dual).

    Attributes:
        l2: how strongly large weights are held down.
        min_customers: items of fewer customers are left out.
        max_gib: memory that fitting may take.

    Source: Steck (2019), "Embarrassingly shallow autoencoders for sparse data"; the dual by the push-through identity.
    """

    l2: float = 300.0
    min_customers: int = MIN_CUSTOMERS
    max_gib: float = 4.0
    name: str = "ease"
    training_: Training = field(init=False, repr=False)
    pool_: NDArray[np.intp] = field(init=False, repr=False)
    had_: csr_matrix = field(init=False, repr=False)
    inverse_: NDArray[np.float32] = field(init=False, repr=False)
    diagonal_: NDArray[np.float32] = field(init=False, repr=False)
    dual_: bool = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Solve for the weights.

        Raises:
            ValueError: if `l2` is not above 0.
            TooLargeError: if the smaller side is too large for `max_gib`.
        """
        if not self.l2 > 0:
            raise ValueError(f"l2 must be above 0; it is {self.l2}")
        self.training_ = training
        self.pool_ = np.flatnonzero(training.popularity >= self.min_customers)
        self.had_ = csr_matrix(training.had[:, self.pool_])
        self.dual_ = self.had_.shape[0] <= self.had_.shape[1]
        side = min(self.had_.shape)
        # The matrix, its factor and its inverse in float64.
        needed = 3 * 8 * side**2
        if needed > self.max_gib * GIB:
            raise TooLargeError(
                f"ease: {needed / GIB:.1f} GiB for {side:,} {'customers' if self.dual_ else 'items'} squared is above "
                f"the allowed {self.max_gib:g} GiB. Raise max_gib, or min_customers to leave rare items out."
            )
        had = self.had_.astype(np.float64)
        gram = (had @ had.T if self.dual_ else had.T @ had).toarray()
        gram[np.diag_indices(side)] += self.l2
        inverse = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), np.eye(side), overwrite_b=True)
        if self.dual_:
            self.inverse_ = inverse.astype(np.float32)
            self.diagonal_ = self._diagonal()
        else:
            self.diagonal_ = np.diag(inverse).astype(np.float32)
            self.inverse_ = inverse.astype(np.float32)
        return self

    def dense(self, customers: Positions) -> NDArray[np.float32]:
        """float32 of shape (len(customers), len(pool_)): the score of every item of the pool."""
        own = self.had_[customers]
        projected = self._projected(customers) if self.dual_ else np.asarray(own @ self.inverse_)
        scores = -projected / self.diagonal_
        scores[np.repeat(np.arange(own.shape[0]), np.diff(own.indptr)), own.indices] += 1
        return np.asarray(scores, dtype=np.float32)

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`, exact for lists of up to `popularity.DEPTH` places."""
        return best_and_had(self.dense(customers), self.pool_, self.training_, customers)

    def weights(self, columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Columns of B: what having each item adds to the score of some others.

        Args:
            columns: places in `pool_`.

        Returns:
            float32 of shape (len(pool_), len(columns)); a customer's rows of a column sum to the item's score.
        """
        if self.dual_:
            projected = self.had_.T @ (self.inverse_ @ self.had_[:, columns].toarray()) / self.l2
        else:
            projected = -self.inverse_[:, columns]
        found = np.asarray(projected / self.diagonal_[columns], dtype=np.float32)
        found[columns, np.arange(len(columns))] = 0
        return found

    def _projected(self, customers: Positions) -> NDArray[np.float32]:
        """X P for some customers: their rows of K X."""
        return np.asarray((self.had_.T @ self.inverse_[customers].T).T, dtype=np.float32)

    def _diagonal(self, block: int = 256) -> NDArray[np.float32]:
        """diag(P) = (1 - diag(X' K X)) / l2."""
        total = np.zeros(self.had_.shape[1])
        for start in range(0, self.had_.shape[0], block):
            customers = np.arange(start, min(start + block, self.had_.shape[0]))
            own = self.had_[customers]
            rows = np.repeat(np.arange(own.shape[0]), np.diff(own.indptr))
            total += np.bincount(
                own.indices, weights=self._projected(customers)[rows, own.indices], minlength=len(total)
            )
        return ((1 - total) / self.l2).astype(np.float32)
