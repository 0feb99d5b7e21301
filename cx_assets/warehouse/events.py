"""Events that keep the contract and events that don't, from judged raw events.

Belongs here: the split, the folding of exact duplicates, and the tables that follow from events alone. Does not: the
contract itself (`contract`).
"""

from cx_assets.table import Table, sql

# A session begins with a customer's first event of a day and after every long pause.
_SESSIONS = """, paused as (
            select *, case
                when epoch(at_) - lag(epoch(at_)) over own <= {seconds} then null else at_
            end as begun
            from identified window own as (partition by customer_id, day order by at_, event_id)
        ), in_sessions as (
            select * exclude (begun), max(begun) over (
                partition by customer_id, day order by at_, event_id rows unbounded preceding
            ) as session
            from paused
        )"""

# As JSON, so that a missing basket or a separator inside an id can't make two events look the same.
DELIVERED = """
                    id_given, time_given, coalesce(delivered_customer_id, customer_id), item_id, event_type,
                    basket_given, quantity_given, value_given, rating_given, store_id"""
"""All that was delivered of a judged event."""

CONTENT = f"""left(md5(cast(json_array({DELIVERED}
                ) as varchar)), 16)"""
"""SQL for a hash of it: equal for exact duplicates alone."""


def accepted(judged: Table, session_gap_minutes: float | None = None) -> Table:
    """One row per distinct event that keeps the contract; `copies` counts the equal rows that it stands for.

    Two rows are equal when all that was delivered of them is; the first by file and row stays. An event that tells no
    basket belongs to its customer's day, or to its customer's session of that day: the events between two pauses.

    Args:
        judged: as `contract.judge` returns them, or `merges.renamed_events` after it.
        session_gap_minutes: the longest pause within a session; None for baskets that are days. A session ends with
            the day, so that a day can be loaded without those beside it.
    """
    if session_gap_minutes is None:
        own_basket, sessions = "customer_id || ':' || strftime(day, '%Y-%m-%d')", ""
        source = "identified"
    else:
        own_basket, source = "customer_id || ':' || strftime(session, '%Y-%m-%d %H:%M:%S')", "in_sessions"
        sessions = _SESSIONS.format(seconds=session_gap_minutes * 60)
    return sql(
        f"""
        with kept as not materialized (
            select * from judged where reason is null
        ), identified as not materialized (
            select *, {CONTENT} as event_id from kept
        ){sessions}, alike as (
            -- What looks the same by DuckDB's own hash, which costs a tenth of an id: few events, or none.
            select hash({DELIVERED}) as looks from judged group by looks having count(*) > 1
        ), repeated as (
            select {CONTENT} as event_id, count(*) as copies, min((source_file, source_row)) as first_row
            from (select * from kept where hash({DELIVERED}) in (select looks from alike))
            group by event_id having count(*) > 1
        )
        select
            event_id, day, at_ as occurred_at, customer_id, delivered_customer_id, item_id, event_type,
            coalesce(basket_given, {own_basket}) as basket_id,
            quantity, value, rating, store_id,
            coalesce(copies, 1) as copies, source_file, source_row
        from {source} left join repeated using (event_id)
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
