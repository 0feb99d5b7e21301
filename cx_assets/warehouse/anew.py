"""Stored days outside a run's own made anew, because what came on one day is about another.

Belongs here: which stretches of days, and writing them. Does not: why: customers were merged (`renaming`), or events
corrected, cancelled or returned (`links`).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from cx_assets.days import stretches
from cx_assets.table import Table, TableSpec, from_frame, sql
from cx_assets.table.removed import removed_days
from cx_assets.table.storage import Rows, Window, read, stored_columns, write
from cx_assets.warehouse.tables import EVENTS, WITHDRAWN_EVENTS

if TYPE_CHECKING:
    from cx_assets.table.warehouse import Warehouse


def made_anew(
    warehouse: "Warehouse",
    days: Iterable[date],
    raw_events: TableSpec,
    *made: tuple[TableSpec, Callable[[Table], Rows]],
) -> list[date]:
    """Make days of tables anew from what was delivered of them.

    Each stretch of days is written in a transaction per table; what an interrupted run leaves undone, the next does.
    Of a day that lost raw events only what the rest of them became is made anew, and what was made of the lost ones
    stays as it is. A day whose events have been kept for long enough has none that could be.

    Args:
        warehouse: the run's.
        days: which; in any order.
        raw_events: the declaration of what was delivered.
        *made: tables by days, and how each is made of raw events.

    Returns:
        The days, sorted.
    """
    connection = warehouse.connection
    ordered = sorted(days)
    in_part = set(removed_days(connection, raw_events.qualified))
    for spec, make in made:
        gone = set(removed_days(connection, EVENTS.qualified)) if spec.qualified == EVENTS.qualified else set()
        there = [day for day in ordered if day not in gone]
        for window in windows([day for day in there if day not in in_part]):
            write(connection, spec, make(read(connection, raw_events, window)), window)
        for window in [_of(day) for day in there if day in in_part]:
            raw = read(connection, raw_events, window)
            again = make(raw)
            staying = _made_of_lost_rows(connection, spec, raw, window)
            write(connection, spec, [*staying, *([again] if isinstance(again, Table) else again)], window)
    return ordered


def _made_of_lost_rows(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, raw_events: Table, window: Window
) -> list[Table]:
    """Stored rows that were made of raw events that are gone. Copies of an event go together, so its place tells."""
    if not stored_columns(connection, spec):
        return []
    rows = sql(
        "select stored.* from stored anti join raw_events using (day, source_file, source_row)",
        stored=read(connection, spec, window),
        raw_events=raw_events,
    )
    return [from_frame(connection, rows.arrow())]  # a write removes what is stored before it asks for its rows


def changed_days(warehouse: "Warehouse", withdrawn_events: Table) -> list[date]:
    """The days of stored events of which another row is withdrawn than the stored table tells, or by another."""
    connection = warehouse.connection
    if not stored_columns(connection, EVENTS):
        return []
    names = ", ".join(WITHDRAWN_EVENTS.column_names)
    before = read(connection, WITHDRAWN_EVENTS) if stored_columns(connection, WITHDRAWN_EVENTS) else None
    rows = sql(
        f"""
        with now as (select {names} from found)
        select distinct day from (
            (select * from now except select * from stored) union all (select * from stored except select * from now)
        ) order by day
        """,
        found=withdrawn_events,
        stored=before or sql("select * from found where false", found=withdrawn_events),
    )
    return [day for (day,) in rows.fetchall()]


def windows(days: Sequence[date]) -> list[Window]:
    """Unbroken runs of sorted days, midnight to midnight."""
    return [(_of(first)[0], _of(last)[1]) for first, last in stretches(days)]


def _of(day: date) -> Window:
    midnight = datetime(day.year, day.month, day.day)
    return midnight, midnight + timedelta(days=1)
