"""Customer neighbours: what customers like this one have had.

Belongs here: scoring by a customer's neighbours. Does not: who the neighbours are (`similarity`, by way of
`similarities`), or what they would rate an item (`rating_prediction`), by which nothing is ranked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.sparse import select_entries


@dataclass
class CustomerKnn:
    """Items by the summed similarity of the neighbours who have had them.

        score(c, i) = sum over the neighbours n of c that have had i, with similarity(c, n) > 0, of similarity(c, n)

    The sum is not divided by anything: dividing by the similarities of those who have had the item, as a predicted
    rating does, puts an item of one enthusiastic neighbour above one of fifty, and ranks worse than chance.

    Attributes:
        method: the similarity, cosine or pearson.

    Source: Cremonesi, Koren & Turrin (2010), "Performance of recommender algorithms on top-N recommendation tasks",
        section 3.2 (non-normalised neighbourhood), with customers in the place of items; Resnick et al. (1994),
        "GroupLens".
    """

    method: Literal["cosine", "pearson"] = "cosine"
    similarity_: csr_matrix = field(init=False, repr=False)
    had_: csr_matrix = field(init=False, repr=False)

    @property
    def name(self) -> str:
        """customer_knn_cosine or customer_knn_pearson."""
        return f"customer_knn_{self.method}"

    def fit(self, training: Training) -> Self:
        """Find the neighbours of every customer."""
        near = training.similarities.customers(self.method)
        self.similarity_ = select_entries(near, near.data > 0)
        self.had_ = training.had
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Summed similarities of the neighbours who have had the item; as `Recommender.score`."""
        return csr_matrix(self.similarity_[customers] @ self.had_)
