"""How a table gets into DuckDB and out again: whole or not at all, by column name, as declared.

Belongs here: the transaction, the write, the load and the metadata that every write reports. Does not: computing rows
(assets) or judging them (`checks`). A write replaces the table, or just the days of a partition window; when anything
goes wrong the rows of before are still there.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pyarrow as pa

from cx_assets.table.relation import LAST_DAY, Table, from_frame, midnight_after
from cx_assets.table.removed import removed_days, written_again
from cx_assets.table.schema import TableSpec, quoted
from cx_assets.table.types import declared_types, lossless, returned_types
from cx_assets.table.warehouse import Warehouse

UNHARMED = "Nothing was written; the rows of before are intact."


class TableWriteError(Exception):
    """An asset's rows don't fit its declaration; nothing was written."""


class TableReadError(Exception):
    """A table that a function asks for isn't stored, or not as it is declared."""


class DuckDBTables(dg.IOManager):
    """Stores what table assets return and loads what their parameters ask for."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def handle_output(self, context: dg.OutputContext, obj: Table | pd.DataFrame | pa.Table) -> None:
        """Write a table, or the days of the run's partition window.

        Raises:
            TableWriteError: if columns are missing or undeclared, a value doesn't fit its type, or a required one is
                null.
        """
        spec = declared(context)
        window = _window(context)
        connection = self.warehouse.connection
        write(connection, spec, _as_table(connection, spec, obj), window)
        context.add_output_metadata(self._metadata(context, spec, window))

    def load_input(self, context: dg.InputContext) -> Any:
        """The upstream table, as the parameter's annotation asks: Table, DataFrame, Arrow, or a class `from_table`.

        Raises:
            TableReadError: if it was never materialized, lacks a declared column, or its days were removed.
        """
        spec = declared(context.upstream_output) if context.upstream_output else None
        if spec is None:
            raise ValueError(f"no table is declared for {context.asset_key}")
        _require_readable(self.warehouse.connection, spec)
        gone = _days_gone(self.warehouse.connection, spec, _window(context))
        if gone and _is_by_the_same_days(context):
            raise TableReadError(
                f"{spec.qualified}: the rows of {len(gone)} days from {gone[0]} to {gone[-1]} were removed, as they "
                f"had been kept for long enough. What was made of them stays. To make it anew, materialize {spec.name} "
                "in the same run, from its files."
            )
        table = read(self.warehouse.connection, spec, _window(context))
        wanted = context.dagster_type.typing_type
        if wanted is pd.DataFrame:
            return table.df()
        if wanted is pa.Table:
            return table.arrow()
        return wanted.from_table(table) if hasattr(wanted, "from_table") else table

    def _metadata(self, context: dg.OutputContext, spec: TableSpec, window: "Window | None") -> dict[str, Any]:
        rows = read(self.warehouse.connection, spec, window)
        metadata: dict[str, Any] = {"as_of": self._as_of(spec, window)}
        if window is None:
            return {"dagster/row_count": rows.count(), **metadata}
        day = f"cast({spec.window_column} as date)"
        per_day = dict(self.warehouse.query(f"select {day}, count(*) from ({rows.query}) group by 1").fetchall())
        for key in context.asset_partition_keys:
            count = per_day.get(datetime.fromisoformat(key).date(), 0)
            context.step_context.add_asset_metadata(
                {"dagster/partition_row_count": count}, asset_key=context.asset_key, partition_key=key
            )
        return {"rows_in_run": sum(per_day.values()), **metadata}

    def _as_of(self, spec: TableSpec, window: "Window | None") -> dg.MetadataValue:
        """The instant that the rows know nothing after: a window's end, or the end of the last event's day."""
        if window is not None and spec.window_column == "day":
            return dg.MetadataValue.text(window[1].isoformat())
        if window is not None:
            return dg.MetadataValue.text("of each row, in its column as_of")
        exists = self.warehouse.query(
            "select count(*) from information_schema.tables where table_schema = 'warehouse' and table_name = 'events'"
        ).fetchone()[0]
        last_day = self.warehouse.query(LAST_DAY.format("warehouse.events")).fetchone()[0] if exists else None
        if spec.group == "ingestion" or last_day is None:
            # A delivery says what its owner knew when it was read.
            return dg.MetadataValue.text(datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"))
        return dg.MetadataValue.text(midnight_after(last_day).isoformat())


@dg.io_manager(required_resource_keys={"warehouse"})
def duckdb_tables(context: dg.InitResourceContext) -> DuckDBTables:
    """The IO manager on the run's one warehouse: named by key, so that Dagster opens it once."""
    return DuckDBTables(context.resources.warehouse)


