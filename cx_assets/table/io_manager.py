"""What Dagster hands over and is handed: an asset's rows to store, the tables that a function asks for.

Belongs here: windows, inputs, and the metadata that every write reports. Does not: storing and reading (`storage`),
computing rows (assets) or judging them (`checks`).
"""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pyarrow as pa

from cx_assets.table.metadata import declared_in
from cx_assets.table.relation import LAST_DAY, Table, from_frame, midnight_after
from cx_assets.table.schema import TableSpec
from cx_assets.table.storage import (
    UNHARMED,
    Rows,
    TableReadError,
    TableWriteError,
    Window,
    days_gone,
    read,
    require_readable,
    write,
)
from cx_assets.table.warehouse import Warehouse


class DuckDBTables(dg.IOManager):
    """Stores what table assets return and loads what their parameters ask for."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def handle_output(self, context: dg.OutputContext, obj: Rows | pd.DataFrame | pa.Table) -> None:
        """Write a table, or the days of the run's partition window.

        Raises:
            TableWriteError: if columns are missing or undeclared, a value doesn't fit its type, or a required one is
                null.
        """
        spec = declared(context)
        window = _window(context)
        connection = self.warehouse.connection
        write(connection, spec, _as_rows(connection, spec, obj), window)
        context.add_output_metadata(self._metadata(context, spec, window))

    def load_input(self, context: dg.InputContext) -> Any:
        """The upstream table, as the parameter's annotation asks: Table, DataFrame, Arrow, or a class `from_table`.

        Raises:
            TableReadError: if it was never materialized, lacks a declared column, or its days were removed.
        """
        spec = declared(context.upstream_output) if context.upstream_output else None
        if spec is None:
            raise ValueError(f"no table is declared for {context.asset_key}")
        require_readable(self.warehouse.connection, spec)
        gone = days_gone(self.warehouse.connection, spec, _window(context))
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
        """The midnight that the rows know nothing after: a window's end, or the end of the last event's day."""
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


def declared(context: dg.OutputContext) -> TableSpec:
    """The declaration that `table_asset` put on the asset."""
    return declared_in(context.definition_metadata or {})


def _window(context: dg.OutputContext | dg.InputContext) -> Window | None:
    """The days of the run, midnight to midnight, or None for an asset without days."""
    if not context.has_asset_partitions:
        return None
    window = context.asset_partitions_time_window
    return window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)


def _as_rows(connection: duckdb.DuckDBPyConnection, spec: TableSpec, rows: Any) -> Rows:
    """What an asset returned, as a Table or several."""
    if isinstance(rows, Table) or (isinstance(rows, list) and rows and all(isinstance(r, Table) for r in rows)):
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


def _is_by_the_same_days(context: dg.InputContext) -> bool:
    """Whether what is being made is an asset by the days of what is read, so that each day is made of its own."""
    step = context.step_context
    return not step.is_asset_check_step and step.entity_partitions_def == context.asset_partitions_def
