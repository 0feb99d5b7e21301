"""Stored days of events that have to be brought up to date when merges have changed.

Belongs here: which days outside a run's own. Does not: who is merged (`merges`), or making days anew (`anew`).

Events are loaded by day, and a merge is of all days: a customer who registers again today renames events of last year.
Each such day is made anew from what was delivered, because baskets too hang on the customer.
"""

from datetime import date
from typing import TYPE_CHECKING

from cx_assets.table import Table, TableSpec, sql
from cx_assets.table.removed import of_whole_days
from cx_assets.table.storage import Window, read, stored_columns
from cx_assets.warehouse.anew import windows
from cx_assets.warehouse.tables import EVENTS

if TYPE_CHECKING:
    from cx_assets.table.warehouse import Warehouse


class RawEventsGoneError(Exception):
    """Days can't be cleaned anew, because what was delivered of them is no longer stored."""


def misnamed(events: Table, merges: Table) -> Table:
    """Events that aren't under the customer's id that counts: day, event_id, delivered, customer_id, counts."""
    return sql(
        """
        with told as (
            select day, event_id, customer_id, coalesce(delivered_customer_id, customer_id) as delivered from events
        )
        select day, event_id, delivered, told.customer_id, coalesce(merged_into, delivered) as counts
        from told left join merges on merges.customer_id = delivered
        where told.customer_id <> coalesce(merged_into, delivered)
        """,
        events=events,
        merges=merges,
    )


def misnamed_days(warehouse: "Warehouse", merges: Table, raw_events: TableSpec, window: Window) -> list[date]:
    """The days outside a window whose events are under ids that no longer count, and have to be made anew.

    Args:
        warehouse: the run's.
        merges: that count now.
        raw_events: the declaration of what was delivered.
        window: the run's own days, which are left alone.

    Raises:
        RawEventsGoneError: if what such events were made of is no longer stored.
    """
    connection = warehouse.connection
    if "delivered_customer_id" not in stored_columns(connection, EVENTS):
        return []  # nothing is stored, or by a version that merged nobody
    wrong = misnamed(read(connection, EVENTS), merges)
    days = sql(
        f"""
        select distinct day from misnamed
        where not (day >= date '{window[0]:%Y-%m-%d}' and day < date '{window[1]:%Y-%m-%d}') order by day
        """,
        misnamed=wrong,
    )
    found = [day for (day,) in days.fetchall()]
    for stretch in windows(found):
        _require_raw_events(warehouse, wrong, raw_events, stretch)
    return found


def _require_raw_events(warehouse: "Warehouse", misnamed: Table, raw_events: TableSpec, window: Window) -> None:
    """Of a day that lost raw events only the misnamed events have to be made anew, of another day all."""
    events = read(warehouse.connection, EVENTS, window)
    gone = sql(
        """
        with told as (select day, count(*) as raw from raw_events group by day),
        kept as (select day, sum(copies) as stored from whole group by day)
        select day from kept left join told using (day) where coalesce(raw, 0) < stored
        union
        select day from events semi join misnamed using (day, event_id)
        anti join raw_events using (day, source_file, source_row)
        where day not in (select day from whole)
        order by day
        """,
        raw_events=read(warehouse.connection, raw_events, window),
        events=events,
        whole=of_whole_days(events, raw_events.qualified),
        misnamed=misnamed,
    ).fetchall()
    if gone:
        raise RawEventsGoneError(
            f"Customers were merged or set apart, so events of {gone[0][0]} (of {len(gone)} such days the first) need "
            "to be cleaned anew, but the day's raw events are no longer stored. Load these days again from their "
            "files, or take the change of customers.merge_keys or merge_customers back. Nothing of these days was "
            "changed."
        )
