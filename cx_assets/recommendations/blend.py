"""The blend: the recommender that is published, made of the others.

Belongs here: how the parts are weighed against each other, for items had before and for new ones. Does not: the parts
themselves, or how their weights were chosen (`cx_assets_tests/benchmarks/choose_blend.py`, on dates before the test window).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from cx_assets.recommendations.basket_rules import BasketRules
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.popularity import Popularity
from cx_assets.recommendations.ranking import had_before
from cx_assets.recommendations.recommender import Positions, Recommender, Training
from cx_assets.recommendations.sparse import row_max, row_of_entry


@dataclass(frozen=True)
class BlendWeights:
    """How much each part counts.

    Attributes:
        half_life_days: of the customer's own events, for items had before.
        neighbours_in_repeat: what the choice of the neighbours adds to the faded count of an item had before: this much for
            the item that they choose most.
        customer_knn: for new items, as are those that follow: each part's scores are divided by the customer's highest.
        item_knn: see customer_knn.
        content: see customer_knn.
        rules: see customer_knn.
        popularity: see customer_knn.
        category: how much more a new item counts for coming from the customer's usual categories.
        discovery_scale: the score of the best new item, against faded counts: decides where new items stand in a list of both.

    Raises:
        ValueError: if one is negative, or the half-life or the scale is 0.
    """

    half_life_days: float = 90.0
    neighbours_in_repeat: float = 0.5
    customer_knn: float = 1.0
    item_knn: float = 0.2
    content: float = 0.0
    rules: float = 0.0
    popularity: float = 0.01
    category: float = 0.2
    discovery_scale: float = 0.1

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 <= value < float("inf") or (value == 0 and one.name in ("half_life_days", "discovery_scale")):
                raise ValueError(f"BlendWeights.{one.name} must be finite and not negative; it is {value!r}")


PARTS = ("customer_knn", "item_knn", "content", "rules", "popularity", "category")
"""The parts that new items are scored by, named as their weights."""


@dataclass
class Blend:
    """Items had before by how often, how lately and with how many neighbours; new ones by a weighted sum of parts.

        repeat:     sum over own events of 0.5 ** (age / half-life) + w * neighbours' choice / its highest for the customer
        discovery:  scale * sum over the parts of w * part's score / its highest new one for the customer

    The category part is the geometric mean of how often the customer has had the item's category and of how popular the item
    is; it only re-ranks what another part offers.

    Attributes:
        weights: how much each part counts.

    Source: the weighted hybrid of Burke (2002), "Hybrid recommender systems: survey and experiments"; personal frequency
        with a neighbour term is UP-CF by Faggioli, Polato & Aiolli (2020), "Recency aware collaborative filtering for next
        basket recommendation".
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
        wanted = {name for name in made if getattr(self.weights, name) > 0}
        if self.weights.neighbours_in_repeat:
            wanted.add("customer_knn")
        self.training_ = training
        self.parts_ = {name: part.fit(training) for name, part in made.items() if name in wanted}
        self.frequency_ = training.decayed(self.weights.half_life_days)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`, exact for lists of up to `popularity.DEPTH` places."""
        return self.combined(self.parts(customers), customers)

    def parts(self, customers: Positions) -> dict[str, csr_matrix]:
        """The scores of each part, of shape (len(customers), items), not yet weighed."""
        found = {name: part.score(customers) for name, part in self.parts_.items()}
        if self.weights.category and found:
            found["category"] = self._category(customers, found)
        return found

    def combined(self, parts: dict[str, csr_matrix], customers: Positions) -> csr_matrix:
        """One score of the parts' scores, as `score`."""
        training, weights = self.training_, self.weights
        shape = (len(customers), training.shape[1])
        total = csr_matrix(shape, dtype=np.float32)
        for name in PARTS:
            if name in parts and getattr(weights, name) > 0:
                total = total + _scaled(self.new_only(parts[name], customers), getattr(weights, name))
        total = total * np.float32(weights.discovery_scale) + self.frequency_[customers]
        if weights.neighbours_in_repeat:
            chosen = _only(parts["customer_knn"], had_before(parts["customer_knn"], training, customers))
            total = total + _scaled(chosen, weights.neighbours_in_repeat)
        total = csr_matrix(total, dtype=np.float32)
        total.sort_indices()
        return total

    def new_only(self, scores: csr_matrix, customers: Positions) -> csr_matrix:
        """The entries of items that the customer has not had and may be offered."""
        training = self.training_
        return _only(scores, ~had_before(scores, training, customers) & training.recommendable[scores.indices])

    def _category(self, customers: Positions, parts: dict[str, csr_matrix]) -> csr_matrix:
        """The category part, for every item that another part offers."""
        codes, names = pd.factorize(self.training_.items["category"])
        own = self.training_.had[customers]
        affinity = np.zeros((len(customers), len(names)), dtype=np.float32)
        np.add.at(affinity, (row_of_entry(own), codes[own.indices]), 1.0)
        offered = csr_matrix(sum(parts[name] for name in parts))
        liked = affinity[row_of_entry(offered), codes[offered.indices]]
        values = np.sqrt(liked * self.training_.popularity[offered.indices])
        return csr_matrix((values.astype(np.float32), offered.indices, offered.indptr), shape=offered.shape)


def _only(scores: csr_matrix, kept: np.ndarray) -> csr_matrix:
    """The marked entries."""
    at = np.flatnonzero(kept)
    indptr = np.concatenate([[0], np.cumsum(kept)])[scores.indptr]
    return csr_matrix((scores.data[at], scores.indices[at], indptr), shape=scores.shape)


def _scaled(scores: csr_matrix, weight: float) -> csr_matrix:
    """Each row divided by its largest entry, times a weight."""
    largest = row_max(scores)
    largest[largest == 0] = 1
    return csr_matrix(
        (scores.data / largest[row_of_entry(scores)] * np.float32(weight), scores.indices, scores.indptr),
        shape=scores.shape,
    )
