"""Which days of a table lost rows because they had been kept for long enough.

Belongs here: removing rows together with the note that they were removed, and asking for that note. Does not: which
tables are kept for how long, or which rows stay nevertheless (`operations.retention`). A day without rows may be a day
without events, a day that was never loaded, or a day that was removed; without the note, what is made of the day would
be made anew of nothing, or of the few rows that are left of it.
"""

from datetime import date, datetime

import duckdb

from cx_assets.table.relation import Table, sql
from cx_assets.table.schema import TableSpec, literal

REMOVED = "operations.removed_rows"


def remove_before(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, day: date, at: datetime, staying: Table | None = None
) -> int:
    """Remove the rows of the days before one, and note each day that lost some; inside the transaction of the caller.

    Args:
        connection: the writer's.
        spec: a stored table by days or by as-of dates.
        day: the first that is kept.
        at: when it is, UTC, for the note.
        staying: the places (day, source_file, source_row) of rows that stay however old they are.

    Returns:
        How many rows were removed.
    """
    connection.execute("create schema if not exists operations")
    connection.execute(
        f"create table if not exists {REMOVED} (table_name varchar not null, day date not null, source_file varchar, "
        "rows bigint not null, removed_at timestamp not null)"
    )
    source = "source_file" if "source_file" in spec.column_names else "null"
    by = spec.window_column
    old = f"{by} < ? and not {is_among(staying)}"
    connection.execute(
        f"insert into {REMOVED} select ?, cast({by} as date), {source}, count(*), ? "
        f"from {spec.qualified} where {old} group by all",
        [spec.qualified, at, day],
    )
    row = connection.execute(f"delete from {spec.qualified} where {old}", [day]).fetchone()
    return int(row[0]) if row else 0


def is_among(places: Table | None) -> str:
    """SQL for whether a row of some day, file and row number is at one of these places; of none without any."""
    if places is None:
        return "false"
    return f"(day, source_file, source_row) in (select (day, source_file, source_row) from ({places.query}))"


def of_whole_days(rows: Table, table: str) -> Table:
    """Rows with a column `day`, without those of days that a table lost rows of."""
    if not _noted(rows.connection):
        return rows
    return sql(
        f"select * from rows where day not in (select day from {REMOVED} where table_name = {literal(table)})",
        rows=rows,
    )


def removed_days(connection: duckdb.DuckDBPyConnection, table: str) -> list[date]:
    """The days of a table that lost rows and were not written since, in order."""
    if not _noted(connection):
        return []
    query = f"select distinct day from {REMOVED} where table_name = ? order by day"
    return [day for (day,) in connection.execute(query, [table]).fetchall()]


def removed_files(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """The files that removed rows of a table came from."""
    if not _noted(connection):
        return set()
    query = f"select distinct source_file from {REMOVED} where table_name = ? and source_file is not null"
    return {name for (name,) in connection.execute(query, [table]).fetchall()}


def written_again(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: tuple[datetime, datetime] | None
) -> None:
    """Take back the notes of days that are written; inside the transaction of the write.

    Args:
        connection: the writer's.
        spec: what is written.
        window: the days, midnight to midnight; None for all.
    """
    if not _noted(connection):
        return
    inside = " and day >= ? and day < ?" if window else ""
    connection.execute(f"delete from {REMOVED} where table_name = ?{inside}", [spec.qualified, *(window or ())])


def _noted(connection: duckdb.DuckDBPyConnection) -> bool:
    query = "select 1 from information_schema.tables where table_schema = 'operations' and table_name = 'removed_rows'"
    return connection.execute(query).fetchone() is not None
