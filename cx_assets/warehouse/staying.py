"""Raw events that stay when the others of their days go, because rows are about them or may come to be.

Belongs here: which they are. Does not: removing the others (`operations.retention`), or what a row takes off
(`links`).

A row is named by its event's id, or by its customer's basket and what is in it. Of the rows of one name all stay or
none does: were a part of an order there, its cancellation would take out that part, and nobody could tell. So an order
goes once it is old as a whole and nothing was about any of it; what comes for it later finds nothing, and is rejected.
"""

from datetime import date

from cx_assets.table import Table, sql
from cx_assets.warehouse.links import linked_events
from cx_assets.warehouse.merges import renamed


def staying(raw_events: Table, merges: Table, first: date) -> Table:
    """The places of raw events of before a day that stay: day, source_file, source_row.

    Those that are about others, those that they name, and whatever has a name in common with one of them or with a
    row of the days that are kept, from row to row.

    Args:
        raw_events: all that are stored, of a dataset with links.
        merges: customers who are one have one name.
        first: the first day that is kept.
    """
    rows = renamed(raw_events, merges)
    return sql(
        f"""
        with recursive old as materialized (
            select
                (day, source_file, source_row) as place,
                {_names("rows")} as names
            from rows where day < date '{first}'
        ), about as materialized (
            select (day, source_file, source_row) as place, {_names("linked")} as names from linked
        ), named as materialized (
            select place, unnest(names) as name from old
        ), reached as (
            select unnest(names) as name from about
            union
            select unnest({_names("rows")}) from rows where day >= date '{first}'
            union
            select other.name
            from reached join named mine using (name) join named other using (place)
        )
        select place[1] as day, place[2] as source_file, place[3] as source_row from old
        where place in (select place from about) or place in (select place from named semi join reached using (name))
        """,
        rows=rows,
        linked=linked_events(rows),
    )


def _names(of: str) -> str:
    """SQL for the names that a row has: none, one or two."""
    event, basket = f"nullif(trim({of}.event_id), '')", f"nullif(trim({of}.basket_id), '')"
    return f"""list_filter([
                    case when {event} is not null then to_json({event}) end,
                    case when {basket} is not null then to_json([{of}.customer_id, {basket}]) end
                ], lambda name: name is not null)"""
