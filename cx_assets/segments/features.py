"""What each customer is like, in a few figures: recency, frequency, monetary value, baskets, breadth, tastes.

Belongs here: folding events into one row per customer, as of an instant. Does not: scores (`rfm`), scaling for
clustering (`inputs`) or anything that compares customers with one another.

In a shop the purchases count: a customer who looks ten times and buys once came once. A dataset without a single
purchase (a media site) is judged by all of its events instead, so that its customers still differ.
"""

from datetime import datetime

import numpy as np
import pandas as pd

from cx_assets.table import Table, sql
from cx_assets.table.schema import instant

# In the order in which they are shown.
FEATURES = (
    "recency_days",
    "frequency",
    "monetary",
    "mean_basket_size",
    "mean_basket_value",
    "tenure_days",
    "categories",
    "items",
)


def customer_features(events: Table, items: Table, *, as_of: datetime) -> Table:
    """One row per customer with an event before `as_of`.

    Args:
        events: warehouse.events.
        items: warehouse.items; an item without a row there counts as category 'unknown'.
        as_of: a midnight; events of the days before it are used.

    Returns:
        customer_id, the features of `FEATURES`, `share_categories` and `share_values` (the customer's categories and
        their shares of the customer's value, which add up to 1, descending, ties by name; shares of events for a
        customer without value), `as_of`; ordered by customer. Recency and tenure count calendar days from the last and
        the first event of any type.
    """
    return sql(
        f"""
        with history as (
            select customer_id, basket_id, item_id, day, value,
                event_type = 'purchase'
                or not exists (select 1 from events where event_type = 'purchase' and day < {instant(as_of)})
                as counts
            from events
            where day < {instant(as_of)}
        ),
        basket_items as (
            select distinct customer_id, basket_id, item_id from history where counts
        ),
        sizes as (
            select customer_id, count(distinct basket_id) as frequency, count(*) as basket_items
            from basket_items group by customer_id
        ),
        by_item as materialized (
            select
                customer_id,
                item_id,
                count(*) as events,
                coalesce(sum({_money("value")}) filter (where counts), 0) as value
            from history group by customer_id, item_id
        ),
        breadth as (
            select customer_id, sum(events) as events, sum(value) as monetary, count(*) as items
            from by_item group by customer_id
        ),
        days as (
            select customer_id, min(day) as first_day, max(day) as last_day from history group by customer_id
        ),
        by_category as (
            select customer_id, coalesce(category, 'unknown') as category, sum(events) as events, sum(value) as value
            from by_item left join items using (item_id)
            group by 1, 2
        ),
        shares as (
            select
                customer_id,
                category,
                case when monetary > 0 then cast(by_category.value as double) / cast(monetary as double)
                    else by_category.events / breadth.events end as share
            from by_category join breadth using (customer_id)
        ),
        tastes as (
            select
                customer_id,
                count(*) as categories,
                list(category order by share desc, category) as share_categories,
                list(share order by share desc, category) as share_values
            from shares group by customer_id
        )
        select
            customer_id,
            date_diff('day', last_day, cast({instant(as_of)} as date)) as recency_days,
            coalesce(frequency, 0) as frequency,
            cast(monetary as double) as monetary,
            coalesce(basket_items / frequency, 0) as mean_basket_size,
            coalesce(cast(monetary as double) / frequency, 0) as mean_basket_value,
            date_diff('day', first_day, cast({instant(as_of)} as date)) as tenure_days,
            categories,
            breadth.items as items,
            share_categories,
            share_values,
            {instant(as_of)} as as_of
        from breadth
        join days using (customer_id)
        join tastes using (customer_id)
        left join sizes using (customer_id)
        order by customer_id
        """,
        events=events,
        items=items,
    )


def category_shares(features: Table) -> Table:
    """The lists of `customer_features` as rows: customer_id, category, share, value (share times monetary value)."""
    return sql(
        """
        with listed as (
            select customer_id, monetary, unnest(share_categories) as category, unnest(share_values) as share
            from features
        )
        select customer_id, category, share, share * monetary as value from listed
        """,
        features=features,
    )


def leading_shares(shares: Table, customers: pd.Series, *, categories: int) -> pd.DataFrame:
    """Every customer's share of the categories that matter most overall.

    Args:
        shares: `category_shares`.
        customers: customer ids, in the order wanted.
        categories: how many categories; the most valuable ones, ties (and a dataset without values) by the sum of the
            customers' shares, then by name.

    Returns:
        float64 of shape (customers, up to `categories`), most valuable category first, indexed by customer; 0 where a
        customer has nothing of a category.
    """
    rows = sql(
        f"""
        with given as materialized (
            select customer_id, category, value, share from shares
        ),
        totals as (
            select
                category,
                row_number() over (
                    order by sum({_money("value")}) desc, sum(cast(share as decimal(18, 9))) desc, category
                ) as place
            from given group by category
        )
        select customer_id, category, place, share
        from given join totals using (category)
        where place <= {categories}
        """,
        shares=shares,
    ).df()
    index = pd.Index(customers, name="customer_id")
    names = rows.drop_duplicates("place").sort_values("place")["category"].tolist()
    matrix = np.zeros((len(index), len(names)))
    matrix[index.get_indexer(rows["customer_id"]), rows["place"].to_numpy() - 1] = rows["share"]
    return pd.DataFrame(matrix, index=index, columns=names)


def _money(column: str) -> str:
    """SQL for an amount as a decimal: sums of decimals don't depend on the order in which threads add them up."""
    return f"cast(coalesce({column}, 0) as decimal(18, 4))"
