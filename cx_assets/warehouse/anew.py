"""Stored days outside a run's own made anew, because what came on one day is about another.

Belongs here: which stretches of days, and writing them. Does not: why: customers were merged (`renaming`), or events
corrected, cancelled or returned (`links`).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from cx_assets.days import stretches
from cx_assets.table import Table, TableSpec, sql
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
    for window in windows(ordered):
        for spec, make in made:
            write(connection, spec, make(read(connection, raw_events, window)), window)
    return ordered


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
    return [(_midnight(first), _midnight(last) + timedelta(days=1)) for first, last in stretches(days)]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
