"""Recommenders that can say why they offer something new: who makes the published lists.

Belongs here: scores of a block of customers together with what speaks for each item. Does not: words (`explanation`,
`ranker_reasons`), or which places a list has (`lists`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.blend import PARTS, Blend
from cx_assets.recommendations.explanation import Explainer
from cx_assets.recommendations.ranker import Ranker
from cx_assets.recommendations.ranker_reasons import RankerReasons
from cx_assets.recommendations.recommender import Positions

Leads = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.intp]]
"""From customers and new items, pair by pair and customers ascending, to what speaks most strongly for each."""


class Explained(Protocol):
    """A fitted recommender with reasons."""

    @property
    def name(self) -> str:
        """Of the recommender."""
        ...

    def scores(self, customers: Positions) -> tuple[csr_matrix, Leads]:
        """Scores as of `Recommender.score`, and what speaks for new items of these customers."""
        ...

    def reasons(self, leads: NDArray[np.intp], customers: Positions, items: Positions) -> NDArray[np.object_]:
        """Words for every pair of a customer and a new item, given what speaks for it."""
        ...


def explained(ranker: Ranker) -> Explained:
    """The fitted ranker with its reasons, or the blend that ranks where the ranker had nothing to learn from."""
    return ExplainedRanker(ranker) if ranker.blend_ is None else ExplainedBlend(ranker.blend_)


class ExplainedRanker:
    """The strongest of the sources that propose an item explains it."""

    def __init__(self, ranker: Ranker) -> None:
        self.name = ranker.name
        self._ranker = ranker
        self._reasons = RankerReasons(ranker.training_, ranker.features_)

    def scores(self, customers: Positions) -> tuple[csr_matrix, Leads]:
        """As `Explained.scores`."""
        found = self._ranker.features_.candidates(customers)
        size = self._ranker.training_.shape[1]
        keys = found.customer.astype(np.int64) * size + found.item

        def leads(who: NDArray[np.intp], items: NDArray[np.intp]) -> NDArray[np.intp]:
            place = np.searchsorted(keys, who.astype(np.int64) * size + items)
            return np.asarray(found.strength[place].argmax(axis=1), dtype=np.intp)

        return self._ranker.scored(found, customers), leads

    def reasons(self, leads: NDArray[np.intp], customers: Positions, items: Positions) -> NDArray[np.object_]:
        """As `Explained.reasons`."""
        return self._reasons.discovery(leads, customers, items)


class ExplainedBlend:
    """The strongest of the blend's parts explains an item."""

    def __init__(self, blend: Blend) -> None:
        self.name = blend.name
        self._blend = blend
        self._explainer = Explainer(blend.training_)

    def scores(self, customers: Positions) -> tuple[csr_matrix, Leads]:
        """As `Explained.scores`; the customers are consecutive."""
        parts = self._blend.parts(customers)

        def leads(who: NDArray[np.intp], items: NDArray[np.intp]) -> NDArray[np.intp]:
            # Weights are left aside: the strongest evidence explains best. Popularity says nothing about the
            # customer, so it only leads where no other part speaks.
            strengths = self._blend.strengths(parts, customers, who - customers[0], items)
            table = np.zeros((len(PARTS), len(items)), dtype=np.float32)
            for name, values in strengths.items():
                table[PARTS.index(name)] = values * 1e-6 if name == "popularity" else values
            return np.asarray(table.argmax(axis=0), dtype=np.intp)

        return self._blend.combined(parts, customers), leads

    def reasons(self, leads: NDArray[np.intp], customers: Positions, items: Positions) -> NDArray[np.object_]:
        """As `Explained.reasons`."""
        reasons = np.empty(len(items), dtype=object)
        for place, name in enumerate(PARTS):
            pairs = np.flatnonzero(leads == place)
            if len(pairs):
                reasons[pairs] = self._explainer.discovery(self._blend.parts_[name], customers[pairs], items[pairs])
        return reasons
