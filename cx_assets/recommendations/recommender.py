"""What a recommender is and what it may see.

Belongs here: the protocol that every recommender follows, and `Training`, all that one may learn from, which ends
strictly before an as-of date. Does not: any method of recommending (a module each) or ranking (`ranking`), which is
shared so that all methods exclude and break ties alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.matrices.matrix import InteractionMatrix
from cx_assets.recommendations.history import History, by_pair, fold_history
from cx_assets.recommendations.similarities import MIN_CUSTOMERS, Similarities
from cx_assets.recommendations.sparse import filled
from cx_assets.similarity.tastes import Basis, cosine_basis, pearson_basis, tastes
from cx_assets.table import Table, from_frame, sql

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Training:
    """Everything that a recommender may see, all of it from strictly before the as-of date.

    All matrices are of shape (customers, items). The items are the whole catalogue, those that nobody has had
    included, so that a method that knows attributes can offer them.

    Attributes:
        as_of: the midnight that everything here lies before.
        interactions: the weights of `fold_interactions`, with both indices.
        counts: float32 CSR, events of any type per pair. A pair that is in it is one that the customer *has had*.
        ratings: float32 CSR of mean ratings, or None where there is no rating.
        history: the events by day and basket.
        items: one row per item in the order of `interactions.items`: item_id, name, category, recommendable,
            attributes.
        rules: item-level rules as `rules.rules` has them (antecedent, consequent, confidence, lift), or None.
        similarities: neighbours, computed when first asked for, once for all recommenders.
    """

    as_of: datetime
    interactions: InteractionMatrix
    counts: csr_matrix
    ratings: csr_matrix | None
    history: History
    items: pd.DataFrame
    rules: pd.DataFrame | None
    similarities: Similarities

    @property
    def shape(self) -> tuple[int, int]:
        """Number of customers, number of items."""
        return self.interactions.shape

    @cached_property
    def had(self) -> csr_matrix:
        """float32 CSR: 1 where the customer has had the item."""
        return filled(self.counts, 1.0)

    @cached_property
    def purchases(self) -> csr_matrix:
        """float32 CSR: purchases per pair; no entry where there is none."""
        return self._per_pair(self.history.purchases)

    @cached_property
    def recommendable(self) -> NDArray[np.bool_]:
        """Shape (items,): may the item be recommended at all."""
        return self.items["recommendable"].to_numpy(dtype=bool)

    @cached_property
    def popularity(self) -> NDArray[np.int64]:
        """Shape (items,): distinct customers who have had the item."""
        return np.bincount(self.counts.indices, minlength=self.shape[1]).astype(np.int64)

    def decayed(self, half_life_days: float) -> csr_matrix:
        """float32 CSR: the sum over a pair's events of 0.5 ** (age in days / half-life); above 0 where `had` is."""
        faded = self.history.events * np.exp2(-self.history.age_days.astype(np.float64) / half_life_days)
        # The smallest normal float32: a pair that has faded below it is still one that the customer has had.
        return self._per_pair(np.maximum(faded, np.finfo(np.float32).tiny))

    def last_age(self, *, purchases: bool) -> csr_matrix:
        """float32 CSR: days since a pair's last event, or its last purchase; no entry for a pair without one."""
        kept = np.flatnonzero(self.history.purchases > 0) if purchases else np.arange(len(self.history.item))
        pair = self.history.customer[kept].astype(np.int64) * self.shape[1] + self.history.item[kept]
        # Days ascend within a pair, so the last entry is the youngest.
        last = kept[np.flatnonzero(np.diff(pair, append=-1))]
        return by_pair(self.history.customer[last], self.history.item[last], self.history.age_days[last], self.shape)

    def _per_pair(self, values: NDArray[Any]) -> csr_matrix:
        return by_pair(self.history.customer, self.history.item, values, self.shape)


class Recommender(Protocol):
    """A way to score items for customers.

    Attributes:
        name: how it is called in tables and reports.
    """

    @property
    def name(self) -> str:
        """How it is called in tables and reports."""
        ...

    def fit(self, training: Training) -> Self:
        """Learn from the training data, which is kept by reference and not changed."""
        ...

    def score(self, customers: Positions) -> csr_matrix:
        """Score the candidates of some customers.

        Args:
            customers: positions in `Training.interactions.customers`, shape (n,).

        Returns:
            float32 CSR of shape (n, items). An entry is a candidate, whether had before or not and whether
            recommendable or not; higher is better. What has no entry isn't offered.
        """
        ...


