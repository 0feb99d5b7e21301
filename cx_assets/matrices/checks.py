"""The laws of the matrices stage.

Belongs here: what must hold between interactions and the tables that they come from. Does not: column types, nulls and
the key, which every table is checked for (`table.checks`).
"""

import dagster as dg

from cx_assets.ingestion.times import local_time
from cx_assets.matrices.config import InteractionWeights
from cx_assets.table import Table, law, sql, table_check

REBUILD = "Materialize interactions again, from the present events; if it stays, fold_interactions is wrong."


@table_check(asset="interactions", blocking=True)
def interactions_are_finite_and_positive(
    interactions: Table, interaction_weights: InteractionWeights
) -> dg.AssetCheckResult:
    """Every weight is finite and above 0, counts add up, and times lie in order before the as-of date."""
    broken = sql(
        f"""
        select customer_id, item_id, events, weight, quantity, "value", first_at, last_at, as_of
        from interactions
        where not (isfinite(weight) and weight > 0 and isfinite(quantity) and isfinite("value"))
           or (rating is not null and not isfinite(rating))
           or events < 1
           or events < purchases + views + carts + ratings
           or first_at > last_at
           or {local_time("last_at", interaction_weights.timezone)} >= as_of
        """,
        interactions=interactions,
    )
    return law(broken, interactions.count(), "interactions have figures that can't be", REBUILD)


@table_check(asset="interactions", blocking=True)
def interactions_totals_equal_events(interactions: Table, events: Table) -> dg.AssetCheckResult:
    """Nothing was lost and nothing counted twice: counts by type, quantity and value add up to those of the events."""
    figures = sql(
        """
        with used as (
            select events.* from events
            where day < (select coalesce(max(as_of), timestamp '9999-12-31') from interactions)
        ), wanted as (
            select
                count(*) as events,
                count(*) filter (where event_type = 'purchase') as purchases,
                count(*) filter (where event_type = 'view') as views,
                count(*) filter (where event_type = 'cart') as carts,
                count(*) filter (where event_type = 'rating') as ratings,
                coalesce(sum(quantity), 0) as quantity,
                coalesce(sum("value"), 0) as "value"
            from used
        ), found as (
            select
                coalesce(sum(events), 0) as events,
                coalesce(sum(purchases), 0) as purchases,
                coalesce(sum(views), 0) as views,
                coalesce(sum(carts), 0) as carts,
                coalesce(sum(ratings), 0) as ratings,
                coalesce(sum(quantity), 0) as quantity,
                coalesce(sum("value"), 0) as "value"
            from interactions
        )
        select 'events' as figure, wanted.events as in_events, found.events as in_interactions from wanted, found
        union all select 'purchases', wanted.purchases, found.purchases from wanted, found
        union all select 'views', wanted.views, found.views from wanted, found
        union all select 'carts', wanted.carts, found.carts from wanted, found
        union all select 'ratings', wanted.ratings, found.ratings from wanted, found
        union all select 'quantity', wanted.quantity, found.quantity from wanted, found
        union all select 'value', wanted."value", found."value" from wanted, found
        """,
        interactions=interactions,
        events=events,
    )
    # Sums of doubles taken in another order differ in their last digits; a lost event differs by far more.
    differs = "abs(in_events - in_interactions) > 1e-6 * greatest(1, abs(in_events))"
    broken = sql(f"select * from figures where {differs}", figures=figures)
    return law(broken, 7, "totals of interactions differ from those of the events", REBUILD)


@table_check(asset="interactions", blocking=True)
def interactions_reference_customers_and_items(
    interactions: Table, customers: Table, items: Table
) -> dg.AssetCheckResult:
    """Every interaction's customer is in `customers` and its item in `items`."""
    broken = sql(
        """
        select interactions.customer_id, interactions.item_id, customers.customer_id is null as customer_missing
        from interactions
        left join customers on customers.customer_id = interactions.customer_id
        left join items on items.item_id = interactions.item_id
        where customers.customer_id is null or items.item_id is null
        """,
        interactions=interactions,
        customers=customers,
        items=items,
    )
    advice = "Materialize customers and items from the same events, then interactions."
    return law(broken, interactions.count(), "interactions name a customer or an item that is in no table", advice)
