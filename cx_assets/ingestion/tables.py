"""The tables of what was delivered.

Every delivered value is text here: what a value should have been is the warehouse's to judge.
"""

from collections.abc import Iterable

from cx_assets.ingestion.merge_keys import column_of
from cx_assets.linking import LINK_COLUMNS
from cx_assets.sections import Attribute
from cx_assets.table import TableSpec, column, schema
from cx_assets.table.schema import Column

SOURCE_COLUMNS = (
    column(
        "source_file",
        "varchar",
        "What the row came from: a file, a URL, or a database's variable and table.",
    ),
    column(
        "source_row",
        "bigint",
        "The row's number in it, from 1, without the header; or its declared key.",
    ),
)

EQUAL_KEY = "All that is kept of a merge key, the number of the first row that has an equal one:"

RAW_EVENTS = schema(
    "ingestion",
    "raw_events",
    "One row per delivered event, as delivered.",
    column(
        "day",
        "date",
        "The event's day in the dataset's time zone; the dataset's first day where it tells no day of the dataset.",
    ),
    *(
        column(name, "varchar", f"{text}, as delivered.", nullable=True)
        for name, text in {
            "occurred_at": "When it happened",
            "customer_id": "Who acted",
            "item_id": "What was acted on",
            "event_type": "purchase, view, cart or rating",
            "event_id": "What tells two equal events apart",
            "basket_id": "What the event belongs to: an order, a visit",
            "quantity": "How many",
            "value": "What it was worth",
            "rating": "The rating given",
            "store_id": "Where: a shop, a site, an app",
        }.items()
    ),
    *SOURCE_COLUMNS,
    key=("day", "source_file", "source_row"),
)


def raw_events_table(*, links: bool) -> TableSpec:
    """The declaration of `ingestion.raw_events`; with columns for what a row is about where that is declared."""
    if not links:
        return RAW_EVENTS
    about = (column(name, "varchar", f"{text}.", nullable=True) for name, text in LINK_COLUMNS.items())
    return schema(
        RAW_EVENTS.group,
        RAW_EVENTS.name,
        RAW_EVENTS.description,
        *RAW_EVENTS.columns,
        *about,
        key=RAW_EVENTS.key,
    )


DELIVERED_COLUMNS = schema(
    "ingestion",
    "delivered_columns",
    "One row per column of every delivered file, with what its values were like, found out from a sample.",
    column("delivered_as", "varchar", "What the file holds: events, customers, items, ..."),
    column("source", "varchar", "Which source of the manifest it is of, as events.0."),
    column("source_file", "varchar", "The file, URL or relation."),
    column("column_name", "varchar", "The column, as the file calls it."),
    column(
        "kind", "varchar", "What nearly all its values look like: number, time or text; empty or missing without any."
    ),
    column("filled", "double", "The share of rows with a value; null of fewer than 50 rows.", nullable=True),
    column("expected", "varchar", "The kind by the files before; null of a new column.", nullable=True),
    column("state", "varchar", "Size and time of the file when it was looked at; empty of a relation."),
    column(
        "rows",
        "bigint",
        "How many rows of a file of events are events, as the manifest's `where` says; null of others.",
        nullable=True,
    ),
    column("look", "bigint", "At which look it was, from 1: one that finds no new or changed file doesn't count."),
    key=("source", "source_file", "column_name"),
)


def raw_customers_table(attributes: dict[str, Attribute], keys: Iterable[str] = ()) -> TableSpec:
    """The declaration of `ingestion.raw_customers` for a dataset's customer attributes and names of merge keys."""
    return schema(
        "ingestion",
        "raw_customers",
        "One row per delivered customer, as delivered.",
        column("customer_id", "varchar", "The customer, as delivered.", nullable=True),
        *(_delivered(name) for name in attributes),
        *(column(column_of(name), "bigint", f"{EQUAL_KEY} {name}.", nullable=True) for name in keys),
        *SOURCE_COLUMNS,
        key=("source_file", "source_row"),
    )


def raw_items_table(attributes: dict[str, Attribute]) -> TableSpec:
    """The declaration of `ingestion.raw_items` for a dataset's item attributes."""
    return schema(
        "ingestion",
        "raw_items",
        "One row per delivered item, as delivered.",
        column("item_id", "varchar", "The item, as delivered.", nullable=True),
        column("name", "varchar", "What a person calls it, as delivered.", nullable=True),
        column("category", "varchar", "Its category, as delivered.", nullable=True),
        column("recommendable", "varchar", "Whether it may be recommended, as delivered.", nullable=True),
        *(_delivered(name) for name in attributes),
        *SOURCE_COLUMNS,
        key=("source_file", "source_row"),
    )


RAW_CAMPAIGNS = schema(
    "ingestion",
    "raw_campaigns",
    "One row per delivered campaign, as delivered.",
    column("campaign_id", "varchar", "The campaign, as delivered.", nullable=True),
    column("campaign_type", "varchar", "Its kind, as delivered.", nullable=True),
    column("starts_on", "varchar", "Its first day, as delivered.", nullable=True),
    column("ends_on", "varchar", "Its last day, as delivered.", nullable=True),
    *SOURCE_COLUMNS,
    key=("source_file", "source_row"),
)

RAW_CAMPAIGN_TARGETS = schema(
    "ingestion",
    "raw_campaign_targets",
    "One row per customer that a campaign was meant for, as delivered.",
    column("campaign_id", "varchar", "The campaign, as delivered.", nullable=True),
    column("customer_id", "varchar", "The customer, as delivered.", nullable=True),
    *SOURCE_COLUMNS,
    key=("source_file", "source_row"),
)

RAW_CAMPAIGN_RESPONSES = schema(
    "ingestion",
    "raw_campaign_responses",
    "One row per response to a campaign, as delivered.",
    column("campaign_id", "varchar", "The campaign, as delivered.", nullable=True),
    column("customer_id", "varchar", "The customer, as delivered.", nullable=True),
    column("responded_at", "varchar", "When, as delivered.", nullable=True),
    column("detail", "varchar", "With what: a coupon, a link; as delivered.", nullable=True),
    *SOURCE_COLUMNS,
    key=("source_file", "source_row"),
)


def _delivered(name: str) -> Column:
    return column(name, "varchar", f"The attribute {name}, as delivered.", nullable=True)
