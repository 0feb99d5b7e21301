"""The tables of the clean warehouse.

Canonical names and types; what later stages and people query.
"""

from collections.abc import Sequence
from dataclasses import replace

from cx_assets.ingestion.tables import SOURCE_COLUMNS
from cx_assets.sections import Attribute
from cx_assets.table import TableSpec, column, schema
from cx_assets.table.schema import Column
from cx_assets.warehouse.clauses import Clause

EVENTS = schema(
    "warehouse",
    "events",
    "One row per event that keeps the contract, exact duplicates folded.",
    column("event_id", "varchar", "A hash of all that was delivered of the event: the same whenever it is delivered."),
    column("day", "date", "The event's day in the dataset's time zone."),
    column("occurred_at", "timestamp", "When it happened, UTC."),
    column("customer_id", "varchar", "Who acted."),
    column(
        "delivered_customer_id", "varchar", "The id that was delivered, where it is merged into another.", nullable=True
    ),
    column("item_id", "varchar", "What was acted on."),
    column("event_type", "varchar", "purchase, view, cart or rating."),
    column("basket_id", "varchar", "The order, visit or session; the customer's day where none was delivered."),
    column("quantity", "double", "How many, above 0; 1 where what is no purchase tells none."),
    column(
        "value",
        "double",
        "What it was worth in the dataset's currency, not negative; 0 where what is no purchase tells none.",
    ),
    column("rating", "double", "The rating given, inside the dataset's scale.", nullable=True),
    column("store_id", "varchar", "Where: a shop, a site, an app.", nullable=True),
    column("copies", "bigint", "How many equal rows were delivered; above 1 for an exact duplicate."),
    column("source_file", "varchar", "The file of the first such row."),
    column("source_row", "bigint", "Its number in that file, from 1."),
    key=("event_id",),
)

REJECTED_EVENTS = schema(
    "warehouse",
    "rejected_events",
    "One row per delivered event that breaks the contract, as delivered, with the reason.",
    column(
        "day", "date", "The day that carried the row; the dataset's first day where it tells no day of the dataset."
    ),
    column("reason", "varchar", "The first clause of the contract that it breaks."),
    *(
        column(name, "varchar", f"{name}, as delivered.", nullable=True)
        for name in (
            *("occurred_at", "customer_id", "item_id", "event_type", "basket_id"),
            *("quantity", "value", "rating", "store_id"),
        )
    ),
    *SOURCE_COLUMNS,
    key=("day", "source_file", "source_row"),
)

REJECTED_ROWS = schema(
    "warehouse",
    "rejected_rows",
    "One row per delivered row of customers, items or campaigns that breaks the contract, with the reason.",
    column("delivered_as", "varchar", "What it is one of: customers, items, campaigns, ..."),
    column("reason", "varchar", "The first clause of the contract that it breaks."),
    column("delivered", "varchar", "Its values as delivered, as JSON."),
    *SOURCE_COLUMNS,
    key=("delivered_as", "source_file", "source_row"),
)

REJECTED_VALUES = schema(
    "warehouse",
    "rejected_values",
    "One row per value that breaks the contract and counts as missing, while its row is kept.",
    column("day", "date", "The day that carried the row, of an event; null of master data.", nullable=True),
    column("delivered_as", "varchar", "What its row is one of: events, customers, items."),
    column("column_name", "varchar", "Its column there."),
    column("reason", "varchar", "The first clause of the contract that it breaks."),
    column("value", "varchar", "The value, as delivered."),
    *SOURCE_COLUMNS,
    # Rows of a database without a key are numbered day by day.
    key=("day", "delivered_as", "column_name", "source_file", "source_row"),
)

WITHDRAWN_EVENTS = schema(
    "warehouse",
    "withdrawn_events",
    "One row per delivered event that another corrected, cancelled or returned, and per row that did.",
    column("day", "date", "The day that carried the row."),
    column(
        "outcome",
        "varchar",
        "corrected, cancelled, returned: it is no event any more; reduced: it is one, less what was returned of it; "
        "cancellation, return: a row that took another off.",
    ),
    column("quantity", "double", "What was taken off its quantity; of a return, what it took off.", nullable=True),
    column("value", "double", "What was taken off its value; of a return, what it took off.", nullable=True),
    *SOURCE_COLUMNS,
    column("other_day", "date", "The day of the row that took it off, or that it took off; of several the first."),
    column("other_file", "varchar", "The file of that row."),
    column("other_row", "bigint", "Its number in that file, from 1."),
    key=("day", "source_file", "source_row"),
)

