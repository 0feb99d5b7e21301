"""How many baskets hold a set of things, and how many customers stand behind those baskets.

Belongs here: exact counts by sparse products. Does not: which sets are worth counting (`hmine`).

Customers, not only baskets: a pair that one customer buys every week is a habit, not a rule, and a figure that fewer
than ten customers stand behind says something about those customers.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.rules.baskets import BasketMatrix

# Entries of the intermediate product per block: tens of megabytes, whatever the number of sets.
BLOCK_ENTRIES = 2**22


def count_sets(baskets: BasketMatrix, members: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Baskets and distinct customers of each set of things.

    Args:
        baskets: who holds what.
        members: shape (sets, size): the column numbers of each set.

    Returns:
        Two int64 arrays of shape (sets,): baskets that hold all of the set; customers who have such a basket.
    """
    columns = baskets.matrix.tocsc()
    by_customer = _customers_of_baskets(baskets.customers)
    held = np.zeros(len(members), dtype=np.int64)
    customers = np.zeros(len(members), dtype=np.int64)
    for block in _blocks(np.diff(columns.indptr)[members].max(axis=1, initial=0)):
        holds = columns[:, members[block, 0]]
        for position in range(1, members.shape[1]):
            holds = holds.multiply(columns[:, members[block, position]])
        holds = holds.tocsc().astype(np.int32)
        held[block] = np.diff(holds.indptr)
        customers[block] = np.diff((by_customer @ holds).tocsc().indptr)
    return held, customers


def _customers_of_baskets(customers: NDArray[np.int32]) -> csr_matrix:
    """Customers x baskets, 1 where the basket is the customer's."""
    baskets = np.arange(len(customers))
    shape = (int(customers.max(initial=-1)) + 1, len(customers))
    return csr_matrix((np.ones(len(customers), dtype=np.int32), (customers, baskets)), shape=shape)


def _blocks(entries: NDArray[np.int64]) -> list[slice]:
    """Consecutive slices, each of about `BLOCK_ENTRIES` entries and at least one set."""
    ends = np.flatnonzero(np.diff(np.cumsum(entries) // BLOCK_ENTRIES)) + 1
    bounds = [0, *ends.tolist(), len(entries)]
    return [slice(a, b) for a, b in pairwise(bounds) if b > a]
