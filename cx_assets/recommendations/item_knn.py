"""Item neighbours: items like those that the customer has had, by who has them or by what they are.

Belongs here: scoring by the neighbours of a customer's items, whatever the similarity. Does not: which items are
neighbours (`similarity`, by way of `similarities`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Training


def profile(training: Training) -> csr_matrix:
    """How much each of a customer's items says about them: log(1 + events), float32 CSR of shape (customers, items)."""
    weighted = training.counts.copy()
    weighted.data = np.log1p(weighted.data)
    return weighted


@dataclass
class ItemKnn:
    """Items by their similarity to the customer's items, through who has them.

        score(c, i) = sum over the items j of c that have i among their nearest, of log(1 + events(c, j)) * cosine(j, i)

    Only items with enough customers have neighbours: two items of the same single customer have cosine 1 and nothing
    to say.

    Source: Deshpande & Karypis (2004), "Item-based top-N recommendation algorithms", section 4.
    """

    name: str = "item_knn"
    similarity_: csr_matrix = field(init=False, repr=False)
    profile_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Find the neighbours of every item that has enough customers."""
        self.similarity_ = training.similarities.items()
        self.profile_ = profile(training)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Summed similarities to the customer's items; as `Recommender.score`."""
        return csr_matrix(self.profile_[customers] @ self.similarity_)


@dataclass
class Content:
    """Items by their similarity to the customer's items, through their attributes.

        score(c, i) = sum over the items j of c that have i among their nearest, of log(1 + events(c, j)) * content(j,
        i)

    It is the only method that offers an item that nobody has had yet.

    Source: Lops, de Gemmis & Semeraro (2011), "Content-based recommender systems: state of the art and trends",
        section 3.3.
    """

    name: str = "content"
    similarity_: csr_matrix = field(init=False, repr=False)
    profile_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Find the items of the most similar attributes."""
        self.similarity_ = training.similarities.content()
        self.profile_ = profile(training)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Summed similarities to the customer's items; as `Recommender.score`."""
        return csr_matrix(self.profile_[customers] @ self.similarity_)
