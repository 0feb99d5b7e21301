"""The assets of what was delivered.

Each reads its source through the manifest and adds nothing but where a row came from.
"""

from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa

from cx_assets.dataset import Dataset
from cx_assets.ingestion import tables
from cx_assets.ingestion.broken_files import broken_file
from cx_assets.ingestion.columns import as_arrow, look
from cx_assets.ingestion.merge_keys import numbered
from cx_assets.ingestion.reader import event_day, prepared, table_query
from cx_assets.privacy.discretion import discreet
from cx_assets.privacy.protection import Protection
from cx_assets.table import Table, TableSpec, from_frame, once, sql, table_asset
from cx_assets.table.storage import fetched, read, stored_columns
from cx_assets.table.warehouse import Warehouse

# What the columns are like is judged before rows are loaded.
FIRST = ("delivered_columns",)


def ingestion_assets(
    dataset: Dataset, daily_events: dg.PartitionsDefinition, protection: Protection
) -> list[dg.AssetsDefinition]:
    """The stage's assets for a dataset, whose personal data are kept out by its protection."""

    def delivered(warehouse: Warehouse, spec: TableSpec, days: tuple[date, date] | None = None) -> Table:
        columns = [name for name in spec.column_names if name not in ("day", "source_file", "source_row")]
        table = spec.name.removeprefix("raw_")
        protection.prepare(warehouse.connection)
        with discreet(dataset, spec.name):
            query = table_query(dataset, table, columns, days)
            prepared(warehouse.connection, dataset, table)
        return replace(
            warehouse.query(query),
            confidential=dataset.privacy is not None,
            explain=lambda: broken_file(dataset, table, protection.told_name),
        )

    @table_asset(tables.DELIVERED_COLUMNS, kinds=["file"], code_version="1")
    def delivered_columns(warehouse: Warehouse) -> pa.Table:
        """One row per column of every delivered file; only new and changed files are looked at."""
        spec, connection = tables.DELIVERED_COLUMNS, warehouse.connection
        # What was written when the table had other columns is looked at anew.
        known = set(spec.column_names) <= set(stored_columns(connection, spec))
        before = read(connection, spec).arrow().to_pylist() if known else []
        with discreet(dataset, spec.name):
            rows = look(dataset, before, protection.told_name)
        return as_arrow(rows)

    events = tables.raw_events_table(links=dataset.has_links)

    @table_asset(events, partitions_def=daily_events, kinds=["file"], code_version="1", deps=FIRST)
    def raw_events(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Table:
        """One row per delivered event, as delivered, with the file and row that it came from.

        Of every file only the days of the run are kept, so a late file's events land on the days that they happened.
        """
        start, end = context.partition_time_window
        return sql(
            f"""
            with placed as (select *, {once(event_day(dataset))} as day from delivered)
            select * from placed where day >= date '{start:%Y-%m-%d}' and day < date '{end:%Y-%m-%d}'
            """,
            delivered=delivered(warehouse, events, (start.date(), end.date() - timedelta(days=1))),
        )

    customers = tables.raw_customers_table(dataset.customer_attributes(), dataset.merge_keys())
    items = tables.raw_items_table(dataset.item_attributes())

    @table_asset(customers, kinds=["file"], code_version="1", deps=FIRST)
    def raw_customers(warehouse: Warehouse) -> Table:
        """One row per customer of the master data, as delivered; of a merge key only which rows have an equal one."""
        rows = delivered(warehouse, customers)
        if not dataset.merge_keys():
            return rows
        told = from_frame(warehouse.connection, numbered(fetched(customers, rows), dataset))
        return replace(told, confidential=rows.confidential)

    @table_asset(items, kinds=["file"], code_version="1", deps=FIRST)
    def raw_items(warehouse: Warehouse) -> Table:
        """One row per item of the master data, as delivered."""
        return delivered(warehouse, items)

    @table_asset(tables.RAW_CAMPAIGNS, kinds=["file"], code_version="1", deps=FIRST)
    def raw_campaigns(warehouse: Warehouse) -> Table:
        """One row per campaign, as delivered."""
        return delivered(warehouse, tables.RAW_CAMPAIGNS)

    @table_asset(tables.RAW_CAMPAIGN_TARGETS, kinds=["file"], code_version="1", deps=FIRST)
    def raw_campaign_targets(warehouse: Warehouse) -> Table:
        """One row per customer that a campaign was meant for, as delivered."""
        return delivered(warehouse, tables.RAW_CAMPAIGN_TARGETS)

    @table_asset(tables.RAW_CAMPAIGN_RESPONSES, kinds=["file"], code_version="1", deps=FIRST)
    def raw_campaign_responses(warehouse: Warehouse) -> Table:
        """One row per response to a campaign, as delivered."""
        return delivered(warehouse, tables.RAW_CAMPAIGN_RESPONSES)

    delivered_rows = [raw_customers, raw_items, raw_campaigns, raw_campaign_targets, raw_campaign_responses]
    return [delivered_columns, raw_events, *delivered_rows]
