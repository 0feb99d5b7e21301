"""Popular items per segment and overall: the fallback for customers of whom nothing is known.

Belongs here: counting customers per segment and item. Does not: popularity as a recommender (`popularity`).
"""

from __future__ import annotations

from cx_assets.table import Table, sql

ALL = "all"
TOP = 50


def popular_items(interactions: Table, items: Table, customer_segments: Table, top: int = TOP) -> Table:
    """The items that most customers have had, for every segment and for all customers.

    Args:
        interactions: matrices.interactions.
        items: warehouse.items; what isn't recommendable is left out.
        customer_segments: segments.customer_segments; customers of segment_id -1 have no history and make no segment.
        top: places per segment.

    Returns:
        segment ('all' for everyone), rank, item_id, customers, events, score (customers over all customers of the
        segment with any event), as_of. Ordered by segment and rank: customers descending, events descending, item id.
    """
    return sql(
        f"""
        with acts as (
            select i.customer_id, i.item_id, i.events, i.as_of, s.segment
            from interactions i
            join customer_segments s on s.customer_id = i.customer_id and s.segment_id >= 0
            union all
            select customer_id, item_id, events, as_of, '{ALL}' from interactions
        ),
        sizes as (select segment, count(distinct customer_id) as members from acts group by segment),
        counted as (
            select a.segment, a.item_id, count(*) as customers, cast(sum(a.events) as bigint) as events,
                max(a.as_of) as as_of
            from acts a
            join items on items.item_id = a.item_id and items.recommendable
            group by a.segment, a.item_id
        ),
        ranked as (
            select *, row_number() over (
                partition by segment order by customers desc, events desc, item_id
            ) as rank
            from counted
        )
        select r.segment, cast(r.rank as integer) as rank, r.item_id, r.customers, r.events,
            r.customers / cast(s.members as double) as score, r.as_of
        from ranked r
        join sizes s on s.segment = r.segment
        where r.rank <= {int(top)}
        order by r.segment, r.rank
        """,
        interactions=interactions,
        items=items,
        customer_segments=customer_segments,
    )
