"""Predicting a rating: how many stars a customer would give to an item.

Belongs here: the predictors, which answer "how much?" of a pair that somebody asks about. Does not: choosing what to
show, or judging (`evaluation.rating_errors`). A predicted rating is no score to rank by: it is highest where one
enthusiastic neighbour has had an item that nobody else knows. So no recommender is made of one; lists by neighbours
rank by the sum over neighbours (`customer_knn`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.matrices.matrix import indexed
from cx_assets.recommendations.ranking import BLOCK
from cx_assets.recommendations.similarities import CUSTOMER_K
from cx_assets.recommendations.sparse import at, filled, select_entries
from cx_assets.similarity import top_k_pearson

Positions = NDArray[np.intp]
Numbers = NDArray[np.float64]

# How many ratings of average size a customer, or an item, is given before their own count, as in Koren (2010).
CUSTOMER_DAMPING = 10.0
ITEM_DAMPING = 25.0


@dataclass(frozen=True)
class Ratings:
    """Known ratings, one per pair of customer and item; at least one.

    Entries and not a matrix of `Training`, in which a rating of 0, on a scale that has it, would be no rating.

    Attributes:
        customers: object array of customer_id, ascending.
        items: object array of item_id, ascending.
        customer: shape (ratings,), who rated, as a position in `customers`.
        item: shape (ratings,), what was rated, as a position in `items`.
        value: float64 of shape (ratings,), the rating.

    Raises:
        ValueError: if there is no rating, or one isn't finite.
    """

    customers: NDArray[np.object_]
    items: NDArray[np.object_]
    customer: Positions
    item: Positions
    value: Numbers

    def __post_init__(self) -> None:
        if not len(self.value):
            raise ValueError("there is no rating to learn from")
        if not np.isfinite(self.value).all():
            raise ValueError(f"{int((~np.isfinite(self.value)).sum()):,} ratings are not finite numbers")

    @classmethod
    def from_arrow(cls, rows: pa.Table) -> Self:
        """Read rows of customer_id, item_id and rating, at most one per pair.

        Raises:
            ValueError: as the class does.
        """
        customers, customer = indexed(rows["customer_id"])
        items, item = indexed(rows["item_id"])
        value = rows["rating"].to_numpy().astype(np.float64)
        return cls(customers, items, customer.astype(np.intp), item.astype(np.intp), value)

    def clipped(self, predicted: Numbers) -> Numbers:
        """Predictions moved into the scale, as far as it is known: from the lowest to the highest known rating."""
        return np.clip(predicted, self.value.min(), self.value.max())

    def matrix(self, value: NDArray[Any]) -> csr_matrix:
        """CSR of shape (customers, items) of one value per rating; a value of 0 is a stored entry."""
        shape = (len(self.customers), len(self.items))
        made = csr_matrix((value, (self.customer, self.item)), shape=shape)
        made.sort_indices()
        return made


class RatingPredictor(Protocol):
    """A way to predict ratings.

    Attributes:
        name: how it is called in tables.
    """

    @property
    def name(self) -> str:
        """How it is called in tables."""
        ...

    def fit(self, ratings: Ratings) -> Self:
        """Learn from known ratings."""
        ...

    def predict(self, customers: Positions, items: Positions) -> Numbers:
        """The rating of each asked pair, not clipped.

        Args:
            customers: positions in `Ratings.customers`, shape (n,); -1 for one without ratings.
            items: positions in `Ratings.items`, shape (n,); -1 for one without ratings.

        Returns:
            float64 of shape (n,), finite.
        """
        ...


@dataclass
class DampedMeans:
    """The mean of all, and how far the item, and then the customer, deviates from it: habits, and no taste.

        b(i)     = sum over those who rated i of (r(c, i) - mean) / (item_damping + how many)
        b(c)     = sum over what c rated of (r(c, i) - mean - b(i)) / (customer_damping + how many)
        r^(c, i) = mean + b(i) + b(c)

    With b(i) alone it is the item's mean, with b(c) alone the customer's, each drawn to the mean of all the more the
    fewer ratings there are; with neither it is the mean of all.

    Attributes:
        by_item: whether items deviate; if not, b(i) is 0.
        by_customer: whether customers deviate; if not, b(c) is 0.

    Source: Koren (2010), "Factor in the neighbors: scalable and accurate collaborative filtering", section 2.1, with
        its dampings; what the library Surprise calls BaselineOnly, in one pass.
    """

    by_item: bool = True
    by_customer: bool = True
    mean_: float = field(init=False, repr=False)
    items_: Numbers = field(init=False, repr=False)
    customers_: Numbers = field(init=False, repr=False)

    @property
    def name(self) -> str:
        """biases, item_mean, customer_mean or global_mean."""
        if self.by_item:
            return "biases" if self.by_customer else "item_mean"
        return "customer_mean" if self.by_customer else "global_mean"

    def fit(self, ratings: Ratings) -> Self:
        """Take the items' damped deviations, then the customers' from what is left."""
        self.mean_ = float(ratings.value.mean())
        self.items_ = np.zeros(len(ratings.items))
        self.customers_ = np.zeros(len(ratings.customers))
        left = ratings.value - self.mean_
        if self.by_item:
            self.items_ = damped(left, ratings.item, len(ratings.items), ITEM_DAMPING)
            left = left - self.items_[ratings.item]
        if self.by_customer:
            self.customers_ = damped(left, ratings.customer, len(ratings.customers), CUSTOMER_DAMPING)
        return self

    def predict(self, customers: Positions, items: Positions) -> Numbers:
        """As `RatingPredictor.predict`; nobody knows how a new customer or item deviates, so it doesn't."""
        return self.mean_ + _of(self.items_, items) + _of(self.customers_, customers)


