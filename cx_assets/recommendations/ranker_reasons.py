"""Why the ranker offers something new, in words: the candidate source that speaks most strongly for it.

Belongs here: from a pair and its strongest source to a readable reason, made of real counts. Does not: which source
that is (`features`), or reasons of other recommenders (`explanation`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.assortment import takers_by_store
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.explanation import Explainer, people
from cx_assets.recommendations.features import SOURCES, FeatureMaker
from cx_assets.recommendations.figures import RECENT
from cx_assets.recommendations.item_knn import Content
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.sparse import at


class RankerReasons:
    """Reasons for new items.

    Args:
        training: what the ranker has seen.
        maker: made of it.
    """

    def __init__(self, training: Training, maker: FeatureMaker) -> None:
        self._training = training
        self._ease = maker.ease
        self._explain = Explainer(training)
        self._newly = maker.items["item_new_28"].astype(int)

    def discovery(self, sources: NDArray[np.intp], customers: Positions, items: Positions) -> NDArray[np.object_]:
        """A reason for every pair.

        Args:
            sources: of each pair, the place of its strongest source in `SOURCES`.
            customers: of each pair.
            items: of each pair, new to the customer.
        """
        reasons = np.empty(len(items), dtype=object)
        for place, source in enumerate(SOURCES):
            pairs = np.flatnonzero(sources == place)
            if len(pairs):
                reasons[pairs] = self._of_source(source, customers[pairs], items[pairs])
        return reasons

    def _of_source(self, source: str, customers: Positions, items: Positions) -> list[str]:
        done, days = self._explain.done, f"in the last {RECENT:g} days"
        if source == "ease":
            return self._explain.discovery(self._ease, customers, items)
        if source in ("neighbours", "neighbours_lately"):
            return self._explain.discovery(CustomerKnn().fit(self._training), customers, items)
        if source == "content":
            return self._explain.discovery(Content().fit(self._training), customers, items)
        if source == "newly_bought":
            return [f"on the rise: first {done} by {people(self._newly[item])} {days}" for item in items]
        if source == "store":
            return [f"{done} by {people(n)} of the same store {days}" for n in self._takers(customers, items)]
        categories = self._training.items["category"].to_numpy(dtype=object)
        return [f"popular now in {categories[item]}, where this customer chooses" for item in items]

    def _takers(self, customers: Positions, items: Positions) -> NDArray[np.int64]:
        """How many customers took each item lately, in the store where most of them did of those the customer visits.

        Returns:
            int64 of shape (pairs,).
        """
        history = self._training.history
        taken, _ = takers_by_store(history, RECENT, self._training.shape)
        own, row = np.unique(customers, return_inverse=True)
        stores = csr_matrix(
            (np.ones(len(history.store), np.float32), (history.customer, history.store + 1)),
            shape=(self._training.shape[0], taken.shape[0]),
        )[own]
        most = np.zeros(len(items), dtype=np.int64)
        for store in np.unique(stores.indices):
            pairs = np.flatnonzero(np.asarray(stores[:, store].todense()).reshape(-1)[row] > 0)
            found = at(taken, np.full(len(pairs), store), items[pairs]).astype(np.int64)
            most[pairs] = np.maximum(most[pairs], found)
        return most
