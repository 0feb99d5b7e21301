"""Candidates of the ranker and their features, all of them known at the as-of date.

Belongs here: who proposes which new items, and one row of figures per candidate. Does not: the figures themselves
(`figures`) or learning (`ranker`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.assortment import store_shares, takers_by_store
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.figures import (
    Figures,
    Floats,
    customer_figures,
    item_figures,
    pair_figures,
    taste_figures,
)
from cx_assets.recommendations.history import by_pair
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.similarities import MIN_CUSTOMERS
from cx_assets.recommendations.sparse import select_entries
from cx_assets.sections import UNKNOWN
from cx_assets.similarity.content import described_by, known_values

SOURCES = ("ease", "neighbours", "neighbours_lately", "content", "newly_bought", "taste", "store")
"""Who proposes new items, in the order of the report."""

PER_SOURCE = 60
"""New items that each source proposes to a customer."""

SHELF_DAYS = (14.0, 28.0, 84.0)
"""How far back the sales of a customer's stores are looked at."""

Sample = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]]
"""From customers and items, pair by pair and ordered by both, to which of the pairs are kept."""


@dataclass(frozen=True)
class Candidates:
    """Pairs of customer and item to be ranked, ordered by customer, then item.

    Attributes:
        customer: positions of customers.
        item: positions of items.
        had: bool: has the customer had the item.
        sources: bool of shape (candidates, len(SOURCES)): who proposed it; of items had before nobody.
        strength: float32 of the same shape: a source's score over its highest for a new item of the customer, 0 where
            it says nothing for it, and for items had before.
        features: float32 of shape (candidates, features); NaN where not known.
        names: of the features, in the order of the columns.
    """

    customer: NDArray[np.intp]
    item: NDArray[np.intp]
    had: NDArray[np.bool_]
    sources: NDArray[np.bool_]
    strength: Floats
    features: Floats
    names: tuple[str, ...]


