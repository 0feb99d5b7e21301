"""The asset that publishes.

It comes after every table and every blocking check, in its own run by the graph and across runs by its gate.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import dagster as dg
import pandas as pd

from cx_assets.publishing import tables
from cx_assets.publishing.files import REPORT, publish
from cx_assets.publishing.gate import blocking, unmet
from cx_assets.settings import DATABASE, Settings
from cx_assets.table import Table, TableSpec, table_asset, table_check
from cx_assets.table.relation import sql
from cx_assets.table.schema import literal
from cx_assets.table.storage import stored_columns
from cx_assets.table.warehouse import Warehouse


class NotPublishedError(Exception):
    """A blocking check does not vouch for the tables; what was published before stays."""


def publishing_assets(
    specs: Sequence[TableSpec], checks: Iterable[dg.AssetChecksDefinition], settings: Settings
) -> list[dg.AssetsDefinition]:
    """The stage's one asset.

    Args:
        specs: the tables to publish.
        checks: the checks of these tables; the blocking ones are the gate.
        settings: for where to publish.
    """
    gate = blocking(checks)
    names = [spec.name for spec in specs if spec.name != "evaluation_report"]
    published = settings.published_dir

    @table_asset(
        tables.PUBLISHED_TABLES,
        code_version="1",
        kinds=["parquet"],
        deps=names,
    )
    def published_tables(
        context: dg.AssetExecutionContext, warehouse: Warehouse, evaluation_report: Table
    ) -> pd.DataFrame:
        """One row per published table, with a fingerprint of its rows.

        Materializing it writes cx.duckdb, a Parquet file per table and report.html, and lets readers have them all at
        once, if every blocking check has passed on the rows that are there now.
        """
        reasons = unmet(context.instance, gate)
        if reasons:
            listed = "\n".join(f"- {reason}" for reason in reasons)
            raise NotPublishedError(
                f"Not published: {len(reasons)} of {len(gate)} blocking checks don't vouch for the tables. "
                f"What was published before stays.\n{listed}\nMaterialize these tables with their checks, then publish."
            )
        html = str(sql("select html from report", report=evaluation_report).fetchone()[0])
        written = publish(warehouse.connection, specs, html, published)
        context.add_output_metadata(
            {
                "database": dg.MetadataValue.path(str(published / DATABASE)),
                "report": dg.MetadataValue.path(str(published / REPORT)),
                "published_rows": int(written["rows"].sum()),
            }
        )
        return written

    return [published_tables]


def backtest_publishing(
    specs: Sequence[TableSpec], settings: Settings, optional: Sequence[TableSpec] = ()
) -> dg.AssetsDefinition:
    """The asset that lets readers have the tables of the backtest, in a folder of their own.

    Args:
        specs: the tables, computed in the same run.
        settings: for where to publish.
        optional: tables of other jobs that the page speaks of, published with it where they are there.
    """
    names = [spec.name for spec in specs if spec.name != "backtest_report"]

    @table_asset(tables.PUBLISHED_BACKTEST, code_version="3", kinds=["parquet"], deps=names)
    def published_backtest(
        context: dg.AssetExecutionContext, warehouse: Warehouse, backtest_report: Table
    ) -> pd.DataFrame:
        """One row per published table of the backtest, with a fingerprint of its rows.

        Materializing it writes cx.duckdb, a Parquet file per table and report.html beside what is published every day.
        """
        html = str(sql("select html from report", report=backtest_report).fetchone()[0])
        there = [spec for spec in optional if stored_columns(warehouse.connection, spec)]
        written = publish(warehouse.connection, [*specs, *there], html, settings.backtest_dir)
        context.add_output_metadata(
            {
                "database": dg.MetadataValue.path(str(settings.backtest_dir / DATABASE)),
                "report": dg.MetadataValue.path(str(settings.backtest_dir / REPORT)),
            }
        )
        return written

    return published_backtest


def publishing_checks(specs: Sequence[TableSpec], settings: Settings) -> list[dg.AssetChecksDefinition]:
    """The check of what every run publishes."""

    @table_check("published_tables", blocking=True)
    def published_files_hold_the_tables(published_tables: Table, warehouse: Warehouse) -> dg.AssetCheckResult:
        """The Parquet file of every table can be read, and holds as many rows as the table."""
        return _judge_files(published_tables, warehouse, specs, settings.published_dir)

    return [published_files_hold_the_tables]


def backtest_publishing_checks(specs: Sequence[TableSpec], settings: Settings) -> list[dg.AssetChecksDefinition]:
    """The check of what a backtest publishes."""

    @table_check("published_backtest", blocking=True)
    def published_backtest_files_hold_the_tables(
        published_backtest: Table, warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        """The Parquet file of every table of the backtest can be read, and holds as many rows as the table."""
        return _judge_files(published_backtest, warehouse, specs, settings.backtest_dir)

    return [published_backtest_files_hold_the_tables]


def _judge_files(
    published: Table, warehouse: Warehouse, specs: Sequence[TableSpec], folder: Path
) -> dg.AssetCheckResult:
    told = dict(sql("select table_name, rows from t", t=published).fetchall())
    parquet = folder / "parquet"
    found = {spec.qualified: _rows_in(warehouse, parquet / spec.group / f"{spec.name}.parquet") for spec in specs}
    wrong = {name: (told.get(name), rows) for name, rows in found.items() if told.get(name) != rows}
    return dg.AssetCheckResult(
        passed=not wrong,
        description=f"{len(wrong)} of {len(specs)} published files differ from their table."
        + (f" {wrong}. Publish again." if wrong else ""),
        metadata={"files": len(found), "differ": len(wrong)},
    )


def _rows_in(warehouse: Warehouse, path: Path) -> int | None:
    """How many rows a Parquet file holds; None if it is not there."""
    if not path.is_file():
        return None
    return int(warehouse.query(f"select count(*) from read_parquet({literal(str(path))})").fetchone()[0])
