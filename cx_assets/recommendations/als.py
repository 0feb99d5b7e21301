"""ALS: factors of customers and items whose products are near to what customers have had.

Belongs here: fitting them with the library `implicit`, which is an optional extra. Does not: a linear model over whole
items (`ease`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from cx_assets.recommendations.ranking import best_and_had
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.similarities import MIN_CUSTOMERS
from cx_assets.recommendations.sparse import row_of_entry, select_entries


@dataclass
class Als:
    """Items by factors fitted to what all customers have had, weighted by how often.

        x, y minimise  sum over pairs of w(c, i) * (had(c, i) - x(c) . y(i)) ** 2
                       + regularization * (sum of |x(c)| ** 2 + sum of |y(i)| ** 2)
        score(c, i) = x(c) . y(i)

    had is 1 or 0, w is alpha * events(c, i) where it is 1 and else 1. A customer who has had none of the items that
    are fitted is offered nothing. One thread fits, because sums taken in another order are other sums.

    Attributes:
        factors: numbers per customer and item, at least 1.
        regularization: how strongly large factors are held down, not negative.
        alpha: the weight of an event, above 0.
        iterations: of fitting customers and then items, at least 1.
        random_state: of the factors to start from.
        min_customers: items of fewer customers are left out.

    Source: Hu, Koren & Volinsky (2008), "Collaborative filtering for implicit feedback datasets"; solved as Takacs,
        Pilaszy & Tikk (2011), "Applications of the conjugate gradient method for implicit feedback collaborative
        filtering".
    """

    factors: int = 64
    regularization: float = 0.05
    alpha: float = 10.0
    iterations: int = 15
    random_state: int = 0
    min_customers: int = MIN_CUSTOMERS
    name: str = "als"
    training_: Training = field(init=False, repr=False)
    pool_: NDArray[np.intp] = field(init=False, repr=False)
    known_: NDArray[np.bool_] = field(init=False, repr=False)
    of_customers_: NDArray[np.float32] = field(init=False, repr=False)
    of_items_: NDArray[np.float32] = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Fit the factors.

        Raises:
            ImportError: if `implicit` is not installed.
            ValueError: if an attribute is out of its range.
        """
        self._require_ranges()
        model_class = _alternating_least_squares()
        self.training_ = training
        self.pool_ = np.flatnonzero(training.popularity >= self.min_customers)
        counts = csr_matrix(training.counts[:, self.pool_])
        self.known_ = np.diff(counts.indptr) > 0
        # The library warns of a BLAS with threads of its own, which would take turns with it.
        with threadpool_limits(1, "blas"):
            model = model_class(
                factors=self.factors,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.random_state,
            )
            model.fit(counts, show_progress=False)
        self.of_customers_, self.of_items_ = model.user_factors, model.item_factors
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`, exact for lists of up to `popularity.DEPTH` places."""
        scores = self.of_customers_[customers] @ self.of_items_.T
        candidates = best_and_had(scores, self.pool_, self.training_, customers)
        return select_entries(candidates, self.known_[customers][row_of_entry(candidates)])

    def _require_ranges(self) -> None:
        for name in ("factors", "iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; it is {getattr(self, name)}")
        if not 0 <= self.regularization < float("inf"):
            raise ValueError(f"regularization must be finite and not negative; it is {self.regularization}")
        if not 0 < self.alpha < float("inf"):
            raise ValueError(f"alpha must be above 0 and finite; it is {self.alpha}")


def _alternating_least_squares() -> Any:
    """The library's class, which need not be there for any other recommender."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError as error:
        raise ImportError("als needs the library implicit: pip install 'cx_assets[als]'") from error
    return AlternatingLeastSquares
