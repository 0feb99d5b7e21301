"""The assets of the clean warehouse.

Events by day; customers, items, baskets and campaigns as of the last event.
"""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from cx_assets.dataset import Attribute, Dataset
from cx_assets.table import Table, markdown, table_asset
from cx_assets.warehouse import masters, tables
from cx_assets.warehouse.contract import judge
from cx_assets.warehouse.events import accepted, fold_baskets, rejected
from cx_assets.warehouse.missing import fill_missing


def warehouse_assets(dataset: Dataset, daily_events: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The stage's assets for a dataset."""
    customers_table = tables.customers_table(dataset.customer_attributes())
    items_table = tables.items_table(dataset.item_attributes())

    @table_asset(tables.EVENTS, partitions_def=daily_events, kinds=["sql"], code_version="1")
    def events(raw_events: Table) -> Table:
        """One row per event that keeps the contract, typed, exact duplicates folded. All later stages start here."""
        return accepted(judge(raw_events, dataset), dataset.session_gap_minutes)

    @table_asset(tables.REJECTED_EVENTS, partitions_def=daily_events, kinds=["sql"], code_version="1")
    def rejected_events(raw_events: Table) -> Table:
        """One row per event that breaks the contract, as delivered, with the reason and where it came from."""
        return rejected(judge(raw_events, dataset))

    @table_asset(customers_table, kinds=["sql", "python"], code_version="1")
    def customers(context: dg.AssetExecutionContext, raw_customers: Table, events: Table) -> pd.DataFrame:
        """One row per customer known from the master data or from an event, missing attributes filled by policy."""
        known = masters.known_customers(raw_customers, events, dataset.customer_attributes()).df()
        return _filled(context, known, dataset.customer_attributes(), "customer_id")

    @table_asset(items_table, kinds=["sql", "python"], code_version="1")
    def items(context: dg.AssetExecutionContext, raw_items: Table, events: Table) -> pd.DataFrame:
        """One row per item known from the master data or from an event, and whether it may be recommended."""
        known = masters.known_items(raw_items, events, dataset.item_attributes()).df()
        return _filled(context, known, dataset.item_attributes(), "item_id")

    @table_asset(tables.BASKETS, kinds=["sql"], code_version="1")
    def baskets(events: Table) -> Table:
        """One row per basket: who, when, how many items, what it was worth."""
        return fold_baskets(events, dataset.basket_event_types)

    @table_asset(tables.CAMPAIGNS, kinds=["sql"], code_version="1")
    def campaigns(raw_campaigns: Table) -> Table:
        """One row per campaign, with its days."""
        return masters.typed_campaigns(raw_campaigns)

    @table_asset(tables.CAMPAIGN_TARGETS, kinds=["sql"], code_version="1")
    def campaign_targets(raw_campaign_targets: Table) -> Table:
        """One row per customer that a campaign was meant for."""
        return masters.typed_targets(raw_campaign_targets)

    @table_asset(tables.CAMPAIGN_RESPONSES, kinds=["sql"], code_version="1")
    def campaign_responses(raw_campaign_responses: Table) -> Table:
        """One row per response of a customer to a campaign."""
        return masters.typed_responses(raw_campaign_responses)

    return [events, rejected_events, customers, items, baskets, campaigns, campaign_targets, campaign_responses]


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
