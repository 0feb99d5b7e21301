"""What became of every delivered event, counted day by day.

Belongs here: the counts, and the days on which they don't add up. Does not: the law that there is none (`checks`) or
the rows themselves (`events`).
"""

from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.table import Table, sql
from cx_assets.table.removed import of_whole_days, removed_days
from cx_assets.warehouse.tables import EVENTS

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


def unaccounted(raw_events: Table, events: Table, rejected_events: Table, withdrawn_events: Table) -> Table:
    """The rows of `day_counts` where raw isn't the sum of its parts.

    Of a day that lost raw events those that were made of the lost ones aren't counted: the others still have to add up.
    A day whose events were removed too may have raw events that others are about, of which no event is left.
    """
    counts = day_counts(raw_events, _of_stored_rows(events, raw_events), rejected_events, withdrawn_events)
    parts = " + ".join(PARTS)
    return sql(
        f"""
        select * from counts
        where raw < {parts} or (raw > {parts} and day in (select day from with_events)) order by day
        """,
        counts=counts,
        with_events=of_whole_days(counts, EVENTS.qualified),
    )


def _of_stored_rows(events: Table, raw_events: Table) -> Table:
    """Events, on days that lost raw events only those whose own are there, all of their copies or none."""
    if not removed_days(raw_events.connection, RAW_EVENTS.qualified):
        return events
    return sql(
        """
        select * from whole
        union all by name
        select * from events semi join raw_events using (day, source_file, source_row)
        where day not in (select day from whole)
        """,
        events=events,
        whole=of_whole_days(events, RAW_EVENTS.qualified),
        raw_events=raw_events,
    )