@dataclass
class PearsonNeighbours:
    """What the neighbours who rated the item think of it, as deviations from their means, from the customer's own mean.

        r^(c, i) = m(c) + sum of s(c, n) * (r(n, i) - m(n)) / sum of s(c, n)

    over the neighbours n of c who rated i with a correlation s(c, n) > 0; m is a customer's plain mean. Neighbours are
    those of `customer_knn_pearson`. Where none of them rated the item, it is the customer's damped mean.

    Correlations below 0 are left out, as in the lists. A correlation over few co-rated items counts little already,
    since `similarity.pearson` takes lengths over all rated items, so there is no significance weighting on top.

    Attributes:
        k: neighbours per customer.

    Source: Resnick et al. (1994), "GroupLens: an open architecture for collaborative filtering of netnews", eq. 2;
        Herlocker et al. (1999), "An algorithmic framework for performing collaborative filtering" (deviations from the
        mean, a bounded number of neighbours).
    """

    k: int = CUSTOMER_K
    name: str = "pearson_neighbours"
    fallback_: DampedMeans = field(init=False, repr=False)
    means_: Numbers = field(init=False, repr=False)
    near_: csr_matrix = field(init=False, repr=False)
    deviations_: csr_matrix = field(init=False, repr=False)

    def fit(self, ratings: Ratings) -> Self:
        """Find every customer's neighbours and what each rating says beyond its customer's mean."""
        self.fallback_ = DampedMeans(by_item=False).fit(ratings)
        size = len(ratings.customers)
        counts = np.bincount(ratings.customer, minlength=size)
        self.means_ = np.bincount(ratings.customer, ratings.value, minlength=size) / np.maximum(counts, 1)
        self.deviations_ = ratings.matrix((ratings.value - self.means_[ratings.customer]).astype(np.float32))
        near = top_k_pearson(ratings.matrix(ratings.value), self.k).matrix
        self.near_ = select_entries(near, near.data > 0)
        return self

    def predict(self, customers: Positions, items: Positions) -> Numbers:
        """As `RatingPredictor.predict`."""
        predicted = self.fallback_.predict(customers, items)
        known = np.flatnonzero((customers >= 0) & (items >= 0))
        known = known[np.argsort(customers[known], kind="stable")]
        asked, row = np.unique(customers[known], return_inverse=True)
        # Some customers at a time: their sums over all items at once would grow with the catalogue.
        for start in range(0, len(asked), BLOCK):
            first, last = np.searchsorted(row, [start, start + BLOCK])
            pairs = known[first:last]
            deviation, weight = self._sums(asked[start : start + BLOCK], row[first:last] - start, items[pairs])
            reached = weight > 0
            pairs = pairs[reached]
            predicted[pairs] = self.means_[customers[pairs]] + deviation[reached] / weight[reached]
        return predicted

    def _sums(self, customers: Positions, rows: Positions, items: Positions) -> tuple[Numbers, Numbers]:
        """Over the neighbours who rated each pair's item: similarity times deviation, and similarity alone.

        Args:
            customers: positions of some customers.
            rows: of each pair, the place of its customer in `customers`.
            items: of each pair, its item.
        """
        near = self.near_[customers]
        sums = []
        for weighed in (self.deviations_, filled(self.deviations_, 1.0)):
            summed = csr_matrix(near @ weighed)
            summed.sort_indices()
            sums.append(at(summed, rows, items).astype(np.float64))
        return sums[0], sums[1]


def rating_predictors() -> list[RatingPredictor]:
    """All predictors, not fitted, the simplest first."""
    return [
        DampedMeans(by_item=False, by_customer=False),
        DampedMeans(by_customer=False),
        DampedMeans(by_item=False),
        DampedMeans(),
        PearsonNeighbours(),
    ]


def damped(deviation: Numbers, position: Positions, size: int, damping: float) -> Numbers:
    """Mean deviations that few ratings can't drive far from 0: sum / (damping + count), by position.

    Args:
        deviation: float64 of shape (ratings,).
        position: shape (ratings,), what each is a deviation of.
        size: how many positions there are.
        damping: above 0.

    Returns:
        float64 of shape (size,); 0 where there is no rating.

    Raises:
        ValueError: if `damping` isn't above 0.
    """
    if damping <= 0:
        raise ValueError(f"damping must be above 0; it is {damping}")
    counts = np.bincount(position, minlength=size)
    return np.asarray(np.bincount(position, deviation, minlength=size) / (damping + counts), dtype=np.float64)


def _of(values: Numbers, positions: Positions) -> Numbers:
    """The value at each position, 0 at -1."""
    return np.where(positions >= 0, values[positions], 0.0)
