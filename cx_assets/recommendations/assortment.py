"""What sells where a customer shops: the store's own shelf, which an overall popularity hides.

Belongs here: how customers divide among stores, and how many customers took an item in each. Does not: features made
of both (`features`). Events without a store are of one store of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.history import History, by_pair

HALF_LIFE = 45.0


def store_shares(history: History, customers: int) -> csr_matrix:
    """Where customers shop.

    Returns:
        float32 CSR of shape (customers, stores): of a customer's events, each faded by half in 45 days, the share in
        each store. A row sums to 1, or to 0 without history.
    """
    faded = by_pair(
        history.customer,
        _store(history),
        np.exp2(-history.age_days / HALF_LIFE),
        (customers, number_of_stores(history)),
    )
    totals = np.asarray(faded.sum(axis=1)).reshape(-1)
    faded.data /= np.repeat(totals, np.diff(faded.indptr))
    return faded


def takers_by_store(history: History, days: float, shape: tuple[int, int]) -> tuple[csr_matrix, NDArray[np.float32]]:
    """How many customers took an item in each store lately.

    Args:
        history: of the customers.
        days: how long ago at most.
        shape: number of customers, number of items.

    Returns:
        float32 CSR of shape (stores, items), distinct customers; and float32 of shape (stores,), distinct customers of
        the store.
    """
    customers, items = shape
    stores = number_of_stores(history)
    recent = np.flatnonzero(history.age_days <= days)
    store, customer = _store(history)[recent].astype(np.int64), history.customer[recent].astype(np.int64)
    triples = np.unique((store * items + history.item[recent]) * customers + customer)
    pair = triples // customers
    taken = by_pair(pair // items, pair % items, np.ones(len(pair)), (stores, items))
    visitors = np.bincount(np.unique(store * customers + customer) // customers, minlength=stores)
    return taken, visitors.astype(np.float32)


def number_of_stores(history: History) -> int:
    """With the one for events without a store."""
    return int(history.store.max(initial=-1)) + 2


def _store(history: History) -> NDArray[np.int32]:
    return history.store + np.int32(1)
