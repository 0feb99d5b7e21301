"""Who acted on what, when and in which of their baskets: the long form of all that recommenders learn from.

Belongs here: folding events into it, and matrices of sums over it. Does not: what is made of the figures. Days and
baskets are counted backwards from the as-of date, which is how every method that fades or waits asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.sparse import membership
from cx_assets.table import Table, sql
from cx_assets.table.schema import instant


@dataclass(frozen=True)
class History:
    """One entry per customer, item, day and basket; ordered by customer and item, then from the oldest to the newest.

    Attributes:
        customer: int32 positions in `Training.interactions.customers`.
        item: int32 positions in `Training.interactions.items`.
        age_days: float32, midnights between that day's start and the as-of date: yesterday is 1.
        baskets_ago: int32, 1 for the customer's last basket before the as-of date, 2 for the one before.
        events: float32, events of any type.
        purchases: float32, events of type purchase.
        quantity: float32, summed over purchases.
        value: float32, summed over purchases.
        store: int32, the place of the store among all store ids; -1 where none is told.
    """

    customer: NDArray[np.int32]
    item: NDArray[np.int32]
    age_days: NDArray[np.float32]
    baskets_ago: NDArray[np.int32]
    events: NDArray[np.float32]
    purchases: NDArray[np.float32]
    quantity: NDArray[np.float32]
    value: NDArray[np.float32]
    store: NDArray[np.int32]

    def chosen(self, kept: NDArray[Any]) -> History:
        """Some of the entries, in their order.

        Args:
            kept: bool of shape (entries,), or ascending positions.
        """
        return History(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


def fold_history(events: Table, as_of: datetime, customers: NDArray[np.object_], items: NDArray[np.object_]) -> History:
    """Fold the events before the as-of date; ids become positions in DuckDB, so that no strings cross to Python.

    A customer's baskets are ordered by their last event, then by id.

    Args:
        events: warehouse.events.
        as_of: a midnight; what happened at or after it is left out.
        customers: ids, ascending; events of others are left out.
        items: likewise.
    """
    rows = sql(
        f"""
        with known as (
            select customer_id, item_id, day, basket_id, occurred_at,
                quantity, "value", store_id, event_type = 'purchase' as purchased
            from events where day < {instant(as_of)}
        ), baskets as (
            select customer_id, basket_id, row_number() over (
                partition by customer_id order by max(occurred_at) desc, basket_id desc
            ) as baskets_ago
            from known group by customer_id, basket_id
        ), stores as (
            select store_id, row_number() over (order by store_id) - 1 as position
            from (select distinct store_id from known where store_id is not null)
        ), folded as (
            select customer_id, item_id, day, basket_id, count(*) as events,
                count(*) filter (where purchased) as purchases,
                sum(cast(quantity as decimal(38, 6))) filter (where purchased) as quantity,
                sum(cast("value" as decimal(38, 6))) filter (where purchased) as "value", min(store_id) as store_id
            from known group by customer_id, item_id, day, basket_id
        )
        select c.position as customer, i.position as item,
            cast(date_diff('day', f.day, date '{as_of:%Y-%m-%d}') as float) as age_days,
            cast(b.baskets_ago as integer) as baskets_ago,
            cast(f.events as float) as events, cast(f.purchases as float) as purchases,
            cast(coalesce(f.quantity, 0) as float) as quantity, cast(coalesce(f."value", 0) as float) as "value",
            cast(coalesce(s.position, -1) as integer) as store
        from folded f
        join baskets b on b.customer_id = f.customer_id and b.basket_id = f.basket_id
        join customers c on c.id = f.customer_id
        join items i on i.id = f.item_id
        left join stores s on s.store_id = f.store_id
        order by customer, item, f.day, baskets_ago desc
        """,
        events=events,
        customers=membership(customers),
        items=membership(items),
    ).arrow()
    return History(*(rows[name].to_numpy() for name in History.__dataclass_fields__))


def by_pair(customer: NDArray[Any], item: NDArray[Any], values: NDArray[Any], shape: tuple[int, int]) -> csr_matrix:
    """float32 CSR of sums per pair, taken in float64; a pair whose sum is 0 has no entry."""
    summed = csr_matrix((values.astype(np.float64), (customer, item)), shape=shape).astype(np.float32)
    summed.eliminate_zeros()
    summed.sort_indices()
    return summed