class FeatureMaker:
    """Makes candidates and features from a training.

    Attributes:
        ease: the linear model among the sources, fitted on the training.
        items: figures of every item, by name, as `figures.item_figures` returns them.

    Args:
        training: all that is known.
        per_source: new items that each source proposes to a customer.
    """

    def __init__(self, training: Training, per_source: int = PER_SOURCE) -> None:
        self._training = training
        self._per_source = per_source
        customers, items = training.shape
        history = training.history
        self._pairs = pair_figures(history, items)
        self._customers = customer_figures(history, self._pairs, customers, items)
        self.items = item_figures(history, self._pairs, items)
        self._tastes = {
            name: (codes, *taste_figures(history, self._pairs, codes, customers))
            for name, codes in _codes(training.items).items()
        }
        self._pool = np.flatnonzero((training.popularity >= MIN_CUSTOMERS) & training.recommendable)
        self._column = np.full(items, -1, dtype=np.intp)
        self._column[self._pool] = np.arange(len(self._pool))
        self.ease = Ease().fit(training)
        self._ease_columns = np.searchsorted(self.ease.pool_, self._pool)
        near = training.similarities.customers("cosine")
        self._near = select_entries(near, near.data > 0)
        self._had = csr_matrix(training.had[:, self._pool])
        recent = history.age_days <= 28
        lately = by_pair(history.customer[recent], history.item[recent], np.ones(int(recent.sum())), training.shape)
        lately.data[:] = 1
        self._lately = csr_matrix(lately[:, self._pool])
        self._faded = csr_matrix(training.decayed(30.0)[:, self._pool])
        self._profile = training.counts.log1p()
        self._content = csr_matrix(training.similarities.content()[:, self._pool])
        self._taste_popularity = self._shares_of_category()
        self._stores = store_shares(history, customers)
        self._shelves = {}
        for days in SHELF_DAYS:
            taken, visitors = takers_by_store(history, days, training.shape)
            self._shelves[days] = (csr_matrix(taken[:, self._pool]), visitors)

    def candidates(
        self, customers: Positions, *, new: bool = True, before: bool = True, sample: Sample | None = None
    ) -> Candidates:
        """The candidates of a block of customers, with their features.

        Args:
            customers: positions, ascending.
            new: with items that the customer has not had, as the sources propose them.
            before: with items that the customer has had.
            sample: chooses among all of them before their features are made; None for all.
        """
        scores = self._scores(customers)
        had = self._training.counts[customers]
        rows: list[NDArray[np.intp]] = []
        items: list[NDArray[np.intp]] = []
        sources: list[NDArray[np.bool_]] = []
        strength: list[Floats] = []
        if before:
            row = np.repeat(np.arange(len(customers)), np.diff(had.indptr))
            kept = self._training.recommendable[had.indices]
            rows.append(row[kept])
            items.append(had.indices[kept].astype(np.intp))
            sources.append(np.zeros((int(kept.sum()), len(SOURCES)), dtype=bool))
            strength.append(np.zeros((int(kept.sum()), len(SOURCES)), dtype=np.float32))
        if new:
            row, column, proposed, strong = self._proposed(customers, scores)
            rows.append(row)
            items.append(self._pool[column])
            sources.append(proposed)
            strength.append(strong)
        row, item = np.concatenate(rows), np.concatenate(items)
        order = np.lexsort((item, row))
        if sample is not None:
            order = order[sample(np.asarray(customers)[row[order]], item[order])]
        row, item = row[order], item[order]
        who = np.asarray(customers)[row]
        features = self._features(who, row, item, scores)
        return Candidates(
            who,
            item,
            self._pairs.at(who.astype(np.int64) * self._training.shape[1] + item)[1],
            np.concatenate(sources)[order],
            np.concatenate(strength)[order],
            np.column_stack(list(features.values())).astype(np.float32),
            tuple(features),
        )

    def _scores(self, customers: Positions) -> dict[str, Floats]:
        """What each collaborative source thinks of every item of the pool: float32 of shape (customers, pool)."""
        near = self._near[customers]
        return {
            "ease": self.ease.dense(customers)[:, self._ease_columns],
            "neighbours": (near @ self._had).toarray(),
            "neighbours_lately": (near @ self._lately).toarray(),
            "neighbours_faded": (near @ self._faded).toarray(),
            "content": (self._profile[customers] @ self._content).toarray(),
            **self._shelf_scores(self._stores[customers]),
        }

    def _shelf_scores(self, stores: csr_matrix) -> dict[str, Floats]:
        """How much of the stores' customers take each item of the pool, over several spans of days."""
        found = {}
        for days, (taken, visitors) in self._shelves.items():
            visited = np.maximum(stores @ visitors, np.float32(1))
            found[f"store_{days:g}"] = ((stores @ taken).toarray() / visited[:, None]).astype(np.float32)
        return found

    def _proposed(
        self, customers: Positions, scores: Mapping[str, Floats]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_], Floats]:
        """Row, column of the pool, sources and their strengths, of the new items that are proposed."""
        had = self._had[customers]
        known = np.zeros(had.shape, dtype=bool)
        known[np.repeat(np.arange(had.shape[0]), np.diff(had.indptr)), had.indices] = True
        newly = np.broadcast_to(self.items["item_new_28"][self._pool], had.shape)
        offers = {**scores, "newly_bought": newly, "taste": self._taste_scores(customers), "store": scores["store_28"]}
        flags = np.zeros((len(SOURCES), *had.shape), dtype=bool)
        k = min(self._per_source, had.shape[1])
        for place, source in enumerate(SOURCES):
            # Equals of the last are all proposed, so that no order decides.
            offered = np.where(known, np.float32(0), offers[source])
            # From the front of the negated scores: among many equals NumPy finds the k-th from the back slowly.
            least = -np.partition(-offered, k - 1, axis=1)[:, k - 1 : k] if k else np.zeros((len(offered), 1))
            np.greater_equal(offered, np.maximum(least, np.float32(1e-12)), out=flags[place])
        together = flags.any(axis=0)
        flat = np.flatnonzero(together.reshape(-1))
        row, column = flat // had.shape[1], flat % had.shape[1]
        strength = np.zeros((len(flat), len(SOURCES)), dtype=np.float32)
        for place, source in enumerate(SOURCES):
            values = np.maximum(offers[source][row, column], np.float32(0))
            highest = np.zeros(had.shape[0], dtype=np.float32)
            np.maximum.at(highest, row, values)
            strength[:, place] = values / np.maximum(highest, np.finfo(np.float32).tiny)[row]
        return row, column, flags[:, row, column].T, strength

    def _taste_scores(self, customers: Positions) -> Floats:
        """The customer's share of the item's category times the item's share of the category's recent customers."""
        codes, tastes, _, size = self._tastes["category"]
        keys = np.asarray(customers, dtype=np.int64)[:, None] * size + np.arange(size)
        shares = tastes.look_up(keys.reshape(-1), 0.0)["share"].reshape(keys.shape)
        return np.asarray(shares[:, codes[self._pool]] * self._taste_popularity, dtype=np.float32)

    def _shares_of_category(self) -> Floats:
        codes = self._tastes["category"][0]
        lately = self.items["item_new_28"].astype(np.float64)
        total = np.bincount(codes, weights=lately, minlength=int(codes.max(initial=0)) + 1)[codes]
        share = np.divide(lately, total, out=np.zeros(len(lately)), where=total > 0)
        return share[self._pool].astype(np.float32)

    def _features(
        self, customer: NDArray[np.intp], row: NDArray[np.intp], item: NDArray[np.intp], scores: Mapping[str, Floats]
    ) -> Figures:
        pair = self._pairs.look_up(customer.astype(np.int64) * self._training.shape[1] + item)
        buyer = {name: values[customer] for name, values in self._customers.items()}
        sold = {name: values[item] for name, values in self.items.items()}
        column = self._column[item]
        inside = column >= 0
        likes = {name: _where_inside(values, row, column, inside) for name, values in scores.items()}
        tastes: Figures = {}
        for name, (codes, keyed, newness, size) in self._tastes.items():
            found = keyed.look_up(customer.astype(np.int64) * size + codes[item])
            tastes[f"{name}_share"] = found["share"]
            tastes[f"{name}_last_age"] = found["last_age"]
            tastes[f"{name}_variety"] = found["variety"]
            tastes[f"{name}_new_28"] = found["new_28"]
            tastes[f"{name}_newness"] = newness[codes[item]]
            tastes[f"{name}_due"] = _over(found["last_age"], found["gap"])
            tastes[f"{name}_loyalty"] = _over(pair["times"], found["times"])
        return {**pair, **buyer, **sold, **likes, **tastes, **_due(pair, buyer, sold)}


