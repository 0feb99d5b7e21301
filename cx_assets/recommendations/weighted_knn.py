"""Item neighbours by weighted counts: TF-IDF or BM25, and less similarity where few customers speak for it.

Belongs here: the weights and the neighbours by them. Does not: item neighbours by plain log counts, which are the
published ones (`item_knn`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.item_knn import profile
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.similarities import MIN_CUSTOMERS
from cx_assets.recommendations.sparse import row_of_entry
from cx_assets.similarity.cosine import top_k_cosine
from cx_assets.similarity.products import row_sums

Weighting = Literal["tfidf", "bm25"]

# Those of implicit.nearest_neighbours.bm25_weight: counts hardly level off, and active items are held back strongly.
K1 = 100.0
B = 0.8


@dataclass
class WeightedItemKnn:
    """Items by their similarity to the customer's items, through who has them, a rare customer's word counting more.

        similarity(j, i) = cosine(weights of j, weights of i) * n / (n + shrinkage), n customers having had both
        score(c, i)      = sum over the items j of c that have i among their nearest, of log(1 + events(c, j)) *
                           similarity(j, i)

    An item's weights, one per customer, are those of `weighted`: an item is what a document is elsewhere, and a
    customer a word. Only items with enough customers have neighbours.

    Attributes:
        weighting: tfidf or bm25.
        shrinkage: not negative; 0 for plain cosine.
        neighbours: items kept per item, at least 1; of equals the lowest ids.
        min_customers: how many are enough.
        name: item_knn_tfidf or item_knn_bm25.

    Source: Deshpande & Karypis (2004), "Item-based top-N recommendation algorithms", section 4; the shrinkage is
        Koren (2008), "Factorization meets the neighborhood", section 2.2.
    """

    weighting: Weighting = "bm25"
    shrinkage: float = 10.0
    neighbours: int = 100
    min_customers: int = MIN_CUSTOMERS
    similarity_: csr_matrix = field(init=False, repr=False)
    profile_: csr_matrix = field(init=False, repr=False)

    @property
    def name(self) -> str:
        """The name depends on the weighting."""
        return f"item_knn_{self.weighting}"

    def fit(self, training: Training) -> Self:
        """Find the neighbours of every item that has enough customers.

        Raises:
            ValueError: if the weighting is neither, the shrinkage negative or there are to be no neighbours.
        """
        pool = np.flatnonzero(training.popularity >= self.min_customers)
        by_item = weighted(csr_matrix(training.counts[:, pool].T), self.weighting)
        near = top_k_cosine(by_item, self.neighbours, shrinkage=self.shrinkage).matrix.tocoo()
        size = training.shape[1]
        self.similarity_ = csr_matrix((near.data, (pool[near.row], pool[near.col])), shape=(size, size))
        self.profile_ = profile(training)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Summed similarities to the customer's items; as `Recommender.score`."""
        return csr_matrix(self.profile_[customers] @ self.similarity_)


def weighted(counts: csr_matrix, weighting: Weighting) -> csr_matrix:
    """Counts as weights.

        tfidf = sqrt(count) * rarity of the customer
        bm25  = count * (K1 + 1) / (K1 * length of the item + count) * rarity of the customer
        rarity = log(items / (1 + items of the customer));  length = 1 - B + B * events of the item / mean of all items

    Args:
        counts: CSR of shape (items, customers), events per pair.
        weighting: tfidf or bm25.

    Returns:
        float64 CSR of the same shape. A customer who has had all items, or all but one, says nothing about any of
        them and has no entry.

    Raises:
        ValueError: for another weighting.

    Source: Salton & Buckley (1988), "Term-weighting approaches in automatic text retrieval"; Robertson & Zaragoza
        (2009), "The probabilistic relevance framework: BM25 and beyond", section 3. The forms are those of the library
        implicit.
    """
    if weighting not in ("tfidf", "bm25"):
        raise ValueError(f"weighting must be tfidf or bm25; it is {weighting!r}")
    values = counts.data.astype(np.float64)
    scaled = np.sqrt(values) if weighting == "tfidf" else _levelled(counts, values)
    places = (counts.indices, counts.indptr)
    found = csr_matrix((scaled * _rarity(counts)[counts.indices], *places), shape=counts.shape, copy=True)
    found.eliminate_zeros()
    return found


def _levelled(counts: csr_matrix, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """BM25's count, without the rarity."""
    events = row_sums(counts, values)
    # Above 0 also where there is nothing to weigh.
    mean = max(float(events.sum()), 1.0) / max(len(events), 1)
    length = 1 - B + B * events / mean
    return values * (K1 + 1) / (K1 * length[row_of_entry(counts)] + values)


def _rarity(counts: csr_matrix) -> NDArray[np.float64]:
    """Shape (customers,), not negative."""
    items = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity: NDArray[np.float64] = np.maximum(np.log(max(counts.shape[0], 1)) - np.log1p(items), 0.0)
    return rarity
