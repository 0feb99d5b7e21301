"""Random recommendations: the floor that everything else must be above.

Belongs here: scores that look random and are the same in every run. Does not: a random number generator, whose draws
would depend on the order in which customers come.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.popularity import DEPTH
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.sparse import places, ranges, row_of_entry


@dataclass
class Chance:
    """Items in an order that depends on nothing but the ids and a seed.

    Every id is hashed to a point on a ring, and an item is the better the sooner it comes after the customer. A pair's
    score depends on its two ids and the seed alone, whatever else is in the data, and a customer's best items are
    found without scoring the whole catalogue.

    Attributes:
        seed: another seed, another order.

    Source: the ring is Karger et al. (1997), "Consistent hashing and random trees".
    """

    seed: int = 0
    name: str = "random"
    training_: Training = field(init=False, repr=False)
    customers_: NDArray[np.float64] = field(init=False, repr=False)
    items_: NDArray[np.float64] = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Put customers and items on the ring."""
        self.training_ = training
        self.customers_ = self._points("customer", training.interactions.customers)
        self.items_ = self._points("item", training.interactions.items)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """1 minus the way round to the item; as `Recommender.score`, exact for lists of up to `DEPTH` places."""
        training = self.training_
        pool = np.flatnonzero(training.recommendable)
        pool = pool[np.argsort(self.items_[pool], kind="stable")]
        had = training.counts[customers]
        wanted = np.minimum(np.diff(had.indptr) + DEPTH, len(pool))
        start = np.searchsorted(self.items_[pool], self.customers_[customers])
        rows, steps = ranges(start, wanted)
        pairs = np.zeros((len(customers), training.shape[1]), dtype=bool)
        pairs[rows, pool[steps % max(len(pool), 1)]] = True
        pairs[row_of_entry(had), had.indices] = True
        row, item = places(pairs)
        way = (self.items_[item] - self.customers_[customers][row]) % 1.0
        # 1 - way is 0 only for a whole round, which float32 may make of the item just before the customer.
        values = np.maximum((1.0 - way).astype(np.float32), np.finfo(np.float32).tiny)
        return csr_matrix((values, (row, item)), shape=pairs.shape)

    def _points(self, kind: str, ids: NDArray[np.object_]) -> NDArray[np.float64]:
        """A point in [0, 1) for each id."""
        digests = [hashlib.blake2b(f"{self.seed}|{kind}|{i}".encode(), digest_size=8).digest() for i in ids]
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.float64) / 2.0**64
