"""A stored table: reading it, and writing it whole or not at all, by column name, as declared.

Belongs here: the transaction and what is said when it can't be. Does not: what Dagster hands over and is told
(`io_manager`). A write replaces the table, or just the days of a window; when anything goes wrong the rows of before
are still there.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, NoReturn

import duckdb

from cx_assets.table.relation import Table
from cx_assets.table.removed import removed_days, written_again
from cx_assets.table.schema import TableSpec, quoted
from cx_assets.table.types import declared_types, lossless, returned_types

if TYPE_CHECKING:
    import pyarrow as pa

UNHARMED = "Nothing was written; the rows of before are intact."


class TableWriteError(Exception):
    """An asset's rows don't fit its declaration; nothing was written."""


class TableReadError(Exception):
    """A table that a function asks for isn't stored, or not as it is declared."""


Window = tuple[datetime, datetime]
Rows = Table | Sequence[Table]
"""Rows to write: of one query, or of several one after another, none of which has to hold them all in memory."""


def read(connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: Window | None = None) -> Table:
    """A stored table, or its days within a window, with the declared columns in their declared order."""
    columns = ", ".join(quoted(name) for name in spec.column_names)
    by = spec.window_column
    where = f" where {by} >= date '{window[0]:%Y-%m-%d}' and {by} < date '{window[1]:%Y-%m-%d}'" if window else ""
    return Table(connection, f"select {columns} from {spec.qualified}{where}")


def write(connection: duckdb.DuckDBPyConnection, spec: TableSpec, rows: Rows, window: Window | None = None) -> None:
    """Replace a table, or its days within a window, in one transaction.

    Args:
        connection: the writer's.
        spec: what the table is declared to be.
        rows: exactly the declared columns, in any order; of several queries all columns are those of the first.
        window: the days to replace; other days are left alone. None replaces the whole table.

    Raises:
        TableWriteError: if columns are missing or undeclared, a value doesn't fit its type, a required value is null, a
            row lies outside the window, or the stored table has other columns than the declared ones.
    """
    columns = ", ".join(quoted(name) for name in spec.column_names)
    pieces = [rows] if isinstance(rows, Table) else rows
    connection.execute("begin")
    try:
        found = returned_types(pieces[0])
        _require_declared_columns(spec, found)
        values = ", ".join(lossless(found, declared_types(connection, spec)))
        connection.execute(f"create schema if not exists {spec.group}")
        kept = _days_outside(connection, spec, window)
        if kept:
            _require_stored_columns(connection, spec)
            connection.execute(
                f"delete from {spec.qualified} where {spec.window_column} >= ? and {spec.window_column} < ?",
                list(window or ()),
            )
        else:
            connection.execute(spec.ddl())
        for piece in pieces:
            connection.execute(f"insert into {spec.qualified} ({columns}) select {values} from ({piece.query})")
        if window:
            _require_inside(connection, spec, window, kept)
        written_again(connection, spec, window)
        connection.execute("commit")
    except duckdb.Error as error:
        _roll_back(connection)
        _tell(spec, pieces[0], error)
    except BaseException:
        _roll_back(connection)
        raise


def fetched(spec: TableSpec, rows: Table) -> "pa.Table":
    """The rows of a query in memory, for an asset that changes them before they are written.

    Raises:
        TableWriteError: if they can't be read, in the words of a write.
    """
    try:
        return rows.arrow()
    except duckdb.Error as error:
        _tell(spec, rows, error)


def _tell(spec: TableSpec, rows: Table, error: duckdb.Error) -> NoReturn:
    """Raise what a person may know of an error of DuckDB about rows to be written."""
    if isinstance(error, duckdb.InvalidInputException) and rows.explain and (told := rows.explain()):
        raise TableWriteError(f"{spec.qualified}: {told} {UNHARMED}") from None
    if rows.confidential:
        line = re.search(r"CSV Error on Line: (\d+)", str(error))
        raise TableWriteError(
            f"{spec.qualified}: a file can't be read as its manifest says{f', in line {line[1]}' if line else ''} "
            f"({type(error).__name__}). More would quote what was delivered, and be kept in logs. {UNHARMED}"
        ) from None
    raise TableWriteError(f"{spec.qualified}: {error}. {UNHARMED}{_advice(error)}") from error


