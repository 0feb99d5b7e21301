"""What the metrics of lists need beside the lists: attributes, popularity, customers' habits, what was paid.

Belongs here: reading it from the warehouse, by the numbers and rows of judged lists. Does not belong here: the metrics
(`beyond_accuracy`, `diversity`) and their rows (`list_figures`).

All but the value of what was taken comes from strictly before the as-of date.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.sparse import csr_matrix

from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.split import Window, training_events, truth, truth_of_list
from cx_assets.similarity.content import described_by, known_values
from cx_assets.table import Table, sql
from cx_assets.table.schema import instant


@dataclass(frozen=True)
class CustomerContext:
    """What is known of the judged customers of one list, in the order of `JudgedLists.customers`.

    Attributes:
        usual: float64 CSR of shape (customers, categories): share of each category in the customer's events before the
            as-of date; an empty row for a customer without any.
        own_popularity: float64 of shape (customers,): mean popularity of the different items that the customer had, NaN
            without any.
        paid: float64 CSR of shape (customers, items): what the customer paid in the horizon for each relevant item.
        total: float64 of shape (customers,): the same for all relevant items, those included that nobody is shown.
    """

    usual: csr_matrix
    own_popularity: NDArray[np.float64]
    paid: csr_matrix
    total: NDArray[np.float64]


@dataclass(frozen=True)
class ListContext:
    """What the metrics of lists need beside the lists; items are numbered as in `JudgedLists.items`.

    Attributes:
        catalogue: number of recommendable items.
        codes: int64 of shape (items, attributes): category and declared attributes, -1 where a value isn't known.
        category: int64 of shape (items,): column of the category in `CustomerContext.usual`.
        popularity: int64 of shape (items,): distinct customers with the item before the as-of date.
        place: int64 of shape (items,): place of the item, from 0, among the recommendable ones by popularity; equally
            popular ones by id, and the number of all items for one that isn't recommendable.
        customers: by list.
    """

    catalogue: int
    codes: NDArray[np.int64]
    category: NDArray[np.int64]
    popularity: NDArray[np.int64]
    place: NDArray[np.int64]
    customers: dict[str, CustomerContext]


def list_context(events: Table, items: Table, window: Window, judged: JudgedLists) -> ListContext:
    """Read what the metrics of lists need.

    Args:
        events: warehouse.events, cut off here at the as-of date for everything but what was paid. Where lists were
            judged on some of the window's events only, on first baskets say, these events and no others of the window.
        items: warehouse.items, with every item of the events.
        window: the one that the lists were judged on.
        judged: the lists.

    Raises:
        ValueError: if the lists were judged on another window, or show an item that `items` doesn't have.
    """
    if judged.lists and (judged.as_of, judged.horizon_days) != (window.as_of, window.horizon_days):
        raise ValueError(
            f"lists judged on {judged.horizon_days} days from {judged.as_of}, "
            f"context of {window.horizon_days} days from {window.as_of}"
        )
    before = training_events(events, window.as_of)
    catalogue = items.df().sort_values("item_id").reset_index(drop=True)
    at = pd.Index(catalogue["item_id"]).get_indexer(pd.Index(judged.items, dtype=object))
    if (at < 0).any():
        raise ValueError(f"items: {judged.items[at < 0][0]!r} is shown and not there")
    had = sql("select item_id, count(distinct customer_id) as n from before group by item_id", before=before).df()
    popularity = catalogue["item_id"].map(had.set_index("item_id")["n"]).fillna(0).to_numpy(dtype=np.int64)
    recommendable = np.flatnonzero(catalogue["recommendable"].to_numpy(dtype=bool))
    place = np.full(len(catalogue), len(catalogue), dtype=np.int64)
    place[recommendable[np.argsort(-popularity[recommendable], kind="stable")]] = np.arange(len(recommendable))
    category, names = pd.factorize(catalogue["category"], sort=True)
    return ListContext(
        len(recommendable),
        attribute_codes(catalogue)[at],
        category.astype(np.int64)[at],
        popularity[at],
        place[at],
        _customers(events, items, window, judged, names),
    )


def attribute_codes(items: pd.DataFrame) -> NDArray[np.int64]:
    """The category and the declared attributes of items as numbers.

    As for neighbours by content, a number (a price, a weight) is no attribute here, since it is rarely equal and equal
    ones say little, and what is null, empty, `unknown` or filled in by the warehouse isn't known.

    Args:
        items: rows of warehouse.items.

    Returns:
        int64 of shape (items, attributes): equal within a column where the values are, -1 where one isn't known.
    """
    names = [
        name
        for name in described_by(list(items.columns))
        if not is_numeric_dtype(items[name]) or is_bool_dtype(items[name])
    ]
    return np.stack([value_codes(items, name)[0] for name in names], axis=1)


def value_codes(items: pd.DataFrame, name: str) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """One attribute of items as numbers, and the values that they stand for.

    Args:
        items: rows of warehouse.items.
        name: the attribute; what isn't known of it is as `attribute_codes` says.

    Returns:
        int64 of shape (items,), -1 where the value isn't known; the values, of shape (different values,).
    """
    codes, values = pd.factorize(known_values(items, name))
    return codes.astype(np.int64), np.asarray(values, dtype=object)


def _customers(
    events: Table, items: Table, window: Window, judged: JudgedLists, categories: pd.Index
) -> dict[str, CustomerContext]:
    """The context of the customers of every list; categories in the order of `categories`."""
    before = training_events(events, window.as_of)
    taken = sql(
        """
        select e.customer_id, i.category, count(*) as n
        from before e join items i on i.item_id = e.item_id
        group by e.customer_id, i.category
        """,
        before=before,
        items=items,
    ).df()
    own = sql(
        """
        with had as (select distinct customer_id, item_id from before),
        popularity as (select item_id, count(*) as n from had group by item_id)
        select h.customer_id, avg(p.n) as popularity
        from had h join popularity p on p.item_id = h.item_id
        group by h.customer_id
        """,
        before=before,
    ).df()
    taken["share"] = taken["n"] / taken.groupby("customer_id")["n"].transform("sum")
    taken["column"] = categories.get_indexer(pd.Index(taken["category"]))
    pairs = truth(events, items, window).merge(_paid(events, window), on=["customer_id", "item_id"], how="left")
    numbers = pd.Index(judged.items, dtype=object)
    contexts = {}
    for which, ids in judged.customers.items():
        who = pd.Index(ids, dtype=object)
        relevant = truth_of_list(pairs, which)
        relevant = relevant.assign(column=numbers.get_indexer(pd.Index(relevant["item_id"], dtype=object)))
        rows = who.get_indexer(pd.Index(relevant["customer_id"], dtype=object))
        paid = relevant["paid"].to_numpy(dtype=np.float64)
        contexts[which] = CustomerContext(
            _matrix(who, taken, "share", len(categories)),
            own.set_index("customer_id")["popularity"].reindex(who).to_numpy(dtype=np.float64),
            _matrix(who, relevant, "paid", len(numbers)),
            np.bincount(rows[rows >= 0], weights=paid[rows >= 0], minlength=len(who)).astype(np.float64),
        )
    return contexts


def _paid(events: Table, window: Window) -> pd.DataFrame:
    """What every customer paid for every item in the window: of the events that `split.truth` counts."""
    return sql(
        f"""
        with purchases as (select count(*) as n from events where event_type = 'purchase')
        select e.customer_id, e.item_id, cast(sum(cast(e.value as decimal(38, 6))) as double) as paid
        from events e cross join purchases p
        where e.day >= {instant(window.as_of)} and e.day < {instant(window.end)}
            and (e.event_type = 'purchase' or p.n = 0)
        group by e.customer_id, e.item_id
        """,
        events=events,
    ).df()


def _matrix(customers: pd.Index, pairs: pd.DataFrame, values: str, columns: int) -> csr_matrix:
    """One entry per row of `pairs` whose customer is among `customers` and whose `column` is known."""
    rows = customers.get_indexer(pd.Index(pairs["customer_id"], dtype=object))
    column = pairs["column"].to_numpy(dtype=np.int64)
    kept = (rows >= 0) & (column >= 0)
    entries = (pairs[values].to_numpy(dtype=np.float64)[kept], (rows[kept], column[kept]))
    return csr_matrix(entries, shape=(len(customers), columns))
