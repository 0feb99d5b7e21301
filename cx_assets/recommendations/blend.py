"""The blend: the recommender that is published, made of the others.

Belongs here: how the parts are weighed against each other, for items had before and for new ones. Does not: the parts
themselves, or how their weights were chosen (`cx_assets_tests/benchmarks/choose_blend.py`, on dates before the test
window).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.basket_rules import BasketRules
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.popularity import DEPTH, Popularity
from cx_assets.recommendations.recommender import Positions, Recommender, Training

PARTS = ("customer_knn", "item_knn", "content", "rules", "popularity")
"""What new items are scored by, named as the weights are."""


@dataclass(frozen=True)
class BlendWeights:
    """How much each part counts. The defaults come from `choose_blend.py`.

    Attributes:
        half_life_days: of the customer's own events, for items had before.
        neighbours_in_repeat: what the neighbours add to the faded count of an item had before: this much for the one
            that they have most, less for the others.
        customer_knn: for new items, as are those that follow.
        item_knn: see customer_knn.
        content: see customer_knn.
        rules: see customer_knn.
        popularity: see customer_knn; above 0 it also gives something new to a customer whom no other part knows.
        discovery_scale: what the sum over the parts is multiplied with, to set new items against faded counts in a
            list of both.

    Raises:
        ValueError: if one is negative or not finite, or the half-life or the scale is 0.
    """

    half_life_days: float = 90.0
    neighbours_in_repeat: float = 1.0
    customer_knn: float = 1.0
    item_knn: float = 0.1
    content: float = 0.0
    rules: float = 0.05
    popularity: float = 0.01
    discovery_scale: float = 0.1

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"BlendWeights.{one.name} must be finite and not negative; it is {value!r}")
            if value == 0 and one.name in ("half_life_days", "discovery_scale"):
                raise ValueError(f"BlendWeights.{one.name} must be above 0")


@dataclass
class Blend:
    """Items had before by how often, how lately and with how many neighbours; new ones by a weighted sum of parts.

        had before:  sum over own events of 0.5 ** (age / half-life) + w * neighbours' sum / its highest for the
        customer
        new:         scale * sum over the parts of w * the part's score / its highest for the customer

    A part's highest is taken over the entries that are added up: items had before in the first line, new and
    recommendable ones in the second.

    Attributes:
        weights: how much each part counts.

    Source: the weighted hybrid of Burke (2002), "Hybrid recommender systems: survey and experiments"; personal
        frequency with the neighbours' share is UP-CF of Faggioli, Polato & Aiolli (2020), "Recency aware collaborative
        filtering for next basket recommendation".
    """

    weights: BlendWeights = field(default_factory=BlendWeights)
    name: str = "blend"
    training_: Training = field(init=False, repr=False)
    parts_: dict[str, Recommender] = field(init=False, repr=False)
    frequency_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Fit the parts that have a weight. Neighbours are found once and shared with the other recommenders."""
        made: dict[str, Recommender] = {
            "customer_knn": CustomerKnn("cosine"),
            "item_knn": ItemKnn(),
            "content": Content(),
            "rules": BasketRules(),
            "popularity": Popularity(),
        }
        wanted = {name for name in PARTS if getattr(self.weights, name) > 0}
        if self.weights.neighbours_in_repeat > 0:
            wanted.add("customer_knn")
        self.training_ = training
        self.parts_ = {name: made[name].fit(training) for name in PARTS if name in wanted}
        self.frequency_ = training.decayed(self.weights.half_life_days)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`, exact for lists of up to `popularity.DEPTH` places."""
        return self.combined(self.parts(customers), customers)

    def parts(self, customers: Positions) -> dict[str, csr_matrix]:
        """The scores of each part, of shape (len(customers), items), not yet weighed."""
        return {name: part.score(customers) for name, part in self.parts_.items()}

    def combined(self, parts: dict[str, csr_matrix], customers: Positions) -> csr_matrix:
        """One score of the parts' scores."""
        weights, items = self.weights, self.training_.shape[1]
        own = self.frequency_[customers]
        # One customer at a time: a row of the catalogue stays in the processor's cache, sums of sparse blocks do not.
        total = np.zeros(items, dtype=np.float32)
        indices, data = [], []
        for row, had in self._had_by_row(customers):
            for name, scores in parts.items():
                entries = slice(scores.indptr[row], scores.indptr[row + 1])
                offered, values = scores.indices[entries], scores.data[entries]
                before = had[offered]
                new = ~before & self.training_.recommendable[offered]
                weight = np.zeros(len(offered), dtype=np.float32)
                weight[new] = _over(getattr(weights, name) * weights.discovery_scale, values[new])
                if name == "customer_knn":
                    weight[before] = _over(weights.neighbours_in_repeat, values[before])
                total[offered] += values * weight
            entries = slice(own.indptr[row], own.indptr[row + 1])
            total[own.indices[entries]] += own.data[entries]
            found = np.flatnonzero(total > 0)
            found = found[had[found] | (total[found] >= _least(total[found[~had[found]]]))]
            indices.append(found)
            data.append(total[found])
            total[:] = 0
        indptr = np.concatenate([[0], np.cumsum([len(one) for one in indices], dtype=np.int64)])
        joined = [np.concatenate([np.empty(0, t), *some]) for some, t in ((data, np.float32), (indices, np.intp))]
        return csr_matrix((*joined, indptr), shape=(len(customers), items), dtype=np.float32)

    def strengths(
        self, parts: dict[str, csr_matrix], customers: Positions, rows: NDArray[np.intp], items: NDArray[np.intp]
    ) -> dict[str, NDArray[np.float32]]:
        """How strongly each part speaks for some new items: its score over its highest for the customer, in [0, 1].

        Args:
            parts: as `parts(customers)` returns them.
            customers: positions of customers.
            rows: of each wanted pair, the place of its customer in `customers`; ascending.
            items: of each wanted pair, the position of its item, new to the customer and recommendable.

        Returns:
            For each part that has a weight, float32 of shape (pairs,).
        """
        weighed = {name: scores for name, scores in parts.items() if getattr(self.weights, name) > 0}
        found = {name: np.zeros(len(items), dtype=np.float32) for name in weighed}
        bounds = np.searchsorted(rows, np.arange(len(customers) + 1))
        line = np.zeros(self.training_.shape[1], dtype=np.float32)
        for row, had in self._had_by_row(customers):
            pairs = slice(bounds[row], bounds[row + 1])
            for name, scores in weighed.items():
                entries = slice(scores.indptr[row], scores.indptr[row + 1])
                offered, values = scores.indices[entries], scores.data[entries]
                new = ~had[offered] & self.training_.recommendable[offered]
                line[offered] = values
                found[name][pairs] = line[items[pairs]] * _over(1.0, values[new])
                line[offered] = 0
        return found

    def _had_by_row(self, customers: Positions) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """For each customer the place in `customers`, and flags of what they have had, good until the next."""
        had = self.training_.counts[customers]
        flags = np.zeros(had.shape[1], dtype=bool)
        for row in range(had.shape[0]):
            own = had.indices[had.indptr[row] : had.indptr[row + 1]]
            flags[own] = True
            yield row, flags
            flags[own] = False


def _least(scores: NDArray[np.float32]) -> np.float32:
    """The score that one of the longest list's places needs at least: what scores less needn't be ranked."""
    return np.partition(scores, len(scores) - DEPTH)[len(scores) - DEPTH] if len(scores) > DEPTH else np.float32(0)


def _over(weight: float, values: NDArray[np.float32]) -> np.float32:
    """What to multiply values with, so that the largest becomes `weight`."""
    largest = values.max(initial=0.0)
    return np.float32(weight / largest) if largest > 0 else np.float32(0.0)