def is_of_the_disk(error: duckdb.Error) -> bool:
    """Whether a file could not be read or written; DuckDB calls it another error where it happens in a commit."""
    return isinstance(error, duckdb.IOException) or "Could not write" in str(error)


def _advice(error: duckdb.Error) -> str:
    """What to do where the machine is short of something."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return " Raise CX_MEMORY_LIMIT, or free space for DuckDB's temporary files, then run again."
    if is_of_the_disk(error):
        return " Free space on the disk, or see that this user may write there and how large a file may be; run again."
    return ""


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo the transaction; a failed commit or a fatal error of DuckDB has undone it already."""
    try:
        connection.execute("rollback")
    except duckdb.Error:
        return


def _require_declared_columns(spec: TableSpec, found: Iterable[str]) -> None:
    wanted = spec.column_names
    missing = [name for name in wanted if name not in found]
    undeclared = [name for name in found if name not in wanted]
    if missing or undeclared:
        raise TableWriteError(
            f"{spec.qualified}: the asset returned "
            + " and ".join(
                filter(
                    None,
                    [
                        f"no column {', '.join(missing)}" if missing else "",
                        f"the undeclared column {', '.join(undeclared)}" if undeclared else "",
                    ],
                )
            )
            + f". Declared: {', '.join(wanted)}. {UNHARMED}"
        )


def stored_columns(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> dict[str, str]:
    """Name and type of each stored column, in order; empty when there is no such table."""
    rows = connection.execute(
        "select column_name, lower(data_type) from information_schema.columns "
        "where table_schema = ? and table_name = ? order by ordinal_position",
        [spec.group, spec.name],
    ).fetchall()
    return dict(rows)


def require_readable(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> None:
    """Refuse to read what isn't stored, or not as it is declared.

    Raises:
        TableReadError: saying what to materialize.
    """
    stored = stored_columns(connection, spec)
    missing = [name for name in spec.column_names if name not in stored]
    if not stored:
        raise TableReadError(f"{spec.qualified} is not there yet: materialize {spec.name} first.")
    if missing:
        raise TableReadError(
            f"{spec.qualified} was stored without the declared column {', '.join(missing)}: "
            f"materialize {spec.name} again."
        )


def days_gone(connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: Window | None) -> list[date]:
    """The days within a window that were removed: what is made of a table by days would be made of nothing."""
    if window is None:
        return []
    first, end = window[0].date(), window[1].date()
    return [day for day in removed_days(connection, spec.qualified) if first <= day < end]


def _days_outside(connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: Window | None) -> int:
    """How many stored rows a write of `window` must leave alone."""
    if window is None or not stored_columns(connection, spec):
        return 0
    query = f"select count(*) from {spec.qualified} where not ({spec.window_column} >= ? and {spec.window_column} < ?)"
    row = connection.execute(query, list(window)).fetchone()
    return int(row[0]) if row else 0


def _require_stored_columns(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> None:
    stored, wanted = stored_columns(connection, spec), declared_types(connection, spec)
    if stored != wanted:
        raise TableWriteError(
            f"{spec.qualified}: the stored table has the columns {_listed(stored)}; declared are {_listed(wanted)}. "
            f"Days of two declarations can't share a table: materialize the whole range. {UNHARMED}"
        )


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _require_inside(connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: Window, kept: int) -> None:
    if _days_outside(connection, spec, window) != kept:
        raise TableWriteError(
            f"{spec.qualified}: rows outside {window[0]:%Y-%m-%d} to {window[1]:%Y-%m-%d}, the days of this run. "
            + UNHARMED
        )
