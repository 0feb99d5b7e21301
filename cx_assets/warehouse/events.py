"""Events that keep the contract and events that don't, from judged raw events.

Belongs here: the split, the folding of exact duplicates, and the tables that follow from events alone. Does not: the
contract itself (`contract`).
"""

from cx_assets.table import Table, sql


def accepted(judged: Table) -> Table:
    """One row per distinct event that keeps the contract; `copies` counts the equal rows that it stands for.

    Two rows are equal when all that was delivered of them is; the first by file and row stays.

    Args:
        judged: as `contract.judge` returns them, or `merges.renamed_events` after it.
    """
    return sql(
        """
        with kept as (
            select
                *,
                -- As JSON, so that a missing basket or a separator inside an id can't make two events look the same.
                left(md5(cast(json_array(
                    id_given, time_given, coalesce(delivered_customer_id, customer_id), item_id, event_type,
                    basket_given, quantity_given, value_given, rating_given, store_id
                ) as varchar)), 16) as event_id
            from judged where reason is null
        ), repeated as (
            select event_id, count(*) as copies, min((source_file, source_row)) as first_row
            from kept group by event_id having count(*) > 1
        )
        select
            event_id, day, at_ as occurred_at, customer_id, delivered_customer_id, item_id, event_type,
            coalesce(basket_given, customer_id || ':' || strftime(day, '%Y-%m-%d')) as basket_id,
            quantity, value, rating, store_id,
            coalesce(copies, 1) as copies, source_file, source_row
        from kept left join repeated using (event_id)
        where first_row is null or first_row = (source_file, source_row)
        order by occurred_at, customer_id, basket_id, item_id, event_id
        """,
        judged=judged,
    )


def rejected(judged: Table) -> Table:
    """The events that break the contract, as delivered, with the reason."""
    return sql(
        """
        select
            day, reason, time_given as occurred_at, customer_given as customer_id, item_given as item_id,
            type_given as event_type, basket_given as basket_id, quantity_given as quantity,
            value_given as value, rating_given as rating, store_id, source_file, source_row
        from judged where reason is not null
        order by source_file, source_row
        """,
        judged=judged,
    )


def fold_baskets(events: Table, event_types: tuple[str, ...]) -> Table:
    """One row per customer and basket, from events of the given types.

    Sums are of decimals: the sum of doubles depends on the order in which two threads meet them.
    """
    types = ", ".join(f"'{name}'" for name in event_types)
    return sql(
        f"""
        select
            basket_id, customer_id, min(occurred_at) as occurred_at, count(distinct item_id) as items,
            cast(sum(cast(quantity as decimal(38, 6))) as double) as quantity,
            cast(sum(cast(value as decimal(38, 6))) as double) as value
        from events where event_type in ({types})
        group by customer_id, basket_id order by occurred_at, customer_id, basket_id
        """,
        events=events,
    )