CUSTOMER_MERGES = schema(
    "warehouse",
    "customer_merges",
    "One row per customer that is merged into another, by the keys that the manifest names.",
    column("customer_id", "varchar", "The customer, as delivered."),
    column("merged_into", "varchar", "The customer whose id counts in its place."),
    column(
        "key_kind",
        "varchar",
        "The kinds of its keys that others have too, as email+phone; linkage where it is likely one with them.",
    ),
    column("since", "timestamp", "The run since which this merge stands, UTC."),
    key=("customer_id",),
)

BASKETS = schema(
    "warehouse",
    "baskets",
    "One row per basket: who, when, how much of what it was worth.",
    column("basket_id", "varchar", "The order, visit or session."),
    column("customer_id", "varchar", "Whose it is."),
    column("occurred_at", "timestamp", "Its first event, UTC."),
    column("items", "bigint", "Distinct items in it."),
    column("quantity", "double", "Sum of the quantities."),
    column("value", "double", "Sum of the values."),
    key=("customer_id", "basket_id"),
)

CAMPAIGNS = schema(
    "warehouse",
    "campaigns",
    "One row per campaign.",
    column("campaign_id", "varchar", "The campaign."),
    column("campaign_type", "varchar", "Its kind; 'unknown' where none was delivered."),
    column("starts_on", "date", "Its first day."),
    column("ends_on", "date", "Its last day."),
    key=("campaign_id",),
)

CAMPAIGN_TARGETS = schema(
    "warehouse",
    "campaign_targets",
    "One row per customer that a campaign was meant for.",
    column("campaign_id", "varchar", "The campaign."),
    column("customer_id", "varchar", "The customer."),
    key=("campaign_id", "customer_id"),
)

CAMPAIGN_RESPONSES = schema(
    "warehouse",
    "campaign_responses",
    "One row per response of a customer to a campaign.",
    column("campaign_id", "varchar", "The campaign."),
    column("customer_id", "varchar", "The customer."),
    column("responded_at", "timestamp", "When, UTC."),
    column("detail", "varchar", "With what: a coupon, a link.", nullable=True),
    column("copies", "bigint", "How many equal rows were delivered."),
    key=("campaign_id", "customer_id", "responded_at", "detail"),
)


def documented(spec: TableSpec, clauses: Sequence[Clause]) -> TableSpec:
    """A table whose columns tell what the manifest declares of them, besides what they mean anyway."""
    told = {c.name: "; ".join(clause.reason for clause in clauses if clause.column == c.name) for c in spec.columns}
    columns = [
        column(c.name, c.type, f"{c.description} Rejected: {told[c.name]}.", nullable=c.nullable) if told[c.name] else c
        for c in spec.columns
    ]
    return replace(spec, columns=tuple(columns))


def customers_table(attributes: dict[str, Attribute]) -> TableSpec:
    """The declaration of `warehouse.customers` for a dataset's customer attributes."""
    return schema(
        "warehouse",
        "customers",
        "One row per customer known from the master data or from an event.",
        column("customer_id", "varchar", "The customer."),
        column("in_master", "boolean", "Whether the master data know the customer."),
        column("has_events", "boolean", "Whether the customer has an event."),
        *attribute_columns(attributes),
        key=("customer_id",),
    )


def items_table(attributes: dict[str, Attribute]) -> TableSpec:
    """The declaration of `warehouse.items` for a dataset's item attributes."""
    return schema(
        "warehouse",
        "items",
        "One row per item known from the master data or from an event.",
        column("item_id", "varchar", "The item."),
        column("name", "varchar", "What a person calls it; its id where nothing better was delivered."),
        column("category", "varchar", "Its category; 'unknown' where none was delivered."),
        column("recommendable", "boolean", "Whether it may be recommended."),
        column("in_master", "boolean", "Whether the master data know the item."),
        column("has_events", "boolean", "Whether the item has an event."),
        *attribute_columns(attributes),
        key=("item_id",),
    )


def attribute_columns(attributes: dict[str, Attribute]) -> list[Column]:
    """Each attribute and, beside it, whether its value was put in for a missing one."""
    return [
        c
        for name, attribute in attributes.items()
        for c in (
            column(
                name, attribute.type, f"The attribute {name}; missing values by policy: {attribute.missing.policy}."
            ),
            column(f"{name}_imputed", "boolean", f"Whether {name} was missing and filled in."),
        )
    ]
