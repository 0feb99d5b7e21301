"""The table of the matrices stage, declared once.

Belongs here: names, columns and meanings. Does not: how the rows come about (`interactions`).
"""

from cx_assets.table import column, schema

INTERACTIONS = schema(
    "matrices",
    "interactions",
    "One row per customer and item with at least one event before the as-of date: how often, how much, since when.",
    column("customer_id", "varchar", "who acted"),
    column("item_id", "varchar", "what was acted on"),
    column("events", "bigint", "events of any type"),
    column("purchases", "bigint", "events of type purchase"),
    column("views", "bigint", "events of type view"),
    column("carts", "bigint", "events of type cart"),
    column("ratings", "bigint", "events of type rating"),
    column("quantity", "double", "sum of the events' quantities"),
    column("value", "double", "sum of the events' values"),
    column("rating", "double", "mean rating; null where the customer has not rated the item", nullable=True),
    column("first_at", "timestamp", "time of the first event, UTC"),
    column("last_at", "timestamp", "time of the last event, UTC"),
    column("weight", "float", "sum over the events of the type's weight, halved with every half-life of age"),
    column("as_of", "timestamp", "nothing of this day or later was used"),
    key=("customer_id", "item_id"),
)
