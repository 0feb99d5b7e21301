"""Stored days of events brought up to date when merges have changed.

Belongs here: which days outside a run's own are cleaned anew, and doing it. Does not: who is merged (`merges`).

Events are loaded by day, and a merge is of all days: a customer who registers again today renames events of last year.
Each such day is made anew from what was delivered, because baskets too hang on the customer.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.table import Table, sql
from cx_assets.table.storage import Window, read, stored_columns, write
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.tables import EVENTS


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


def clean_anew(warehouse: Warehouse, merges: Table, window: Window, clean: Callable[[Table], Table]) -> list[date]:
    """Make the days outside a window anew whose events are under ids that no longer count.

    Each stretch of days is written in a transaction of its own; what an interrupted run leaves undone, the next does.

    Args:
        warehouse: the run's.
        merges: that count now.
        window: the run's own days, which are left alone.
        clean: from raw events to events, with these merges.

    Returns:
        The days, sorted.

    Raises:
        RawEventsGoneError: if fewer raw events of a day are stored than events stand for.
    """
    connection = warehouse.connection
    if "delivered_customer_id" not in stored_columns(connection, EVENTS):
        return []  # nothing is stored, or by a version that merged nobody
    found = sql(
        f"""
        select distinct day from misnamed
        where not (day >= date '{window[0]:%Y-%m-%d}' and day < date '{window[1]:%Y-%m-%d}') order by day
        """,
        misnamed=misnamed(read(connection, EVENTS), merges),
    )
    days = [row[0] for row in found.fetchall()]
    for start, end in _stretches(days):
        _require_raw_events(warehouse, (start, end))
        write(connection, EVENTS, clean(read(connection, RAW_EVENTS, (start, end))), (start, end))
    return days


def _stretches(days: Sequence[date]) -> list[Window]:
    """Unbroken runs of sorted days, midnight to midnight."""
    breaks = [i for i, (a, b) in enumerate(pairwise(days), start=1) if b - a > timedelta(days=1)]
    bounds = zip([0, *breaks], [*breaks, len(days)], strict=True) if days else ()
    return [(_midnight(days[start]), _midnight(days[end - 1]) + timedelta(days=1)) for start, end in bounds]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _require_raw_events(warehouse: Warehouse, window: Window) -> None:
    gone = sql(
        """
        with told as (select day, count(*) as raw from raw_events group by day),
        kept as (select day, sum(copies) as stored from events group by day)
        select day from kept left join told using (day) where coalesce(raw, 0) < stored order by day
        """,
        raw_events=read(warehouse.connection, RAW_EVENTS, window),
        events=read(warehouse.connection, EVENTS, window),
    ).fetchall()
    if gone:
        raise RawEventsGoneError(
            f"Customers were merged or set apart, so events of {gone[0][0]} (of {len(gone)} such days the first) need "
            "to be cleaned anew, but the day's raw events are no longer stored. Load these days again from their "
            "files, or take the change of customers.merge_keys or merge_customers back. Nothing of these days was "
            "changed."
        )
