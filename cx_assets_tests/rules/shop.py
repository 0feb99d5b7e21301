"""A few baskets to mine in tests, as literal rows: who, in which basket, which item."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from cx_assets.rules.baskets import BasketMatrix


def basket_matrix(baskets: Sequence[str], customers: Sequence[int] | None = None) -> BasketMatrix:
    """Baskets written as words: each letter is a thing. Without `customers` each basket is a customer's of its own."""
    things = sorted(set("".join(baskets)))
    held = np.array([[thing in basket for thing in things] for basket in baskets], dtype=bool)
    owners = range(len(baskets)) if customers is None else customers
    return BasketMatrix(
        csr_matrix(held.reshape(len(baskets), len(things))),
        np.array(things, dtype=object),
        np.array(owners, dtype=np.int32),
    )


def purchases(baskets: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Events from basket_id -> (customer_id, items as letters)."""
    rows = [("purchase", basket, customer, item) for basket, (customer, items) in baskets.items() for item in items]
    return pd.DataFrame(rows, columns=["event_type", "basket_id", "customer_id", "item_id"], dtype="str")
