"""The assets of the clean warehouse.

Events by day; customers, items, baskets and campaigns as of the last event.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.sections import Attribute
from cx_assets.table import Table, markdown, sql, table_asset
from cx_assets.table.storage import read, stored_columns
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse import duplicates, masters, merges, tables
from cx_assets.warehouse.clauses import event_clauses
from cx_assets.warehouse.cleaning import Cleaning
from cx_assets.warehouse.contract import rejected_values as values_of_events
from cx_assets.warehouse.events import fold_baskets
from cx_assets.warehouse.master_contract import MASTERS, kept_rows, master_clauses, rejected_master_values
from cx_assets.warehouse.master_contract import rejected_rows as rejected_master_rows
from cx_assets.warehouse.missing import fill_missing
from cx_assets.warehouse.references import references


def warehouse_assets(dataset: Dataset, daily_events: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The stage's assets for a dataset."""
    customers_table = tables.documented(
        tables.customers_table(dataset.customer_attributes()), master_clauses(dataset, "customers")
    )
    items_table = tables.documented(tables.items_table(dataset.item_attributes()), master_clauses(dataset, "items"))
    events_table = tables.documented(tables.EVENTS, event_clauses(dataset))
    referenced = [f"raw_{name}" for name in dataset.contract.events.referenced]

    def cleaning(warehouse: Warehouse) -> Cleaning:
        return Cleaning(dataset, references(warehouse, dataset))

    @table_asset(tables.WITHDRAWN_EVENTS, kinds=["sql"], code_version="1", deps=referenced)
    def withdrawn_events(
        context: dg.AssetExecutionContext, warehouse: Warehouse, raw_events: Table, customer_merges: Table
    ) -> Table:
        """One row per delivered event that another corrected, cancelled or returned, and per row that did.

        Empty unless the manifest declares corrections, cancels or returns. A row may be about one of another day: the
        stored days whose events are touched are cleaned anew at once.
        """
        by = cleaning(warehouse)
        found = by.withdrawn(raw_events, customer_merges)
        again = by.renew_withdrawn(warehouse, found, customer_merges)
        context.add_output_metadata({"days cleaned anew": len(again)})
        return found

    @table_asset(events_table, partitions_def=daily_events, kinds=["sql"], code_version="3", deps=referenced)
    def events(
        context: dg.AssetExecutionContext,
        warehouse: Warehouse,
        raw_events: Table,
        withdrawn_events: Table,
        customer_merges: Table,
    ) -> list[Table]:
        """One row per event that keeps the contract, typed, exact duplicates folded. All later stages start here.

        When customers have been merged or set apart, the other days that have events of them are cleaned anew too.
        """
        start, end = (moment.replace(tzinfo=None) for moment in context.partition_time_window)
        by = cleaning(warehouse)
        again = by.renew_misnamed(warehouse, withdrawn_events, customer_merges, (start, end))
        context.add_output_metadata({"days cleaned anew for merges": len(again)})
        return by.events(raw_events, withdrawn_events, customer_merges)

    @table_asset(tables.REJECTED_EVENTS, partitions_def=daily_events, kinds=["sql"], code_version="2", deps=referenced)
    def rejected_events(warehouse: Warehouse, raw_events: Table, withdrawn_events: Table) -> Table:
        """One row per event that breaks the contract, as delivered, with the reason and where it came from."""
        return cleaning(warehouse).rejected(raw_events, withdrawn_events)

    @table_asset(tables.REJECTED_VALUES, kinds=["sql"], code_version="1", deps=referenced)
    def rejected_values(warehouse: Warehouse, raw_events: Table, raw_customers: Table, raw_items: Table) -> Table:
        """One row per value that breaks the contract and counts as missing, while its row is kept."""
        return sql(
            "select * from of_events union all select * from of_customers union all select * from of_items",
            of_events=values_of_events(raw_events, dataset, references(warehouse, dataset)),
            of_customers=rejected_master_values(raw_customers, dataset, "customers"),
            of_items=rejected_master_values(raw_items, dataset, "items"),
        )

    @table_asset(customers_table, kinds=["sql", "python"], code_version="1")
    def customers(
        context: dg.AssetExecutionContext, raw_customers: Table, events: Table, customer_merges: Table
    ) -> pd.DataFrame:
        """One row per customer known from the master data or from an event, missing attributes filled by policy."""
        attributes = dataset.customer_attributes()
        kept = kept_rows(raw_customers, dataset, "customers")
        joined = merges.joined_masters(kept, customer_merges, attributes)
        return _filled(context, masters.known_customers(joined, events, attributes).df(), attributes, "customer_id")

    @table_asset(items_table, kinds=["sql", "python"], code_version="1")
    def items(context: dg.AssetExecutionContext, raw_items: Table, events: Table) -> pd.DataFrame:
        """One row per item known from the master data or from an event, and whether it may be recommended."""
        kept = kept_rows(raw_items, dataset, "items")
        known = masters.known_items(kept, events, dataset.item_attributes()).df()
        return _filled(context, known, dataset.item_attributes(), "item_id")

    @table_asset(tables.BASKETS, kinds=["sql"], code_version="1")
    def baskets(events: Table) -> Table:
        """One row per basket: who, when, how many items, what it was worth."""
        return fold_baskets(events, dataset.basket_event_types)

    events_tables = [withdrawn_events, events, rejected_events, rejected_values]
    return [
        _customer_merges(dataset),
        *events_tables,
        _rejected_rows(dataset),
        customers,
        items,
        baskets,
        *_campaign_assets(dataset),
    ]


