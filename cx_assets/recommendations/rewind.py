"""Training data as they were known some time ago, and what customers went on to take: how a model gets its examples.

Belongs here: cutting a training at an earlier instant. Does not: what is learnt from the examples (`ranker`). An
earlier training is made of the later one's history and of nothing else, so a model that learns from it can't see
further than what it was given, whoever calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.matrices.matrix import InteractionMatrix
from cx_assets.recommendations.history import History, by_pair
from cx_assets.recommendations.recommender import Training


@dataclass(frozen=True)
class Days:
    """A horizon of days, the same calendar days for everyone."""

    number: int = 28


@dataclass(frozen=True)
class Baskets:
    """A horizon of one basket, each customer's own; the as-of date of a customer is then the day of that basket."""


Horizon = Days | Baskets


@dataclass(frozen=True)
class Rewound:
    """An earlier training and what followed.

    Attributes:
        training: as it was known then. Customers and items keep their positions.
        taken: float32 CSR of shape (customers, items), 1 where a customer took the item in the horizon after it;
            purchases count, or every event where there are no purchases.
        known: bool of shape (customers,): had a history then and, where the horizon is a basket, that basket. Who took
            nothing in a horizon of days is among them, or what is learnt would foresee too much for everyone.
    """

    training: Training
    taken: csr_matrix
    known: NDArray[np.bool_]


def rewound(training: Training, horizon: Horizon, steps: int = 1) -> Rewound:
    """The training as it was known `steps` horizons before its own as-of date, and what the next horizon brought.

    Args:
        training: the later one.
        horizon: what is predicted.
        steps: how many horizons to go back, at least 1.

    Raises:
        ValueError: if `steps` is below 1.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1; it is {steps}")
    history = training.history
    if isinstance(horizon, Days):
        cut = np.float32(steps * horizon.number)
        before = history.age_days > cut
        inside = ~before & (history.age_days > cut - horizon.number)
        earlier = history.chosen(before)
        ages = earlier.age_days - cut
        as_of = training.as_of - timedelta(days=steps * horizon.number)
    else:
        before = history.baskets_ago > steps
        inside = history.baskets_ago == steps
        earlier = history.chosen(before)
        # Every entry of a basket has its day; a basket that crosses midnight begins with the older one.
        day = np.zeros(training.shape[0], dtype=np.float32)
        np.maximum.at(day, history.customer[inside], history.age_days[inside])
        ages = np.maximum(earlier.age_days - day[earlier.customer], np.float32(0))
        as_of = training.as_of
    earlier = replace(earlier, age_days=ages, baskets_ago=_counted_again(earlier))
    took = history.chosen(inside & _counts(history))
    taken = by_pair(took.customer, took.item, np.ones(len(took.item)), training.shape)
    taken.data[:] = 1
    known = np.bincount(earlier.customer, minlength=training.shape[0]) > 0
    if isinstance(horizon, Baskets):
        known &= np.diff(taken.indptr) > 0
    return Rewound(_with_history(training, earlier, as_of), taken, known)


def _counted_again(history: History) -> NDArray[np.int32]:
    """`baskets_ago` of what is left, from 1 without a gap: by the newest day that is left of each basket."""
    size = int(history.baskets_ago.max(initial=0)) + 1
    key = history.customer.astype(np.int64) * size + history.baskets_ago
    baskets, basket_of = np.unique(key, return_inverse=True)
    newest = np.full(len(baskets), np.inf, dtype=np.float32)
    np.minimum.at(newest, basket_of, history.age_days)
    owner = baskets // size
    order = np.lexsort((baskets, newest, owner))
    place = np.empty(len(baskets), dtype=np.int32)
    place[order] = np.arange(len(baskets)) - np.searchsorted(owner[order], owner[order]) + 1
    return place[basket_of]


def _counts(history: History) -> NDArray[np.bool_]:
    return history.purchases > 0 if history.purchases.any() else history.events > 0


def _with_history(training: Training, history: History, as_of: datetime) -> Training:
    """A training of other events; all that isn't in a history (ratings, rules) is left out of it."""
    index = training.interactions
    counts = by_pair(history.customer, history.item, history.events, training.shape)
    weights = InteractionMatrix(counts, index.customers, index.items)
    return replace(
        training,
        as_of=as_of,
        interactions=weights,
        counts=counts,
        ratings=None,
        history=history,
        rules=None,
        similarities=training.similarities.earlier(counts),
    )
