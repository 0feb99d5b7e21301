"""Which items were in which of a customer's baskets, each once.

Belongs here: reading baskets out of the history, which has an entry per day as well. Does not: what a method makes of
them (`tifu_knn`, `up_cf`, `segment_popularity`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cx_assets.recommendations.history import History


def once_per_basket(history: History) -> History:
    """One entry for every customer, item and basket: the oldest, where a basket lasted more than a day.

    Args:
        history: of any customers.

    Returns:
        Entries in the order of `history`; only `customer`, `item` and `baskets_ago` mean anything.
    """
    order = np.lexsort((history.baskets_ago, history.item, history.customer))
    columns = (history.customer[order], history.item[order], history.baskets_ago[order])
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return history.chosen(np.sort(order[first]))


def basket_counts(history: History, customers: int) -> NDArray[np.int64]:
    """The number of baskets of every customer, 0 without history.

    Args:
        history: of all baskets, so that the oldest of them says how many there are.
        customers: how many customers there are.

    Returns:
        Shape (customers,).
    """
    counts = np.zeros(customers, dtype=np.int64)
    np.maximum.at(counts, history.customer, history.baskets_ago)
    return counts