def _customer_merges(dataset: Dataset) -> dg.AssetsDefinition:
    rule = dataset.merge_customers

    def found(
        context: dg.AssetExecutionContext, warehouse: Warehouse, raw_customers: Table, links: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        kept = kept_rows(raw_customers, dataset, "customers")
        told = merges.told_keys(kept, rule.by if rule else ()).df()
        told = told if links is None else pd.concat([told, links], ignore_index=True)
        found = duplicates.find_merges(told, rule.at_most if rule else 0)
        context.add_output_metadata({"merged": len(found), "into": int(found["merged_into"].nunique())})
        return duplicates.with_since(found, _stored_merges(warehouse), datetime.now(UTC).replace(tzinfo=None))

    if dataset.linkage is None:

        @table_asset(tables.CUSTOMER_MERGES, kinds=["sql", "python"], code_version="1")
        def customer_merges(
            context: dg.AssetExecutionContext, warehouse: Warehouse, raw_customers: Table
        ) -> pd.DataFrame:
            """One row per customer that is merged into another; empty unless the manifest names keys to merge by.

            Taking a key out of the manifest's `merge_customers` and running again sets its customers apart again.
            """
            return found(context, warehouse, raw_customers)

        return customer_merges

    @table_asset(tables.CUSTOMER_MERGES, kinds=["sql", "python"], code_version="1")
    def linked_customer_merges(
        context: dg.AssetExecutionContext,
        warehouse: Warehouse,
        raw_customers: Table,
        linkage_pairs: pd.DataFrame,
        linkage_judgement: pd.DataFrame,
    ) -> pd.DataFrame:
        """One row per customer that is merged into another, by keys and, where it is accepted, by linkage.

        Taking a key or linkage out of the manifest's `merge_customers` and running again sets its customers apart.
        """
        accepted = linkage_judgement.loc[linkage_judgement["accepted"], "threshold"].unique()
        links = duplicates.linked_keys(linkage_pairs, accepted.item()) if len(accepted) else None
        return found(context, warehouse, raw_customers, links)

    return linked_customer_merges


def _rejected_rows(dataset: Dataset) -> dg.AssetsDefinition:
    @table_asset(tables.REJECTED_ROWS, kinds=["sql"], code_version="2")
    def rejected_rows(
        raw_customers: Table,
        raw_items: Table,
        raw_campaigns: Table,
        raw_campaign_targets: Table,
        raw_campaign_responses: Table,
    ) -> Table:
        """One row per delivered row of customers, items or campaigns that breaks the contract, with the reason."""
        delivered = raw_customers, raw_items, raw_campaigns, raw_campaign_targets, raw_campaign_responses
        parts = {
            f"of_{name}": rejected_master_rows(rows, dataset, name)
            for name, rows in zip(MASTERS, delivered, strict=True)
        }
        return sql(" union all ".join(f"select * from {name}" for name in parts), **parts)

    return rejected_rows


def _campaign_assets(dataset: Dataset) -> list[dg.AssetsDefinition]:
    """Campaigns, whom they were meant for and who answered."""

    @table_asset(tables.CAMPAIGNS, kinds=["sql"], code_version="1")
    def campaigns(raw_campaigns: Table) -> Table:
        """One row per campaign, with its days."""
        return masters.typed_campaigns(kept_rows(raw_campaigns, dataset, "campaigns"))

    @table_asset(tables.CAMPAIGN_TARGETS, kinds=["sql"], code_version="1")
    def campaign_targets(raw_campaign_targets: Table, customer_merges: Table) -> Table:
        """One row per customer that a campaign was meant for."""
        kept = kept_rows(raw_campaign_targets, dataset, "campaign_targets")
        return masters.typed_targets(merges.renamed(kept, customer_merges))

    @table_asset(tables.CAMPAIGN_RESPONSES, kinds=["sql"], code_version="1")
    def campaign_responses(raw_campaign_responses: Table, customer_merges: Table) -> Table:
        """One row per response of a customer to a campaign."""
        kept = kept_rows(raw_campaign_responses, dataset, "campaign_responses")
        return masters.typed_responses(merges.renamed(kept, customer_merges))

    return [campaigns, campaign_targets, campaign_responses]


def _stored_merges(warehouse: Warehouse) -> pd.DataFrame:
    """The merges of the run before."""
    spec = tables.CUSTOMER_MERGES
    if not stored_columns(warehouse.connection, spec):
        return pd.DataFrame({name: pd.Series(dtype="object") for name in spec.column_names})
    return read(warehouse.connection, spec).df()


def _filled(
    context: dg.AssetExecutionContext, known: pd.DataFrame, attributes: Mapping[str, Attribute], key: str
) -> pd.DataFrame:
    """Fill what is missing by the manifest's policies, and report per column what was done."""
    filled, counts = fill_missing(known, {name: attribute.missing for name, attribute in attributes.items()}, key=key)
    for name, attribute in attributes.items():
        if attribute.type == "bigint":  # the mean of whole numbers is not one of them
            filled[name] = filled[name].round()
    context.add_output_metadata(
        {"missing values": dg.MetadataValue.md(markdown(counts)), "dropped": len(known) - len(filled)}
    )
    return filled
