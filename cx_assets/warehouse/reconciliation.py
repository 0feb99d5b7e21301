"""What became of every delivered event, counted day by day.

Belongs here: the counts. Does not: the law that they add up (`checks`) or the rows themselves (`events`).
"""

from cx_assets.table import Table, sql

PARTS = ("events", "duplicates", "rejected", "withdrawn")
"""What a delivered event becomes: each is counted in exactly one of them."""


def day_counts(raw_events: Table, events: Table, rejected_events: Table, withdrawn_events: Table) -> Table:
    """One row per day that any of the tables has: `day, raw, events, duplicates, rejected, withdrawn`.

    Withdrawn are the rows that another corrected, cancelled or returned as a whole, and those that cancelled or
    returned; an event of which a part was returned is still an event.
    """
    return sql(
        """
        with told as (select day, count(*) as raw from raw_events group by day),
        kept as (select day, count(*) as events, sum(copies) - count(*) as duplicates from events group by day),
        refused as (select day, count(*) as rejected from rejected_events group by day),
        taken as (
            select day, count(*) as withdrawn from withdrawn_events where outcome <> 'reduced' group by day
        )
        select day, coalesce(raw, 0) as raw, coalesce(events, 0) as events, coalesce(duplicates, 0) as duplicates,
            coalesce(rejected, 0) as rejected, coalesce(withdrawn, 0) as withdrawn
        from told full join kept using (day) full join refused using (day) full join taken using (day) order by day
        """,
        raw_events=raw_events,
        events=events,
        rejected_events=rejected_events,
        withdrawn_events=withdrawn_events,
    )
