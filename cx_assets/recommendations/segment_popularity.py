"""Popularity among customers who shop as lately and as often.

Belongs here: segments by recency and frequency as of the training's date, and popularity in each. Does not: the
published segments (`segments`), which know what happened after that date, or their popular items (`popular_items`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from scipy.stats import rankdata

from cx_assets.recommendations.own_baskets import basket_counts
from cx_assets.recommendations.popularity import offered
from cx_assets.recommendations.recommender import Positions, Training

THIRDS = 3
RECENCY = ("long ago", "a while ago", "lately")
FREQUENCY = ("seldom", "sometimes", "often")
SEGMENTS = tuple(f"{lately}, {often}" for lately in RECENCY for often in FREQUENCY)
NO_SEGMENT = len(SEGMENTS)


def thirds(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The third in which each value lies, from 0 (lowest) to 2.

    Equal values are in the same third, that in which the middle of them lies, so that neither order nor ids decide;
    where all are equal, all are in the middle.

    Args:
        values: finite, of shape (customers,).
    """
    # Twice the mid-rank is whole, so the thirds are cut without rounding.
    doubled = np.rint(2 * rankdata(values, method="average")).astype(np.int64)
    found: NDArray[np.int64] = -(-THIRDS * (doubled - 1) // (2 * max(len(values), 1))) - 1
    return found


def segment_of(days: NDArray[np.float64], baskets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The segment of every customer who has history, each figure cut into thirds of just these customers.

    `SEGMENTS` names the nine: long ago, a while ago or lately; seldom, sometimes or often.

    Args:
        days: shape (customers,): days since the customer's last event, finite.
        baskets: shape (customers,): the number of their baskets, at least 1.

    Returns:
        Shape (customers,): positions in `SEGMENTS`.
    """
    return THIRDS * thirds(-days) + thirds(baskets.astype(np.float64))


def segments(training: Training) -> NDArray[np.int64]:
    """The segment of every customer of a training, by `segment_of`.

    Returns:
        Shape (customers,): positions in `SEGMENTS`, `NO_SEGMENT` without history.
    """
    history, customers = training.history, training.shape[0]
    baskets = basket_counts(history, customers)
    days = np.full(customers, np.inf)
    np.minimum.at(days, history.customer, history.age_days)
    known = np.flatnonzero(baskets > 0)
    found = np.full(customers, NO_SEGMENT, dtype=np.int64)
    found[known] = segment_of(days[known], baskets[known])
    return found


@dataclass
class SegmentPopularity:
    """Items by the number of distinct customers of the customer's segment who have had them.

    Segments are those of `segments`: three by recency times three by frequency. Equals are ordered by popularity among
    all; a customer without history is offered what is popular among all.

    Source: the "MostPop" baseline of Cremonesi, Koren & Turrin (2010), "Performance of recommender algorithms on top-N
        recommendation tasks", section 3, within segments by recency and frequency as of Hughes (1994), "Strategic
        Database Marketing".
    """

    name: str = "segment_popularity"
    training_: Training = field(init=False, repr=False)
    segment_: NDArray[np.int64] = field(init=False, repr=False)
    scores_: NDArray[np.float32] = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Find the segments and count their customers per item: float32 of shape (segments + 1, items)."""
        self.training_ = training
        self.segment_ = segments(training)
        customers = np.arange(len(self.segment_))
        members = csr_matrix(
            (np.ones(len(customers), np.float32), (self.segment_, customers)), shape=(NO_SEGMENT + 1, len(customers))
        )
        self.scores_ = (members @ training.had).toarray()
        self.scores_[NO_SEGMENT] = training.popularity
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Distinct customers of the segment per item; as `Recommender.score`, exact for lists up to `DEPTH` places."""
        if not len(customers):
            return csr_matrix((0, self.training_.shape[1]), dtype=np.float32)
        segment = self.segment_[customers]
        order = np.argsort(segment, kind="stable")
        parts = [
            offered(self.training_, self.scores_[one], customers[order[segment[order] == one]])
            for one in np.unique(segment)
        ]
        return csr_matrix(vstack(parts, format="csr")[np.argsort(order, kind="stable")])