def build_training(
    events: Table,
    items: pd.DataFrame,
    *,
    as_of: datetime,
    weights: EventWeights,
    customers: NDArray[np.object_] | None = None,
    interactions: Table | None = None,
    rules: pd.DataFrame | None = None,
    neighbours: Mapping[str, Table] | None = None,
    min_customers: int = MIN_CUSTOMERS,
) -> Training:
    """Fold events before the as-of date into what recommenders learn from.

    Args:
        events: warehouse.events; what is at or after `as_of` is left out here.
        items: warehouse.items: item_id, name, category, recommendable and attributes; every item of the events.
        as_of: the midnight before which data may be used.
        weights: of event types, for `fold_interactions`.
        customers: ids to have rows for even without events; those with events always have one.
        interactions: matrices.interactions of the same events and as-of date, if it's there already.
        rules: item-level rules mined from baskets before `as_of`.
        neighbours: neighbour tables that hold already what would otherwise be computed, by asset name:
            customer_neighbours, item_neighbours, content_neighbours. The first two must come from the same events
            before `as_of`.
        min_customers: an item with fewer has no item neighbours by customers.

    Raises:
        ValueError: if an event is of an item that `items` doesn't have, or `items` has an item twice.
    """
    catalogue = items.sort_values("item_id").reset_index(drop=True)
    if catalogue["item_id"].duplicated().any():
        raise ValueError(f"items: {int(catalogue['item_id'].duplicated().sum()):,} item_ids are there twice")
    folded = fold_interactions(events, as_of=as_of, weights=weights) if interactions is None else interactions
    # Fetched once: folding is the dearest query here, and several matrices are made of it.
    columns = "customer_id, item_id, events, weight, cast(rating as float) as rating"
    rows = sql(f"select {columns} from folded", folded=folded).arrow()
    weight = InteractionMatrix.from_arrow(rows, "weight")
    ids = catalogue["item_id"].to_numpy(dtype=object)
    unknown = weight.items[pd.Index(ids, dtype=object).get_indexer(pd.Index(weight.items, dtype=object)) < 0]
    if len(unknown):
        raise ValueError(f"items: {len(unknown):,} items of the events are missing, {unknown[0]!r} for one")
    who = weight.customers if customers is None else np.unique(np.concatenate([weight.customers, customers]))
    weight = _spread(weight, who, ids)
    history = fold_history(events, as_of, who, ids)
    counts = by_pair(history.customer, history.item, history.events, weight.shape)
    fetched = from_frame(events.connection, rows)
    compared = _compared(fetched, who, ids, counts)
    similarities = Similarities(who, counts, *compared, catalogue, neighbours or {}, min_customers)
    rated = InteractionMatrix.from_arrow(rows, "rating")
    ratings = _spread(rated, who, ids).matrix if rated.matrix.nnz else None
    return Training(as_of, weight, counts, ratings, history, catalogue, rules, similarities)


def _compared(
    interactions: Table, customers: NDArray[np.object_], items: NDArray[np.object_], counts: csr_matrix
) -> tuple[csr_matrix, csr_matrix]:
    """What cosine and what Pearson compares, chosen as for the tables of the similarity stage."""
    made: dict[Basis, csr_matrix] = {}
    for basis in (cosine_basis(interactions, "auto"), pearson_basis(interactions)):
        if basis == "counts":
            made[basis] = counts.log1p()
        elif basis not in made:
            made[basis] = _spread(tastes(interactions, basis), customers, items).matrix
    return made[cosine_basis(interactions, "auto")], made[pearson_basis(interactions)]


def _spread(matrix: InteractionMatrix, customers: NDArray[np.object_], items: NDArray[np.object_]) -> InteractionMatrix:
    """The same entries over longer indices that hold the old ones; both ascending, so entries keep their order."""
    rows = np.searchsorted(customers, matrix.customers)
    columns = np.searchsorted(items, matrix.items).astype(np.int32)
    counts = np.zeros(len(customers), dtype=np.int64)
    counts[rows] = np.diff(matrix.matrix.indptr)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    shape = (len(customers), len(items))
    wide = csr_matrix((matrix.matrix.data, columns[matrix.matrix.indices], indptr), shape=shape)
    return InteractionMatrix(wide, customers, items)
