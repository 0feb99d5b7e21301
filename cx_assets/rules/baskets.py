"""Baskets as a sparse boolean matrix: which basket holds which thing, and whose basket it is.

Belongs here: turning events into `BasketMatrix`, at item level and, folded, at category level. Does not: finding
itemsets in it (`hmine`) or counting customers behind them (`counting`). A thing is an item or a category: rules are
mined the same way at both levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.matrices.matrix import indexed
from cx_assets.table import Table, sql
from cx_assets.table.schema import literal

PURCHASES = ("purchase",)


@dataclass(frozen=True)
class BasketMatrix:
    """Which basket holds which thing.

    Attributes:
        matrix: bool CSR of shape (baskets, things), sorted indices, no explicit False.
        things: object array of shape (things,), ascending, unique: item ids or categories.
        customers: int32 array of shape (baskets,): the number, from 0, of the customer whose basket it is.
    """

    matrix: csr_matrix
    things: NDArray[Any]
    customers: NDArray[np.int32]

    def grouped(self, groups: Sequence[str | None]) -> "BasketMatrix":
        """The same baskets holding groups of things: a basket holds a group if it holds any thing of it.

        Args:
            groups: the group of each thing, in the order of `things`; None for a thing that is in no group.

        Returns:
            As many baskets as before, those that hold no group included.
        """
        codes, names = pd.factorize(np.asarray(groups, dtype=object), sort=True)
        grouped = np.flatnonzero(codes >= 0)
        members = csr_matrix(
            (np.ones(len(grouped), dtype=bool), (grouped, codes[grouped])), shape=(len(self.things), len(names))
        )
        folded = csr_matrix(self.matrix @ members)
        folded.sort_indices()
        return BasketMatrix(folded, np.asarray(names, dtype=object), self.customers)


def item_baskets(events: Table, event_types: Sequence[str] = PURCHASES) -> BasketMatrix:
    """The baskets of a set of events, by item.

    Args:
        events: at least event_type, basket_id, customer_id, item_id.
        event_types: the types that put an item into a basket, as for `warehouse.baskets`.

    Returns:
        One row per customer and basket_id, and one column per item_id, in order; both may be none.
    """
    types = ", ".join(literal(name) for name in event_types)
    lines = sql(
        f"select basket_id, customer_id, item_id from events where event_type in ({types})", events=events
    ).arrow()
    basket_ids, basket_codes = indexed(lines["basket_id"])
    _, customer_codes = indexed(lines["customer_id"])
    item_ids, item_codes = indexed(lines["item_id"])
    # Two customers' baskets may have the same id, as where each customer's visits are numbered from 1.
    keys, rows = np.unique(customer_codes.astype(np.int64) * len(basket_ids) + basket_codes, return_inverse=True)
    matrix = csr_matrix((np.ones(len(rows), dtype=bool), (rows, item_codes)), shape=(len(keys), len(item_ids)))
    matrix.sum_duplicates()
    return BasketMatrix(matrix, item_ids, (keys // max(len(basket_ids), 1)).astype(np.int32))


def category_baskets(by_item: BasketMatrix, items: Table) -> BasketMatrix:
    """The same baskets by category, items without a known category left out.

    Args:
        by_item: from `item_baskets`.
        items: at least item_id and category; the category of an item that isn't known is 'unknown'.
    """
    rows = sql("select item_id, category from items where category <> 'unknown'", items=items).fetchall()
    category_of = dict(rows)
    return by_item.grouped([category_of.get(item) for item in by_item.things])
