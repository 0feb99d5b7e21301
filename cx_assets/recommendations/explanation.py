"""Why an item is in a list, in words: the explanation that all lists share.

Belongs here: from a customer, an item and the part of the blend that speaks for it to a readable reason. Does not:
which part that is (`blend.strengths`) or ranking. Every reason can be checked against the tables: it counts real
events, real neighbours, or names a real rule.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from cx_assets.recommendations.basket_rules import BasketRules
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.figures import Keyed, item_figures, pair_figures
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.recommender import Positions, Recommender, Training
from cx_assets.recommendations.sparse import at, ranges

# How many of the customer's items a reason names.
NAMED = 2

# Items of the linear model looked at at once; each has a weight for every other.
ITEMS_AT_ONCE = 512

# Pairs looked at at once; each is compared with all neighbours of its customer or item.
PAIRS_AT_ONCE = 20_000


class Explainer:
    """Reasons for pairs of customer and item.

    Args:
        training: what the recommender has seen.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self._names = training.items["name"].to_numpy(dtype=object)
        # Of a view or a rating nobody says "bought".
        only_purchases = bool((training.history.events == training.history.purchases).all())
        self._did, self.done = ("bought", "bought") if only_purchases else ("chose", "chosen")

    def repeat(self, customers: Positions, items: Positions) -> list[str]:
        """How often and when last: `bought 12 times, about every 9 days, last 14 days ago`.

        Args:
            customers: the customer of each pair.
            items: the item of each pair, had before by the customer.
        """
        training = self._training
        bought = at(training.purchases, customers, items)
        times = np.where(bought > 0, bought, at(training.counts, customers, items)).astype(int)
        ages = np.where(
            bought > 0,
            at(training.last_age(purchases=True), customers, items),
            at(training.last_age(purchases=False), customers, items),
        )
        gaps = self._pairs.look_up(customers.astype(np.int64) * training.shape[1] + items)["gap"]
        return [
            f"{'bought' if is_bought else 'seen'} {_often(n, gap)}{_ago(int(age))}"
            for is_bought, n, gap, age in zip(bought > 0, times, gaps, ages, strict=True)
        ]

    def due(self, customers: Positions, items: Positions) -> NDArray[np.datetime64]:
        """When each item is due again: the last time, and the customer's usual gap, or else that of all customers.

        Args:
            customers: the customer of each pair.
            items: the item of each pair, had before by the customer.

        Returns:
            datetime64[D] of shape (pairs,): before the as-of date if overdue, NaT where nobody took the item twice.
        """
        training = self._training
        pair = self._pairs.look_up(customers.astype(np.int64) * training.shape[1] + items)
        usual = item_figures(training.history, self._pairs, training.shape[1])["item_gap"][items]
        gap = np.where(np.isfinite(pair["gap"]), pair["gap"], usual)
        days = np.full(len(items), np.timedelta64("NaT", "D"))
        known = np.isfinite(gap)
        days[known] = np.rint(gap - pair["last_age"])[known].astype("timedelta64[D]")
        return np.datetime64(training.as_of.date(), "D") + days

    @cached_property
    def _pairs(self) -> Keyed:
        return pair_figures(self._training.history, self._training.shape[1])

    def discovery(self, part: Recommender, customers: Positions, items: Positions) -> list[str]:
        """What led from the customer to each item, by the part of the blend that speaks for it.

        Args:
            part: a fitted recommender that scored every one of the pairs; one that is not personal explains by
                popularity.
            customers: the customer of each pair.
            items: the item of each pair.
        """
        if isinstance(part, CustomerKnn):
            return self._neighbours(part, customers, items)
        if isinstance(part, ItemKnn | Content):
            return self._sources(part, customers, items)
        if isinstance(part, Ease):
            return self._weights(part, customers, items)
        if isinstance(part, BasketRules):
            return self._rules(part, customers, items)
        return [f"popular: {self.done} by {people(n)}" for n in self._training.popularity[items]]

    def _neighbours(self, part: CustomerKnn, customers: Positions, items: Positions) -> list[str]:
        """`bought by 14 of the 100 customers most like this one`."""
        sizes = np.diff(part.similarity_.indptr)[customers]
        supporters = np.zeros(len(items), dtype=int)
        for start in range(0, len(items), PAIRS_AT_ONCE):
            pairs = slice(start, start + PAIRS_AT_ONCE)
            owner, place = ranges(part.similarity_.indptr[customers[pairs]], sizes[pairs])
            had = at(self._training.had, part.similarity_.indices[place], items[pairs][owner])
            supporters[pairs] = np.bincount(owner, weights=had, minlength=len(items[pairs]))
        return [
            f"{self.done} by {n} of the {of} customers most like this one"
            if of > 1
            else f"{self.done} by the customer most like this one"
            for n, of in zip(supporters, sizes, strict=True)
        ]

    def _sources(self, part: ItemKnn | Content, customers: Positions, items: Positions) -> list[str]:
        """`because you bought X and Y`: the customer's items that contribute most to the score."""
        columns = csc_matrix(part.similarity_)
        columns.sort_indices()
        named: list[list[str]] = [[] for _ in range(len(items))]
        for start in range(0, len(items), PAIRS_AT_ONCE):
            pairs = slice(start, start + PAIRS_AT_ONCE)
            wanted = items[pairs]
            owner, place = ranges(columns.indptr[wanted], np.diff(columns.indptr)[wanted])
            source = columns.indices[place]
            share = at(part.profile_, customers[pairs][owner], source) * columns.data[place]
            for pair, item in zip(*_largest(owner, source, share, NAMED), strict=True):
                named[start + pair].append(str(self._names[item]))
        like = "" if isinstance(part, ItemKnn) else "similar: "
        return [f"{like}{self._because(names)}" for names in named]

    def _weights(self, part: Ease, customers: Positions, items: Positions) -> list[str]:
        """The same by the weights of the linear model, of which the items that the customer has had add up."""
        named: list[list[str]] = [[] for _ in range(len(items))]
        wanted, column_of = np.unique(np.searchsorted(part.pool_, items), return_inverse=True)
        for start in range(0, len(wanted), ITEMS_AT_ONCE):
            weights = part.weights(wanted[start : start + ITEMS_AT_ONCE])
            pairs = np.flatnonzero((column_of >= start) & (column_of < start + ITEMS_AT_ONCE))
            owners = customers[pairs]
            owner, place = ranges(part.had_.indptr[owners], np.diff(part.had_.indptr)[owners])
            source = part.had_.indices[place]
            share = weights[source, column_of[pairs][owner] - start]
            for pair, item in zip(*_largest(owner, source, share, NAMED), strict=True):
                named[pairs[pair]].append(str(self._names[part.pool_[item]]))
        return [self._because(names) for names in named]

    def _because(self, names: list[str]) -> str:
        return f"because you {self._did} {' and '.join(dict.fromkeys(names))}"

    def _rules(self, part: BasketRules, customers: Positions, items: Positions) -> list[str]:
        """`often in the basket with X (lift 3.2)`: the applying rule of the highest confidence."""
        book = part.book_
        own, row_of = np.unique(customers, return_inverse=True)
        rows, rules = book.applying(part.had_[own])
        pair = rows * len(self._names) + book.consequent[rules]
        order = np.lexsort((rules, -book.lift[rules], -book.confidence[rules], pair))
        first = np.searchsorted(pair[order], row_of * len(self._names) + items)
        chosen = rules[order][first]
        antecedents: csr_matrix = book.antecedents
        reasons = []
        for rule in chosen:
            members = antecedents.indices[antecedents.indptr[rule] : antecedents.indptr[rule + 1]]
            names = " and ".join(str(self._names[item]) for item in members)
            reasons.append(f"often in the basket with {names} (lift {book.lift[rule]:.1f})")
        return reasons


def people(number: int) -> str:
    """`1 customer`, `1,200 customers`."""
    return f"{number:,} customer{'' if number == 1 else 's'}"


def _often(times: int, gap: float) -> str:
    """`once, `, `twice, last ` or `12 times, about every 9 days, last `."""
    if times == 1:
        return "once, "
    if times == 2 or not np.isfinite(gap):
        return f"{'twice' if times == 2 else f'{times} times'}, last "
    days = max(round(float(gap)), 1)
    return f"{times} times, about every {'day' if days == 1 else f'{days} days'}, last "


def _ago(days: int) -> str:
    return "yesterday" if days == 1 else "today" if days == 0 else f"{days} days ago"


def _largest(
    owner: NDArray[np.intp], source: NDArray[Any], share: NDArray[Any], k: int
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """The k sources of each owner with the largest positive share; of equals the lowest positions."""
    kept = np.flatnonzero(share > 0)
    owner, source, share = owner[kept], source[kept], share[kept]
    order = np.lexsort((source, -share, owner))
    owner, source = owner[order], source[order]
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    return owner[place < k], source[place < k]
