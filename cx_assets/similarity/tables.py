"""The tables of the similarity stage, declared once.

Belongs here: names, columns and meanings. Does not: how the rows come about (`cosine`, `pearson`, `content`).
"""

from cx_assets.table import column, schema

SIMILARITY = column("similarity", "float", "from -1 (opposite) to 1 (the same); only Pearson goes below 0")
RANK = column("rank", "integer", "from 1: most similar first, equals by ascending neighbour_id")

CUSTOMER_NEIGHBOURS = schema(
    "similarity",
    "customer_neighbours",
    "One row per method, customer and near customer: who is most like whom, by what they did with which items.",
    column("method", "varchar", "cosine or pearson"),
    column("customer_id", "varchar", "whose neighbour"),
    column("neighbour_id", "varchar", "the near customer"),
    SIMILARITY,
    RANK,
    key=("method", "customer_id", "neighbour_id"),
)

ITEM_NEIGHBOURS = schema(
    "similarity",
    "item_neighbours",
    "One row per method, item and near item: what is most like what, by which customers did how much with them.",
    column("method", "varchar", "cosine or pearson"),
    column("item_id", "varchar", "whose neighbour"),
    column("neighbour_id", "varchar", "the near item"),
    SIMILARITY,
    RANK,
    key=("method", "item_id", "neighbour_id"),
)

CONTENT_NEIGHBOURS = schema(
    "similarity",
    "content_neighbours",
    "One row per item and near item: what is most like what by its attributes, whether anyone had it or not.",
    column("method", "varchar", "content"),
    column("item_id", "varchar", "whose neighbour"),
    column("neighbour_id", "varchar", "the near item"),
    SIMILARITY,
    RANK,
    key=("method", "item_id", "neighbour_id"),
)