def _due(pair: Figures, buyer: Figures, sold: Figures) -> Figures:
    """Is it time again: what passed since the last time, against what usually passes."""
    rate = _over(pair["times"], pair["first_baskets_ago"])
    return {
        "due": _over(pair["last_age"], pair["gap"]),
        "due_by_item": _over(pair["last_age"], sold["item_gap"]),
        "due_in_28": _over(pair["last_age"] + 28, pair["gap"]),
        "lateness": _over(pair["last_age"] - pair["gap"], pair["gap_deviation"]),
        "basket_rate": rate,
        "due_in_baskets": pair["last_baskets_ago"] * rate,
        "span_share": _over(pair["first_age"] - pair["last_age"], pair["first_age"]),
        "stocked": _over(pair["last_quantity"], pair["quantity"]),
        "price_habit": _over(sold["item_price"], buyer["customer_price"]),
        "price_paid": _over(sold["item_price"] * sold["item_price_now"], pair["price"]),
        "baskets_expected": _over(np.float32(28), buyer["customer_gap"]),
    }


def _where_inside(values: Floats, row: NDArray[np.intp], column: NDArray[np.intp], inside: NDArray[np.bool_]) -> Floats:
    """The wanted entries of a block of scores; NaN for items outside the pool."""
    found = np.full(len(row), np.nan, dtype=np.float32)
    found[inside] = values[row[inside], column[inside]]
    return found


def _over(above: Floats | np.float32, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(above / below, dtype=np.float32)
    return np.where(np.isfinite(found), found, np.float32(np.nan)).astype(np.float32)


def _codes(items: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """A number per item for the category and every attribute whose values are shared by items.

    Items of which the value isn't known share a number, whatever was filled in for it.
    """
    codes = {}
    for name in dict.fromkeys(["category", *described_by(list(items.columns))]):
        if name not in items.columns:
            continue
        known = known_values(items, name)
        values = known.astype(str).where(known.notna(), UNKNOWN)
        if name == "category" or values.nunique() < len(items) / 2:
            codes[name] = pd.factorize(values, sort=True)[0].astype(np.int64)
    return codes