Window = tuple[datetime, datetime]


def declared(context: dg.OutputContext) -> TableSpec:
    """The declaration that `table_asset` put on the asset."""
    return TableSpec.from_metadata(context.definition_metadata or {})


def _window(context: dg.OutputContext | dg.InputContext) -> Window | None:
    """The days of the run, midnight to midnight, or None for an asset without days."""
    if not context.has_asset_partitions:
        return None
    window = context.asset_partitions_time_window
    return window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)


def read(connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: Window | None = None) -> Table:
    """A stored table, or its days within a window, with the declared columns in their declared order."""
    columns = ", ".join(quoted(name) for name in spec.column_names)
    by = spec.window_column
    where = f" where {by} >= date '{window[0]:%Y-%m-%d}' and {by} < date '{window[1]:%Y-%m-%d}'" if window else ""
    return Table(connection, f"select {columns} from {spec.qualified}{where}")


def write(connection: duckdb.DuckDBPyConnection, spec: TableSpec, rows: Table, window: Window | None = None) -> None:
    """Replace a table, or its days within a window, in one transaction.

    Args:
        connection: the writer's.
        spec: what the table is declared to be.
        rows: exactly the declared columns, in any order.
        window: the days to replace; other days are left alone. None replaces the whole table.

    Raises:
        TableWriteError: if columns are missing or undeclared, a value doesn't fit its type, a required value is null, a
            row lies outside the window, or the stored table has other columns than the declared ones.
    """
    columns = ", ".join(quoted(name) for name in spec.column_names)
    connection.execute("begin")
    try:
        found = returned_types(rows)
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
        connection.execute(f"insert into {spec.qualified} ({columns}) select {values} from ({rows.query})")
        if window:
            _require_inside(connection, spec, window, kept)
        written_again(connection, spec, window)
        connection.execute("commit")
    except duckdb.Error as error:
        _roll_back(connection)
        if rows.confidential:
            line = re.search(r"CSV Error on Line: (\d+)", str(error))
            raise TableWriteError(
                f"{spec.qualified}: a file can't be read as its manifest says{f', in line {line[1]}' if line else ''} "
                f"({type(error).__name__}). More would quote what was delivered, and be kept in logs. {UNHARMED}"
            ) from None
        raise TableWriteError(f"{spec.qualified}: {error}. {UNHARMED}{_advice(error)}") from error
    except BaseException:
        _roll_back(connection)
        raise


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


def _as_table(connection: duckdb.DuckDBPyConnection, spec: TableSpec, rows: Any) -> Table:
    """What an asset returned, as a Table."""
    if isinstance(rows, Table):
        return rows
    if not isinstance(rows, pd.DataFrame | pa.Table):
        raise TableWriteError(
            f"{spec.qualified}: the asset returned {type(rows).__name__}, not a Table, DataFrame or Arrow table. "
            + UNHARMED
        )
    try:
        return from_frame(connection, rows)
    except pa.ArrowException as error:  # a column that holds values of several types
        raise TableWriteError(f"{spec.qualified}: {error}. {UNHARMED}") from error


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


def _require_readable(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> None:
    stored = stored_columns(connection, spec)
    missing = [name for name in spec.column_names if name not in stored]
    if not stored:
        raise TableReadError(f"{spec.qualified} is not there yet: materialize {spec.name} first.")
    if missing:
        raise TableReadError(
            f"{spec.qualified} was stored without the declared column {', '.join(missing)}: "
            f"materialize {spec.name} again."
        )


def _is_by_the_same_days(context: dg.InputContext) -> bool:
    """Whether what is being made is an asset by the days of what is read, so that each day is made of its own."""
    step = context.step_context
    return not step.is_asset_check_step and step.entity_partitions_def == context.asset_partitions_def


def _days_gone(connection: duckdb.DuckDBPyConnection, spec: TableSpec, window: Window | None) -> list[date]:
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
